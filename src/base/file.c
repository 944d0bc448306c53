/* SPDX-License-Identifier: Apache-2.0
 *
 * base/file.c - files: mapped read-only, read whole with a bound; folders listed and made.
 *
 * The writer that puts a file in place when it is whole is in write.c. A mapped file that another program cuts short
 * while it is read ends the process with SIGBUS: map only what is finished. */
#include "base/file.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 << 10)

static int open_again(const char *path, int flags) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

alm_status alm_map_open(alm_map *out, const char *path, alm_error *err) {
    alm_status st = ALM_OK;
    struct stat info;
    *out = (alm_map){0};
    int fd = open_again(path, O_RDONLY);
    if (fd < 0) return alm_fail_errno(err, errno, "%s: cannot open", path);
    if (fstat(fd, &info) != 0) {
        st = alm_fail_errno(err, errno, "%s: cannot look at it", path);
    } else if (!S_ISREG(info.st_mode)) {
        st = alm_fail(err, ALM_IO, "%s: is %s, not a regular file", path,
                      S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
    } else if ((uintmax_t)info.st_size > SIZE_MAX) {
        st = alm_fail(err, ALM_LIMIT, "%s: larger than the address space", path);
    } else if (info.st_size > 0) {
        void *base = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (base == MAP_FAILED) st = alm_fail_errno(err, errno, "%s: cannot map", path);
        else *out = (alm_map){.at = base, .n = (size_t)info.st_size, .base = base};
    }
    close(fd);
    return st;
}

void alm_map_close(alm_map *m) {
    if (m->base) munmap(m->base, m->n);
    *m = (alm_map){0};
}

static alm_status read_all(alm_buf *out, int fd, const char *path, alm_error *err) {
    for (;;) {
        size_t room = out->limit - out->n;
        char beyond; /* at the limit one byte more tells "larger" from "exactly" */
        if (room > READ_BYTES) room = READ_BYTES;
        if (out->cap > out->n + 1 && room > out->cap - out->n - 1) room = out->cap - out->n - 1;
        if (room && !alm_buf_reserve(out, room)) return alm_buf_status(out, err);
        ssize_t got = room ? read(fd, out->at + out->n, room) : read(fd, &beyond, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return alm_fail_errno(err, errno, "%s: cannot read", path);
        if (got == 0) return ALM_OK;
        if (!room) return alm_fail(err, ALM_LIMIT, "%s: larger than the limit of %zu bytes", path, out->limit);
        out->n += (size_t)got;
    }
}

alm_status alm_file_read(alm_buf *out, const char *path, alm_error *err) {
    if (out->failed != ALM_OK) return alm_buf_status(out, err);
    size_t before = out->n;
    struct stat info;
    alm_status st = ALM_OK;
    int fd = open_again(path, O_RDONLY);
    if (fd < 0) return alm_fail_errno(err, errno, "%s: cannot open", path);
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        uintmax_t size = (uintmax_t)info.st_size;
        if (size > out->limit - before) {
            st = alm_fail(err, ALM_LIMIT, "%s: has %ju bytes, the limit is %zu", path, size, out->limit);
        } else if (!alm_buf_reserve(out, (size_t)size)) {
            st = alm_buf_status(out, err);
        }
    }
    if (st == ALM_OK) st = read_all(out, fd, path, err);
    if (st != ALM_OK) out->n = before;
    close(fd);
    return st;
}

bool alm_file_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

/* One folder; one that is there already is fine. */
static alm_status make_one(const char *path, alm_error *err) {
    struct stat info;
    if (mkdir(path, 0700) == 0) return ALM_OK;
    int why = errno;
    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode)) return ALM_OK;
        why = ENOTDIR;
    }
    return alm_fail_errno(err, why, "%s: cannot make the folder", path);
}

alm_status alm_dir_make(const char *path, alm_error *err) {
    size_t n = strlen(path);
    if (n == 0) return alm_fail(err, ALM_INVALID, "a folder without a name cannot be made");
    char *part = alm_alloc(n + 1);
    if (!part) return alm_fail_memory(err);
    memcpy(part, path, n + 1);
    alm_status st = ALM_OK;
    for (size_t i = 1; i <= n && st == ALM_OK; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        char kept = part[i];
        part[i] = '\0';
        if (part[i - 1] != '/') st = make_one(part, err);
        part[i] = kept;
    }
    alm_free(part);
    return st;
}

bool alm_names_add(alm_names *names, const char *name) {
    size_t n = strlen(name) + 1;
    void *items = names->at;
    bool grown = alm_grow(&items, &names->cap, names->n + 1, sizeof *names->at);
    names->at = items;
    char *copy = grown ? alm_alloc(n) : NULL;
    if (!copy) return false;
    memcpy(copy, name, n);
    names->at[names->n++] = copy;
    return true;
}

void alm_names_free(alm_names *names) {
    for (size_t i = 0; i < names->n; i++) alm_free(names->at[i]);
    alm_free(names->at);
    *names = (alm_names){0};
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void sort(alm_names *names) {
    if (names->n > 1) qsort(names->at, names->n, sizeof *names->at, by_bytes);
}

alm_status alm_dir_list(alm_names *out, const char *path, alm_error *err) {
    *out = (alm_names){0};
    DIR *dir = opendir(path);
    if (!dir) return alm_fail_errno(err, errno, "%s: cannot open the folder", path);
    alm_status st = ALM_OK;
    while (st == ALM_OK) {
        errno = 0;
        const struct dirent *entry = readdir(dir); /* safe: no other thread has this DIR */
        if (!entry) {
            if (errno) st = alm_fail_errno(err, errno, "%s: cannot read the folder", path);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (!alm_names_add(out, entry->d_name)) st = alm_fail_memory(err);
    }
    closedir(dir);
    if (st == ALM_OK) sort(out);
    else alm_names_free(out);
    return st;
}

alm_status alm_glob(alm_names *out, const char *pattern, alm_error *err) {
    glob_t found = {0};
    *out = (alm_names){0};
    alm_status st = ALM_OK;
    /* glob's own order is the locale's. */
    int result = glob(pattern, GLOB_NOSORT, NULL, &found);
    if (result == GLOB_NOSPACE) st = alm_fail_memory(err);
    else if (result != 0 && result != GLOB_NOMATCH)
        st = alm_fail(err, ALM_IO, "%s: cannot look for matching files", pattern);
    for (size_t i = 0; result == 0 && i < found.gl_pathc && st == ALM_OK; i++) {
        if (!alm_names_add(out, found.gl_pathv[i])) st = alm_fail_memory(err);
    }
    globfree(&found);
    if (st == ALM_OK) sort(out);
    else alm_names_free(out);
    return st;
}
