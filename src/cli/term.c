/* SPDX-License-Identifier: Apache-2.0
 *
 * term.c - asks the terminal and the environment once, so that everything that draws agrees. */
#include "cli/term.h"
#include "cli/lang.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MIN_WIDTH = 40, MAX_WIDTH = 1000 };

static size_t width_of(int fd, bool is_terminal, size_t fallback) {
    struct winsize size;
    if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char *columns = getenv("COLUMNS");
    if (columns) {
        char *end;
        unsigned long n = strtoul(columns, &end, 10);
        if (end != columns && !*end && n > 0) return n;
    }
    return fallback;
}

alm_term alm_term_of(int fd, alm_color_mode mode, size_t fallback_width) {
    alm_term t = {.is_terminal = isatty(fd) == 1, .utf8 = alm_lang_utf8()};
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool can = t.is_terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
    t.color = mode == ALM_COLOR_ALWAYS || (mode == ALM_COLOR_AUTO && can);
    size_t width = width_of(fd, t.is_terminal, fallback_width);
    t.width = width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : width;
    return t;
}

const char *alm_style_on(const alm_term *t, alm_style style) {
    static const char *const on[ALM_STYLE_COUNT] = {
        [ALM_PLAIN] = "",          [ALM_BOLD] = "\033[1m",   [ALM_DIM] = "\033[2m",   [ALM_GOOD] = "\033[32m",
        [ALM_WARN] = "\033[1;33m", [ALM_BAD] = "\033[1;31m", [ALM_SLOT] = "\033[36m",
    };
    return t->color ? on[style] : "";
}

const char *alm_style_off(const alm_term *t, alm_style style) {
    return t->color && style != ALM_PLAIN ? "\033[0m" : "";
}
