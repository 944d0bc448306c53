/* SPDX-License-Identifier: Apache-2.0
 *
 * base/path.c - path names and the XDG folders (XDG Base Directory Specification 0.8).
 *
 * Nothing here touches a disk. A relative $XDG_… is ignored, as the specification asks. */
#include "base/path.h"

#include <stdlib.h>

static alm_status finish(alm_buf *out, alm_error *err) {
    return alm_buf_text(out) ? ALM_OK : alm_buf_status(out, err); /* terminated, so that .at may be given to open() */
}

alm_status alm_path_join(alm_buf *out, const char *dir, const char *name, alm_error *err) {
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') n--;
    alm_buf_clear(out);
    alm_buf_add(out, dir, n);
    if (n && dir[n - 1] != '/') alm_buf_add_byte(out, '/');
    if (n)
        while (*name == '/') name++;
    alm_buf_add_text(out, name);
    return finish(out, err);
}

alm_str alm_path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return alm_str_of(slash ? slash + 1 : path);
}

alm_str alm_path_dir(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return ALM_STR(".");
    size_t n = (size_t)(slash - path);
    while (n && path[n - 1] == '/') n--;
    return n ? alm_str_make(path, n) : ALM_STR("/");
}

alm_str alm_path_ext(const char *path) {
    alm_str base = alm_path_base(path);
    for (size_t i = base.n; i-- > 1;) { /* a name that begins with its only point (".bashrc") has no extension */
        if (base.at[i] == '.') return alm_str_slice(base, i, base.n);
    }
    return ALM_STR("");
}

alm_status alm_path_xdg(alm_buf *out, alm_xdg which, alm_error *err) {
    static const struct {
        const char *variable, *below_home;
    } place[] = {
        [ALM_XDG_DATA] = {"XDG_DATA_HOME", ".local/share/allmende"},
        [ALM_XDG_CONFIG] = {"XDG_CONFIG_HOME", ".config/allmende"},
        [ALM_XDG_CACHE] = {"XDG_CACHE_HOME", ".cache/allmende"},
        [ALM_XDG_STATE] = {"XDG_STATE_HOME", ".local/state/allmende"},
    };
    const char *set = getenv(place[which].variable), *home = getenv("HOME");
    if (set && *set == '/') return alm_path_join(out, set, "allmende", err);
    if (home && *home) return alm_path_join(out, home, place[which].below_home, err);
    alm_fail(err, ALM_NOT_FOUND, "no folder for this: neither %s nor HOME is set", place[which].variable);
    alm_hint(err, "set HOME, or %s to an absolute path", place[which].variable);
    return ALM_NOT_FOUND;
}
