/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_bpe.c - a vocabulary that is read or learned never loses a byte of a text.
 *
 * Bytes that begin as GGUF are read as a vocabulary, others are a text to learn from. Questions: what is encoded
 * comes back; the offsets are those of the pieces; control tokens come only where they are asked for; a vocabulary that is
 * written is read as the same one; the cuts of a text that is learned from change nothing. */
#include "base/alloc.h"
#include "fuzz.h"
#include "text/bpe.h"
#include "text/bpe_inner.h"

static void comes_back(const alm_bpe *b, alm_bpe_scratch *s, alm_str text) {
    alm_buf ids = alm_buf_with_limit(SIZE_MAX), ends = ids, back = ids;
    CHECK(alm_bpe_encode(b, s, text, &ids, &ends, NULL) == ALM_OK && ids.n == ends.n);
    for (size_t i = 0; i < ids.n; i += 4) {
        uint32_t id, end;
        memcpy(&id, ids.at + i, 4);
        memcpy(&end, ends.at + i, 4);
        CHECK(id < alm_bpe_vocab(b) && b->type[id] != ALM_BPE_CONTROL);
        alm_buf_add_str(&back, alm_bpe_piece(b, id));
        CHECK(back.n == end);
    }
    CHECK(alm_str_eq(alm_buf_str(&back), text));
    alm_buf_clear(&ids);
    alm_buf_clear(&ends);
    CHECK(alm_bpe_encode_special(b, NULL, text, &ids, &ends, NULL) == ALM_OK && ids.n == ends.n);
    if (ends.n) {
        uint32_t end;
        memcpy(&end, ends.at + ends.n - 4, 4);
        CHECK(end == text.n);
    }
    alm_buf_free(&ids), alm_buf_free(&ends), alm_buf_free(&back);
}

static void holds(const alm_bpe *b, alm_str text) {
    alm_bpe_scratch *s;
    alm_gguf_writer *w;
    alm_gguf *g;
    alm_bpe *again;
    alm_buf bytes = alm_buf_with_limit(SIZE_MAX);
    CHECK(alm_bpe_scratch_new(&s, NULL) == ALM_OK);
    for (size_t n = text.n; n; n /= 3) comes_back(b, s, alm_str_slice(text, text.n - n, text.n));
    comes_back(b, s, ALM_STR("It's 12:05, ID=<|end_of_text|> \xC3\xA4\xFF\n\n  x"));
    alm_bpe_scratch_free(s);
    CHECK(alm_gguf_writer_new(&w, NULL) == ALM_OK);
    CHECK(alm_bpe_to_gguf(b, w, "p.", NULL) == ALM_OK && alm_gguf_writer_bytes(w, &bytes, NULL) == ALM_OK);
    CHECK(alm_gguf_parse(&g, "again", alm_buf_str(&bytes), NULL) == ALM_OK);
    /* Two tokens may mean the same bytes, written in different ways; then they cannot be written again. */
    if (alm_bpe_from_gguf(&again, g, "p.", NULL) == ALM_OK) {
        CHECK(again->n_vocab == b->n_vocab && again->n_merge == b->n_merge && again->bos == b->bos);
        alm_bpe_free(again);
    }
    alm_gguf_close(g);
    alm_gguf_writer_free(w);
    alm_buf_free(&bytes);
}

static alm_bpe *learn(alm_str text, size_t step) {
    alm_bpe_trainer *t;
    alm_bpe *b;
    CHECK(alm_bpe_trainer_new(&t, 300, NULL) == ALM_OK);
    for (size_t at = 0; at < text.n; at += step)
        CHECK(alm_bpe_trainer_feed_part(t, alm_str_slice(text, at, at + step), false, NULL) == ALM_OK);
    CHECK(alm_bpe_trainer_finish(t, &b, NULL) == ALM_OK);
    alm_bpe_trainer_free(t);
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_str text = alm_str_make((const char *)data, n);
    alm_bpe *b = NULL;
    if (alm_str_starts(text, ALM_STR("GGUF"))) {
        alm_gguf *g;
        if (alm_gguf_parse(&g, "fuzz", text, NULL) != ALM_OK) return 0;
        alm_status st = alm_bpe_from_gguf(&b, g, "", NULL);
        CHECK((st == ALM_OK) == (b != NULL));
        if (b) holds(b, text);
        alm_bpe_free(b);
        alm_gguf_close(g);
    } else {
        b = learn(text, n ? n : 1);
        alm_bpe *cut = learn(text, 1 + n / 7);
        CHECK(b->digest == cut->digest && b->n_vocab == cut->n_vocab);
        CHECK(memcmp(b->merge, cut->merge, b->n_merge * sizeof *b->merge) == 0);
        holds(b, text);
        alm_bpe_free(cut);
        alm_bpe_free(b);
    }
    return 0;
}
