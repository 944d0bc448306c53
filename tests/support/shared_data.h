/* SPDX-License-Identifier: Apache-2.0
 *
 * shared_data.h - where the data sets lie that are not part of the tree.
 *
 * They may not be copied into it, so a test that reads them asks here, and skips with a reason where they are absent:
 *     char path[SHARED_PATH_MAX];
 *     NEED_SHARED(path, "data/openstack_raw/nova-sample.log");
 * The folder is $ALM_SHARED, else `shared` beside the source tree. Include cmocka.h first. */
#ifndef ALM_TESTS_SHARED_DATA_H
#define ALM_TESTS_SHARED_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SHARED_PATH_MAX 4096

/* Writes the path of `name` inside the shared folder; false when nothing readable lies there. */
static inline bool shared_find(char out[SHARED_PATH_MAX], const char *name) {
    const char *shared = getenv("ALM_SHARED");
    const char *root = getenv("ALM_SOURCE_ROOT");
    int n = shared && *shared ? snprintf(out, SHARED_PATH_MAX, "%s/%s", shared, name)
                              : snprintf(out, SHARED_PATH_MAX, "%s/../shared/%s", root ? root : ".", name);
    return n > 0 && n < SHARED_PATH_MAX && access(out, R_OK) == 0;
}

/* A file of the test's own data: `name` is relative to the root of the source tree. */
static inline const char *source_path(char out[SHARED_PATH_MAX], const char *name) {
    const char *root = getenv("ALM_SOURCE_ROOT");
    snprintf(out, SHARED_PATH_MAX, "%s/%s", root ? root : ".", name);
    return out;
}

#define NEED_SHARED(path, name)                                           \
    do {                                                                  \
        if (!shared_find((path), (name))) {                               \
            print_message("# %s is not here (set ALM_SHARED)\n", (name)); \
            skip();                                                       \
        }                                                                 \
    } while (0)

#endif
