/* SPDX-License-Identifier: Apache-2.0
 *
 * typed.c - typed commands as data: reads .t files, runs each case, compares screen and exit code; one TAP line a case.
 *
 *     # a remark
 *     % command     a line of set-up; above the first case it is run for every case of the file, else for its own
 *     == sentence   begins a case: what is true
 *     needs: WORD   the case is skipped where that command is missing
 *     language: de  the case is run in German; without it in English, and a German run of the suite compares only the
 *                   exit code, whether there was a message, and standard output
 *     words:        standard output is in the user's language too: a German run does not compare it
 *     | line        a line of standard input
 *     $ command     what is typed (several lines are one script)
 *     > line        standard output is exactly these lines (none: it is empty)
 *     >~ regex      some line matches (POSIX extended); lines with > then only have to be among the rest
 *     >! regex      no line matches; likewise
 *     >*            may be anything
 *     2> 2>~ 2>! 2>*  the same for standard error
 *     ? 2           the exit code; without this line it is 0 */
#include "typed.h"
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PATTERNS = 64 };

typedef struct text {
    char *at;
    size_t n;
} text;

typedef struct expected {
    text exact;
    bool any;
    struct {
        char *regex;
        bool must;
    } pattern[MAX_PATTERNS];
    size_t n_pattern;
} expected;

typedef struct test_case {
    char *name;
    text setup, input, script;
    char *needs;
    expected out, err;
    bool german, words, has_input;
    int code, line;
} test_case;

static int n_case, n_failed;

static void *must(void *p) {
    if (!p) puts("Bail out! no memory"), exit(99);
    return p;
}

static void add(text *t, const char *line) {
    size_t n = strlen(line);
    t->at = must(realloc(t->at, t->n + n + 2));
    memcpy(t->at + t->n, line, n);
    t->n += n;
    t->at[t->n++] = '\n';
    t->at[t->n] = '\0';
}

static const char *of(const text *t) { return t->at ? t->at : ""; }

static void expect(expected *e, const char *rest) {
    if (*rest == '*') e->any = true;
    else if (*rest == '~' || *rest == '!') {
        if (e->n_pattern == MAX_PATTERNS) puts("Bail out! too many patterns in one case"), exit(99);
        e->pattern[e->n_pattern].must = *rest == '~';
        e->pattern[e->n_pattern++].regex = must(strdup(rest[1] == ' ' ? rest + 2 : rest + 1));
    } else add(&e->exact, *rest == ' ' ? rest + 1 : rest);
}

static bool line_matches(const char *regex, const char *all) {
    regex_t re;
    if (regcomp(&re, regex, REG_EXTENDED | REG_NEWLINE | REG_NOSUB) != 0) {
        printf("# bad regex: %s\n", regex);
        return false;
    }
    bool found = regexec(&re, all, 0, NULL, 0) == 0;
    regfree(&re);
    return found;
}

static void show(const char *label, const char *all) {
    printf("#   %s:\n", label);
    char *copy = must(strdup(all)), *save = NULL;
    int n = 0;
    for (char *l = strtok_r(copy, "\n", &save); l && n < 25; l = strtok_r(NULL, "\n", &save), n++)
        printf("#     %.300s\n", l);
    free(copy);
}

/* `line` ends at its line end. */
static bool has_line(const char *all, const char *line) {
    size_t n = strcspn(line, "\n");
    for (; *all; all += strcspn(all, "\n"), all += *all == '\n')
        if (strcspn(all, "\n") == n && memcmp(all, line, n) == 0) return true;
    return false;
}

/* NULL: as expected. Otherwise the reason. */
static const char *differs(const expected *e, const char *got, char *why, size_t n) {
    if (e->exact.n && (e->any || e->n_pattern)) {
        for (const char *line = e->exact.at; *line; line = strchr(line, '\n') + 1)
            if (!has_line(got, line))
                return snprintf(why, n, "a line is missing: %.*s", (int)strcspn(line, "\n"), line), why;
    } else if (!e->any && !e->n_pattern && strcmp(of(&e->exact), got) != 0)
        return snprintf(why, n, "the lines differ"), why;
    for (size_t i = 0; i < e->n_pattern; i++)
        if (line_matches(e->pattern[i].regex, got) != e->pattern[i].must)
            return snprintf(why, n, "%s line matches %s", e->pattern[i].must ? "no" : "a", e->pattern[i].regex), why;
    return NULL;
}

static bool expects_something(const expected *e) {
    for (size_t i = 0; i < e->n_pattern; i++)
        if (e->pattern[i].must) return true;
    return e->exact.n > 0;
}

static void free_expected(expected *e) {
    free(e->exact.at);
    for (size_t i = 0; i < e->n_pattern; i++) free(e->pattern[i].regex);
}

static void free_case(test_case *c) {
    free(c->name);
    free(c->setup.at), free(c->input.at), free(c->script.at);
    free(c->needs);
    free_expected(&c->out), free_expected(&c->err);
    *c = (test_case){0};
}

static void run_case(const char *file, const text *common, test_case *c) {
    n_case++;
    const char *short_name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    const char *folder = typed_folder();
    if (c->needs) {
        char probe[200];
        snprintf(probe, sizeof probe, "command -v %.100s >/dev/null", c->needs);
        typed_result r = typed_run(folder, probe, NULL, false);
        bool absent = r.code != 0;
        typed_result_free(&r);
        if (absent) {
            printf("ok %d - %s: %s # SKIP no %s here\n", n_case, short_name, c->name, c->needs);
            return;
        }
    }
    text setup = {0};
    if (common->n) add(&setup, common->at);
    if (c->setup.n) add(&setup, c->setup.at);
    char why[400] = "";
    typed_result r = {0};
    if (setup.n) {
        text strict = {0};
        add(&strict, "set -e");
        add(&strict, setup.at);
        r = typed_run(folder, strict.at, NULL, false);
        if (r.code != 0) snprintf(why, sizeof why, "the set-up ends with %d", r.code);
        free(strict.at);
    }
    if (!*why) {
        typed_result_free(&r);
        bool german_run = typed_under_german(), compare_words = !german_run || c->german;
        r = typed_run(folder, of(&c->script), c->has_input ? of(&c->input) : NULL, c->german || german_run);
        if (r.code != c->code) snprintf(why, sizeof why, "exit code %d, not %d", r.code, c->code);
        if (!*why && (compare_words || !c->words)) differs(&c->out, r.out, why, sizeof why);
        if (!*why && compare_words) differs(&c->err, r.err, why, sizeof why);
        else if (!*why && expects_something(&c->err) && !*r.err) snprintf(why, sizeof why, "no message");
    }
    free(setup.at);
    if (!*why) {
        printf("ok %d - %s: %s\n", n_case, short_name, c->name);
    } else {
        n_failed++;
        printf("not ok %d - %s: %s\n# %s:%d: %s\n", n_case, short_name, c->name, file, c->line, why);
        show("typed", of(&c->script));
        if (c->out.exact.n) show("expected output", c->out.exact.at);
        show("output", r.out ? r.out : "");
        if (c->err.exact.n) show("expected on stderr", c->err.exact.at);
        show("stderr", r.err ? r.err : "");
    }
    fflush(stdout);
    typed_result_free(&r);
}

static void run_file(const char *file, const char *only) {
    FILE *f = fopen(file, "r");
    if (!f) {
        printf("Bail out! cannot open %s\n", file);
        exit(99);
    }
    char *line = NULL;
    size_t cap = 0;
    text common = {0};
    test_case c = {0};
    bool inside = false;
    for (int number = 1; getline(&line, &cap, f) > 0; number++) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line[0] && line[1] == ' ' ? line + 2 : line + 1;
        if (!line[0] || line[0] == '#') continue;
        if (strncmp(line, "== ", 3) == 0) {
            if (inside && (!only || strstr(c.name, only))) run_case(file, &common, &c);
            free_case(&c);
            c = (test_case){.name = must(strdup(line + 3)), .line = number};
            inside = true;
        } else if (line[0] == '%') add(inside ? &c.setup : &common, rest);
        else if (line[0] == '|') add(&c.input, rest), c.has_input = true;
        else if (line[0] == '$') add(&c.script, rest);
        else if (line[0] == '>') expect(&c.out, line + 1);
        else if (strncmp(line, "2>", 2) == 0) expect(&c.err, line + 2);
        else if (line[0] == '?') c.code = atoi(rest);
        else if (strncmp(line, "needs: ", 7) == 0) c.needs = must(strdup(line + 7));
        else if (strcmp(line, "language: de") == 0) c.german = true;
        else if (strcmp(line, "words:") == 0) c.words = true;
        else {
            printf("Bail out! %s:%d: what is this? %s\n", file, number, line);
            exit(99);
        }
    }
    if (inside && (!only || strstr(c.name, only))) run_case(file, &common, &c);
    free_case(&c);
    free(line);
    free(common.at);
    fclose(f);
}

/* typed FILE.t… [--only PART OF A NAME] */
int main(int argc, char **argv) {
    const char *only = NULL;
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--only") == 0) only = argv[i + 1], argc = i;
    puts("TAP version 13");
    for (int i = 1; i < argc; i++) run_file(argv[i], only);
    printf("1..%d\n", n_case);
    return n_failed != 0;
}
