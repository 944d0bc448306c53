/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/lang.h - the program speaks the user's language: marks of texts to translate, and where the translations lie.
 *
 * Only LC_CTYPE and LC_MESSAGES follow the environment, so numbers keep their point everywhere. */
#ifndef ALM_CLI_LANG_H
#define ALM_CLI_LANG_H

#include <libintl.h>
#include <stdbool.h>

#define _(text)          gettext(text)
#define N_(text)         text                         /* in a static table: translated where it is printed */
#define P_(one, many, n) ngettext((one), (many), (n)) /* n is an unsigned long */

/* Sets the two categories and the text domain. Translations are sought in $ALM_LOCALE_DIR, then beside the program (where
 * it is installed, or in its build directory), then where the build was told to install them. Called once, first of all. */
void alm_lang_start(void);
/* gettext as a function: the library says its sentences through it. */
const char *alm_lang_translate(const char *english);
/* The character set of the locale is UTF-8, so that lines, sparks and ellipses may be drawn. */
bool alm_lang_utf8(void);

#endif
