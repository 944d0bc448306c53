/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_json.c - what was read and written again is read as the same; the canonical form is its own canonical form.
 *
 * Questions: the tape lies inside the input and its distances add up; write(parse(x)) parses, writes the same bytes again
 * and says the same thing; canonical(parse(canonical(x))) == canonical(x); refusing duplicates refuses exactly what has
 * no canonical form for that reason; prefix mode accepts whatever the whole mode accepts, and ends where the value ends. */
#include "base/json.h"
#include "fuzz.h"

static char *copy(const void *at, size_t n) {
    char *t = malloc(n > 0 ? n : 1);
    CHECK(t != NULL);
    if (n > 0) memcpy(t, at, n);
    return t;
}

static void the_tape_is_well_formed(const alm_json_doc *d, const char *text, size_t n) {
    CHECK(d->n_node > 0 && d->node[0].next == d->n_node);
    for (size_t i = 0; i < d->n_node; i++) {
        const alm_json *v = &d->node[i];
        size_t children = 0;
        CHECK(v->next >= 1 && i + v->next <= d->n_node);
        if (v->type == ALM_JSON_STRING || v->type == ALM_JSON_NUMBER) {
            CHECK(v->text.at >= text && v->text.at + v->text.n <= text + n);
            CHECK(alm_utf8_valid(v->text));
        }
        for (const alm_json *c = alm_json_first(v); c != NULL; c = alm_json_next(v, c)) {
            CHECK(c > v && c < v + v->next && c->key == (v->type == ALM_JSON_OBJECT));
            children++;
        }
        CHECK(v->type < ALM_JSON_ARRAY || children == v->n);
    }
}

static bool same(const alm_json_doc *a, const alm_json_doc *b) {
    if (a->n_node != b->n_node) return false;
    for (size_t i = 0; i < a->n_node; i++)
        if (a->node[i].type != b->node[i].type || a->node[i].n != b->node[i].n || a->node[i].next != b->node[i].next ||
            !alm_str_eq(a->node[i].text, b->node[i].text))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_json_doc first = {0}, second = {0}, third = {0};
    alm_buf out = alm_buf_with_limit(64 << 20), again = alm_buf_with_limit(64 << 20),
            canon = alm_buf_with_limit(64 << 20), twice = alm_buf_with_limit(64 << 20);
    char *a = copy(data, n), *b = copy(data, n), *c = copy(data, n), *d = NULL, *e = NULL;
    size_t used = 0;
    alm_error err = {0};
    alm_status st = alm_json_parse(&first, a, n, NULL, NULL, &err);
    if (st != ALM_OK) {
        CHECK(st == ALM_MALFORMED || st == ALM_LIMIT);
        CHECK(err.status == st && err.text[0] != 0 && first.n_node == 0);
        goto done;
    }
    the_tape_is_well_formed(&first, a, n);

    CHECK(alm_json_write(&out, first.node, NULL) == ALM_OK);
    CHECK(alm_utf8_valid(alm_buf_str(&out)));
    d = copy(out.at, out.n);
    CHECK(alm_json_parse(&second, d, out.n, NULL, NULL, NULL) == ALM_OK);
    CHECK(same(&first, &second));
    CHECK(alm_json_write(&again, second.node, NULL) == ALM_OK);
    CHECK(alm_str_eq(alm_buf_str(&out), alm_buf_str(&again)));

    CHECK(alm_json_parse(&third, b, n, &(alm_json_limits){.prefix = true}, &used, NULL) == ALM_OK);
    CHECK(same(&first, &third));
    for (; used < n; used++) CHECK(data[used] == ' ' || data[used] == '\t' || data[used] == '\n' || data[used] == '\r');

    bool unique = alm_json_parse(&third, c, n, &(alm_json_limits){.refuse_duplicates = true}, NULL, NULL) == ALM_OK;
    st = alm_json_canonical(&canon, first.node, &err);
    CHECK(st == ALM_OK || st == ALM_MALFORMED);
    if (st == ALM_OK) {
        CHECK(unique);
        e = copy(canon.at, canon.n);
        CHECK(alm_json_parse(&second, e, canon.n, &(alm_json_limits){.refuse_duplicates = true}, NULL, NULL) == ALM_OK);
        CHECK(alm_json_canonical(&twice, second.node, NULL) == ALM_OK);
        CHECK(alm_str_eq(alm_buf_str(&canon), alm_buf_str(&twice)));
    } else CHECK(!unique || strstr(err.text, "beyond a double") != NULL);
done:
    free(a), free(b), free(c), free(d), free(e);
    alm_json_doc_free(&first), alm_json_doc_free(&second), alm_json_doc_free(&third);
    alm_buf_free(&out), alm_buf_free(&again), alm_buf_free(&canon), alm_buf_free(&twice);
    return 0;
}
