/* SPDX-License-Identifier: Apache-2.0
 *
 * text/tokenizer.h - the tokenizer of a model: text becomes ids, ids become text, whatever kind it is and whichever file it came from.
 *
 * Kinds (tokenizers.def): byte-level BPE, BPE over characters (SentencePiece, Gemma), unigram, WordPiece. Files: GGUF,
 * tokenizer.json of Hugging Face, tokenizer.model of SentencePiece, rank files of tiktoken. Specified in docs/format/tokenizer.md.
 *
 * A tokenizer does not change once it is read; any number of threads may use it, each with its own scratch. */
#ifndef ALM_TEXT_TOKENIZER_H
#define ALM_TEXT_TOKENIZER_H

#include "base/buf.h"
#include "base/error.h"
#include "format/gguf.h"

typedef struct alm_bpe alm_bpe;
typedef struct alm_tokenizer alm_tokenizer;
typedef struct alm_tokenizer_scratch alm_tokenizer_scratch;

/* Which tokens are recognised by their names in a text; those of type ALM_TOKEN_USER always are. */
typedef enum alm_specials {
    ALM_SPECIALS_NONE, /* text that comes from others: the name of a control token is text */
    ALM_SPECIALS_OWN, /* as the library that the file was made for does it: added tokens are recognised; SentencePiece itself
                        * never finds a control token in a text */
    ALM_SPECIALS_ALL /* a prompt that a chat template made: control tokens of every kind of file */
} alm_specials;

/* By their numbers in GGUF and in tokenizer.model. */
typedef enum alm_token_type {
    ALM_TOKEN_NORMAL = 1,
    ALM_TOKEN_UNKNOWN = 2,
    ALM_TOKEN_CONTROL = 3,
    ALM_TOKEN_USER = 4,
    ALM_TOKEN_UNUSED = 5,
    ALM_TOKEN_BYTE = 6
} alm_token_type;

/* -- reading ---------------------------------------------------------------------------------------------------------- */

/* tokenizer.ggml.* keys under a prefix ("" in a model file). ALM_NOT_FOUND where there is none, ALM_UNSUPPORTED names what is
 * not supported, ALM_MALFORMED what does not fit together. Nothing of g is kept. */
alm_status alm_tokenizer_from_gguf(alm_tokenizer **out, const alm_gguf *g, const char *prefix, alm_error *err);
/* A tokenizer.json; `text` is changed. */
alm_status alm_tokenizer_from_json(alm_tokenizer **out, char *text, size_t n, alm_error *err);
/* A tokenizer.model (protobuf of SentencePiece). */
alm_status alm_tokenizer_from_sentencepiece(alm_tokenizer **out, alm_str bytes, alm_error *err);
/* A rank file of tiktoken: base64 of the bytes, a blank, the rank. What the file does not hold (the rule that cuts words, the special
 * tokens) is known for the published ones by their number of ranks; others are cut by the rule of cl100k. */
alm_status alm_tokenizer_from_tiktoken(alm_tokenizer **out, alm_str text, alm_error *err);
/* One of the last three, by what it begins with; `text` is changed. `name` stands in messages. */
alm_status alm_tokenizer_from_bytes(alm_tokenizer **out, const char *name, char *text, size_t n, alm_error *err);
/* A vocabulary that was learned here; the tokenizer owns it from now on, also when this fails. */
alm_status alm_tokenizer_from_bpe(alm_tokenizer **out, alm_bpe *b, alm_error *err);
/* A file of any kind, plain or packed (gzip, zstd), or a folder with tokenizer.json or tokenizer.model. In a GGUF file the keys may
 * have a prefix, as in what `alm learn` writes. */
alm_status alm_tokenizer_open(alm_tokenizer **out, const char *path, const alm_cancel *cancel, alm_error *err);
void alm_tokenizer_free(alm_tokenizer *t); /* NULL is fine */

/* -- looking at it ---------------------------------------------------------------------------------------------------- */

const char *alm_tokenizer_kind(const alm_tokenizer *t); /* "bytes", "chars", "unigram", "wordpiece" */
size_t alm_tokenizer_vocab(const alm_tokenizer *t);
/* -1: there is none. */
int32_t alm_tokenizer_bos(const alm_tokenizer *t);
int32_t alm_tokenizer_eos(const alm_tokenizer *t);
int32_t alm_tokenizer_unknown(const alm_tokenizer *t);
/* What the model wants before and behind each text (BOS; CLS and SEP); *n ids. */
const uint32_t *alm_tokenizer_before(const alm_tokenizer *t, size_t *n);
const uint32_t *alm_tokenizer_behind(const alm_tokenizer *t, size_t *n);
alm_token_type alm_tokenizer_type(const alm_tokenizer *t, uint32_t id); /* ALM_TOKEN_UNUSED beyond the vocabulary */
/* The token as its file writes it, except that byte-level tokens are bytes. Empty for an unknown id. */
alm_str alm_tokenizer_name(const alm_tokenizer *t, uint32_t id);
/* The id of a token with exactly this name; -1: there is none. */
int32_t alm_tokenizer_find(const alm_tokenizer *t, alm_str name);

/* -- text to ids ------------------------------------------------------------------------------------------------------ */

alm_status alm_tokenizer_scratch_new(alm_tokenizer_scratch **out, const alm_tokenizer *t, alm_error *err);
void alm_tokenizer_scratch_free(alm_tokenizer_scratch *s);
/* Appends ids as uint32_t; on failure ids is as it was. s NULL allocates for the time of the call. What is put around a text
 * (before, behind) is not added. Bytes that are no UTF-8 stay what they are where the vocabulary has bytes, else they are
 * unknown. ALM_LIMIT when a foreign regex takes too many steps. */
alm_status alm_tokenizer_encode(const alm_tokenizer *t, alm_tokenizer_scratch *s, alm_str text, alm_specials specials,
                                alm_buf *ids, alm_error *err);

/* -- ids to text ------------------------------------------------------------------------------------------------------ */

/* Appends the bytes that ids stand for; control tokens by their names. ALM_INVALID for an id beyond the vocabulary. */
alm_status alm_tokenizer_decode(const alm_tokenizer *t, const uint32_t *id, size_t n, alm_buf *out, alm_error *err);
/* The same one id at a time, for text that is shown while it is made: *at_start is true before the first id of a text, the calls
 * keep it. False for an id beyond the vocabulary. */
bool alm_tokenizer_decode_one(const alm_tokenizer *t, uint32_t id, bool *at_start, alm_buf *out);

#endif
