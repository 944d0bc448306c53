/* SPDX-License-Identifier: Apache-2.0
 *
 * store/link.h - one content under a second name, without a copy. */
#ifndef ALM_STORE_LINK_H
#define ALM_STORE_LINK_H

#include "base/error.h"

/* `to` does not exist. *how: "reflink", "hard link" or "symbolic link". */
alm_status alm_link_file(const char *from, const char *to, const char **how, alm_error *err);

#endif
