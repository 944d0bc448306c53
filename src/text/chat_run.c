/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_run.c - a template is compiled and rendered: statements, scopes, loops, macros.
 *
 * Scopes. The template has one; each pass through a loop, each call of a macro, each block with an end of its own (set,
 * filter, with, call) opens one inside the scope where it is written. A name is looked for from the inside to the outside,
 * then among the variables given, then among the builtins. `set` binds in the innermost scope, so what a loop sets is gone
 * behind it; a namespace is the way around that. `if` opens none.
 *
 * Output goes to one buffer. What is to become a value (a macro's text, a set block) is written there too and then taken
 * back, so a text of any length is copied once. */
#include "base/alloc.h"
#include "base/clock.h"
#include "text/chat_inner.h"

enum { BLOCK_BYTES = 16 << 10 };

/* ── failing, memory, depth ───────────────────────────────────────────────────────────────────────────────────── */

bool(alm_chat_fail)(alm_chat_run *r, alm_status st, const char *format, ...) {
    char what[560];
    va_list args;
    if (r->st != ALM_OK) return false;
    va_start(args, format);
    alm_str_vprint(what, sizeof what, format, args);
    va_end(args);
    if (st == ALM_NO_MEMORY) r->st = alm_fail_memory(r->err);
    else r->st = alm_fail(r->err, st, "line %u: %s", r->line, what);
    return false;
}

void *alm_chat_memory(alm_chat_run *r, size_t n, size_t item_bytes) {
    size_t n_bytes;
    if (r->st != ALM_OK) return NULL;
    if (!alm_mul_size(&n_bytes, n, item_bytes) || n_bytes >= r->memory_bytes)
        return alm_chat_fail(r, ALM_LIMIT, "the template needs too much memory") ? r : NULL;
    r->memory_bytes -= n_bytes;
    void *at = alm_arena_alloc(r->arena, n_bytes ? n_bytes : 1, item_bytes == 1 ? 1 : 16);
    return at || alm_chat_fail(r, ALM_NO_MEMORY, "not enough memory") ? at : NULL;
}

bool alm_chat_enter(alm_chat_run *r) {
    if (r->depth < r->max_depth) return r->depth++, true;
    return alm_chat_fail(r, ALM_LIMIT, "the template is nested too deep, or a macro calls itself without an end");
}

bool alm_chat_emit(alm_chat_run *r, alm_str s) {
    if (!alm_chat_spend_bytes(r, s.n)) return false;
    if (alm_buf_add_str(r->out, s)) return true;
    if (r->out->failed == ALM_LIMIT) return alm_chat_fail(r, ALM_LIMIT, "the template writes too much");
    return alm_chat_fail(r, ALM_NO_MEMORY, "not enough memory");
}

bool alm_chat_take(alm_chat_run *r, size_t mark, alm_cv *out) {
    if (!alm_cv_copy_str(r, alm_str_make(r->out->at + mark, r->out->n - mark), out)) return false;
    r->out->n = mark;
    return true;
}

/* ── scopes ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static alm_chat_scope *scope_new(alm_chat_run *r, alm_chat_scope *up) {
    alm_chat_scope *s = alm_chat_memory(r, 1, sizeof *s);
    if (s) *s = (alm_chat_scope){.up = up};
    return s;
}

bool alm_chat_lookup(alm_chat_run *r, alm_chat_scope *s, uint32_t name, alm_cv *out) {
    for (; s; s = s->up)
        for (uint32_t i = s->n; i-- > 0;)
            if (s->name[i] == name) return *out = s->value[i], true;
    *out = r->root[name];
    if (out->kind != ALM_CV_MISSING) return true;
    if (r->t->global[name]) *out = (alm_cv){.kind = ALM_CV_GLOBAL, .n = r->t->global[name] - 1};
    else *out = (alm_cv){.kind = ALM_CV_UNDEFINED, .n = (uint32_t)r->t->name[name].n, .as.at = r->t->name[name].at};
    return true;
}

static bool bind_name(alm_chat_run *r, alm_chat_scope *s, uint32_t name, alm_cv v) {
    if (!s) return r->root[name] = v, true;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->name[i] == name) return s->value[i] = v, true;
    if (s->n == s->cap) {
        uint32_t more = s->cap ? s->cap * 2 : 4;
        uint32_t *names = alm_chat_memory(r, more, sizeof *names);
        alm_cv *values = alm_chat_memory(r, more, sizeof *values);
        if (!names || !values) return false;
        if (s->n) memcpy(names, s->name, s->n * sizeof *names);
        if (s->n) memcpy(values, s->value, s->n * sizeof *values);
        s->name = names, s->value = values, s->cap = more;
    }
    s->name[s->n] = name;
    s->value[s->n++] = v;
    return true;
}

static bool assign_part(alm_chat_run *r, alm_chat_scope *s, const alm_cn *target, alm_cv v) {
    alm_cv space;
    if (!alm_chat_lookup(r, s, target->a->name, &space)) return false;
    if (space.kind == ALM_CV_UNDEFINED) return alm_chat_undefined(r, space);
    if (space.kind != ALM_CV_NAMESPACE)
        return alm_chat_fail(r, ALM_MISMATCH, "cannot assign attribute on non-namespace object");
    if (target->value.n && target->value.as.at[0] == '_')
        return alm_chat_fail(r, ALM_MISMATCH, "a namespace takes no attribute that begins with an underscore");
    return alm_cv_dict_set(r, space.as.dict, target->value, v);
}

bool alm_chat_assign(alm_chat_run *r, alm_chat_scope *s, const alm_cn *target, alm_cv v) {
    const alm_cv *at;
    r->line = target->line;
    if (target->kind == ALM_CN_NAME) return bind_name(r, s, target->name, v);
    if (target->kind == ALM_CN_ATTR) return assign_part(r, s, target, v);
    if (!alm_cv_unpack(r, v, target->n, &at)) return false;
    for (uint32_t i = 0; i < target->n; i++)
        if (!alm_chat_assign(r, s, target->kid[i], at[i])) return false;
    return true;
}

/* ── statements ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool run_body(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n);

/* A body in a scope of its own, its text taken as a value. */
static bool body_text(alm_chat_run *r, alm_chat_scope *inner, const alm_cn *body, alm_cv *out) {
    size_t mark = r->out->n;
    return inner && run_body(r, inner, body) && alm_chat_take(r, mark, out);
}

static bool with_hole(alm_chat_run *r, alm_chat_scope *s, const alm_cn *filters, alm_cv *v) {
    alm_cv outer = r->hole;
    r->hole = *v;
    bool ok = alm_chat_eval(r, s, filters, v);
    r->hole = outer;
    return ok;
}

static bool show(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n) {
    for (uint32_t i = 0; i < n->n; i++) {
        alm_cv v;
        alm_str text;
        if (!alm_chat_eval(r, s, n->kid[i], &v)) return false;
        if (!alm_cv_to_str(r, v, &text) || !alm_chat_emit(r, text)) return false;
    }
    return true;
}

static bool run_if(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n) {
    for (; n && n->kind == ALM_CN_IF; n = n->c) {
        alm_cv v;
        bool holds;
        if (!alm_chat_eval(r, s, n->a, &v) || !alm_cv_true(r, v, &holds)) return false;
        if (holds) return run_body(r, s, n->b);
    }
    return !n || run_body(r, s, n->b);
}

/* The elements that the loop's own `if` lets through. */
static bool filtered(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, const alm_cv **item, size_t *n_item) {
    alm_cv_list *kept = alm_cv_list_new(r, 0);
    alm_chat_scope *inner = scope_new(r, s);
    if (!kept || !inner) return false;
    for (size_t i = 0; i < *n_item; i++) {
        alm_cv v;
        bool holds;
        inner->n = 0;
        if (!alm_chat_assign(r, inner, n->a, (*item)[i]) || !alm_chat_eval(r, inner, n->c, &v) ||
            !alm_cv_true(r, v, &holds))
            return false;
        if (holds && !alm_cv_list_add(r, kept, (*item)[i])) return false;
    }
    *item = kept->at, *n_item = kept->n;
    return true;
}

static bool loop_over(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv over, uint32_t depth0) {
    const alm_cv *item;
    size_t n_item;
    bool ended = false;
    r->line = n->line;
    if (!alm_cv_items(r, over, &item, &n_item)) return false;
    if (n->c && !filtered(r, s, n, &item, &n_item)) return false;
    alm_chat_scope *inner = scope_new(r, s);
    alm_chat_loop *loop = alm_chat_memory(r, 1, sizeof *loop);
    if (!inner || !loop) return false;
    *loop = (alm_chat_loop){.node = n->op ? n : NULL, .scope = s, .item = item, .n = n_item, .depth0 = depth0};
    for (; loop->at < n_item; loop->at++) {
        /* A macro that the body defines keeps the scope of its pass. */
        if (n->keeps_scope && loop->at && !(inner = scope_new(r, s))) return false;
        inner->n = 0;
        if (!alm_chat_spend(r, 1) || !bind_name(r, inner, r->t->loop, (alm_cv){.kind = ALM_CV_LOOP, .as.loop = loop}) ||
            !alm_chat_assign(r, inner, n->a, item[loop->at]) || !run_body(r, inner, n->d))
            return false;
        bool stop = r->flow == ALM_CHAT_BREAK;
        ended |= r->flow == ALM_CHAT_GO;
        r->flow = ALM_CHAT_GO;
        if (stop) break;
    }
    if (ended || !n->e) return true; /* as in Jinja: `else` also follows where every pass was left early */
    inner->n = 0;
    return run_body(r, inner, n->e);
}

bool alm_chat_recurse(alm_chat_run *r, const alm_chat_loop *loop, alm_cv items, alm_cv *out) {
    size_t mark = r->out->n;
    if (!loop->node) return alm_chat_fail(r, ALM_MISMATCH, "the loop must be marked recursive to be called");
    return alm_chat_enter(r) && loop_over(r, loop->scope, loop->node, items, loop->depth0 + 1) &&
           (alm_chat_leave(r), alm_chat_take(r, mark, out));
}

static bool make_macro(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, bool internal, alm_cv *out) {
    alm_chat_macro *m = alm_chat_memory(r, 1, sizeof *m);
    if (!m) return false;
    *m = (alm_chat_macro){
        .node = n, .scope = s, .name = internal ? ALM_STR("caller") : alm_cv_text(n->value), .internal = internal};
    *out = (alm_cv){.kind = ALM_CV_MACRO, .as.macro = m};
    return true;
}

/* Arguments that have no parameter: kwargs and varargs take them where the body names these, the caller of a call block
 * always finds its place. */
static bool bind_rest(alm_chat_run *r, const alm_chat_macro *m, alm_chat_scope *s, const alm_chat_args *a,
                      const bool *used) {
    const alm_cn *n = m->node;
    alm_cv_dict *kwargs = alm_cv_dict_new(r, 0);
    alm_cv_list *varargs = alm_cv_list_new(r, 0);
    alm_cv caller = {.kind = ALM_CV_UNDEFINED, .sub = ALM_CV_HINT, .n = 17, .as.at = "No caller defined"};
    if (!kwargs || !varargs) return false;
    for (uint32_t i = 0; i < a->n_kw; i++) {
        if (used[i]) continue;
        if (n->uses_caller && alm_str_eq(a->kw_name[i], ALM_STR("caller"))) caller = a->kw[i];
        else if (!n->uses_kwargs)
            return alm_chat_fail(r, ALM_MISMATCH, "macro '%.*s' takes no keyword argument '%.*s'", ALM_ARG(m->name),
                                 ALM_ARG(a->kw_name[i]));
        else if (!alm_cv_dict_set(r, kwargs, alm_cv_str(a->kw_name[i]), a->kw[i])) return false;
    }
    if (a->n_pos > n->n && !n->uses_varargs)
        return alm_chat_fail(r, ALM_MISMATCH, "macro '%.*s' takes not more than %u argument(s)", ALM_ARG(m->name),
                             n->n);
    for (uint32_t i = n->n; i < a->n_pos; i++)
        if (!alm_cv_list_add(r, varargs, a->pos[i])) return false;
    return (!n->uses_caller || bind_name(r, s, r->t->caller, caller)) &&
           (!n->uses_kwargs || bind_name(r, s, r->t->kwargs, (alm_cv){.kind = ALM_CV_DICT, .as.dict = kwargs})) &&
           (!n->uses_varargs || bind_name(r, s, r->t->varargs, alm_cv_from_list(ALM_CV_TUPLE, varargs)));
}

static bool bind_parameters(alm_chat_run *r, const alm_chat_macro *m, alm_chat_scope *s, const alm_chat_args *a) {
    const alm_cn *n = m->node;
    bool *used = alm_chat_memory(r, a->n_kw, sizeof *used);
    if (!used) return false;
    memset(used, 0, a->n_kw * sizeof *used);
    alm_cv *given = alm_chat_memory(r, n->n, sizeof *given);
    if (!given) return false;
    for (uint32_t k = 0; k < n->n; k++) {
        given[k] = k < a->n_pos ? a->pos[k] : alm_cv_of(ALM_CV_MISSING);
        for (uint32_t i = 0; i < a->n_kw && k >= a->n_pos; i++)
            if (!used[i] && alm_str_eq(a->kw_name[i], alm_cv_text(n->kid[k]->value)))
                given[k] = a->kw[i], used[i] = true;
    }
    if (!bind_rest(r, m, s, a, used)) return false;
    for (uint32_t k = 0; k < n->n; k++) {
        const alm_cn *parameter = n->kid[k];
        alm_cv v = given[k];
        if (v.kind == ALM_CV_MISSING && !parameter->b) {
            alm_buf text = alm_chat_buf(r);
            alm_buf_printf(&text, "parameter '%.*s' was not provided", ALM_ARG(alm_cv_text(parameter->value)));
            if (!alm_cv_buf_str(r, &text, &v)) return false;
            v.kind = ALM_CV_UNDEFINED, v.sub = ALM_CV_HINT;
        } else if (v.kind == ALM_CV_MISSING && !alm_chat_eval(r, s, parameter->b, &v)) {
            return false;
        }
        if (!bind_name(r, s, parameter->name, v)) return false;
    }
    return true;
}

bool alm_chat_call_macro(alm_chat_run *r, const alm_chat_macro *m, const alm_chat_args *a, alm_cv *out) {
    alm_chat_scope *s = scope_new(r, m->scope);
    uint32_t line = r->line;
    if (!s || !alm_chat_enter(r) || !bind_parameters(r, m, s, a) || !body_text(r, s, m->node->d, out)) return false;
    alm_chat_leave(r);
    r->line = line;
    return true;
}

/* {% call f(x) %}body{% endcall %}: f gets the body as the macro `caller`. */
static bool run_call_block(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n) {
    alm_cv caller, f, v;
    alm_chat_args args;
    alm_str text;
    if (!make_macro(r, s, n, true, &caller) || !alm_chat_eval(r, s, n->a->a, &f) ||
        !alm_chat_eval_args(r, s, n->a->args, &args))
        return false;
    alm_cv *kw = alm_chat_memory(r, args.n_kw + 1u, sizeof *kw);
    alm_str *names = alm_chat_memory(r, args.n_kw + 1u, sizeof *names);
    if (!kw || !names) return false;
    if (args.n_kw) memcpy(kw, args.kw, args.n_kw * sizeof *kw);
    if (args.n_kw) memcpy(names, args.kw_name, args.n_kw * sizeof *names);
    kw[args.n_kw] = caller;
    names[args.n_kw++] = ALM_STR("caller");
    args.kw = kw, args.kw_name = names;
    r->line = n->line;
    return alm_chat_call(r, f, &args, &v) && alm_cv_to_str(r, v, &text) && alm_chat_emit(r, text);
}

static bool run_with(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n) {
    alm_chat_scope *inner = scope_new(r, s);
    for (uint32_t i = 0; inner && i < n->n; i += 2) {
        alm_cv v;
        if (!alm_chat_eval(r, s, n->kid[i + 1], &v) || !alm_chat_assign(r, inner, n->kid[i], v)) return false;
    }
    return inner && run_body(r, inner, n->d);
}

static bool run_block(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n) {
    alm_cv v;
    if (!body_text(r, scope_new(r, s), n->d, &v) || !with_hole(r, s, n->b, &v)) return false;
    if (n->kind == ALM_CN_SET_BLOCK) return alm_chat_assign(r, s, n->a, v);
    if (v.kind != ALM_CV_STR)
        return alm_chat_fail(r, ALM_MISMATCH, "the filter of a block gives no text but %s", alm_cv_type(v));
    return alm_chat_emit(r, alm_cv_text(v));
}

static bool run_statement(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n) {
    alm_cv v;
    switch ((alm_cn_kind)n->kind) {
    case ALM_CN_TEXT: return alm_chat_emit(r, alm_cv_text(n->value));
    case ALM_CN_OUT: return show(r, s, n);
    case ALM_CN_IF: return run_if(r, s, n);
    case ALM_CN_FOR: return alm_chat_eval(r, s, n->b, &v) && loop_over(r, s, n, v, 0);
    case ALM_CN_SET: return alm_chat_eval(r, s, n->b, &v) && alm_chat_assign(r, s, n->a, v);
    case ALM_CN_MACRO: return make_macro(r, s, n, false, &v) && bind_name(r, s, n->name, v);
    case ALM_CN_CALL_BLOCK: return run_call_block(r, s, n);
    case ALM_CN_SET_BLOCK:
    case ALM_CN_FILTER_BLOCK: return run_block(r, s, n);
    case ALM_CN_WITH: return run_with(r, s, n);
    case ALM_CN_SCOPE: {
        alm_chat_scope *inner = scope_new(r, s);
        return inner && run_body(r, inner, n->d);
    }
    case ALM_CN_BREAK: return r->flow = ALM_CHAT_BREAK, true;
    case ALM_CN_CONTINUE: return r->flow = ALM_CHAT_CONTINUE, true;
    default: return true;
    }
}

static bool run_body(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n) {
    if (!alm_chat_enter(r)) return false;
    for (; n && r->flow == ALM_CHAT_GO; n = n->next) {
        r->line = n->line;
        if (!alm_chat_spend(r, 1) || !run_statement(r, s, n)) return false;
    }
    alm_chat_leave(r);
    return true;
}

/* ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────── */

alm_status alm_chat_template_compile(alm_chat_template **out, alm_str source, alm_error *err) {
    alm_chat_template *t = alm_calloc(1, sizeof *t);
    alm_chat_parser *p = alm_calloc(1, sizeof *p);
    alm_status st = t && p ? alm_arena_new(&t->arena, BLOCK_BYTES, 0, err) : alm_fail_memory(err);
    if (st == ALM_OK) {
        p->t = t;
        p->err = err;
        bool ok = alm_chat_lexer_start(&p->lexer, t->arena, source, err);
        if (!ok) st = p->lexer.st;
        else if (!alm_chat_parse(p, &t->body)) st = p->st;
    }
    alm_free(p);
    if (st != ALM_OK) {
        alm_chat_template_free(t);
        return st;
    }
    *out = t;
    return ALM_OK;
}

void alm_chat_template_free(alm_chat_template *t) {
    if (!t) return;
    alm_arena_free(t->arena);
    alm_free(t);
}

static bool give(alm_chat_run *r, alm_str name, alm_cv v) {
    for (size_t i = 0; i < r->t->n_name; i++)
        if (alm_str_eq(r->t->name[i], name)) return r->root[i] = v, true;
    return true; /* the template does not ask for it */
}

static bool give_json(alm_chat_run *r, alm_str name, const alm_json *json) {
    alm_cv v;
    for (size_t i = 0; i < r->t->n_name; i++)
        if (alm_str_eq(r->t->name[i], name)) return alm_cv_from_json(r, json, &v) && give(r, name, v);
    return true;
}

static bool give_all(alm_chat_run *r) {
    const alm_chat_input *in = r->in;
    r->root = alm_chat_memory(r, r->t->n_name, sizeof *r->root);
    if (!r->root) return false;
    memset(r->root, 0, r->t->n_name * sizeof *r->root); /* MISSING */
    if (in->bos_token) give(r, ALM_STR("bos_token"), alm_cv_str(alm_str_of(in->bos_token)));
    if (in->eos_token) give(r, ALM_STR("eos_token"), alm_cv_str(alm_str_of(in->eos_token)));
    give(r, ALM_STR("add_generation_prompt"), alm_cv_bool(in->add_generation_prompt));
    if (!give_json(r, ALM_STR("messages"), in->messages) || !give_json(r, ALM_STR("tools"), in->tools) ||
        !give_json(r, ALM_STR("documents"), NULL))
        return false;
    for (const alm_json *c = alm_json_first(in->extra); c; c = alm_json_next(in->extra, c))
        if (!give_json(r, c->text, c + 1)) return false;
    for (size_t i = 0; i < in->n_var; i++)
        if (!give_json(r, in->var[i].name, in->var[i].value)) return false;
    return true;
}

alm_status alm_chat_template_render(const alm_chat_template *t, const alm_chat_input *in, alm_buf *out,
                                    alm_error *err) {
    const alm_chat_limits *l = &in->limits;
    const size_t output = l->output_bytes ? l->output_bytes : (size_t)64 << 20;
    alm_buf text = alm_buf_with_limit(output < UINT32_MAX ? output : UINT32_MAX);
    alm_chat_run r = {.t = t,
                      .in = in,
                      .out = &text,
                      .err = err,
                      .line = 1,
                      .max_depth = l->depth ? l->depth : 400,
                      .steps = l->steps ? l->steps : 20000000,
                      .memory_bytes = l->memory_bytes ? l->memory_bytes : (size_t)128 << 20};
    if (in->extra && in->extra->type != ALM_JSON_OBJECT)
        return alm_fail(err, ALM_INVALID, "the extra variables of a template are no JSON object");
    alm_status st = alm_arena_new(&r.arena, BLOCK_BYTES, 0, err);
    if (st == ALM_OK && (!give_all(&r) || !run_body(&r, NULL, t->body))) st = r.st;
    if (st == ALM_OK && !alm_buf_add_str(out, alm_buf_str(&text))) st = alm_buf_status(out, err);
    alm_arena_free(r.arena);
    alm_buf_free(&text);
    return st;
}
