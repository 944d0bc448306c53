/* SPDX-License-Identifier: Apache-2.0
 *
 * base/memory.h - how much memory is left. */
#ifndef ALM_BASE_MEMORY_H
#define ALM_BASE_MEMORY_H

#include <stddef.h>

/* Bytes that this process may still take: the machine's available memory, or less where a cgroup allows less; 0: unknown. */
size_t alm_memory_free(void);

#endif
