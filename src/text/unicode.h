/* SPDX-License-Identifier: Apache-2.0
 *
 * text/unicode.h - what tokenizers ask about characters: their class, their lower case, the normal forms of a text.
 *
 * The tables are those of Unicode 16.0, built in (classes.inc, forms.inc): the ids that a text gets must not change with a
 * library that is installed. Bytes that are no UTF-8 pass through every function unchanged. */
#ifndef ALM_TEXT_UNICODE_H
#define ALM_TEXT_UNICODE_H

#include "base/buf.h"

/* By general category; SPACE is White_Space, whatever its category. */
typedef enum alm_class {
    ALM_CLASS_OTHER,    /* unassigned */
    ALM_CLASS_UPPER,    /* Lu Lt */
    ALM_CLASS_LOWER,    /* Ll */
    ALM_CLASS_LETTER,   /* Lm Lo: without case */
    ALM_CLASS_MARK,     /* Mn */
    ALM_CLASS_JOINED,   /* Mc Me */
    ALM_CLASS_NUMBER,   /* Nd Nl */
    ALM_CLASS_FRACTION, /* No */
    ALM_CLASS_SPACE,
    ALM_CLASS_PUNCT,  /* P */
    ALM_CLASS_SYMBOL, /* S */
    ALM_CLASS_CONTROL /* Cc Cf Co, unless SPACE */
} alm_class;
alm_class alm_class_of(uint32_t scalar);

/* Sets of classes. */
#define ALM_CLASS_BIT(c) (1u << (c))
enum {
    ALM_LETTERS = 1u << ALM_CLASS_UPPER | 1u << ALM_CLASS_LOWER | 1u << ALM_CLASS_LETTER,
    ALM_NUMBERS = 1u << ALM_CLASS_NUMBER | 1u << ALM_CLASS_FRACTION,
    ALM_MARKS = 1u << ALM_CLASS_MARK | 1u << ALM_CLASS_JOINED
};
static inline bool alm_class_in(alm_class c, unsigned set) { return (set >> c & 1u) != 0; }

/* Lower case as one or two scalars (U+0130 is the only one that has two); returns how many. */
size_t alm_lower(uint32_t scalar, uint32_t out[2]);

typedef enum alm_form { ALM_FORM_NFC, ALM_FORM_NFD, ALM_FORM_NFKC, ALM_FORM_NFKD } alm_form;
/* Appends the text in a normal form. Linear in its length, except that the marks behind one letter are sorted, in parts of at
 * most 64: nobody writes more, and a million of them must not take a minute. */
alm_status alm_normalize(alm_buf *out, alm_str text, alm_form form, alm_error *err);
/* True: the text certainly is in NFC already, which is so for nearly all texts; false: it may be or not. */
bool alm_is_nfc(alm_str text);

#endif
