/* SPDX-License-Identifier: Apache-2.0
 *
 * train_data.c - reads documents, learns or loads the tokenizer, tokenises, holds some back.
 *
 * All text is kept until it is tokenised, because the tokenizer is learned from all of it first; ids take about the same space. */
#include "cli/train_data.h"
#include "base/alloc.h"
#include "proof/digest.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { EVAL_TOKENS = 1 << 16 };

static alm_status add_file(alm_train_data *d, const char *path, alm_error *err) {
    if (d->n_files && strcmp(d->file[d->n_files - 1].path, path) == 0) return ALM_OK;
    if (!alm_grow((void **)&d->file, &d->file_cap, d->n_files + 1, sizeof *d->file)) return alm_fail_memory(err);
    alm_str copy = alm_arena_copy(d->names, alm_str_of(path));
    if (!copy.at) return alm_fail_memory(err);
    d->file[d->n_files++] = (alm_recipe_file){.path = copy.at};
    return ALM_OK;
}

static alm_status add_document(alm_train_data *d, alm_str text, alm_error *err) {
    alm_buf_add_str(&d->text, text);
    uint64_t end = d->text.n;
    alm_buf_add(&d->end, &end, sizeof end);
    d->n_documents++;
    alm_status st = alm_buf_status(&d->text, err);
    return st != ALM_OK ? st : alm_buf_status(&d->end, err);
}

alm_status alm_train_data_read(alm_train_data *d, alm_cli *cli, const alm_input_values *v, const char *field,
                               const char *const *names, size_t n_names, alm_error *err) {
    for (size_t i = 0; i < n_names; i++)
        if (strcmp(names[i], "-") == 0 || strncmp(names[i], "journal:", 8) == 0) {
            alm_fail(err, ALM_INVALID, _("%s: training needs files: the recipe must find them again"), names[i]);
            alm_hint(err, _("write the records to a file first"));
            return ALM_INVALID;
        }
    d->text = d->end = d->id = d->start = alm_buf_with_limit((size_t)1 << 46);
    alm_input in = {0};
    alm_status st = alm_arena_new(&d->names, 1 << 12, 0, err);
    if (st == ALM_OK)
        st = alm_input_open(&in, cli, v, names, n_names, ALM_INPUT_NO_TIME | (field ? 0 : ALM_INPUT_NO_FIELDS),
                            _("reading"), err);
    if (st != ALM_OK) return st;
    alm_record r;
    while ((st = alm_input_next(&in, &r, err)) == ALM_OK) {
        alm_str text = field ? alm_record_field(&r, alm_str_of(field)) : r.text;
        if (field && !text.at) d->n_without_field++;
        if ((st = add_file(d, r.source, err)) != ALM_OK) break;
        if (alm_str_trim(text).n && (st = add_document(d, text, err)) != ALM_OK) break;
    }
    if (st == ALM_END) d->all_read = alm_input_report(&in), st = ALM_OK;
    alm_input_close(&in);
    alm_meter_clear(&cli->meter);
    if (st != ALM_OK) return st;
    if (d->n_without_field)
        alm_cli_warn(
            cli, P_("%llu record has no field %s", "%llu records have no field %s", (unsigned long)d->n_without_field),
            (unsigned long long)d->n_without_field, field);
    if (d->n_documents) return ALM_OK;
    alm_fail(err, ALM_NOT_FOUND, _("there is nothing to learn from: no record holds text"));
    if (d->n_without_field) alm_hint(err, _("is the name of the field right? --field %s"), field);
    return ALM_NOT_FOUND;
}

alm_status alm_train_data_digest(alm_train_data *d, alm_error *err) {
    for (size_t i = 0; i < d->n_files; i++) {
        alm_digest sum;
        struct stat s;
        alm_status st = alm_digest_file(&sum, d->file[i].path, err);
        if (st != ALM_OK) return st;
        alm_digest_hex(d->file[i].sha256, &sum);
        if (stat(d->file[i].path, &s) == 0) d->file[i].bytes = (uint64_t)s.st_size;
    }
    return ALM_OK;
}

static alm_str document(const alm_train_data *d, uint64_t i) {
    const uint64_t *end = (const uint64_t *)(const void *)d->end.at;
    uint64_t from = i ? end[i - 1] : 0;
    return alm_str_make(d->text.at + from, (size_t)(end[i] - from));
}

/* Known by the bytes of its keys. */
static alm_status digest_tokenizer(alm_train_data *d, alm_error *err) {
    alm_gguf_writer *w = NULL;
    alm_buf b = alm_buf_with_limit((size_t)1 << 30);
    alm_digest sum;
    alm_status st = alm_gguf_writer_new(&w, err);
    if (st == ALM_OK) st = alm_bpe_to_gguf(d->bpe, w, "", err);
    if (st == ALM_OK) st = alm_gguf_writer_bytes(w, &b, err);
    if (st == ALM_OK) st = alm_digest_of(&sum, b.at, b.n, err);
    if (st == ALM_OK) alm_digest_hex(d->bpe_sha256, &sum);
    alm_gguf_writer_free(w);
    alm_buf_free(&b);
    return st;
}

alm_status alm_train_data_tokenizer(alm_train_data *d, alm_cli *cli, const char *path, size_t n_vocab, alm_error *err) {
    alm_status st;
    if (path) {
        alm_gguf *g = NULL;
        if ((st = alm_gguf_open(&g, path, err)) != ALM_OK) return st;
        st = alm_bpe_from_gguf(&d->bpe, g, "", err);
        alm_gguf_close(g);
        return st == ALM_OK ? digest_tokenizer(d, err) : st;
    }
    alm_bpe_trainer *t = NULL;
    if ((st = alm_bpe_trainer_new(&t, n_vocab, err)) != ALM_OK) return st;
    for (uint64_t i = 0; st == ALM_OK && i < d->n_documents; i++) {
        if ((i & 1023) == 0) alm_meter_show(&cli->meter, _("learning words"), i, d->n_documents);
        st = alm_cli_stopped(cli) ? alm_fail(err, ALM_INTERRUPTED, _("interrupted"))
                                  : alm_bpe_trainer_feed(t, document(d, i), err);
    }
    if (st == ALM_OK) st = alm_bpe_trainer_finish(t, &d->bpe, err);
    alm_bpe_trainer_free(t);
    alm_meter_clear(&cli->meter);
    if (st != ALM_OK) return st;
    if (alm_bpe_vocab(d->bpe) < n_vocab)
        alm_cli_note(cli, _("the data give %zu tokens of the %zu asked for: no other pair occurs twice"),
                     alm_bpe_vocab(d->bpe), n_vocab);
    return digest_tokenizer(d, err);
}

static void add_id(alm_buf *b, int32_t id) {
    uint32_t x = (uint32_t)id;
    if (id >= 0) alm_buf_add(b, &x, sizeof x);
}

/* The held-out documents are the last: in records that come in order of time they are what a model that reads on will see. */
static void hold_out(alm_train_data *d, double share) {
    const uint32_t *id = (const uint32_t *)(const void *)d->id.at;
    const uint64_t *start = (const uint64_t *)(const void *)d->start.at;
    size_t n = (size_t)d->n_documents, most = (size_t)((double)n * share), held = 0;
    while (held < most && start[n] - start[n - held - 1] <= EVAL_TOKENS) held++;
    d->train = (alm_documents){.id = id, .start = start, .n = n - held};
    d->eval = (alm_documents){.id = id, .start = start + (n - held), .n = held};
}

alm_status alm_train_data_encode(alm_train_data *d, alm_cli *cli, double eval_share, alm_error *err) {
    alm_bpe_scratch *s = NULL;
    uint64_t at = 0;
    alm_status st = alm_bpe_scratch_new(&s, err);
    alm_buf_add(&d->start, &at, sizeof at);
    for (uint64_t i = 0; st == ALM_OK && i < d->n_documents; i++) {
        if ((i & 1023) == 0) alm_meter_show(&cli->meter, _("tokenising"), i, d->n_documents);
        if (alm_cli_stopped(cli)) {
            st = alm_fail(err, ALM_INTERRUPTED, _("interrupted"));
            break;
        }
        add_id(&d->id, alm_bpe_bos(d->bpe));
        st = alm_bpe_encode(d->bpe, s, document(d, i), &d->id, NULL, err);
        add_id(&d->id, alm_bpe_eos(d->bpe));
        at = d->id.n / sizeof(uint32_t);
        alm_buf_add(&d->start, &at, sizeof at);
        if (st == ALM_OK) st = alm_buf_status(&d->id, err);
        if (st == ALM_OK) st = alm_buf_status(&d->start, err);
    }
    alm_bpe_scratch_free(s);
    alm_meter_clear(&cli->meter);
    if (st != ALM_OK) return st;
    alm_buf_free(&d->text);
    alm_buf_free(&d->end);
    d->n_tokens = at;
    hold_out(d, eval_share);
    return ALM_OK;
}

void alm_train_data_free(alm_train_data *d) {
    alm_arena_free(d->names);
    alm_free(d->file);
    alm_buf_free(&d->text);
    alm_buf_free(&d->end);
    alm_buf_free(&d->id);
    alm_buf_free(&d->start);
    alm_bpe_free(d->bpe);
    *d = (alm_train_data){0};
}
