/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/tokenizer/tokenizer_speed.c - how fast a tokenizer is opened and applied: processor time, one line of JSON, the best of three.
 *
 *     bench TOKENIZER FILE      each line of FILE is a text */
#include "base/file.h"
#include "text/tokenizer.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(alm_status st, const alm_error *err) {
    if (st == ALM_OK) return;
    fprintf(stderr, "bench: %s\n", err->text);
    exit(5);
}

/* The whole file by lines; a new scratch each time, so that nothing is remembered from the run before. */
static double encode_all(const alm_tokenizer *t, alm_str all, size_t *n_id) {
    alm_error err = {0};
    alm_tokenizer_scratch *s = NULL;
    alm_buf ids = alm_buf_with_limit((size_t)-1);
    alm_str line;
    *n_id = 0;
    double start = cpu_seconds();
    must(alm_tokenizer_scratch_new(&s, t, &err), &err);
    while (alm_str_split(&all, '\n', &line)) {
        alm_buf_clear(&ids);
        must(alm_tokenizer_encode(t, s, line, ALM_SPECIALS_OWN, &ids, &err), &err);
        *n_id += ids.n / 4;
    }
    double seconds = cpu_seconds() - start;
    alm_buf_free(&ids);
    alm_tokenizer_scratch_free(s);
    return seconds;
}

int main(int argc, char **argv) {
    alm_error err = {0};
    alm_map file = {0};
    alm_tokenizer *t = NULL;
    if (argc != 3) return 2;
    must(alm_map_open(&file, argv[2], &err), &err);
    double start = cpu_seconds();
    must(alm_tokenizer_open(&t, argv[1], NULL, &err), &err);
    double opened = cpu_seconds() - start, best = 1e9;
    size_t n_id = 0;
    for (int i = 0; i < 3; i++) {
        double s = encode_all(t, alm_str_make((const char *)file.at, file.n), &n_id);
        if (s < best) best = s;
    }
    const char *name = argv[1];
    for (const char *c = name; *c; c++)
        if (*c == '/') name = c + 1;
    printf("{\"tokenizer\":\"%s\",\"kind\":\"%s\",\"n_vocab\":%zu,\"open_ms\":%.0f,\"mb\":%.1f,\"encode_mb_s\":%.1f,"
           "\"bytes_per_id\":%.2f}\n",
           name, alm_tokenizer_kind(t), alm_tokenizer_vocab(t), opened * 1e3, (double)file.n / 1e6,
           (double)file.n / 1e6 / best, (double)file.n / (double)n_id);
    alm_tokenizer_free(t);
    alm_map_close(&file);
    return 0;
}
