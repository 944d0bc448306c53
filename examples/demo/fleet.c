/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet.c - writes the logs of a small fleet: a shop with web server, database, mailer and billing, a Kubernetes node,
 * kernels, a bastion with sshd, metrics in JSON; users in Germany and abroad; a daily and weekly rhythm.
 *
 *   fleet [--seed N] [--days N] [--learn-days N] [--rename] DIR
 *
 * DIR/fleet-learn.log   ordinary life, for `alm learn`
 * DIR/fleet-stream.log  the days after that, with incidents in it, for `alm detect`
 * DIR/labels.tsv        line <TAB> incident: which lines of fleet-stream.log belong to an incident (for scoring only)
 * DIR/incidents.tsv     key, difficulty, English and German title
 * --rename: people, goods, services and machines are called otherwise, by the seed (names.c)
 *
 * The same seed writes the same bytes on every machine: random numbers are Philox, and no function of libm is called. */
#include "fleet.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>

#define FIRST_DAY 20514 /* 2026-03-02, a Monday, in days since 1970 */

static void die(const char *what) {
    fprintf(stderr, "fleet: %s\n", what);
    exit(5);
}

void fleet_say(fleet *f, int64_t at_ms, uint8_t incident, const char *host, const char *service, const char *format,
               ...) {
    if (at_ms < 0 || at_ms >= f->days * DAY) return; /* an order that would end after the last midnight */
    void *events = f->event;
    if (!alm_grow(&events, &f->cap, f->n_event + 1, sizeof *f->event)) die("not enough memory");
    f->event = events;
    size_t from = f->text.n;
    alm_buf_printf(&f->text, "%s %s: ", host, service);
    va_list args;
    va_start(args, format);
    alm_buf_vprintf(&f->text, format, args);
    va_end(args);
    if (f->rename && !f->text.failed) fleet_rename(&f->text, from, f->rename);
    if (f->text.failed) die("not enough memory");
    f->event[f->n_event] = (fleet_event){at_ms, (uint32_t)f->n_event, (uint32_t)(f->text.n - from), from, incident};
    f->n_event++;
}

uint32_t fleet_below(fleet *f, uint32_t n) { return alm_rng_below(&f->rng, n); }
bool fleet_chance(fleet *f, double p) { return alm_rng_f64(&f->rng) < p; }
int64_t fleet_between(fleet *f, int64_t low, int64_t high) {
    return low + (int64_t)fleet_below(f, (uint32_t)(high - low));
}

double fleet_busy(int64_t at_ms) {
    static const double hour[25] = {0.18, 0.14, 0.12, 0.12, 0.13, 0.18, 0.30, 0.45, 0.62, 0.78, 0.90, 0.97, 1.00,
                                    0.95, 0.92, 0.90, 0.88, 0.90, 0.94, 0.96, 0.90, 0.70, 0.45, 0.28, 0.18};
    int64_t in_day = at_ms % DAY, day = at_ms / DAY % 7;
    int64_t h = in_day / HOUR;
    double part = (double)(in_day % HOUR) / (double)HOUR;
    double busy = hour[h] + (hour[h + 1] - hour[h]) * part;
    return day >= 5 ? busy * 0.7 : busy;
}

static int by_time(const void *a, const void *b) {
    const fleet_event *x = a, *y = b;
    if (x->at_ms != y->at_ms) return x->at_ms < y->at_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void open_in(alm_write *w, const char *dir, const char *name) {
    char path[4096];
    alm_error err;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (alm_write_begin(w, path, &err) != ALM_OK) die(err.text);
}

static void close_in(alm_write *w) {
    alm_error err;
    if (alm_write_commit(w, &err) != ALM_OK) die(err.text);
}

static void write_all(const fleet *f, const char *dir) {
    alm_write learn, stream, labels, table;
    open_in(&learn, dir, "fleet-learn.log");
    open_in(&stream, dir, "fleet-stream.log");
    open_in(&labels, dir, "labels.tsv");
    open_in(&table, dir, "incidents.tsv");
    alm_write_add(&labels, "line\tincident\n", 14);
    size_t line = 0, n_learn = 0;
    for (size_t i = 0; i < f->n_event; i++) {
        const fleet_event *e = &f->event[i];
        const char *text = f->text.at + e->text;
        bool in_stream = e->at_ms >= f->learn_days * DAY;
        alm_write *w = in_stream ? &stream : &learn;
        /* the collector's stamp: always with milliseconds */
        int64_t year, ms = e->at_ms % DAY;
        int month, day;
        char stamp[40];
        alm_civil_from_days(FIRST_DAY + e->at_ms / DAY, &year, &month, &day);
        int n = snprintf(stamp, sizeof stamp, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ", (int)year, month, day,
                         (int)(ms / HOUR), (int)(ms % HOUR / MINUTE), (int)(ms % MINUTE / SECOND), (int)(ms % SECOND));
        alm_write_add(w, stamp, (size_t)n);
        alm_write_add(w, text, e->n);
        alm_write_add(w, "\n", 1);
        size_t lines = 1;
        for (uint32_t k = 0; k < e->n; k++) lines += text[k] == '\n';
        if (!in_stream) {
            n_learn += lines;
            continue;
        }
        if (e->incident) {
            char row[64];
            n = snprintf(row, sizeof row, "%zu\t%s\n", line + 1, fleet_incidents[e->incident].key);
            alm_write_add(&labels, row, (size_t)n);
        }
        line += lines;
    }
    for (size_t i = 1; i < fleet_n_incidents; i++) {
        const fleet_incident *x = &fleet_incidents[i];
        char row[512];
        int n = snprintf(row, sizeof row, "%s\t%s\t%s\t%s\n", x->key, x->difficulty, x->title_en, x->title_de);
        alm_write_add(&table, row, (size_t)n);
    }
    close_in(&learn), close_in(&stream), close_in(&labels), close_in(&table);
    printf("%zu lines of ordinary life in %s/fleet-learn.log, %zu lines with %zu incidents in %s/fleet-stream.log\n",
           n_learn, dir, line, fleet_n_incidents - 1, dir);
}

int main(int argc, char **argv) {
    uint64_t seed = 2026, days = 18, learn_days = 14;
    bool rename = false;
    const char *dir = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--rename") == 0) {
            rename = true;
            continue;
        }
        uint64_t *number = !strcmp(argv[i], "--seed")         ? &seed
                           : !strcmp(argv[i], "--days")       ? &days
                           : !strcmp(argv[i], "--learn-days") ? &learn_days
                                                              : NULL;
        if (number && (++i == argc || !alm_str_to_u64(alm_str_of(argv[i]), number)))
            die("an option needs a whole number behind it");
        if (!number && argv[i][0] != '-') dir = argv[i];
        else if (!number) dir = NULL, i = argc;
    }
    if (!dir || learn_days < 1 || days < learn_days + 4 || days > 400) {
        fprintf(stderr,
                "usage: fleet [--seed N] [--days N] [--learn-days N] [--rename] DIR   (days at least 4 more than "
                "learn-days)\n");
        return 2;
    }
    alm_error err;
    if (alm_dir_make(dir, &err) != ALM_OK) die(err.text);
    fleet f = {.rng = alm_rng_seed(seed, 0, 0x666c6565 /* "flee" */),
               .days = (int64_t)days,
               .learn_days = (int64_t)learn_days,
               .text = alm_buf_with_limit((size_t)1 << 30),
               .pid_db = 2210,
               .pid_shop = 812,
               .rename = rename ? seed + 1 : 0};
    fleet_write_life(&f);
    fleet_write_incidents(&f);
    qsort(f.event, f.n_event, sizeof *f.event, by_time);
    write_all(&f, dir);
    alm_free(f.event);
    alm_buf_free(&f.text);
    return 0;
}
