/* SPDX-License-Identifier: Apache-2.0
 *
 * base/path.h - path names and the XDG folders. */
#ifndef ALM_BASE_PATH_H
#define ALM_BASE_PATH_H

#include "base/buf.h"
#include "base/error.h"

/* dir/name into out (cleared first), without a doubled slash. */
alm_status alm_path_join(alm_buf *out, const char *dir, const char *name, alm_error *err);
alm_str alm_path_base(const char *path); /* the part behind the last slash */
alm_str alm_path_dir(const char *path);  /* "." when there is none */
alm_str alm_path_ext(const char *path);  /* ".gz", or empty */
typedef enum alm_xdg { ALM_XDG_DATA, ALM_XDG_CONFIG, ALM_XDG_CACHE, ALM_XDG_STATE } alm_xdg;
/* $XDG_DATA_HOME/allmende and so on, with the standard's defaults under $HOME; ALM_NOT_FOUND when neither is set. Makes nothing. */
alm_status alm_path_xdg(alm_buf *out, alm_xdg which, alm_error *err);

#endif
