/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/term.h - what a stream can show: is it a terminal, how wide, may colours and drawing characters be used. */
#ifndef ALM_CLI_TERM_H
#define ALM_CLI_TERM_H

#include <stdbool.h>
#include <stddef.h>

typedef enum alm_color_mode { ALM_COLOR_AUTO, ALM_COLOR_ALWAYS, ALM_COLOR_NEVER } alm_color_mode;

typedef struct alm_term {
    bool is_terminal;
    bool color;
    bool utf8;    /* the locale's character set is UTF-8 */
    size_t width; /* columns, at least 40 */
} alm_term;

/* --color decides; with auto: only on a terminal, not when NO_COLOR is set to anything, not when TERM is dumb.
 * The width is the terminal's, or $COLUMNS, or `fallback_width` where neither is known. */
alm_term alm_term_of(int fd, alm_color_mode mode, size_t fallback_width);

/* Looks, not colours: what they mean stays when a user's palette changes. "" when colour is off. */
typedef enum alm_style {
    ALM_PLAIN,
    ALM_BOLD,
    ALM_DIM,
    ALM_GOOD,
    ALM_WARN,
    ALM_BAD,
    ALM_SLOT,
    ALM_STYLE_COUNT
} alm_style;
const char *alm_style_on(const alm_term *t, alm_style style);
const char *alm_style_off(const alm_term *t, alm_style style);

#endif
