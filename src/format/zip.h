/* SPDX-License-Identifier: Apache-2.0
 *
 * format/zip.h - the directory of a zip archive, with every statement checked twice. Specified in docs/format/zip.md.
 *
 * An archive that opens is wholly accounted for: it begins with its first entry, entries lie one behind the other without
 * overlap or gap up to the directory, the directory ends the file, what a local header says equals what the directory says,
 * names are plain relative paths and occur once, nothing is encrypted, no entry is a link. So no two readers can see
 * different files in it. A refusal names its class: "NAME: bad_zip: ...".
 *
 * Entries are mapped in place, not unpacked. */
#ifndef ALM_FORMAT_ZIP_H
#define ALM_FORMAT_ZIP_H

#include "base/error.h"
#include "base/str.h"

enum { ALM_ZIP_STORED = 0 };

typedef struct alm_zip_entry {
    alm_str name;
    uint16_t method; /* ALM_ZIP_STORED: `at` holds the content itself */
    uint16_t flags;
    uint32_t crc;            /* of the content */
    const unsigned char *at; /* n_packed bytes */
    size_t n_packed;
    uint64_t n_bytes; /* unpacked */
    size_t head;      /* where its local header begins */
} alm_zip_entry;

typedef struct alm_zip alm_zip;
/* Bytes that outlive it; `name` stands in messages. */
alm_status alm_zip_parse(alm_zip **out, const char *name, alm_str bytes, alm_error *err);
void alm_zip_free(alm_zip *z); /* NULL is fine */

size_t alm_zip_count(const alm_zip *z);
const alm_zip_entry *alm_zip_at(const alm_zip *z, size_t i);       /* in the bytewise order of their names */
const alm_zip_entry *alm_zip_find(const alm_zip *z, alm_str name); /* or NULL */
/* Does a stored entry's content have the checksum that the archive says? Reads all of it. */
alm_status alm_zip_check(const alm_zip *z, const alm_zip_entry *e, alm_error *err);

/* The first bytes of an archive. */
bool alm_zip_probe(alm_str head);

#endif
