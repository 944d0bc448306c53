/* SPDX-License-Identifier: Apache-2.0
 *
 * write_model.c - write_model MODEL TOKENIZER.gguf TYPE OUT.gguf: a model as this project writes it, with the tokenizer's keys
 * of another file, so that programs which insist on one open it. */
#include "base/error.h"
#include "dtype/dtype.h"
#include "model/model.h"

#include <stdio.h>

static alm_status write_all(char **arg, alm_error *err) {
    alm_model *m = NULL;
    alm_gguf *g = NULL;
    alm_gguf_writer *w = NULL;
    const alm_type *type = alm_type_named(arg[3]);
    alm_status st = type ? alm_model_open(&m, arg[1], err) : alm_fail(err, ALM_INVALID, "%s: no such type", arg[3]);
    if (st == ALM_OK) st = alm_gguf_open(&g, arg[2], err);
    if (st == ALM_OK) st = alm_gguf_writer_new(&w, err);
    if (st == ALM_OK) st = alm_model_to_gguf(m, w, "", type->gguf, err);
    for (size_t i = 0; st == ALM_OK && i < alm_gguf_value_count(g); i++) {
        const alm_gguf_value *v = alm_gguf_value_at(g, i);
        if (alm_str_starts(v->key, ALM_STR("tokenizer."))) alm_gguf_set_value(w, v);
    }
    if (st == ALM_OK) st = alm_gguf_writer_save(w, arg[4], err);
    alm_gguf_writer_free(w);
    alm_gguf_close(g);
    alm_model_free(m);
    return st;
}

int main(int argc, char **argv) {
    alm_error err = {0};
    if (argc != 5) return fprintf(stderr, "usage: write_model MODEL TOKENIZER.gguf TYPE OUT.gguf\n"), 2;
    if (write_all(argv, &err) == ALM_OK) return 0;
    fprintf(stderr, "write_model: %s\n", err.text);
    return 1;
}
