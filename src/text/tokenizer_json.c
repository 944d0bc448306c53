/* SPDX-License-Identifier: Apache-2.0
 *
 * tokenizer_json.c - tokenizer.json of Hugging Face: the model and its vocabulary, added tokens, what is put around a text.
 *
 * The steps before and behind the model are read in json_steps.c. Everything that is not known is refused by name, since an id
 * that is nearly right is wrong. Ids may have holes: those are tokens without use. */
#include "base/alloc.h"
#include "text/json_steps.h"

enum { MAX_ADDED_BYTES = 1024 };

alm_status alm_tokenizer_json_lacks(alm_error *err, const char *what, alm_str name) {
    alm_fail(err, ALM_UNSUPPORTED, "tokenizer.json: %s %.*s is not supported", what, name.n > 60 ? 60 : (int)name.n,
             name.at);
    alm_hint(err, "docs/format/tokenizer.md lists the steps that are");
    return ALM_UNSUPPORTED;
}

alm_status alm_tokenizer_json_broken(alm_error *err, const char *what) {
    return alm_fail(err, ALM_MALFORMED, "tokenizer.json: bad_value: %s", what);
}

#define lacks    alm_tokenizer_json_lacks
#define broken   alm_tokenizer_json_broken
#define text_of  alm_json_step_text
#define is_true  alm_json_step_true
#define has_type alm_json_step_type
#define EACH     ALM_JSON_STEP_EACH

typedef struct source {
    const alm_json *root, *model, *vocab, *added;
    size_t n_vocab;
} source;

/* -- ids -------------------------------------------------------------------------------------------------------------------- */

static bool id_of(const alm_json *v, size_t *out) {
    int64_t id;
    if (!alm_json_i64(v, &id) || id < 0 || id >= ALM_TOKENIZER_MAX_VOCAB) return false;
    *out = (size_t)id;
    return true;
}

/* Ids up to the largest; more than twice as many as there are tokens is no vocabulary. */
static alm_status count_ids(source *s, alm_error *err) {
    size_t n = 0, n_token = 0, id;
    if (s->vocab->type == ALM_JSON_ARRAY) n = n_token = s->vocab->n;
    for (EACH(c, s->vocab->type == ALM_JSON_OBJECT ? s->vocab : NULL)) {
        if (!id_of(c + 1, &id)) return broken(err, "a token's id");
        if (id >= n) n = id + 1;
        n_token++;
    }
    for (EACH(c, s->added)) {
        if (!id_of(alm_json_get(c, "id"), &id)) return broken(err, "an added token's id");
        if (id >= n) n = id + 1;
        n_token++;
    }
    if (n > 2 * n_token + 1024) return broken(err, "ids far beyond the number of tokens");
    s->n_vocab = n;
    return ALM_OK;
}

/* Fills raw and type (0: no token) from the model's vocabulary. */
static alm_status read_vocab(const source *s, alm_str *raw, unsigned char *type, alm_error *err) {
    size_t id = 0;
    for (EACH(c, s->vocab)) {
        if (s->vocab->type == ALM_JSON_OBJECT) {
            if (!id_of(c + 1, &id) || id >= s->n_vocab) return broken(err, "a token's id");
            if (type[id]) return broken(err, "two tokens have one id");
            raw[id] = c->text;
        } else {
            const alm_json *name = alm_json_first(c);
            if (c->type != ALM_JSON_ARRAY || !name || name->type != ALM_JSON_STRING)
                return broken(err, "a token is not a text and a score");
            if (id >= s->n_vocab) return broken(err, "a token's id");
            raw[id] = name->text;
        }
        type[id++] = ALM_TOKEN_NORMAL;
    }
    return ALM_OK;
}

/* What an added token is for BPE: control tokens are no words, and neither is what the model's vocabulary lacks. */
static alm_status read_added_types(const source *s, alm_str *raw, unsigned char *type, alm_error *err) {
    size_t id = 0;
    for (EACH(c, s->added)) {
        if (!id_of(alm_json_get(c, "id"), &id) || id >= s->n_vocab) return broken(err, "an added token's id");
        alm_str text = text_of(alm_json_get(c, "content"));
        if (type[id] && !alm_str_eq(raw[id], text)) return broken(err, "an added token has the id of another token");
        bool control = is_true(alm_json_get(c, "special")), known = type[id] != 0;
        raw[id] = text;
        if (control) type[id] = ALM_TOKEN_CONTROL;
        else if (!known) type[id] = ALM_TOKEN_USER;
    }
    for (size_t i = 0; i < s->n_vocab; i++)
        if (!type[i]) type[i] = ALM_TOKEN_UNUSED;
    return ALM_OK;
}

static alm_status copy_names(alm_tokenizer *t, const alm_str *raw, const unsigned char *type, alm_error *err) {
    memcpy(t->type, type, t->n_vocab);
    for (size_t i = 0; i < t->n_vocab; i++) {
        t->name[i] = alm_arena_copy(t->arena, raw[i].at ? raw[i] : ALM_STR(""));
        if (!t->name[i].at) return alm_fail_memory(err);
    }
    return ALM_OK;
}

/* -- BPE -------------------------------------------------------------------------------------------------------------------- */

/* "left right" or ["left", "right"]. */
static alm_status read_merges(alm_str (*out)[2], const alm_json *merges, alm_error *err) {
    for (EACH(c, merges)) {
        const alm_json *left = alm_json_first(c), *right = left ? alm_json_next(c, left) : NULL;
        if (c->type == ALM_JSON_ARRAY && c->n == 2) {
            (*out)[0] = text_of(left);
            (*out)[1] = text_of(right);
        } else {
            size_t cut = c->type == ALM_JSON_STRING ? alm_str_find_byte(c->text, ' ') : SIZE_MAX;
            if (cut == SIZE_MAX) return broken(err, "a merge is not two tokens");
            (*out)[0] = alm_str_slice(c->text, 0, cut);
            (*out)[1] = alm_str_slice(c->text, cut + 1, c->text.n);
        }
        out++;
    }
    return ALM_OK;
}

static alm_status check_bpe(const alm_json *model, alm_error *err) {
    const alm_json *dropout = alm_json_get(model, "dropout");
    if (dropout && dropout->type != ALM_JSON_NULL) return lacks(err, "a vocabulary with", ALM_STR("dropout"));
    static const char *const affix[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 2; i++)
        if (text_of(alm_json_get(model, affix[i])).n) return lacks(err, "a vocabulary with", alm_str_of(affix[i]));
    return ALM_OK;
}

static alm_status fill_bpe(alm_bpe *b, const source *s, alm_str *raw, alm_error *err) {
    const alm_json *merges = alm_json_get(s->model, "merges");
    alm_str(*merge)[2] = alm_calloc(b->n_merge, sizeof *merge);
    alm_status st = merge ? ALM_OK : alm_fail_memory(err);
    if (st == ALM_OK) st = read_merges(merge, merges, err);
    if (st == ALM_OK) st = alm_bpe_set_tokens(b, raw, "tokenizer.json", err);
    if (st == ALM_OK) st = alm_bpe_set_merges(b, raw, (const alm_str(*)[2])merge, "tokenizer.json", err);
    alm_free(merge);
    if (st != ALM_OK) return st;
    if (b->chars && is_true(alm_json_get(s->model, "byte_fallback"))) alm_bpe_find_byte_tokens(b, raw);
    else if (b->chars) memset(b->byte_id, 0xFF, sizeof b->byte_id);
    return alm_bpe_finish(b, "tokenizer.json", err);
}

static alm_status read_bpe(alm_tokenizer **out, const source *s, alm_str *raw, unsigned char *type, alm_error *err) {
    const alm_json *merges = alm_json_get(s->model, "merges");
    bool bytes = alm_json_steps_are_bytes(s->root);
    alm_bpe *b = NULL;
    alm_tokenizer *t = NULL;
    alm_status st = check_bpe(s->model, err);
    if (st == ALM_OK && (!merges || merges->type != ALM_JSON_ARRAY))
        st = broken(err, "there is no model with vocab and merges");
    if (st == ALM_OK) st = alm_bpe_new(&b, s->n_vocab, merges->n, err);
    if (st == ALM_OK) {
        memcpy(b->type, type, s->n_vocab);
        b->chars = !bytes;
        b->rule = ALM_PRETOKEN_REGEX; /* the steps say it */
        b->whole_words = is_true(alm_json_get(s->model, "ignore_merges"));
        b->fuse_unknown = is_true(alm_json_get(s->model, "fuse_unk"));
        alm_str unknown = text_of(alm_json_get(s->model, "unk_token"));
        for (size_t i = 0; unknown.n && i < s->n_vocab; i++)
            if (alm_str_eq(raw[i], unknown)) b->unknown = (uint32_t)i;
        st = fill_bpe(b, s, raw, err);
    }
    if (st == ALM_OK) st = alm_tokenizer_new(&t, bytes ? &alm_tokenizer_bytes : &alm_tokenizer_chars, s->n_vocab, err);
    if (st == ALM_OK) {
        t->unknown = b->unknown == UINT32_MAX ? -1 : (int32_t)b->unknown;
        alm_tokenizer_take_bpe(t, b);
        b = NULL;
        *out = t;
    }
    alm_bpe_free(b);
    return st;
}

/* -- unigram, WordPiece --------------------------------------------------------------------------------------------------------- */

static alm_status read_scores(const source *s, double *score, alm_error *err) {
    size_t i = 0;
    for (EACH(c, s->vocab)) {
        const alm_json *name = alm_json_first(c), *value = name ? alm_json_next(c, name) : NULL;
        if (!alm_json_f64(value, &score[i++])) return broken(err, "a token is not a text and a score");
    }
    return ALM_OK;
}

static alm_status read_unigram(alm_tokenizer **out, const source *s, alm_str *raw, unsigned char *type,
                               alm_error *err) {
    double *score = alm_calloc(s->n_vocab, sizeof *score);
    int64_t unknown = -1;
    alm_tokenizer *t = NULL;
    alm_status st = score ? ALM_OK : alm_fail_memory(err);
    if (st == ALM_OK && s->vocab->type != ALM_JSON_ARRAY) st = broken(err, "a unigram vocabulary is a list");
    if (st == ALM_OK) st = read_scores(s, score, err);
    if (st == ALM_OK) st = alm_tokenizer_new(&t, &alm_tokenizer_unigram, s->n_vocab, err);
    if (st == ALM_OK) st = copy_names(t, raw, type, err);
    if (st == ALM_OK) {
        if (alm_json_i64(alm_json_get(s->model, "unk_id"), &unknown) && unknown >= 0 && unknown < (int64_t)t->n_vocab)
            t->unknown = (int32_t)unknown;
        if (t->unknown >= 0 && t->type[t->unknown] == ALM_TOKEN_NORMAL) t->type[t->unknown] = ALM_TOKEN_UNKNOWN;
        t->fallback = is_true(alm_json_get(s->model, "byte_fallback"));
        st = alm_tokenizer_set_unigram(t, score, false, err);
    }
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    alm_free(score);
    return st;
}

static alm_status read_wordpiece(alm_tokenizer **out, const source *s, alm_str *raw, unsigned char *type,
                                 alm_error *err) {
    alm_tokenizer *t = NULL;
    int64_t max_word = 100;
    alm_str unknown = text_of(alm_json_get(s->model, "unk_token"));
    const alm_json *prefix = alm_json_get(s->model, "continuing_subword_prefix");
    alm_json_i64(alm_json_get(s->model, "max_input_chars_per_word"), &max_word);
    alm_status st = alm_tokenizer_new(&t, &alm_tokenizer_wordpiece, s->n_vocab, err);
    if (st == ALM_OK) st = copy_names(t, raw, type, err);
    for (size_t i = 0; st == ALM_OK && unknown.n && i < t->n_vocab; i++)
        if (alm_str_eq(t->name[i], unknown)) t->unknown = (int32_t)i;
    if (st == ALM_OK)
        st = alm_tokenizer_set_wordpiece(t, prefix ? text_of(prefix) : ALM_STR("##"),
                                         max_word < 1 ? 1 : (size_t)max_word, err);
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    return st;
}

/* Files that are older than the key "type" are told by what the model has. */
static alm_status read_model(alm_tokenizer **out, const source *s, alm_error *err) {
    const alm_json *type = alm_json_get(s->model, "type");
    alm_str kind = type ? text_of(type) : alm_json_get(s->model, "merges") ? ALM_STR("BPE") : ALM_STR("WordPiece");
    alm_str *raw = alm_calloc(s->n_vocab, sizeof *raw);
    unsigned char *types = alm_calloc(s->n_vocab, 1);
    alm_status st = raw && types ? ALM_OK : alm_fail_memory(err);
    for (size_t i = 0; st == ALM_OK && i < s->n_vocab; i++) raw[i] = (alm_str){"", 0};
    if (st == ALM_OK) st = read_vocab(s, raw, types, err);
    if (st == ALM_OK) st = read_added_types(s, raw, types, err);
    if (st != ALM_OK) {
    } else if (alm_str_eq(kind, ALM_STR("BPE"))) st = read_bpe(out, s, raw, types, err);
    else if (alm_str_eq(kind, ALM_STR("Unigram"))) st = read_unigram(out, s, raw, types, err);
    else if (alm_str_eq(kind, ALM_STR("WordPiece"))) st = read_wordpiece(out, s, raw, types, err);
    else st = lacks(err, "the model", kind);
    alm_free(raw);
    alm_free(types);
    return st;
}

/* -- added tokens ------------------------------------------------------------------------------------------------------------------ */

/* The text of a token that is looked for in normalised text is normalised too. */
static alm_status normalized_name(alm_tokenizer *t, alm_tokenizer_scratch *scratch, alm_str *text, alm_error *err) {
    alm_str to;
    alm_status st = alm_tokenizer_normalize(t, scratch, *text, &to, err);
    if (st != ALM_OK || to.at == text->at) return st;
    *text = alm_arena_copy(t->arena, to);
    return text->at ? ALM_OK : alm_fail_memory(err);
}

static alm_status read_added(alm_tokenizer *t, const source *s, alm_error *err) {
    alm_tokenizer_scratch *scratch = NULL;
    alm_status st = alm_tokenizer_scratch_new(&scratch, t, err);
    size_t id = 0;
    for (EACH(c, s->added)) {
        if (st != ALM_OK) break;
        if (!id_of(alm_json_get(c, "id"), &id) || id >= t->n_vocab) {
            st = broken(err, "an added token's id");
            break;
        }
        alm_added a = {.text = t->name[id],
                       .id = (uint32_t)id,
                       .control = is_true(alm_json_get(c, "special")),
                       .lstrip = is_true(alm_json_get(c, "lstrip")),
                       .rstrip = is_true(alm_json_get(c, "rstrip")),
                       .single_word = is_true(alm_json_get(c, "single_word"))};
        if (a.text.n > MAX_ADDED_BYTES) {
            st = lacks(err, "an added token of more than 1024 bytes,", alm_str_slice(a.text, 0, 20));
            break;
        }
        t->type[id] = a.control ? ALM_TOKEN_CONTROL : ALM_TOKEN_USER;
        bool normalized = is_true(alm_json_get(c, "normalized"));
        if (normalized) st = normalized_name(t, scratch, &a.text, err);
        if (st == ALM_OK) st = alm_added_add(normalized ? &t->normalized : &t->added, a, err);
    }
    alm_tokenizer_scratch_free(scratch);
    return st;
}

/* -- what is put around a text -------------------------------------------------------------------------------------------------------- */

static alm_status frame(alm_tokenizer *t, bool behind, uint64_t id, alm_error *err) {
    size_t *n = behind ? &t->n_behind : &t->n_before;
    if (id >= t->n_vocab) return broken(err, "the post-processor names an id beyond the vocabulary");
    if (*n == ALM_TOKENIZER_MAX_FRAME) return lacks(err, "a post-processor with", ALM_STR("so many tokens"));
    (behind ? t->behind : t->before)[(*n)++] = (uint32_t)id;
    return ALM_OK;
}

static alm_status read_template(alm_tokenizer *t, const alm_json *post, alm_error *err) {
    const alm_json *known = alm_json_get(post, "special_tokens");
    bool behind = false;
    alm_status st = ALM_OK;
    for (EACH(c, alm_json_get(post, "single"))) {
        const alm_json *special = alm_json_get(c, "SpecialToken");
        behind |= alm_json_get(c, "Sequence") != NULL;
        if (!special) continue;
        alm_str name = text_of(alm_json_get(special, "id"));
        const alm_json *ids = NULL;
        for (EACH(k, known))
            if (alm_str_eq(k->text, name)) ids = alm_json_get(k + 1, "ids");
        for (EACH(id, ids)) {
            int64_t x;
            if (!alm_json_i64(id, &x) || x < 0) return broken(err, "the post-processor has an id that is none");
            if ((st = frame(t, behind, (uint64_t)x, err)) != ALM_OK) return st;
        }
        if (ids) continue;
        int32_t x = alm_tokenizer_find(t, name);
        if (x >= 0 && (st = frame(t, behind, (uint64_t)x, err)) != ALM_OK) return st;
    }
    return st;
}

/* ["[SEP]", 102] */
static alm_status read_pair(alm_tokenizer *t, const alm_json *pair, bool behind, alm_error *err) {
    const alm_json *name = alm_json_first(pair), *id = name ? alm_json_next(pair, name) : NULL;
    int64_t x;
    if (!alm_json_i64(id, &x) || x < 0) return broken(err, "the post-processor has an id that is none");
    return frame(t, behind, (uint64_t)x, err);
}

static alm_status read_post(alm_tokenizer *t, const alm_json *post, int depth, alm_error *err) {
    alm_status st = ALM_OK;
    if (!post || post->type == ALM_JSON_NULL || has_type(post, "ByteLevel")) return ALM_OK;
    if (has_type(post, "TemplateProcessing")) return read_template(t, post, err);
    if (has_type(post, "BertProcessing") || has_type(post, "RobertaProcessing")) {
        st = read_pair(t, alm_json_get(post, "cls"), false, err);
        return st == ALM_OK ? read_pair(t, alm_json_get(post, "sep"), true, err) : st;
    }
    if (!has_type(post, "Sequence") || depth > 8)
        return lacks(err, "the post-processor", text_of(alm_json_get(post, "type")));
    for (EACH(c, alm_json_get(post, "processors"))) {
        if (st != ALM_OK) break;
        st = read_post(t, c, depth + 1, err);
    }
    return st;
}

/* -- the whole file ---------------------------------------------------------------------------------------------------------------------- */

static alm_status read_root(alm_tokenizer **out, const alm_json *root, alm_error *err) {
    source s = {.root = root, .model = alm_json_get(root, "model"), .added = alm_json_get(root, "added_tokens")};
    alm_tokenizer *t = NULL;
    s.vocab = alm_json_get(s.model, "vocab");
    if (!s.vocab || (s.vocab->type != ALM_JSON_OBJECT && s.vocab->type != ALM_JSON_ARRAY))
        return broken(err, "there is no model with a vocab");
    if (s.added && s.added->type == ALM_JSON_NULL) s.added = NULL;
    if (s.added && s.added->type != ALM_JSON_ARRAY) return broken(err, "the added tokens are no list");
    alm_status st = count_ids(&s, err);
    if (st == ALM_OK) st = read_model(&t, &s, err);
    if (st == ALM_OK) st = alm_json_steps_read(t, root, err);
    if (st == ALM_OK) st = read_added(t, &s, err);
    if (st == ALM_OK) st = read_post(t, alm_json_get(root, "post_processor"), 0, err);
    if (st == ALM_OK) {
        if (t->n_before) t->bos = (int32_t)t->before[0];
        if (t->n_behind) t->eos = (int32_t)t->behind[t->n_behind - 1];
        st = alm_tokenizer_finish(t, err);
    }
    if (st == ALM_OK) {
        *out = t;
        t = NULL;
    }
    alm_tokenizer_free(t);
    return st;
}

alm_status alm_tokenizer_from_json(alm_tokenizer **out, char *text, size_t n, alm_error *err) {
    alm_json_doc doc = {0};
    *out = NULL;
    alm_status st = alm_json_parse(&doc, text, n, NULL, NULL, err);
    if (st == ALM_OK) st = read_root(out, doc.node, err);
    alm_json_doc_free(&doc);
    return st;
}
