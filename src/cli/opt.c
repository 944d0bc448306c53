/* SPDX-License-Identifier: Apache-2.0
 *
 * opt.c - reads a command line by the tables of opt.h.
 *
 * The caller hands in several tables (those of the command, those common to all), each with the struct that its rows
 * point into. Every value is checked against its row before it is stored, so a command that starts has only values in
 * range. Contradictions (`not_with`) are looked for at the end, when all is known. */
#include "cli/opt.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"
#include "cli/lang.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
    alm_opt_set *sets;
    size_t n_set;
    const char *who;
    char **argv;
    int argc, next;
    alm_error *err;
} reader;

/* ── finding a row, and the nearest one where there is none ─────────────────────────────────────────────────── */

unsigned alm_opt_distance(const char *a, const char *b) {
    enum { MAX = 40 };
    size_t n = strlen(a), m = strlen(b);
    if (n > MAX || m > MAX) return 16;
    unsigned row[3][MAX + 1];
    for (size_t j = 0; j <= m; j++) row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < best) best = up[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m] < 16 ? row[n % 3][m] : 16;
}

uint32_t alm_opt_nearness(const char *typed, const char *name) {
    size_t n = strlen(typed);
    if (n && strncmp(typed, name, n) == 0) return 0;
    unsigned d = alm_opt_distance(typed, name);
    /* One slip in a short word, two in a longer one: beyond that a hint would be a guess. */
    return d <= (strlen(name) < 5 ? 1U : 2U) ? d : UINT32_MAX;
}

static const alm_opt *find_long(reader *r, const char *name, size_t n, alm_opt_set **set) {
    for (size_t s = 0; s < r->n_set; s++)
        for (size_t i = 0; i < r->sets[s].n; i++) {
            const alm_opt *o = &r->sets[s].opt[i];
            if (o->name && strlen(o->name) == n && memcmp(o->name, name, n) == 0) return *set = &r->sets[s], o;
        }
    return NULL;
}

static const alm_opt *find_letter(reader *r, char letter, alm_opt_set **set) {
    for (size_t s = 0; s < r->n_set; s++)
        for (size_t i = 0; i < r->sets[s].n; i++)
            if (r->sets[s].opt[i].letter == letter) return *set = &r->sets[s], &r->sets[s].opt[i];
    return NULL;
}

static void hint_help(reader *r) { alm_hint(r->err, _("`%s --help` lists all options with examples"), r->who); }

static alm_status unknown_long(reader *r, const char *name) {
    const char *nearest = NULL, *second = NULL;
    uint32_t best = UINT32_MAX;
    for (size_t s = 0; s < r->n_set; s++)
        for (size_t i = 0; i < r->sets[s].n; i++) {
            const alm_opt *o = &r->sets[s].opt[i];
            if (!o->name || (o->flags & ALM_OPT_HIDDEN)) continue;
            uint32_t d = alm_opt_nearness(name, o->name);
            if (d == UINT32_MAX) continue;
            if (d < best) best = d, nearest = o->name, second = NULL;
            else if (d == best) second = o->name;
        }
    alm_fail(r->err, ALM_INVALID, _("unknown option: --%s"), name);
    if (!nearest) hint_help(r);
    else if (second)
        alm_hint(r->err, _("did you mean --%s or --%s? `%s --help` lists all options"), nearest, second, r->who);
    else alm_hint(r->err, _("did you mean --%s? `%s --help` lists all options"), nearest, r->who);
    return ALM_INVALID;
}

static alm_status unknown_letter(reader *r, char letter) {
    alm_fail(r->err, ALM_INVALID, _("unknown option: -%c"), letter);
    hint_help(r);
    return ALM_INVALID;
}

/* ── values ─────────────────────────────────────────────────────────────────────────────────────────────────── */

bool alm_opt_choice(const char *choices, size_t i, char *at, size_t n) {
    alm_str rest = alm_str_of(choices), part;
    for (size_t k = 0; alm_str_split(&rest, '|', &part); k++)
        if (k == i) {
            size_t take = part.n < n - 1 ? part.n : n - 1;
            memcpy(at, part.at, take);
            at[take] = '\0';
            return true;
        }
    return false;
}

static void shortest(char at[32], double x) { at[alm_f64_to_str(at, x)] = '\0'; }

static alm_status bad_range(reader *r, const alm_opt *o, const char *value) {
    char low[32], high[32];
    shortest(low, o->min);
    shortest(high, o->max);
    if (o->flags & ALM_OPT_OPEN)
        alm_fail(r->err, ALM_INVALID, _("value out of range: --%s %s"), o->name, value),
            alm_hint(r->err, _("give a number above %s and below %s"), low, high);
    else if (o->type == ALM_OPT_COUNT && o->max >= 1e15)
        alm_fail(r->err, ALM_INVALID, _("not a number in range: --%s %s"), o->name, value),
            alm_hint(r->err, _("give a whole number from %s on"), low);
    else if (o->type == ALM_OPT_COUNT)
        alm_fail(r->err, ALM_INVALID, _("not a number in range: --%s %s"), o->name, value),
            alm_hint(r->err, _("give a whole number from %s to %s"), low, high);
    else
        alm_fail(r->err, ALM_INVALID, _("value out of range: --%s %s"), o->name, value),
            alm_hint(r->err, _("give a number from %s to %s"), low, high);
    return ALM_INVALID;
}

static alm_status bad_choice(reader *r, const alm_opt *o, const char *value) {
    char word[64], nearest[64] = "";
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; alm_opt_choice(o->choices, i, word, sizeof word); i++) {
        uint32_t d = alm_opt_nearness(value, word);
        if (d < best) best = d, memcpy(nearest, word, sizeof word);
    }
    alm_fail(r->err, ALM_INVALID, _("no such choice: --%s %s"), o->name, value);
    if (*nearest) alm_hint(r->err, _("did you mean %s? Possible are %s"), nearest, o->choices);
    else alm_hint(r->err, _("possible are %s"), o->choices);
    return ALM_INVALID;
}

static alm_status add_to_list(alm_opt_list *list, const char *value, alm_error *err) {
    const char **grown = alm_realloc(list->at, (list->n + 1) * sizeof *grown);
    if (!grown) return alm_fail_memory(err);
    grown[list->n++] = value;
    list->at = grown;
    return ALM_OK;
}

/* Checks `value` by the row and stores it. */
static alm_status store(reader *r, alm_opt_set *set, const alm_opt *o, const char *value) {
    char *place = (char *)set->values + o->at;
    alm_str text = alm_str_of(value);
    switch (o->type) {
    case ALM_OPT_FLAG: *(bool *)place = true; return ALM_OK;
    case ALM_OPT_COUNT: {
        uint64_t n;
        if (!alm_str_to_u64(text, &n) || (double)n < o->min || (double)n > o->max) return bad_range(r, o, value);
        *(uint64_t *)(void *)place = n;
        return ALM_OK;
    }
    case ALM_OPT_REAL: {
        double x;
        if (!alm_str_to_f64(text, &x)) return bad_range(r, o, value);
        bool inside = (o->flags & ALM_OPT_OPEN) ? x > o->min && x < o->max : x >= o->min && x <= o->max;
        if (!inside) return bad_range(r, o, value);
        *(double *)(void *)place = x;
        return ALM_OK;
    }
    case ALM_OPT_TEXT:
    case ALM_OPT_FILE:
        if (o->flags & ALM_OPT_REPEAT) return add_to_list((alm_opt_list *)(void *)place, value, r->err);
        *(const char **)(void *)place = value;
        return ALM_OK;
    case ALM_OPT_CHOICE: {
        char word[64];
        for (size_t i = 0; alm_opt_choice(o->choices, i, word, sizeof word); i++)
            if (strcmp(word, value) == 0) return *(int *)(void *)place = (int)i, ALM_OK;
        return bad_choice(r, o, value);
    }
    }
    return ALM_OK;
}

/* The option's name as it was typed is not kept: -o and --output are the same thing, and one name is enough to find it. */
static alm_status missing_value(reader *r, const alm_opt *o) {
    char arg[64];
    snprintf(arg, sizeof arg, "%s", o->choices ? o->choices : o->arg ? _(o->arg) : "");
    alm_fail(r->err, ALM_INVALID, _("a value is missing: --%s"), o->name);
    alm_hint(r->err, _("write --%s %s"), o->name, arg);
    return ALM_INVALID;
}

/* `attached` is what followed = or the letter, or NULL. */
static alm_status take(reader *r, alm_opt_set *set, const alm_opt *o, const char *attached) {
    set->given |= 1ULL << (size_t)(o - set->opt);
    if (o->type == ALM_OPT_FLAG) {
        if (attached) {
            alm_fail(r->err, ALM_INVALID, _("this option takes no value: --%s=%s"), o->name, attached);
            hint_help(r);
            return ALM_INVALID;
        }
        return store(r, set, o, NULL);
    }
    if (o->flags & ALM_OPT_OPTIONAL) {
        if (!attached && o->fits && r->next < r->argc && o->fits(r->argv[r->next])) attached = r->argv[r->next++];
        return store(r, set, o, attached ? attached : "");
    }
    const char *value = attached;
    if (!value) {
        if (r->next >= r->argc) return missing_value(r, o);
        value = r->argv[r->next++];
    }
    if (o->flags & ALM_OPT_TWO) {
        if (r->next >= r->argc) return missing_value(r, o);
        const char **pair = (const char **)(void *)((char *)set->values + o->at);
        pair[0] = value;
        pair[1] = r->argv[r->next++];
        return ALM_OK;
    }
    return store(r, set, o, value);
}

/* ── words ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static alm_status read_long(reader *r, const char *word) {
    const char *name = word + 2, *equal = strchr(name, '=');
    size_t n = equal ? (size_t)(equal - name) : strlen(name);
    alm_opt_set *set = NULL;
    const alm_opt *o = find_long(r, name, n, &set);
    if (!o) {
        char typed[64];
        snprintf(typed, sizeof typed, "%.*s", n < 60 ? (int)n : 60, name);
        return unknown_long(r, typed);
    }
    return take(r, set, o, equal ? equal + 1 : NULL);
}

static alm_status read_letters(reader *r, const char *word) {
    for (const char *at = word + 1; *at;) {
        alm_opt_set *set = NULL;
        const alm_opt *o = find_letter(r, *at, &set);
        if (!o) return unknown_letter(r, *at);
        at++;
        if (o->type == ALM_OPT_FLAG) {
            alm_status st = take(r, set, o, NULL);
            if (st != ALM_OK) return st;
            continue;
        }
        return take(r, set, o, *at ? at : NULL);
    }
    return ALM_OK;
}

static alm_status set_defaults(reader *r) {
    for (size_t s = 0; s < r->n_set; s++) {
        assert(r->sets[s].n <= 64);
        for (size_t i = 0; i < r->sets[s].n; i++) {
            const alm_opt *o = &r->sets[s].opt[i];
            if (!o->fallback || (o->flags & (ALM_OPT_REPEAT | ALM_OPT_TWO))) continue;
            alm_status st = store(r, &r->sets[s], o, o->fallback);
            assert(st == ALM_OK);
            if (st != ALM_OK) return st;
        }
    }
    return ALM_OK;
}

static alm_status contradictions(reader *r) {
    for (size_t s = 0; s < r->n_set; s++)
        for (size_t i = 0; i < r->sets[s].n; i++) {
            const alm_opt *o = &r->sets[s].opt[i];
            if (!o->not_with || !(r->sets[s].given >> i & 1)) continue;
            for (size_t t = 0; t < r->n_set; t++)
                if (alm_opt_given(&r->sets[t], o->not_with)) {
                    alm_fail(r->err, ALM_INVALID, _("these two contradict each other: --%s --%s"), o->name,
                             o->not_with);
                    alm_hint(r->err, _("give one of them"));
                    return ALM_INVALID;
                }
        }
    return ALM_OK;
}

bool alm_opt_given(const alm_opt_set *set, const char *name) {
    for (size_t i = 0; i < set->n; i++)
        if (set->opt[i].name && strcmp(set->opt[i].name, name) == 0) return set->given >> i & 1;
    return false;
}

alm_status alm_opt_parse(alm_opt_set *sets, size_t n_set, alm_opt_operands *operands, const char *who, int argc,
                         char **argv, alm_error *err) {
    reader r = {.sets = sets, .n_set = n_set, .who = who, .argv = argv, .argc = argc, .err = err};
    operands->n = 0;
    operands->at = alm_calloc((size_t)argc + 1, sizeof *operands->at);
    if (!operands->at) return alm_fail_memory(err);
    alm_status st = set_defaults(&r);
    bool ended = false;
    while (st == ALM_OK && r.next < argc) {
        const char *word = argv[r.next++];
        if (ended || word[0] != '-' || !word[1]) operands->at[operands->n++] = word;
        else if (strcmp(word, "--") == 0) ended = true;
        else if (word[1] == '-') st = read_long(&r, word);
        else st = read_letters(&r, word);
    }
    return st == ALM_OK ? contradictions(&r) : st;
}

void alm_opt_free(alm_opt_set *sets, size_t n_set, alm_opt_operands *operands) {
    for (size_t s = 0; s < n_set; s++)
        for (size_t i = 0; i < sets[s].n; i++)
            if ((sets[s].opt[i].flags & ALM_OPT_REPEAT) && sets[s].values) {
                alm_opt_list *list = (alm_opt_list *)(void *)((char *)sets[s].values + sets[s].opt[i].at);
                alm_free(list->at);
                *list = (alm_opt_list){0};
            }
    alm_free(operands->at);
    *operands = (alm_opt_operands){0};
}
