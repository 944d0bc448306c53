/* SPDX-License-Identifier: Apache-2.0
 *
 * base/json_inner.h - what the files of the JSON writer share; not for other rooms. */
#ifndef ALM_BASE_JSON_INNER_H
#define ALM_BASE_JSON_INNER_H

#include "base/json.h"

/* null, false, true, a number as written, a string in quotes; nothing for a container. */
void alm_json_put_scalar(alm_buf *out, const alm_json *v);

#endif
