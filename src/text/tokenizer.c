/* SPDX-License-Identifier: Apache-2.0
 *
 * tokenizer.c - the way of a text through a tokenizer, and what is common to all kinds (tokenizer_inner.h has the picture). */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

/* -- making ------------------------------------------------------------------------------------------------------------- */

alm_status alm_tokenizer_new(alm_tokenizer **out, const alm_tokenizer_kind_ops *kind, size_t n_vocab, alm_error *err) {
    *out = NULL;
    if (n_vocab > ALM_TOKENIZER_MAX_VOCAB)
        return alm_fail(err, ALM_MALFORMED, "tokenizer: bad_count: %zu tokens, more than %d", n_vocab,
                        (int)ALM_TOKENIZER_MAX_VOCAB);
    alm_tokenizer *t = alm_calloc(1, sizeof *t);
    if (!t) return alm_fail_memory(err);
    t->kind = kind;
    t->n_vocab = n_vocab;
    t->bos = t->eos = t->unknown = -1;
    memset(t->byte_id, 0xFF, sizeof t->byte_id);
    alm_status st = alm_arena_new(&t->arena, (size_t)1 << 16, 0, err);
    if (st == ALM_OK) {
        t->name = alm_arena_array(t->arena, alm_str, n_vocab);
        t->type = alm_arena_array(t->arena, unsigned char, n_vocab);
        if (!t->name || !t->type) st = alm_fail_memory(err);
    }
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    return st;
}

void alm_tokenizer_free(alm_tokenizer *t) {
    if (!t) return;
    alm_added_free(&t->added);
    alm_added_free(&t->normalized);
    for (size_t i = 0; i < t->n_regex; i++) alm_regex_free(t->regex[i]);
    alm_trie_free(&t->pieces);
    alm_bpe_free(t->bpe);
    alm_arena_free(t->arena);
    alm_free(t);
}

void alm_tokenizer_take_bpe(alm_tokenizer *t, alm_bpe *b) {
    t->bpe = b;
    for (size_t i = 0; i < t->n_vocab; i++) {
        t->name[i] = b->type[i] == ALM_BPE_NORMAL ? b->piece[i] : b->text[i];
        t->type[i] = b->type[i];
    }
    memcpy(t->byte_id, b->byte_id, sizeof t->byte_id);
}

alm_status alm_tokenizer_from_bpe(alm_tokenizer **out, alm_bpe *b, alm_error *err) {
    alm_tokenizer *t = NULL;
    alm_status st = alm_tokenizer_new(&t, &alm_tokenizer_bytes, b->n_vocab, err);
    *out = NULL;
    if (st != ALM_OK) {
        alm_bpe_free(b);
        return st;
    }
    alm_tokenizer_take_bpe(t, b);
    t->bos = b->bos;
    t->eos = b->eos;
    if (alm_bpe_adds_bos(b)) t->before[t->n_before++] = (uint32_t)b->bos;
    if (alm_bpe_adds_eos(b)) t->behind[t->n_behind++] = (uint32_t)b->eos;
    st = alm_tokenizer_add_types(t, err);
    if (st == ALM_OK)
        st = alm_tokenizer_add_pre(t, (alm_pre){.kind = ALM_PRE_RULE, .way = ALM_WAY_ISOLATED, .rule = b->rule}, err);
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    return st;
}

static alm_status too_many(const char *what, alm_error *err) {
    return alm_fail(err, ALM_UNSUPPORTED, "tokenizer: more than %d %s", (int)ALM_TOKENIZER_MAX_STEPS, what);
}

alm_status alm_tokenizer_add_norm(alm_tokenizer *t, alm_norm step, alm_error *err) {
    if (t->n_norm == ALM_TOKENIZER_MAX_STEPS) return too_many("steps that normalise", err);
    t->norm[t->n_norm++] = step;
    return ALM_OK;
}

alm_status alm_tokenizer_add_pre(alm_tokenizer *t, alm_pre step, alm_error *err) {
    if (t->n_pre == ALM_TOKENIZER_MAX_STEPS) return too_many("steps that cut words", err);
    t->pre[t->n_pre++] = step;
    return ALM_OK;
}

alm_status alm_tokenizer_add_regex(alm_tokenizer *t, alm_str regex, size_t *index, alm_error *err) {
    if (t->n_regex == ALM_TOKENIZER_MAX_STEPS) return too_many("regexes", err);
    if (regex.n > 65536 || memchr(regex.at, 0, regex.n))
        return alm_fail(err, ALM_UNSUPPORTED, "tokenizer: a regex of %zu bytes is not supported", regex.n);
    alm_str copy = alm_arena_copy(t->arena, regex);
    if (!copy.at) return alm_fail_memory(err);
    alm_status st = alm_regex_new_utf(&t->regex[t->n_regex], copy.at, "tokenizer: a regex", err);
    if (st == ALM_OK) *index = ++t->n_regex;
    return st == ALM_INVALID ? ALM_UNSUPPORTED : st;
}

alm_status alm_tokenizer_add_types(alm_tokenizer *t, alm_error *err) {
    alm_status st = ALM_OK;
    for (size_t i = 0; st == ALM_OK && i < t->n_vocab; i++) {
        if (t->type[i] != ALM_TOKEN_CONTROL && t->type[i] != ALM_TOKEN_USER) continue;
        alm_added a = {.text = t->name[i], .id = (uint32_t)i, .control = t->type[i] == ALM_TOKEN_CONTROL};
        st = alm_added_add(&t->added, a, err);
    }
    return st;
}

alm_status alm_tokenizer_finish(alm_tokenizer *t, alm_error *err) {
    int32_t *const id[] = {&t->bos, &t->eos, &t->unknown};
    for (int i = 0; i < 3; i++)
        if (*id[i] >= 0 && (size_t)*id[i] >= t->n_vocab)
            return alm_fail(err, ALM_MALFORMED, "tokenizer: bad_value: id %d of a vocabulary of %zu", *id[i],
                            t->n_vocab);
    /* A byte token says which byte it is. */
    unsigned byte;
    for (size_t i = 0; t->kind != &alm_tokenizer_bytes && i < t->n_vocab; i++)
        if (t->type[i] == ALM_TOKEN_BYTE && !alm_bpe_is_byte_token(t->name[i], &byte))
            return alm_fail(err, ALM_MALFORMED, "tokenizer: bad_value: the byte token %zu is called \"%.*s\"", i,
                            t->name[i].n > 60 ? 60 : (int)t->name[i].n, t->name[i].at);
    return ALM_OK;
}

/* -- looking at it -------------------------------------------------------------------------------------------------------- */

const char *alm_tokenizer_kind(const alm_tokenizer *t) { return t->kind->name; }
size_t alm_tokenizer_vocab(const alm_tokenizer *t) { return t->n_vocab; }
int32_t alm_tokenizer_bos(const alm_tokenizer *t) { return t->bos; }
int32_t alm_tokenizer_eos(const alm_tokenizer *t) { return t->eos; }
int32_t alm_tokenizer_unknown(const alm_tokenizer *t) { return t->unknown; }
const uint32_t *alm_tokenizer_before(const alm_tokenizer *t, size_t *n) {
    *n = t->n_before;
    return t->before;
}
const uint32_t *alm_tokenizer_behind(const alm_tokenizer *t, size_t *n) {
    *n = t->n_behind;
    return t->behind;
}
alm_token_type alm_tokenizer_type(const alm_tokenizer *t, uint32_t id) {
    return id < t->n_vocab ? (alm_token_type)t->type[id] : ALM_TOKEN_UNUSED;
}
alm_str alm_tokenizer_name(const alm_tokenizer *t, uint32_t id) {
    return id < t->n_vocab ? t->name[id] : (alm_str){"", 0};
}

int32_t alm_tokenizer_find(const alm_tokenizer *t, alm_str name) {
    uint32_t i = alm_trie_find(&t->added.trie, name);
    if (i != ALM_TRIE_NONE) return (int32_t)t->added.at[i].id;
    if ((i = alm_trie_find(&t->normalized.trie, name)) != ALM_TRIE_NONE) return (int32_t)t->normalized.at[i].id;
    i = t->kind->find(t, name);
    return i == UINT32_MAX ? -1 : (int32_t)i;
}

/* -- scratch -------------------------------------------------------------------------------------------------------------- */

void alm_tokenizer_scratch_free(alm_tokenizer_scratch *s) {
    if (!s) return;
    alm_bpe_scratch_free(s->bpe);
    for (size_t i = 0; i < ALM_TOKENIZER_MAX_STEPS; i++) alm_regex_match_free(s->match[i]);
    for (int i = 0; i < 2; i++) {
        alm_buf_free(&s->norm[i]);
        alm_buf_free(&s->pre[i]);
    }
    alm_buf_free(&s->id);
    alm_free(s->best);
    alm_free(s);
}

/* `remembers`: words that were seen; for one short text that costs more than it gives. */
static alm_status scratch_new(alm_tokenizer_scratch **out, const alm_tokenizer *t, bool remembers, alm_error *err) {
    *out = NULL;
    alm_tokenizer_scratch *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    alm_status st = ALM_OK;
    s->norm[0] = s->norm[1] = s->pre[0] = s->pre[1] = s->id = alm_buf_with_limit((size_t)1 << 33);
    if (t->bpe && remembers) st = alm_bpe_scratch_new(&s->bpe, err);
    for (size_t i = 0; st == ALM_OK && i < t->n_regex; i++)
        if (!(s->match[i] = alm_regex_match_new(t->regex[i]))) st = alm_fail_memory(err);
    if (st == ALM_OK) {
        *out = s;
        s = NULL;
    }
    alm_tokenizer_scratch_free(s);
    return st;
}

alm_status alm_tokenizer_scratch_new(alm_tokenizer_scratch **out, const alm_tokenizer *t, alm_error *err) {
    return scratch_new(out, t, true, err);
}

/* -- text to ids ---------------------------------------------------------------------------------------------------------- */

typedef struct run {
    const alm_tokenizer *t;
    alm_tokenizer_scratch *s;
    bool control;
    alm_buf *ids;
} run;

static bool put(run *r, uint32_t id) { return alm_buf_add(r->ids, &id, sizeof id); }

/* A normalised text: tokens that are found in it, the rest in words. */
static alm_status put_normalized(run *r, alm_str text, bool first, alm_error *err) {
    const alm_tokenizer *t = r->t;
    /* SentencePiece finds its users' tokens in the normalised text. */
    bool spm = t->n_norm && t->norm[t->n_norm - 1].kind == ALM_NORM_SPM;
    const alm_added_set *set = spm ? &t->added : &t->normalized;
    size_t at = 0, from, to;
    alm_status st = ALM_OK;
    for (const alm_added *a; st == ALM_OK && (a = alm_added_next(set, text, r->control && !spm, at, &from, &to));) {
        if (from > at) st = alm_tokenizer_words(t, r->s, alm_str_slice(text, at, from), first && !at, r->ids, err);
        if (st == ALM_OK && !put(r, a->id)) st = alm_buf_status(r->ids, err);
        at = to;
    }
    if (st == ALM_OK && at < text.n)
        st = alm_tokenizer_words(t, r->s, alm_str_slice(text, at, text.n), first && !at, r->ids, err);
    return st;
}

static alm_status put_fragment(run *r, alm_str text, bool first, alm_error *err) {
    if (!text.n) return ALM_OK;
    alm_status st = alm_tokenizer_normalize(r->t, r->s, text, &text, err);
    return st == ALM_OK ? put_normalized(r, text, first, err) : st;
}

static alm_status put_text(run *r, alm_str text, alm_error *err) {
    const alm_tokenizer *t = r->t;
    /* Where normalising is SentencePiece's, users' tokens are left to it; the text is cut at control tokens only. */
    bool spm = t->n_norm && t->norm[t->n_norm - 1].kind == ALM_NORM_SPM;
    size_t at = 0, done = 0, from, to;
    alm_status st = ALM_OK;
    if (spm && !r->control) return put_fragment(r, text, true, err);
    for (const alm_added *a; st == ALM_OK && (a = alm_added_next(&t->added, text, r->control, at, &from, &to));) {
        at = to;
        if (spm && !a->control) continue;
        st = put_fragment(r, alm_str_slice(text, done, from), !done, err);
        if (st == ALM_OK && !put(r, a->id)) st = alm_buf_status(r->ids, err);
        done = to;
    }
    return st == ALM_OK ? put_fragment(r, alm_str_slice(text, done, text.n), !done, err) : st;
}

alm_status alm_tokenizer_encode(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, alm_specials specials,
                                alm_buf *ids, alm_error *err) {
    if (text.n >= UINT32_MAX / 4)
        return alm_fail(err, ALM_LIMIT, "a text of %zu bytes is too long for the tokenizer", text.n);
    alm_tokenizer_scratch *own = NULL;
    size_t n = ids->n;
    alm_status st = s ? ALM_OK : scratch_new(&own, t, false, err);
    bool control = specials == ALM_SPECIALS_ALL || (specials == ALM_SPECIALS_OWN && !t->hides_control);
    run r = {t, s ? s : own, control, ids};
    if (st == ALM_OK) st = put_text(&r, text, err);
    if (st != ALM_OK) ids->n = n;
    alm_tokenizer_scratch_free(own);
    return st;
}

/* -- the kinds that BPE serves ---------------------------------------------------------------------------------------------- */

static alm_status bpe_text(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, alm_buf *ids,
                           alm_error *err) {
    return alm_bpe_encode_text(t->bpe, s->bpe, text, ids, err);
}
static alm_status bpe_word(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str word, alm_buf *ids,
                           alm_error *err) {
    return alm_bpe_encode_word(t->bpe, s->bpe, word, ids, err);
}
static uint32_t bpe_find(const alm_tokenizer *t, alm_str piece) { return alm_bpe_find_word(t->bpe, piece); }

const alm_tokenizer_kind_ops alm_tokenizer_bytes = {"bytes", bpe_text, bpe_word, bpe_find};
const alm_tokenizer_kind_ops alm_tokenizer_chars = {"chars", bpe_text, bpe_word, bpe_find};
