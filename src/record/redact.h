/* SPDX-License-Identifier: Apache-2.0
 *
 * record/redact.h - personal data out of records, before anything is stored or shown.
 *
 * Each find is replaced by a stable pseudonym <class:0123456789ab>: the first 48 bits of HMAC-SHA-256 over "class NUL
 * normalised value" under a key. So the same address is the same pseudonym in every run under that key, and nobody
 * without the key can try out addresses. Normalised: e-mail in lower case; IPv6 in its 16 bytes; IBAN and phone numbers
 * without blanks and punctuation, 0049 as +49; names in lower case.
 *
 * Built-in classes: email, ip, iban (checksum mod 97 right), phone (international with + or 00, German with a leading 0
 * and grouping). They are found by hand-written scanners that look only at bytes which can start one. */
#ifndef ALM_RECORD_REDACT_H
#define ALM_RECORD_REDACT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct alm_redact alm_redact;

/* Rows: the word in --redact and in the pseudonym. */
#define ALM_REDACT_CLASSES(X) X(email) X(ip) X(iban) X(phone)
enum {
#define ALM_REDACT_AT(name) ALM_REDACT_AT_##name,
    ALM_REDACT_CLASSES(ALM_REDACT_AT)
#undef ALM_REDACT_AT
        ALM_REDACT_CLASS_COUNT
};

/* rules: NULL, "" or "all" is all built-in classes; else a comma list of classes and files. A file holds lines
 * `name<TAB>regex` (PCRE2, own class, the first capture group is replaced when there is one, else the match), or `names<TAB>FILE`
 * (a list of names, one a line, found as whole words whatever the case), or a class's name alone; blank lines and lines
 * that begin with # are skipped. A list that names only files means all built-in classes and those files' rules.
 * key: at least 16 bytes; NULL: the key file $XDG_STATE_HOME/allmende/redact.key, made (32 random bytes, mode 0600) at first use. */
alm_status alm_redact_new(alm_redact **out, const char *rules, const void *key, size_t key_bytes, alm_error *err);
void alm_redact_free(alm_redact *r);
/* Replaces out's content by text without personal data; *n_found (may be NULL) counts the replacements. When it is 0 out is empty
 * and text may be used as it is. Thread-safe: r is not changed. Text may hold any bytes. */
alm_status alm_redact_apply(const alm_redact *r, alm_buf *out, alm_str text, size_t *n_found, alm_error *err);

#endif
