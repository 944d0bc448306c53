/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/surprise.h - what the detector `surprise` has: a language model, what it found in normal lines that were new to it,
 * and which kinds of lines it knows.
 *
 * The kind of a line (its key) is what decides whether it is read: its template's constant words, and of each value no more
 * than its shape. A kind that was learned, or was read before, is not read again; so in a steady stream next to nothing is. */
#ifndef ALM_DETECT_SURPRISE_H
#define ALM_DETECT_SURPRISE_H

#include "detect/detect.h"
#include "detect/lm.h"

enum { ALM_SURPRISE_KINDS = 1 << 17, ALM_SURPRISE_STATS = 3, ALM_SURPRISE_TAIL = 64 };

/* What is measured of a reading. */
typedef struct alm_surprise_stats {
    double x[ALM_SURPRISE_STATS]; /* mean, maximum, run */
    uint32_t most;                /* the most surprising token */
    uint32_t run_from, run_to;    /* tokens of the run, [from, to) */
} alm_surprise_stats;

/* Distribution of one of them over normal lines of new kinds: the empirical one up to its upper tenth, an exponential tail
 * beyond (its mean excess is the maximum-likelihood estimate). */
typedef struct alm_surprise_reference {
    uint32_t n;
    double at[ALM_SURPRISE_TAIL + 1]; /* quantiles i / ALM_SURPRISE_TAIL */
    double tail_from, tail_mean;
} alm_surprise_reference;

/* Nothing was learned of this stream, and a model that was made elsewhere reads it (surprise_stream.c): what is usual is
 * taken from the lines that it has read so far. */
enum { ALM_SURPRISE_RECENT = 256 };
typedef struct alm_surprise_stream {
    uint64_t n_records;
    double sum, tokens; /* nats and tokens of lines that did not alarm */
    uint32_t n, next;   /* ring of their statistics */
    double recent[ALM_SURPRISE_STATS][ALM_SURPRISE_RECENT];
    bool waits; /* the last reading joins them when its record does not alarm */
    double waiting_sum, waiting_tokens;
    alm_surprise_stats waiting;
} alm_surprise_stream;

typedef struct alm_surprise {
    alm_lm *lm;
    double usual; /* mean nats a token of normal lines of new kinds: what a run is measured against */
    double p_new; /* probability that a normal record is of a new kind (Good-Turing) */
    alm_surprise_reference reference[ALM_SURPRISE_STATS];
    alm_surprise_stream *stream; /* NULL: the reference was learned */
    alm_table64 kind;            /* learned */
    alm_table64 met;             /* read while detecting */
    uint64_t n_read;             /* lines that the model read while detecting */
    alm_reading last;            /* of the record that was judged last; n = 0: it was not read */
    alm_buf line;
    alm_status status; /* the first failure of a reading */
    alm_error error;
} alm_surprise;

void alm_surprise_free(alm_surprise *s);
/* A new stream: forgets what the one before met. */
void alm_surprise_begin(alm_surprise *s);

/* surprise_stream.c: the built-in model as the reader of a stream that nothing was learned of. */
alm_status alm_surprise_builtin(alm_surprise **out, alm_error *err);
/* May one more line be read? Bounds what reading costs where every line is of a new kind. */
bool alm_surprise_may_read(const alm_surprise *s);
/* The part of the last reading by what was read before it; 0 while that is too little. Then the reading waits. */
double alm_surprise_stream_part(alm_surprise *s, alm_surprise_stats *x, double *tail);
/* The reading that waits is of a normal record: it joins what is usual. */
void alm_surprise_stream_take(alm_surprise *s);

/* surprise_kind.c */
/* Appends the line as the model reads it: digits of numbers, times, addresses, identifiers become 0, nothing moves. */
bool alm_surprise_line(alm_buf *out, const alm_look *look);
/* Never 0. `id` is that of the template. */
uint64_t alm_surprise_kind(uint64_t id, const alm_look *look);

/* surprise.c */
void alm_surprise_measure(const alm_reading *r, double usual, alm_surprise_stats *out);
/* Fills reference from n values of each statistic (sorted here). */
void alm_surprise_fit(alm_surprise *s, double *x[ALM_SURPRISE_STATS], uint32_t n);
/* The part in nats; *tail: the probability of statistics like these in a normal line of a new kind. */
double alm_surprise_part(const alm_surprise *s, const alm_surprise_stats *x, double *tail);
alm_status alm_surprise_to_gguf(const alm_surprise *s, alm_gguf_writer *w, alm_error *err);
/* Takes the container when it holds a language model (*taken). */
alm_status alm_surprise_from_gguf(alm_normal *m, alm_gguf *g, bool *taken, alm_error *err);

/* surprise_learn.c: the lines that will be read, kept while records come in. */
typedef struct alm_surprise_lines alm_surprise_lines;
alm_status alm_surprise_lines_new(alm_surprise_lines **out, alm_error *err);
void alm_surprise_lines_free(alm_surprise_lines *l);
/* True in *kept when the line was taken: the record is to be flagged. */
alm_status alm_surprise_lines_add(alm_surprise_lines *l, const alm_look *look, uint64_t position, bool *kept,
                                  alm_error *err);
/* Goes to the next line that is still there (*cursor begins at 0) and drops it when its record is dropped. */
void alm_surprise_lines_next(alm_surprise_lines *l, size_t *cursor, bool drop);
/* Trains on lines before position `cut`, measures, and scores those behind it. part[i]: of the i-th line that was not
 * dropped. m->surprise stays NULL, with the reason in m->info.lm_reason, when there are too few lines. */
alm_status alm_surprise_learn(alm_normal *m, alm_surprise_lines *l, const alm_learn_options *o, uint64_t cut,
                              float *part, alm_error *err);
size_t alm_surprise_lines_count(const alm_surprise_lines *l);

#endif
