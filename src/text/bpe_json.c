/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_json.c - a byte-level vocabulary as Hugging Face stores it: tokenizer.json.
 *
 * Read are files whose steps are those that the vocabulary can do: no normaliser, one of the regexes of pretoken.h (or
 * ByteLevel's own, which is that of gpt-2), the ByteLevel alphabet, BPE without prefixes and suffixes. Everything else is
 * refused by name, since an id that is nearly right is wrong. What the post-processor puts around a text becomes
 * add_bos and add_eos. Ids may have holes: those are tokens without use. */
#include "base/alloc.h"
#include "base/json.h"
#include "text/bpe_inner.h"

static alm_status lacks(alm_error *err, const char *what, alm_str name) {
    alm_fail(err, ALM_UNSUPPORTED, "tokenizer.json: %s %.*s is not supported", what, name.n > 60 ? 60 : (int)name.n,
             name.at);
    alm_hint(err, "byte-level BPE is, with the pre-tokenizers of GPT-2, Llama 3 or Qwen 2 and without a normalizer");
    return ALM_UNSUPPORTED;
}

static alm_status broken(alm_error *err, const char *what) {
    return alm_fail(err, ALM_MALFORMED, "tokenizer.json: bad_value: %s", what);
}

static bool is_set(const alm_json *v) { return v && v->type != ALM_JSON_NULL; }
static bool is_true(const alm_json *v) { return v && v->type == ALM_JSON_TRUE; }
static alm_str text_of(const alm_json *v) { return v && v->type == ALM_JSON_STRING ? v->text : (alm_str){"", 0}; }
static bool has_type(const alm_json *v, const char *name) {
    return alm_str_eq(text_of(alm_json_get(v, "type")), alm_str_of(name));
}
/* The value under a key of an object; keys and values alternate. */
#define EACH_CHILD(c, of) (const alm_json *c = alm_json_first(of); c; c = alm_json_next(of, c))

/* -- which rule ------------------------------------------------------------------------------------------------------- */

#define LETTERS_FIRST "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define MARKS_BLANKS  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static alm_status rule_of_split(alm_bpe *b, const alm_json *split, bool whole_words, alm_error *err) {
    alm_str regex = text_of(alm_json_get(alm_json_get(split, "pattern"), "Regex"));
    alm_str way = text_of(alm_json_get(split, "behavior"));
    bool inverted = is_true(alm_json_get(split, "invert"));
    /* The regexes match everywhere: to keep what matches and to drop what does not are the same. */
    if (!(alm_str_eq(way, ALM_STR("Isolated")) && !inverted) && !(alm_str_eq(way, ALM_STR("Removed")) && inverted))
        return lacks(err, "the split behavior", way);
    if (alm_str_eq(regex, ALM_STR(LETTERS_FIRST "\\p{N}{1,3}" MARKS_BLANKS)))
        return alm_bpe_set_pre(b, whole_words ? ALM_STR("llama-bpe") : ALM_STR("dbrx"), err);
    if (alm_str_eq(regex, ALM_STR(LETTERS_FIRST "\\p{N}" MARKS_BLANKS)))
        return alm_bpe_set_pre(b, ALM_STR("qwen2"), err);
    return lacks(err, "the pre-tokenizer with the regex", regex);
}

static alm_status read_rule(alm_bpe *b, const alm_json *pre, bool whole_words, alm_error *err) {
    const alm_json *bytes = pre, *split = NULL;
    if (has_type(pre, "Sequence")) {
        const alm_json *list = alm_json_get(pre, "pretokenizers");
        split = alm_json_first(list);
        bytes = split ? alm_json_next(list, split) : NULL;
        if (!has_type(split, "Split") || !bytes || alm_json_next(list, bytes))
            return lacks(err, "the pre-tokenizer", ALM_STR("Sequence"));
    }
    if (!has_type(bytes, "ByteLevel")) return lacks(err, "the pre-tokenizer", text_of(alm_json_get(bytes, "type")));
    if (is_true(alm_json_get(bytes, "add_prefix_space")))
        return lacks(err, "ByteLevel with", ALM_STR("add_prefix_space"));
    const alm_json *own = alm_json_get(bytes, "use_regex"); /* missing: true */
    if ((!own || is_true(own)) == (split != NULL))
        return lacks(err, "the pre-tokenizer", ALM_STR("ByteLevel beside another regex"));
    alm_status st = split ? rule_of_split(b, split, whole_words, err) : alm_bpe_set_pre(b, ALM_STR("gpt-2"), err);
    if (st == ALM_OK) b->whole_words = whole_words;
    return st;
}

static alm_status check_steps(const alm_json *root, const alm_json *model, alm_error *err) {
    const alm_json *normalizer = alm_json_get(root, "normalizer");
    if (is_set(alm_json_get(model, "type")) && !has_type(model, "BPE"))
        return lacks(err, "the model", text_of(alm_json_get(model, "type")));
    if (is_set(normalizer)) return lacks(err, "the normalizer", text_of(alm_json_get(normalizer, "type")));
    if (is_true(alm_json_get(model, "byte_fallback"))) return lacks(err, "a vocabulary with", ALM_STR("byte_fallback"));
    if (is_set(alm_json_get(model, "dropout"))) return lacks(err, "a vocabulary with", ALM_STR("dropout"));
    static const char *const affix[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 2; i++)
        if (text_of(alm_json_get(model, affix[i])).n) return lacks(err, "a vocabulary with", alm_str_of(affix[i]));
    return ALM_OK;
}

/* -- tokens and merges ------------------------------------------------------------------------------------------------ */

static bool id_of(const alm_json *v, size_t *out) {
    int64_t id;
    if (!alm_json_i64(v, &id) || id < 0 || id >= ALM_BPE_MAX_VOCAB) return false;
    *out = (size_t)id;
    return true;
}

/* Ids up to the largest; more than twice as many as there are tokens is no vocabulary. */
static alm_status count_ids(const alm_json *vocab, const alm_json *added, size_t *out, alm_error *err) {
    size_t n = 0, n_token = 0, id;
    for
        EACH_CHILD(c, vocab) {
            if (!id_of(c + 1, &id)) return broken(err, "a token's id");
            if (id >= n) n = id + 1;
            n_token++;
        }
    for
        EACH_CHILD(c, added) {
            if (!id_of(alm_json_get(c, "id"), &id)) return broken(err, "an added token's id");
            if (id >= n) n = id + 1;
            n_token++;
        }
    if (n > 2 * n_token + 1024) return broken(err, "ids far beyond the number of tokens");
    *out = n;
    return ALM_OK;
}

static alm_status read_added(alm_bpe *b, alm_str *raw, const alm_json *added, alm_error *err) {
    static const char *const flag[] = {"lstrip", "rstrip", "single_word"};
    for
        EACH_CHILD(c, added) {
            size_t id = 0;
            if (!id_of(alm_json_get(c, "id"), &id) || id >= b->n_vocab) return broken(err, "an added token's id");
            alm_str text = text_of(alm_json_get(c, "content"));
            for (int i = 0; i < 3; i++)
                if (is_true(alm_json_get(c, flag[i]))) return lacks(err, "an added token with", alm_str_of(flag[i]));
            if (b->type[id] && !alm_str_eq(raw[id], text))
                return broken(err, "an added token has the id of another token");
            raw[id] = text;
            b->type[id] = is_true(alm_json_get(c, "special")) ? ALM_BPE_CONTROL : ALM_BPE_USER;
        }
    return ALM_OK;
}

static alm_status read_tokens(alm_bpe *b, alm_str *raw, const alm_json *vocab, const alm_json *added, alm_error *err) {
    for (size_t i = 0; i < b->n_vocab; i++) raw[i] = (alm_str){"", 0};
    for
        EACH_CHILD(c, vocab) {
            size_t id = 0;
            if (!id_of(c + 1, &id) || id >= b->n_vocab) return broken(err, "a token's id");
            if (b->type[id]) return broken(err, "two tokens have one id");
            raw[id] = c->text;
            b->type[id] = ALM_BPE_NORMAL;
        }
    alm_status st = read_added(b, raw, added, err);
    for (size_t i = 0; i < b->n_vocab; i++)
        if (!b->type[i]) b->type[i] = ALM_BPE_UNUSED;
    return st;
}

/* "left right" or ["left", "right"]. */
static alm_status read_merges(alm_str (*out)[2], const alm_json *merges, alm_error *err) {
    for
        EACH_CHILD(c, merges) {
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

/* -- what is put around a text ---------------------------------------------------------------------------------------- */

static int32_t special_id(const alm_bpe *b, const alm_json *step) {
    alm_str name = text_of(alm_json_get(alm_json_get(step, "SpecialToken"), "id"));
    for (size_t i = 0; name.n && i < b->n_vocab; i++)
        if (alm_str_eq(b->text[i], name)) return (int32_t)i;
    return ALM_BPE_NO_ID;
}

static void read_frame(alm_bpe *b, const alm_json *post) {
    if (has_type(post, "Sequence")) {
        const alm_json *list = alm_json_get(post, "processors");
        for
            EACH_CHILD(c, list) read_frame(b, c);
    }
    if (!has_type(post, "TemplateProcessing")) return;
    const alm_json *single = alm_json_get(post, "single"), *last = NULL;
    for
        EACH_CHILD(c, single) last = c;
    b->bos = special_id(b, alm_json_first(single));
    if (last && last != alm_json_first(single)) b->eos = special_id(b, last);
    b->add_bos = b->bos >= 0;
    b->add_eos = b->eos >= 0;
}

/* -- the whole file --------------------------------------------------------------------------------------------------- */

static alm_status read_vocabulary(alm_bpe *b, const alm_json *root, const alm_json *model, alm_error *err) {
    const alm_json *vocab = alm_json_get(model, "vocab"), *merges = alm_json_get(model, "merges");
    alm_str *raw = alm_calloc(b->n_vocab, sizeof *raw);
    alm_str(*merge)[2] = alm_calloc(b->n_merge, sizeof *merge);
    alm_status st = raw && merge ? ALM_OK : alm_fail_memory(err);
    if (st == ALM_OK) st = read_tokens(b, raw, vocab, alm_json_get(root, "added_tokens"), err);
    if (st == ALM_OK) st = read_merges(merge, merges, err);
    if (st == ALM_OK) st = alm_bpe_set_tokens(b, raw, "tokenizer.json", err);
    if (st == ALM_OK) st = alm_bpe_set_merges(b, raw, (const alm_str(*)[2])merge, "tokenizer.json", err);
    alm_free(raw);
    alm_free(merge);
    return st;
}

static alm_status read_root(alm_bpe **out, const alm_json *root, alm_error *err) {
    const alm_json *model = alm_json_get(root, "model"), *added = alm_json_get(root, "added_tokens");
    const alm_json *vocab = alm_json_get(model, "vocab"), *merges = alm_json_get(model, "merges");
    size_t n_vocab = 0;
    alm_bpe *b = NULL;
    alm_status st = check_steps(root, model, err);
    if (st != ALM_OK) return st;
    if (!vocab || vocab->type != ALM_JSON_OBJECT || !merges || merges->type != ALM_JSON_ARRAY ||
        (is_set(added) && added->type != ALM_JSON_ARRAY))
        return broken(err, "there is no model with vocab and merges");
    if ((st = count_ids(vocab, added, &n_vocab, err)) != ALM_OK) return st;
    st = alm_bpe_new(&b, n_vocab, merges->n, err);
    if (st == ALM_OK)
        st = read_rule(b, alm_json_get(root, "pre_tokenizer"), is_true(alm_json_get(model, "ignore_merges")), err);
    if (st == ALM_OK) st = read_vocabulary(b, root, model, err);
    if (st == ALM_OK) st = alm_bpe_finish(b, "tokenizer.json", err);
    if (st == ALM_OK) {
        read_frame(b, alm_json_get(root, "post_processor"));
        *out = b;
        b = NULL;
    }
    alm_bpe_free(b);
    return st;
}

alm_status alm_bpe_from_json(alm_bpe **out, char *text, size_t n, alm_error *err) {
    alm_json_doc doc = {0};
    *out = NULL;
    alm_status st = alm_json_parse(&doc, text, n, NULL, NULL, err);
    if (st == ALM_OK) st = read_root(out, doc.node, err);
    alm_json_doc_free(&doc);
    return st;
}
