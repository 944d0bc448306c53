/* SPDX-License-Identifier: Apache-2.0
 *
 * zip.c - reads the directory of a zip archive (docs/format/zip.md).
 *
 *     entry: local header | name | extra | content | [descriptor]      once an entry, from byte 0 on
 *     directory: one record an entry                                   says the same again
 *     [zip64 end | zip64 locator]  end                                 where the directory is
 *
 * Readers that believe the directory and readers that believe the local headers, or that look for a pickle in front, see
 * different archives where the two disagree; that is how hostile checkpoints hide. So they may not disagree anywhere, and
 * every byte of the file belongs to something.
 *
 * Invariant after a successful parse: entries are sorted by name; each one's content lies in the file and belongs to it
 * alone. */
#include "format/zip.h"

#include "base/alloc.h"
#include "base/sort.h"

#include <zlib.h>

struct alm_zip {
    alm_str bytes;
    const char *name;
    alm_zip_entry *entry;
    size_t n_entry, cap;
};

enum {
    LOCAL = 0x04034B50,
    RECORD = 0x02014B50,
    END = 0x06054B50,
    END64 = 0x06064B50,
    LOCATOR64 = 0x07064B50,
    DESCRIPTOR = 0x08074B50,
    LOCAL_BYTES = 30,
    RECORD_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    MAX_COMMENT = 65535,
    MAX_NAME = 4096,
    FLAG_ENCRYPTED = 1 | 1 << 6 | 1 << 13,
    FLAG_DESCRIPTOR = 1 << 3,
    EXTRA_ZIP64 = 1
};
/* An archive that unpacks to more than so many times its size, beyond this many bytes, is a bomb. */
enum { MAX_RATIO = 64, RATIO_FREE = 16 << 20 };

#define SAY(class, ...) alm_fail(err, ALM_MALFORMED, "%s: " class ": " __VA_ARGS__)

static uint64_t le(alm_str s, size_t at, size_t width) {
    uint64_t x = 0;
    for (size_t i = width; i-- > 0;) x = x << 8 | (unsigned char)s.at[at + i];
    return x;
}
static uint16_t le16(alm_str s, size_t at) { return (uint16_t)le(s, at, 2); }
static uint32_t le32(alm_str s, size_t at) { return (uint32_t)le(s, at, 4); }

static int by_name(const void *a, const void *b) {
    const alm_zip_entry *x = a, *y = b;
    return alm_str_cmp(x->name, y->name);
}

static int by_place(const void *a, const void *b) {
    const alm_zip_entry *x = a, *y = b;
    return (x->head > y->head) - (x->head < y->head);
}

/* -- where the directory is --------------------------------------------------------------------------------------------------- */

typedef struct directory {
    uint64_t n, at, n_bytes;
    size_t end; /* what lies behind it begins here */
} directory;

static alm_status find_end(const alm_zip *z, size_t *out, alm_error *err) {
    alm_str b = z->bytes;
    if (b.n < END_BYTES) return SAY("truncated", "%zu bytes are no archive", z->name, b.n);
    for (size_t back = END_BYTES; back <= b.n && back <= END_BYTES + MAX_COMMENT; back++) {
        size_t at = b.n - back;
        if (b.at[at] != 'P' || le32(b, at) != END) continue;
        if (back > END_BYTES)
            return SAY("bad_zip", "%zu bytes lie behind the archive's end", z->name, back - END_BYTES);
        return *out = at, ALM_OK;
    }
    SAY("truncated", "the archive has no directory at its end", z->name);
    return alm_hint(err, "the copy is incomplete: fetch or write the file again"), ALM_MALFORMED;
}

/* The larger numbers of zip64, where the small fields have no room. */
static alm_status read_end64(const alm_zip *z, size_t end, directory *d, bool wanted, alm_error *err) {
    alm_str b = z->bytes;
    if (end < LOCATOR64_BYTES || le32(b, end - LOCATOR64_BYTES) != LOCATOR64) {
        if (wanted) return SAY("bad_zip", "zip64 numbers are announced and not there", z->name);
        return ALM_OK;
    }
    size_t locator = end - LOCATOR64_BYTES;
    uint64_t at = le(b, locator + 8, 8);
    if (le32(b, locator + 4) != 0 || le32(b, locator + 16) > 1)
        return SAY("bad_zip", "the archive says that it lies on several disks", z->name);
    if (at > locator || locator - at != END64_BYTES || le32(b, (size_t)at) != END64 ||
        le(b, (size_t)at + 4, 8) != END64_BYTES - 12)
        return SAY("bad_zip", "the zip64 end of the directory is not where it should be", z->name);
    uint64_t n = le(b, (size_t)at + 32, 8), n_bytes = le(b, (size_t)at + 40, 8), from = le(b, (size_t)at + 48, 8);
    if (le32(b, (size_t)at + 16) || le32(b, (size_t)at + 20) || le(b, (size_t)at + 24, 8) != n)
        return SAY("bad_zip", "the archive says that it lies on several disks", z->name);
    if ((d->n != UINT16_MAX && d->n != n) || (d->n_bytes != UINT32_MAX && d->n_bytes != n_bytes) ||
        (d->at != UINT32_MAX && d->at != from))
        return SAY("bad_zip", "the two ends of the directory say different things", z->name);
    *d = (directory){n, from, n_bytes, (size_t)at};
    return ALM_OK;
}

static alm_status read_end(const alm_zip *z, directory *d, alm_error *err) {
    alm_str b = z->bytes;
    size_t end = 0;
    alm_status st = find_end(z, &end, err);
    if (st != ALM_OK) return st;
    if (le16(b, end + 20) != 0) return SAY("bad_zip", "a comment that lies beyond the file", z->name);
    if (le16(b, end + 4) || le16(b, end + 6) || le16(b, end + 8) != le16(b, end + 10))
        return SAY("bad_zip", "the archive says that it lies on several disks", z->name);
    *d = (directory){le16(b, end + 10), le32(b, end + 16), le32(b, end + 12), end};
    bool wanted = d->n == UINT16_MAX || d->n_bytes == UINT32_MAX || d->at == UINT32_MAX;
    if ((st = read_end64(z, end, d, wanted, err)) != ALM_OK) return st;
    if (d->at > d->end || d->end - d->at != d->n_bytes)
        return SAY("bad_zip", "the directory is said to be %llu bytes at byte %llu, and ends at byte %zu", z->name,
                   (unsigned long long)d->n_bytes, (unsigned long long)d->at, d->end);
    if (d->n > d->n_bytes / RECORD_BYTES)
        return SAY("bad_count", "%llu entries in a directory of %llu bytes", z->name, (unsigned long long)d->n,
                   (unsigned long long)d->n_bytes);
    return ALM_OK;
}

/* -- one entry ------------------------------------------------------------------------------------------------------------------- */

/* Fields of zip64 in the order of the standard; each stands there only where its small field is full. */
static bool take_zip64(alm_str extra, uint64_t *const field[], size_t n) {
    while (extra.n >= 4) {
        size_t id = le16(extra, 0), n_bytes = le16(extra, 2);
        if (n_bytes > extra.n - 4) return false;
        if (id == EXTRA_ZIP64) {
            size_t at = 4;
            for (size_t i = 0; i < n; i++, at += 8) {
                if (at + 8 > 4 + n_bytes) return false;
                *field[i] = le(extra, at, 8);
            }
            return true;
        }
        extra = alm_str_slice(extra, 4 + n_bytes, extra.n);
    }
    return n == 0;
}

/* Relative, without "..": as on this machine, so on any other. */
static bool is_safe_path(alm_str name) {
    if (name.n == 0 || name.at[0] == '/' || memchr(name.at, '\\', name.n) || memchr(name.at, 0, name.n)) return false;
    if (name.n > 1 && name.at[1] == ':') return false;
    alm_str rest = name, part;
    while (alm_str_split(&rest, '/', &part))
        if (alm_str_eq(part, ALM_STR("..")) || alm_str_eq(part, ALM_STR("."))) return false;
    return true;
}

static alm_status check_name(const alm_zip *z, alm_str name, uint32_t attributes, alm_error *err) {
    if (name.n > MAX_NAME) return SAY("bad_length", "a name of %zu bytes", z->name, name.n);
    if (!is_safe_path(name))
        return SAY("path_escape", "the entry %.*s leads out of the archive", z->name, ALM_ARG(name));
    if ((attributes >> 16 & 0170000) == 0120000)
        return SAY("path_escape", "the entry %.*s is a symbolic link", z->name, ALM_ARG(name));
    return ALM_OK;
}

typedef struct sizes {
    uint64_t packed, bytes;
} sizes;

/* The local header repeats what the directory says; where a descriptor follows, its numbers may be left empty. */
static alm_status check_local(const alm_zip *z, alm_zip_entry *e, sizes s, const directory *d, alm_error *err) {
    alm_str b = z->bytes;
    if (e->head > d->at || d->at - e->head < LOCAL_BYTES || le32(b, e->head) != LOCAL)
        return SAY("bad_zip", "%.*s: no entry begins at byte %zu", z->name, ALM_ARG(e->name), e->head);
    size_t n_name = le16(b, e->head + 26), n_extra = le16(b, e->head + 28),
           begin = e->head + LOCAL_BYTES + n_name + n_extra;
    if (begin > d->at) return SAY("bad_zip", "%.*s runs into the directory", z->name, ALM_ARG(e->name));
    if (!alm_str_eq(e->name, alm_str_slice(b, e->head + LOCAL_BYTES, e->head + LOCAL_BYTES + n_name)))
        return SAY("bad_zip", "%.*s has another name in its own header", z->name, ALM_ARG(e->name));
    if (le16(b, e->head + 6) != e->flags || le16(b, e->head + 8) != e->method)
        return SAY("bad_zip", "%.*s: its header and the directory differ in how it is packed", z->name,
                   ALM_ARG(e->name));
    uint32_t crc = le32(b, e->head + 14);
    uint64_t packed = le32(b, e->head + 18), bytes = le32(b, e->head + 22);
    uint64_t *field[2];
    size_t n = 0;
    if (bytes == UINT32_MAX) field[n++] = &bytes;
    if (packed == UINT32_MAX) field[n++] = &packed;
    if (!take_zip64(alm_str_slice(b, begin - n_extra, begin), field, n))
        return SAY("bad_zip", "%.*s: broken extra fields", z->name, ALM_ARG(e->name));
    bool later = (e->flags & FLAG_DESCRIPTOR) != 0;
    if (!(later && crc == 0 && packed == 0 && bytes == 0) && (crc != e->crc || packed != s.packed || bytes != s.bytes))
        return SAY("bad_zip", "%.*s: its header and the directory differ in size or checksum", z->name,
                   ALM_ARG(e->name));
    if (s.packed > d->at - begin)
        return SAY("bad_zip", "%.*s runs into the directory: %llu bytes from byte %zu on", z->name, ALM_ARG(e->name),
                   (unsigned long long)s.packed, begin);
    e->at = (const unsigned char *)b.at + begin;
    e->n_packed = (size_t)s.packed;
    e->n_bytes = s.bytes;
    return ALM_OK;
}

/* The record at *at of the directory, and the entry that it names. */
static alm_status take_entry(const alm_zip *z, alm_zip_entry *e, const directory *d, size_t *at, alm_error *err) {
    alm_str b = z->bytes;
    if (d->end - *at < RECORD_BYTES || le32(b, *at) != RECORD)
        return SAY("bad_zip", "the directory breaks off at byte %zu", z->name, *at);
    size_t n_name = le16(b, *at + 28), n_extra = le16(b, *at + 30), n_comment = le16(b, *at + 32);
    if (d->end - *at - RECORD_BYTES < n_name + n_extra + n_comment)
        return SAY("bad_zip", "the directory breaks off at byte %zu", z->name, *at);
    size_t name = *at + RECORD_BYTES, extra = name + n_name;
    uint64_t head = le32(b, *at + 42);
    sizes s = {le32(b, *at + 20), le32(b, *at + 24)};
    *e = (alm_zip_entry){.name = alm_str_slice(b, name, extra),
                         .flags = le16(b, *at + 8),
                         .method = le16(b, *at + 10),
                         .crc = le32(b, *at + 16)};
    uint64_t *field[3];
    size_t n = 0;
    if (s.bytes == UINT32_MAX) field[n++] = &s.bytes;
    if (s.packed == UINT32_MAX) field[n++] = &s.packed;
    if (head == UINT32_MAX) field[n++] = &head;
    alm_status st = check_name(z, e->name, le32(b, *at + 38), err);
    if (st != ALM_OK) return st;
    if (!take_zip64(alm_str_slice(b, extra, extra + n_extra), field, n))
        return SAY("bad_zip", "%.*s: broken extra fields", z->name, ALM_ARG(e->name));
    if (e->flags & FLAG_ENCRYPTED) return SAY("bad_zip", "%.*s is encrypted", z->name, ALM_ARG(e->name));
    if (le16(b, *at + 34) != 0 || head > d->at)
        return SAY("bad_zip", "%.*s lies outside the file", z->name, ALM_ARG(e->name));
    if (e->method == ALM_ZIP_STORED && s.packed != s.bytes)
        return SAY("bad_zip", "%.*s is stored, yet packed and unpacked size differ", z->name, ALM_ARG(e->name));
    e->head = (size_t)head;
    *at = extra + n_extra + n_comment;
    return check_local(z, e, s, d, err);
}

/* -- the whole ------------------------------------------------------------------------------------------------------------------- */

/* Behind the content: checksum and sizes once more, with or without a signature, in 32 or 64 bits. */
static bool is_descriptor(alm_str s, const alm_zip_entry *e) {
    size_t at = s.n == 16 || s.n == 24 ? 4 : 0, width = s.n - at == 12 ? 4 : 8;
    if (s.n - at != 4 + 2 * width || (at && le32(s, 0) != DESCRIPTOR)) return false;
    return le32(s, at) == e->crc && le(s, at + 4, width) == e->n_packed && le(s, at + 4 + width, width) == e->n_bytes;
}

/* From byte 0 to the directory, each begins where the one before ended. */
static alm_status check_places(alm_zip *z, const directory *d, alm_error *err) {
    size_t end = 0;
    alm_sort(z->entry, z->n_entry, sizeof *z->entry, by_place);
    for (size_t i = 0; i <= z->n_entry; i++) {
        const alm_zip_entry *before = i ? &z->entry[i - 1] : NULL;
        size_t begin = i < z->n_entry ? z->entry[i].head : (size_t)d->at;
        if (begin < end) return SAY("bad_zip", "%.*s overlaps another entry", z->name, ALM_ARG(z->entry[i].name));
        alm_str gap = alm_str_slice(z->bytes, end, begin);
        bool later = before && before->flags & FLAG_DESCRIPTOR;
        if (later ? !is_descriptor(gap, before) : gap.n != 0)
            return SAY("bad_zip", "%zu bytes from byte %zu on belong to no entry", z->name, gap.n, end);
        if (i < z->n_entry) end = (size_t)(z->entry[i].at - (const unsigned char *)z->bytes.at) + z->entry[i].n_packed;
    }
    return ALM_OK;
}

static alm_status check_sum(const alm_zip *z, alm_error *err) {
    uint64_t sum = 0;
    for (size_t i = 0; i < z->n_entry; i++)
        if (__builtin_add_overflow(sum, z->entry[i].n_bytes, &sum)) sum = UINT64_MAX;
    if (sum <= RATIO_FREE || sum / MAX_RATIO <= z->bytes.n) return ALM_OK;
    return alm_fail(err, ALM_LIMIT, "%s: too_large: it unpacks to %llu bytes, more than %d times its size", z->name,
                    (unsigned long long)sum, MAX_RATIO);
}

static alm_status read_all(alm_zip *z, alm_error *err) {
    directory d = {0};
    alm_status st = read_end(z, &d, err);
    if (st != ALM_OK) return st;
    size_t at = (size_t)d.at;
    if (!alm_grow((void **)&z->entry, &z->cap, (size_t)d.n, sizeof *z->entry)) return alm_fail_memory(err);
    for (uint64_t i = 0; i < d.n; i++) {
        if ((st = take_entry(z, &z->entry[z->n_entry], &d, &at, err)) != ALM_OK) return st;
        z->n_entry++;
    }
    if (at != d.end) return SAY("bad_zip", "%zu bytes of the directory belong to no entry", z->name, d.end - at);
    alm_sort(z->entry, z->n_entry, sizeof *z->entry, by_name);
    for (size_t i = 1; i < z->n_entry; i++)
        if (by_name(&z->entry[i - 1], &z->entry[i]) == 0)
            return SAY("duplicate", "%.*s occurs twice", z->name, ALM_ARG(z->entry[i].name));
    if ((st = check_sum(z, err)) != ALM_OK) return st;
    if ((st = check_places(z, &d, err)) != ALM_OK) return st;
    alm_sort(z->entry, z->n_entry, sizeof *z->entry, by_name);
    return ALM_OK;
}

alm_status alm_zip_parse(alm_zip **out, const char *name, alm_str bytes, alm_error *err) {
    alm_zip *z = alm_calloc(1, sizeof *z);
    if (!z) return alm_fail_memory(err);
    z->name = name;
    z->bytes = bytes;
    alm_status st = read_all(z, err);
    if (st == ALM_OK) *out = z, z = NULL;
    alm_zip_free(z);
    return st;
}

void alm_zip_free(alm_zip *z) {
    if (z) alm_free(z->entry);
    alm_free(z);
}

size_t alm_zip_count(const alm_zip *z) { return z->n_entry; }
const alm_zip_entry *alm_zip_at(const alm_zip *z, size_t i) { return &z->entry[i]; }

const alm_zip_entry *alm_zip_find(const alm_zip *z, alm_str name) {
    for (size_t from = 0, to = z->n_entry; from < to;) {
        size_t mid = from + (to - from) / 2;
        int order = alm_str_cmp(z->entry[mid].name, name);
        if (order == 0) return &z->entry[mid];
        if (order < 0) from = mid + 1;
        else to = mid;
    }
    return NULL;
}

alm_status alm_zip_check(const alm_zip *z, const alm_zip_entry *e, alm_error *err) {
    if (e->method != ALM_ZIP_STORED)
        return alm_fail(err, ALM_UNSUPPORTED, "%s: unsupported: %.*s is compressed", z->name, ALM_ARG(e->name));
    if (crc32_z(crc32_z(0, NULL, 0), e->at, e->n_packed) != e->crc)
        return SAY("bad_zip", "%.*s does not have its checksum", z->name, ALM_ARG(e->name));
    return ALM_OK;
}

bool alm_zip_probe(alm_str head) { return head.n >= 4 && memcmp(head.at, "PK\3\4", 4) == 0; }
