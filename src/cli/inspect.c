/* SPDX-License-Identifier: Apache-2.0
 *
 * inspect.c - reads a model for `alm inspect`.
 *
 * Nothing here knows families. A block is what has a number in its name ("blk.3.attn_q.weight",
 * "model.layers.3.self_attn.q_proj.weight"): tensors that differ in that number alone are one row. What belongs to
 * attention, what to the feed-forward part, and what comes first is read off the words that all families use. */
#include "cli/inspect.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/sort.h"
#include "cli/cli.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <sys/stat.h>

enum { MAX_TEXT = 1 << 24, MAX_ROWS = 100000 };

/* -- names ---------------------------------------------------------------------------------------------------------------- */

static bool is_number(alm_str s) {
    for (size_t i = 0; i < s.n; i++)
        if (s.at[i] < '0' || s.at[i] > '9') return false;
    return s.n > 0 && s.n < 7;
}

/* "blk.3.ffn.7.up" → prefix "blk", block 3, rest "ffn.*.up" (into at). False: no number is in it. */
static bool cut(alm_str name, alm_str *prefix, size_t *block, char *at, size_t at_bytes) {
    alm_str rest = name, part;
    size_t n = 0, from = 0;
    bool found = false;
    while (alm_str_split(&rest, '.', &part)) {
        size_t begin = from;
        from += part.n + 1;
        if (!found && begin > 0 && is_number(part)) {
            uint64_t x = 0;
            alm_str_to_u64(part, &x);
            *block = (size_t)x;
            *prefix = alm_str_slice(name, 0, begin - 1);
            found = true;
            n = 0;
            continue;
        }
        if (found && is_number(part)) part = ALM_STR("*");
        int more = snprintf(at + n, at_bytes - n, "%s%.*s", n ? "." : "", ALM_ARG(part));
        n += more > 0 && (size_t)more < at_bytes - n ? (size_t)more : 0;
    }
    return found && n > 0;
}

static bool holds(alm_str s, const char *word) { return alm_str_find(s, alm_str_of(word)) != SIZE_MAX; }

/* The first word of the list that the name holds gives the rank. */
static int rank_of(alm_str name, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (holds(name, words[i])) return (int)i;
    return (int)n;
}

static void classify(alm_inspect_row *r) {
    static const char *const attention[] = {"input_layernorm", "attn_norm", "ln_1",    "qkv",    "c_attn",   "query",
                                            "attn_q.",         "q_proj",    "attn_q_", "q_norm", "key.",     "attn_k.",
                                            "k_proj",          "attn_k_",   "k_norm",  "value.", "attn_v",   "v_proj",
                                            "attn_output",     "o_proj",    "c_proj",  "dense",  "post_attn"};
    static const char *const ffn[] = {"post_attention_layernorm",
                                      "pre_feedforward",
                                      "ffn_norm",
                                      "ln_2",
                                      "router",
                                      "gate_inp",
                                      "gate.weight",
                                      "gate_up",
                                      "ffn_gate",
                                      "gate_proj",
                                      "w1",
                                      "ffn_up",
                                      "up_proj",
                                      "w3",
                                      "c_fc",
                                      "fc1",
                                      "intermediate",
                                      "h_to_4h",
                                      "ffn_down",
                                      "down_proj",
                                      "w2",
                                      "c_proj",
                                      "fc2",
                                      "4h_to_h",
                                      "output"};
    static const char *const before[] = {"token_embd", "embed_tokens", "wte", "word_embeddings", "embed_in", "position",
                                         "wpe",        "token_type",   "embd"};
    alm_str s = r->name;
    if (!r->prefix.n) {
        bool head = holds(s, "output") || holds(s, "lm_head") || holds(s, "final") || holds(s, "ln_f") ||
                    holds(s, "pooler") || holds(s, "classifier") || holds(s, "score") ||
                    alm_str_starts(s, ALM_STR("cls")) || holds(s, "embed_out") ||
                    (holds(s, "norm") && !holds(s, "emb")) || holds(s, "Norm.");
        if (holds(s, "embeddings.")) head = false;
        r->section = head ? ALM_INSPECT_AFTER : ALM_INSPECT_BEFORE;
        r->rank = head ? !holds(s, "norm") && !holds(s, "ln_f") : rank_of(s, before, sizeof before / sizeof *before);
        return;
    }
    bool is_attention =
        (holds(s, "attn") || holds(s, "attention") || holds(s, "input_layernorm") || holds(s, "ln_1")) &&
        !holds(s, "post_attention_layernorm") && !holds(s, "mlp");
    r->section = is_attention ? ALM_INSPECT_ATTENTION : ALM_INSPECT_FFN;
    r->rank = is_attention ? rank_of(s, attention, sizeof attention / sizeof *attention)
                           : rank_of(s, ffn, sizeof ffn / sizeof *ffn);
}

/* -- rows --------------------------------------------------------------------------------------------------------------------- */

static alm_inspect_row *row_named(alm_inspection *x, alm_str prefix, alm_str name) {
    for (size_t i = x->n_row; i-- > 0;)
        if (alm_str_eq(x->row[i].name, name) && alm_str_eq(x->row[i].prefix, prefix)) return &x->row[i];
    return NULL;
}

static alm_status add_tensor(alm_inspection *x, const alm_tensor_entry *t, alm_error *err) {
    char rest[600];
    alm_str prefix = {0}, name = t->name;
    size_t block = 0;
    bool in_block = cut(t->name, &prefix, &block, rest, sizeof rest);
    if (in_block) name = alm_str_of(rest);
    else prefix = (alm_str){0};
    alm_inspect_row *r = row_named(x, prefix, name);
    if (!r) {
        if (x->n_row == MAX_ROWS) return alm_fail(err, ALM_LIMIT, _("more than %d kinds of tensors"), MAX_ROWS);
        if (!alm_grow((void **)&x->row, &x->cap, x->n_row + 1, sizeof *x->row)) return alm_fail_memory(err);
        r = &x->row[x->n_row++];
        *r = (alm_inspect_row){
            .prefix = prefix, .first = block, .last = block, .type = t->type_name, .n_dims = t->n_dims};
        r->name = alm_arena_copy(x->arena, name);
        if (!r->name.at) return alm_fail_memory(err);
        memcpy(r->dim, t->dim, sizeof r->dim);
        classify(r);
    }
    if (block < r->first) r->first = block;
    if (block > r->last) r->last = block;
    if (r->type && strcmp(r->type, t->type_name) != 0) r->type = NULL;
    if (r->n_dims != t->n_dims || memcmp(r->dim, t->dim, sizeof r->dim) != 0) r->varies = true;
    r->n++;
    r->n_bytes += t->n_bytes;
    r->n_items += t->n_items;
    if (in_block && block + 1 > x->n_blocks) x->n_blocks = block + 1;
    return ALM_OK;
}

static int by_place(const void *a, const void *b) {
    const alm_inspect_row *x = a, *y = b;
    bool x_in = x->prefix.n > 0, y_in = y->prefix.n > 0;
    int part_x = x_in                               ? 1
                 : x->section == ALM_INSPECT_BEFORE ? 0
                                                    : 2,
        part_y = y_in                               ? 1
                 : y->section == ALM_INSPECT_BEFORE ? 0
                                                    : 2;
    if (part_x != part_y) return part_x - part_y;
    int order = alm_str_cmp(x->prefix, y->prefix);
    if (order) return order;
    if (x->section != y->section) return (int)x->section - (int)y->section;
    if (x->rank != y->rank) return x->rank - y->rank;
    return -alm_str_cmp(x->name, y->name); /* weight before bias */
}

static void count_type(alm_inspection *x, const alm_tensor_entry *t) {
    size_t i = 0;
    while (i < x->n_type && strcmp(x->type[i].name, t->type_name) != 0) i++;
    if (i == ALM_INSPECT_TYPES) return;
    if (i == x->n_type) x->type[x->n_type++].name = t->type_name;
    x->type[i].n++;
    x->type[i].n_items += t->n_items;
    x->type[i].n_bytes += t->n_bytes;
}

static alm_status list_rows(alm_inspection *x, alm_error *err) {
    alm_status st = ALM_OK;
    for (size_t i = 0; i < alm_tensors_count(x->tensors) && st == ALM_OK; i++) {
        const alm_tensor_entry *t = alm_tensors_at(x->tensors, i);
        x->n_items += t->n_items;
        x->n_bytes += t->n_bytes;
        count_type(x, t);
        st = add_tensor(x, t, err);
    }
    alm_sort(x->row, x->n_row, sizeof *x->row, by_place);
    return st;
}

/* -- what the file says in words -------------------------------------------------------------------------------------------------- */

static void words_of_gguf(alm_inspection *x, const alm_gguf *g) {
    alm_str s;
    if (alm_gguf_str(g, "general.architecture", &s, NULL) == ALM_OK)
        snprintf(x->family, sizeof x->family, "%.*s", ALM_ARG(s));
    if (alm_gguf_str(g, "general.name", &s, NULL) == ALM_OK) x->title = s;
    if (alm_gguf_str(g, "general.license", &s, NULL) == ALM_OK) x->licence = s;
    if (alm_gguf_str(g, "tokenizer.chat_template", &s, NULL) == ALM_OK) x->chat_template = s;
}

/* A text file of the folder, into the arena; at NULL where it is not there. */
static alm_str text_of(alm_inspection *x, const char *folder, const char *file) {
    alm_buf path = alm_buf_with_limit(1 << 16), text = alm_buf_with_limit(MAX_TEXT);
    alm_str s = {0};
    if (alm_path_join(&path, folder, file, NULL) == ALM_OK && alm_file_exists(path.at) &&
        alm_file_read(&text, path.at, NULL) == ALM_OK)
        s = alm_arena_copy(x->arena, alm_buf_str(&text));
    alm_buf_free(&path);
    alm_buf_free(&text);
    return s;
}

/* A string member of a JSON file, into the arena. */
static alm_str member(alm_inspection *x, const char *folder, const char *file, const char *key) {
    alm_str text = text_of(x, folder, file), s = {0};
    alm_json_doc doc = {0};
    const alm_json *v = NULL;
    if (text.at && alm_json_parse(&doc, (char *)(uintptr_t)text.at, text.n, NULL, NULL, NULL) == ALM_OK) /* NOLINT */
        v = alm_json_get(doc.node, key);
    if (v && v->type == ALM_JSON_STRING) s = alm_arena_copy(x->arena, v->text);
    alm_json_doc_free(&doc);
    return s;
}

/* `license: x` in the lines that a model card begins with. */
static alm_str card_licence(alm_inspection *x, const char *folder) {
    alm_str rest = text_of(x, folder, "README.md"), line;
    if (!rest.at || !alm_str_starts(rest, ALM_STR("---"))) return (alm_str){0};
    for (int i = 0; i < 100 && alm_str_split(&rest, '\n', &line); i++)
        if (alm_str_starts(line, ALM_STR("license:"))) return alm_str_trim(alm_str_slice(line, 8, line.n));
    return (alm_str){0};
}

static void words_of_folder(alm_inspection *x, const char *folder) {
    alm_str s = member(x, folder, "config.json", "model_type");
    if (s.at) snprintf(x->family, sizeof x->family, "%.*s", ALM_ARG(s));
    x->chat_template = member(x, folder, "tokenizer_config.json", "chat_template");
    if (!x->chat_template.at) x->chat_template = text_of(x, folder, "chat_template.jinja");
    x->licence = card_licence(x, folder);
    if (!x->licence.at && text_of(x, folder, "LICENSE").at) x->licence = ALM_STR("LICENSE");
}

static void look_at_tokenizer(alm_inspection *x, const char *path) {
    alm_tokenizer *t = NULL;
    if (alm_tokenizer_open(&t, path, NULL, NULL) != ALM_OK) return;
    snprintf(x->tokenizer, sizeof x->tokenizer, "%s", alm_tokenizer_kind(t));
    x->n_vocab = alm_tokenizer_vocab(t);
    if (alm_tokenizer_bos(t) >= 0)
        x->bos = alm_arena_copy(x->arena, alm_tokenizer_name(t, (uint32_t)alm_tokenizer_bos(t)));
    if (alm_tokenizer_eos(t) >= 0)
        x->eos = alm_arena_copy(x->arena, alm_tokenizer_name(t, (uint32_t)alm_tokenizer_eos(t)));
    alm_tokenizer_free(t);
}

alm_status alm_inspect_open(alm_inspection *out, const char *path, alm_error *err) {
    alm_inspection *x = out;
    struct stat info;
    *x = (alm_inspection){0};
    alm_status st = alm_arena_new(&x->arena, 1 << 14, 0, err);
    if (st == ALM_OK) st = alm_tensors_open(&x->tensors, path, err);
    if (st == ALM_OK) st = list_rows(x, err);
    if (st == ALM_OK) {
        const alm_gguf *g = alm_tensors_gguf(x->tensors);
        bool is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
        if (g) words_of_gguf(x, g);
        else if (is_folder) words_of_folder(x, path);
        if (g || is_folder) look_at_tokenizer(x, path);
        if (alm_model_open(&x->model, path, &x->why_not) == ALM_NO_MEMORY) st = alm_fail_memory(err);
    }
    if (st != ALM_OK) alm_inspect_free(x);
    return st;
}

void alm_inspect_free(alm_inspection *x) {
    alm_model_free(x->model);
    alm_tensors_close(x->tensors);
    alm_free(x->row);
    alm_arena_free(x->arena);
    *x = (alm_inspection){0};
}
