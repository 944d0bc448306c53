/* SPDX-License-Identifier: Apache-2.0
 *
 * lang.c - finds the translations without being told where the program was put.
 *
 * A program that is tried from its build directory, or unpacked somewhere under a home directory, should speak the
 * user's language as the installed one does. So the catalogue is sought relative to the program itself first. */
#include "cli/lang.h"
#include "base/path.h"
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "allmende"

/* Holds the name of one catalogue; any language would do, German is the one that is always complete. */
static bool has_catalogue(const char *dir) {
    char path[4096 + 64];
    size_t n = strlen(dir);
    static const char tail[] = "/de/LC_MESSAGES/" DOMAIN ".mo";
    if (n + sizeof tail > sizeof path) return false;
    memcpy(path, dir, n);
    memcpy(path + n, tail, sizeof tail);
    return access(path, R_OK) == 0;
}

/* DIR of the program, then what lies beside it: PREFIX/bin/alm has PREFIX/share/locale, BUILD/src/cli/alm has BUILD/po. */
static bool beside_program(char *out, size_t out_bytes) {
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (n <= 0) return false;
    exe[n] = '\0';
    char *slash = strrchr(exe, '/');
    if (!slash) return false;
    *slash = '\0';
    static const char *const tails[] = {"/../share/locale", "/../../po"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        if (strlen(exe) + strlen(tails[i]) + 1 > out_bytes) return false;
        memcpy(out, exe, strlen(exe) + 1);
        memcpy(out + strlen(exe), tails[i], strlen(tails[i]) + 1);
        if (has_catalogue(out)) return true;
    }
    return false;
}

void alm_lang_start(void) {
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    char beside[4096];
    const char *dir = getenv("ALM_LOCALE_DIR");
    if (!dir || !*dir) dir = beside_program(beside, sizeof beside) ? beside : ALM_LOCALE_DIR;
    bindtextdomain(DOMAIN, dir);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    textdomain(DOMAIN);
}

bool alm_lang_utf8(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }

const char *alm_lang_translate(const char *english) { return gettext(english); }
