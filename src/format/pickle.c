/* SPDX-License-Identifier: Apache-2.0
 *
 * pickle.c - the stack machine of pickles, without the part that runs anything (docs/format/pickle.md).
 *
 * One pass over the opcodes builds values in an arena; names are looked up in pickle_globals.def at the moment they are
 * mentioned, so a hostile name is refused before whatever follows it, broken or not. Every length is held against the bytes
 * that are left before it is used; values, memo, stack and marks are bounded.
 *
 * A second pass measures the graph: cycles, its height, and the number of values that a walk would meet (lists of lists of
 * the same list are small here and endless when copied).
 *
 * Invariant: what lies on the stack above the topmost mark belongs to nobody yet; `mark` holds stack heights, ascending. */
#include "format/pickle.h"

#include "base/alloc.h"
#include "base/arena.h"

enum { DICT, SEQUENCE, ENCODE, OBJECT, NAME };
enum { UNSEEN, BUSY, DONE };
enum { MAX_MARKS = 1000, MAX_STACK = 1 << 20, MAX_VALUES = 1 << 21, MAX_ARENA = 160 << 20, HIGHEST_PROTOCOL = 5 };

#define ALM_SAFETENSORS_NONE ALM_PICKLE_ITEM_NONE
#define ALM_SAFETENSORS_RAW  ALM_PICKLE_ITEM_RAW
static const alm_pickle_global globals[] = {
#define ALM_PICKLE_GLOBAL(id, module, name, role, item) \
    {ALM_PICKLE_ID_##id, role, (int)ALM_SAFETENSORS_##item, module, name},
#include "format/pickle_globals.def"
#undef ALM_PICKLE_GLOBAL
};

typedef alm_pickle_value value;

struct alm_pickle {
    alm_arena *arena;
    const value *root;
    value **persistent;
    size_t n_persistent, persistent_cap;
};

typedef struct machine {
    alm_pickle *p;
    const char *name;
    alm_str in;
    size_t at, op_at; /* the next byte; where the opcode that runs began */
    value **stack;
    size_t n_stack, stack_cap;
    size_t mark[MAX_MARKS], n_mark;
    value **memo; /* NULL where nothing was put */
    size_t n_memo, memo_cap;
    size_t n_values;
    alm_error *err;
} machine;

#define SAY(status, class, ...) alm_fail(m->err, status, "%s: " class ": at byte %zu: " __VA_ARGS__)
#define BROKEN(...)             SAY(ALM_MALFORMED, "bad_pickle", __VA_ARGS__)

/* -- values, stack, memo -------------------------------------------------------------------------------------------------- */

static alm_status out_of_room(machine *m) {
    if (alm_arena_used(m->p->arena) > MAX_ARENA / 2)
        return SAY(ALM_LIMIT, "too_large", "more values than a checkpoint has", m->name, m->op_at);
    return alm_fail_memory(m->err);
}

static alm_status push(machine *m, value *v) {
    if (m->n_stack == MAX_STACK)
        return SAY(ALM_LIMIT, "too_large", "the stack grows beyond %d values", m->name, m->op_at, MAX_STACK);
    if (!alm_grow((void **)&m->stack, &m->stack_cap, m->n_stack + 1, sizeof *m->stack)) return alm_fail_memory(m->err);
    m->stack[m->n_stack++] = v;
    return ALM_OK;
}

static alm_status make(machine *m, value **out, alm_pickle_kind kind) {
    if (m->n_values++ == MAX_VALUES)
        return SAY(ALM_LIMIT, "too_large", "more than %d values", m->name, m->op_at, MAX_VALUES);
    value *v = alm_arena_alloc(m->p->arena, sizeof *v, 8);
    if (!v) return out_of_room(m);
    *v = (value){.kind = (uint8_t)kind};
    return *out = v, ALM_OK;
}

static alm_status push_new(machine *m, alm_pickle_kind kind, value **out) {
    value *v = NULL;
    alm_status st = make(m, &v, kind);
    if (st == ALM_OK) st = push(m, v);
    if (st == ALM_OK && out) *out = v;
    return st;
}

static alm_status push_int(machine *m, alm_pickle_kind kind, int64_t i) {
    value *v = NULL;
    alm_status st = push_new(m, kind, &v);
    if (st == ALM_OK) v->i = i;
    return st;
}

static alm_status push_str(machine *m, alm_pickle_kind kind, alm_str s) {
    value *v = NULL;
    alm_status st = push_new(m, kind, &v);
    if (st == ALM_OK) v->s = s;
    return st;
}

/* Where the values of the innermost mark begin; 0 without one. */
static size_t ground(const machine *m) { return m->n_mark ? m->mark[m->n_mark - 1] : 0; }

static alm_status pop(machine *m, value **out) {
    if (m->n_stack <= ground(m)) return BROKEN("a value is wanted, the stack is empty", m->name, m->op_at);
    return *out = m->stack[--m->n_stack], ALM_OK;
}

/* The values above the topmost mark, which goes; they stay in the stack's memory until the next push. */
static alm_status pop_mark(machine *m, value ***items, size_t *n) {
    if (!m->n_mark) return BROKEN("no mark is there", m->name, m->op_at);
    size_t from = m->mark[--m->n_mark];
    *items = m->stack ? m->stack + from : NULL; /* nothing was ever pushed */
    *n = m->n_stack - from;
    m->n_stack = from;
    return ALM_OK;
}

static alm_status set_mark(machine *m) {
    if (m->n_mark == MAX_MARKS)
        return SAY(ALM_MALFORMED, "too_deep", "more than %d marks", m->name, m->op_at, MAX_MARKS);
    m->mark[m->n_mark++] = m->n_stack;
    return ALM_OK;
}

/* Appends to a container; its room doubles, which wastes at most as much as it holds. */
static alm_status add_items(machine *m, value *to, value *const *item, size_t n) {
    if (!to || n > UINT32_MAX / 4 - to->n)
        return SAY(ALM_LIMIT, "too_large", "a container of too many values", m->name, m->op_at);
    if (to->n + n > to->cap) {
        uint32_t cap = to->n + (uint32_t)n > 2 * to->cap ? to->n + (uint32_t)n : 2 * to->cap;
        value **grown = alm_arena_alloc(m->p->arena, cap * sizeof *grown, 8);
        if (!grown) return out_of_room(m);
        if (to->n) memcpy(grown, to->item, to->n * sizeof *grown);
        to->item = grown;
        to->cap = cap;
    }
    if (n) memcpy(to->item + to->n, item, n * sizeof *item);
    to->n += (uint32_t)n;
    return ALM_OK;
}

static alm_status put(machine *m, size_t slot) {
    if (m->n_stack <= ground(m)) return BROKEN("nothing to remember", m->name, m->op_at);
    if (slot >= m->in.n || slot >= MAX_VALUES) /* each needs an opcode, so no honest number is as large */
        return SAY(ALM_MALFORMED, "bad_count", "memo slot %zu in a pickle of %zu bytes", m->name, m->op_at, slot,
                   m->in.n);
    if (!alm_grow((void **)&m->memo, &m->memo_cap, slot + 1, sizeof *m->memo)) return alm_fail_memory(m->err);
    while (m->n_memo <= slot) m->memo[m->n_memo++] = NULL;
    m->memo[slot] = m->stack[m->n_stack - 1];
    return ALM_OK;
}

static alm_status get(machine *m, size_t slot) {
    if (slot >= m->n_memo || !m->memo[slot]) return BROKEN("memo slot %zu was never written", m->name, m->op_at, slot);
    return push(m, m->memo[slot]);
}

/* -- bytes of the pickle --------------------------------------------------------------------------------------------------- */

static alm_status bytes(machine *m, uint64_t n, alm_str *out) {
    if (n > m->in.n - m->at) {
        const char *class = n > (1 << 20) ? "bad_length" : "truncated";
        return alm_fail(m->err, ALM_MALFORMED, "%s: %s: at byte %zu: %llu bytes are announced, %zu are left", m->name,
                        class, m->op_at, (unsigned long long)n, m->in.n - m->at);
    }
    *out = (alm_str){m->in.at + m->at, (size_t)n};
    m->at += (size_t)n;
    return ALM_OK;
}

static alm_status number(machine *m, size_t width, uint64_t *out) {
    alm_str s = {0};
    alm_status st = bytes(m, width, &s);
    if (st != ALM_OK) return st;
    *out = 0;
    for (size_t i = width; i-- > 0;) *out = *out << 8 | (unsigned char)s.at[i];
    return ALM_OK;
}

/* Up to the line's end, which is taken too. */
static alm_status line(machine *m, alm_str *out) {
    alm_str rest = alm_str_slice(m->in, m->at, m->in.n);
    size_t n = alm_str_find_byte(rest, '\n');
    if (n == SIZE_MAX) return SAY(ALM_MALFORMED, "truncated", "the pickle ends inside a line", m->name, m->op_at);
    *out = alm_str_slice(rest, 0, n);
    m->at += n + 1;
    return ALM_OK;
}

/* A length of `width` bytes and as many bytes. */
static alm_status push_counted(machine *m, size_t width, alm_pickle_kind kind) {
    uint64_t n = 0;
    alm_str s = {0};
    alm_status st = number(m, width, &n);
    if (st == ALM_OK) st = bytes(m, n, &s);
    if (st == ALM_OK && kind == ALM_PICKLE_STRING && !alm_utf8_valid(s))
        return SAY(ALM_MALFORMED, "bad_string", "a text that is not UTF-8", m->name, m->op_at);
    return st == ALM_OK ? push_str(m, kind, s) : st;
}

/* Two's complement, little-endian, of any length. */
static alm_status push_long(machine *m, alm_str s) {
    size_t n = s.n;
    unsigned char fill = n && (s.at[n - 1] & 0x80) ? 0xFF : 0;
    while (n > 8 && (unsigned char)s.at[n - 1] == fill && ((s.at[n - 2] ^ fill) & 0x80) == 0) n--;
    if (n > 8) return push_str(m, ALM_PICKLE_LONG, s);
    uint64_t x = fill ? UINT64_MAX : 0;
    for (size_t i = n; i-- > 0;) x = x << 8 | (unsigned char)s.at[i];
    return push_int(m, ALM_PICKLE_INT, (int64_t)x);
}

static alm_status push_long_counted(machine *m, size_t width) {
    uint64_t n = 0;
    alm_str s = {0};
    alm_status st = number(m, width, &n);
    if (st == ALM_OK && width == 4 && n > INT32_MAX)
        return SAY(ALM_MALFORMED, "bad_length", "an integer of negative length", m->name, m->op_at);
    if (st == ALM_OK) st = bytes(m, n, &s);
    return st == ALM_OK ? push_long(m, s) : st;
}

static alm_status push_double(machine *m) {
    alm_str s = {0};
    value *v = NULL;
    alm_status st = bytes(m, 8, &s);
    if (st == ALM_OK) st = push_new(m, ALM_PICKLE_FLOAT, &v);
    if (st != ALM_OK) return st;
    uint64_t x = 0; /* the one number that is big-endian */
    for (size_t i = 0; i < 8; i++) x = x << 8 | (unsigned char)s.at[i];
    memcpy(&v->f, &x, 8);
    return ALM_OK;
}

/* -- protocol 0: numbers and strings as lines ------------------------------------------------------------------------------- */

static alm_status push_line_int(machine *m) {
    alm_str s = {0};
    int64_t i = 0;
    alm_status st = line(m, &s);
    if (st != ALM_OK) return st;
    if (alm_str_eq(s, ALM_STR("00")) || alm_str_eq(s, ALM_STR("01")))
        return push_int(m, ALM_PICKLE_BOOL, s.at[1] == '1');
    if (alm_str_ends(s, ALM_STR("L"))) s.n--;
    if (!alm_str_to_i64(s, &i)) return BROKEN("a line that is no integer", m->name, m->op_at);
    return push_int(m, ALM_PICKLE_INT, i);
}

static alm_status push_line_float(machine *m) {
    alm_str s = {0};
    double f = 0.0;
    value *v = NULL;
    alm_status st = line(m, &s);
    if (st != ALM_OK) return st;
    if (!alm_str_to_f64(s, &f)) return BROKEN("a line that is no number", m->name, m->op_at);
    st = push_new(m, ALM_PICKLE_FLOAT, &v);
    if (st == ALM_OK) v->f = f;
    return st;
}

static alm_status push_line_str(machine *m, bool quoted) {
    alm_str s = {0};
    alm_status st = line(m, &s);
    if (st != ALM_OK) return st;
    if (quoted) {
        if (s.n < 2 || (s.at[0] != '\'' && s.at[0] != '"') || s.at[s.n - 1] != s.at[0])
            return BROKEN("a string without its quotes", m->name, m->op_at);
        s = alm_str_slice(s, 1, s.n - 1);
    }
    if (memchr(s.at, '\\', s.n))
        return SAY(ALM_UNSUPPORTED, "unsupported", "escapes in a string of protocol 0", m->name, m->op_at);
    return push_str(m, ALM_PICKLE_STRING, s);
}

static alm_status memo_line(machine *m, bool is_get) {
    alm_str s = {0};
    uint64_t slot = 0;
    alm_status st = line(m, &s);
    if (st != ALM_OK) return st;
    if (!alm_str_to_u64(s, &slot)) return BROKEN("a memo slot that is no number", m->name, m->op_at);
    return is_get ? get(m, (size_t)slot) : put(m, (size_t)slot);
}

/* -- names and calls ---------------------------------------------------------------------------------------------------------- */

static alm_status refuse(machine *m, const char *what) {
    return SAY(ALM_REFUSED, "unsafe_code", "%s", m->name, m->op_at, what);
}

static alm_status push_global(machine *m, alm_str module, alm_str name) {
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        if (!alm_str_eq(module, alm_str_of(globals[i].module)) || !alm_str_eq(name, alm_str_of(globals[i].name)))
            continue;
        value *v;
        alm_status st = push_new(m, ALM_PICKLE_GLOBAL, &v);
        if (st == ALM_OK) v->global = &globals[i];
        return st;
    }
    module = alm_str_slice(module, 0, 100), name = alm_str_slice(name, 0, 100);
    SAY(ALM_REFUSED, "unsafe_code", "%.*s.%.*s is not on the list of what a checkpoint may name", m->name, m->op_at,
        ALM_ARG(module), ALM_ARG(name));
    alm_hint(m->err, "nothing was run; weights that are saved as a state dict, or as safetensors, need no such names");
    return ALM_REFUSED;
}

static alm_status global_lines(machine *m) {
    alm_str module = {0}, name = {0};
    alm_status st = line(m, &module);
    if (st == ALM_OK) st = line(m, &name);
    return st == ALM_OK ? push_global(m, module, name) : st;
}

static alm_status global_stack(machine *m) {
    value *module = NULL, *name = NULL;
    alm_status st = pop(m, &name);
    if (st == ALM_OK) st = pop(m, &module);
    if (st != ALM_OK) return st;
    if (module->kind != ALM_PICKLE_STRING || name->kind != ALM_PICKLE_STRING)
        return BROKEN("a name that is no text", m->name, m->op_at);
    return push_global(m, module->s, name->s);
}

/* _codecs.encode(text, "latin1"): how protocol 2 writes bytes. Each character below U+0100 is one. */
static alm_status call_encode(machine *m, const value *args) {
    if (args->n != 2 || args->item[0]->kind != ALM_PICKLE_STRING || args->item[1]->kind != ALM_PICKLE_STRING)
        return BROKEN("_codecs.encode wants a text and an encoding", m->name, m->op_at);
    alm_str text = args->item[0]->s, how = args->item[1]->s;
    if (!alm_str_eq(how, ALM_STR("latin1")) && !alm_str_eq(how, ALM_STR("latin-1")))
        return SAY(ALM_UNSUPPORTED, "unsupported", "_codecs.encode to %.*s", m->name, m->op_at,
                   ALM_ARG(alm_str_slice(how, 0, 40)));
    char *at = alm_arena_alloc(m->p->arena, text.n ? text.n : 1, 1);
    if (!at) return out_of_room(m);
    size_t n = 0;
    for (size_t pos = 0; pos < text.n;) {
        uint32_t c;
        if (!alm_utf8_next(text, &pos, &c) || c > 0xFF)
            return BROKEN("_codecs.encode of a character beyond U+00FF", m->name, m->op_at);
        at[n++] = (char)(unsigned char)c;
    }
    return push_str(m, ALM_PICKLE_BYTES, (alm_str){at, n});
}

/* OrderedDict() or OrderedDict([(key, value), ...]) */
static alm_status call_dict(machine *m, const value *args) {
    value *dict = NULL;
    alm_status st = push_new(m, ALM_PICKLE_DICT, &dict);
    if (st != ALM_OK || args->n == 0) return st;
    const value *pairs = args->item[0];
    if (args->n != 1 || (pairs->kind != ALM_PICKLE_LIST && pairs->kind != ALM_PICKLE_TUPLE))
        return BROKEN("a dictionary from something else than pairs", m->name, m->op_at);
    for (uint32_t i = 0; i < pairs->n && st == ALM_OK; i++) {
        const value *pair = pairs->item[i];
        if ((pair->kind != ALM_PICKLE_LIST && pair->kind != ALM_PICKLE_TUPLE) || pair->n != 2)
            return BROKEN("a dictionary from something else than pairs", m->name, m->op_at);
        st = add_items(m, dict, pair->item, 2);
    }
    return st;
}

static alm_status call(machine *m) {
    value *callee = NULL, *args = NULL, *v = NULL;
    alm_status st = pop(m, &args);
    if (st == ALM_OK) st = pop(m, &callee);
    if (st != ALM_OK) return st;
    if (callee->kind != ALM_PICKLE_GLOBAL) return refuse(m, "a call of something that is no name on the list");
    if (args->kind != ALM_PICKLE_TUPLE) return BROKEN("arguments that are no tuple", m->name, m->op_at);
    switch (callee->global->role) {
    case DICT: return call_dict(m, args);
    case ENCODE: return call_encode(m, args);
    case SEQUENCE:
        if (args->n == 0) return push_new(m, ALM_PICKLE_TUPLE, NULL);
        if (args->n != 1 || (args->item[0]->kind != ALM_PICKLE_LIST && args->item[0]->kind != ALM_PICKLE_TUPLE))
            return BROKEN("a sequence from something else than one", m->name, m->op_at);
        return push(m, args->item[0]);
    case OBJECT:
        if ((st = push_new(m, ALM_PICKLE_CALL, &v)) != ALM_OK) return st;
        v->global = callee->global;
        v->item = args->item; /* a tuple does not change any more */
        v->n = v->cap = args->n;
        return ALM_OK;
    default:
        return SAY(ALM_REFUSED, "unsafe_code", "%s.%s may be named, not called", m->name, m->op_at,
                   callee->global->module, callee->global->name);
    }
}

/* Python would set attributes, or call __setstate__. What dictionaries and notes carry there is of no use here. */
static alm_status build(machine *m) {
    value *state = NULL;
    alm_status st = pop(m, &state);
    if (st != ALM_OK) return st;
    if (m->n_stack <= ground(m)) return BROKEN("a state for nothing", m->name, m->op_at);
    const value *to = m->stack[m->n_stack - 1];
    if (to->kind != ALM_PICKLE_DICT && to->kind != ALM_PICKLE_CALL)
        return refuse(m, "a state is set on something that has none");
    return ALM_OK;
}

static alm_status persistent(machine *m, value *id) {
    value *v = NULL;
    alm_status st = push_new(m, ALM_PICKLE_PERSISTENT, &v);
    if (st == ALM_OK) st = add_items(m, v, &id, 1);
    if (st != ALM_OK) return st;
    alm_pickle *p = m->p;
    if (!alm_grow((void **)&p->persistent, &p->persistent_cap, p->n_persistent + 1, sizeof *p->persistent))
        return alm_fail_memory(m->err);
    p->persistent[p->n_persistent++] = v;
    return ALM_OK;
}

/* -- containers ------------------------------------------------------------------------------------------------------------------ */

static alm_status from_mark(machine *m, alm_pickle_kind kind) {
    value **item = NULL, *v = NULL;
    size_t n = 0;
    alm_status st = pop_mark(m, &item, &n);
    if (st == ALM_OK && kind == ALM_PICKLE_DICT && n % 2) st = BROKEN("a key without its value", m->name, m->op_at);
    if (st == ALM_OK) st = make(m, &v, kind);
    if (st == ALM_OK) st = add_items(m, v, item, n);
    return st == ALM_OK ? push(m, v) : st;
}

static alm_status tuple_of(machine *m, size_t n) {
    value *item[3] = {NULL}, *v = NULL;
    alm_status st = ALM_OK;
    for (size_t i = n; i-- > 0 && st == ALM_OK;) st = pop(m, &item[i]);
    if (st == ALM_OK) st = make(m, &v, ALM_PICKLE_TUPLE);
    if (st == ALM_OK) st = add_items(m, v, item, n);
    return st == ALM_OK ? push(m, v) : st;
}

/* Into the container below: all above the mark, or the topmost `n`. */
static alm_status add_to(machine *m, alm_pickle_kind kind, size_t n, bool marked) {
    value **item = NULL, *single[2] = {NULL};
    alm_status st = ALM_OK;
    if (marked) {
        st = pop_mark(m, &item, &n);
    } else {
        for (size_t i = n; i-- > 0 && st == ALM_OK;) st = pop(m, &single[i]);
        item = single;
    }
    if (st != ALM_OK) return st;
    if (m->n_stack <= ground(m) || m->stack[m->n_stack - 1]->kind != kind)
        return BROKEN("items for something that does not take them", m->name, m->op_at);
    if (kind == ALM_PICKLE_DICT && n % 2) return BROKEN("a key without its value", m->name, m->op_at);
    return add_items(m, m->stack[m->n_stack - 1], item, n);
}

/* -- opcodes ------------------------------------------------------------------------------------------------------------------------ */

static alm_status drop(machine *m) {
    if (m->n_mark && m->n_stack == ground(m)) return m->n_mark--, ALM_OK; /* Python takes the mark, too */
    value *v = NULL;
    return pop(m, &v);
}

static alm_status duplicate(machine *m) {
    if (m->n_stack <= ground(m)) return BROKEN("nothing to duplicate", m->name, m->op_at);
    return push(m, m->stack[m->n_stack - 1]);
}

static alm_status protocol(machine *m) {
    uint64_t n = 0;
    alm_status st = number(m, 1, &n);
    if (st == ALM_OK && n > HIGHEST_PROTOCOL)
        st = SAY(ALM_UNSUPPORTED, "bad_version", "protocol %llu; 0 to %d are read", m->name, m->op_at,
                 (unsigned long long)n, HIGHEST_PROTOCOL);
    return st;
}

/* A frame only tells how far to read ahead. */
static alm_status frame(machine *m) {
    uint64_t n = 0;
    alm_status st = number(m, 8, &n);
    if (st == ALM_OK && n > m->in.n - m->at)
        st = SAY(ALM_MALFORMED, "truncated", "a frame of %llu bytes, %zu are left", m->name, m->op_at,
                 (unsigned long long)n, m->in.n - m->at);
    return st;
}

static alm_status push_fixed(machine *m, size_t width) {
    uint64_t n = 0;
    alm_status st = number(m, width, &n);
    return st == ALM_OK ? push_int(m, ALM_PICKLE_INT, width == 4 ? (int64_t)(int32_t)n : (int64_t)n) : st;
}

static alm_status memo_fixed(machine *m, size_t width, bool is_get) {
    uint64_t slot = 0;
    alm_status st = number(m, width, &slot);
    if (st != ALM_OK) return st;
    return is_get ? get(m, (size_t)slot) : put(m, (size_t)slot);
}

static alm_status persistent_stack(machine *m) {
    value *id = NULL;
    alm_status st = pop(m, &id);
    return st == ALM_OK ? persistent(m, id) : st;
}

static alm_status persistent_line(machine *m) {
    alm_str s = {0};
    value *id = NULL;
    alm_status st = line(m, &s);
    if (st == ALM_OK) st = make(m, &id, ALM_PICKLE_STRING);
    if (st != ALM_OK || !id) return st;
    id->s = s;
    return persistent(m, id);
}

/* One opcode, other than STOP. */
static alm_status step(machine *m, unsigned char op) {
    value **item = NULL;
    size_t n = 0;
    switch (op) {
    case 0x80: return protocol(m);
    case 0x95: return frame(m);
    case '(': return set_mark(m);
    case '0': return drop(m);
    case '1': return pop_mark(m, &item, &n);
    case '2': return duplicate(m);
    case 'N': return push_new(m, ALM_PICKLE_NONE, NULL);
    case 0x88: return push_int(m, ALM_PICKLE_BOOL, 1);
    case 0x89: return push_int(m, ALM_PICKLE_BOOL, 0);
    case 'I':
    case 'L': return push_line_int(m);
    case 'J': return push_fixed(m, 4);
    case 'K': return push_fixed(m, 1);
    case 'M': return push_fixed(m, 2);
    case 0x8A: return push_long_counted(m, 1);
    case 0x8B: return push_long_counted(m, 4);
    case 'F': return push_line_float(m);
    case 'G': return push_double(m);
    case 'S': return push_line_str(m, true);
    case 'V': return push_line_str(m, false);
    case 'U': return push_counted(m, 1, ALM_PICKLE_STRING);
    case 'T': return push_counted(m, 4, ALM_PICKLE_STRING);
    case 0x8C: return push_counted(m, 1, ALM_PICKLE_STRING);
    case 'X': return push_counted(m, 4, ALM_PICKLE_STRING);
    case 0x8D: return push_counted(m, 8, ALM_PICKLE_STRING);
    case 'C': return push_counted(m, 1, ALM_PICKLE_BYTES);
    case 'B': return push_counted(m, 4, ALM_PICKLE_BYTES);
    case 0x8E:
    case 0x96: return push_counted(m, 8, ALM_PICKLE_BYTES);
    case ')': return push_new(m, ALM_PICKLE_TUPLE, NULL);
    case ']': return push_new(m, ALM_PICKLE_LIST, NULL);
    case '}': return push_new(m, ALM_PICKLE_DICT, NULL);
    case 0x8F: return push_new(m, ALM_PICKLE_SET, NULL);
    case 't': return from_mark(m, ALM_PICKLE_TUPLE);
    case 'l': return from_mark(m, ALM_PICKLE_LIST);
    case 'd': return from_mark(m, ALM_PICKLE_DICT);
    case 0x91: return from_mark(m, ALM_PICKLE_SET);
    case 0x85: return tuple_of(m, 1);
    case 0x86: return tuple_of(m, 2);
    case 0x87: return tuple_of(m, 3);
    case 'a': return add_to(m, ALM_PICKLE_LIST, 1, false);
    case 'e': return add_to(m, ALM_PICKLE_LIST, 0, true);
    case 's': return add_to(m, ALM_PICKLE_DICT, 2, false);
    case 'u': return add_to(m, ALM_PICKLE_DICT, 0, true);
    case 0x90: return add_to(m, ALM_PICKLE_SET, 0, true);
    case 'p': return memo_line(m, false);
    case 'q': return memo_fixed(m, 1, false);
    case 'r': return memo_fixed(m, 4, false);
    case 0x94: return put(m, m->n_memo);
    case 'g': return memo_line(m, true);
    case 'h': return memo_fixed(m, 1, true);
    case 'j': return memo_fixed(m, 4, true);
    case 'c': return global_lines(m);
    case 0x93: return global_stack(m);
    case 'R':
    case 0x81: return call(m); /* cls.__new__(cls, *args) makes the same of what is on the list */
    case 'b': return build(m);
    case 'Q': return persistent_stack(m);
    case 'P': return persistent_line(m);
    case 'i':
    case 'o': return refuse(m, "an instance of a class is made (INST, OBJ)");
    case 0x92: return refuse(m, "a class is called with named arguments (NEWOBJ_EX)");
    case 0x82:
    case 0x83:
    case 0x84: return refuse(m, "a name from the extension registry (EXT)");
    case 0x97:
    case 0x98: return SAY(ALM_UNSUPPORTED, "unsupported", "buffers beside the pickle", m->name, m->op_at);
    default: return BROKEN("0x%02x is no opcode", m->name, m->op_at, op);
    }
}

/* -- the measure of the graph --------------------------------------------------------------------------------------------------------- */

static bool holds_items(const value *v) { return v->kind >= ALM_PICKLE_TUPLE && v->kind != ALM_PICKLE_GLOBAL; }

static alm_status too_deep(machine *m) {
    return alm_fail(m->err, ALM_MALFORMED, "%s: too_deep: more than %d containers inside each other", m->name,
                    ALM_PICKLE_MAX_HEIGHT);
}

static alm_status measure(machine *m, value *v, uint32_t depth) {
    if (v->state == DONE) return ALM_OK;
    if (v->state == BUSY) return alm_fail(m->err, ALM_MALFORMED, "%s: bad_pickle: a value lies inside itself", m->name);
    v->state = BUSY;
    uint64_t weight = 1;
    uint32_t height = 0;
    for (uint32_t i = 0; holds_items(v) && i < v->n; i++) {
        alm_status st = depth + 1 < ALM_PICKLE_MAX_HEIGHT ? measure(m, v->item[i], depth + 1) : too_deep(m);
        if (st != ALM_OK) return st;
        weight += v->item[i]->weight;
        if (v->item[i]->height + 1U > height) height = v->item[i]->height + 1U;
        if (height >= ALM_PICKLE_MAX_HEIGHT) return too_deep(m);
        if (weight > ALM_PICKLE_MAX_WEIGHT)
            return alm_fail(m->err, ALM_LIMIT, "%s: too_large: what is shared in it unfolds to more than %d values",
                            m->name, ALM_PICKLE_MAX_WEIGHT);
    }
    v->weight = (uint32_t)weight;
    v->height = (uint16_t)height;
    v->state = DONE;
    return ALM_OK;
}

/* -- from bytes to values -------------------------------------------------------------------------------------------------------------- */

static alm_status run(machine *m) {
    for (;;) {
        if (m->at == m->in.n) return alm_fail(m->err, ALM_MALFORMED, "%s: truncated: the pickle has no end", m->name);
        m->op_at = m->at;
        unsigned char op = (unsigned char)m->in.at[m->at++];
        if (op == '.') break;
        alm_status st = step(m, op);
        if (st != ALM_OK) return st;
    }
    value *root = NULL;
    alm_status st = pop(m, &root);
    if (st == ALM_OK) st = measure(m, root, 0);
    for (size_t i = 0; i < m->p->n_persistent && st == ALM_OK; i++) st = measure(m, m->p->persistent[i], 0);
    if (st == ALM_OK && (m->n_stack || m->n_mark))
        st = BROKEN("%zu values more at the end than one", m->name, m->op_at, m->n_stack);
    m->p->root = root;
    return st;
}

alm_status alm_pickle_parse(alm_pickle **out, const char *name, alm_str in, size_t *used, alm_error *err) {
    alm_pickle *p = alm_calloc(1, sizeof *p);
    machine *m = alm_calloc(1, sizeof *m);
    alm_status st = p && m ? alm_arena_new(&p->arena, 1 << 16, MAX_ARENA, err) : alm_fail_memory(err);
    if (st == ALM_OK) {
        *m = (machine){.p = p, .name = name, .in = in, .err = err};
        st = run(m);
    }
    if (st == ALM_OK && used) *used = m->at;
    if (st == ALM_OK && !used && m->at < in.n)
        st = alm_fail(err, ALM_REFUSED,
                      "%s: unsafe_code: %zu bytes lie behind the pickle's end, where a second one could hide", name,
                      in.n - m->at);
    if (st == ALM_OK) *out = p, p = NULL;
    if (m) alm_free(m->stack), alm_free(m->memo);
    alm_free(m);
    alm_pickle_free(p);
    return st;
}

void alm_pickle_free(alm_pickle *p) {
    if (!p) return;
    alm_arena_free(p->arena);
    alm_free(p->persistent);
    alm_free(p);
}

const alm_pickle_value *alm_pickle_root(const alm_pickle *p) { return p->root; }
size_t alm_pickle_persistent_count(const alm_pickle *p) { return p->n_persistent; }
const alm_pickle_value *alm_pickle_persistent_at(const alm_pickle *p, size_t i) { return p->persistent[i]; }

const alm_pickle_value *alm_pickle_get(const alm_pickle_value *dict, const char *key) {
    if (dict->kind != ALM_PICKLE_DICT) return NULL;
    for (uint32_t i = dict->n; i >= 2; i -= 2)
        if (dict->item[i - 2]->kind == ALM_PICKLE_STRING && alm_str_eq(dict->item[i - 2]->s, alm_str_of(key)))
            return dict->item[i - 1];
    return NULL;
}
