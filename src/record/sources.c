/* SPDX-License-Identifier: Apache-2.0
 *
 * sources.c - what the caller names becomes a list of files: folders are walked, globs resolved, both sorted bytewise, so
 * that the order of the records is the same on every machine. Hidden files, and what is neither a file nor a folder nor a
 * pipe (sockets, devices found in a folder), are passed over; a link to a folder is followed only when it was named. */
#include "record/reader.h"

#include "base/path.h"

#include <errno.h>
#include <sys/stat.h>

enum { MAX_DEPTH = 64 };

static void add_size(alm_reader *r, const struct stat *info) {
    if (S_ISREG(info->st_mode)) r->total += (uint64_t)info->st_size;
    else r->total_known = false;
}

static alm_status walk(alm_reader *r, const char *folder, int depth, alm_error *err) {
    alm_names names = {0};
    alm_buf path = alm_buf_with_limit(1 << 16);
    alm_error why = {0};
    alm_status st = alm_dir_list(&names, folder, &why);
    if (st != ALM_OK) {
        if (st == ALM_NO_MEMORY || depth == 0) {
            if (err) *err = why;
            goto done;
        }
        r->counts.n_unreadable++;
        alm_log_say(r->o.log, ALM_LOG_WARNING, "%s", why.text);
        st = ALM_OK;
        goto done;
    }
    for (size_t i = 0; i < names.n && st == ALM_OK; i++) {
        struct stat info;
        if (names.at[i][0] == '.') continue;
        if ((st = alm_path_join(&path, folder, names.at[i], err)) != ALM_OK) break;
        const char *at = alm_buf_text(&path);
        if (!at) st = alm_fail_memory(err);
        else if (lstat(at, &info) != 0) continue; /* gone since the folder was listed */
        else if (S_ISDIR(info.st_mode)) {
            if (depth < MAX_DEPTH) st = walk(r, at, depth + 1, err);
        } else if (S_ISREG(info.st_mode) || (S_ISLNK(info.st_mode) && stat(at, &info) == 0 && S_ISREG(info.st_mode))) {
            add_size(r, &info);
            if (!alm_names_add(&r->inputs, at)) st = alm_fail_memory(err);
        }
    }
done:
    alm_buf_free(&path);
    alm_names_free(&names);
    return st;
}

static alm_status missing(alm_reader *r, const char *name, int error_number, bool only, alm_error *err) {
    if (only || r->o.strict) {
        alm_status st = alm_fail_errno(err, error_number, "%s: cannot open", name);
        alm_hint(err, "is the name right? A glob in quotes is resolved as well: 'logs/*.log'");
        return st;
    }
    r->counts.n_unreadable++;
    alm_error why = {0};
    alm_fail_errno(&why, error_number, "%s: cannot open", name);
    alm_log_say(r->o.log, ALM_LOG_WARNING, "%s", why.text);
    return ALM_OK;
}

static alm_status expand_one(alm_reader *r, const char *name, bool only, alm_error *err) {
    struct stat info;
    if (strcmp(name, "-") == 0 || strncmp(name, "journal:", 8) == 0) {
        r->total_known = false;
        return alm_names_add(&r->inputs, name) ? ALM_OK : alm_fail_memory(err);
    }
    if (stat(name, &info) == 0) {
        if (S_ISDIR(info.st_mode)) return walk(r, name, 0, err);
        add_size(r, &info);
        return alm_names_add(&r->inputs, name) ? ALM_OK : alm_fail_memory(err);
    }
    int error_number = errno;
    if (!strpbrk(name, "*?[")) return missing(r, name, error_number, only, err);
    alm_names found = {0};
    alm_status st = alm_glob(&found, name, err);
    if (st == ALM_OK && found.n == 0) st = missing(r, name, ENOENT, only, err);
    for (size_t i = 0; i < found.n && st == ALM_OK; i++) st = expand_one(r, found.at[i], false, err);
    alm_names_free(&found);
    return st;
}

alm_status alm_input_expand(alm_reader *r, const char *const *inputs, size_t n, alm_error *err) {
    static const char *const standard_input[] = {"-"};
    alm_status st = ALM_OK;
    if (n == 0) inputs = standard_input, n = 1;
    r->total_known = true;
    for (size_t i = 0; i < n && st == ALM_OK; i++) {
        if (!inputs[i] || !*inputs[i]) return alm_fail(err, ALM_INVALID, "an input without a name");
        st = expand_one(r, inputs[i], n == 1, err);
    }
    if (st == ALM_OK && r->inputs.n == 0) {
        st = alm_fail(err, ALM_NOT_FOUND, "%s: no file to read",
                      n == 1 ? inputs[0] : "none of the inputs can be opened");
        alm_hint(err, "hidden files are passed over; name a file itself to read it");
    }
    return st;
}
