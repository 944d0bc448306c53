/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/opt.h - options as data: one static table a command makes parsing, help, man page, completion and their tests.
 *
 * GNU style: --opt=value, --opt value, -o value, -ovalue, bundled flags (-qv), options and operands in any order, `--`
 * ends the options, `-` is an operand. A shortened option is refused with the full name, because a script that uses it
 * would break on the day a second option begins the same way. */
#ifndef ALM_CLI_OPT_H
#define ALM_CLI_OPT_H

#include <allmende/base.h>

typedef enum alm_opt_type {
    ALM_OPT_FLAG,   /* bool */
    ALM_OPT_COUNT,  /* uint64_t in [min, max] */
    ALM_OPT_REAL,   /* double in [min, max], or in (min, max) with ALM_OPT_OPEN */
    ALM_OPT_TEXT,   /* const char * */
    ALM_OPT_FILE,   /* const char *, completed as a file name */
    ALM_OPT_CHOICE, /* int: place in `choices` */
} alm_opt_type;

enum {
    ALM_OPT_OPEN = 1, /* REAL: the ends of the range are outside */
    ALM_OPT_OPTIONAL =
        2, /* TEXT: the value may be missing (then ""); it is given as --opt=value, or as the next word when `fits` says so */
    ALM_OPT_TWO = 4,     /* TEXT, FILE: two values; const char *[2]; `arg` holds both names, "A B" */
    ALM_OPT_REPEAT = 8,  /* TEXT, FILE: may be given more than once; alm_opt_list */
    ALM_OPT_HIDDEN = 16, /* in no help, man page or completion: for the build */
    ALM_OPT_MODEL = 32,  /* FILE: a MODEL; a name becomes the path behind it */
};

/* All values of a repeated option, in order. */
typedef struct alm_opt_list {
    const char **at;
    size_t n;
} alm_opt_list;

typedef struct alm_opt {
    const char *name; /* long name, without dashes */
    char letter;      /* short name, 0 for none */
    alm_opt_type type;
    unsigned flags;
    const char *arg;                /* the value's name in help: N_("FILE"); NULL for flags and choices */
    const char *choices;            /* "auto|lines|jsonl" */
    double min, max;                /* COUNT, REAL */
    const char *fallback;           /* the default as somebody would type it; NULL: zero, false, none */
    const char *not_with;           /* the one option that contradicts this one, or NULL */
    const char *section;            /* heading in help, N_() */
    const char *help;               /* a sentence without a full stop, N_() */
    bool (*fits)(const char *word); /* OPTIONAL: would this next word be a value? */
    size_t at;                      /* offsetof the place in the struct of values */
} alm_opt;

/* One table and the struct that it fills; `given` gets bit i when option i was typed. At most 64 options a table. */
typedef struct alm_opt_set {
    const alm_opt *opt;
    size_t n;
    void *values;
    uint64_t given;
} alm_opt_set;

typedef struct alm_opt_operands {
    const char **at; /* in order; points into argv */
    size_t n;
} alm_opt_operands;

/* Sets every default, then reads argv[0..argc). `who` names the command in hints. ALM_INVALID with a sentence for whatever
 * is wrong: unknown option (with the nearest name), missing, superfluous or unfitting value, contradiction.
 * Frees nothing on failure: call alm_opt_free in either case. */
alm_status alm_opt_parse(alm_opt_set *sets, size_t n_set, alm_opt_operands *operands, const char *who, int argc,
                         char **argv, alm_error *err);
void alm_opt_free(alm_opt_set *sets, size_t n_set, alm_opt_operands *operands);
/* Was it typed (not only its default)? */
bool alm_opt_given(const alm_opt_set *set, const char *name);
/* The i-th of "a|b|c" into `at` (cut to n bytes); false when there are fewer. */
bool alm_opt_choice(const char *choices, size_t i, char *at, size_t n);

/* Optimal string alignment distance: insert, delete, replace, swap of neighbours cost 1; anything above 15 is 16. */
unsigned alm_opt_distance(const char *a, const char *b);
/* Is `name` near enough to `typed` to be offered? Lower is nearer; UINT32_MAX: no. A name that `typed` begins is nearest. */
uint32_t alm_opt_nearness(const char *typed, const char *name);

#endif
