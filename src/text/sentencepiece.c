/* SPDX-License-Identifier: Apache-2.0
 *
 * sentencepiece.c - tokenizer.model: a protobuf message with the pieces, their scores and how a text is normalised.
 *
 *     message  field 1  pieces, each: 1 text, 2 score (f32), 3 type
 *              field 2  how it was trained: 3 kind (1 unigram, 2 BPE), 24 blanks behind words, 35 bytes for the rest,
 *                       40 41 42 the ids of unknown, begin, end, 44 what unknown is written as
 *              field 3  normalising: 2 compiled table, 3 a blank before the text, 4 blanks squeezed, 5 blanks are U+2581
 *
 * The wire format is walked in place: a key (number << 3 | form) and a varint, 8, n or 4 bytes. Fields that are not known are passed
 * over; every length is checked against what is left. */
#include "base/alloc.h"
#include "text/tokenizer_inner.h"

typedef struct field {
    uint32_t number, form;
    uint64_t value; /* varint, or the bits of 4 or 8 bytes */
    alm_str bytes;
} field;

static bool varint(alm_str *s, uint64_t *out) {
    uint64_t x = 0;
    for (unsigned shift = 0, i = 0; i < 10 && i < s->n; i++, shift += 7) {
        unsigned char byte = (unsigned char)s->at[i];
        if (i == 9 && byte > 1) return false;
        x |= (uint64_t)(byte & 0x7F) << shift;
        if (byte & 0x80) continue;
        *s = alm_str_slice(*s, i + 1, s->n);
        *out = x;
        return true;
    }
    return false;
}

static bool fixed(alm_str *s, size_t n, uint64_t *out) {
    if (s->n < n) return false;
    *out = 0;
    for (size_t i = n; i--;) *out = *out << 8 | (unsigned char)s->at[i];
    *s = alm_str_slice(*s, n, s->n);
    return true;
}

/* The next field of a message: false at its end (s->n 0) and where it is broken (s->n not 0). */
static bool next_field(alm_str *s, field *f) {
    uint64_t key, n;
    alm_str rest = *s;
    if (!rest.n || !varint(&rest, &key) || !(key >> 3) || key >> 3 > 0x1FFFFFFF) return false;
    *f = (field){.number = (uint32_t)(key >> 3), .form = (uint32_t)(key & 7)};
    switch (f->form) {
    case 0:
        if (!varint(&rest, &f->value)) return false;
        break;
    case 1:
        if (!fixed(&rest, 8, &f->value)) return false;
        break;
    case 2:
        if (!varint(&rest, &n) || n > rest.n) return false;
        f->bytes = alm_str_slice(rest, 0, (size_t)n);
        rest = alm_str_slice(rest, (size_t)n, rest.n);
        break;
    case 5:
        if (!fixed(&rest, 4, &f->value)) return false;
        break;
    default: return false;
    }
    *s = rest;
    return true;
}

typedef struct model {
    size_t n_piece;
    uint64_t kind;
    bool suffix, fallback;
    int64_t unknown, bos, eos;
    bool dummy, squeeze, escape;
    alm_str charsmap, surface;
} model;

static alm_status broken(const char *what, alm_error *err) {
    alm_fail(err, ALM_MALFORMED, "tokenizer.model: bad_value: %s", what);
    alm_hint(err, "it is read as a protobuf message of SentencePiece");
    return ALM_MALFORMED;
}

static alm_status read_spec(model *m, alm_str s, bool trainer, alm_error *err) {
    field f;
    while (next_field(&s, &f)) {
        if (trainer && f.form == 2 && f.number == 44) m->surface = f.bytes;
        int64_t x = (int32_t)f.value;
        if (trainer && f.form == 0) switch (f.number) {
            case 3: m->kind = f.value; break;
            case 24: m->suffix = f.value != 0; break;
            case 35: m->fallback = f.value != 0; break;
            case 40: m->unknown = x; break;
            case 41: m->bos = x; break;
            case 42: m->eos = x; break;
            default: break;
            }
        else if (!trainer) switch (f.number) {
            case 2: m->charsmap = f.form == 2 ? f.bytes : m->charsmap; break;
            case 3: m->dummy = f.value != 0; break;
            case 4: m->squeeze = f.value != 0; break;
            case 5: m->escape = f.value != 0; break;
            default: break;
            }
    }
    return s.n ? broken("a message breaks off", err) : ALM_OK;
}

static alm_status read_outline(model *m, alm_str s, alm_error *err) {
    field f;
    alm_status st = ALM_OK;
    *m = (model){.kind = 1,
                 .bos = 1,
                 .eos = 2,
                 .dummy = true,
                 .squeeze = true,
                 .escape = true,
                 .surface = ALM_STR(" \xE2\x81\x87 ")};
    while (st == ALM_OK && next_field(&s, &f)) {
        if (f.form == 2 && f.number == 1) m->n_piece++;
        if (f.form == 2 && (f.number == 2 || f.number == 3)) st = read_spec(m, f.bytes, f.number == 2, err);
    }
    if (st != ALM_OK) return st;
    if (s.n) return broken("the message breaks off", err);
    if (!m->n_piece) return broken("it has no pieces", err);
    if (m->n_piece > ALM_TOKENIZER_MAX_VOCAB) return broken("it has too many pieces", err);
    return ALM_OK;
}

static alm_status read_piece(alm_tokenizer *t, size_t i, alm_str s, double *score, alm_error *err) {
    field f;
    t->type[i] = ALM_TOKEN_NORMAL;
    alm_str name = {"", 0};
    while (next_field(&s, &f)) {
        uint32_t bits = (uint32_t)f.value;
        float x;
        if (f.number == 1 && f.form == 2) name = f.bytes;
        if (f.number == 3 && f.form == 0) t->type[i] = f.value <= ALM_TOKEN_BYTE ? (unsigned char)f.value : 0;
        if (f.number != 2 || f.form != 5) continue;
        memcpy(&x, &bits, sizeof x);
        *score = (double)x;
    }
    if (s.n) return broken("a piece breaks off", err);
    if (!t->type[i]) return broken("a piece has an unknown type", err);
    t->name[i] = alm_arena_copy(t->arena, name);
    return t->name[i].at ? ALM_OK : alm_fail_memory(err);
}

static alm_status read_pieces(alm_tokenizer *t, alm_str s, double *score, alm_error *err) {
    field f;
    alm_status st = ALM_OK;
    size_t n = 0;
    while (st == ALM_OK && next_field(&s, &f))
        if (f.form == 2 && f.number == 1) {
            st = read_piece(t, n, f.bytes, &score[n], err);
            n++;
        }
    return st;
}

static int32_t id_of(const alm_tokenizer *t, int64_t id) {
    return id >= 0 && id < (int64_t)t->n_vocab && t->type[id] != ALM_TOKEN_NORMAL ? (int32_t)id : -1;
}

static alm_status set_model(alm_tokenizer *t, const model *m, const double *score, alm_error *err) {
    alm_norm norm = {.kind = ALM_NORM_SPM, .dummy = m->dummy, .squeeze = m->squeeze, .escape = m->escape};
    norm.suffix = m->suffix;
    alm_status st = ALM_OK;
    if (m->charsmap.n) {
        alm_str copy = alm_arena_copy(t->arena, m->charsmap);
        st = copy.at ? alm_charsmap_read(&norm.map, copy, err) : alm_fail_memory(err);
    }
    if (st == ALM_OK) st = alm_tokenizer_add_norm(t, norm, err);
    if (st == ALM_OK) st = alm_tokenizer_add_types(t, err);
    t->decoder = (alm_decoder){.blanks = m->escape, .bytes = true, .strip = m->dummy || m->squeeze};
    t->decoder.strip_all = t->decoder.strip && m->squeeze;
    t->decoder.unknown = alm_arena_copy(t->arena, m->surface);
    if (st == ALM_OK && !t->decoder.unknown.at) st = alm_fail_memory(err);
    t->unknown = id_of(t, m->unknown);
    t->bos = id_of(t, m->bos);
    t->eos = id_of(t, m->eos);
    t->hides_control = true;
    if (st == ALM_OK && m->kind == 1) {
        t->fallback = m->fallback;
        return alm_tokenizer_set_unigram(t, score, true, err);
    }
    if (st == ALM_OK && t->bos >= 0) t->before[t->n_before++] = (uint32_t)t->bos; /* as Llama and Mistral have it */
    return st == ALM_OK ? alm_tokenizer_set_spm_bpe(t, score, m->fallback, "tokenizer.model", err) : st;
}

alm_status alm_tokenizer_from_sentencepiece(alm_tokenizer **out, alm_str bytes, alm_error *err) {
    model m;
    alm_tokenizer *t = NULL;
    *out = NULL;
    alm_status st = read_outline(&m, bytes, err);
    if (st != ALM_OK) return st;
    if (m.kind != 1 && m.kind != 2) {
        alm_fail(err, ALM_UNSUPPORTED, "tokenizer.model: the kind %llu is not supported", (unsigned long long)m.kind);
        alm_hint(err, "unigram (1) and BPE (2) are");
        return ALM_UNSUPPORTED;
    }
    double *score = alm_calloc(m.n_piece, sizeof *score);
    if (!score) return alm_fail_memory(err);
    st = alm_tokenizer_new(&t, m.kind == 1 ? &alm_tokenizer_unigram : &alm_tokenizer_chars, m.n_piece, err);
    if (st == ALM_OK) st = read_pieces(t, bytes, score, err);
    if (st == ALM_OK) st = set_model(t, &m, score, err);
    if (st == ALM_OK) st = alm_tokenizer_finish(t, err);
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    alm_free(score);
    return st;
}

bool alm_sentencepiece_looks_like(alm_str s) {
    field f;
    bool any = false;
    if (!s.n || s.at[0] != '\n') return false;
    while (next_field(&s, &f)) any |= f.number == 1 && f.form == 2;
    return any && !s.n;
}
