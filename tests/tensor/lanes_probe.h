/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/lanes_probe.h - one probe per instruction set; false: there is no operation of that number. */
#ifndef LANES_PROBE_H
#define LANES_PROBE_H

#include <stdbool.h>
#include <stddef.h>

typedef bool lanes_probe(int op, float *out, const float *a, const float *b, const float *c, size_t count);
#define ALM_KERNEL_SET(name, needs) lanes_probe probe_##name;
#include "tensor/kernel/kernels.def"
#undef ALM_KERNEL_SET

#endif
