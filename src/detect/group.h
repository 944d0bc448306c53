/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/group.h - which records belong together: a rule that finds the identifier in a record, and the search for such a rule.
 *
 * An identifier has a shape: its kind (UUID, hexadecimal, number), the letters in front of it inside the same token ("blk_",
 * "req-"), and, for identifiers without such letters, the word in front ("instance: ", "trace_id=", "sshd["). A rule that was
 * found is such a shape. The search keeps statistics of every shape and picks the one whose values come and go, link
 * several records of different templates, and cover much of the stream; a shape whose values live as long as the stream
 * (a host, a node, a user) links nothing. */
#ifndef ALM_DETECT_GROUP_H
#define ALM_DETECT_GROUP_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum { ALM_RULE_WORD = 32, ALM_RULE_TEXT = 600 };

typedef enum alm_rule_kind {
    ALM_RULE_NONE,
    ALM_RULE_FOUND,
    ALM_RULE_REGEX,
    ALM_RULE_FIELD,
    ALM_RULE_SESSIONS
} alm_rule_kind;
typedef enum alm_id_kind { ALM_ID_NUMBER, ALM_ID_HEX, ALM_ID_UUID } alm_id_kind;

typedef struct alm_id_shape {
    alm_id_kind kind;
    uint8_t n_prefix, n_context;
    char prefix[ALM_RULE_WORD];  /* with its last '_' or '-' */
    char context[ALM_RULE_WORD]; /* the word in front; only when there is no prefix */
} alm_id_shape;

typedef struct alm_group_rule {
    alm_rule_kind kind;
    alm_id_shape shape;       /* FOUND */
    char text[ALM_RULE_TEXT]; /* REGEX: the pattern, FIELD: the name */
    void *code, *match;       /* REGEX: compiled */
} alm_group_rule;

/* group_by as in alm_learn_options: "off", "field:NAME" or a regex (ALM_INVALID when it does not compile). */
alm_status alm_group_rule_make(alm_group_rule *out, const char *group_by, alm_error *err);
void alm_group_rule_free(alm_group_rule *r);
/* The identifier in the text, or an empty string. */
alm_str alm_group_of(const alm_group_rule *r, alm_str text);
/* In words: "identifiers like blk_<number>". */
void alm_group_rule_text(const alm_group_rule *r, const char *(*translate)(const char *english), alm_buf *out);
/* As bytes for the model file, and back (ALM_MALFORMED). */
bool alm_group_rule_save(const alm_group_rule *r, alm_buf *out);
alm_status alm_group_rule_load(alm_group_rule *out, alm_str bytes, alm_error *err);

typedef struct alm_group_search alm_group_search;
alm_status alm_group_search_new(alm_group_search **out, alm_error *err);
void alm_group_search_free(alm_group_search *s);
alm_status alm_group_search_add(alm_group_search *s, alm_str text, uint32_t event, alm_error *err);
/* The best rule, or one of kind ALM_RULE_NONE when nothing links records. */
void alm_group_search_best(const alm_group_search *s, alm_group_rule *out);

#endif
