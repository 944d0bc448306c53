/* SPDX-License-Identifier: Apache-2.0
 *
 * dtype/iq_grid.c - the codebooks of the IQ types: facts of the format, which its makers found by search. */
#include "dtype/iq_grid.h"

#include "dtype/iq_grid.inc"
