/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_inspect.c - `alm inspect`: what a model is made of, and what it needs. */
#include "base/error.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "cli/inspect.h"
#include "cli/sizes.h"
#include "engine/batch.h"

typedef struct values {
    uint64_t context;
    bool json, tensors;
} values;

static const alm_opt opts[] = {
    {.name = "ctx",
     .type = ALM_OPT_COUNT,
     .arg = N_("N"),
     .min = 1,
     .max = 1 << 30,
     .section = N_("Memory"),
     .help = N_("say what a text of so many tokens needs; otherwise as many as the model knows, 4096 at most"),
     .at = offsetof(values, context)},
    {.name = "tensors",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("list every tensor, too"),
     .at = offsetof(values, tensors)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("one JSON object"),
     .at = offsetof(values, json)},
};

static const alm_example examples[] = {
    {"alm inspect tiny.gguf", N_("What is it made of?")},
    {"alm inspect tiny.gguf --ctx 256", N_("What does a text of 256 tokens need?")},
    {"alm inspect tiny.gguf --json", N_("All of it for a script.")},
};

enum { USUAL_CONTEXT = 4096 };

static size_t context_of(const alm_inspection *x, const values *v) {
    if (v->context) return (size_t)v->context;
    size_t c = x->model ? alm_model_config(x->model)->context : 0;
    return c > USUAL_CONTEXT ? USUAL_CONTEXT : c;
}

/* What a step takes in one thread; 0 where it cannot be said. */
static size_t step_bytes(const alm_inspection *x, size_t context) {
    alm_compute *c = NULL;
    size_t n = 0;
    if (alm_compute_new(&c, NULL, NULL) == ALM_OK && alm_batch_bytes(&n, x->model, c, 0, context, NULL) != ALM_OK)
        n = 0;
    alm_compute_free(c);
    return n;
}

/* -- JSON ------------------------------------------------------------------------------------------------------------------ */

static void json_str(alm_json_writer *w, const char *key, alm_str s) {
    alm_json_key(w, key);
    if (s.at) alm_json_string(w, s);
    else alm_json_null(w);
}

static void json_config(alm_json_writer *w, const alm_config *c) {
    const struct {
        const char *key;
        size_t n;
    } member[] = {{"layers", c->n_layers},   {"hidden", c->hidden},
                  {"heads", c->n_heads},     {"kv_heads", c->n_kv_heads},
                  {"head_dim", c->head_dim}, {"feed_forward", c->ffn},
                  {"experts", c->n_experts}, {"experts_used", c->n_experts_used},
                  {"window", c->window},     {"context", c->context},
                  {"vocabulary", c->n_vocab}};
    alm_json_begin_object(w);
    for (size_t i = 0; i < sizeof member / sizeof *member; i++)
        alm_json_key(w, member[i].key), alm_json_u64(w, member[i].n);
    alm_json_key(w, "tied"), alm_json_bool(w, c->tied);
    alm_json_end_object(w);
}

static void json_tensors(alm_json_writer *w, const alm_tensors *t) {
    alm_json_begin_array(w);
    for (size_t i = 0; i < alm_tensors_count(t); i++) {
        const alm_tensor_entry *e = alm_tensors_at(t, i);
        alm_json_begin_object(w);
        alm_json_key(w, "name"), alm_json_string(w, e->name);
        alm_json_key(w, "shape"), alm_json_begin_array(w);
        for (uint32_t k = 0; k < e->n_dims; k++) alm_json_u64(w, e->dim[k]);
        alm_json_end_array(w);
        alm_json_key(w, "type"), alm_json_text(w, e->type_name);
        alm_json_key(w, "bytes"), alm_json_u64(w, e->n_bytes);
        alm_json_end_object(w);
    }
    alm_json_end_array(w);
}

static void as_json(alm_cli *cli, const alm_inspection *x, const values *v) {
    alm_json_writer w = alm_json_writer_on(&cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "format"), alm_json_text(&w, alm_tensors_format(x->tensors)->name);
    json_str(&w, "family", *x->family ? alm_str_of(x->family) : (alm_str){0});
    alm_json_key(&w, "runs"), alm_json_bool(&w, x->model != NULL);
    if (!x->model) alm_json_key(&w, "why_not"), alm_json_text(&w, x->why_not.text);
    alm_json_key(&w, "parameters"), alm_json_u64(&w, x->n_items);
    alm_json_key(&w, "bytes"), alm_json_u64(&w, x->n_bytes);
    if (x->model) alm_json_key(&w, "config"), json_config(&w, alm_model_config(x->model));
    alm_json_key(&w, "types"), alm_json_begin_array(&w);
    for (size_t i = 0; i < x->n_type; i++) {
        alm_json_begin_object(&w);
        alm_json_key(&w, "type"), alm_json_text(&w, x->type[i].name);
        alm_json_key(&w, "tensors"), alm_json_u64(&w, x->type[i].n);
        alm_json_key(&w, "parameters"), alm_json_u64(&w, x->type[i].n_items);
        alm_json_key(&w, "bytes"), alm_json_u64(&w, x->type[i].n_bytes);
        alm_json_end_object(&w);
    }
    alm_json_end_array(&w);
    json_str(&w, "tokenizer", *x->tokenizer ? alm_str_of(x->tokenizer) : (alm_str){0});
    alm_json_key(&w, "vocabulary"), alm_json_u64(&w, x->n_vocab);
    json_str(&w, "bos", x->bos), json_str(&w, "eos", x->eos);
    json_str(&w, "chat_template", x->chat_template);
    json_str(&w, "licence", x->licence);
    if (x->model) {
        alm_json_key(&w, "memory"), alm_json_begin_object(&w);
        alm_json_key(&w, "context"), alm_json_u64(&w, context_of(x, v));
        alm_json_key(&w, "weights"), alm_json_u64(&w, x->n_bytes);
        alm_json_key(&w, "keys_and_values"), alm_json_u64(&w, alm_session_bytes(x->model, context_of(x, v)));
        alm_json_key(&w, "step"), alm_json_u64(&w, step_bytes(x, context_of(x, v)));
        alm_json_end_object(&w);
    }
    alm_json_key(&w, "tensors"), json_tensors(&w, x->tensors);
    alm_json_end_object(&w);
    alm_out_text(&cli->out, "\n");
}

/* -- text -------------------------------------------------------------------------------------------------------------------- */

/* "label      value", the label in a column of its own. */
static void label(alm_cli *cli, const char *name) {
    size_t n = alm_utf8_columns(alm_str_of(name));
    alm_out_printf(&cli->out, "%s%*s", name, (int)(n < 13 ? 14 - n : 1), "");
}

/* A text of any length behind its label. */
static void wrapped(alm_cli *cli, const char *name, const alm_buf *text) {
    label(cli, name);
    alm_columns_wrap(&cli->out.buf, alm_buf_str(text), 14, cli->out_term.is_terminal ? cli->out_term.width : 80);
}

static void head(alm_cli *cli, const alm_inspection *x) {
    char size[ALM_SIZE_BYTES], n[ALM_SIZE_BYTES];
    label(cli, _("model"));
    alm_out_visible(&cli->out, x->title.n ? x->title : alm_str_of(cli->operands.at[0]));
    alm_out_printf(&cli->out, "\n");
    label(cli, _("family"));
    alm_out_visible(&cli->out, alm_str_of(*x->family ? x->family : _("not said")));
    alm_out_printf(&cli->out, _(", in %s\n"), alm_tensors_format(x->tensors)->text);
    label(cli, _("parameters"));
    alm_out_printf(&cli->out, _("%s in %zu tensors, %s\n"), alm_size_count(n, x->n_items),
                   alm_tensors_count(x->tensors), alm_size_text(size, x->n_bytes));
    alm_buf types = alm_buf_with_limit(1 << 14);
    for (size_t i = 0; i < x->n_type; i++)
        alm_buf_printf(&types, "%s%s %s", i ? ", " : "", x->type[i].name, alm_size_text(size, x->type[i].n_bytes));
    wrapped(cli, _("types"), &types);
    alm_buf_free(&types);
}

static const char *kind_text(const char *kind) {
    static const char *const known[][2] = {{"bytes", N_("byte-level BPE")},
                                           {"chars", N_("SentencePiece BPE")},
                                           {"unigram", N_("SentencePiece unigram")},
                                           {"wordpiece", N_("WordPiece")}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(kind, known[i][0]) == 0) return _(known[i][1]);
    return kind;
}

static void words(alm_cli *cli, const alm_inspection *x) {
    alm_out *out = &cli->out;
    alm_buf text = alm_buf_with_limit(1 << 14);
    if (*x->tokenizer) {
        alm_buf_printf(&text, _("%s, %zu tokens"), kind_text(x->tokenizer), x->n_vocab);
        if (x->bos.at) alm_buf_add_text(&text, _(", begins with ")), alm_buf_add_visible(&text, x->bos);
        if (x->eos.at) alm_buf_add_text(&text, _(", ends with ")), alm_buf_add_visible(&text, x->eos);
    } else alm_buf_add_text(&text, _("none that can be read"));
    wrapped(cli, _("tokenizer"), &text);
    alm_buf_free(&text);
    label(cli, _("template"));
    if (x->chat_template.at) {
        bool tools = alm_str_find(x->chat_template, ALM_STR("tools")) != SIZE_MAX;
        bool system = alm_str_find(x->chat_template, ALM_STR("system")) != SIZE_MAX;
        alm_out_printf(out, _("%zu bytes"), x->chat_template.n);
        if (system) alm_out_text(out, _(", knows a system message"));
        if (tools) alm_out_text(out, _(", knows tools"));
        alm_out_text(out, "\n");
    } else alm_out_printf(out, "%s\n", _("none"));
    label(cli, _("licence"));
    if (x->licence.at) alm_out_visible(out, x->licence), alm_out_text(out, "\n");
    else alm_out_printf(out, "%s\n", _("not said"));
}

static void memory(alm_cli *cli, const alm_inspection *x, const values *v) {
    char weights[ALM_SIZE_BYTES], kv[ALM_SIZE_BYTES], sum[ALM_SIZE_BYTES], one[ALM_SIZE_BYTES];
    alm_buf text = alm_buf_with_limit(1 << 14);
    if (x->model) {
        const alm_config *c = alm_model_config(x->model);
        size_t n = context_of(x, v);
        uint64_t bytes = alm_session_bytes(x->model, n), step = step_bytes(x, n);
        label(cli, _("context"));
        alm_out_printf(&cli->out, _("%zu tokens\n"), c->context);
        alm_buf_printf(&text, _("%s for a text of %zu tokens: %s weights, %s keys and values, %s for a step"),
                       alm_size_text(sum, x->n_bytes + bytes + step), n, alm_size_text(weights, x->n_bytes),
                       alm_size_text(kv, bytes), alm_size_text(one, step));
        wrapped(cli, _("memory"), &text);
    } else {
        alm_buf_add_visible(&text, alm_str_of(x->why_not.text));
        wrapped(cli, _("not run"), &text);
    }
    alm_buf_free(&text);
}

static alm_status list(alm_cli *cli, const alm_inspection *x, alm_error *err) {
    const alm_column heads[] = {{.head = _("name"), .flexible = true},
                                {.head = _("type")},
                                {.head = _("shape")},
                                {.head = _("size"), .right = true}};
    alm_columns *table = NULL;
    alm_status st = alm_columns_new(&table, heads, 4, err);
    for (size_t i = 0; i < alm_tensors_count(x->tensors) && st == ALM_OK; i++) {
        const alm_tensor_entry *e = alm_tensors_at(x->tensors, i);
        alm_inspect_row r = {.n_dims = e->n_dims};
        char shape[ALM_INSPECT_SHAPE], size[ALM_SIZE_BYTES];
        memcpy(r.dim, e->dim, sizeof r.dim);
        st = alm_columns_add(table, e->name, ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(e->type_name), ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(alm_inspect_shape(shape, &r)), ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(alm_size_text(size, e->n_bytes)), ALM_PLAIN, err);
    }
    if (st == ALM_OK) alm_out_text(&cli->out, "\n"), st = alm_columns_print(table, &cli->out, &cli->out_term, err);
    alm_columns_free(table);
    return st;
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    alm_error err = {0};
    alm_inspection x;
    alm_status st = alm_inspect_open(&x, cli->operands.at[0], &err);
    if (st != ALM_OK) return alm_cli_fail(cli, &err);
    if (v->json) {
        as_json(cli, &x, v);
    } else {
        head(cli, &x);
        words(cli, &x);
        memory(cli, &x, v);
        alm_out_text(&cli->out, "\n");
        alm_inspect_draw(&x, &cli->out, &cli->out_term);
        if (v->tensors) st = list(cli, &x, &err);
    }
    alm_inspect_free(&x);
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_inspect = {
    .operands = N_("MODEL"),
    .min_operands = 1,
    .n_models = 1,
    .max_operands = 1,
    .operands_are_files = true,
    .about = N_(
        "Shows what a model is made of: its blocks drawn along the way of a token, with the shape, type and size of "
        "each "
        "tensor; parameters and types; tokenizer, chat template and licence; the memory that it needs for a text.\n\n"
        "GGUF files, folders with config.json, and weights alone (safetensors, PyTorch) are looked at, also those of "
        "families that alm does not run: then it says why not. Nothing in the files is executed."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "tensor list show",
    .run = run,
};
