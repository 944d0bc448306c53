/* SPDX-License-Identifier: Apache-2.0
 *
 * chat_parse.c - statements of a chat template: from tokens to a tree in the template's arena.
 *
 * Statements of a body are linked by `next`. A body ends at one of the tags that its statement names. Depth is bounded at
 * every step in, so that nobody who walks the tree needs to look. What a template cannot see (other files, blocks of a
 * parent) is refused by name. */
#include "base/alloc.h"
#include "text/chat_inner.h"

/* ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────── */

bool alm_chat_advance(alm_chat_parser *p) {
    p->now = p->ahead;
    if (p->now.kind == ALM_CT_END && p->now.line) return true;
    if (alm_chat_lex(&p->lexer, &p->ahead)) return true;
    p->st = p->lexer.st;
    return false;
}

bool alm_chat_skip(alm_chat_parser *p, int n_tokens) {
    while (n_tokens && alm_chat_advance(p)) n_tokens--;
    return !n_tokens;
}

bool(alm_chat_syntax)(alm_chat_parser *p, uint32_t line, const char *format, ...) {
    char what[300];
    va_list args;
    if (p->st != ALM_OK) return false;
    va_start(args, format);
    alm_str_vprint(what, sizeof what, format, args);
    va_end(args);
    p->st = alm_fail(p->err, ALM_MALFORMED, "line %u: %s", line, what);
    return false;
}

bool alm_chat_is_name(const alm_ct *t, const char *name) {
    return t->kind == ALM_CT_NAME && t->text.n == strlen(name) && memcmp(t->text.at, name, t->text.n) == 0;
}

const char *alm_chat_describe(const alm_ct *t, char *at) {
    static const char *const names[] = {"the end of the template", "text", "{{", "}}", "{%", "%}"};
    if (t->kind <= ALM_CT_TAG_END) return names[t->kind];
    if (t->kind == ALM_CT_STRING) return "a string";
    alm_str_print(at, 80, "'%.*s'", (int)(t->text.n < 60 ? t->text.n : 60), t->text.at ? t->text.at : "");
    return at;
}

bool alm_chat_expect_op(alm_chat_parser *p, alm_chat_op op) {
    static const char *const signs[] = {
        [ALM_OP_COMMA] = ",",  [ALM_OP_COLON] = ":",    [ALM_OP_ASSIGN] = "=", [ALM_OP_LPAREN] = "(",
        [ALM_OP_RPAREN] = ")", [ALM_OP_RBRACKET] = "]", [ALM_OP_RBRACE] = "}",
    };
    char seen[80];
    if (alm_chat_is_op(&p->now, op)) return alm_chat_advance(p);
    return alm_chat_syntax(p, p->now.line, "'%s' is expected, not %s", signs[op], alm_chat_describe(&p->now, seen));
}

static bool expect(alm_chat_parser *p, alm_ct_kind kind) {
    char seen[80], want[80];
    if (p->now.kind == kind) return alm_chat_advance(p);
    return alm_chat_syntax(p, p->now.line, "%s is expected, not %s",
                           alm_chat_describe(&(alm_ct){.kind = (uint8_t)kind}, want), alm_chat_describe(&p->now, seen));
}

/* ── the tree ─────────────────────────────────────────────────────────────────────────────────────────────────── */

alm_cn *alm_chat_node(alm_chat_parser *p, alm_cn_kind kind, uint32_t line) {
    alm_cn *n = p->st == ALM_OK ? alm_arena_alloc(p->t->arena, sizeof *n, 16) : NULL;
    if (n) *n = (alm_cn){.kind = (uint8_t)kind, .line = line, .depth = 1};
    else if (p->st == ALM_OK) p->st = alm_fail_memory(p->err);
    return n;
}

bool alm_chat_add_kid(alm_chat_parser *p, alm_cn *to, alm_cn *kid, size_t *cap) {
    if (to->n == *cap) {
        size_t more = *cap ? *cap * 2 : 4;
        alm_cn **at = alm_arena_alloc(p->t->arena, more * sizeof *at, sizeof(void *));
        if (!at) return p->st = alm_fail_memory(p->err), false;
        if (to->n) memcpy(at, to->kid, to->n * sizeof *at);
        to->kid = at, *cap = more;
    }
    to->kid[to->n++] = kid;
    if (kid->depth >= to->depth) to->depth = (uint16_t)(kid->depth + 1);
    if (to->depth <= 2 * ALM_CHAT_MAX_TREE) return true;
    p->st = alm_fail(p->err, ALM_LIMIT, "line %u: the expression has too many parts in a row", to->line);
    return false;
}

bool alm_chat_number_of(alm_chat_parser *p, alm_str name, uint32_t *out) {
    alm_chat_template *t = p->t;
    for (size_t i = 0; i < t->n_name; i++)
        if (alm_str_eq(t->name[i], name)) return *out = (uint32_t)i, true;
    if (t->n_name == t->name_cap) {
        size_t more = t->name_cap ? t->name_cap * 2 : 32;
        alm_str *at = alm_arena_alloc(t->arena, more * sizeof *at, sizeof(void *));
        uint32_t *global = alm_arena_alloc(t->arena, more * sizeof *global, sizeof(uint32_t));
        if (!at || !global) return p->st = alm_fail_memory(p->err), false;
        if (t->n_name) memcpy(at, t->name, t->n_name * sizeof *at);
        if (t->n_name) memcpy(global, t->global, t->n_name * sizeof *global);
        t->name = at, t->global = global, t->name_cap = more;
    }
    t->global[t->n_name] = alm_chat_find(alm_chat_globals, alm_chat_n_global, name) + 1;
    t->name[t->n_name] = name;
    *out = (uint32_t)t->n_name++;
    return true;
}

static bool body(alm_chat_parser *p, const char *const *ends, alm_cn **out);

/* From behind the words of a tag to the tag that ends the body; the parser then stands on that tag's word. */
static bool body_until(alm_chat_parser *p, const char *const *ends, alm_cn **out) {
    if (alm_chat_is_op(&p->now, ALM_OP_COLON) && !alm_chat_advance(p)) return false; /* as in Python, and allowed */
    return expect(p, ALM_CT_TAG_END) && body(p, ends, out);
}
static bool whole_body(alm_chat_parser *p, const char *end, alm_cn **out) {
    const char *const ends[] = {end, NULL};
    return body_until(p, ends, out) && alm_chat_advance(p);
}

/* What a body says of itself (does it define macros, is it within an if) does not leak out of it. */
typedef struct around {
    bool soft, keeps_scope, kwargs, varargs, caller;
    uint32_t in_loop;
} around;
static around step_in(alm_chat_parser *p, bool soft) {
    around a = {p->soft, p->keeps_scope, p->saw_kwargs, p->saw_varargs, p->saw_caller, p->in_loop};
    p->soft = soft;
    p->keeps_scope = false;
    return a;
}
static void step_out(alm_chat_parser *p, around a, alm_cn *n) {
    n->keeps_scope = p->keeps_scope;
    p->keeps_scope |= a.keeps_scope;
    p->soft = a.soft;
}

/* ── statements ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool parse_for(alm_chat_parser *p, alm_cn *n) {
    static const char *const ends[] = {"endfor", "else", NULL};
    char seen[80];
    if (!alm_chat_parse_target(p, false, "in", &n->a)) return false;
    if (!alm_chat_is_name(&p->now, "in"))
        return alm_chat_syntax(p, p->now.line, "'in' is expected, not %s", alm_chat_describe(&p->now, seen));
    if (!alm_chat_advance(p) || !alm_chat_parse_tuple(p, false, "recursive", false, &n->b)) return false;
    around outside = step_in(p, false);
    if (alm_chat_is_name(&p->now, "if") && (!alm_chat_advance(p) || !alm_chat_parse_expr(p, true, &n->c))) return false;
    if (alm_chat_is_name(&p->now, "recursive")) {
        n->op = 1;
        if (!alm_chat_advance(p)) return false;
    }
    p->in_loop++;
    if (!body_until(p, ends, &n->d)) return false;
    p->in_loop--;
    bool has_else = alm_chat_is_name(&p->now, "else");
    if (!alm_chat_advance(p) || (has_else && !whole_body(p, "endfor", &n->e))) return false;
    step_out(p, outside, n);
    return true;
}

static bool parse_if(alm_chat_parser *p, alm_cn *n) {
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    around outside = step_in(p, true);
    alm_cn *first = n;
    for (;;) {
        if (!alm_chat_parse_tuple(p, false, NULL, false, &n->a) || !body_until(p, ends, &n->b)) return false;
        const alm_ct t = p->now;
        if (!alm_chat_advance(p)) return false;
        if (alm_chat_is_name(&t, "endif")) break;
        if (!(n->c = alm_chat_node(p, alm_chat_is_name(&t, "elif") ? ALM_CN_IF : ALM_CN_BODY, t.line))) return false;
        n = n->c;
        if (n->kind == ALM_CN_IF) continue;
        if (!whole_body(p, "endif", &n->b)) return false;
        break;
    }
    step_out(p, outside, first);
    return true;
}

static bool parse_set(alm_chat_parser *p, alm_cn *n) {
    if (!alm_chat_parse_target(p, true, NULL, &n->a)) return false;
    if (alm_chat_is_op(&p->now, ALM_OP_ASSIGN))
        return alm_chat_advance(p) && alm_chat_parse_tuple(p, true, NULL, false, &n->b);
    alm_cn *hole = alm_chat_node(p, ALM_CN_HOLE, n->line);
    n->kind = ALM_CN_SET_BLOCK;
    if (!hole || !alm_chat_parse_filters(p, hole, false, &n->b)) return false;
    around outside = step_in(p, false);
    if (!whole_body(p, "endset", &n->d)) return false;
    step_out(p, outside, n);
    return true;
}

static bool parse_signature(alm_chat_parser *p, alm_cn *n) {
    size_t cap = 0;
    bool has_default = false;
    char seen[80];
    if (!alm_chat_expect_op(p, ALM_OP_LPAREN)) return false;
    while (!alm_chat_is_op(&p->now, ALM_OP_RPAREN)) {
        if (n->n && !alm_chat_expect_op(p, ALM_OP_COMMA)) return false;
        if (p->now.kind != ALM_CT_NAME)
            return alm_chat_syntax(p, p->now.line, "a parameter's name is expected, not %s",
                                   alm_chat_describe(&p->now, seen));
        alm_cn *arg = alm_chat_node(p, ALM_CN_NAME, p->now.line);
        if (!arg || !alm_chat_number_of(p, p->now.text, &arg->name)) return false;
        arg->value = alm_cv_str(p->now.text);
        for (uint32_t i = 0; i < n->n; i++)
            if (n->kid[i]->name == arg->name)
                return alm_chat_syntax(p, p->now.line, "two parameters have the same name");
        if (!alm_chat_advance(p)) return false;
        if (alm_chat_is_op(&p->now, ALM_OP_ASSIGN)) {
            has_default = true;
            if (!alm_chat_advance(p) || !alm_chat_parse_expr(p, true, &arg->b)) return false;
        } else if (has_default) {
            return alm_chat_syntax(p, p->now.line, "a parameter without a default stands behind one with a default");
        }
        if (!alm_chat_add_kid(p, n, arg, &cap)) return false;
    }
    return alm_chat_expect_op(p, ALM_OP_RPAREN);
}

/* The body of a macro or of a call: it is known from it alone whether it takes more arguments than it names. */
static bool macro_body(alm_chat_parser *p, alm_cn *n, const char *end) {
    around outside = step_in(p, false);
    p->saw_kwargs = p->saw_varargs = p->saw_caller = false;
    p->in_loop = 0;
    if (!whole_body(p, end, &n->d)) return false;
    n->uses_kwargs = p->saw_kwargs;
    n->uses_varargs = p->saw_varargs;
    n->uses_caller = p->saw_caller;
    step_out(p, outside, n);
    p->saw_kwargs = outside.kwargs, p->saw_varargs = outside.varargs, p->saw_caller = outside.caller;
    p->in_loop = outside.in_loop;
    p->keeps_scope = true;
    return true;
}

static bool parse_macro(alm_chat_parser *p, alm_cn *n) {
    char seen[80];
    if (p->now.kind != ALM_CT_NAME)
        return alm_chat_syntax(p, n->line, "a macro's name is expected, not %s", alm_chat_describe(&p->now, seen));
    n->value = alm_cv_str(p->now.text);
    return alm_chat_number_of(p, p->now.text, &n->name) && alm_chat_advance(p) && parse_signature(p, n) &&
           macro_body(p, n, "endmacro");
}

static bool parse_call_block(alm_chat_parser *p, alm_cn *n) {
    if (alm_chat_is_op(&p->now, ALM_OP_LPAREN) && !parse_signature(p, n)) return false;
    if (!alm_chat_parse_expr(p, true, &n->a)) return false;
    if (n->a->kind != ALM_CN_CALL) return alm_chat_syntax(p, n->line, "a call is expected behind {%% call %%}");
    return macro_body(p, n, "endcall");
}

static bool parse_filter_block(alm_chat_parser *p, alm_cn *n) {
    alm_cn *hole = alm_chat_node(p, ALM_CN_HOLE, n->line);
    if (!hole || !alm_chat_parse_filters(p, hole, true, &n->b)) return false;
    around outside = step_in(p, false);
    if (!whole_body(p, "endfilter", &n->d)) return false;
    step_out(p, outside, n);
    return true;
}

static bool parse_with(alm_chat_parser *p, alm_cn *n) {
    size_t cap = 0;
    while (p->now.kind != ALM_CT_TAG_END) {
        alm_cn *target, *value;
        if (n->n && !alm_chat_expect_op(p, ALM_OP_COMMA)) return false;
        if (!alm_chat_parse_target(p, false, NULL, &target) || !alm_chat_expect_op(p, ALM_OP_ASSIGN) ||
            !alm_chat_parse_expr(p, true, &value) || !alm_chat_add_kid(p, n, target, &cap) ||
            !alm_chat_add_kid(p, n, value, &cap))
            return false;
    }
    around outside = step_in(p, false);
    if (!whole_body(p, "endwith", &n->d)) return false;
    step_out(p, outside, n);
    return true;
}

/* What an assistant says, marked for training: here only a scope of its own. */
static bool parse_generation(alm_chat_parser *p, alm_cn *n) {
    around outside = step_in(p, false);
    uint32_t in_loop = p->in_loop;
    p->in_loop = 0;
    if (!whole_body(p, "endgeneration", &n->d)) return false;
    p->in_loop = in_loop;
    step_out(p, outside, n);
    return true;
}

static bool parse_print(alm_chat_parser *p, alm_cn *n) {
    size_t cap = 0;
    while (p->now.kind != ALM_CT_TAG_END) {
        alm_cn *part;
        if (n->n && !alm_chat_expect_op(p, ALM_OP_COMMA)) return false;
        if (!alm_chat_parse_expr(p, true, &part) || !alm_chat_add_kid(p, n, part, &cap)) return false;
    }
    return true;
}

static bool parse_leave(alm_chat_parser *p, alm_cn *n) {
    return p->in_loop ||
           alm_chat_syntax(p, n->line, "{%% %s %%} stands in no loop", n->kind == ALM_CN_BREAK ? "break" : "continue");
}

static const struct {
    const char *word;
    alm_cn_kind kind;
    bool (*parse)(alm_chat_parser *p, alm_cn *n);
} statements[] = {
    {"if", ALM_CN_IF, parse_if},
    {"for", ALM_CN_FOR, parse_for},
    {"set", ALM_CN_SET, parse_set},
    {"macro", ALM_CN_MACRO, parse_macro},
    {"call", ALM_CN_CALL_BLOCK, parse_call_block},
    {"filter", ALM_CN_FILTER_BLOCK, parse_filter_block},
    {"with", ALM_CN_WITH, parse_with},
    {"generation", ALM_CN_SCOPE, parse_generation},
    {"print", ALM_CN_OUT, parse_print},
    {"break", ALM_CN_BREAK, parse_leave},
    {"continue", ALM_CN_CONTINUE, parse_leave},
};

static bool statement(alm_chat_parser *p, const char *const *ends, alm_cn **out) {
    static const char *const elsewhere[] = {"include", "import", "from", "extends", "block", "autoescape"};
    const alm_ct t = p->now;
    char seen[80];
    if (t.kind != ALM_CT_NAME)
        return alm_chat_syntax(p, t.line, "a tag's name is expected, not %s", alm_chat_describe(&t, seen));
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (!alm_chat_is_name(&t, statements[i].word)) continue;
        alm_cn *n = alm_chat_node(p, statements[i].kind, t.line);
        *out = n;
        return n && alm_chat_advance(p) && statements[i].parse(p, n);
    }
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        if (!alm_chat_is_name(&t, elsewhere[i])) continue;
        p->st = alm_fail(p->err, ALM_UNSUPPORTED, "line %u: {%% %s %%} has no place in a chat template", t.line,
                         elsewhere[i]);
        return false;
    }
    if (ends)
        return alm_chat_syntax(p, t.line, "the tag %s is not known here; {%% %s %%} is open",
                               alm_chat_describe(&t, seen), ends[0]);
    return alm_chat_syntax(p, t.line, "the tag %s is not known here", alm_chat_describe(&t, seen));
}

static bool is_end(const alm_chat_parser *p, const char *const *ends) {
    for (; ends && *ends; ends++)
        if (alm_chat_is_name(&p->now, *ends)) return true;
    return false;
}

static bool output(alm_chat_parser *p, alm_cn **out) {
    alm_cn *value = NULL, *n = alm_chat_node(p, ALM_CN_OUT, p->now.line);
    size_t cap = 0;
    *out = n;
    return n && alm_chat_advance(p) && alm_chat_parse_tuple(p, true, NULL, false, &value) &&
           alm_chat_add_kid(p, n, value, &cap) && expect(p, ALM_CT_OUT_END);
}

/* Statements up to one of `ends` (NULL: the end of the template); the parser then stands on the word of that tag. */
static bool body(alm_chat_parser *p, const char *const *ends, alm_cn **out) {
    alm_cn *last = NULL;
    *out = NULL;
    if (p->level >= ALM_CHAT_MAX_TREE) {
        p->st = alm_fail(p->err, ALM_LIMIT, "line %u: the template is nested too deep", p->now.line);
        return false;
    }
    p->level++;
    for (;;) {
        const alm_ct t = p->now;
        alm_cn *n = NULL;
        if (t.kind == ALM_CT_END) {
            p->level--;
            return !ends || alm_chat_syntax(p, t.line, "the template ends where {%% %s %%} is expected", ends[0]);
        }
        if (t.kind == ALM_CT_TEXT) {
            if (!(n = alm_chat_node(p, ALM_CN_TEXT, t.line)) || !alm_chat_advance(p)) return false;
            n->value = alm_cv_str(t.text);
        } else if (t.kind == ALM_CT_OUT_BEGIN) {
            if (!output(p, &n)) return false;
        } else {
            if (!alm_chat_advance(p)) return false;
            if (is_end(p, ends)) {
                p->level--;
                return true;
            }
            if (!statement(p, ends, &n) || !expect(p, ALM_CT_TAG_END)) return false;
        }
        if (last) last->next = n;
        else *out = n;
        last = n;
    }
}

bool alm_chat_parse(alm_chat_parser *p, alm_cn **out) {
    p->ahead = (alm_ct){0};
    if (!alm_chat_number_of(p, ALM_STR("loop"), &p->t->loop) ||
        !alm_chat_number_of(p, ALM_STR("caller"), &p->t->caller) ||
        !alm_chat_number_of(p, ALM_STR("varargs"), &p->t->varargs) ||
        !alm_chat_number_of(p, ALM_STR("kwargs"), &p->t->kwargs))
        return false;
    return alm_chat_skip(p, 2) && body(p, NULL, out);
}
