/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_parse_expr.c - expressions of a chat template, by descent. From the loosest binding to the tightest:
 *
 *     a if b else c · or · and · not · == != < <= > >= in (chained) · + - · ~ · * / // % · ** · unary - + ·
 *     .name [item] (call) · |filter, is test
 *
 * As in Jinja, `**` binds from left to right, a filter binds tighter than a sign (-x|abs is (-x)|abs only because the sign
 * takes its operand without filters), and `is` takes one argument without parentheses. */
#include "text/chat_inner.h"

static bool parse_unary(alm_chat_parser *p, bool with_filter, alm_cn **out);

/* Nesting of the source is bounded here, once for every way in which an expression can stand in another. */
static bool deeper(alm_chat_parser *p) {
    if (p->level < ALM_CHAT_MAX_TREE) return p->level++, true;
    if (p->st == ALM_OK) p->st = alm_fail(p->err, ALM_LIMIT, "line %u: the template is nested too deep", p->now.line);
    return false;
}

static bool node(alm_chat_parser *p, alm_cn_kind kind, uint32_t line, alm_cn *a, alm_cn *b, alm_cn **out) {
    alm_cn *n = alm_chat_node(p, kind, line);
    if (!n) return false;
    n->a = a, n->b = b;
    unsigned depth = 1u + (a ? a->depth : 0u);
    if (b && b->depth >= depth) depth = b->depth + 1u;
    if (depth > 2 * ALM_CHAT_MAX_TREE) {
        p->st = alm_fail(p->err, ALM_LIMIT, "line %u: the expression has too many parts in a row", line);
        return false;
    }
    n->depth = (uint16_t)depth;
    *out = n;
    return true;
}

/* ── operands ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool constant(alm_chat_parser *p, uint32_t line, alm_cv value, alm_cn **out) {
    if (!node(p, ALM_CN_CONST, line, NULL, NULL, out)) return false;
    (*out)->value = value;
    return true;
}

static bool parse_name(alm_chat_parser *p, bool with_namespace, alm_cn **out) {
    const alm_ct t = p->now;
    if (!alm_chat_advance(p)) return false;
    if (alm_chat_is_name(&t, "true") || alm_chat_is_name(&t, "True"))
        return constant(p, t.line, alm_cv_bool(true), out);
    if (alm_chat_is_name(&t, "false") || alm_chat_is_name(&t, "False"))
        return constant(p, t.line, alm_cv_bool(false), out);
    if (alm_chat_is_name(&t, "none") || alm_chat_is_name(&t, "None"))
        return constant(p, t.line, alm_cv_of(ALM_CV_NONE), out);
    if (!node(p, ALM_CN_NAME, t.line, NULL, NULL, out) || !alm_chat_number_of(p, t.text, &(*out)->name)) return false;
    (*out)->value = alm_cv_str(t.text);
    p->saw_kwargs |= (*out)->name == p->t->kwargs;
    p->saw_varargs |= (*out)->name == p->t->varargs;
    p->saw_caller |= (*out)->name == p->t->caller;
    if (!with_namespace || !alm_chat_is_op(&p->now, ALM_OP_DOT)) return true;
    if (!alm_chat_advance(p)) return false;
    char seen[80];
    if (p->now.kind != ALM_CT_NAME)
        return alm_chat_syntax(p, p->now.line, "a name is expected behind the point, not %s",
                               alm_chat_describe(&p->now, seen));
    alm_cn *attr = NULL;
    if (!node(p, ALM_CN_ATTR, t.line, *out, NULL, &attr)) return false;
    attr->value = alm_cv_str(p->now.text);
    *out = attr;
    return alm_chat_advance(p);
}

/* Strings that follow one another are one. */
static bool parse_strings(alm_chat_parser *p, alm_cn **out) {
    alm_str all = p->now.text;
    uint32_t line = p->now.line;
    if (!alm_chat_advance(p)) return false;
    while (p->now.kind == ALM_CT_STRING) {
        char *at = alm_arena_alloc(p->t->arena, all.n + p->now.text.n + 1, 1);
        if (!at) return p->st = alm_fail_memory(p->err), false;
        if (all.n) memcpy(at, all.at, all.n);
        if (p->now.text.n) memcpy(at + all.n, p->now.text.at, p->now.text.n);
        all = alm_str_make(at, all.n + p->now.text.n);
        if (!alm_chat_advance(p)) return false;
    }
    return constant(p, line, alm_cv_str(all), out);
}

static bool parse_list(alm_chat_parser *p, alm_cn **out) {
    size_t cap = 0;
    if (!node(p, ALM_CN_LIST, p->now.line, NULL, NULL, out) || !alm_chat_advance(p)) return false;
    while (!alm_chat_is_op(&p->now, ALM_OP_RBRACKET)) {
        alm_cn *item = NULL;
        if ((*out)->n && !alm_chat_expect_op(p, ALM_OP_COMMA)) return false;
        if (alm_chat_is_op(&p->now, ALM_OP_RBRACKET)) break;
        if (!alm_chat_parse_expr(p, true, &item) || !alm_chat_add_kid(p, *out, item, &cap)) return false;
    }
    return alm_chat_expect_op(p, ALM_OP_RBRACKET);
}

static bool parse_dict(alm_chat_parser *p, alm_cn **out) {
    size_t cap = 0;
    if (!node(p, ALM_CN_DICT, p->now.line, NULL, NULL, out) || !alm_chat_advance(p)) return false;
    while (!alm_chat_is_op(&p->now, ALM_OP_RBRACE)) {
        alm_cn *key = NULL, *value = NULL;
        if ((*out)->n && !alm_chat_expect_op(p, ALM_OP_COMMA)) return false;
        if (alm_chat_is_op(&p->now, ALM_OP_RBRACE)) break;
        if (!alm_chat_parse_expr(p, true, &key) || !alm_chat_expect_op(p, ALM_OP_COLON) ||
            !alm_chat_parse_expr(p, true, &value) || !alm_chat_add_kid(p, *out, key, &cap) ||
            !alm_chat_add_kid(p, *out, value, &cap))
            return false;
    }
    return alm_chat_expect_op(p, ALM_OP_RBRACE);
}

static bool parse_primary(alm_chat_parser *p, bool with_namespace, alm_cn **out) {
    *out = NULL;
    const alm_ct t = p->now;
    char seen[80];
    if (t.kind == ALM_CT_NAME) return parse_name(p, with_namespace, out);
    if (t.kind == ALM_CT_STRING) return parse_strings(p, out);
    if (t.kind == ALM_CT_INT || t.kind == ALM_CT_FLOAT) return alm_chat_advance(p) && constant(p, t.line, t.value, out);
    if (alm_chat_is_op(&t, ALM_OP_LPAREN))
        return alm_chat_advance(p) && alm_chat_parse_tuple(p, true, NULL, true, out) &&
               alm_chat_expect_op(p, ALM_OP_RPAREN);
    if (alm_chat_is_op(&t, ALM_OP_LBRACKET)) return parse_list(p, out);
    if (alm_chat_is_op(&t, ALM_OP_LBRACE)) return parse_dict(p, out);
    return alm_chat_syntax(p, t.line, "an expression is expected, not %s", alm_chat_describe(&t, seen));
}

/* ── what follows an operand ──────────────────────────────────────────────────────────────────────────────────── */

static bool is_subscript_end(const alm_ct *t) {
    return alm_chat_is_op(t, ALM_OP_RBRACKET) || alm_chat_is_op(t, ALM_OP_COMMA);
}

static bool parse_subscribed(alm_chat_parser *p, alm_cn **out) {
    alm_cn *part[3] = {0};
    uint32_t line = p->now.line;
    if (!alm_chat_is_op(&p->now, ALM_OP_COLON)) {
        if (!alm_chat_parse_expr(p, true, &part[0])) return false;
        if (!alm_chat_is_op(&p->now, ALM_OP_COLON)) return *out = part[0], true;
    }
    for (int i = 1; i < 3 && alm_chat_is_op(&p->now, ALM_OP_COLON); i++) {
        if (!alm_chat_advance(p)) return false;
        if (!alm_chat_is_op(&p->now, ALM_OP_COLON) && !is_subscript_end(&p->now) &&
            !alm_chat_parse_expr(p, true, &part[i]))
            return false;
    }
    if (!node(p, ALM_CN_SLICE, line, part[0], part[1], out)) return false;
    (*out)->c = part[2];
    return true;
}

static bool parse_item(alm_chat_parser *p, alm_cn *of, alm_cn **out) {
    uint32_t line = p->now.line;
    alm_cn *index = NULL, *tuple = NULL;
    size_t cap = 0;
    if (!alm_chat_advance(p)) return false;
    for (bool first = true; !alm_chat_is_op(&p->now, ALM_OP_RBRACKET); first = false) {
        if (!first && !alm_chat_expect_op(p, ALM_OP_COMMA)) return false;
        if (!first && !tuple &&
            (!node(p, ALM_CN_TUPLE, line, NULL, NULL, &tuple) || !alm_chat_add_kid(p, tuple, index, &cap)))
            return false;
        if (!parse_subscribed(p, &index) || (tuple && !alm_chat_add_kid(p, tuple, index, &cap))) return false;
    }
    if (!index && !node(p, ALM_CN_TUPLE, line, NULL, NULL, &tuple)) return false;
    return alm_chat_expect_op(p, ALM_OP_RBRACKET) && node(p, ALM_CN_ITEM, line, of, tuple ? tuple : index, out);
}

static bool parse_point(alm_chat_parser *p, alm_cn *of, alm_cn **out) {
    uint32_t line = p->now.line;
    char seen[80];
    if (!alm_chat_advance(p)) return false;
    const alm_ct t = p->now;
    if (t.kind == ALM_CT_NAME) {
        if (!node(p, ALM_CN_ATTR, line, of, NULL, out)) return false;
        (*out)->value = alm_cv_str(t.text);
        (*out)->row = alm_chat_find(alm_chat_methods, alm_chat_n_method, t.text) + 1;
        return alm_chat_advance(p);
    }
    if (t.kind != ALM_CT_INT)
        return alm_chat_syntax(p, t.line, "a name or a number is expected behind the point, not %s",
                               alm_chat_describe(&t, seen));
    alm_cn *index = NULL;
    return alm_chat_advance(p) && constant(p, t.line, t.value, &index) && node(p, ALM_CN_ITEM, line, of, index, out);
}

static bool add_arg(alm_chat_parser *p, alm_cn_args *args, alm_cn ***list, uint32_t *n, size_t *cap, alm_cn *value) {
    if (*n == *cap) {
        size_t more = *cap ? *cap * 2 : 4;
        alm_cn **at = alm_arena_alloc(p->t->arena, more * sizeof *at, sizeof(void *));
        if (!at) return p->st = alm_fail_memory(p->err), false;
        if (*n) memcpy(at, *list, *n * sizeof *at);
        *list = at, *cap = more;
    }
    (void)args;
    (*list)[(*n)++] = value;
    return true;
}

static bool add_named(alm_chat_parser *p, alm_cn_args *args, size_t *cap, alm_str name, alm_cn *value) {
    for (uint32_t i = 0; i < args->n_kw; i++)
        if (alm_str_eq(args->kw_name[i], name))
            return alm_chat_syntax(p, value->line, "the argument %.*s is given twice", ALM_ARG(name));
    if (args->n_kw == *cap) {
        size_t more = *cap ? *cap * 2 : 4;
        alm_str *names = alm_arena_alloc(p->t->arena, more * sizeof *names, sizeof(void *));
        if (!names) return p->st = alm_fail_memory(p->err), false;
        if (args->n_kw) memcpy(names, args->kw_name, args->n_kw * sizeof *names);
        args->kw_name = names;
    }
    args->kw_name[args->n_kw] = name;
    return add_arg(p, args, &args->kw, &args->n_kw, cap, value);
}

static bool parse_arg(alm_chat_parser *p, alm_cn_args *args, size_t *pos_cap, size_t *kw_cap) {
    bool star = alm_chat_is_op(&p->now, ALM_OP_MUL), star_star = alm_chat_is_op(&p->now, ALM_OP_POW);
    const alm_ct t = p->now;
    alm_cn *value = NULL;
    if (star || star_star) {
        if (args->star_star || (star && args->star))
            return alm_chat_syntax(p, t.line, "the arguments of a call are in disorder");
        return alm_chat_advance(p) && alm_chat_parse_expr(p, true, star ? &args->star : &args->star_star);
    }
    if (t.kind == ALM_CT_NAME && alm_chat_is_op(&p->ahead, ALM_OP_ASSIGN)) {
        if (args->star_star) return alm_chat_syntax(p, t.line, "the arguments of a call are in disorder");
        return alm_chat_skip(p, 2) && alm_chat_parse_expr(p, true, &value) && add_named(p, args, kw_cap, t.text, value);
    }
    if (args->star || args->star_star || args->n_kw)
        return alm_chat_syntax(p, t.line, "an argument without a name stands behind one with a name");
    return alm_chat_parse_expr(p, true, &value) && add_arg(p, args, &args->pos, &args->n_pos, pos_cap, value);
}

static bool parse_args(alm_chat_parser *p, alm_cn_args **out) {
    alm_cn_args *args = alm_arena_alloc(p->t->arena, sizeof *args, sizeof(void *));
    size_t pos_cap = 0, kw_cap = 0;
    if (!args) return p->st = alm_fail_memory(p->err), false;
    *args = (alm_cn_args){0};
    if (!alm_chat_expect_op(p, ALM_OP_LPAREN)) return false;
    for (bool first = true; !alm_chat_is_op(&p->now, ALM_OP_RPAREN); first = false) {
        if (!first && !alm_chat_expect_op(p, ALM_OP_COMMA)) return false;
        if (alm_chat_is_op(&p->now, ALM_OP_RPAREN)) break;
        if (!parse_arg(p, args, &pos_cap, &kw_cap)) return false;
    }
    *out = args;
    return alm_chat_expect_op(p, ALM_OP_RPAREN);
}

static bool parse_call(alm_chat_parser *p, alm_cn *of, alm_cn **out) {
    return node(p, ALM_CN_CALL, p->now.line, of, NULL, out) && parse_args(p, &(*out)->args);
}

/* A dotted name: filters and tests may have one, though none here has. */
static bool parse_builtin_name(alm_chat_parser *p, alm_str *out) {
    char seen[80];
    if (p->now.kind != ALM_CT_NAME)
        return alm_chat_syntax(p, p->now.line, "a name is expected, not %s", alm_chat_describe(&p->now, seen));
    *out = p->now.text;
    return alm_chat_advance(p);
}

/* Asked at the end of each outermost expression, since a conditional shows itself only behind its first part. */
static bool all_known(alm_chat_parser *p) {
    const alm_cn *n = p->unknown;
    if (p->in_expr || !n) return true;
    p->unknown = NULL;
    return p->soft || alm_chat_syntax(p, n->line, "no %s is named '%.*s'", n->kind == ALM_CN_FILTER ? "filter" : "test",
                                      ALM_ARG(alm_cv_text(n->value)));
}

bool alm_chat_parse_filters(alm_chat_parser *p, alm_cn *from, bool inline_start, alm_cn **out) {
    *out = from;
    while (inline_start || alm_chat_is_op(&p->now, ALM_OP_PIPE)) {
        if (!inline_start && !alm_chat_advance(p)) return false;
        inline_start = false;
        uint32_t line = p->now.line;
        alm_str name;
        if (!parse_builtin_name(p, &name)) return false;
        uint32_t row = alm_chat_find(alm_chat_filters, alm_chat_n_filter, name);
        if (!node(p, ALM_CN_FILTER, line, *out, NULL, out)) return false;
        (*out)->row = row;
        (*out)->value = alm_cv_str(name);
        if (row == UINT32_MAX) p->unknown = *out;
        if (alm_chat_is_op(&p->now, ALM_OP_LPAREN) && !parse_args(p, &(*out)->args)) return false;
    }
    return all_known(p);
}

static bool begins_operand(const alm_ct *t) {
    if (t->kind == ALM_CT_NAME)
        return !alm_chat_is_name(t, "else") && !alm_chat_is_name(t, "or") && !alm_chat_is_name(t, "and");
    return t->kind == ALM_CT_STRING || t->kind == ALM_CT_INT || t->kind == ALM_CT_FLOAT ||
           alm_chat_is_op(t, ALM_OP_LBRACKET) || alm_chat_is_op(t, ALM_OP_LBRACE);
}

static bool parse_postfix(alm_chat_parser *p, alm_cn **n) {
    for (;;) {
        if (alm_chat_is_op(&p->now, ALM_OP_DOT)) {
            if (!parse_point(p, *n, n)) return false;
        } else if (alm_chat_is_op(&p->now, ALM_OP_LBRACKET)) {
            if (!parse_item(p, *n, n)) return false;
        } else if (alm_chat_is_op(&p->now, ALM_OP_LPAREN)) {
            if (!parse_call(p, *n, n)) return false;
        } else {
            return true;
        }
    }
}

static bool parse_test(alm_chat_parser *p, alm_cn *of, alm_cn **out) {
    uint32_t line = p->now.line;
    alm_str name;
    if (!alm_chat_advance(p)) return false;
    bool negated = alm_chat_is_name(&p->now, "not");
    if (negated && !alm_chat_advance(p)) return false;
    if (!parse_builtin_name(p, &name)) return false;
    uint32_t row = alm_chat_find(alm_chat_tests, alm_chat_n_test, name);
    if (!node(p, ALM_CN_TEST, line, of, NULL, out)) return false;
    (*out)->row = row;
    (*out)->value = alm_cv_str(name);
    if (row == UINT32_MAX) p->unknown = *out;
    if (alm_chat_is_op(&p->now, ALM_OP_LPAREN)) {
        if (!parse_args(p, &(*out)->args)) return false;
    } else if (begins_operand(&p->now)) {
        alm_cn_args *args = alm_arena_alloc(p->t->arena, sizeof *args, sizeof(void *));
        alm_cn *arg = NULL;
        size_t cap = 0;
        if (alm_chat_is_name(&p->now, "is")) return alm_chat_syntax(p, line, "tests with `is` cannot be chained");
        if (!args) return p->st = alm_fail_memory(p->err), false;
        *args = (alm_cn_args){0};
        if (!parse_primary(p, false, &arg) || !parse_postfix(p, &arg)) return false;
        if (!add_arg(p, args, &args->pos, &args->n_pos, &cap, arg)) return false;
        (*out)->args = args;
    }
    return !negated || node(p, ALM_CN_NOT, line, *out, NULL, out);
}

/* ── operators ────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool parse_unary(alm_chat_parser *p, bool with_filter, alm_cn **out) {
    bool minus = alm_chat_is_op(&p->now, ALM_OP_SUB), plus = alm_chat_is_op(&p->now, ALM_OP_ADD);
    uint32_t line = p->now.line;
    if (!deeper(p)) return false;
    if (minus || plus) {
        alm_cn *of = NULL;
        if (!alm_chat_advance(p) || !parse_unary(p, false, &of)) return false;
        if (!node(p, minus ? ALM_CN_NEG : ALM_CN_POS, line, of, NULL, out)) return false;
    } else if (!parse_primary(p, false, out)) {
        return false;
    }
    if (!parse_postfix(p, out)) return false;
    while (with_filter) {
        if (alm_chat_is_op(&p->now, ALM_OP_PIPE)) {
            if (!alm_chat_parse_filters(p, *out, false, out)) return false;
        } else if (alm_chat_is_name(&p->now, "is")) {
            if (!parse_test(p, *out, out)) return false;
        } else if (alm_chat_is_op(&p->now, ALM_OP_LPAREN)) {
            if (!parse_call(p, *out, out)) return false;
        } else {
            break;
        }
    }
    p->level--;
    return true;
}

static bool binary(alm_chat_parser *p, alm_cn *a, uint32_t line, uint8_t op, alm_cn *b, alm_cn **out) {
    if (!node(p, ALM_CN_BINARY, line, a, b, out)) return false;
    (*out)->op = op;
    return true;
}

static bool parse_pow(alm_chat_parser *p, alm_cn **out) {
    if (!parse_unary(p, true, out)) return false;
    while (alm_chat_is_op(&p->now, ALM_OP_POW)) {
        uint32_t line = p->now.line;
        alm_cn *right = NULL;
        if (!alm_chat_advance(p) || !parse_unary(p, true, &right) || !binary(p, *out, line, ALM_OP_POW, right, out))
            return false;
    }
    return true;
}

static bool parse_product(alm_chat_parser *p, alm_cn **out) {
    if (!parse_pow(p, out)) return false;
    while (p->now.kind == ALM_CT_OP && p->now.op >= ALM_OP_MUL && p->now.op <= ALM_OP_MOD) {
        const alm_ct t = p->now;
        alm_cn *right = NULL;
        if (!alm_chat_advance(p) || !parse_pow(p, &right) || !binary(p, *out, t.line, t.op, right, out)) return false;
    }
    return true;
}

static bool parse_concat(alm_chat_parser *p, alm_cn **out) {
    alm_cn *all = NULL, *part = NULL;
    size_t cap = 0;
    if (!parse_product(p, out)) return false;
    while (alm_chat_is_op(&p->now, ALM_OP_TILDE)) {
        if (!all && (!node(p, ALM_CN_CONCAT, p->now.line, NULL, NULL, &all) || !alm_chat_add_kid(p, all, *out, &cap)))
            return false;
        if (!alm_chat_advance(p) || !parse_product(p, &part) || !alm_chat_add_kid(p, all, part, &cap)) return false;
        *out = all;
    }
    return true;
}

static bool parse_sum(alm_chat_parser *p, alm_cn **out) {
    if (!parse_concat(p, out)) return false;
    while (alm_chat_is_op(&p->now, ALM_OP_ADD) || alm_chat_is_op(&p->now, ALM_OP_SUB)) {
        const alm_ct t = p->now;
        alm_cn *right = NULL;
        if (!alm_chat_advance(p) || !parse_concat(p, &right) || !binary(p, *out, t.line, t.op, right, out))
            return false;
    }
    return true;
}

static bool parse_compare(alm_chat_parser *p, alm_cn **out) {
    alm_cn *all = NULL, *part = NULL;
    size_t cap = 0;
    if (!parse_sum(p, out)) return false;
    for (;;) {
        const alm_ct t = p->now;
        uint8_t op = t.op;
        if (alm_chat_is_name(&t, "in")) op = ALM_OP_IN;
        else if (alm_chat_is_name(&t, "not") && alm_chat_is_name(&p->ahead, "in")) op = ALM_OP_NOT_IN;
        else if (t.kind != ALM_CT_OP || op < ALM_OP_EQ || op > ALM_OP_GE) return true;
        if (op == ALM_OP_NOT_IN && !alm_chat_advance(p)) return false;
        if (!all && !node(p, ALM_CN_COMPARE, t.line, *out, NULL, &all)) return false;
        *out = all;
        alm_cn *operand = NULL;
        if (!alm_chat_advance(p) || !parse_sum(p, &part) || !node(p, ALM_CN_COMPARE, t.line, part, NULL, &operand))
            return false;
        operand->op = op;
        if (!alm_chat_add_kid(p, all, operand, &cap)) return false;
    }
}

static bool parse_not(alm_chat_parser *p, alm_cn **out) {
    if (!alm_chat_is_name(&p->now, "not")) return parse_compare(p, out);
    uint32_t line = p->now.line;
    alm_cn *of = NULL;
    if (!deeper(p) || !alm_chat_advance(p) || !parse_not(p, &of)) return false;
    p->level--;
    return node(p, ALM_CN_NOT, line, of, NULL, out);
}

static bool parse_and(alm_chat_parser *p, alm_cn **out) {
    if (!parse_not(p, out)) return false;
    while (alm_chat_is_name(&p->now, "and")) {
        uint32_t line = p->now.line;
        alm_cn *right = NULL;
        if (!alm_chat_advance(p) || !parse_not(p, &right) || !node(p, ALM_CN_AND, line, *out, right, out)) return false;
    }
    return true;
}

static bool parse_or(alm_chat_parser *p, alm_cn **out) {
    if (!parse_and(p, out)) return false;
    while (alm_chat_is_name(&p->now, "or")) {
        uint32_t line = p->now.line;
        alm_cn *right = NULL;
        if (!alm_chat_advance(p) || !parse_and(p, &right) || !node(p, ALM_CN_OR, line, *out, right, out)) return false;
    }
    return true;
}

bool alm_chat_parse_expr(alm_chat_parser *p, bool with_if, alm_cn **out) {
    alm_cn *unknown = p->unknown;
    p->in_expr++;
    if (!deeper(p) || !parse_or(p, out)) return false;
    while (with_if && alm_chat_is_name(&p->now, "if")) {
        uint32_t line = p->now.line;
        alm_cn *then = *out, *test = NULL, *otherwise = NULL;
        if (!alm_chat_advance(p) || !parse_or(p, &test)) return false;
        if (alm_chat_is_name(&p->now, "else") && (!alm_chat_advance(p) || !alm_chat_parse_expr(p, true, &otherwise)))
            return false;
        if (!node(p, ALM_CN_COND, line, then, test, out)) return false;
        (*out)->a = test, (*out)->b = then, (*out)->c = otherwise;
        if (otherwise && otherwise->depth >= (*out)->depth) (*out)->depth = (uint16_t)(otherwise->depth + 1);
        p->unknown = unknown;
    }
    p->level--;
    p->in_expr--;
    return all_known(p);
}

/* ── several parted by commas ─────────────────────────────────────────────────────────────────────────────────── */

static bool is_tuple_end(const alm_ct *t, const char *until) {
    return t->kind == ALM_CT_OUT_END || t->kind == ALM_CT_TAG_END || alm_chat_is_op(t, ALM_OP_RPAREN) ||
           (until && alm_chat_is_name(t, until));
}

static bool parse_several(alm_chat_parser *p, bool targets, bool flag, const char *until, bool in_parens,
                          alm_cn **out) {
    alm_cn *tuple = NULL, *item = NULL;
    size_t cap = 0;
    uint32_t line = p->now.line;
    char seen[80];
    for (;;) {
        if (is_tuple_end(&p->now, until)) break;
        if (!(targets ? parse_primary(p, flag, &item) : alm_chat_parse_expr(p, flag, &item))) return false;
        if (tuple && !alm_chat_add_kid(p, tuple, item, &cap)) return false;
        if (!alm_chat_is_op(&p->now, ALM_OP_COMMA)) break;
        if (!tuple && (!node(p, ALM_CN_TUPLE, line, NULL, NULL, &tuple) || !alm_chat_add_kid(p, tuple, item, &cap)))
            return false;
        if (!alm_chat_advance(p)) return false;
    }
    if (!item && !in_parens)
        return alm_chat_syntax(p, line, "an expression is expected, not %s", alm_chat_describe(&p->now, seen));
    if (!item && !node(p, ALM_CN_TUPLE, line, NULL, NULL, &tuple)) return false;
    *out = tuple ? tuple : item;
    return true;
}

bool alm_chat_parse_tuple(alm_chat_parser *p, bool with_if, const char *until, bool in_parens, alm_cn **out) {
    return parse_several(p, false, with_if, until, in_parens, out);
}

static bool can_assign(const alm_cn *n, bool top) {
    if (n->kind == ALM_CN_NAME) return true;
    if (n->kind == ALM_CN_ATTR) return top || n->a->kind == ALM_CN_NAME;
    if (n->kind != ALM_CN_TUPLE) return false;
    for (uint32_t i = 0; i < n->n; i++)
        if (!can_assign(n->kid[i], false)) return false;
    return true;
}

bool alm_chat_parse_target(alm_chat_parser *p, bool with_namespace, const char *until, alm_cn **out) {
    uint32_t line = p->now.line;
    if (!parse_several(p, true, with_namespace, until, false, out)) return false;
    return can_assign(*out, true) || alm_chat_syntax(p, line, "this cannot be assigned to");
}
