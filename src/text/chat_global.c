/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_global.c - what a template may call by its name: range, dict, namespace, raise_exception, strftime_now, cycler, joiner. */
#include "base/clock.h"
#include "text/chat_inner.h"

#define GLOBAL(name) \
    bool alm_chat_global_##name(alm_chat_run *r, alm_cv self, const alm_cv *arg, const alm_chat_args *all, alm_cv *out)

GLOBAL(range) {
    int64_t x[3] = {0, 0, 1};
    (void)self, (void)all;
    for (int i = 0; i < 3; i++) {
        if (arg[i].kind == ALM_CV_MISSING) continue;
        if (arg[i].kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, arg[i]);
        if (!alm_cv_is_int(arg[i]))
            return alm_chat_fail(r, ALM_MISMATCH, "'%s' object cannot be interpreted as an integer",
                                 alm_cv_type(arg[i]));
        x[i] = arg[i].as.i;
    }
    if (arg[1].kind == ALM_CV_MISSING) x[1] = x[0], x[0] = 0;
    return alm_chat_range(r, x[0], x[1], x[2], out);
}

/* A mapping or a list of pairs, then what is given by name. */
static bool make_dict(alm_chat_run *r, const alm_chat_args *a, alm_cv *out) {
    alm_cv_dict *d = alm_cv_dict_new(r, a->n_kw);
    alm_cv key, v;
    if (!d) return false;
    if (a->n_pos > 1) return alm_chat_fail(r, ALM_MISMATCH, "dict expected at most 1 argument, got %u", a->n_pos);
    if (a->n_pos && (a->pos[0].kind == ALM_CV_DICT || a->pos[0].kind == ALM_CV_NAMESPACE)) {
        for (size_t i = 0; i < alm_cv_dict_n(a->pos[0].as.dict); i++) {
            alm_cv_dict_at(a->pos[0].as.dict, i, &key, &v);
            if (!alm_cv_dict_set(r, d, key, v)) return false;
        }
    } else if (a->n_pos) {
        const alm_cv *at, *pair;
        size_t n;
        if (!alm_cv_items(r, a->pos[0], &at, &n)) return false;
        for (size_t i = 0; i < n; i++)
            if (!alm_cv_unpack(r, at[i], 2, &pair) || !alm_cv_dict_set(r, d, pair[0], pair[1])) return false;
    }
    for (uint32_t i = 0; i < a->n_kw; i++)
        if (!alm_cv_dict_set(r, d, alm_cv_str(a->kw_name[i]), a->kw[i])) return false;
    *out = (alm_cv){.kind = ALM_CV_DICT, .as.dict = d};
    return true;
}

GLOBAL(dict) {
    (void)self, (void)arg;
    return make_dict(r, all, out);
}

GLOBAL(namespace) {
    (void)self, (void)arg;
    if (!make_dict(r, all, out)) return false;
    for (size_t i = 0; i < alm_cv_dict_n(out->as.dict); i++) {
        alm_cv key;
        alm_cv_dict_at(out->as.dict, i, &key, NULL);
        if (key.kind == ALM_CV_STR && key.n && key.as.at[0] == '_')
            return alm_chat_fail(r, ALM_MISMATCH, "a namespace takes no attribute that begins with an underscore");
    }
    out->kind = ALM_CV_NAMESPACE;
    return true;
}

/* The template's own objection, word for word. */
GLOBAL(raise_exception) {
    alm_str text;
    (void)self, (void)all, (void)out;
    if (!alm_cv_to_str(r, arg[0], &text)) return false;
    r->st = alm_fail(r->err, ALM_REFUSED, "%.*s", (int)(text.n < 2000 ? text.n : 2000), text.at);
    alm_hint(r->err, "line %u of the template", r->line);
    return false;
}

GLOBAL(strftime_now) {
    (void)self, (void)all;
    if (arg[0].kind != ALM_CV_STR)
        return alm_chat_fail(r, ALM_MISMATCH, "strftime() argument 1 must be str, not %s", alm_cv_type(arg[0]));
    if (r->in->now_ns == ALM_NO_TIME) return alm_chat_fail(r, ALM_MISMATCH, "there is no clock here for strftime_now");
    return alm_chat_strftime(r, alm_cv_text(arg[0]), r->in->now_ns, out);
}

GLOBAL(cycler) {
    (void)self, (void)arg;
    alm_cv_list *l = alm_cv_list_new(r, all->n_pos);
    if (!l) return false;
    if (!all->n_pos || all->n_kw) return alm_chat_fail(r, ALM_MISMATCH, "at least one item has to be provided");
    memcpy(l->at, all->pos, all->n_pos * sizeof *l->at);
    l->n = all->n_pos;
    *out = alm_cv_from_list(ALM_CV_CYCLER, l);
    return true;
}

/* The separator, but nothing at the first call. */
GLOBAL(joiner) {
    (void)self, (void)all;
    alm_cv *slot = alm_chat_memory(r, 2, sizeof *slot);
    if (!slot) return false;
    slot[0] = alm_cv_bool(false);
    slot[1] = arg[0].kind == ALM_CV_MISSING ? alm_cv_str(ALM_STR(", ")) : arg[0];
    *out = (alm_cv){.kind = ALM_CV_JOINER, .as.slot = slot};
    return true;
}

#define ALM_CHAT_GLOBAL(name, fn, signature) {name, signature, alm_chat_global_##fn, 0},
const alm_chat_builtin alm_chat_globals[] = {
#include "text/chat_globals.def"
};
const size_t alm_chat_n_global = sizeof alm_chat_globals / sizeof *alm_chat_globals;
