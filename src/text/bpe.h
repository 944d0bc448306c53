/* SPDX-License-Identifier: Apache-2.0
 *
 * text/bpe.h - byte-level BPE: learned from data, applied, kept in GGUF. Tokenizers of other kinds and files: tokenizer.h.
 *
 * Token ids of a vocabulary learned here: 0 <|begin_of_text|>, 1 <|end_of_text|> (control tokens), 2 + b for the byte b,
 * then one id per merge in the order learned. Text that is not UTF-8 goes through byte by byte: encode then decode gives
 * the same bytes, always. */
#ifndef ALM_TEXT_BPE_H
#define ALM_TEXT_BPE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "format/gguf.h"

typedef struct alm_bpe alm_bpe;
typedef struct alm_bpe_trainer alm_bpe_trainer;

/* Counts words of what is fed (pre-tokenised), then learns merges: the most frequent pair first, ties by the smaller pair of
 * ids. The same data in any chunks gives the same vocabulary: a text may be fed in pieces, and the order of texts does not
 * matter as long as no more than ALM_BPE_MAX_WORDS different words occur (beyond that the rarest are forgotten, see
 * bpe_train.c). n_vocab counts all ids, 258 at least; fewer come out (alm_bpe_vocab) when no pair is left that occurs twice. */
enum { ALM_BPE_MAX_WORDS = 1 << 20 };
alm_status alm_bpe_trainer_new(alm_bpe_trainer **out, size_t n_vocab, alm_error *err);
alm_status alm_bpe_trainer_feed(alm_bpe_trainer *t, alm_str text, alm_error *err); /* one document */
/* A document in pieces, cut anywhere; the one with `last` ends it. */
alm_status alm_bpe_trainer_feed_part(alm_bpe_trainer *t, alm_str part, bool last, alm_error *err);
alm_status alm_bpe_trainer_finish(alm_bpe_trainer *t, alm_bpe **out, alm_error *err);
void alm_bpe_trainer_free(alm_bpe_trainer *t);

/* tokenizer.ggml.* keys under a prefix ("" in a model file). Reads every byte-level vocabulary (tokenizer.ggml.model gpt2)
 * whose pre-tokenizer is one of pretoken.h: ALM_UNSUPPORTED names another one, ALM_NOT_FOUND where there is none,
 * ALM_MALFORMED what does not fit together. The vocabulary keeps nothing of g. */
alm_status alm_bpe_from_gguf(alm_bpe **out, const alm_gguf *g, const char *prefix, alm_error *err);
alm_status alm_bpe_to_gguf(const alm_bpe *b, alm_gguf_writer *w, const char *prefix, alm_error *err);
void alm_bpe_free(alm_bpe *b);

size_t alm_bpe_vocab(const alm_bpe *b);
/* Ids of the special tokens: begin of text, end of text (-1: none). */
int32_t alm_bpe_bos(const alm_bpe *b);
int32_t alm_bpe_eos(const alm_bpe *b);
/* Appends ids as uint32_t to out; `ends` (may be NULL) gets the byte offset behind each token as uint32_t, so that a token can be
 * shown in its line. Thread-safe: scratch is the caller's (alm_bpe_scratch_new), NULL allocates. */
typedef struct alm_bpe_scratch alm_bpe_scratch;
alm_status alm_bpe_scratch_new(alm_bpe_scratch **out, alm_error *err);
void alm_bpe_scratch_free(alm_bpe_scratch *s);
alm_status alm_bpe_encode(const alm_bpe *b, alm_bpe_scratch *s, alm_str text, alm_buf *ids, alm_buf *ends,
                          alm_error *err);
/* The same with control tokens recognised where their text stands: never for text that comes from others. */
alm_status alm_bpe_encode_special(const alm_bpe *b, alm_bpe_scratch *s, alm_str text, alm_buf *ids, alm_buf *ends,
                                  alm_error *err);
/* The bytes of one token; empty for special tokens and unknown ids. */
alm_str alm_bpe_piece(const alm_bpe *b, uint32_t id);
/* "<|end_of_text|>": the name of a token that is not made of bytes; empty for others and unknown ids. */
alm_str alm_bpe_special_text(const alm_bpe *b, uint32_t id);
/* The file wants begin (end) of text around each text. */
bool alm_bpe_adds_bos(const alm_bpe *b);
bool alm_bpe_adds_eos(const alm_bpe *b);
/* The name of the pre-tokenizer as GGUF has it: "qwen2" of vocabularies learned here. */
const char *alm_bpe_pre(const alm_bpe *b);

#endif
