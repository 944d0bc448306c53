/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/bpe/bench.c - how fast a vocabulary is learned and applied: MB/s of processor time, one line of JSON.
 *
 *     bench FILE N_VOCAB      each line of FILE is a document, as records are */
#include "base/alloc.h"
#include "base/file.h"
#include "text/bpe.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
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

int main(int argc, char **argv) {
    alm_error err = {0};
    alm_map file = {0};
    alm_bpe_trainer *t = NULL;
    alm_bpe *b = NULL;
    alm_bpe_scratch *s = NULL;
    if (argc != 3) return 2;
    must(alm_map_open(&file, argv[1], &err), &err);
    alm_str all = alm_str_make((const char *)file.at, file.n), rest = all, line;
    double mb = (double)file.n / 1e6, start = cpu_seconds();
    must(alm_bpe_trainer_new(&t, strtoul(argv[2], NULL, 10), &err), &err);
    while (alm_str_split(&rest, '\n', &line)) must(alm_bpe_trainer_feed(t, line, &err), &err);
    double counted = cpu_seconds();
    must(alm_bpe_trainer_finish(t, &b, &err), &err);
    double learned = cpu_seconds();
    alm_bpe_trainer_free(t);
    must(alm_bpe_scratch_new(&s, &err), &err);
    alm_buf ids = alm_buf_with_limit((size_t)-1), ends = ids;
    size_t n_id = 0;
    double from = cpu_seconds();
    for (rest = all; alm_str_split(&rest, '\n', &line);) {
        alm_buf_clear(&ids), alm_buf_clear(&ends);
        must(alm_bpe_encode(b, s, line, &ids, &ends, &err), &err);
        n_id += ids.n / 4;
    }
    double applied = cpu_seconds();
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    printf("{\"mb\":%.1f,\"n_vocab\":%zu,\"count_mb_s\":%.1f,\"merge_s\":%.3f,\"learn_mb_s\":%.1f,\"encode_mb_s\":%.1f,"
           "\"bytes_per_id\":%.2f,"
           "\"peak_mib\":%ld}\n",
           mb, alm_bpe_vocab(b), mb / (counted - start), learned - counted, mb / (learned - start),
           mb / (applied - from), (double)file.n / (double)n_id, use.ru_maxrss / 1024);
    alm_buf_free(&ids), alm_buf_free(&ends);
    alm_bpe_scratch_free(s);
    alm_bpe_free(b);
    alm_map_close(&file);
    return 0;
}
