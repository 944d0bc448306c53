/* SPDX-License-Identifier: Apache-2.0
 *
 * text/chat_inner.h - what the files of the chat template interpreter share: values, the tree, a rendering.
 *
 *   chat_token.c    source → tokens           chat_value.c     values, dicts, equality, order, iterating
 *   chat_parse.c    statements → tree         chat_write.c     str, repr, tojson
 *   chat_parse_expr.c  expressions → tree     chat_arith.c     operators, slices
 *   chat_eval.c     expressions, attributes, calls            chat_letters.c   what Unicode says of a character
 *   chat_run.c      statements, scopes, loops, macros         chat_format.c    "%s" %, format, strftime
 *   chat_filters.def, chat_tests.def, chat_methods.def, chat_globals.def name the builtins; chat_filter_text.c,
 *   chat_filter_list.c, chat_test.c, chat_method.c, chat_global.c hold them.
 *
 * Values never change once made (as in the sandbox that is followed, lists and dicts cannot be written to), so they share
 * memory freely; only a namespace and an iterator have a state. Everything lives in the rendering's arena and dies with it.
 *
 * Failing: a function that can fail returns bool; the first failure is kept in the rendering (status, sentence), and
 * nothing is evaluated after it. */
#ifndef ALM_TEXT_CHAT_INNER_H
#define ALM_TEXT_CHAT_INNER_H

#include "base/arena.h"
#include "text/chat_template.h"

/* ── values ───────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef enum alm_cv_kind {
    ALM_CV_MISSING, /* no value at all: an argument that was not given, a name that is not bound */
    ALM_CV_UNDEFINED,
    ALM_CV_NONE,
    ALM_CV_BOOL,
    ALM_CV_INT,
    ALM_CV_FLOAT,
    ALM_CV_BIG, /* an integer of JSON beyond 64 bits: its digits; it is shown and compared, not computed with */
    ALM_CV_STR,
    ALM_CV_LIST,
    ALM_CV_TUPLE,
    ALM_CV_DICT,
    ALM_CV_RANGE,
    ALM_CV_VIEW, /* items(), keys(), values() of a dict */
    ALM_CV_ITER, /* what filters such as map give: it can be walked once */
    ALM_CV_NAMESPACE,
    ALM_CV_LOOP,
    ALM_CV_MACRO,
    ALM_CV_GLOBAL, /* range, dict, … */
    ALM_CV_METHOD, /* a method with its object */
    ALM_CV_CYCLER,
    ALM_CV_JOINER,
} alm_cv_kind;

typedef struct alm_cv alm_cv;
typedef struct alm_cv_list {
    alm_cv *at;
    size_t n, cap;
    size_t walked; /* ALM_CV_ITER: items that were taken */
} alm_cv_list;
typedef struct alm_cv_dict alm_cv_dict;
typedef struct alm_cv_range {
    int64_t start, stop, step;
    size_t n;
} alm_cv_range;
typedef struct alm_chat_loop alm_chat_loop;
typedef struct alm_chat_macro alm_chat_macro;
typedef struct alm_cv_missed alm_cv_missed; /* which part of what is undefined */
typedef struct alm_cv_bound alm_cv_bound;

enum {
    ALM_CV_NAME = 0,  /* UNDEFINED: `at` is the name */
    ALM_CV_PART = 1,  /* UNDEFINED: `missed` */
    ALM_CV_HINT = 2,  /* UNDEFINED: `at` is the whole sentence */
    ALM_CV_GROUP = 1, /* TUPLE of groupby: its parts are also called grouper and list */
    ALM_CV_ITEMS = 0, /* VIEW */
    ALM_CV_KEYS = 1,
    ALM_CV_VALUES = 2,
    ALM_CV_SPECIAL = 1, /* GLOBAL: no value of the template's, loop.cycle and the like */
};

struct alm_cv {
    uint8_t kind, sub;
    uint32_t n; /* STR, BIG, UNDEFINED: bytes; GLOBAL, METHOD: row */
    union {
        int64_t i; /* INT, BOOL */
        double f;
        const char *at;
        alm_cv_list *list; /* LIST, TUPLE, VIEW, ITER, CYCLER */
        alm_cv_dict *dict; /* DICT, NAMESPACE */
        alm_cv_range *range;
        alm_chat_loop *loop;
        alm_chat_macro *macro;
        alm_cv_missed *missed;
        alm_cv_bound *bound; /* METHOD */
        alm_cv *slot;        /* JOINER */
    } as;
};

struct alm_cv_missed {
    alm_cv of, name;
};
struct alm_cv_bound {
    alm_cv self;
};

static inline alm_cv alm_cv_of(alm_cv_kind kind) { return (alm_cv){.kind = (uint8_t)kind}; }
static inline alm_cv alm_cv_bool(bool b) { return (alm_cv){.kind = ALM_CV_BOOL, .as.i = b}; }
static inline alm_cv alm_cv_int(int64_t i) { return (alm_cv){.kind = ALM_CV_INT, .as.i = i}; }
static inline alm_cv alm_cv_float(double f) { return (alm_cv){.kind = ALM_CV_FLOAT, .as.f = f}; }
static inline alm_cv alm_cv_str(alm_str s) {
    return (alm_cv){.kind = ALM_CV_STR, .n = (uint32_t)s.n, .as.at = s.at ? s.at : ""};
}
static inline alm_cv alm_cv_hint(const char *sentence) {
    return (alm_cv){.kind = ALM_CV_UNDEFINED, .sub = ALM_CV_HINT, .n = (uint32_t)strlen(sentence), .as.at = sentence};
}
static inline alm_str alm_cv_text(alm_cv v) { return (alm_str){v.as.at, v.n}; }
static inline bool alm_cv_is_int(alm_cv v) { return v.kind == ALM_CV_INT || v.kind == ALM_CV_BOOL; }
static inline bool alm_cv_is_number(alm_cv v) { return alm_cv_is_int(v) || v.kind == ALM_CV_FLOAT; }
static inline double alm_cv_double(alm_cv v) { return v.kind == ALM_CV_FLOAT ? v.as.f : (double)v.as.i; }

/* ── the tree ─────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef enum alm_cn_kind {
    ALM_CN_CONST,
    ALM_CN_HOLE, /* the text of a block, where a filter takes it */
    ALM_CN_NAME,
    ALM_CN_LIST,
    ALM_CN_TUPLE,
    ALM_CN_DICT, /* kid: key, value, key, value … */
    ALM_CN_ATTR, /* a.value */
    ALM_CN_ITEM, /* a[b] */
    ALM_CN_SLICE,
    ALM_CN_CALL,   /* a(args) */
    ALM_CN_FILTER, /* a | row op */
    ALM_CN_TEST,
    ALM_CN_NOT,
    ALM_CN_NEG,
    ALM_CN_POS,
    ALM_CN_AND,
    ALM_CN_OR,
    ALM_CN_COND,    /* b if a else c */
    ALM_CN_COMPARE, /* a, then kid by kid: its op and its a */
    ALM_CN_BINARY,
    ALM_CN_CONCAT, /* kid ~ kid … */
    /* statements */
    ALM_CN_TEXT,
    ALM_CN_OUT,
    ALM_CN_IF,           /* a: test, b: body, c: the next IF of the chain or a BODY */
    ALM_CN_BODY,         /* b */
    ALM_CN_FOR,          /* a: target, b: iterable, c: filter, body: d, otherwise: e; op: recursive */
    ALM_CN_SET,          /* a: target (name, tuple, or ATTR of a namespace), b */
    ALM_CN_SET_BLOCK,    /* a: target, b: filters over a hole or NULL, d: body */
    ALM_CN_MACRO,        /* name, kid: parameters (NAME with default in b), d: body */
    ALM_CN_CALL_BLOCK,   /* a: the call, kid and d as a macro */
    ALM_CN_FILTER_BLOCK, /* b, d */
    ALM_CN_WITH,         /* kid: target, value …; d */
    ALM_CN_SCOPE,        /* d: a body with names of its own */
    ALM_CN_BREAK,
    ALM_CN_CONTINUE,
} alm_cn_kind;

/* Operators of BINARY and COMPARE, by the token that writes them. */
typedef enum alm_chat_op {
    ALM_OP_NONE,
    ALM_OP_ADD,
    ALM_OP_SUB,
    ALM_OP_MUL,
    ALM_OP_DIV,
    ALM_OP_FLOORDIV,
    ALM_OP_MOD,
    ALM_OP_POW,
    ALM_OP_EQ,
    ALM_OP_NE,
    ALM_OP_LT,
    ALM_OP_LE,
    ALM_OP_GT,
    ALM_OP_GE,
    ALM_OP_IN,
    ALM_OP_NOT_IN,
    ALM_OP_TILDE,
    ALM_OP_PIPE,
    ALM_OP_DOT,
    ALM_OP_COMMA,
    ALM_OP_COLON,
    ALM_OP_SEMICOLON,
    ALM_OP_ASSIGN,
    ALM_OP_LPAREN,
    ALM_OP_RPAREN,
    ALM_OP_LBRACKET,
    ALM_OP_RBRACKET,
    ALM_OP_LBRACE,
    ALM_OP_RBRACE,
} alm_chat_op;

typedef struct alm_cn alm_cn;
typedef struct alm_cn_args {
    uint32_t n_pos, n_kw;
    alm_cn **pos, **kw;
    alm_str *kw_name;
    alm_cn *star, *star_star;
} alm_cn_args;

struct alm_cn {
    uint8_t kind, op;
    uint16_t depth; /* of the tree under it; bounded, so that walking it is */
    uint32_t line;
    uint32_t name; /* NAME, MACRO: number of the name */
    uint32_t n;    /* of kid */
    alm_cn *a, *b, *c, *d, *e;
    alm_cn *next; /* the next statement */
    alm_cn **kid;
    alm_cn_args *args;
    alm_cv value; /* CONST, TEXT; ATTR: the name */
    uint32_t row; /* FILTER, TEST: in its list, UINT32_MAX: unknown; ATTR: number of the name among methods, 0: none */
    bool keeps_scope;                            /* a body that defines macros: they outlive the pass through it */
    bool uses_kwargs, uses_varargs, uses_caller; /* MACRO, CALL_BLOCK */
};

enum {
    ALM_CHAT_MAX_SOURCE = 1 << 20,
    ALM_CHAT_MAX_TREE = 200, /* levels of expressions and statements in the source */
    ALM_CHAT_MAX_RANGE = 100000,
};

struct alm_chat_template {
    alm_arena *arena;
    alm_cn *body;
    alm_str *name;    /* every name that occurs, by number */
    uint32_t *global; /* by number of a name: row of chat_globals.def + 1, or 0 */
    size_t n_name, name_cap;
    uint32_t loop, caller, varargs, kwargs; /* numbers of these names */
};

/* ── tokens and parsing ───────────────────────────────────────────────────────────────────────────────────────── */

typedef enum alm_ct_kind {
    ALM_CT_END,
    ALM_CT_TEXT,
    ALM_CT_OUT_BEGIN,
    ALM_CT_OUT_END,
    ALM_CT_TAG_BEGIN,
    ALM_CT_TAG_END,
    ALM_CT_NAME,
    ALM_CT_STRING,
    ALM_CT_INT,
    ALM_CT_FLOAT,
    ALM_CT_OP,
} alm_ct_kind;

typedef struct alm_ct {
    uint8_t kind, op;
    uint32_t line;
    alm_str text; /* NAME, STRING (unescaped), TEXT; INT, FLOAT: digits without _ */
    alm_cv value; /* INT, FLOAT */
} alm_ct;

typedef struct alm_chat_lexer {
    alm_arena *arena;
    alm_str source; /* line ends are LF, the last one is cut off */
    size_t pos;
    uint32_t line;
    enum { ALM_LEX_TEXT, ALM_LEX_OUT, ALM_LEX_TAG } state;
    bool at_line_start;
    bool pending; /* the text before a tag was given, the tag follows */
    alm_ct tag;
    char bracket[ALM_CHAT_MAX_TREE * 2];
    size_t n_bracket;
    alm_error *err;
    alm_status st;
} alm_chat_lexer;

bool alm_chat_lexer_start(alm_chat_lexer *l, alm_arena *arena, alm_str source, alm_error *err);
bool alm_chat_lex(alm_chat_lexer *l, alm_ct *out);

typedef struct alm_chat_parser {
    alm_chat_lexer lexer;
    alm_chat_template *t;
    alm_ct now, ahead;
    alm_status st;
    alm_error *err;
    uint32_t level;
    bool soft;        /* within an if: unknown filters and tests are an error only when they are reached */
    bool keeps_scope; /* set by a macro, gathered by the body around it */
    bool saw_kwargs, saw_varargs, saw_caller;
    uint32_t in_loop;
    uint32_t in_expr; /* expressions around the one that is parsed */
    alm_cn *unknown;  /* a filter or test of no known name that is not within an if */
} alm_chat_parser;

bool alm_chat_parse(alm_chat_parser *p, alm_cn **out); /* the whole template */
alm_cn *alm_chat_node(alm_chat_parser *p, alm_cn_kind kind, uint32_t line);
bool alm_chat_advance(alm_chat_parser *p);
bool alm_chat_skip(alm_chat_parser *p, int n_tokens);
bool alm_chat_syntax(alm_chat_parser *p, uint32_t line, const char *format, ...) ALM_PRINTF(3, 4); /* always false */
#define alm_chat_syntax(...) (alm_chat_syntax(__VA_ARGS__), false)
bool alm_chat_is_name(const alm_ct *t, const char *name);
static inline bool alm_chat_is_op(const alm_ct *t, alm_chat_op op) { return t->kind == ALM_CT_OP && t->op == op; }
bool alm_chat_expect_op(alm_chat_parser *p, alm_chat_op op);
bool alm_chat_number_of(alm_chat_parser *p, alm_str name, uint32_t *out);
/* A token as the user sees it, into `at` of 80 bytes. */
const char *alm_chat_describe(const alm_ct *t, char *at);
bool alm_chat_add_kid(alm_chat_parser *p, alm_cn *to, alm_cn *kid, size_t *cap);
/* Expressions; a `tuple` may be several parted by commas, up to the end of the tag (or, in a for, up to the word `until`). */
bool alm_chat_parse_expr(alm_chat_parser *p, bool with_if, alm_cn **out);
bool alm_chat_parse_tuple(alm_chat_parser *p, bool with_if, const char *until, bool in_parens, alm_cn **out);
bool alm_chat_parse_target(alm_chat_parser *p, bool with_namespace, const char *until, alm_cn **out);
bool alm_chat_parse_filters(alm_chat_parser *p, alm_cn *from, bool inline_start, alm_cn **out);

/* ── a rendering ──────────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct alm_chat_scope alm_chat_scope;
struct alm_chat_scope {
    alm_chat_scope *up; /* NULL: the template's own names, in the rendering's `root` */
    uint32_t n, cap;
    uint32_t *name;
    alm_cv *value;
};

typedef struct alm_chat_run {
    const alm_chat_template *t;
    const alm_chat_input *in;
    alm_arena *arena;
    alm_cv *root; /* by number of a name; MISSING: not bound */
    alm_buf *out;
    alm_status st;
    alm_error *err;
    uint32_t line, depth, max_depth;
    uint64_t steps;      /* left */
    size_t memory_bytes; /* left */
    alm_cv hole;
    enum { ALM_CHAT_GO, ALM_CHAT_BREAK, ALM_CHAT_CONTINUE } flow;
    struct {
        char *end;
        size_t room;
    } grown[4]; /* strings that were joined last: what is joined to them goes right behind, see alm_chat_join */
    unsigned next_grown;
} alm_chat_run;

struct alm_chat_loop {
    const alm_cn *node;    /* recursive loops: the FOR; else NULL */
    alm_chat_scope *scope; /* around it */
    const alm_cv *item;
    size_t n, at;
    uint32_t depth0;
    alm_cv changed; /* what loop.changed saw */
};

struct alm_chat_macro {
    const alm_cn *node;
    alm_chat_scope *scope;
    alm_str name;
    bool internal; /* the body of a call block */
};

/* Arguments of a call, evaluated. */
typedef struct alm_chat_args {
    alm_cv *pos, *kw;
    alm_str *kw_name;
    uint32_t n_pos, n_kw;
} alm_chat_args;

/* chat_run.c */
bool alm_chat_fail(alm_chat_run *r, alm_status st, const char *format, ...) ALM_PRINTF(3, 4); /* always false, */
#define alm_chat_fail(...) (alm_chat_fail(__VA_ARGS__), false)       /* and the compiler knows */
void *alm_chat_memory(alm_chat_run *r, size_t n, size_t item_bytes); /* NULL: failed; not cleared */
static inline bool alm_chat_spend(alm_chat_run *r, size_t steps) {
    if (steps < r->steps) return r->steps -= steps, true;
    r->steps = 0;
    return alm_chat_fail(r, ALM_LIMIT, "the template takes too many steps");
}
static inline bool alm_chat_spend_bytes(alm_chat_run *r, size_t bytes) { return alm_chat_spend(r, 1 + bytes / 64); }
bool alm_chat_enter(alm_chat_run *r);
static inline void alm_chat_leave(alm_chat_run *r) { r->depth--; }
bool alm_chat_emit(alm_chat_run *r, alm_str s);
/* Output is gathered behind a mark, then taken as a string. */
bool alm_chat_take(alm_chat_run *r, size_t mark, alm_cv *out);
bool alm_chat_lookup(alm_chat_run *r, alm_chat_scope *s, uint32_t name, alm_cv *out);
bool alm_chat_assign(alm_chat_run *r, alm_chat_scope *s, const alm_cn *target, alm_cv v);
bool alm_chat_call_macro(alm_chat_run *r, const alm_chat_macro *m, const alm_chat_args *a, alm_cv *out);
bool alm_chat_recurse(alm_chat_run *r, const alm_chat_loop *loop, alm_cv items, alm_cv *out);

/* chat_eval.c */
bool alm_chat_eval(alm_chat_run *r, alm_chat_scope *s, const alm_cn *n, alm_cv *out);
bool alm_chat_eval_args(alm_chat_run *r, alm_chat_scope *s, const alm_cn_args *from, alm_chat_args *out);
bool alm_chat_call(alm_chat_run *r, alm_cv f, const alm_chat_args *a, alm_cv *out);
bool alm_chat_item(alm_chat_run *r, alm_cv of, alm_cv key, alm_cv *out);
bool alm_chat_attr(alm_chat_run *r, alm_cv of, alm_str name, uint32_t method, alm_cv *out);
bool alm_chat_undefined(alm_chat_run *r, alm_cv v); /* fails with what is undefined: always false */
#define alm_chat_undefined(...) (alm_chat_undefined(__VA_ARGS__), false)
bool alm_chat_call_filter(alm_chat_run *r, uint32_t row, alm_cv self, const alm_chat_args *a, alm_cv *out);
bool alm_chat_call_test(alm_chat_run *r, uint32_t row, alm_cv self, const alm_chat_args *a, bool *out);
/* Puts the arguments of `a` in the order of `signature`: names parted by blanks, "?" before those that may be missing; "*": any.
 * out has room for ALM_CHAT_MAX_ARGS. */
enum { ALM_CHAT_MAX_ARGS = 6 };
bool alm_chat_bind(alm_chat_run *r, const char *what, const char *signature, const alm_chat_args *a, alm_cv *out);

/* chat_value.c */
bool alm_cv_from_json(alm_chat_run *r, const alm_json *v, alm_cv *out);
const char *alm_cv_type(alm_cv v); /* as Python calls it: "str", "NoneType", … */
bool alm_cv_true(alm_chat_run *r, alm_cv v, bool *out);
bool alm_cv_equal(alm_chat_run *r, alm_cv a, alm_cv b, bool *out);
bool alm_cv_order(alm_chat_run *r, alm_cv a, alm_cv b, alm_chat_op op, bool *out); /* op: LT, LE, GT, GE */
bool alm_cv_contains(alm_chat_run *r, alm_cv in, alm_cv item, bool *out);
bool alm_cv_length(alm_chat_run *r, alm_cv v, size_t *out);
/* The elements, as `for` sees them; valid as long as the rendering. Walks an iterator to its end. */
bool alm_cv_items(alm_chat_run *r, alm_cv v, const alm_cv **at, size_t *n);
bool alm_cv_iterable(alm_cv v);
alm_cv_list *alm_cv_list_new(alm_chat_run *r, size_t cap);
bool alm_cv_list_add(alm_chat_run *r, alm_cv_list *l, alm_cv v);
alm_cv alm_cv_from_list(alm_cv_kind kind, alm_cv_list *l);
bool alm_cv_slice(alm_chat_run *r, alm_cv v, size_t from, size_t n,
                  alm_cv *out); /* of LIST, TUPLE: shares the memory */
bool alm_cv_pair(alm_chat_run *r, alm_cv a, alm_cv b, alm_cv *out);
alm_cv_dict *alm_cv_dict_new(alm_chat_run *r, size_t cap);
bool alm_cv_dict_set(alm_chat_run *r, alm_cv_dict *d, alm_cv key, alm_cv v);
/* MISSING when it is not there; fails for a key that has no hash. */
bool alm_cv_dict_get(alm_chat_run *r, const alm_cv_dict *d, alm_cv key, alm_cv *out);
size_t alm_cv_dict_n(const alm_cv_dict *d);
void alm_cv_dict_at(const alm_cv_dict *d, size_t i, alm_cv *key, alm_cv *v);
bool alm_cv_dict_view(alm_chat_run *r, const alm_cv_dict *d, unsigned what, alm_cv_list **out);
bool alm_cv_sort(alm_chat_run *r, alm_cv *item, alm_cv *key, size_t n, bool reverse); /* stable */
bool alm_cv_copy_str(alm_chat_run *r, alm_str s, alm_cv *out);
bool alm_cv_buf_str(alm_chat_run *r, alm_buf *b, alm_cv *out); /* copies and frees b */
bool alm_cv_unpack(alm_chat_run *r, alm_cv v, size_t n, const alm_cv **at);

/* chat_write.c: append to a buffer; a limit that the buffer meets is a failure of the rendering. */
bool alm_cv_write_str(alm_chat_run *r, alm_buf *b, alm_cv v);
bool alm_cv_write_repr(alm_chat_run *r, alm_buf *b, alm_cv v);
bool alm_cv_to_str(alm_chat_run *r, alm_cv v, alm_str *out); /* str(v), without a copy where it is one */
typedef struct alm_chat_json {
    bool ascii, sort, pretty;
    alm_str indent, item_sep, key_sep;
} alm_chat_json;
bool alm_cv_write_json(alm_chat_run *r, alm_buf *b, alm_cv v, const alm_chat_json *how);
size_t alm_chat_float_text(char *at, double x); /* as Python's repr; 32 bytes */
alm_buf alm_chat_buf(const alm_chat_run *r);    /* bounded by the memory that is left */
bool alm_chat_buf_ok(alm_chat_run *r, const alm_buf *b);

/* chat_arith.c */
bool alm_chat_binary(alm_chat_run *r, alm_chat_op op, alm_cv a, alm_cv b, alm_cv *out);
bool alm_chat_negate(alm_chat_run *r, alm_cv v, bool minus, alm_cv *out);
bool alm_chat_join(alm_chat_run *r, alm_str a, alm_str b, alm_cv *out);
bool alm_chat_get_slice(alm_chat_run *r, alm_cv v, alm_cv from, alm_cv to, alm_cv step, alm_cv *out);
bool alm_chat_range(alm_chat_run *r, int64_t start, int64_t stop, int64_t step, alm_cv *out);

/* chat_letters.c: text is UTF-8; positions and lengths of Python count characters. */
enum {
    ALM_LETTER_ALPHA = 1,
    ALM_LETTER_DECIMAL = 2,
    ALM_LETTER_DIGIT = 4,
    ALM_LETTER_NUMERIC = 8,
    ALM_LETTER_SPACE = 16,
    ALM_LETTER_UPPER = 32,
    ALM_LETTER_LOWER = 64,
    ALM_LETTER_PRINTABLE = 128,
    ALM_LETTER_TITLE = 256,
};
unsigned alm_letter_class(uint32_t c);
typedef enum alm_letter_case { ALM_CASE_UPPER, ALM_CASE_LOWER, ALM_CASE_TITLE } alm_letter_case;
size_t alm_letter_map(uint32_t c, alm_letter_case how, uint32_t out[3]);
/* How str.upper, .lower, .title, .capitalize and .swapcase change a text. */
typedef enum alm_chat_recase {
    ALM_RECASE_UPPER,
    ALM_RECASE_LOWER,
    ALM_RECASE_TITLE,
    ALM_RECASE_CAPITALIZE,
    ALM_RECASE_SWAP
} alm_chat_recase;
bool alm_chat_recase_str(alm_chat_run *r, alm_str s, alm_chat_recase how, alm_cv *out);
size_t alm_chat_length(alm_str s);                   /* characters */
size_t alm_chat_offset(alm_str s, size_t character); /* bytes before it; s.n when there are fewer */
/* Without characters of `chars` (NULL: blanks as Python knows them) at the ends. */
alm_str alm_chat_strip(alm_str s, const alm_str *chars, bool left, bool right);

/* chat_format.c */
bool alm_chat_percent(alm_chat_run *r, alm_str format, alm_cv args, alm_cv *out);
bool alm_chat_str_format(alm_chat_run *r, alm_str format, const alm_chat_args *a, alm_cv *out);
bool alm_chat_strftime(alm_chat_run *r, alm_str format, int64_t now_ns, alm_cv *out);

/* ── builtins ─────────────────────────────────────────────────────────────────────────────────────────────────── */

typedef bool alm_chat_fn(alm_chat_run *r, alm_cv self, const alm_cv *arg, const alm_chat_args *all, alm_cv *out);
typedef struct alm_chat_builtin {
    const char *name, *signature;
    alm_chat_fn *fn;
    uint32_t kinds; /* methods: bit i when values of kind i have it */
} alm_chat_builtin;
extern const alm_chat_builtin alm_chat_filters[], alm_chat_tests[], alm_chat_methods[], alm_chat_globals[];
extern const size_t alm_chat_n_filter, alm_chat_n_test, alm_chat_n_method, alm_chat_n_global;
uint32_t alm_chat_find(const alm_chat_builtin *list, size_t n, alm_str name); /* UINT32_MAX: none */

#define ALM_CHAT_FILTER(name, fn, signature) alm_chat_fn alm_chat_filter_##fn;
#include "text/chat_filters.def"
#undef ALM_CHAT_FILTER
#define ALM_CHAT_TEST(name, fn, signature) alm_chat_fn alm_chat_test_##fn;
#include "text/chat_tests.def"
#undef ALM_CHAT_TEST
#define ALM_CHAT_METHOD(name, fn, signature, kinds) alm_chat_fn alm_chat_method_##fn;
#include "text/chat_methods.def"
#undef ALM_CHAT_METHOD
#define ALM_CHAT_GLOBAL(name, fn, signature) alm_chat_fn alm_chat_global_##fn;
#include "text/chat_globals.def"
#undef ALM_CHAT_GLOBAL

#endif
