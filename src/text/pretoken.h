/* SPDX-License-Identifier: Apache-2.0
 *
 * text/pretoken.h - cuts a text into the words inside which BPE merges. A merge never crosses the end of a word.
 *
 * The rules that most vocabularies use are written out here; GGUF files name them in `tokenizer.ggml.pre` (pretokens.def lists the
 * names), tokenizer.json has the regex itself. Other regexes run through PCRE2 (pretoken_regex.h).
 *
 *   gpt-2      '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *   llama-bpe  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *   qwen2      the same with \p{N} for \p{N}{1,3}: every digit is a word of its own
 *   cl100k     llama-bpe, but blanks at the end of the text are one word, whatever line ends are among them
 *   o200k      letters with their marks, cut where a capital follows a small one; then what follows an apostrophe; \p{N}{1,3}; a
 *              run of others takes slashes and line ends behind it
 *   tekken     o200k without the apostrophes and with \p{N}
 *
 * Vocabularies that are learned here use qwen2, since records are full of numbers: a value costs one token a digit, so its
 * surprise is the sum over its digits and does not hang on which groups of digits the vocabulary happens to know; 1234 is
 * not cut as 123 4 while 234 is 234; and the table of words does not fill up with numbers.
 *
 * \p{L}, \p{N}: unicode.h, \s: White_Space. A byte that is no UTF-8 is a character of neither class. */
#ifndef ALM_TEXT_PRETOKEN_H
#define ALM_TEXT_PRETOKEN_H

#include "base/str.h"

typedef enum alm_pretoken {
    ALM_PRETOKEN_GPT2,
    ALM_PRETOKEN_LLAMA3,
    ALM_PRETOKEN_QWEN2,
    ALM_PRETOKEN_CL100K,
    ALM_PRETOKEN_O200K,
    ALM_PRETOKEN_TEKKEN,
    ALM_PRETOKEN_REGEX /* none of these */
} alm_pretoken;

/* Bytes of the first word of s, 1..s.n; s.n >= 1; not for ALM_PRETOKEN_REGEX. Words lie one behind the other and cover the text. */
size_t alm_pretoken_next(alm_pretoken rule, alm_str s);

/* The rule that is written out here and cuts as this regex does, ALM_PRETOKEN_REGEX when none does. */
alm_pretoken alm_pretoken_of_regex(alm_str regex);

/* What a name in tokenizer.ggml.pre stands for: a rule, or regexes that cut one after the other, up to a NULL. */
typedef struct alm_pretoken_name {
    const char *name;
    alm_pretoken rule;
    bool whole_words; /* a word that is a token is that token, whatever the merges say */
    bool add_bos;     /* unless the file says otherwise */
    const char *regex[4];
} alm_pretoken_name;
const alm_pretoken_name *alm_pretoken_find(alm_str name); /* NULL: unknown */

#endif
