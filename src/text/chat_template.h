/* SPDX-License-Identifier: Apache-2.0
 *
 * text/chat_template.h - chat templates: the Jinja that models bring along, interpreted; specified in docs/format/chat-template.md.
 *
 * A template comes with a model and so from a stranger. It sees the values that it is given and nothing else, and it stops:
 * steps, nesting, memory and output have limits. What it means is what Jinja2 3.1 gives as transformers sets it up (immutable
 * sandbox, trim_blocks, lstrip_blocks, break and continue, tojson without HTML escapes).
 *
 * A template is compiled once and does not change afterwards: any number of threads may render it at the same time. */
#ifndef ALM_TEXT_CHAT_TEMPLATE_H
#define ALM_TEXT_CHAT_TEMPLATE_H

#include "base/json.h"

typedef struct alm_chat_template alm_chat_template;

/* `source` is copied. ALM_MALFORMED with "line N: …" for what is no template, ALM_UNSUPPORTED for what Jinja has and chat
 * templates do not (include, import, extends, block), ALM_LIMIT for one that is too long (1 MiB) or nested too deep. */
alm_status alm_chat_template_compile(alm_chat_template **out, alm_str source, alm_error *err);
void alm_chat_template_free(alm_chat_template *t); /* NULL is fine */

/* A variable of the template; `value` NULL is none. */
typedef struct alm_chat_var {
    alm_str name;
    const alm_json *value;
} alm_chat_var;

/* What one rendering may use; 0: the default in brackets. */
typedef struct alm_chat_limits {
    uint64_t steps;      /* evaluated parts and bytes moved, 64 bytes a step [20 million] */
    uint32_t depth;      /* expressions, macros and loops within each other [400] */
    size_t memory_bytes; /* values that the template makes [128 MiB] */
    size_t output_bytes; /* [64 MiB] */
} alm_chat_limits;

typedef struct alm_chat_input {
    const alm_json *messages; /* NULL: none */
    const alm_json *tools;    /* NULL: none, as transformers gives it */
    bool add_generation_prompt;
    const char *bos_token, *eos_token; /* NULL: not defined */
    const alm_json *extra;             /* an object whose members become variables, or NULL; stronger than all above */
    const alm_chat_var *var;           /* more variables, stronger than `extra` */
    size_t n_var;
    int64_t now_ns; /* strftime_now: nanoseconds since 1970 on the clock that is to be shown; ALM_NO_TIME: it fails */
    alm_chat_limits limits;
} alm_chat_input;

/* Appends the text to out; a failure leaves what stood in it before. All JSON must live until this returns.
 * ALM_REFUSED: the template itself objects (raise_exception); err->text is then its own sentence and nothing else, and
 * err->hint says where. ALM_MISMATCH: a value does not allow what the template does with it, "line N: …". ALM_LIMIT. */
alm_status alm_chat_template_render(const alm_chat_template *t, const alm_chat_input *in, alm_buf *out, alm_error *err);

#endif
