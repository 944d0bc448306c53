/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_template.c - `alm template`: the text that a model's chat template makes of a conversation. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/vocabulary.h"
#include "text/chat_source.h"
#include "text/chat_template.h"

#include <stdlib.h>
#include <time.h>

typedef struct values {
    const char *messages, *tools, *name;
    bool no_generation_prompt, lines;
    alm_opt_list var;
} values;

#define PLACE(field) offsetof(values, field)
static const alm_opt opts[] = {
    {.name = "messages",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .not_with = "lines",
     .section = N_("Conversation"),
     .help = N_("JSON list of messages, each with role and content; - is standard input"),
     .at = PLACE(messages)},
    {.name = "tools",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .section = N_("Conversation"),
     .help = N_("JSON list of the tools that the model may call"),
     .at = PLACE(tools)},
    {.name = "no-generation-prompt",
     .type = ALM_OPT_FLAG,
     .section = N_("Conversation"),
     .help = N_("do not begin the assistant's answer"),
     .at = PLACE(no_generation_prompt)},
    {.name = "var",
     .type = ALM_OPT_TEXT,
     .flags = ALM_OPT_REPEAT,
     .arg = N_("NAME=JSON"),
     .section = N_("Conversation"),
     .help = N_("a variable of the template, such as enable_thinking=false; stronger than everything else"),
     .at = PLACE(var)},
    {.name = "lines",
     .type = ALM_OPT_FLAG,
     .section = N_("Input"),
     .help = N_("each line of the input is an object with messages, tools, add_generation_prompt, extra, bos_token, "
                "eos_token; each line of the answer is an object with text or error"),
     .at = PLACE(lines)},
    {.name = "name",
     .type = ALM_OPT_TEXT,
     .arg = N_("NAME"),
     .section = N_("Template"),
     .help = N_("which one, where the model has several; without it tool_use where tools are given, else the default"),
     .at = PLACE(name)},
};

static const alm_example examples[] = {
    {"alm template chat.jinja --messages chat.json", N_("What the model is given to read.")},
    {"alm template chat.jinja --messages chat.json --no-generation-prompt --var 'style=\"short\"'",
     N_("With a variable that the template knows, and without the beginning of an answer.")},
    {"printf '{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}\\n' | alm template chat.jinja --lines",
     N_("Many conversations, one a line.")},
};

typedef struct work {
    alm_cli *cli;
    const values *v;
    const char *model;
    alm_chat_source source;
    alm_chat_template *template;
    alm_chat_var *var;
    alm_json_doc *var_doc; /* one for each variable */
    char **var_text;
    int64_t now_ns;
} work;

/* The clock on the wall, as the reference shows it; UTC where the time is given from outside. */
static int64_t wall_clock(void) {
    int64_t now = alm_clock_now_ns();
    const char *given = getenv("SOURCE_DATE_EPOCH");
    time_t seconds = (time_t)(now / 1000000000);
    struct tm local;
    if ((given && *given) || !localtime_r(&seconds, &local)) return now;
    return now + (int64_t)local.tm_gmtoff * 1000000000;
}

static alm_status read_json(alm_json_doc *doc, alm_buf *text, const alm_cli *cli, const char *path, alm_error *err) {
    alm_error inner = {0};
    alm_status st = alm_vocabulary_read(text, cli, path, err);
    if (st != ALM_OK) return st;
    st = alm_json_parse(doc, text->at, text->n, NULL, NULL, &inner);
    return st == ALM_OK ? st : alm_fail(err, st, "%s: %s", path, inner.text);
}

/* ── variables ────────────────────────────────────────────────────────────────────────────────────────────────── */

static alm_status read_var(work *w, size_t i, const char *text, alm_error *err) {
    const char *equals = strchr(text, '=');
    alm_error inner = {0};
    if (!equals || equals == text) {
        alm_fail(err, ALM_INVALID, _("--var %s: a name, = and a JSON value are expected"), text);
        alm_hint(err, "%s", _("a text stands in quotes: --var 'style=\"short\"'"));
        return ALM_INVALID;
    }
    size_t n = strlen(equals + 1);
    if (!(w->var_text[i] = alm_alloc(n + 1))) return alm_fail_memory(err);
    memcpy(w->var_text[i], equals + 1, n + 1);
    if (alm_json_parse(&w->var_doc[i], w->var_text[i], n, NULL, NULL, &inner) != ALM_OK) {
        alm_fail(err, ALM_INVALID, "--var %s: %s", text, inner.text);
        alm_hint(err, "%s", _("a text stands in quotes: --var 'style=\"short\"'"));
        return ALM_INVALID;
    }
    w->var[i] = (alm_chat_var){alm_str_make(text, (size_t)(equals - text)), &w->var_doc[i].node[0]};
    return ALM_OK;
}

static alm_status read_vars(work *w, alm_error *err) {
    const size_t n = w->v->var.n;
    alm_status st = ALM_OK;
    w->var = alm_calloc(n + 1, sizeof *w->var);
    w->var_doc = alm_calloc(n + 1, sizeof *w->var_doc);
    w->var_text = alm_calloc(n + 1, sizeof *w->var_text);
    if (!w->var || !w->var_doc || !w->var_text) return alm_fail_memory(err);
    for (size_t i = 0; i < n && st == ALM_OK; i++) st = read_var(w, i, w->v->var.at[i], err);
    return st;
}

static void free_work(work *w) {
    for (size_t i = 0; w->var_text && w->var_doc && i < w->v->var.n; i++) {
        alm_json_doc_free(&w->var_doc[i]);
        alm_free(w->var_text[i]);
    }
    alm_free(w->var);
    alm_free(w->var_doc);
    alm_free(w->var_text);
    alm_chat_template_free(w->template);
    alm_chat_source_free(&w->source);
}

static alm_chat_input input_of(const work *w) {
    return (alm_chat_input){.add_generation_prompt = !w->v->no_generation_prompt,
                            .bos_token = w->source.bos_token,
                            .eos_token = w->source.eos_token,
                            .var = w->var,
                            .n_var = w->v->var.n,
                            .now_ns = w->now_ns};
}

/* ── one conversation ─────────────────────────────────────────────────────────────────────────────────────────── */

/* A list of messages, or an object that has one under that name, as a request to a server has. */
static const alm_json *list_of(const alm_json *v, const char *name) {
    if (v && v->type == ALM_JSON_OBJECT) v = alm_json_get(v, name);
    return v && v->type == ALM_JSON_ARRAY ? v : NULL;
}

static alm_status whole(work *w, const alm_json *tools, alm_error *err) {
    alm_buf text = alm_buf_with_limit(UINT32_MAX);
    alm_json_doc doc = {0};
    alm_error inner = {0};
    alm_chat_input in = input_of(w);
    alm_status st = read_json(&doc, &text, w->cli, w->v->messages, err);
    if (st == ALM_OK && !(in.messages = list_of(doc.node, "messages")))
        st = alm_fail(err, ALM_MALFORMED, _("%s: a list of messages is expected"), w->v->messages);
    in.tools = tools ? tools : doc.n_node && doc.node[0].type == ALM_JSON_OBJECT ? list_of(doc.node, "tools") : NULL;
    if (st == ALM_OK && (st = alm_chat_template_render(w->template, &in, &w->cli->out.buf, &inner)) != ALM_OK) {
        if (st == ALM_REFUSED)
            alm_fail(err, st, _("the template refuses this conversation: %s: %s"), inner.text, w->model);
        else alm_fail(err, st, "%s: %s", w->model, inner.text);
        if (*inner.hint) alm_hint(err, "%s", inner.hint);
    }
    alm_out_tick(&w->cli->out);
    alm_json_doc_free(&doc);
    alm_buf_free(&text);
    return st;
}

/* ── many ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* A token of the line, terminated; the model's own where the line has none. */
static const char *token(const alm_json *line, const char *key, const char *own, alm_buf *place) {
    const alm_json *v = alm_json_get(line, key);
    if (!v || v->type != ALM_JSON_STRING) return own;
    alm_buf_clear(place);
    alm_buf_add_str(place, v->text);
    return alm_buf_text(place);
}

static alm_status one_line(work *w, const alm_json *line, const alm_json *tools, alm_buf *text, alm_error *err) {
    alm_buf bos = alm_buf_with_limit(1 << 20), eos = bos;
    alm_chat_input in = input_of(w);
    const alm_json *prompt = alm_json_get(line, "add_generation_prompt"), *extra = alm_json_get(line, "extra");
    if (line->type != ALM_JSON_OBJECT) return alm_fail(err, ALM_MALFORMED, "an object with messages is expected");
    in.messages = alm_json_get(line, "messages");
    if (in.messages && in.messages->type != ALM_JSON_ARRAY && in.messages->type != ALM_JSON_NULL)
        return alm_fail(err, ALM_MALFORMED, "messages is no list");
    in.tools = alm_json_get(line, "tools");
    if (!in.tools) in.tools = tools;
    if (prompt && (prompt->type == ALM_JSON_TRUE || prompt->type == ALM_JSON_FALSE))
        in.add_generation_prompt = prompt->type == ALM_JSON_TRUE;
    if (extra && extra->type != ALM_JSON_NULL) in.extra = extra;
    in.bos_token = token(line, "bos_token", in.bos_token, &bos);
    in.eos_token = token(line, "eos_token", in.eos_token, &eos);
    alm_status st = alm_chat_template_render(w->template, &in, text, err);
    alm_buf_free(&bos);
    alm_buf_free(&eos);
    return st;
}

/* A line that fails is answered like the others: the rest goes on. */
static void answer(work *w, alm_str line, const alm_json *tools, alm_json_doc *doc, alm_buf *text) {
    alm_json_writer json = alm_json_writer_on(&w->cli->out.buf);
    alm_error err = {0};
    alm_buf_clear(text);
    /* The lines lie in a buffer of this command; the parser decodes escapes in it. */
    alm_status st = alm_json_parse(doc, (char *)line.at, line.n, NULL, NULL, &err);
    if (st == ALM_OK) st = one_line(w, doc->node, tools, text, &err);
    alm_json_begin_object(&json);
    alm_json_key(&json, st == ALM_OK ? "text" : "error");
    if (st == ALM_OK) alm_json_string(&json, alm_buf_str(text));
    else alm_json_text(&json, err.text);
    alm_json_end_object(&json);
    alm_out_text(&w->cli->out, "\n");
}

static alm_status each_line(work *w, const char *path, const alm_json *tools, alm_error *err) {
    alm_buf input = alm_buf_with_limit(UINT32_MAX), text = input;
    alm_json_doc doc = {0};
    alm_status st = alm_vocabulary_read(&input, w->cli, path, err);
    alm_str rest = alm_buf_str(&input), line;
    if (alm_str_ends(rest, ALM_STR("\n"))) rest.n--;
    while (st == ALM_OK && rest.n && alm_str_split(&rest, '\n', &line)) {
        if (alm_cli_stopped(w->cli)) st = ALM_INTERRUPTED;
        else answer(w, line, tools, &doc, &text);
        if (!alm_out_tick(&w->cli->out)) break;
    }
    alm_json_doc_free(&doc);
    alm_buf_free(&text);
    alm_buf_free(&input);
    return st;
}

/* ── the command ──────────────────────────────────────────────────────────────────────────────────────────────── */

static alm_status open_template(work *w, bool with_tools, alm_error *err) {
    alm_error inner = {0};
    alm_status st = alm_chat_source_open(&w->source, w->model, w->v->name, with_tools, err);
    if (st != ALM_OK) return st;
    st = alm_chat_template_compile(&w->template, alm_str_make(w->source.text, w->source.n), &inner);
    return st == ALM_OK ? st : alm_fail(err, st, "%s: %s", w->model, inner.text);
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    work w = {.cli = cli, .v = v, .model = cli->operands.at[0], .now_ns = wall_clock()};
    alm_error err = {0};
    alm_buf text = alm_buf_with_limit(UINT32_MAX);
    alm_json_doc tools = {0};
    if (!v->lines && !v->messages)
        return alm_cli_usage(cli, _("--messages FILE, or --lines for many on standard input"), "%s",
                             _("the conversation is missing"));
    if (!v->lines && cli->operands.n > 1)
        return alm_cli_usage(cli, "", _("%s: only --lines reads a second file"), cli->operands.at[1]);
    alm_status st = read_vars(&w, &err);
    if (st == ALM_OK && v->tools) st = read_json(&tools, &text, cli, v->tools, &err);
    if (st == ALM_OK && v->tools && !list_of(tools.node, "tools"))
        st = alm_fail(&err, ALM_MALFORMED, _("%s: a list of tools is expected"), v->tools);
    const alm_json *list = v->tools && st == ALM_OK ? list_of(tools.node, "tools") : NULL;
    if (st == ALM_OK) st = open_template(&w, list != NULL, &err);
    if (st == ALM_OK)
        st = v->lines ? each_line(&w, cli->operands.n > 1 ? cli->operands.at[1] : "-", list, &err)
                      : whole(&w, list, &err);
    alm_json_doc_free(&tools);
    alm_buf_free(&text);
    free_work(&w);
    if (st == ALM_INTERRUPTED) return ALM_EXIT_INTERRUPTED;
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_template = {
    .operands = N_("MODEL|FILE.jinja [FILE|-]"),
    .min_operands = 1,
    .max_operands = 2,
    .operands_are_files = true,
    .n_models = 1,
    .about = N_(
        "Shows the text that a model's chat template makes of a conversation, and adds nothing to it, no line end "
        "either. "
        "MODEL is a GGUF file, a folder as Hugging Face stores it, a tokenizer_config.json, or a file that is itself a "
        "template.\n\n"
        "A template is a program of the model's author. It sees the conversation and the variables and nothing else, "
        "and "
        "steps, memory and output are limited. Where it objects to a conversation, its own words are the message and "
        "the "
        "exit code is 3.\n\n"
        "SOURCE_DATE_EPOCH sets the clock that templates may show, in UTC; without it they show local time."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "tokenize",
    .run = run,
};
