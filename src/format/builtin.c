/* SPDX-License-Identifier: Apache-2.0
 *
 * builtin.c - the bytes of the built-in model (builtin.h).
 *
 * The assembler takes the file as it is: no table of numbers that would have to be written and read by a compiler. Both names
 * are hidden, so only this file reaches them. */
#include "format/builtin.h"

__asm__(".pushsection .rodata\n"
        ".balign 64\n"
        ".globl alm_builtin_first\n"
        ".hidden alm_builtin_first\n"
        "alm_builtin_first:\n"
        ".incbin \"" ALM_BUILTIN_FILE "\"\n"
        ".globl alm_builtin_behind\n"
        ".hidden alm_builtin_behind\n"
        "alm_builtin_behind:\n"
        ".byte 0\n"
        ".popsection\n");
extern const char alm_builtin_first[], alm_builtin_behind[];

bool alm_builtin_is(const char *path) { return strcmp(path, ALM_BUILTIN) == 0; }

alm_str alm_builtin_bytes(void) {
    uintptr_t first = (uintptr_t)alm_builtin_first, behind = (uintptr_t)alm_builtin_behind;
    return alm_str_make(alm_builtin_first, (size_t)(behind - first));
}

const char *alm_builtin_sha256(void) { return ALM_BUILTIN_SHA256; }
