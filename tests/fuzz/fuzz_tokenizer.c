/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_tokenizer.c - any bytes as a tokenizer of any file, and then as a text for it.
 *
 * The first byte says what the rest is: G a GGUF file, J a tokenizer.json, S a tokenizer.model, T a rank file, others decide by
 * themselves. Questions: ids lie in the vocabulary; a scratch changes none; control tokens come only where they are asked for; where the
 * kind is bytes and nothing normalises, what is encoded comes back. */
#include "base/alloc.h"
#include "fuzz.h"
#include "text/tokenizer_inner.h"

static void holds(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text) {
    alm_buf ids = alm_buf_with_limit(SIZE_MAX), again = ids, back = ids;
    alm_status st = alm_tokenizer_encode(t, s, text, ALM_SPECIALS_NONE, &ids, NULL);
    CHECK(st == ALM_OK || st == ALM_LIMIT || st == ALM_UNSUPPORTED);
    CHECK(alm_tokenizer_encode(t, NULL, text, ALM_SPECIALS_NONE, &again, NULL) == st);
    CHECK(alm_str_eq(alm_buf_str(&ids), alm_buf_str(&again)));
    for (size_t i = 0; i < ids.n; i += 4) {
        uint32_t id;
        memcpy(&id, ids.at + i, 4);
        CHECK(id < alm_tokenizer_vocab(t));
    }
    if (st == ALM_OK) {
        CHECK(alm_tokenizer_decode(t, (const uint32_t *)(const void *)ids.at, ids.n / 4, &back, NULL) == ALM_OK);
        bool whole = t->kind == &alm_tokenizer_bytes && !t->n_norm && !t->added.n && !t->normalized.n &&
                     !t->decoder.blanks && !t->decoder.bytes && !t->decoder.spaces && !t->decoder.suffix.n;
        for (size_t i = 0; i < t->n_pre; i++)
            whole &= t->pre[i].way == ALM_WAY_ISOLATED && t->pre[i].kind <= ALM_PRE_PUNCT;
        if (whole) CHECK(alm_str_eq(alm_buf_str(&back), text));
    }
    alm_buf_clear(&ids);
    alm_tokenizer_encode(t, s, text, ALM_SPECIALS_ALL, &ids, NULL);
    alm_buf_free(&ids), alm_buf_free(&again), alm_buf_free(&back);
}

static alm_status read(alm_tokenizer **out, char first, char *copy, size_t n) {
    alm_str rest = alm_str_make(copy, n);
    alm_gguf *g = NULL;
    alm_status st;
    switch (first) {
    case 'G':
        if ((st = alm_gguf_parse(&g, "fuzz", rest, NULL)) == ALM_OK) st = alm_tokenizer_from_gguf(out, g, "", NULL);
        alm_gguf_close(g);
        return st;
    case 'J': return alm_tokenizer_from_json(out, copy, n, NULL);
    case 'S': return alm_tokenizer_from_sentencepiece(out, rest, NULL);
    case 'T': return alm_tokenizer_from_tiktoken(out, rest, NULL);
    default: return alm_tokenizer_from_bytes(out, "fuzz", copy, n, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_tokenizer *t = NULL;
    alm_tokenizer_scratch *s = NULL;
    if (!n) return 0;
    char *copy = malloc(n);
    if (!copy) abort();
    memcpy(copy, data + 1, n - 1);
    alm_status st = read(&t, (char)data[0], copy, n - 1);
    CHECK((st == ALM_OK) == (t != NULL));
    free(copy);
    if (!t) return 0;
    CHECK(alm_tokenizer_scratch_new(&s, t, NULL) == ALM_OK);
    alm_str text = alm_str_make((const char *)data, n > 4096 ? 4096 : n);
    holds(t, s, text);
    holds(t, s, alm_str_slice(text, text.n / 2, text.n));
    holds(t, s, ALM_STR("It's 12:05, ID=<s> \xC3\xA4\xFF e\xCC\x81\n\n  x \xE2\x96\x81 \xF0\x9F\x98\x80 \xE6\xBC\xA2"));
    alm_tokenizer_scratch_free(s);
    alm_tokenizer_free(t);
    return 0;
}
