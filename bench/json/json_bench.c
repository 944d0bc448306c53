/* SPDX-License-Identifier: Apache-2.0
 *
 * json_bench.c - how fast JSON is read, beside jansson and cJSON on the same file in the same run.
 *
 *     json_bench make FILE BYTES SEED     documents of mixed kinds, each ended by RS (0x1E) and a line feed
 *     json_bench run ours|jansson|cjson FILE [ROUNDS]
 *
 * Measured is user CPU time of one thread over all documents: to read each, and for the peers to free each again (ours
 * keeps its tape). Ours decodes in place, so each round gets a fresh copy, made before the clock starts. Output: one JSON
 * object with MB/s (10^6 bytes) of the median, the best and the worst round. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#ifdef HAVE_JANSSON
#include <jansson.h>
#endif
#ifdef HAVE_CJSON
#include <cjson/cJSON.h>
#endif

/* ---- the documents ---- */
static const char *const NAME[] = {"anna", "jürgen", "greta", "john", "mehmet", "zoë", "søren", "marie"};
static const char *const WORD[] = {"payment", "accepted", "refused", "Übertragung", "queue", "timeout",
                                   "session", "opened",   "closed",  "for",         "user",  "Fehler"};
static const char *const LEVEL[] = {"debug", "info", "info", "info", "warn", "error"};

static const char *pick(alm_rng *r, const char *const *list, size_t n) { return list[alm_rng_below(r, (uint32_t)n)]; }
#define PICK(list) pick(r, list, sizeof list / sizeof *list)

static void log_line(alm_buf *b, alm_rng *r) {
    alm_json_writer w = alm_json_writer_on(b);
    alm_json_begin_object(&w);
    alm_json_key(&w, "time");
    char t[64];
    snprintf(t, sizeof t, "2026-03-%02uT%02u:%02u:%02u.%03uZ", 1 + alm_rng_below(r, 28), alm_rng_below(r, 24),
             alm_rng_below(r, 60), alm_rng_below(r, 60), alm_rng_below(r, 1000));
    alm_json_text(&w, t);
    alm_json_key(&w, "level"), alm_json_text(&w, PICK(LEVEL));
    alm_json_key(&w, "service"), alm_json_text(&w, "checkout");
    alm_buf text = alm_buf_with_limit(4096);
    for (uint32_t n = 3 + alm_rng_below(r, 12); n > 0; n--) alm_buf_printf(&text, "%s%s", PICK(WORD), n > 1 ? " " : "");
    if (alm_rng_below(r, 20) == 0)
        alm_buf_add_text(&text, "\n\tat shop.Pool.take(Pool.java:88)\n\tat shop.Cart.add(Cart.java:31)");
    alm_json_key(&w, "msg"), alm_json_string(&w, alm_buf_str(&text));
    alm_buf_free(&text);
    alm_json_key(&w, "ms"), alm_json_number(&w, (double)alm_rng_below(r, 100000) / 8);
    alm_json_key(&w, "status"), alm_json_u64(&w, 200 + 100 * alm_rng_below(r, 4));
    alm_json_key(&w, "user");
    alm_json_begin_object(&w);
    alm_json_key(&w, "id"), alm_json_u64(&w, alm_rng_below(r, 1000000));
    alm_json_key(&w, "name"), alm_json_text(&w, PICK(NAME));
    alm_json_key(&w, "admin"), alm_json_bool(&w, alm_rng_below(r, 9) == 0);
    alm_json_key(&w, "ref"), alm_json_null(&w);
    alm_json_end_object(&w);
    alm_json_end_object(&w);
}

static void number_table(alm_buf *b, alm_rng *r) {
    alm_json_writer w = alm_json_writer_on(b);
    alm_json_begin_array(&w);
    for (int i = 0; i < 20; i++) {
        alm_json_begin_array(&w);
        for (int k = 0; k < 30; k++) alm_json_number(&w, alm_rng_f64(r) * 100);
        alm_json_end_array(&w);
    }
    alm_json_end_array(&w);
}

/* As a person or a tool writes a configuration: four blanks a level. */
static void indented(alm_buf *b, alm_rng *r) {
    alm_buf_add_text(b, "{\n    \"services\": [");
    for (int i = 0; i < 12; i++)
        alm_buf_printf(
            b,
            "%s\n        {\n            \"name\": \"%s\",\n            \"replicas\": %u,\n            \"labels\": {\n  "
            "              \"team\": \"%s\",\n                \"critical\": true\n            }\n        }",
            i ? "," : "", PICK(NAME), alm_rng_below(r, 9), PICK(WORD));
    alm_buf_add_text(b, "\n    ]\n}");
}

static int make(const char *path, size_t bytes, uint64_t seed) {
    alm_rng rng = alm_rng_seed(seed, 0, 0), *r = &rng;
    alm_write w;
    alm_error err;
    size_t done = 0;
    if (alm_write_begin(&w, path, &err) != ALM_OK) return fprintf(stderr, "%s\n", err.text), 5;
    while (done < bytes) {
        alm_buf b = alm_buf_with_limit(1 << 20);
        uint32_t kind = alm_rng_below(r, 100);
        if (kind < 96) log_line(&b, r);
        else if (kind < 98) number_table(&b, r);
        else indented(&b, r);
        alm_buf_add_text(&b, "\x1e\n");
        done += b.n;
        alm_write_add(&w, b.at, b.n);
        alm_buf_free(&b);
    }
    if (alm_write_commit(&w, &err) != ALM_OK) return fprintf(stderr, "%s\n", err.text), 5;
    return 0;
}

/* ---- the readers ---- */
static size_t read_ours(char *t, size_t n) {
    alm_json_doc doc = {0};
    alm_error err;
    size_t values = 0;
    for (char *end; n > 0; n -= (size_t)(end + 2 - t), t = end + 2) {
        end = memchr(t, 0x1e, n);
        if (alm_json_parse(&doc, t, (size_t)(end - t), NULL, NULL, &err) != ALM_OK)
            fprintf(stderr, "%s\n", err.text), exit(5);
        values += doc.n_node;
    }
    alm_json_doc_free(&doc);
    return values;
}

#ifdef HAVE_JANSSON
static size_t read_jansson(char *t, size_t n) {
    size_t docs = 0;
    json_error_t err;
    for (char *end; n > 0; n -= (size_t)(end + 2 - t), t = end + 2, docs++) {
        end = memchr(t, 0x1e, n);
        json_t *v = json_loadb(t, (size_t)(end - t), JSON_DECODE_ANY, &err);
        if (v == NULL) fprintf(stderr, "jansson: %s\n", err.text), exit(5);
        json_decref(v);
    }
    return docs;
}
#endif
#ifdef HAVE_CJSON
static size_t read_cjson(char *t, size_t n) {
    size_t docs = 0;
    for (char *end; n > 0; n -= (size_t)(end + 2 - t), t = end + 2, docs++) {
        end = memchr(t, 0x1e, n);
        cJSON *v = cJSON_ParseWithLength(t, (size_t)(end - t));
        if (v == NULL) fprintf(stderr, "cJSON refuses\n"), exit(5);
        cJSON_Delete(v);
    }
    return docs;
}
#endif

static double user_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int run(const char *who, const char *path, int rounds) {
    size_t (*reader)(char *, size_t) = NULL;
    alm_map m;
    alm_error err;
    double s[64];
    if (strcmp(who, "ours") == 0) reader = read_ours;
#ifdef HAVE_JANSSON
    if (strcmp(who, "jansson") == 0) reader = read_jansson;
#endif
#ifdef HAVE_CJSON
    if (strcmp(who, "cjson") == 0) reader = read_cjson;
#endif
    if (reader == NULL) return fprintf(stderr, "%s is not built in\n", who), 2;
    if (rounds < 1 || rounds > 64) rounds = 5;
    if (alm_map_open(&m, path, &err) != ALM_OK) return fprintf(stderr, "%s\n", err.text), 5;
    char *copy = malloc(m.n);
    if (copy == NULL) return 5;
    for (int i = 0; i < rounds; i++) {
        memcpy(copy, m.at, m.n);
        double before = user_seconds();
        reader(copy, m.n);
        s[i] = user_seconds() - before;
    }
    qsort(s, (size_t)rounds, sizeof *s, by_size);
    double mb = (double)m.n / 1e6;
    printf("{\"reader\":\"%s\",\"MB\":%.1f,\"rounds\":%d,\"user_s\":%.3f,\"MB_per_s\":%.0f,\"best\":%.0f,\"worst\":%."
           "0f}\n",
           who, mb, rounds, s[rounds / 2], mb / s[rounds / 2], mb / s[0], mb / s[rounds - 1]);
    alm_map_close(&m);
    free(copy);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
    if (argc >= 4 && strcmp(argv[1], "run") == 0) return run(argv[2], argv[3], argc > 4 ? atoi(argv[4]) : 5);
    fprintf(stderr, "usage: json_bench make FILE BYTES SEED | json_bench run ours|jansson|cjson FILE [ROUNDS]\n");
    return 2;
}
