/* SPDX-License-Identifier: Apache-2.0
 *
 * kv.c - keys and values that attention has already computed: pages that grow with the document and stay until it is freed.
 *
 * Invariant: layer[i].page has pages for positions [0, n_pages * 256), of which [0, filled) hold numbers. */
#include "tensor/kv.h"

#include "base/alloc.h"

typedef struct page {
    void *block; /* as the heap gave it */
    float *at;   /* aligned to 64 */
} page;

typedef struct layer {
    size_t n_kv_heads, head_dim, filled;
    page *page;
    size_t n_pages, cap_pages;
} layer;

struct alm_kv {
    layer *layer;
    size_t n_layers, cap_layers;
};

static size_t up16(size_t n) { return (n + 15) & ~(size_t)15; }

/* Numbers of one kv head in a page: keys, then values. */
static size_t head_numbers(size_t head_dim) { return (head_dim + up16(head_dim)) * ALM_KV_PAGE; }

static bool page_bytes(size_t *out, size_t n_kv_heads, size_t head_dim) {
    return head_dim < SIZE_MAX / (16 * ALM_KV_PAGE) && alm_mul_size(out, n_kv_heads, head_numbers(head_dim)) &&
           alm_mul_size(out, *out, sizeof(float)) && alm_add_size(out, *out, 64 + sizeof(page));
}

size_t alm_kv_bytes(size_t n_kv_heads, size_t head_dim, size_t n) {
    size_t bytes;
    if (!page_bytes(&bytes, n_kv_heads, head_dim)) return SIZE_MAX;
    return alm_mul_size(&bytes, bytes, n / ALM_KV_PAGE + (n % ALM_KV_PAGE != 0)) ? bytes : SIZE_MAX;
}

alm_status alm_kv_new(alm_kv **out, alm_error *err) {
    alm_kv *kv = alm_calloc(1, sizeof *kv);
    if (!kv) return alm_fail_memory(err);
    return *out = kv, ALM_OK;
}

void alm_kv_free(alm_kv *kv) {
    if (!kv) return;
    for (size_t i = 0; i < kv->n_layers; i++) {
        for (size_t k = 0; k < kv->layer[i].n_pages; k++) alm_free(kv->layer[i].page[k].block);
        alm_free(kv->layer[i].page);
    }
    alm_free(kv->layer);
    alm_free(kv);
}

size_t alm_kv_length(const alm_kv *kv) {
    size_t n = kv->n_layers ? SIZE_MAX : 0;
    for (size_t i = 0; i < kv->n_layers; i++)
        if (kv->layer[i].filled < n) n = kv->layer[i].filled;
    return n;
}

void alm_kv_truncate(alm_kv *kv, size_t n) {
    for (size_t i = 0; i < kv->n_layers; i++)
        if (kv->layer[i].filled > n) kv->layer[i].filled = n;
}

alm_status alm_kv_reserve(alm_kv *kv, size_t number, size_t n_kv_heads, size_t head_dim, size_t end) {
    if (number >= kv->n_layers) {
        if (!alm_grow((void **)&kv->layer, &kv->cap_layers, number + 1, sizeof *kv->layer)) return ALM_NO_MEMORY;
        for (; kv->n_layers <= number; kv->n_layers++) kv->layer[kv->n_layers] = (layer){0};
    }
    layer *l = &kv->layer[number];
    if (l->n_pages > 0 && (l->n_kv_heads != n_kv_heads || l->head_dim != head_dim)) return ALM_MISMATCH;
    size_t need = end / ALM_KV_PAGE + (end % ALM_KV_PAGE != 0), bytes;
    if (!page_bytes(&bytes, n_kv_heads, head_dim) ||
        (need > l->n_pages && !alm_grow((void **)&l->page, &l->cap_pages, need, sizeof *l->page)))
        return ALM_NO_MEMORY;
    l->n_kv_heads = n_kv_heads, l->head_dim = head_dim;
    for (; l->n_pages < need; l->n_pages++) {
        unsigned char *block = alm_calloc(1, bytes);
        if (!block) return ALM_NO_MEMORY;
        l->page[l->n_pages] = (page){block, (float *)(void *)(block + ((size_t)(0 - (uintptr_t)block) & 63))};
    }
    return ALM_OK;
}

size_t alm_kv_filled(const alm_kv *kv, size_t number) { return number < kv->n_layers ? kv->layer[number].filled : 0; }
void alm_kv_set_filled(alm_kv *kv, size_t number, size_t n) { kv->layer[number].filled = n; }

float *alm_kv_keys(const alm_kv *kv, size_t number, size_t block, size_t kv_head) {
    const layer *l = &kv->layer[number];
    return l->page[block].at + kv_head * head_numbers(l->head_dim);
}

float *alm_kv_values(const alm_kv *kv, size_t number, size_t block, size_t kv_head) {
    return alm_kv_keys(kv, number, block, kv_head) + kv->layer[number].head_dim * ALM_KV_PAGE;
}
