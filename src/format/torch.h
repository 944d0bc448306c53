/* SPDX-License-Identifier: Apache-2.0
 *
 * format/torch.h - what torch.save writes: a zip archive with a pickle in it (since PyTorch 1.6), or pickles in a row with
 * the data behind them (before). Specified in docs/format/torch.md; the pickles in docs/format/pickle.md.
 *
 * Nothing in a file is ever run. All tensors of it are listed, however deep they lie in dictionaries and lists: "model.h.0.w"
 * for {"model": {"h": [{"w": ...}]}}. Tensors that lie in memory row by row are used in place; other views are copied, within
 * a bound. A file that opens is wholly checked; a refusal names its class: "FILE: unsafe_code: ..." (ALM_REFUSED for what
 * would run or lead elsewhere, else ALM_MALFORMED, ALM_UNSUPPORTED, ALM_LIMIT, ALM_NOT_FOUND). */
#ifndef ALM_FORMAT_TORCH_H
#define ALM_FORMAT_TORCH_H

#include "base/error.h"
#include "format/safetensors.h"

enum { ALM_TORCH_MAX_TENSORS = 1 << 18, ALM_TORCH_MAX_NAME = 512 };

typedef struct alm_torch alm_torch;
/* Maps the file. A bare pickle opens, too: it has no tensors. */
alm_status alm_torch_open(alm_torch **out, const char *path, alm_error *err);
/* The same over bytes that outlive it, as does `name`, which stands in messages. */
alm_status alm_torch_parse(alm_torch **out, const char *name, alm_str bytes, alm_error *err);
void alm_torch_close(alm_torch *t); /* NULL is fine */

size_t alm_torch_tensor_count(const alm_torch *t);
/* In the bytewise order of the names; described as in safetensors. What shares a storage shares its bytes. */
const alm_safetensors_tensor *alm_torch_tensor_at(const alm_torch *t, size_t i);
const alm_safetensors_tensor *alm_torch_find(const alm_torch *t, alm_str name); /* or NULL */

#endif
