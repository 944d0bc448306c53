/* SPDX-License-Identifier: Apache-2.0
 *
 * tiktoken.c - rank files: each line the base64 of a token's bytes, a blank, its rank, which is its id.
 *
 * Two symbols beside each other whose bytes together are a token merge, the lowest rank first; a word that is a token is that
 * token at once. What the file does not say, which rule cuts words and which special tokens there are, is known for the files
 * that were published, by their number of ranks; any other is cut by the rule of cl100k and has no special tokens. */
#include "base/alloc.h"
#include "base/base64.h"
#include "text/tokenizer_inner.h"

typedef struct special {
    const char *name;
    uint32_t id;
} special;

static const special gpt2[] = {{"<|endoftext|>", 50256}};
static const special cl100k[] = {{"<|endoftext|>", 100257},
                                 {"<|fim_prefix|>", 100258},
                                 {"<|fim_middle|>", 100259},
                                 {"<|fim_suffix|>", 100260},
                                 {"<|endofprompt|>", 100276}};
static const special o200k[] = {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}};
static const special llama3[] = {{"<|begin_of_text|>", 128000},   {"<|end_of_text|>", 128001},
                                 {"<|start_header_id|>", 128006}, {"<|end_header_id|>", 128007},
                                 {"<|eom_id|>", 128008},          {"<|eot_id|>", 128009},
                                 {"<|python_tag|>", 128010}};
static const special qwen[] = {{"<|endoftext|>", 151643}, {"<|im_start|>", 151644}, {"<|im_end|>", 151645}};

#define LIST(list) list, sizeof(list) / sizeof *(list)
static const struct published {
    size_t n_rank;
    alm_pretoken rule;
    const special *special;
    size_t n_special;
    int32_t bos, eos;
    bool begins; /* each text begins with bos */
    alm_form form;
    bool normalizes;
} published[] = {
    {50256, ALM_PRETOKEN_GPT2, LIST(gpt2), -1, 50256, false, ALM_FORM_NFC, false},
    {50280, ALM_PRETOKEN_GPT2, LIST(gpt2), -1, 50256, false, ALM_FORM_NFC, false},
    {100256, ALM_PRETOKEN_CL100K, LIST(cl100k), -1, 100257, false, ALM_FORM_NFC, false},
    {199998, ALM_PRETOKEN_O200K, LIST(o200k), -1, 199999, false, ALM_FORM_NFC, false},
    {128000, ALM_PRETOKEN_LLAMA3, LIST(llama3), 128000, 128001, true, ALM_FORM_NFC, false},
    {151643, ALM_PRETOKEN_QWEN2, LIST(qwen), -1, 151643, false, ALM_FORM_NFC, true},
    {0, ALM_PRETOKEN_CL100K, NULL, 0, -1, -1, false, ALM_FORM_NFC, false},
};

static const struct published *find_published(size_t n_rank) {
    const struct published *p = published;
    while (p->n_rank && p->n_rank != n_rank) p++;
    return p;
}

/* -- lines ------------------------------------------------------------------------------------------------------------------ */

static alm_status broken(size_t line, const char *what, alm_error *err) {
    return alm_fail(err, ALM_MALFORMED, "tiktoken: bad_value: line %zu: %s", line, what);
}

static alm_status read_line(alm_str line, size_t number, alm_str *code, uint64_t *rank, alm_error *err) {
    size_t blank = alm_str_find_byte(line, ' ');
    if (blank == SIZE_MAX || !blank || !alm_str_to_u64(alm_str_trim(alm_str_slice(line, blank, line.n)), rank))
        return broken(number, "it is not base64, a blank and a rank", err);
    *code = alm_str_slice(line, 0, blank);
    return ALM_OK;
}

/* Empty lines are passed over. */
static bool next_line(alm_str *rest, alm_str *line, size_t *number) {
    while (alm_str_split(rest, '\n', line)) {
        ++*number;
        *line = alm_str_trim(*line);
        if (line->n) return true;
    }
    return false;
}

static alm_status count(alm_str text, size_t *n_line, size_t *n_rank, alm_error *err) {
    alm_str line, code;
    uint64_t rank;
    size_t number = 0;
    *n_line = *n_rank = 0;
    while (next_line(&text, &line, &number)) {
        alm_status st = read_line(line, number, &code, &rank, err);
        if (st != ALM_OK) return st;
        if (rank >= ALM_TOKENIZER_MAX_VOCAB) return broken(number, "the rank is too large", err);
        ++*n_line;
        if (rank >= *n_rank) *n_rank = (size_t)rank + 1;
    }
    if (*n_rank > 2 * *n_line + 1024) return broken(number, "ranks far beyond the number of tokens", err);
    return ALM_OK;
}

static alm_status fill(alm_bpe *b, alm_str text, alm_error *err) {
    alm_str line, code = {0};
    uint64_t rank = 0;
    size_t number = 0;
    memset(b->type, ALM_BPE_UNUSED, b->n_vocab);
    while (next_line(&text, &line, &number)) {
        alm_status st = read_line(line, number, &code, &rank, err);
        if (st != ALM_OK) return st;
        if (rank >= b->n_vocab || b->type[rank] != ALM_BPE_UNUSED) return broken(number, "the rank stands twice", err);
        char *at = alm_arena_alloc(b->arena, code.n + 1, 1);
        if (!at) return alm_fail_memory(err);
        size_t n;
        if (!alm_base64_decode(at, &n, code) || !n) return broken(number, "it is not base64", err);
        b->piece[rank] = alm_str_make(at, n);
        b->type[rank] = ALM_BPE_NORMAL;
    }
    return ALM_OK;
}

/* -- the whole ---------------------------------------------------------------------------------------------------------------- */

static alm_status add_specials(alm_tokenizer *t, const struct published *p, alm_error *err) {
    for (size_t i = 0; i < p->n_special; i++) {
        t->name[p->special[i].id] = alm_str_of(p->special[i].name);
        t->type[p->special[i].id] = ALM_TOKEN_CONTROL;
    }
    t->bos = p->bos;
    t->eos = p->eos;
    if (p->begins) t->before[t->n_before++] = (uint32_t)p->bos;
    alm_status st = alm_tokenizer_add_types(t, err);
    if (st == ALM_OK) st = alm_tokenizer_add_pre(t, (alm_pre){.kind = ALM_PRE_RULE, .rule = p->rule}, err);
    if (st == ALM_OK && p->normalizes)
        st = alm_tokenizer_add_norm(t, (alm_norm){.kind = ALM_NORM_FORM, .form = p->form}, err);
    return st;
}

static alm_status read_ranks(alm_bpe **out, alm_str text, size_t n_vocab, alm_error *err) {
    alm_bpe *b = NULL;
    alm_status st = alm_bpe_new(&b, n_vocab, 0, err);
    if (st == ALM_OK && !(b->rank = alm_arena_array(b->arena, uint32_t, n_vocab))) st = alm_fail_memory(err);
    for (size_t i = 0; st == ALM_OK && i < n_vocab; i++) b->rank[i] = (uint32_t)i;
    if (st == ALM_OK) st = fill(b, text, err);
    if (st == ALM_OK) b->whole_words = true;
    if (st == ALM_OK) st = alm_bpe_finish(b, "tiktoken", err);
    if (st == ALM_OK) {
        *out = b;
        b = NULL;
    }
    alm_bpe_free(b);
    return st;
}

alm_status alm_tokenizer_from_tiktoken(alm_tokenizer **out, alm_str text, alm_error *err) {
    size_t n_line, n_rank;
    alm_tokenizer *t = NULL;
    alm_bpe *b = NULL;
    *out = NULL;
    alm_status st = count(text, &n_line, &n_rank, err);
    if (st != ALM_OK) return st;
    const struct published *p = find_published(n_line);
    size_t n_vocab = n_rank;
    for (size_t i = 0; i < p->n_special; i++)
        if (p->special[i].id >= n_vocab) n_vocab = p->special[i].id + 1;
    st = read_ranks(&b, text, n_vocab, err);
    if (st == ALM_OK) st = alm_tokenizer_new(&t, &alm_tokenizer_bytes, n_vocab, err);
    if (st == ALM_OK) {
        b->rule = p->rule;
        alm_tokenizer_take_bpe(t, b);
        b = NULL;
        st = add_specials(t, p, err);
    }
    if (st == ALM_OK) st = alm_tokenizer_finish(t, err);
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    alm_bpe_free(b);
    return st;
}
