/* SPDX-License-Identifier: Apache-2.0
 *
 * text/pretoken.h - cuts a text into the words inside which BPE merges. A merge never crosses the end of a word.
 *
 * The rules are those that GGUF files name in `tokenizer.ggml.pre`; other programs apply the same ones:
 *
 *   gpt-2      '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *   llama-bpe  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *   qwen2      the same with \p{N} for \p{N}{1,3}: every digit is a word of its own
 *
 * Vocabularies that are learned here use qwen2, since records are full of numbers: a value costs one token a digit, so its
 * surprise is the sum over its digits and does not hang on which groups of digits the vocabulary happens to know; 1234 is
 * not cut as 123 4 while 234 is 234; and the table of words does not fill up with numbers.
 *
 * \p{L}, \p{N}: Unicode 16.0 (classes.inc), \s: White_Space. A byte that is no UTF-8 is a character of neither class. */
#ifndef ALM_TEXT_PRETOKEN_H
#define ALM_TEXT_PRETOKEN_H

#include "base/str.h"

typedef enum alm_pretoken { ALM_PRETOKEN_GPT2, ALM_PRETOKEN_LLAMA3, ALM_PRETOKEN_QWEN2 } alm_pretoken;

/* Bytes of the first word of s, 1..s.n; s.n >= 1. Words lie one behind the other and cover the text. */
size_t alm_pretoken_next(alm_pretoken rule, alm_str s);

/* The class of a scalar value. */
typedef enum alm_pretoken_class {
    ALM_CLASS_OTHER,
    ALM_CLASS_LETTER,
    ALM_CLASS_NUMBER,
    ALM_CLASS_SPACE
} alm_pretoken_class;
alm_pretoken_class alm_pretoken_class_of(uint32_t scalar);

#endif
