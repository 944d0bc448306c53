/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_template.h - the streaming template miner: a record comes in, the template that it belongs to comes out.
 *
 *     alm_miner *m;
 *     alm_miner_new(&m, NULL, err);
 *     while (record) alm_miner_add(m, text, time_ns, &match, err);      one at a time, bounded memory
 *     alm_miner_settle(m, err);                                         optional: merges that only the whole stream justifies
 *     for (uint32_t i = 0; i < alm_miner_n_index(m); i++)
 *         if (alm_miner_info(m, i, &info)) ... info.count, alm_miner_text(m, i, &buf, ALM_TEXT_TYPED)
 *
 * Index and id. A match gives an index: dense, from 0, never reused. Templates merge later (a constant turns out to be a
 * value), and then several indices mean one template: alm_miner_resolve gives the live one; an old index stays valid for
 * ever. The id is the hash of the template's text with every slot written <*>: the same on every machine, in every run and
 * for every order of templates; it changes when the template generalises. Counts of live templates and
 * alm_miner_n_unmatched add up to the number of records, always.
 *
 * What is approximate in a stream: the moment of a merge depends on what came before, so a short stream may show a word
 * where a longer one shows a slot. Given the same records in the same order, everything is the same, bit for bit.
 *
 * Not thread-safe: one miner, one thread (alm_miner_match only reads the templates but uses the miner's scratch). */
#ifndef ALM_DETECT_LOG_TEMPLATE_H
#define ALM_DETECT_LOG_TEMPLATE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "detect/log_token.h"

typedef struct alm_miner alm_miner;
typedef struct alm_kept_tokens alm_kept_tokens; /* detect/log_shape.h */
typedef struct alm_mask_set alm_mask_set;       /* detect/log_mask.h */

#define ALM_NO_TEMPLATE UINT32_MAX /* match-only: nothing fits */

enum { ALM_SPARK_BINS = 16, ALM_EXAMPLE_BYTES = 400 };

typedef struct alm_miner_options {
    size_t size; /* sizeof(alm_miner_options) */
    uint32_t
        max_templates; /* 0: 100,000. When full, the rarest and oldest tenth moves into one overflow template (text "<*>") */
    bool match_only; /* alm_miner_add never makes or changes a template; what does not fit is counted as unmatched */
    bool plain;      /* records are lines even where they look like JSON or logfmt */
    const alm_mask_set *masks; /* kept until alm_miner_free; NULL: none */
} alm_miner_options;

/* A variable part of a record. */
typedef struct alm_param {
    uint32_t at, n; /* bytes in the record; n may be 0 (an empty value) */
    uint16_t slot;  /* number of the token in the template: the same for all records of an index until it merges */
    uint8_t type;   /* alm_slot_type of this value */
    bool constant;  /* a soft slot that has held this one value only; shown as a word in the template */
} alm_param;

typedef struct alm_match {
    uint32_t index; /* ALM_NO_TEMPLATE when match-only finds nothing */
    bool is_new;    /* this record made the template */
    uint32_t n_params;
    const alm_param *params; /* until the next call on this miner */
    uint64_t shape;          /* hash of the record with its values taken out; finer than the index */
} alm_match;

alm_status alm_miner_new(alm_miner **out, const alm_miner_options *options, alm_error *err);
void alm_miner_free(alm_miner *m); /* NULL is fine */

/* Counts the record. time_ns may be ALM_NO_TIME. ALM_NO_MEMORY leaves the miner as it was, the record uncounted. */
alm_status alm_miner_add(alm_miner *m, alm_str record, int64_t time_ns, alm_match *out, alm_error *err);
/* Looks the record up; changes and counts nothing. out->index may be ALM_NO_TEMPLATE. Cannot fail. */
void alm_miner_match(alm_miner *m, alm_str record, alm_match *out);
/* The same with the tokens that were made of the record before, in another thread perhaps (with the masks of this miner and
 * its `plain`). NULL: they are made here. */
alm_status alm_miner_add_tokens(alm_miner *m, alm_str record, const alm_kept_tokens *tokens, int64_t time_ns,
                                alm_match *out, alm_error *err);
void alm_miner_match_tokens(alm_miner *m, alm_str record, const alm_kept_tokens *tokens, alm_match *out);
/* From now on add behaves as with options.match_only (or learns again). */
void alm_miner_set_match_only(alm_miner *m, bool match_only);

/* Looks at all templates once more with the final counts. Call at the end of a batch; harmless at any time. */
alm_status alm_miner_settle(alm_miner *m, alm_error *err);

uint32_t alm_miner_n_index(const alm_miner *m);     /* indices run from 0 to this - 1 */
uint32_t alm_miner_n_live(const alm_miner *m);      /* templates that stand for themselves */
uint64_t alm_miner_n_records(const alm_miner *m);   /* added so far, unmatched ones included */
uint64_t alm_miner_n_unmatched(const alm_miner *m); /* match-only: the reserved "no template" */
uint64_t alm_miner_n_evicted(const alm_miner *m);   /* templates that moved into the overflow template */
/* The live index behind an index; ALM_NO_TEMPLATE stays. */
uint32_t alm_miner_resolve(const alm_miner *m, uint32_t index);

typedef struct alm_template_info {
    uint32_t index;
    uint64_t id; /* alm_miner_id_text writes it */
    uint64_t count;
    uint64_t first_record, last_record; /* from 1 */
    int64_t first_ns, last_ns;          /* earliest and latest time, ALM_NO_TIME when no record had one */
    alm_str example; /* the first record, cut to ALM_EXAMPLE_BYTES on a character; until the next change */
    uint32_t n_tokens, n_slots;
    uint32_t spark
        [ALM_SPARK_BINS]; /* records over the stream in order: [i] covers record numbers (i w, (i + 1) w], w below */
    uint64_t spark_width;
} alm_template_info;
/* False when the index is no live template. */
bool alm_miner_info(const alm_miner *m, uint32_t index, alm_template_info *out);
/* The live template with this id, or ALM_NO_TEMPLATE. */
uint32_t alm_miner_find(const alm_miner *m, uint64_t id);
uint64_t alm_miner_id(const alm_miner *m, uint32_t index); /* resolves first; 0 for ALM_NO_TEMPLATE */
#define ALM_TEMPLATE_ID_CHARS 16
/* "t" is not needed: 16 hexadecimal digits and a NUL. */
void alm_miner_id_text(char out[ALM_TEMPLATE_ID_CHARS + 1], uint64_t id);

typedef enum alm_text_form {
    ALM_TEXT_STARS, /* every slot is <*> (--csv, ids) */
    ALM_TEXT_TYPED  /* <ip>, <num>, <name of a user mask>, ... */
} alm_text_form;
/* Appends the text of the live template behind index; control characters are kept as they are. Failure marks the buffer. */
void alm_miner_text(const alm_miner *m, uint32_t index, alm_text_form form, alm_buf *out);
/* Type of slot `slot` (alm_param.slot) of the template; ALM_SLOT_CONST when that token is a constant. */
unsigned alm_miner_slot_type(const alm_miner *m, uint32_t index, uint16_t slot);
/* "<num>" and so on for a type, user masks included. */
alm_str alm_miner_type_text(const alm_miner *m, unsigned type);

/* Live indices, by count (most first), then by id. *out is freed with alm_free. */
alm_status alm_miner_ranking(const alm_miner *m, uint32_t **out, size_t *n, alm_error *err);

/* The whole state as bytes (docs/format/miner-state.md) and back. Loading checks everything that it reads: ALM_MALFORMED
 * for damage, ALM_UNSUPPORTED for a newer version, ALM_MISMATCH when the masks differ from those that it was saved with.
 * options give masks and bounds as for a new miner. */
alm_status alm_miner_save(const alm_miner *m, alm_buf *out, alm_error *err);
alm_status alm_miner_load(alm_miner **out, alm_str bytes, const alm_miner_options *options, alm_error *err);
/* The same from and to a file: written aside, synced, renamed. Loading a file that is missing gives ALM_NOT_FOUND. */
alm_status alm_miner_save_file(const alm_miner *m, const char *path, alm_error *err);
alm_status alm_miner_load_file(alm_miner **out, const char *path, const alm_miner_options *options, alm_error *err);

#endif
