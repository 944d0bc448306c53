/* SPDX-License-Identifier: Apache-2.0
 *
 * score.c - what of the incidents was found: joins the demo's labels with what `alm detect` said.
 *
 *   score [--de] DIR DETECT.ndjson
 *
 * An incident is found when at least one alarm stands on one of its lines. The false-alarm rate counts alarms on lines
 * that belong to no incident, over all such records. Labels are read here and nowhere else. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include <stdio.h>
#include <stdlib.h>

#define MAX_LINES     ((size_t)4 << 20)
#define MAX_INCIDENTS 64

typedef struct incident {
    alm_str key, difficulty, title;
    uint64_t n_alarm, first_alarm_line, n_line;
} incident;

static void die(const char *what) {
    fprintf(stderr, "score: %s\n", what);
    exit(5);
}

static void read_in(alm_buf *out, const char *dir, const char *name) {
    char path[4096];
    alm_error err;
    snprintf(path, sizeof path, "%s%s%s", dir, *dir ? "/" : "", name);
    if (alm_file_read(out, path, &err) != ALM_OK) die(err.text);
}

static alm_str german_of(alm_str difficulty) {
    if (alm_str_eq(difficulty, ALM_STR("easy"))) return ALM_STR("leicht");
    if (alm_str_eq(difficulty, ALM_STR("medium"))) return ALM_STR("mittel");
    return alm_str_eq(difficulty, ALM_STR("words")) ? ALM_STR("Worte") : ALM_STR("schwer");
}

static size_t read_incidents(incident *list, alm_str rest, bool german) {
    size_t n = 0;
    for (alm_str line; alm_str_split(&rest, '\n', &line) && n < MAX_INCIDENTS;) {
        incident *x = &list[n];
        alm_str de;
        if (alm_str_split(&line, '\t', &x->key) && alm_str_split(&line, '\t', &x->difficulty) &&
            alm_str_split(&line, '\t', &x->title) && alm_str_split(&line, '\t', &de)) {
            if (german) x->title = de, x->difficulty = german_of(x->difficulty);
            n++;
        }
    }
    return n;
}

static void read_labels(uint8_t *of_line, incident *list, size_t n, alm_str rest) {
    for (alm_str line; alm_str_split(&rest, '\n', &line);) {
        alm_str number, key;
        uint64_t at;
        if (!alm_str_split(&line, '\t', &number) || !alm_str_split(&line, '\t', &key) || !alm_str_to_u64(number, &at))
            continue;
        for (size_t i = 0; i < n; i++)
            if (at < MAX_LINES && alm_str_eq(list[i].key, key)) of_line[at] = (uint8_t)(i + 1), list[i].n_line++;
    }
}

int main(int argc, char **argv) {
    bool german = argc > 1 && !strcmp(argv[1], "--de");
    if (argc != 3 + german) {
        fprintf(stderr, "usage: score [--de] DIR DETECT.ndjson\n");
        return 2;
    }
    const char *dir = argv[1 + german];
    alm_buf table = alm_buf_with_limit(1 << 20), labels = alm_buf_with_limit(64 << 20),
            out = alm_buf_with_limit((size_t)4 << 30);
    read_in(&table, dir, "incidents.tsv");
    read_in(&labels, dir, "labels.tsv");
    read_in(&out, "", argv[2 + german]);
    static incident list[MAX_INCIDENTS];
    static uint8_t of_line[MAX_LINES];
    size_t n = read_incidents(list, alm_buf_str(&table), german);
    read_labels(of_line, list, n, alm_buf_str(&labels));

    uint64_t n_record = 0, n_ordinary = 0, n_false = 0;
    alm_json_doc doc = {0};
    for (char *at = out.at, *end = out.at + out.n; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        alm_error err;
        int64_t line;
        if (alm_json_parse(&doc, at, (size_t)(stop - at), NULL, NULL, &err) != ALM_OK) die(err.text);
        const alm_json *alarm = alm_json_get(doc.node, "alarm");
        if (alarm && alm_json_i64(alm_json_get(doc.node, "line"), &line) && line > 0 && (uint64_t)line < MAX_LINES) {
            uint8_t which = of_line[line];
            bool loud = alarm->type == ALM_JSON_TRUE;
            n_record++;
            n_ordinary += !which;
            n_false += !which && loud;
            if (which && loud && !list[which - 1].n_alarm++) list[which - 1].first_alarm_line = (uint64_t)line;
        }
        at = stop + 1;
    }
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        incident *x = &list[i];
        found += x->n_alarm > 0;
        printf("  %s %-7.*s %.*s", x->n_alarm ? "\xe2\x9c\x93" : "\xe2\x9c\x97", ALM_ARG(x->difficulty),
               ALM_ARG(x->title));
        if (x->n_alarm)
            printf(
                german ? " (%llu von %llu Zeilen, zuerst Zeile %llu)\n" : " (%llu of %llu lines, first at line %llu)\n",
                (unsigned long long)x->n_alarm, (unsigned long long)x->n_line, (unsigned long long)x->first_alarm_line);
        else puts(german ? " (nicht gefunden)" : " (not found)");
    }
    printf(german ? "Gefunden: %zu von %zu Vorfällen. Fehlalarme: %llu von %llu gewöhnlichen Einträgen (%.2f %%).\n"
                  : "Found: %zu of %zu incidents. False alarms: %llu of %llu ordinary records (%.2f %%).\n",
           found, n, (unsigned long long)n_false, (unsigned long long)n_ordinary,
           n_ordinary ? 100.0 * (double)n_false / (double)n_ordinary : 0.0);
    alm_json_doc_free(&doc);
    alm_buf_free(&table), alm_buf_free(&labels), alm_buf_free(&out);
    return n_record ? 0 : 5;
}
