/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_torch.c - tensors of PyTorch's files can be read to the last byte.
 *
 * Questions: shape, type and bytes of every tensor agree; all its bytes can be read; names are in order, occur once and find
 * their tensor; what is laid out anew stays within its bound. */
#include "format/torch.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_torch *t;
    if (alm_torch_parse(&t, "fuzz", (alm_str){(const char *)data, n}, NULL) != ALM_OK) return 0;
    size_t n_copied = 0;
    unsigned sum = 0;
    for (size_t i = 0; i < alm_torch_tensor_count(t); i++) {
        const alm_safetensors_tensor *x = alm_torch_tensor_at(t, i);
        uint64_t items = 1;
        for (uint32_t k = 0; k < x->n_dims; k++) items *= x->dim[k];
        CHECK(items == x->n_items && items * alm_safetensors_type_bits(x->type) == 8 * (uint64_t)x->n_bytes);
        CHECK(alm_torch_find(t, x->name) == x && x->name.n > 0);
        CHECK(i == 0 || alm_str_cmp(alm_torch_tensor_at(t, i - 1)->name, x->name) < 0);
        for (size_t k = 0; k < x->n_bytes; k++) sum += x->at[k];
        if (x->n_bytes && (x->at < data || x->at >= data + n)) n_copied += x->n_bytes;
    }
    CHECK(n_copied <= n + (16 << 20));
    __asm__ volatile("" : : "r"(sum)); /* the bytes were read, whatever they are */
    alm_torch_close(t);
    return 0;
}
