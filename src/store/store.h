/* SPDX-License-Identifier: Apache-2.0
 *
 * store/store.h - the models on this machine: the own store, and the caches of Ollama and Hugging Face, which are used in
 * place and never written to.
 *
 * The own store is $XDG_DATA_HOME/allmende:
 *     blobs/sha256-HEX         a file's content, under its digest
 *     models/NAME/FILE         links to blobs, under the names that the files had (a "/" in NAME is "--")
 *     store.db                 which model has which files, since when, from where; the time of each blob's last change
 * A file comes in by link: its blocks are shared where the file system can do that (a reflink), else it becomes a hard link,
 * else, from another file system, a symbolic link. It is never copied. */
#ifndef ALM_STORE_STORE_H
#define ALM_STORE_STORE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"

struct alm_store;

typedef struct alm_stored {
    char *name; /* "tiny", "llama3.2:1b", "org/name" */
    char *path; /* what opens it: a file or a folder */
    uint64_t n_bytes;
    const struct alm_store *store;
} alm_stored;

typedef struct alm_stored_list {
    alm_stored *at;
    size_t n, cap;
} alm_stored_list; /* zero-initialise */
void alm_stored_list_free(alm_stored_list *l);

/* A place: a row of stores.def. */
typedef struct alm_store {
    const char *name;
    /* Appends what is there; a place that is not there has nothing. */
    alm_status (*list)(alm_stored_list *out, alm_error *err);
} alm_store;
#define ALM_STORE(file, name) extern const alm_store alm_store_##file;
#include "store/stores.def"
#undef ALM_STORE
const alm_store *const *alm_store_places(void); /* NULL behind the last */

/* Everything everywhere, by name. */
alm_status alm_store_list_all(alm_stored_list *out, alm_error *err);

/* -- what a MODEL is ---------------------------------------------------------------------------------------------------- */

/* What somebody types where a model is wanted: a path that exists; else a name in one of the places, with the place in front
 * if need be ("ollama:llama3.2:1b"); a tag or an owner may be left out where only one model fits. "builtin:" and what is
 * plainly a path (it begins with "/" or ".", or ends like a file) are given back as they are, for the opener to judge.
 * ALM_NOT_FOUND, or ALM_INVALID where several fit: then the message lists them. *out is terminated. */
alm_status alm_ref_resolve(alm_buf *out, const char *typed, alm_error *err);
/* The models that a name fits; none is ALM_OK with an empty list. */
alm_status alm_ref_match(alm_stored_list *out, const char *typed, alm_error *err);

/* -- the own store -------------------------------------------------------------------------------------------------------- */

/* A hard or symbolic link shows what somebody later writes into the file: size and time of the last change say so, without
 * reading it. */
typedef enum alm_stored_state { ALM_STORED_AS_ADDED, ALM_STORED_CHANGED, ALM_STORED_GONE } alm_stored_state;

typedef struct alm_store_file {
    char *name;      /* in the model's folder */
    char digest[65]; /* SHA-256 */
    uint64_t n_bytes;
    const char *how;    /* "reflink", "hard link", "symbolic link", "there already" */
    char *origin;       /* where it came from */
    int64_t changed_ns; /* of the last change, since 1970 */
    bool has_time;      /* false: added by a program that did not note it */
    alm_stored_state state;
} alm_store_file;

typedef struct alm_store_model {
    char *name, *path;
    uint64_t n_bytes;
    int64_t added;          /* seconds since 1970 */
    bool was_there, mended; /* mended: it was, but not as it was added; now it is again */
    alm_store_file *file;
    size_t n_file, cap;
} alm_store_model;
void alm_store_model_free(alm_store_model *m);

/* Adds a file (all parts of a split GGUF) or the files of a folder under a name; NULL: the file's or folder's own. The weights
 * are opened and checked first, then read for their digests: log (NULL: silence) is told how many bytes of all, and cancel
 * (NULL: never) stops it with ALM_INTERRUPTED; then nothing has come in. The same again is no failure (was_there); another
 * model of that name is ALM_INVALID. */
alm_status alm_store_add(alm_store_model *out, const char *path, const char *name, alm_log *log,
                         const alm_cancel *cancel, alm_error *err);
/* Of the own store; ALM_NOT_FOUND. */
alm_status alm_store_get(alm_store_model *out, const char *name, alm_error *err);
/* The model of the own store that this path opens, as alm_ref_resolve gives it; ALM_NOT_FOUND. */
alm_status alm_store_at(alm_store_model *out, const char *path, alm_error *err);
/* Takes a model out, and the blobs that no other model has. What it was made from stays where it is. */
alm_status alm_store_remove(const char *name, alm_error *err);

/* For the places. */
alm_status alm_stored_add(alm_stored_list *l, const alm_store *store, alm_str name, const char *path, uint64_t n_bytes,
                          alm_error *err);
char *alm_store_copy(alm_str s); /* terminated; free with alm_free; NULL without memory */
/* getenv, but what is set to nothing is not set. */
const char *alm_store_env(const char *name);

#endif
