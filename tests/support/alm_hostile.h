/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/support/alm_hostile.h - walks the hostile files (tests/data/hostile, and the larger set where it is shared). */
#ifndef ALM_HOSTILE_H
#define ALM_HOSTILE_H

#include "alm_test.h"
#include "base/json.h"

/* Does the message name the class, or one of its family? */
static inline bool alm_hostile_named(const char *text, alm_str class) {
    static const char *const families[][7] = {
        {"truncated", "bad_length", "bad_count", "bad_offset"},
        {"bad_header", "bad_type", "bad_value", "bad_string", "bad_version", "bad_magic"},
        {"overflow", "bad_shape"},
        {"too_deep", "bad_header", "bad_type", "bad_pickle"},
        {"bad_zip", "duplicate", "path_escape", "unsafe_code"},
    };
    char word[64] = {0};
    memcpy(word, class.at, class.n < 60 ? class.n : 60);
    if (strstr(text, word)) return true;
    for (size_t f = 0; f < sizeof families / sizeof *families; f++) {
        bool in = false;
        for (int i = 0; i < 7 && families[f][i]; i++) in |= strcmp(families[f][i], word) == 0;
        for (int i = 0; in && i < 7 && families[f][i]; i++)
            if (strstr(text, families[f][i])) return true;
    }
    return false;
}

/* Opens `path` and closes it again. */
typedef alm_status alm_hostile_open(const char *path, alm_error *err);

static inline size_t alm_hostile_walk(const char *folder, const char *format, alm_hostile_open *open) {
    char root[PATH_MAX];
    snprintf(root, sizeof root, "%s", folder);
    alm_error err = {0};
    alm_json_doc doc = {0};
    size_t n, n_seen = 0;
    char *text = alm_test_slurp(alm_test_join(root, "index.json"), &n);
    CHECK_OK(alm_json_parse(&doc, text, n, NULL, NULL, &err), &err);
    const alm_json *cases = alm_json_get(doc.node, "cases");
    for (const alm_json *c = alm_json_first(cases); c; c = alm_json_next(cases, c)) {
        if (!alm_str_eq(alm_json_get(c, "format")->text, alm_str_of(format))) continue;
        char name[200];
        snprintf(name, sizeof name, "%.*s", ALM_ARG(alm_json_get(c, "file")->text));
        alm_error_clear(&err);
        alm_status st = open(alm_test_join(root, name), &err);
        if (st == ALM_END) continue; /* not a file of this reader */
        n_seen++;
        if (alm_str_eq(alm_json_get(c, "verdict")->text, ALM_STR("refuse"))) {
            alm_str class = alm_json_get(c, "class")->text;
            CHECK(st != ALM_OK && st != ALM_NO_MEMORY && st != ALM_INVALID, "%s is %s", name, alm_status_name(st));
            CHECK(alm_hostile_named(err.text, class), "%s: \"%s\" does not name %.*s", name, err.text, ALM_ARG(class));
        } else {
            CHECK(st == ALM_OK, "%s: %s", name, err.text);
        }
    }
    alm_json_doc_free(&doc);
    alm_free(text);
    return n_seen;
}

/* The set of the repository, then the larger shared one where it is. */
static inline size_t alm_hostile_judge(const char *format, alm_hostile_open *open) {
    size_t n = alm_hostile_walk(alm_test_source("tests/data/hostile"), format, open);
    if (alm_test_shared("oracles/hostile/index.json"))
        n += alm_hostile_walk(alm_test_shared("oracles/hostile"), format, open);
    else print_message("the larger shared set of hostile files is not here: only those of the repository are judged\n");
    return n;
}

#endif
