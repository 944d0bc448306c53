/* SPDX-License-Identifier: Apache-2.0
 *
 * base/write.c - a file is written aside, then put in place: temporary file, fsync, rename, fsync of the folder.
 *
 *   begin    .NAME.XXXXXX beside the target (beside what it points to when it is a link), so that rename is one step
 *   add      64 KiB are gathered before each write
 *   commit   the rest, fsync, rename over the target, fsync of the folder
 *   abort    the temporary file goes, the old target was never touched
 *
 * A target that exists and is no regular file (a pipe, /dev/stdout) is written directly and never renamed.
 *
 * Invariant: path != NULL between a successful begin and commit or abort, and only then; the temporary file exists
 * exactly when temporary != NULL. */
#include "base/file.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING_BYTES  ((size_t)64 << 10)
#define NAME_MAX_BYTES 240 /* of the target's name; most file systems take 255 in all */

static char *copy_of(const char *text, size_t n) {
    char *copy = alm_alloc(n + 1);
    if (copy) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    return copy;
}

static size_t folder_bytes(const char *path) { /* with the slash */
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Not mkostemp: it makes mode 0600, and the umask cannot be read without changing it for other threads. */
static int open_temporary(alm_write *w, const char *target, alm_error *err) {
    static const char letter[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t folder = folder_bytes(target), name = strlen(target) - folder, at;
    if (name > NAME_MAX_BYTES) name = NAME_MAX_BYTES;
    w->temporary = alm_alloc(folder + name + 9);
    if (!w->temporary) {
        alm_fail_memory(err);
        return -1;
    }
    memcpy(w->temporary, target, folder);
    w->temporary[folder] = '.';
    memcpy(w->temporary + folder + 1, target + folder, name);
    at = folder + 1 + name;
    w->temporary[at] = '.';
    w->temporary[at + 7] = '\0';
    uint64_t salt[3] = {(uint64_t)getpid(), (uint64_t)alm_clock_steady_ns(), (uint64_t)(uintptr_t)w};
    for (uint64_t attempt = 0; attempt < 1000; attempt++) {
        uint64_t h = alm_hash64(salt, sizeof salt, attempt);
        for (size_t i = 0; i < 6; i++, h >>= 5) w->temporary[at + 1 + i] = letter[h & 31];
        int fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) return fd;
        if (errno != EEXIST && errno != EINTR) break;
    }
    alm_fail_errno(err, errno, "%.*s: cannot make a file in this folder", folder ? (int)folder : 1,
                   folder ? target : ".");
    if (errno == ENOENT) alm_hint(err, "make the folder first");
    alm_free(w->temporary);
    w->temporary = NULL;
    return -1;
}

alm_status alm_write_begin(alm_write *w, const char *path, alm_error *err) {
    alm_status st = ALM_OK;
    struct stat info;
    char real[PATH_MAX];
    *w = (alm_write){.fd = -1, .pending = alm_buf_with_limit(PENDING_BYTES)};
    alm_error why = {0};
    bool there = stat(path, &info) == 0;
    if (there && S_ISDIR(info.st_mode)) return alm_fail(err, ALM_IO, "%s: is a folder, not a file", path);
    /* Renaming over a link would replace the link, not what it points to. */
    const char *target = there && S_ISREG(info.st_mode) && realpath(path, real) ? real : path;
    if (!(w->path = copy_of(target, strlen(target)))) return alm_fail_memory(err);
    if (there && !S_ISREG(info.st_mode)) {
        w->fd = open(path, O_WRONLY | O_CLOEXEC);
        if (w->fd < 0) st = alm_fail_errno(&why, errno, "%s: cannot write", path);
    } else {
        w->fd = open_temporary(w, w->path, &why);
        if (w->fd < 0) st = why.status;
        /* Others may read or write the new file exactly if they might the old one. */
        else if (there && fchmod(w->fd, info.st_mode & 07777) != 0 && errno != EPERM) {
            st = alm_fail_errno(&why, errno, "%s: cannot set its mode", path);
        }
    }
    if (st != ALM_OK) {
        alm_write_abort(w);
        if (err) *err = why;
    }
    return st;
}

static bool flush(alm_write *w, const char *at, size_t n) {
    while (n) {
        ssize_t put = write(w->fd, at, n);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            w->failed = ALM_IO;
            w->error_number = errno;
            return false;
        }
        at += put;
        n -= (size_t)put;
    }
    return true;
}

bool alm_write_add(alm_write *w, const void *at, size_t n) {
    if (w->failed != ALM_OK || !w->path) return false;
    if (n > PENDING_BYTES - w->pending.n) {
        if (!flush(w, w->pending.at, w->pending.n)) return false;
        alm_buf_clear(&w->pending);
    }
    if (n >= PENDING_BYTES) {
        if (!flush(w, at, n)) return false;
    } else if (!alm_buf_add(&w->pending, at, n)) {
        w->failed = ALM_NO_MEMORY;
        return false;
    }
    w->n_written += n;
    return true;
}

static alm_status fail_written(const alm_write *w, int why, alm_error *err) {
    alm_status st = alm_fail_errno(err, why, "%s: cannot write", w->path);
    if (why == ENOSPC || why == EDQUOT) {
        alm_hint(err, w->temporary ? "the disk or quota is full: free some space or choose another folder; what was "
                                     "there before is unchanged"
                                   : "the disk or quota is full: free some space");
    } else if (why == EFBIG) {
        alm_hint(err, "the file system or a limit (ulimit -f) forbids files of that size");
    }
    return st;
}

static int sync_folder(const char *path) {
    char folder[PATH_MAX];
    size_t n = folder_bytes(path);
    if (n >= sizeof folder) return 0;
    memcpy(folder, n ? path : ".", n ? n : 1);
    folder[n ? n : 1] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return 0; /* a folder that may be written but not read */
    int why = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EROFS ? 0 : errno;
    close(fd);
    return why;
}

alm_status alm_write_commit(alm_write *w, alm_error *err) {
    alm_status st = ALM_OK;
    int why = 0;
    if (!w->path) return alm_fail(err, ALM_INVALID, "a file that was not begun cannot be committed");
    if (w->failed == ALM_NO_MEMORY) st = alm_fail_memory(err);
    else if (w->failed != ALM_OK) why = w->error_number;
    else if (!flush(w, w->pending.at, w->pending.n)) why = w->error_number;
    else if (w->temporary && fsync(w->fd) != 0) why = errno;
    if (st == ALM_OK && why == 0) {
        int fd = w->fd;
        w->fd = -1;
        if (close(fd) != 0 && errno != EINTR) why = errno; /* NFS reports a full disk here */
        if (why == 0 && w->temporary && rename(w->temporary, w->path) != 0) why = errno;
        if (why == 0 && w->temporary) {
            alm_free(w->temporary);
            w->temporary = NULL;
            why = sync_folder(w->path);
        }
    }
    if (why != 0) st = fail_written(w, why, err);
    alm_write_abort(w);
    return st;
}

void alm_write_abort(alm_write *w) {
    if (!w->path) return; /* never begun, or over: fd of a zeroed struct is not ours */
    if (w->fd >= 0) close(w->fd);
    if (w->temporary) unlink(w->temporary);
    alm_free(w->temporary);
    alm_free(w->path);
    alm_buf_free(&w->pending);
    *w = (alm_write){.fd = -1};
}

alm_status alm_file_write(const char *path, const void *at, size_t n, alm_error *err) {
    alm_write w;
    alm_status st = alm_write_begin(&w, path, err);
    if (st != ALM_OK) return st;
    alm_write_add(&w, at, n);
    return alm_write_commit(&w, err);
}
