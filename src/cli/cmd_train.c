/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_train.c - `alm train`: a language model from records, and the recipe that makes it again bit for bit.
 *
 * What the command is told becomes a recipe before anything is learned; training fills in what came of it. A run by
 * --recipe starts from such a recipe instead, checks every digest on the way and does the same. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/train_data.h"
#include "cli/train_run.h"
#include "dtype/dtype.h"
#include "proof/digest.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct values {
    alm_input_values input;
    alm_opt_list data;
    const char *output, *field, *tokenizer, *base, *curve, *checkpoints, *resume, *recipe, *memory;
    int size, type;
    uint64_t vocab, hidden, layers, heads, kv_heads, ffn, context;
    uint64_t steps, batch_tokens, accumulate, warmup, eval_every, patience, checkpoint_every;
    double epochs, time_limit, lr, lr_min, weight_decay, clip, beta1, beta2, eval;
    bool untied, decay_all, recompute, bf16, json;
} values;

#define PLACE(member) offsetof(values, member)
#define COUNT(option, word, low, high, place, part, text)                                                           \
    {                                                                                                               \
        .name = option, .type = ALM_OPT_COUNT, .arg = word, .min = low, .max = high, .section = part, .help = text, \
        .at = PLACE(place)                                                                                          \
    }
#define REAL(option, word, low, high, usual, place, part, text)                                        \
    {                                                                                                  \
        .name = option, .type = ALM_OPT_REAL, .arg = word, .min = low, .max = high, .fallback = usual, \
        .section = part, .help = text, .at = PLACE(place)                                              \
    }
static const alm_opt opts[] = {
    {.name = "output",
     .letter = 'o',
     .type = ALM_OPT_FILE,
     .arg = N_("MODEL"),
     .section = N_("Output"),
     .help = N_("the model file to write; the recipe lies beside it as MODEL.recipe.json, the learning curve as "
                "MODEL.curve.svg"),
     .at = PLACE(output)},
    {.name = "type",
     .type = ALM_OPT_CHOICE,
     .choices = "f32|f16|bf16|q8_0",
     .fallback = "f32",
     .section = N_("Output"),
     .help = N_("how the weights are written"),
     .at = PLACE(type)},
    {.name = "curve",
     .type = ALM_OPT_FILE,
     .arg = N_("FILE.svg"),
     .section = N_("Output"),
     .help = N_("another place for the learning curve"),
     .at = PLACE(curve)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("say what was learned as one JSON object"),
     .at = PLACE(json)},
    {.name = "data",
     .letter = 'd',
     .type = ALM_OPT_FILE,
     .flags = ALM_OPT_REPEAT,
     .arg = N_("FILE"),
     .section = N_("Input"),
     .help = N_("records to learn from, each a document; files that follow without an option are taken too"),
     .at = PLACE(data)},
    {.name = "field",
     .type = ALM_OPT_TEXT,
     .arg = N_("NAME"),
     .section = N_("Input"),
     .help = N_("learn the value of this field of JSON lines or CSV and not the whole record"),
     .at = PLACE(field)},
    ALM_INPUT_OPTS(values, input),
    {.name = "tokenizer",
     .type = ALM_OPT_FILE,
     .arg = N_("MODEL"),
     .section = N_("Input"),
     .help = N_("take the tokenizer of this model; without it one is learned from the data"),
     .at = PLACE(tokenizer)},
    {.name = "recipe",
     .type = ALM_OPT_FILE,
     .arg = N_("RECIPE"),
     .section = N_("Input"),
     .help = N_("make the model of this recipe again: a .recipe.json, or a model that was trained by this program"),
     .at = PLACE(recipe)},
    {.name = "size",
     .type = ALM_OPT_CHOICE,
     .choices = "tiny|small|medium|large",
     .fallback = "small",
     .section = N_("Model"),
     .help = N_("a shape; the options below change parts of it"),
     .at = PLACE(size)},
    COUNT("vocab", N_("N"), 258, 1000000, vocab, N_("Model"), N_("tokens of the vocabulary, when it is learned")),
    COUNT("hidden", N_("N"), 2, 65536, hidden, N_("Model"), N_("numbers that stand for a token")),
    COUNT("layers", N_("N"), 1, 1000, layers, N_("Model"), N_("layers")),
    COUNT("heads", N_("N"), 1, 1024, heads, N_("Model"), N_("attention heads")),
    COUNT("kv-heads", N_("N"), 1, 1024, kv_heads, N_("Model"), N_("heads for keys and values; a divisor of --heads")),
    COUNT("ffn", N_("N"), 1, 1000000, ffn, N_("Model"), N_("width of the feed-forward part")),
    COUNT("context", N_("N"), 2, 1000000, context, N_("Model"),
          N_("tokens the model can look back; longer documents are cut")),
    {.name = "untied",
     .type = ALM_OPT_FLAG,
     .section = N_("Model"),
     .help = N_("the head gets weights of its own and does not share those of the embedding"),
     .at = PLACE(untied)},
    {.name = "base",
     .type = ALM_OPT_FILE,
     .flags = ALM_OPT_MODEL,
     .arg = N_("MODEL"),
     .section = N_("Model"),
     .help = N_("go on from the weights and the tokenizer of this model"),
     .at = PLACE(base)},
    COUNT("steps", N_("N"), 1, 4e9, steps, N_("Training"), N_("steps of the optimiser")),
    REAL("epochs", N_("N"), 0, 1e6, NULL, epochs, N_("Training"),
         N_("how often everything is read; 1 when nothing is said")),
    REAL("time-limit", N_("SECONDS"), 0, 1e8, NULL, time_limit, N_("Training"),
         N_("as many steps as fit; the recipe records how many they were")),
    COUNT("batch-tokens", N_("N"), 2, 1e9, batch_tokens, N_("Training"),
          N_("tokens a step learns from; 2048 when nothing is said")),
    COUNT("accumulate", N_("N"), 1, 1e6, accumulate, N_("Training"),
          N_("compute a step in N parts, one after the other: less memory")),
    {.name = "recompute",
     .type = ALM_OPT_FLAG,
     .section = N_("Training"),
     .help = N_("compute activations twice instead of keeping them: less memory, the same bits"),
     .at = PLACE(recompute)},
    {.name = "bf16",
     .type = ALM_OPT_FLAG,
     .section = N_("Training"),
     .help = N_("multiply with weights rounded to bf16; what is learned stays f32"),
     .at = PLACE(bf16)},
    REAL("lr", N_("RATE"), 0, 1e30, "0.001", lr, N_("Training"), N_("highest learning rate")),
    REAL("lr-min", N_("SHARE"), 0, 1, "0.1", lr_min, N_("Training"),
         N_("what is left of the learning rate at the end")),
    COUNT("warmup", N_("N"), 0, 1e9, warmup, N_("Training"),
          N_("steps over which the learning rate rises; 20 when nothing is said, but no more than half of the steps")),
    REAL("weight-decay", N_("RATE"), 0, 1e6, "0.1", weight_decay, N_("Training"),
         N_("AdamW: pull of the matrices towards zero")),
    {.name = "decay-all",
     .type = ALM_OPT_FLAG,
     .section = N_("Training"),
     .help = N_("of all weights, also those of norms"),
     .at = PLACE(decay_all)},
    REAL("clip", N_("NORM"), 0, 1e30, "1", clip, N_("Training"), N_("longest gradient; 0 lets it be")),
    REAL("beta1", N_("RATE"), 0, 0.999999, "0.9", beta1, N_("Training"), N_("AdamW: memory of the mean")),
    REAL("beta2", N_("RATE"), 0, 0.9999999, "0.95", beta2, N_("Training"), N_("AdamW: memory of the square")),
    REAL("eval", N_("SHARE"), 0, 0.5, "0.05", eval, N_("Training"),
         N_("the last documents are held out: this share, and at most 65,536 tokens")),
    COUNT("eval-every", N_("N"), 0, 1e9, eval_every, N_("Training"),
          N_("steps between two looks at what is held out; 50 when nothing is said; the best weights are kept")),
    COUNT("patience", N_("N"), 0, 1e9, patience, N_("Training"),
          N_("stop after N looks without a better one; 0: never")),
    {.name = "checkpoints",
     .type = ALM_OPT_FILE,
     .arg = N_("FOLDER"),
     .section = N_("Safety"),
     .help = N_("where the run is saved on the way; MODEL.checkpoints, removed after success, when nothing is said"),
     .at = PLACE(checkpoints)},
    COUNT("checkpoint-every", N_("N"), 1, 1e9, checkpoint_every, N_("Safety"),
          N_("steps between two checkpoints; one a minute when nothing is said")),
    {.name = "resume",
     .type = ALM_OPT_FILE,
     .arg = N_("FOLDER"),
     .section = N_("Safety"),
     .help = N_("go on from the last checkpoint in this folder, with the same data and options"),
     .at = PLACE(resume)},
    {.name = "memory",
     .type = ALM_OPT_TEXT,
     .arg = N_("SIZE"),
     .section = N_("Safety"),
     .help = N_("memory that may be taken (8GiB, 500M); what is free when nothing is said"),
     .at = PLACE(memory)},
};

static const alm_example examples[] = {
    {"alm train --data normal.log -o logs.gguf --size tiny --steps 5", N_("A tiny language model of a log.")},
    {"alm train --data app.jsonl --field msg -o messages.gguf --size tiny --steps 5",
     N_("From one field of JSON lines.")},
    {"alm train --recipe logs.gguf -o again.gguf && cmp logs.gguf again.gguf", N_("Made again: the same bits.")},
    {"alm train --data normal.log -o short.gguf --size tiny --time-limit 2", N_("What can be learned in two seconds.")},
};

/* ── the recipe to come ─────────────────────────────────────────────────────────────────────────────────────── */

typedef struct shape {
    size_t vocab, hidden, layers, heads, kv_heads, ffn, context;
} shape;
/* In the order of --size. */
static const shape shapes[] = {{512, 64, 2, 4, 2, 192, 128},
                               {2048, 192, 6, 6, 2, 512, 256},
                               {4096, 384, 8, 6, 2, 1024, 512},
                               {8192, 768, 12, 12, 4, 2048, 1024}};
static const char *const shape_names[] = {"tiny", "small", "medium", "large"};

typedef struct job {
    alm_cli *cli;
    const values *v;
    alm_train_data data;
    alm_model *model;
    alm_compute *compute;
    alm_pool *pool;
    alm_arena *arena;
    alm_recipe recipe;
    alm_recipe wanted; /* --recipe: as it was read */
    bool has_wanted;
    size_t n_vocab; /* asked for */
    int64_t began_ns;
} job;

static alm_config config_of(const values *v, size_t size) {
    shape s = shapes[size];
    alm_config c = {.n_vocab = v->vocab ? v->vocab : s.vocab,
                    .hidden = v->hidden ? v->hidden : s.hidden,
                    .n_layers = v->layers ? v->layers : s.layers,
                    .n_heads = v->heads ? v->heads : s.heads,
                    .ffn = v->ffn ? v->ffn : s.ffn,
                    .context = v->context ? v->context : s.context,
                    .norm_eps = 1e-5,
                    .rope_theta = 10000,
                    .tied = !v->untied};
    snprintf(c.family, sizeof c.family, "llama");
    c.n_kv_heads = v->kv_heads ? v->kv_heads : v->heads ? v->heads : s.kv_heads;
    c.head_dim = c.n_heads ? c.hidden / c.n_heads : 0;
    return c;
}

static void options_of(job *j) {
    const values *v = j->v;
    alm_train_options *o = &j->recipe.options;
    alm_train_defaults(o);
    o->seed = j->cli->common.seed;
    if (v->batch_tokens) o->batch_tokens = v->batch_tokens;
    o->context = j->recipe.config.context;
    if (!v->batch_tokens && o->batch_tokens < o->context) o->batch_tokens = o->context;
    if (v->accumulate > 1) {
        o->micro_tokens = (o->batch_tokens + v->accumulate - 1) / v->accumulate;
        if (o->micro_tokens < o->context && o->batch_tokens >= o->context) o->micro_tokens = o->context;
    }
    o->steps = v->steps;
    o->epochs = v->epochs > 0 ? v->epochs : 1;
    if (!v->steps && v->time_limit > 0) o->time_limit_ns = (int64_t)(v->time_limit * 1e9), o->epochs = 0;
    o->lr = v->lr, o->lr_min_ratio = v->lr_min, o->weight_decay = v->weight_decay, o->clip = v->clip;
    o->beta1 = v->beta1, o->beta2 = v->beta2;
    if (alm_opt_given(&j->cli->given, "warmup")) o->warmup = v->warmup;
    o->decay_all = v->decay_all, o->bf16 = v->bf16, o->recompute = v->recompute;
    o->eval_every = alm_opt_given(&j->cli->given, "eval-every") ? v->eval_every : v->eval > 0 ? 50 : 0;
    o->patience = v->patience;
}

static const char *type_name(int choice) {
    static const char *const names[] = {"f32", "f16", "bf16", "q8_0"};
    return names[choice];
}

static alm_status recipe_from_options(job *j, alm_error *err) {
    const values *v = j->v;
    alm_recipe *r = &j->recipe;
    r->config = config_of(v, (size_t)v->size);
    r->field = v->field, r->multiline = v->input.multiline, r->redact = v->input.redact;
    static const char *const formats[] = {NULL, "lines", "jsonl", "csv", "tsv", "syslog"};
    r->format = formats[v->input.format];
    r->eval_share = v->eval;
    r->tokenizer = v->tokenizer ? v->tokenizer : v->base;
    r->base = v->base;
    r->type = type_name(v->type);
    if (v->base) {
        alm_status st = alm_model_open(&j->model, v->base, err);
        if (st == ALM_OK) st = alm_model_writable(j->model, err);
        if (st != ALM_OK) return st;
        r->config = *alm_model_config(j->model);
        if (v->context && v->context < r->config.context) r->config.context = v->context;
    }
    options_of(j);
    j->n_vocab = r->config.n_vocab;
    return ALM_OK;
}

/* ── a recipe that is there ─────────────────────────────────────────────────────────────────────────────────── */

static alm_status read_recipe(job *j, alm_error *err) {
    const char *path = j->v->recipe;
    alm_buf b = alm_buf_with_limit((size_t)1 << 26);
    alm_gguf *g = NULL;
    alm_str text;
    alm_status st;
    if (alm_str_ends(alm_str_of(path), ALM_STR(".json"))) {
        if ((st = alm_file_read(&b, path, err)) == ALM_OK) text = alm_buf_str(&b);
    } else if ((st = alm_gguf_open(&g, path, err)) == ALM_OK) {
        st = alm_gguf_str(g, "alm.recipe", &text, err);
        if (st == ALM_NOT_FOUND) alm_fail(err, st, _("%s: the model holds no recipe"), path);
    }
    if (st == ALM_OK) st = alm_recipe_parse(&j->wanted, path, text, j->arena, err);
    alm_gguf_close(g);
    alm_buf_free(&b);
    if (st != ALM_OK) return st;
    if (j->wanted.numbers != ALM_NUMBERS) {
        alm_fail(err, ALM_REFUSED, _("%s: made with version %u of the arithmetic, this program computes by version %u"),
                 path, (unsigned)j->wanted.numbers, (unsigned)ALM_NUMBERS);
        alm_hint(err, _("take version %s of the program"), j->wanted.version);
        return ALM_REFUSED;
    }
    j->recipe = j->wanted;
    j->recipe.model_sha256[0] = '\0';
    j->has_wanted = true;
    j->n_vocab = j->recipe.config.n_vocab;
    j->recipe.options.recompute = j->v->recompute;
    return ALM_OK;
}

/* A path of the recipe as it stands, or seen from the folder where the recipe lies. */
static const char *found(job *j, const char *path, alm_error *err) {
    if (access(path, R_OK) == 0 || path[0] == '/') return path;
    alm_buf b = alm_buf_with_limit(8192);
    char dir[4096];
    snprintf(dir, sizeof dir, "%.*s", ALM_ARG(alm_path_dir(j->v->recipe)));
    const char *there = NULL;
    if (alm_path_join(&b, dir, path, err) == ALM_OK) there = alm_arena_copy(j->arena, alm_buf_str(&b)).at;
    alm_buf_free(&b);
    return there && access(there, R_OK) == 0 ? there : path;
}

static alm_status check_digest(const char *what, const char *name, const char *wanted, const char *is, alm_error *err) {
    if (strcmp(wanted, is) == 0) return ALM_OK;
    alm_fail(err, ALM_REFUSED, _("%s %s is not that of the recipe: SHA-256 %.16s... there, %.16s... here"), what, name,
             wanted, is);
    alm_hint(err, _("a recipe makes its model from exactly its own data"));
    return ALM_REFUSED;
}

static alm_status check_file(const char *what, const char *path, const char *wanted, alm_error *err) {
    alm_digest sum;
    char hex[65];
    alm_status st = alm_digest_file(&sum, path, err);
    return st == ALM_OK ? check_digest(what, path, wanted, alm_digest_hex(hex, &sum), err) : st;
}

/* ── data and tokenizer ─────────────────────────────────────────────────────────────────────────────────────── */

static int format_choice(const char *name) {
    static const char *const formats[] = {"auto", "lines", "jsonl", "csv", "tsv", "syslog"};
    for (int i = 1; name && i < 6; i++)
        if (strcmp(formats[i], name) == 0) return i;
    return 0;
}

static alm_status digest_documents(job *j, alm_error *err) {
    alm_documents all = {.id = j->data.train.id, .start = j->data.train.start, .n = j->data.train.n + j->data.eval.n};
    return alm_documents_digest(j->recipe.tokens_sha256, &all, err);
}

static alm_status gather(job *j, alm_error *err) {
    const values *v = j->v;
    alm_recipe *r = &j->recipe;
    size_t n = v->data.n + j->cli->operands.n, k = 0;
    if (!n) n = r->n_data;
    const char **names = alm_calloc(n ? n : 1, sizeof *names);
    if (!names) return alm_fail_memory(err);
    for (size_t i = 0; i < v->data.n; i++) names[k++] = v->data.at[i];
    for (size_t i = 0; i < j->cli->operands.n; i++) names[k++] = j->cli->operands.at[i];
    for (size_t i = 0; k < n && i < r->n_data; i++) names[k++] = found(j, r->data[i].path, err);
    alm_status st = ALM_OK;
    if (j->has_wanted) {
        if (n != r->n_data)
            st = alm_fail(err, ALM_REFUSED, _("the recipe has %zu files of data, %zu are given"), r->n_data, n);
        for (size_t i = 0; st == ALM_OK && i < n; i++)
            st = check_file(_("data file"), names[i], r->data[i].sha256, err);
    }
    alm_input_values in = v->input;
    if (j->has_wanted)
        in = (alm_input_values){.format = format_choice(r->format), .multiline = r->multiline, .redact = r->redact};
    if (st == ALM_OK) st = alm_train_data_read(&j->data, j->cli, &in, r->field, names, n, err);
    if (st == ALM_OK && !j->has_wanted) st = alm_train_data_digest(&j->data, err);
    if (st == ALM_OK && !j->has_wanted) r->data = j->data.file, r->n_data = j->data.n_files;
    alm_free(names);
    if (st != ALM_OK) return st;
    const char *from = r->tokenizer ? found(j, r->tokenizer, err) : NULL;
    if ((st = alm_train_data_tokenizer(&j->data, j->cli, from, j->n_vocab, err)) != ALM_OK) return st;
    if (j->has_wanted && (st = check_digest(_("the tokenizer"), from ? from : _("learned from the data"),
                                            r->tokenizer_sha256, j->data.bpe_sha256, err)) != ALM_OK)
        return st;
    memcpy(r->tokenizer_sha256, j->data.bpe_sha256, sizeof r->tokenizer_sha256);
    if ((st = alm_train_data_encode(&j->data, j->cli, r->eval_share, err)) != ALM_OK) return st;
    r->n_documents = j->data.n_documents;
    r->n_tokens = j->data.n_tokens;
    if ((st = digest_documents(j, err)) != ALM_OK) return st;
    return j->has_wanted ? check_digest(_("the token stream of"), names ? _("the data") : "", j->wanted.tokens_sha256,
                                        r->tokens_sha256, err)
                         : ALM_OK;
}

/* ── memory ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool memory_of(const char *text, size_t *out) {
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"", 1},     {"K", 1e3},  {"M", 1e6},    {"G", 1e9},       {"KB", 1e3},
                 {"MB", 1e6}, {"GB", 1e9}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
    size_t n = strspn(text, "0123456789.");
    double x;
    if (!alm_str_to_f64(alm_str_make(text, n), &x)) return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(text + n, units[i].unit) == 0 && x * units[i].bytes < 1e18)
            return *out = (size_t)(x * units[i].bytes), true;
    return false;
}

/* What would fit: the same model in less memory at a time, else the largest shape that does. Into the hint. */
static void suggest(job *j, bool evaluates, size_t most, alm_error *err) {
    alm_train_options o = j->recipe.options;
    alm_train_bytes b;
    alm_error ignored;
    char need[32];
    if (j->model) {
        o.recompute = true;
        for (size_t parts = 1; o.batch_tokens / parts >= o.context; parts *= 2) {
            size_t micro = (o.batch_tokens + parts - 1) / parts;
            if (o.micro_tokens && micro > o.micro_tokens) continue;
            o.micro_tokens = micro;
            if (alm_train_memory(&b, j->model, &o, evaluates, &ignored) != ALM_OK || b.total > most) continue;
            alm_train_size(need, b.total);
            if (parts == 1) alm_hint(err, _("--recompute needs %s"), need);
            else alm_hint(err, _("--recompute --accumulate %zu needs %s"), parts, need);
            return;
        }
    }
    for (size_t i = sizeof shapes / sizeof shapes[0]; i-- > 0;) {
        values plain = *j->v;
        plain.hidden = plain.layers = plain.heads = plain.kv_heads = plain.ffn = 0;
        alm_config c = config_of(&plain, i);
        alm_model *m = NULL;
        o = j->recipe.options;
        o.context = c.context;
        o.recompute = true;
        o.micro_tokens = o.batch_tokens < c.context ? o.batch_tokens : c.context;
        alm_train_memory_least(&b, &c, &o, evaluates);
        if (b.total > most || alm_model_new(&m, &c, 0, &ignored) != ALM_OK) continue;
        alm_status st = alm_train_memory(&b, m, &o, evaluates, &ignored);
        alm_model_free(m);
        if (st != ALM_OK || b.total > most) continue;
        size_t parts = (o.batch_tokens + o.micro_tokens - 1) / o.micro_tokens;
        alm_train_size(need, b.total);
        if (parts > 1) alm_hint(err, _("--size %s --recompute --accumulate %zu needs %s"), shape_names[i], parts, need);
        else alm_hint(err, _("--size %s --recompute needs %s"), shape_names[i], need);
        return;
    }
    alm_hint(err, _("not even --size tiny fits: fewer --batch-tokens, a smaller --vocab or more memory are needed"));
}

static alm_status too_large(job *j, const alm_train_bytes *b, bool exact, bool evaluates, size_t most, alm_error *err) {
    char need[32], have[32];
    alm_status st = alm_fail(err, ALM_LIMIT,
                             exact ? _("training needs %s of memory, %s are there")
                                   : _("training needs more than %s of memory, %s are there"),
                             alm_train_size(need, b->total), alm_train_size(have, most));
    suggest(j, evaluates, most, err);
    return st;
}

/* The model comes into being between the two questions: is it far too large, does it fit with its activations? */
static alm_status fit(job *j, alm_error *err) {
    alm_recipe *r = &j->recipe;
    bool evaluates = j->data.eval.n > 0;
    alm_train_bytes b;
    size_t most = alm_memory_free();
    if (j->v->memory && !memory_of(j->v->memory, &most)) {
        alm_fail(err, ALM_INVALID, _("--memory %s is no size"), j->v->memory);
        alm_hint(err, _("for example --memory 8GiB"));
        return ALM_INVALID;
    }
    if (!most) most = SIZE_MAX;
    /* Positions and counts first: the estimate divides by them. */
    alm_status st = ALM_OK;
    if (r->options.context > r->options.batch_tokens)
        return alm_fail(err, ALM_INVALID, _("--batch-tokens %zu is less than the context, %zu"),
                        r->options.batch_tokens, r->options.context);
    alm_train_memory_least(&b, &r->config, &r->options, evaluates);
    if (b.total > most) return too_large(j, &b, false, evaluates, most, err);
    if (!j->model) {
        if (r->base) st = alm_model_open(&j->model, found(j, r->base, err), err);
        else st = alm_model_new(&j->model, &r->config, r->options.seed, err);
        if (st != ALM_OK) return st;
    }
    if ((st = alm_train_memory(&b, j->model, &r->options, evaluates, err)) != ALM_OK) return st;
    if (b.total > most) return too_large(j, &b, true, evaluates, most, err);
    char need[32], have[32];
    if (most == SIZE_MAX) alm_cli_note(j->cli, _("memory: %s"), alm_train_size(need, b.total));
    else alm_cli_note(j->cli, _("memory: %s of %s"), alm_train_size(need, b.total), alm_train_size(have, most));
    return ALM_OK;
}

/* ── the end ────────────────────────────────────────────────────────────────────────────────────────────────── */

static alm_status write_model(job *j, alm_error *err) {
    alm_gguf_writer *w = NULL;
    alm_buf text = alm_buf_with_limit((size_t)1 << 26);
    alm_status st = alm_recipe_write(&text, &j->recipe, false, err);
    if (st == ALM_OK) st = alm_gguf_writer_new(&w, err);
    if (st == ALM_OK) st = alm_model_to_gguf(j->model, w, "", alm_type_named(j->recipe.type)->gguf, err);
    if (st == ALM_OK) st = alm_bpe_to_gguf(j->data.bpe, w, "", err);
    if (st == ALM_OK) {
        alm_gguf_set_u32(w, "alm.numbers", ALM_NUMBERS);
        alm_gguf_set_str(w, "alm.recipe", alm_buf_str(&text));
        st = alm_gguf_writer_save(w, j->v->output, err);
    }
    alm_gguf_writer_free(w);
    alm_buf_free(&text);
    return st;
}

static alm_status write_recipe(job *j, const char *path, alm_error *err) {
    alm_digest sum;
    alm_buf text = alm_buf_with_limit((size_t)1 << 26);
    alm_status st = alm_digest_file(&sum, j->v->output, err);
    if (st == ALM_OK) {
        alm_digest_hex(j->recipe.model_sha256, &sum);
        st = alm_recipe_write(&text, &j->recipe, true, err);
    }
    if (st == ALM_OK) st = alm_file_write(path, text.at, text.n, err);
    alm_buf_free(&text);
    return st;
}

static void tell_json(job *j, const alm_train_progress *p, const char *recipe, const char *curve, double seconds) {
    alm_json_writer w = alm_json_writer_on(&j->cli->out.buf);
    alm_json_begin_object(&w);
    alm_json_key(&w, "model"), alm_json_text(&w, j->v->output);
    alm_json_key(&w, "recipe"), alm_json_text(&w, recipe);
    alm_json_key(&w, "curve"), alm_json_text(&w, curve);
    alm_json_key(&w, "sha256"), alm_json_text(&w, j->recipe.model_sha256);
    alm_json_key(&w, "parameters"), alm_json_u64(&w, alm_model_parameter_count(j->model));
    alm_json_key(&w, "documents"), alm_json_u64(&w, j->recipe.n_documents);
    alm_json_key(&w, "tokens"), alm_json_u64(&w, j->recipe.n_tokens);
    alm_json_key(&w, "steps"), alm_json_u64(&w, p->step);
    alm_json_key(&w, "tokens_learned"), alm_json_u64(&w, p->tokens);
    alm_json_key(&w, "loss"), alm_json_number(&w, p->loss);
    alm_json_key(&w, "eval_loss"), alm_json_number(&w, p->best_loss);
    alm_json_key(&w, "best_step"), alm_json_u64(&w, p->best_step);
    alm_json_key(&w, "seconds"), alm_json_number(&w, seconds);
    alm_json_end_object(&w);
    alm_out_text(&j->cli->out, "\n");
}

static int finish(job *j, alm_train_run *run, const alm_train_progress *p, alm_error *err) {
    alm_cli *cli = j->cli;
    char recipe[4200], curve[4200];
    snprintf(recipe, sizeof recipe, "%s.recipe.json", j->v->output);
    if (j->v->curve) snprintf(curve, sizeof curve, "%s", j->v->curve);
    else snprintf(curve, sizeof curve, "%s.curve.svg", j->v->output);
    double seconds = (double)(alm_clock_steady_ns() - j->began_ns) / 1e9;
    alm_recipe *r = &j->recipe;
    bool recompute = r->options.recompute;
    alm_trainer_plan(run->trainer, &r->options);
    r->options.recompute = recompute;
    r->steps_done = p->step, r->tokens_done = p->tokens, r->loss = p->loss;
    r->best_step = p->best_step, r->eval_loss = p->best_loss;
    r->numbers = ALM_NUMBERS;
    /* Who follows a recipe writes the same file: it names the version that the recipe names. */
    r->version = j->has_wanted ? j->wanted.version : ALM_VERSION;
    alm_status st = alm_train_run_curve(run, curve, j->v->output, err);
    if (st == ALM_OK) st = alm_trainer_take_best(run->trainer, err);
    if (st == ALM_OK) st = write_model(j, err);
    if (st == ALM_OK) st = write_recipe(j, recipe, err);
    if (st != ALM_OK) return alm_cli_fail(cli, err);
    alm_train_run_tidy(run);
    if (j->v->json) tell_json(j, p, recipe, curve, seconds);
    if (isfinite(p->best_loss))
        alm_cli_note(cli, _("%llu steps, loss %.4f; held out %.4f at step %llu: %s"), (unsigned long long)p->step,
                     p->loss, p->best_loss, (unsigned long long)p->best_step, j->v->output);
    else alm_cli_note(cli, _("%llu steps, loss %.4f: %s"), (unsigned long long)p->step, p->loss, j->v->output);
    if (j->has_wanted && j->wanted.model_sha256[0]) {
        if (strcmp(j->wanted.model_sha256, r->model_sha256) != 0) {
            (void)check_digest(_("the model"), j->v->output, j->wanted.model_sha256, r->model_sha256, err);
            alm_hint(err, _("made by version %s of the program, this is %s"), j->wanted.version, ALM_VERSION);
            return alm_cli_fail(cli, err);
        }
        alm_cli_note(cli, _("made again: the same SHA-256 as the recipe's, %s"), r->model_sha256);
    }
    return j->data.all_read ? ALM_EXIT_DONE : ALM_EXIT_FAILED;
}

static alm_status train(job *j, alm_train_run *run, alm_train_progress *p, alm_error *err) {
    const values *v = j->v;
    alm_status st = alm_pool_new(&j->pool, (unsigned)j->cli->common.threads, err);
    if (st == ALM_OK) st = alm_compute_new(&j->compute, j->pool, err);
    if (st == ALM_OK)
        st = alm_trainer_new(&run->trainer, j->model, j->compute, &j->data.train, j->data.eval.n ? &j->data.eval : NULL,
                             &j->recipe.options, err);
    if (st != ALM_OK) return st;
    alm_trainer_time_used(run->trainer, alm_clock_steady_ns() - j->began_ns);
    if (v->resume && (st = alm_train_run_resume(run, err)) != ALM_OK) return st;
    return alm_train_run_all(run, p, err);
}

/* A target that cannot be written should be told before the work, not after it. */
static alm_status check_target(const char *path, alm_error *err) {
    char dir[4096];
    alm_str d = alm_path_dir(path);
    snprintf(dir, sizeof dir, "%.*s", ALM_ARG(d));
    if (access(dir, W_OK) == 0) return ALM_OK;
    alm_fail_errno(err, errno, _("cannot write the model: %s"), path);
    if (err) err->status = ALM_IO;
    return ALM_IO;
}

static int check_call(alm_cli *cli, const values *v) {
    static const char *const how_long[] = {"steps", "epochs", "time-limit"};
    static const char *const fixed[] = {"type",       "field",        "format",     "multiline", "redact", "tokenizer",
                                        "size",       "vocab",        "hidden",     "layers",    "heads",  "kv-heads",
                                        "ffn",        "context",      "untied",     "base",      "steps",  "epochs",
                                        "time-limit", "batch-tokens", "accumulate", "bf16",      "lr",     "lr-min",
                                        "warmup",     "weight-decay", "decay-all",  "clip",      "beta1",  "beta2",
                                        "eval",       "eval-every",   "patience"};
    const char *twice = NULL;
    if (!v->output)
        return alm_cli_usage(cli, _("write -o MODEL.gguf"), _("the name of the model is missing: --output"));
    for (size_t i = 0; i < 3; i++) {
        if (!alm_opt_given(&cli->given, how_long[i])) continue;
        if (twice)
            return alm_cli_usage(cli, _("one of them says how long to train"),
                                 _("these two contradict each other: --%s --%s"), twice, how_long[i]);
        twice = how_long[i];
    }
    for (size_t i = 0; v->recipe && i < sizeof fixed / sizeof fixed[0]; i++)
        if (alm_opt_given(&cli->given, fixed[i]))
            return alm_cli_usage(cli, _("a recipe says everything that decides about the result"),
                                 _("these two contradict each other: --%s --%s"), "recipe", fixed[i]);
    if (!v->recipe && v->data.n + cli->operands.n == 0)
        return alm_cli_usage(cli, _("write --data FILE"), _("there is nothing to learn from: --data is missing"));
    if (v->heads && v->kv_heads && v->heads % v->kv_heads)
        return alm_cli_usage(cli, NULL, _("--heads %llu is no multiple of --kv-heads %llu"),
                             (unsigned long long)v->heads, (unsigned long long)v->kv_heads);
    return ALM_EXIT_DONE;
}

static void tell_shape(job *j) {
    char count[32];
    double n = (double)alm_model_parameter_count(j->model);
    alm_str_print(count, sizeof count, n < 1e6 ? "%.0f k" : "%.1f M", n < 1e6 ? n / 1e3 : n / 1e6);
    alm_cli_note(j->cli, _("%s parameters; %llu documents of %llu tokens, %zu documents held out"), count,
                 (unsigned long long)j->data.n_documents, (unsigned long long)j->data.n_tokens, j->data.eval.n);
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    int code = check_call(cli, v);
    if (code != ALM_EXIT_DONE) return code;
    job j = {.cli = cli, .v = v, .began_ns = alm_clock_steady_ns()};
    alm_error err = {0};
    char folder[4200];
    snprintf(folder, sizeof folder, "%s.checkpoints", v->output);
    alm_train_run r = {.cli = cli,
                       .checkpoints = v->resume        ? v->resume
                                      : v->checkpoints ? v->checkpoints
                                                       : folder,
                       .checkpoint_every = v->checkpoint_every,
                       .own_folder = !v->checkpoints && (!v->resume || strcmp(v->resume, folder) == 0),
                       .saved_step = UINT64_MAX};
    alm_train_progress p = {0};
    alm_status st = check_target(v->output, &err);
    if (st == ALM_OK) st = alm_arena_new(&j.arena, 1 << 12, 0, &err);
    if (st == ALM_OK) st = v->recipe ? read_recipe(&j, &err) : recipe_from_options(&j, &err);
    if (st == ALM_OK) st = gather(&j, &err);
    /* The vocabulary may be smaller than asked for; a base model brings its own. */
    if (st == ALM_OK && !j.recipe.base) j.recipe.config.n_vocab = alm_bpe_vocab(j.data.bpe);
    if (st == ALM_OK && j.recipe.base && !j.has_wanted) {
        alm_digest sum;
        st = alm_digest_file(&sum, j.recipe.base, &err);
        if (st == ALM_OK) alm_digest_hex(j.recipe.base_sha256, &sum);
    } else if (st == ALM_OK && j.recipe.base)
        st = check_file(_("the base model"), found(&j, j.recipe.base, &err), j.recipe.base_sha256, &err);
    if (st == ALM_OK) st = fit(&j, &err);
    if (st == ALM_OK) tell_shape(&j);
    if (st == ALM_OK) st = train(&j, &r, &p, &err);
    if (st == ALM_OK) code = finish(&j, &r, &p, &err);
    else if (st == ALM_INTERRUPTED) {
        if (r.trainer) {
            alm_cli_note(cli, _("interrupted after step %llu; to go on: the same command with --resume %s"),
                         (unsigned long long)p.step, r.checkpoints);
        }
        code = ALM_EXIT_INTERRUPTED;
    } else code = alm_cli_fail(cli, &err);
    alm_trainer_free(r.trainer);
    alm_compute_free(j.compute);
    alm_pool_free(j.pool);
    alm_model_free(j.model);
    alm_train_data_free(&j.data);
    alm_arena_free(j.arena);
    return code;
}

const alm_command_spec alm_cmd_train = {
    .operands = N_("--data FILE... -o MODEL"),
    .max_operands = SIZE_MAX,
    .operands_are_files = true,
    .about = N_(
        "Trains a language model (Llama architecture) from scratch on records, or goes on from a model with --base. "
        "Each "
        "record is a document; documents are packed side by side without padding, and none sees another. The tokenizer "
        "is "
        "learned from the data too.\n"
        "\n"
        "The same data, options and seed give the same file, bit for bit, for any number of threads and on any "
        "machine. "
        "What is needed for that is written beside the model as MODEL.recipe.json and into the model itself; --recipe "
        "makes the model again and checks every digest on the way.\n"
        "\n"
        "How much memory it takes is worked out before it starts. Ctrl-C, a crash or a power cut lose at most the last "
        "minute: --resume goes on from the last checkpoint to the same bits."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "learn score",
    .run = run,
};
