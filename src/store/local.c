/* SPDX-License-Identifier: Apache-2.0
 *
 * local.c - the own store: content under its digest, names that link to it, and an index that knows which belongs to which.
 *
 * Adding goes from the bottom up: blobs, then a folder of links under a name of its own, renamed into place, then one
 * transaction in the index. What a crash leaves behind is a blob or a folder that no row names; the next adding uses the one
 * and replaces the other. Taking out goes the other way round.
 *
 * A blob that is a link shows what is later written into the file. Reading gigabytes at every opening would tell; size and
 * time of the last change, noted when it came in, tell nearly as well. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/file.h"
#include "base/path.h"
#include "format/tensors.h"
#include "proof/digest.h"
#include "store/link.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATHS = 1 << 16, MAX_NAME = 128, MAX_FILES = 10000, VERSION = 1 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS model (name TEXT PRIMARY KEY, path TEXT NOT NULL, bytes INTEGER NOT NULL, added "
    "INTEGER "
    "NOT NULL);"
    "CREATE TABLE IF NOT EXISTS file (model TEXT NOT NULL REFERENCES model (name) ON DELETE CASCADE, name TEXT NOT "
    "NULL, "
    "digest TEXT NOT NULL, bytes INTEGER NOT NULL, how TEXT NOT NULL, origin TEXT NOT NULL, PRIMARY KEY (model, name));"
    "CREATE INDEX IF NOT EXISTS file_digest ON file (digest);"
    "CREATE TABLE IF NOT EXISTS stamp (digest TEXT PRIMARY KEY, changed_ns INTEGER NOT NULL);";

typedef struct box {
    alm_buf root, path; /* path: for whatever is named next */
    alm_db *db;
} box;

/* -- the folder and its index --------------------------------------------------------------------------------------------- */

static void box_close(box *b) {
    alm_db_close(b->db);
    alm_buf_free(&b->root);
    alm_buf_free(&b->path);
}

static const char *below(box *b, const char *folder, const char *name) {
    alm_buf_clear(&b->path);
    alm_buf_printf(&b->path, "%s/%s%s", b->root.at, folder, name);
    return alm_buf_text(&b->path);
}

/* ALM_END: there is no store yet, and none is to be made. */
static alm_status box_open(box *b, bool make, alm_error *err) {
    *b = (box){.root = alm_buf_with_limit(PATHS), .path = alm_buf_with_limit(PATHS)};
    const char *folder;
    alm_status st = alm_path_xdg(&b->root, ALM_XDG_DATA, err);
    if (st == ALM_NOT_FOUND && !make) return ALM_END;
    if (st != ALM_OK) return st;
    for (int i = 0; make && st == ALM_OK && i < 2; i++) {
        folder = below(b, i ? "models" : "blobs", "");
        st = folder ? alm_dir_make(folder, err) : alm_fail_memory(err);
    }
    if (st != ALM_OK) return st;
    if (!(folder = below(b, "store.db", ""))) return alm_fail_memory(err);
    if (!make && !alm_file_exists(folder)) return ALM_END;
    return alm_db_open(&b->db, folder, schema, VERSION, err);
}

/* Names are letters, digits, and . _ - : with at most one "/" between two; "--" stands for that in a folder's name. */
static bool is_name(alm_str s) {
    size_t slashes = 0;
    if (s.n == 0 || s.n > MAX_NAME || s.at[0] == '.' || s.at[0] == '/' || s.at[s.n - 1] == '/') return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.at[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (!c || !strchr("._-:/", c))) return false;
        slashes += c == '/';
    }
    return slashes <= 1 && alm_str_find(s, ALM_STR("--")) == SIZE_MAX && alm_str_find(s, ALM_STR("/.")) == SIZE_MAX;
}

static void folder_name(char *out, size_t n, const char *name) {
    const char *slash = strchr(name, '/');
    if (slash) snprintf(out, n, "%.*s--%s", (int)(slash - name), name, slash + 1);
    else snprintf(out, n, "%s", name);
}

void alm_store_model_free(alm_store_model *m) {
    for (size_t i = 0; i < m->n_file; i++) alm_free(m->file[i].name), alm_free(m->file[i].origin);
    alm_free(m->file);
    alm_free(m->name);
    alm_free(m->path);
    *m = (alm_store_model){0};
}

static alm_status add_file(alm_store_model *m, const char *name, const char *origin, alm_error *err) {
    if (m->n_file == MAX_FILES) return alm_fail(err, ALM_LIMIT, "more than %d files in one model", MAX_FILES);
    if (!alm_grow((void **)&m->file, &m->cap, m->n_file + 1, sizeof *m->file)) return alm_fail_memory(err);
    alm_store_file *f = &m->file[m->n_file++];
    *f = (alm_store_file){
        .name = alm_store_copy(alm_str_of(name)), .origin = alm_store_copy(alm_str_of(origin)), .how = ""};
    return f->name && f->origin ? ALM_OK : alm_fail_memory(err);
}

/* -- reading the index -------------------------------------------------------------------------------------------------------- */

static const char *known_how(alm_str s) {
    static const char *const words[] = {"reflink", "hard link", "symbolic link"};
    for (size_t i = 0; i < 3; i++)
        if (alm_str_eq(s, alm_str_of(words[i]))) return words[i];
    return "";
}

static int64_t changed_ns(const struct stat *info) { /* a time that some file system made up may not fit: it wraps */
    return (int64_t)((uint64_t)info->st_mtim.tv_sec * 1000000000U + (uint64_t)info->st_mtim.tv_nsec);
}

static alm_status look(box *b, alm_store_file *f, alm_error *err) {
    struct stat info;
    const char *blob = below(b, "blobs/sha256-", f->digest);
    if (!blob) return alm_fail_memory(err);
    if (stat(blob, &info) != 0) f->state = ALM_STORED_GONE;
    else if ((uint64_t)info.st_size != f->n_bytes || (f->has_time && changed_ns(&info) != f->changed_ns))
        f->state = ALM_STORED_CHANGED;
    else f->state = ALM_STORED_AS_ADDED;
    return ALM_OK;
}

static alm_status read_files(box *b, alm_store_model *m, alm_error *err) {
    alm_query *q = NULL;
    alm_status st =
        alm_query_new(&q, b->db,
                      "SELECT name, file.digest, bytes, how, origin, changed_ns, changed_ns IS NOT NULL FROM file "
                      "LEFT JOIN stamp ON stamp.digest = file.digest WHERE model = ? ORDER BY name",
                      err);
    if (st != ALM_OK) return st;
    alm_query_bind_str(q, 1, alm_str_of(m->name));
    while ((st = alm_query_step(q, err)) == ALM_OK) {
        char name[4096], origin[4096];
        snprintf(name, sizeof name, "%.*s", ALM_ARG(alm_query_str(q, 0)));
        snprintf(origin, sizeof origin, "%.*s", ALM_ARG(alm_query_str(q, 4)));
        if ((st = add_file(m, name, origin, err)) != ALM_OK) break;
        alm_store_file *f = &m->file[m->n_file - 1];
        snprintf(f->digest, sizeof f->digest, "%.*s", ALM_ARG(alm_query_str(q, 1)));
        f->n_bytes = (uint64_t)alm_query_i64(q, 2);
        f->how = known_how(alm_query_str(q, 3));
        f->changed_ns = alm_query_i64(q, 5);
        f->has_time = alm_query_i64(q, 6) != 0;
        if ((st = look(b, f, err)) != ALM_OK) break;
    }
    alm_query_free(q);
    return st == ALM_END ? ALM_OK : st;
}

static alm_status read_model(box *b, alm_store_model *out, const char *name, alm_error *err) {
    alm_query *q = NULL;
    alm_status st = alm_query_new(&q, b->db, "SELECT path, bytes, added FROM model WHERE name = ?", err);
    if (st != ALM_OK) return st;
    alm_query_bind_str(q, 1, alm_str_of(name));
    st = alm_query_step(q, err);
    if (st == ALM_OK) {
        alm_buf path = alm_buf_with_limit(PATHS);
        alm_buf_printf(&path, "%s/%.*s", b->root.at, ALM_ARG(alm_query_str(q, 0)));
        *out = (alm_store_model){.name = alm_store_copy(alm_str_of(name)), .path = alm_store_copy(alm_buf_str(&path))};
        out->n_bytes = (uint64_t)alm_query_i64(q, 1);
        out->added = alm_query_i64(q, 2);
        if (!out->name || !out->path || path.failed) st = alm_fail_memory(err);
        alm_buf_free(&path);
        if (st == ALM_OK) st = read_files(b, out, err);
        if (st != ALM_OK) alm_store_model_free(out);
    } else if (st == ALM_END) {
        st = alm_fail(err, ALM_NOT_FOUND, "%s: not in the store", name);
    }
    alm_query_free(q);
    return st;
}

alm_status alm_store_get(alm_store_model *out, const char *name, alm_error *err) {
    box b;
    alm_status st = box_open(&b, false, err);
    if (st == ALM_OK) st = read_model(&b, out, name, err);
    else if (st == ALM_END) st = alm_fail(err, ALM_NOT_FOUND, "%s: not in the store, which is empty", name);
    box_close(&b);
    return st;
}

alm_status alm_store_at(alm_store_model *out, const char *path, alm_error *err) {
    box b;
    alm_query *q = NULL;
    char name[MAX_NAME + 1] = "";
    alm_status st = box_open(&b, false, err);
    alm_str root = alm_buf_str(&b.root), inside = alm_str_of(path);
    if (st == ALM_OK && alm_str_starts(inside, root) && inside.n > root.n + 1) {
        st = alm_query_new(&q, b.db, "SELECT name FROM model WHERE path = ?", err);
        if (st == ALM_OK) {
            alm_query_bind_str(q, 1, alm_str_slice(inside, root.n + 1, inside.n));
            if ((st = alm_query_step(q, err)) == ALM_OK)
                snprintf(name, sizeof name, "%.*s", ALM_ARG(alm_query_str(q, 0)));
        }
        alm_query_free(q);
    }
    if (st == ALM_OK && *name) st = read_model(&b, out, name, err);
    else if (st == ALM_OK || st == ALM_END) st = alm_fail(err, ALM_NOT_FOUND, "%s: not in the store", path);
    box_close(&b);
    return st;
}

static alm_status list(alm_stored_list *out, alm_error *err) {
    box b;
    alm_query *q = NULL;
    alm_buf path = alm_buf_with_limit(PATHS);
    alm_status st = box_open(&b, false, err);
    if (st == ALM_OK) st = alm_query_new(&q, b.db, "SELECT name, path, bytes FROM model ORDER BY name", err);
    while (st == ALM_OK && (st = alm_query_step(q, err)) == ALM_OK) {
        alm_buf_clear(&path);
        alm_buf_printf(&path, "%s/%.*s", b.root.at, ALM_ARG(alm_query_str(q, 1)));
        st = alm_buf_text(&path) ? alm_stored_add(out, &alm_store_local, alm_query_str(q, 0), path.at,
                                                  (uint64_t)alm_query_i64(q, 2), err)
                                 : alm_fail_memory(err);
    }
    alm_query_free(q);
    alm_buf_free(&path);
    box_close(&b);
    return st == ALM_END ? ALM_OK : st;
}

const alm_store alm_store_local = {"store", list};

/* -- adding: what belongs to it ------------------------------------------------------------------------------------------------ */

/* "x-00002-of-00003.gguf": the digits' place, or SIZE_MAX. */
static size_t split_at(alm_str name) {
    size_t of = alm_str_find(name, ALM_STR("-of-"));
    if (of == SIZE_MAX || of < 6 || name.n != of + 14 || !alm_str_ends(name, ALM_STR(".gguf"))) return SIZE_MAX;
    return name.at[of - 6] == '-' ? of - 5 : SIZE_MAX;
}

static alm_status add_parts(alm_store_model *m, const char *path, alm_error *err) {
    alm_str base = alm_path_base(path);
    size_t at = split_at(base);
    if (at == SIZE_MAX) return add_file(m, base.at, path, err);
    alm_buf part = alm_buf_with_limit(PATHS);
    size_t n = (size_t)strtoul(base.at + at + 9, NULL, 10);
    alm_status st = n > 0 && n <= MAX_FILES ? ALM_OK : alm_fail(err, ALM_MALFORMED, "%s: %zu parts", path, n);
    for (size_t i = 1; i <= n && st == ALM_OK; i++) {
        alm_buf_clear(&part);
        alm_buf_printf(&part, "%.*s%05zu%s", (int)(base.at + at - path), path, i, base.at + at + 5);
        st = alm_buf_text(&part) ? add_file(m, part.at + (base.at - path), part.at, err) : alm_fail_memory(err);
    }
    alm_buf_free(&part);
    return st;
}

static alm_status add_folder(alm_store_model *m, const char *folder, alm_error *err) {
    alm_names names = {0};
    alm_buf path = alm_buf_with_limit(PATHS);
    struct stat info;
    alm_status st = alm_dir_list(&names, folder, err);
    for (size_t i = 0; i < names.n && st == ALM_OK; i++) {
        st = alm_path_join(&path, folder, names.at[i], err);
        if (st == ALM_OK && names.at[i][0] != '.' && stat(path.at, &info) == 0 && S_ISREG(info.st_mode))
            st = add_file(m, names.at[i], path.at, err);
    }
    alm_names_free(&names);
    alm_buf_free(&path);
    return st;
}

/* Size and time are those from before the reading: what is written meanwhile shows later. */
static alm_status digest_all(alm_store_model *m, alm_log *log, const alm_cancel *cancel, alm_error *err) {
    for (size_t i = 0; i < m->n_file; i++) {
        alm_store_file *f = &m->file[i];
        struct stat info;
        if (stat(f->origin, &info) != 0) return alm_fail_errno(err, errno, "%s", f->origin);
        f->n_bytes = (uint64_t)info.st_size;
        f->changed_ns = changed_ns(&info);
        f->has_time = true;
        m->n_bytes += f->n_bytes;
    }
    alm_digest_watch watch = {.cancel = cancel, .log = log, .what = "SHA-256", .total = m->n_bytes};
    for (size_t i = 0; i < m->n_file; i++) {
        alm_digest d;
        alm_status st = alm_digest_file_watched(&d, m->file[i].origin, &watch, err);
        if (st != ALM_OK) return st;
        alm_digest_hex(m->file[i].digest, &d);
    }
    return ALM_OK;
}

/* -- adding: into place ----------------------------------------------------------------------------------------------------------- */

/* Asks for no memory of ours, so that cleaning up cannot fail for want of it. */
static void remove_folder(const char *folder) {
    DIR *d = opendir(folder);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) unlinkat(dirfd(d), e->d_name, 0);
    if (d) closedir(d);
    rmdir(folder);
}

/* What the index knows of a blob, for look: f has the digest and the size. */
static alm_status read_stamp(box *b, alm_store_file *f, alm_error *err) {
    alm_query *q = NULL;
    alm_status st = alm_query_new(&q, b->db, "SELECT changed_ns FROM stamp WHERE digest = ?", err);
    if (st != ALM_OK) return st;
    alm_query_bind_str(q, 1, alm_str_of(f->digest));
    st = alm_query_step(q, err);
    f->has_time = st == ALM_OK;
    if (st == ALM_OK) f->changed_ns = alm_query_i64(q, 0);
    alm_query_free(q);
    return st == ALM_END ? ALM_OK : st;
}

/* A blob that is there is taken when it is known to be as it came in; otherwise the file, whose digest is known, takes its place. */
static alm_status add_blob(box *b, alm_store_file *f, alm_error *err) {
    struct stat info;
    alm_store_file there = *f;
    alm_status st = read_stamp(b, &there, err);
    if (st == ALM_OK) st = look(b, &there, err);
    if (st != ALM_OK) return st;
    f->how = "there already";
    if (there.has_time && there.state == ALM_STORED_AS_ADDED) return ALM_OK;
    const char *blob = below(b, "blobs/sha256-", f->digest);
    if (!blob) return alm_fail_memory(err);
    if (stat(f->origin, &info) != 0) return alm_fail_errno(err, errno, "%s", f->origin);
    if ((uint64_t)info.st_size != f->n_bytes || changed_ns(&info) != f->changed_ns)
        return alm_fail(err, ALM_MISMATCH, "%s: changed while it was read", f->origin);
    unlink(blob); /* what it was, or a symbolic link whose target has gone */
    if ((st = alm_link_file(f->origin, blob, &f->how, err)) != ALM_OK) return st;
    if (stat(blob, &info) != 0) return alm_fail_errno(err, errno, "%s", blob);
    f->changed_ns = changed_ns(&info); /* shared blocks have a time of their own */
    return ALM_OK;
}

static alm_status note_stamp(box *b, const alm_store_file *f, alm_error *err) {
    alm_query *q = NULL;
    alm_status st = alm_query_new(&q, b->db, "INSERT OR REPLACE INTO stamp VALUES (?, ?)", err);
    if (st != ALM_OK) return st;
    alm_query_bind_str(q, 1, alm_str_of(f->digest));
    alm_query_bind_i64(q, 2, f->changed_ns);
    st = alm_query_step(q, err);
    alm_query_free(q);
    return st == ALM_END ? ALM_OK : st;
}

static bool came_in(const alm_store_file *f) { return strcmp(f->how, "there already") != 0; }

/* A folder of links, aside, then in place. */
static alm_status add_links(box *b, const alm_store_model *m, const char *folder, alm_error *err) {
    char aside[MAX_NAME + 40], target[100];
    snprintf(aside, sizeof aside, ".new-%ld-%s", (long)getpid(), folder);
    const char *made = below(b, "models/", aside);
    if (!made) return alm_fail_memory(err);
    remove_folder(made);
    alm_buf path = alm_buf_with_limit(PATHS), place = path;
    alm_buf_add_text(&place, made);
    alm_status st = alm_buf_text(&place) ? alm_dir_make(place.at, err) : alm_fail_memory(err);
    for (size_t i = 0; i < m->n_file && st == ALM_OK; i++) {
        snprintf(target, sizeof target, "../../blobs/sha256-%s", m->file[i].digest);
        st = alm_path_join(&path, place.at, m->file[i].name, err);
        if (st == ALM_OK && symlink(target, path.at) != 0) st = alm_fail_errno(err, errno, "%s", path.at);
    }
    if (st == ALM_OK) {
        const char *final = below(b, "models/", folder);
        if (final) remove_folder(final); /* left by a crash: no row names it */
        if (!final) st = alm_fail_memory(err);
        else if (rename(place.at, final) != 0) st = alm_fail_errno(err, errno, "%s", final);
    }
    if (st != ALM_OK && place.at) remove_folder(place.at);
    alm_buf_free(&path);
    alm_buf_free(&place);
    return st;
}

static alm_status insert(box *b, const alm_store_model *m, const char *path, alm_error *err) {
    alm_query *q = NULL;
    alm_status st = alm_query_new(&q, b->db, "INSERT INTO model VALUES (?, ?, ?, ?)", err);
    if (st != ALM_OK) return st;
    alm_query_bind_str(q, 1, alm_str_of(m->name));
    alm_query_bind_str(q, 2, alm_str_of(path));
    alm_query_bind_i64(q, 3, (int64_t)m->n_bytes);
    alm_query_bind_i64(q, 4, m->added);
    st = alm_query_step(q, err);
    alm_query_free(q);
    for (size_t i = 0; st == ALM_END && i < m->n_file; i++) {
        const alm_store_file *f = &m->file[i];
        st = alm_query_new(&q, b->db, "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?)", err);
        if (st != ALM_OK) break;
        alm_query_bind_str(q, 1, alm_str_of(m->name));
        alm_query_bind_str(q, 2, alm_str_of(f->name));
        alm_query_bind_str(q, 3, alm_str_of(f->digest));
        alm_query_bind_i64(q, 4, (int64_t)f->n_bytes);
        alm_query_bind_str(q, 5, alm_str_of(f->how));
        alm_query_bind_str(q, 6, alm_str_of(f->origin));
        st = alm_query_step(q, err);
        alm_query_free(q);
        if (st == ALM_END && came_in(f) && (st = note_stamp(b, f, err)) == ALM_OK) st = ALM_END;
    }
    return st == ALM_END ? ALM_OK : st;
}

static bool same_content(const alm_store_model *a, const alm_store_model *b) {
    bool same = a->n_file == b->n_file;
    for (size_t i = 0; same && i < a->n_file; i++)
        same = strcmp(a->file[i].name, b->file[i].name) == 0 && strcmp(a->file[i].digest, b->file[i].digest) == 0;
    return same;
}

/* The model is there; what was changed or has gone since is replaced by m's file, which has the digest that it should have. */
static alm_status mend(box *b, alm_store_model *old, alm_store_model *m, alm_error *err) {
    alm_status st = ALM_OK;
    for (size_t i = 0; i < m->n_file && st == ALM_OK; i++) {
        if (old->file[i].state == ALM_STORED_AS_ADDED) continue;
        st = add_blob(b, &m->file[i], err);
        if (st == ALM_OK && came_in(&m->file[i])) st = note_stamp(b, &m->file[i], err);
        if (st == ALM_OK) old->file[i].state = ALM_STORED_AS_ADDED, old->mended = true;
    }
    return st;
}

/* m has its files and their digests. */
static alm_status put(box *b, alm_store_model *m, bool is_folder, alm_error *err) {
    alm_store_model old = {0};
    char folder[MAX_NAME + 8];
    alm_status st = read_model(b, &old, m->name, NULL);
    if (st == ALM_OK) {
        bool same = same_content(&old, m);
        if (!same) alm_store_model_free(&old);
        if (!same) {
            alm_fail(err, ALM_INVALID, "%s: another model of this name is in the store", m->name);
            return alm_hint(err, "give it another name (--name), or take the old one out first (alm rm)"), ALM_INVALID;
        }
        st = mend(b, &old, m, err);
        alm_store_model_free(st == ALM_OK ? m : &old);
        if (st == ALM_OK) *m = old, m->was_there = true;
        return st;
    }
    if (st != ALM_NOT_FOUND) return alm_fail(err, st, "%s: the store's index cannot be read", m->name);
    st = ALM_OK;
    folder_name(folder, sizeof folder, m->name);
    for (size_t i = 0; i < m->n_file && st == ALM_OK; i++) st = add_blob(b, &m->file[i], err);
    if (st == ALM_OK) st = add_links(b, m, folder, err);
    if (st != ALM_OK) return st;
    alm_buf path = alm_buf_with_limit(PATHS), full = path;
    alm_buf_printf(&path, "models/%s%s%s", folder, is_folder ? "" : "/", is_folder ? "" : m->file[0].name);
    alm_buf_printf(&full, "%s/%s", b->root.at, alm_buf_text(&path) ? path.at : "");
    m->added = alm_clock_now_ns() / 1000000000;
    m->path = alm_store_copy(alm_buf_str(&full));
    st = m->path && !path.failed && !full.failed ? alm_db_begin(b->db, err) : alm_fail_memory(err);
    if (st == ALM_OK) {
        st = insert(b, m, path.at, err);
        if (st == ALM_OK) st = alm_db_commit(b->db, err);
        else alm_db_rollback(b->db);
    }
    alm_buf_free(&path);
    alm_buf_free(&full);
    return st;
}

/* The own name of a file or folder: what stands in front of ".gguf", or of the number of a part. */
static alm_str own_name(const char *real, bool is_folder) {
    alm_str base = alm_path_base(real);
    if (is_folder) return base;
    size_t part = split_at(base);
    if (part != SIZE_MAX) return alm_str_slice(base, 0, part - 1);
    return alm_str_slice(base, 0, base.n - alm_path_ext(real).n);
}

static alm_status check_opens(const char *path, alm_error *err) {
    alm_tensors *t = NULL;
    alm_status st = alm_tensors_open(&t, path, err);
    alm_tensors_close(t);
    return st;
}

alm_status alm_store_add(alm_store_model *out, const char *path, const char *name, alm_log *log,
                         const alm_cancel *cancel, alm_error *err) {
    struct stat info;
    char real[PATH_MAX];
    box b = {0};
    alm_store_model m = {0};
    if (!realpath(path, real) || stat(real, &info) != 0) return alm_fail_errno(err, errno, "%s", path);
    bool is_folder = S_ISDIR(info.st_mode);
    m.name = alm_store_copy(name ? alm_str_of(name) : own_name(real, is_folder));
    alm_status st = m.name ? ALM_OK : alm_fail_memory(err);
    if (st == ALM_OK && !is_name(alm_str_of(m.name))) {
        st = alm_fail(err, ALM_INVALID, "%s: no name for a model", m.name);
        alm_hint(err, "letters, digits, \".\", \"_\", \"-\", \":\", and one \"/\": --name says another");
    }
    if (st == ALM_OK) st = check_opens(real, err);
    if (st == ALM_OK) st = is_folder ? add_folder(&m, real, err) : add_parts(&m, real, err);
    if (st == ALM_OK) st = digest_all(&m, log, cancel, err);
    if (st == ALM_OK) st = box_open(&b, true, err);
    if (st == ALM_OK) st = put(&b, &m, is_folder, err);
    if (st == ALM_OK) *out = m, m = (alm_store_model){0};
    alm_store_model_free(&m);
    box_close(&b);
    return st;
}

/* -- taking out --------------------------------------------------------------------------------------------------------------------- */

static alm_status delete_rows(box *b, const char *name, alm_error *err) {
    alm_query *q = NULL;
    alm_status st = alm_query_new(&q, b->db, "DELETE FROM model WHERE name = ?", err);
    if (st != ALM_OK) return st;
    alm_query_bind_str(q, 1, alm_str_of(name));
    st = alm_query_step(q, err);
    alm_query_free(q);
    return st == ALM_END ? ALM_OK : st;
}

static alm_status drop_stamp(box *b, const char *digest, alm_error *err) {
    alm_query *q = NULL;
    alm_status st = alm_query_new(&q, b->db, "DELETE FROM stamp WHERE digest = ?", err);
    if (st != ALM_OK) return st;
    alm_query_bind_str(q, 1, alm_str_of(digest));
    st = alm_query_step(q, err);
    alm_query_free(q);
    return st == ALM_END ? ALM_OK : st;
}

static alm_status drop_blob(box *b, const char *digest, alm_error *err) {
    alm_query *q = NULL;
    alm_status st = alm_query_new(&q, b->db, "SELECT 1 FROM file WHERE digest = ? LIMIT 1", err);
    if (st != ALM_OK) return st;
    alm_query_bind_str(q, 1, alm_str_of(digest));
    st = alm_query_step(q, err);
    alm_query_free(q);
    if (st != ALM_END) return st;
    if ((st = drop_stamp(b, digest, err)) != ALM_OK) return st;
    const char *blob = below(b, "blobs/sha256-", digest);
    if (!blob) return alm_fail_memory(err);
    return unlink(blob) == 0 || errno == ENOENT ? ALM_OK : alm_fail_errno(err, errno, "%s", blob);
}

alm_status alm_store_remove(const char *name, alm_error *err) {
    box b;
    alm_store_model m = {0};
    char folder[MAX_NAME + 8];
    alm_status st = box_open(&b, false, err);
    if (st == ALM_END) st = alm_fail(err, ALM_NOT_FOUND, "%s: not in the store, which is empty", name);
    if (st == ALM_OK) st = read_model(&b, &m, name, err);
    if (st == ALM_OK) st = delete_rows(&b, name, err);
    if (st == ALM_OK) {
        folder_name(folder, sizeof folder, name);
        const char *place = below(&b, "models/", folder);
        if (place) remove_folder(place);
        else st = alm_fail_memory(err);
    }
    for (size_t i = 0; i < m.n_file && st == ALM_OK; i++) st = drop_blob(&b, m.file[i].digest, err);
    alm_store_model_free(&m);
    box_close(&b);
    return st;
}
