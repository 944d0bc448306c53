/* SPDX-License-Identifier: Apache-2.0
 *
 * learn_recipe.c - what was learned from, and how: enough to learn the same again, bit for bit.
 *
 * A time limit is no part of it. What came of the limit is: the length of the language model's schedule, in steps. Who learns
 * with --steps of that number gets the same file from the same data. */
#include "cli/learn_recipe.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "proof/digest.h"
#include "train/recipe.h"
#include <sys/stat.h>

alm_status alm_learn_sources_add(alm_learn_sources *s, const char *name, alm_error *err) {
    if (!s->names.limit) s->names = alm_buf_with_limit((size_t)1 << 30);
    if (s->n && s->names.at && strcmp(s->names.at + s->last, name) == 0) return ALM_OK;
    s->last = s->names.n;
    if (!alm_buf_add(&s->names, name, strlen(name) + 1)) return alm_buf_status(&s->names, err);
    s->n++;
    return ALM_OK;
}

void alm_learn_sources_free(alm_learn_sources *s) { alm_buf_free(&s->names); }

alm_status alm_learn_recipe_check(const alm_cli *cli, alm_error *err) {
    bool none = cli->operands.n == 0;
    for (size_t i = 0; i < cli->operands.n || none; i++) {
        const char *name = none ? "-" : cli->operands.at[i];
        if (strcmp(name, "-") == 0 || strncmp(name, "journal:", 8) == 0) {
            alm_fail(err, ALM_INVALID, _("%s: a recipe needs files: somebody must find them again"), name);
            alm_hint(err, _("write the records to a file first"));
            return ALM_INVALID;
        }
    }
    return ALM_OK;
}

static void text_if(alm_json_writer *w, const char *key, const char *text) {
    if (text) alm_json_key(w, key), alm_json_text(w, text);
}

static alm_status put_file(alm_json_writer *w, const char *path, alm_error *err) {
    alm_digest sum;
    char hex[ALM_DIGEST_HEX_BYTES];
    struct stat about;
    alm_status st = alm_digest_file(&sum, path, err);
    if (st != ALM_OK) return st;
    alm_json_begin_object(w);
    alm_json_key(w, "path"), alm_json_text(w, path);
    alm_json_key(w, "bytes"), alm_json_u64(w, stat(path, &about) == 0 ? (uint64_t)about.st_size : 0);
    alm_json_key(w, "sha256"), alm_json_text(w, alm_digest_hex(hex, &sum));
    alm_json_end_object(w);
    return ALM_OK;
}

static void put_learning(alm_json_writer *w, const alm_learn_options *o, const alm_normal_info *i) {
    alm_json_key(w, "learning"), alm_json_begin_object(w);
    alm_json_key(w, "alpha"), alm_json_number(w, o->alpha);
    text_if(w, "group_by", o->group_by);
    alm_json_key(w, "sessions"), alm_json_bool(w, o->sessions);
    alm_json_key(w, "max_templates"), alm_json_u64(w, o->max_templates);
    alm_json_key(w, "lm"), alm_json_bool(w, o->lm);
    if (i->lm_parameters) alm_json_key(w, "steps"), alm_json_u64(w, i->lm_schedule);
    alm_json_key(w, "seed"), alm_json_u64(w, o->seed);
    alm_json_end_object(w);
}

static alm_status put_result(alm_json_writer *w, const alm_normal_info *i, const char *model, bool interrupted,
                             alm_error *err) {
    alm_digest sum;
    char hex[ALM_DIGEST_HEX_BYTES];
    alm_status st = alm_digest_file(&sum, model, err);
    if (st != ALM_OK) return st;
    alm_json_key(w, "result"), alm_json_begin_object(w);
    alm_json_key(w, "records"), alm_json_u64(w, i->n_records);
    alm_json_key(w, "templates"), alm_json_u64(w, i->n_templates);
    alm_json_key(w, "groups"), alm_json_u64(w, i->n_groups);
    if (i->lm_parameters) {
        alm_json_key(w, "lm_parameters"), alm_json_u64(w, i->lm_parameters);
        alm_json_key(w, "lm_lines"), alm_json_u64(w, i->lm_lines);
        alm_json_key(w, "lm_steps"), alm_json_u64(w, i->lm_steps);
        alm_json_key(w, "lm_loss"), alm_json_number(w, i->lm_loss);
    }
    alm_json_key(w, "interrupted"), alm_json_bool(w, interrupted);
    alm_json_key(w, "sha256"), alm_json_text(w, alm_digest_hex(hex, &sum));
    alm_json_end_object(w);
    return ALM_OK;
}

alm_status alm_learn_recipe_write(const char *path, const alm_learn_sources *s, const alm_input_values *input,
                                  const alm_learn_options *o, const alm_normal_info *i, const char *model,
                                  bool interrupted, alm_error *err) {
    static const char *const formats[] = {NULL, "lines", "jsonl", "csv", "tsv", "syslog"};
    alm_buf compact = alm_buf_with_limit((size_t)1 << 30), text = compact;
    alm_json_writer w = alm_json_writer_on(&compact);
    alm_status st = ALM_OK;
    alm_json_begin_object(&w);
    alm_json_key(&w, "recipe"), alm_json_u64(&w, ALM_RECIPE_VERSION);
    alm_json_key(&w, "kind"), alm_json_text(&w, "learn");
    alm_json_key(&w, "alm"), alm_json_text(&w, ALM_VERSION);
    alm_json_key(&w, "numbers"), alm_json_u64(&w, ALM_NUMBERS);
    alm_json_key(&w, "data"), alm_json_begin_array(&w);
    for (size_t k = 0, at = 0; st == ALM_OK && k < s->n; k++, at += strlen(s->names.at + at) + 1)
        st = put_file(&w, s->names.at + at, err);
    if (st == ALM_OK) {
        alm_json_end_array(&w);
        alm_json_key(&w, "records"), alm_json_begin_object(&w);
        text_if(&w, "format", formats[input->format]);
        text_if(&w, "multiline", input->multiline);
        text_if(&w, "redact", input->redact);
        alm_json_end_object(&w);
        put_learning(&w, o, i);
        st = put_result(&w, i, model, interrupted, err);
    }
    if (st == ALM_OK) {
        alm_json_end_object(&w);
        st = alm_buf_status(&compact, err);
    }
    if (st == ALM_OK) {
        alm_recipe_indent(&text, alm_buf_str(&compact));
        st = alm_buf_status(&text, err);
    }
    if (st == ALM_OK) st = alm_file_write(path, text.at, text.n, err);
    alm_buf_free(&compact);
    alm_buf_free(&text);
    return st;
}
