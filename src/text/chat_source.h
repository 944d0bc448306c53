/* SPDX-License-Identifier: Apache-2.0
 *
 * text/chat_source.h - where a model keeps its chat templates, and the special tokens that they name. */
#ifndef ALM_TEXT_CHAT_SOURCE_H
#define ALM_TEXT_CHAT_SOURCE_H

#include "base/buf.h"
#include "base/error.h"

typedef struct alm_chat_source {
    char *text; /* the template, terminated; n bytes */
    size_t n;
    char *bos_token, *eos_token; /* NULL: the model names none */
} alm_chat_source;               /* zeroed, then alm_chat_source_free whatever happened */

/* path: a GGUF file (tokenizer.chat_template, tokens of its vocabulary), a folder of Hugging Face (chat_template.jinja, else
 * tokenizer_config.json; tokens from the latter or from special_tokens_map.json), a tokenizer_config.json, or a file that is
 * itself a template. `name` chooses among several (tokenizer.chat_template.NAME, a list in the configuration,
 * additional_chat_templates/NAME.jinja); NULL: where tools are given, the one called tool_use if there is
 * one; else the default. ALM_NOT_FOUND names those that are there. */
alm_status alm_chat_source_open(alm_chat_source *out, const char *path, const char *name, bool with_tools,
                                alm_error *err);
void alm_chat_source_free(alm_chat_source *s);

#endif
