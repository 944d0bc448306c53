/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_tensor.c - `alm tensor`: what lies in a file of weights; one tensor taken out of it.
 *
 * All containers look alike from here: names, shapes with the outermost dimension first, types, bytes. A tensor goes
 * into the file that -o names, never into one that its own name would make. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/columns.h"
#include "dtype/dtype.h"
#include "format/npy.h"
#include "format/tensors.h"
#include "proof/digest.h"

#include <stdio.h>

enum { AS_F32, AS_RAW };

typedef struct values {
    const char *output;
    int dtype;
    bool list, json;
} values;

static const alm_opt opts[] = {
    {.name = "list",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("list names, shapes and types of all tensors"),
     .at = offsetof(values, list)},
    {.name = "json",
     .type = ALM_OPT_FLAG,
     .section = N_("Output"),
     .help = N_("with --list: one JSON object a tensor, with the SHA-256 of its bytes"),
     .at = offsetof(values, json)},
    {.name = "output",
     .letter = 'o',
     .type = ALM_OPT_FILE,
     .arg = N_("FILE"),
     .not_with = "list",
     .section = N_("Output"),
     .help = N_("write the tensor NAME as a NumPy array"),
     .at = offsetof(values, output)},
    {.name = "dtype",
     .type = ALM_OPT_CHOICE,
     .choices = "f32|raw",
     .fallback = "f32",
     .section = N_("Output"),
     .help = N_("decoded to float32, or the bytes as they lie in the file"),
     .at = offsetof(values, dtype)},
};

static const alm_example examples[] = {
    {"alm tensor tiny.gguf --list", N_("What is in it?")},
    {"alm tensor tiny.gguf --list --json", N_("The same for a script, with digests.")},
    {"alm tensor tiny.gguf blk.0.attn_q.weight -o q.npy", N_("One tensor as numbers.")},
    {"alm tensor tiny.gguf token_embd.weight --dtype raw -o raw.npy", N_("The bytes of the file, undecoded.")},
    {"alm tensor builtin: --list", N_("What is in the small model inside the program?")},
};

/* -- listing ---------------------------------------------------------------------------------------------------------- */

static alm_status list_json(alm_cli *cli, const alm_tensors *f, alm_error *err) {
    alm_status st = ALM_OK;
    for (size_t i = 0; i < alm_tensors_count(f) && st == ALM_OK && !alm_cli_stopped(cli); i++) {
        const alm_tensor_entry *t = alm_tensors_at(f, i);
        alm_digest digest;
        char hex[ALM_DIGEST_HEX_BYTES];
        if ((st = alm_digest_of(&digest, t->at, t->n_bytes, err)) != ALM_OK) break;
        alm_json_writer w = alm_json_writer_on(&cli->out.buf);
        alm_json_begin_object(&w);
        alm_json_key(&w, "name"), alm_json_string(&w, t->name);
        alm_json_key(&w, "shape"), alm_json_begin_array(&w);
        for (uint32_t k = 0; k < t->n_dims; k++) alm_json_u64(&w, t->dim[k]);
        alm_json_end_array(&w);
        alm_json_key(&w, "type"), alm_json_text(&w, t->type_name);
        alm_json_key(&w, "sha256"), alm_json_text(&w, alm_digest_hex(hex, &digest));
        alm_json_end_object(&w);
        alm_out_text(&cli->out, "\n");
    }
    return st;
}

static alm_status list_table(alm_cli *cli, const alm_tensors *f, alm_error *err) {
    const alm_column heads[] = {
        {.head = _("name")}, {.head = _("type")}, {.head = _("shape")}, {.head = _("bytes"), .right = true}};
    alm_columns *table;
    alm_status st = alm_columns_new(&table, heads, 4, err);
    for (size_t i = 0; st == ALM_OK && i < alm_tensors_count(f); i++) {
        const alm_tensor_entry *t = alm_tensors_at(f, i);
        char shape[ALM_TENSOR_MAX_DIMS * 24] = "", bytes[24];
        size_t n = 0;
        for (uint32_t k = 0; k < t->n_dims; k++)
            n += (size_t)snprintf(shape + n, sizeof shape - n, "%s%llu", k ? " x " : "", (unsigned long long)t->dim[k]);
        snprintf(bytes, sizeof bytes, "%zu", t->n_bytes);
        st = alm_columns_add(table, t->name, ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(t->type_name), ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(shape), ALM_PLAIN, err);
        if (st == ALM_OK) st = alm_columns_add(table, alm_str_of(bytes), ALM_PLAIN, err);
    }
    if (st == ALM_OK) st = alm_columns_print(table, &cli->out, &cli->out_term, err);
    alm_columns_free(table);
    return st;
}

/* -- one tensor --------------------------------------------------------------------------------------------------------- */

static alm_status write_f32(const alm_tensor_entry *t, const char *path, alm_error *err) {
    const alm_type *type = t->type == UINT32_MAX ? NULL : alm_type_find(t->type);
    if (!type) {
        alm_fail(err, ALM_UNSUPPORTED, _("tensor %.*s is %s, which this build cannot decode"), ALM_ARG(t->name),
                 t->type_name);
        return alm_hint(err, _("--dtype raw writes its bytes")), ALM_UNSUPPORTED;
    }
    size_t n_bytes;
    if (t->n_items > SIZE_MAX || !alm_mul_size(&n_bytes, (size_t)t->n_items, sizeof(float)))
        return alm_fail_memory(err);
    float *at = alm_alloc(n_bytes);
    if (!at) return alm_fail_memory(err);
    type->decode(at, t->at, (size_t)t->n_items);
    alm_status st = alm_npy_write(path, "<f4", t->n_dims, t->dim, at, n_bytes, err);
    alm_free(at);
    return st;
}

/* Numbers that NumPy knows keep their type; everything else is bytes, a row of them for each row of the tensor. */
static alm_status write_raw(const alm_tensor_entry *t, const char *path, alm_error *err) {
    static const struct {
        const char *type, *descr;
    } known[] = {{"F32", "<f4"}, {"F16", "<f2"},  {"F64", "<f8"}, {"I8", "|i1"},  {"I16", "<i2"},
                 {"I32", "<i4"}, {"I64", "<i8"},  {"U8", "|u1"},  {"U16", "<u2"}, {"U32", "<u4"},
                 {"U64", "<u8"}, {"BOOL", "|b1"}, {"C64", "<c8"}, {"BF16", "<u2"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].type, t->type_name) == 0)
            return alm_npy_write(path, known[i].descr, t->n_dims, t->dim, t->at, t->n_bytes, err);
    uint64_t dim[ALM_TENSOR_MAX_DIMS] = {t->n_bytes};
    uint32_t n_dims = 1;
    if (t->n_dims > 0 && t->n_items > 0) {
        n_dims = t->n_dims;
        memcpy(dim, t->dim, sizeof dim);
        dim[n_dims - 1] = t->n_bytes / (t->n_items / t->dim[n_dims - 1]);
        if (dim[n_dims - 1] * (t->n_items / t->dim[n_dims - 1]) != t->n_bytes) n_dims = 1, dim[0] = t->n_bytes;
    }
    return alm_npy_write(path, "|u1", n_dims, dim, t->at, t->n_bytes, err);
}

static alm_status give(alm_cli *cli, const alm_tensors *f, const values *v, alm_error *err) {
    if (v->list) return v->json ? list_json(cli, f, err) : list_table(cli, f, err);
    const alm_tensor_entry *t = alm_tensors_find(f, alm_str_of(cli->operands.at[1]));
    if (!t) {
        alm_fail(err, ALM_NOT_FOUND, _("%s: no tensor %s"), cli->operands.at[0], cli->operands.at[1]);
        return alm_hint(err, _("--list shows the names")), ALM_NOT_FOUND;
    }
    return v->dtype == AS_RAW ? write_raw(t, v->output, err) : write_f32(t, v->output, err);
}

static int run(alm_cli *cli, const void *given) {
    const values *v = given;
    if (v->list && cli->operands.n != 1) return alm_cli_usage(cli, NULL, _("--list takes one file and no name"));
    if (v->json && !v->list) return alm_cli_usage(cli, NULL, _("--json goes with --list"));
    if (!v->list && (cli->operands.n != 2 || !v->output))
        return alm_cli_usage(cli, NULL, _("say what to give: FILE --list, or FILE NAME -o OUT.npy"));
    alm_tensors *f = NULL;
    alm_error err = {0};
    alm_status st = alm_tensors_open(&f, cli->operands.at[0], &err);
    if (st == ALM_OK) st = give(cli, f, v, &err);
    alm_tensors_close(f);
    return st == ALM_OK ? ALM_EXIT_DONE : alm_cli_fail(cli, &err);
}

const alm_command_spec alm_cmd_tensor = {
    .operands = N_("FILE [NAME]"),
    .min_operands = 1,
    .n_models = 1,
    .max_operands = 2,
    .operands_are_files = true,
    .about = N_(
        "Lists the tensors of a GGUF, safetensors or PyTorch file, or of a folder of them, or writes one of them as a "
        "NumPy array. Shapes have the outermost dimension first.\n\n"
        "A file that breaks its format is refused before anything in it is used."),
    .opt = opts,
    .n_opt = sizeof opts / sizeof opts[0],
    .values_bytes = sizeof(values),
    .example = examples,
    .n_example = sizeof examples / sizeof examples[0],
    .see_also = "logits",
    .run = run,
};
