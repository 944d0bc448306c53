/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_eval.c - expressions of a template: the tree is walked, each node gives a value.
 *
 * What a name or a part does not have is undefined, not an error: it is empty when it is shown, false, without elements; the
 * error comes when something is asked of it. `a.b` looks for a method first and then for the item "b"; `a["b"]` the other
 * way round, as Jinja does. Names that begin with an underscore are no attributes. */
#include "text/chat_inner.h"

uint32_t alm_chat_find(const alm_chat_builtin *list, size_t n, alm_str name) {
    for (size_t i = 0; i < n; i++)
        if (strlen(list[i].name) == name.n && memcmp(list[i].name, name.at, name.n) == 0) return (uint32_t)i;
    return UINT32_MAX;
}

/* ── undefined ────────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *kind_text(alm_cv v, char *at, size_t at_bytes) {
    if (v.kind == ALM_CV_NONE) return "None";
    alm_str_print(at, at_bytes, v.kind == ALM_CV_UNDEFINED ? "undefined object" : "%s object", alm_cv_type(v));
    return at;
}

bool(alm_chat_undefined)(alm_chat_run *r, alm_cv v) {
    char kind[60];
    if (v.sub == ALM_CV_NAME) return alm_chat_fail(r, ALM_MISMATCH, "'%.*s' is undefined", ALM_ARG(alm_cv_text(v)));
    if (v.sub != ALM_CV_PART) return alm_chat_fail(r, ALM_MISMATCH, "%.*s", ALM_ARG(alm_cv_text(v)));
    alm_cv name = v.as.missed->name;
    kind_text(v.as.missed->of, kind, sizeof kind);
    const char *of = kind_text(v.as.missed->of, kind, sizeof kind);
    if (name.kind == ALM_CV_STR)
        return alm_chat_fail(r, ALM_MISMATCH, "'%s' has no attribute '%.*s'", of, ALM_ARG(alm_cv_text(name)));
    if (alm_cv_is_int(name)) return alm_chat_fail(r, ALM_MISMATCH, "%s has no element %lld", of, (long long)name.as.i);
    return alm_chat_fail(r, ALM_MISMATCH, "%s has no such element", of);
}

static bool missed(alm_chat_run *r, alm_cv of, alm_cv name, alm_cv *out) {
    alm_cv_missed *m = alm_chat_memory(r, 1, sizeof *m);
    if (!m) return false;
    *m = (alm_cv_missed){of, name};
    *out = (alm_cv){.kind = ALM_CV_UNDEFINED, .sub = ALM_CV_PART, .as.missed = m};
    return true;
}

static bool unsafe(alm_chat_run *r, alm_cv of, alm_str name, alm_cv *out) {
    char text[200];
    int n = alm_str_print(text, sizeof text, "access to attribute '%.*s' of '%s' object is unsafe.",
                          (int)(name.n < 100 ? name.n : 100), name.at, alm_cv_type(of));
    if (!alm_cv_copy_str(r, alm_str_make(text, (size_t)n), out)) return false;
    out->kind = ALM_CV_UNDEFINED;
    out->sub = ALM_CV_HINT;
    return true;
}

/* ── attributes and items ─────────────────────────────────────────────────────────────────────────────────────── */

static bool loop_attribute(alm_chat_loop *l, alm_str name, alm_cv *out) {
    const struct {
        const char *name;
        alm_cv value;
    } known[] = {
        {"index", alm_cv_int((int64_t)l->at + 1)},
        {"index0", alm_cv_int((int64_t)l->at)},
        {"revindex", alm_cv_int((int64_t)(l->n - l->at))},
        {"revindex0", alm_cv_int((int64_t)(l->n - l->at) - 1)},
        {"first", alm_cv_bool(l->at == 0)},
        {"last", alm_cv_bool(l->at + 1 >= l->n)},
        {"length", alm_cv_int((int64_t)l->n)},
        {"depth", alm_cv_int(l->depth0 + 1)},
        {"depth0", alm_cv_int(l->depth0)},
        {"previtem", l->at ? l->item[l->at - 1] : alm_cv_hint("there is no previous item")},
        {"nextitem", l->at + 1 < l->n ? l->item[l->at + 1] : alm_cv_hint("there is no next item")},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (alm_str_eq(name, alm_str_of(known[i].name))) return *out = known[i].value, true;
    return false;
}

/* What a value offers under a name that is no item of it. MISSING: nothing. */
static bool attribute(alm_chat_run *r, alm_cv of, alm_str name, uint32_t method, alm_cv *out) {
    *out = alm_cv_of(ALM_CV_MISSING);
    if (of.kind == ALM_CV_NAMESPACE) return alm_cv_dict_get(r, of.as.dict, alm_cv_str(name), out);
    if (of.kind == ALM_CV_LOOP && loop_attribute(of.as.loop, name, out)) return true;
    if (of.kind == ALM_CV_TUPLE && of.sub == ALM_CV_GROUP && of.as.list->n == 2) {
        if (alm_str_eq(name, ALM_STR("grouper"))) return *out = of.as.list->at[0], true;
        if (alm_str_eq(name, ALM_STR("list"))) return *out = of.as.list->at[1], true;
    }
    if (of.kind == ALM_CV_MACRO && alm_str_eq(name, ALM_STR("name"))) return *out = alm_cv_str(of.as.macro->name), true;
    if (of.kind == ALM_CV_CYCLER && alm_str_eq(name, ALM_STR("current"))) {
        const alm_cv_list *l = of.as.list;
        return *out = l->at[l->walked % l->n], true;
    }
    /* Rows of one name follow one another, each for other kinds of value. */
    for (; method && method <= alm_chat_n_method; method++) {
        const alm_chat_builtin *m = &alm_chat_methods[method - 1];
        if (strlen(m->name) != name.n || memcmp(m->name, name.at, name.n) != 0) break;
        if (!(m->kinds >> of.kind & 1)) continue;
        if (!m->signature) return unsafe(r, of, name, out); /* it would change the value */
        alm_cv_bound *bound = alm_chat_memory(r, 1, sizeof *bound);
        if (!bound) return false;
        bound->self = of;
        *out = (alm_cv){.kind = ALM_CV_METHOD, .n = method - 1, .as.bound = bound};
        return true;
    }
    if (name.n > 4 && alm_str_starts(name, ALM_STR("__")) && alm_str_ends(name, ALM_STR("__")) &&
        of.kind != ALM_CV_DICT)
        return unsafe(r, of, name, out);
    return true;
}

/* of[key]; MISSING when there is none. */
static bool item(alm_chat_run *r, alm_cv of, alm_cv key, alm_cv *out) {
    *out = alm_cv_of(ALM_CV_MISSING);
    bool is_list = of.kind == ALM_CV_LIST || of.kind == ALM_CV_TUPLE;
    if (of.kind == ALM_CV_DICT) {
        bool hashable = key.kind != ALM_CV_LIST && key.kind != ALM_CV_DICT && key.kind != ALM_CV_VIEW;
        return !hashable || alm_cv_dict_get(r, of.as.dict, key, out);
    }
    if ((!is_list && of.kind != ALM_CV_STR && of.kind != ALM_CV_RANGE) || !alm_cv_is_int(key)) return true;
    size_t n;
    int64_t i = key.as.i;
    if (!alm_cv_length(r, of, &n)) return false;
    if (i < 0) i += (int64_t)n;
    if (i < 0 || (uint64_t)i >= n) return true;
    if (is_list) return *out = of.as.list->at[i], true;
    if (of.kind == ALM_CV_RANGE) return *out = alm_cv_int(of.as.range->start + i * of.as.range->step), true;
    alm_str s = alm_cv_text(of);
    size_t from = alm_chat_offset(s, (size_t)i);
    s = alm_str_slice(s, from, s.n);
    return *out = alm_cv_str(alm_str_slice(s, 0, alm_chat_offset(s, 1))), true;
}

bool alm_chat_attr(alm_chat_run *r, alm_cv of, alm_str name, uint32_t method, alm_cv *out) {
    if (of.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, of);
    if (of.kind == ALM_CV_DICT && !method) { /* by far the most frequent */
        if (!alm_cv_dict_get(r, of.as.dict, alm_cv_str(name), out)) return false;
    } else {
        if (!attribute(r, of, name, method, out)) return false;
        if (out->kind == ALM_CV_MISSING && !item(r, of, alm_cv_str(name), out)) return false;
    }
    return out->kind != ALM_CV_MISSING || missed(r, of, alm_cv_str(name), out);
}

bool alm_chat_item(alm_chat_run *r, alm_cv of, alm_cv key, alm_cv *out) {
    if (of.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, of);
    if (!item(r, of, key, out)) return false;
    if (out->kind == ALM_CV_MISSING && key.kind == ALM_CV_STR) {
        uint32_t method = alm_chat_find(alm_chat_methods, alm_chat_n_method, alm_cv_text(key)) + 1;
        if (!attribute(r, of, alm_cv_text(key), method, out)) return false;
    }
    return out->kind != ALM_CV_MISSING || missed(r, of, key, out);
}

/* ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* f(a, *star, name=b, **more): the lists behind stars are unpacked. */
bool alm_chat_eval_args(alm_chat_run *r, alm_chat_scope *s, const alm_cn_args *from, alm_chat_args *out) {
    const alm_cv *star = NULL;
    size_t n_star = 0, n_more = 0;
    alm_cv v = alm_cv_of(ALM_CV_NONE);
    *out = (alm_chat_args){0};
    if (!from) return true;
    alm_cv first[4];
    alm_cv *pos = first;
    if (from->n_pos > 4 && !(pos = alm_chat_memory(r, from->n_pos, sizeof *pos))) return false;
    for (uint32_t i = 0; i < from->n_pos; i++)
        if (!alm_chat_eval(r, s, from->pos[i], &pos[i])) return false;
    alm_cv kw[4];
    alm_cv *named = kw;
    if (from->n_kw > 4 && !(named = alm_chat_memory(r, from->n_kw, sizeof *named))) return false;
    for (uint32_t i = 0; i < from->n_kw; i++)
        if (!alm_chat_eval(r, s, from->kw[i], &named[i])) return false;
    if (from->star && (!alm_chat_eval(r, s, from->star, &v) || !alm_cv_items(r, v, &star, &n_star))) return false;
    if (from->star_star && !alm_chat_eval(r, s, from->star_star, &v)) return false;
    if (from->star_star) {
        if (v.kind != ALM_CV_DICT) return alm_chat_fail(r, ALM_MISMATCH, "the value behind ** is no mapping");
        n_more = alm_cv_dict_n(v.as.dict);
    }
    out->n_pos = from->n_pos + (uint32_t)n_star;
    out->n_kw = from->n_kw + (uint32_t)n_more;
    if (out->n_pos && !(out->pos = alm_chat_memory(r, out->n_pos, sizeof *out->pos))) return false;
    if (out->n_kw && (!(out->kw = alm_chat_memory(r, out->n_kw, sizeof *out->kw)) ||
                      !(out->kw_name = alm_chat_memory(r, out->n_kw, sizeof *out->kw_name))))
        return false;
    if (from->n_pos) memcpy(out->pos, pos, from->n_pos * sizeof *pos);
    if (n_star) memcpy(out->pos + from->n_pos, star, n_star * sizeof *star);
    if (from->n_kw) memcpy(out->kw, named, from->n_kw * sizeof *named);
    if (from->n_kw) memcpy(out->kw_name, from->kw_name, from->n_kw * sizeof *out->kw_name);
    for (size_t i = 0; i < n_more; i++) {
        alm_cv key, value;
        alm_cv_dict_at(v.as.dict, i, &key, &value);
        if (key.kind != ALM_CV_STR) return alm_chat_fail(r, ALM_MISMATCH, "keywords must be strings");
        out->kw_name[from->n_kw + i] = alm_cv_text(key);
        out->kw[from->n_kw + i] = value;
    }
    return true;
}

bool alm_chat_bind(alm_chat_run *r, const char *what, const char *signature, const alm_chat_args *a, alm_cv *out) {
    alm_str rest = alm_str_of(signature), name;
    uint32_t n = 0, named = 0;
    if (*signature == '*') return true;
    while (rest.n && alm_str_split(&rest, ' ', &name)) {
        bool optional = name.at[0] == '?';
        if (optional) name.at++, name.n--;
        out[n] = n < a->n_pos ? a->pos[n] : alm_cv_of(ALM_CV_MISSING);
        for (uint32_t i = 0; i < a->n_kw; i++) {
            if (!alm_str_eq(a->kw_name[i], name)) continue;
            if (n < a->n_pos)
                return alm_chat_fail(r, ALM_MISMATCH, "%s() got multiple values for argument '%.*s'", what,
                                     ALM_ARG(name));
            out[n] = a->kw[i];
            named++;
        }
        if (out[n].kind == ALM_CV_MISSING && !optional)
            return alm_chat_fail(r, ALM_MISMATCH, "%s() is missing the argument '%.*s'", what, ALM_ARG(name));
        n++;
    }
    if (a->n_pos > n)
        return alm_chat_fail(r, ALM_MISMATCH, "%s() takes at most %u arguments, not %u", what, n, a->n_pos);
    if (named < a->n_kw)
        return alm_chat_fail(r, ALM_MISMATCH, "%s() got an argument with a name that it does not have", what);
    return true;
}

static bool call_builtin(alm_chat_run *r, const alm_chat_builtin *b, alm_cv self, const alm_chat_args *a, alm_cv *out) {
    alm_cv arg[ALM_CHAT_MAX_ARGS];
    if (!alm_chat_enter(r) || !alm_chat_bind(r, b->name, b->signature, a, arg) || !b->fn(r, self, arg, a, out))
        return false;
    alm_chat_leave(r);
    return true;
}

bool alm_chat_call_filter(alm_chat_run *r, uint32_t row, alm_cv self, const alm_chat_args *a, alm_cv *out) {
    return call_builtin(r, &alm_chat_filters[row], self, a, out);
}

bool alm_chat_call_test(alm_chat_run *r, uint32_t row, alm_cv self, const alm_chat_args *a, bool *out) {
    alm_cv v = alm_cv_bool(false);
    if (!call_builtin(r, &alm_chat_tests[row], self, a, &v)) return false;
    return alm_cv_true(r, v, out);
}

static bool call_cycler(alm_cv_list *l, alm_cv *out) {
    *out = l->at[l->walked % l->n];
    l->walked = (l->walked + 1) % l->n;
    return true;
}

static bool call_joiner(alm_cv *slot, alm_cv *out) {
    *out = slot[0].as.i ? slot[1] : alm_cv_str(ALM_STR(""));
    slot[0].as.i = 1;
    return true;
}

bool alm_chat_call(alm_chat_run *r, alm_cv f, const alm_chat_args *a, alm_cv *out) {
    switch ((alm_cv_kind)f.kind) {
    case ALM_CV_UNDEFINED: return alm_chat_undefined(r, f);
    case ALM_CV_METHOD: return call_builtin(r, &alm_chat_methods[f.n], f.as.bound->self, a, out);
    case ALM_CV_GLOBAL: return call_builtin(r, &alm_chat_globals[f.n], f, a, out);
    case ALM_CV_MACRO: return alm_chat_call_macro(r, f.as.macro, a, out);
    case ALM_CV_CYCLER: return call_cycler(f.as.list, out);
    case ALM_CV_JOINER: return call_joiner(f.as.slot, out);
    case ALM_CV_LOOP:
        if (a->n_pos != 1 || a->n_kw) return alm_chat_fail(r, ALM_MISMATCH, "loop() takes one argument");
        return alm_chat_recurse(r, f.as.loop, a->pos[0], out);
    default: return alm_chat_fail(r, ALM_MISMATCH, "'%s' object is not callable", alm_cv_type(f));
    }
}

/* ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool eval_list(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv_list *l = alm_cv_list_new(r, n->n);
    if (!l) return false;
    for (uint32_t i = 0; i < n->n; i++)
        if (!alm_chat_eval(r, s, n->kid[i], &l->at[i])) return false;
    l->n = n->n;
    *out = alm_cv_from_list(n->kind == ALM_CN_LIST ? ALM_CV_LIST : ALM_CV_TUPLE, l);
    return true;
}

static bool eval_dict(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv_dict *d = alm_cv_dict_new(r, n->n / 2);
    if (!d) return false;
    for (uint32_t i = 0; i < n->n; i += 2) {
        alm_cv key, value;
        if (!alm_chat_eval(r, s, n->kid[i], &key) || !alm_chat_eval(r, s, n->kid[i + 1], &value)) return false;
        r->line = n->line;
        if (!alm_cv_dict_set(r, d, key, value)) return false;
    }
    *out = (alm_cv){.kind = ALM_CV_DICT, .as.dict = d};
    return true;
}

static bool eval_item(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv of, key, part[3];
    const alm_cn *slice = n->b;
    if (!alm_chat_eval(r, s, n->a, &of)) return false;
    if (slice->kind != ALM_CN_SLICE) {
        if (!alm_chat_eval(r, s, n->b, &key)) return false;
        r->line = n->line;
        return alm_chat_item(r, of, key, out);
    }
    const alm_cn *const from[3] = {slice->a, slice->b, slice->c};
    for (int i = 0; i < 3; i++) {
        part[i] = alm_cv_of(ALM_CV_MISSING);
        if (from[i] && !alm_chat_eval(r, s, from[i], &part[i])) return false;
    }
    r->line = n->line;
    return alm_chat_get_slice(r, of, part[0], part[1], part[2], out);
}

static bool eval_call(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv f;
    alm_chat_args args;
    if (!alm_chat_eval(r, s, n->a, &f) || !alm_chat_eval_args(r, s, n->args, &args)) return false;
    r->line = n->line;
    return alm_chat_call(r, f, &args, out);
}

static bool eval_filter(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv self;
    alm_chat_args args;
    if (n->row == UINT32_MAX) {
        r->line = n->line;
        return alm_chat_fail(r, ALM_UNSUPPORTED, "no filter is named '%.*s'", ALM_ARG(alm_cv_text(n->value)));
    }
    if (!alm_chat_eval(r, s, n->a, &self) || !alm_chat_eval_args(r, s, n->args, &args)) return false;
    r->line = n->line;
    return alm_chat_call_filter(r, n->row, self, &args, out);
}

static bool eval_test(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv self;
    alm_chat_args args;
    bool holds = false;
    if (n->row == UINT32_MAX) {
        r->line = n->line;
        return alm_chat_fail(r, ALM_UNSUPPORTED, "no test is named '%.*s'", ALM_ARG(alm_cv_text(n->value)));
    }
    if (!alm_chat_eval(r, s, n->a, &self) || !alm_chat_eval_args(r, s, n->args, &args)) return false;
    r->line = n->line;
    if (!alm_chat_call_test(r, n->row, self, &args, &holds)) return false;
    return *out = alm_cv_bool(holds), true;
}

static bool eval_compare(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv left, right;
    bool holds = true;
    if (!alm_chat_eval(r, s, n->a, &left)) return false;
    for (uint32_t i = 0; i < n->n && holds; i++, left = right) {
        alm_chat_op op = (alm_chat_op)n->kid[i]->op;
        bool ok, negated = op == ALM_OP_NE || op == ALM_OP_NOT_IN;
        if (!alm_chat_eval(r, s, n->kid[i]->a, &right)) return false;
        r->line = n->kid[i]->line;
        if (op == ALM_OP_EQ || op == ALM_OP_NE) ok = alm_cv_equal(r, left, right, &holds);
        else if (op == ALM_OP_IN || op == ALM_OP_NOT_IN) ok = alm_cv_contains(r, right, left, &holds);
        else ok = alm_cv_order(r, left, right, op, &holds);
        if (!ok) return false;
        holds ^= negated;
    }
    return *out = alm_cv_bool(holds), true;
}

static bool eval_concat(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv all = alm_cv_str(ALM_STR("")), part;
    for (uint32_t i = 0; i < n->n; i++) {
        alm_str text;
        if (!alm_chat_eval(r, s, n->kid[i], &part)) return false;
        r->line = n->line;
        if (!alm_cv_to_str(r, part, &text) || !alm_chat_join(r, alm_cv_text(all), text, &all)) return false;
    }
    return *out = all, true;
}

static bool eval_logic(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    bool holds;
    if (!alm_chat_eval(r, s, n->a, out)) return false;
    r->line = n->line;
    if (!alm_cv_true(r, *out, &holds)) return false;
    if (n->kind == ALM_CN_NOT) return *out = alm_cv_bool(!holds), true;
    if (n->kind == ALM_CN_COND) {
        if (holds) return alm_chat_eval(r, s, n->b, out);
        if (n->c) return alm_chat_eval(r, s, n->c, out);
        *out = alm_cv_hint("the inline if-expression evaluated to false and no else section was defined.");
        return true;
    }
    if (holds == (n->kind == ALM_CN_OR)) return true;
    return alm_chat_eval(r, s, n->b, out);
}

static bool eval_node(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    alm_cv a, b;
    switch ((alm_cn_kind)n->kind) {
    case ALM_CN_CONST: return *out = n->value, true;
    case ALM_CN_HOLE: return *out = r->hole, true;
    case ALM_CN_NAME: return alm_chat_lookup(r, s, n->name, out);
    case ALM_CN_LIST:
    case ALM_CN_TUPLE: return eval_list(r, s, n, out);
    case ALM_CN_DICT: return eval_dict(r, s, n, out);
    case ALM_CN_ATTR:
        if (!alm_chat_eval(r, s, n->a, &a)) return false;
        r->line = n->line;
        return alm_chat_attr(r, a, alm_cv_text(n->value), n->row, out);
    case ALM_CN_ITEM: return eval_item(r, s, n, out);
    case ALM_CN_CALL: return eval_call(r, s, n, out);
    case ALM_CN_FILTER: return eval_filter(r, s, n, out);
    case ALM_CN_TEST: return eval_test(r, s, n, out);
    case ALM_CN_NOT:
    case ALM_CN_AND:
    case ALM_CN_OR:
    case ALM_CN_COND: return eval_logic(r, s, n, out);
    case ALM_CN_NEG:
    case ALM_CN_POS:
        if (!alm_chat_eval(r, s, n->a, &a)) return false;
        r->line = n->line;
        return alm_chat_negate(r, a, n->kind == ALM_CN_NEG, out);
    case ALM_CN_COMPARE: return eval_compare(r, s, n, out);
    case ALM_CN_BINARY:
        if (!alm_chat_eval(r, s, n->a, &a) || !alm_chat_eval(r, s, n->b, &b)) return false;
        r->line = n->line;
        return alm_chat_binary(r, (alm_chat_op)n->op, a, b, out);
    case ALM_CN_CONCAT: return eval_concat(r, s, n, out);
    default: return alm_chat_fail(r, ALM_MISMATCH, "a slice stands where a value is expected");
    }
}

bool alm_chat_eval(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out) {
    if (!alm_chat_spend(r, 1)) return false;
    if (n->kind == ALM_CN_CONST) return *out = n->value, true;
    if (n->kind == ALM_CN_NAME) return alm_chat_lookup(r, s, n->name, out);
    if (!alm_chat_enter(r) || !eval_node(r, s, n, out)) return false;
    alm_chat_leave(r);
    return true;
}
