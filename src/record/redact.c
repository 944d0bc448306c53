/* SPDX-License-Identifier: Apache-2.0
 *
 * redact.c - personal data out of a text: rules, finds, pseudonyms.
 *
 *     text ──→ scanners, names, own regexes ──→ finds, sorted by place ──→ text with <class:hash> in their place
 *
 * The scanners see each byte once and are asked only where one of their finds can begin. Two finds that overlap are both
 * replaced: the second by what is left of it. A pseudonym in the text stays as it is, so redacting twice is redacting once.
 *
 * Invariant: nothing in a redactor changes after alm_redact_new; alm_redact_apply keeps its finds on the stack or heap. */
#include "record/redact_scan.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/path.h"
#include "proof/digest.h"
#include "record/regex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    KEY_BYTES = 32,
    LEAST_KEY_BYTES = 16,
    MAX_RULE_FILE = 8 << 20,
    MAX_CLASS_NAME = 32,
    FEW_FINDS = 16,
    HASH_BYTES = 6
};
enum { OWN = -1, NAME = -2, THERE_ALREADY = -3 };

typedef struct own_rule {
    alm_str name;
    alm_regex *regex;
} own_rule;

struct alm_redact {
    bool on[ALM_REDACT_CLASS_COUNT];
    own_rule *rule;
    size_t n_rule, rule_cap;
    alm_str *name; /* lower case; by hash of the first word, open addressing, 2^k places */
    size_t n_name, n_place;
    alm_str *list; /* as read, before the table is made */
    size_t list_cap;
    alm_arena *text;
    unsigned char *key;
    size_t key_bytes;
};

typedef struct find {
    size_t at, end;
    int class;   /* of ALM_REDACT_AT_…, or OWN, NAME, THERE_ALREADY */
    size_t rule; /* OWN */
} find;

static const char *const class_names[ALM_REDACT_CLASS_COUNT] = {
#define ALM_REDACT_NAME(name) #name,
    ALM_REDACT_CLASSES(ALM_REDACT_NAME)
#undef ALM_REDACT_NAME
};

/* -- names -------------------------------------------------------------------------------------------------------------------- */

/* ASCII and the letters of Latin-1 in UTF-8 (À to Þ are C3 80 to C3 9E, their small ones 20 higher). */
static void lower_in_place(char *at, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)at[i];
        if (c >= 'A' && c <= 'Z') at[i] = (char)(c | 32);
        else if (c == 0xC3 && i + 1 < n) {
            unsigned char d = (unsigned char)at[i + 1];
            if (d >= 0x80 && d <= 0x9E && d != 0x97) at[i + 1] = (char)(d + 0x20);
            i++;
        }
    }
}

static size_t word_length(alm_str s, size_t at) {
    size_t n = 0;
    while (at + n < s.n && alm_scan_is_word(s.at[at + n])) n++;
    return n;
}

static alm_status make_name_table(alm_redact *r, alm_error *err) {
    if (!r->n_name) return ALM_OK;
    size_t n = 16;
    while (n < r->n_name * 2) n *= 2;
    r->name = alm_calloc(n, sizeof *r->name);
    if (!r->name) return alm_fail_memory(err);
    r->n_place = n;
    for (size_t i = 0; i < r->n_name; i++) {
        alm_str first = {r->list[i].at, word_length(r->list[i], 0)};
        size_t place = (size_t)alm_hash_str(first) & (n - 1);
        while (r->name[place].at) place = (place + 1) & (n - 1);
        r->name[place] = r->list[i];
    }
    return ALM_OK;
}

/* The longest name that begins at `at` (the start of a word), or 0. */
static size_t match_name(const alm_redact *r, alm_str s, size_t at) {
    char word[128];
    size_t n = word_length(s, at), best = 0;
    if (n == 0 || n > sizeof word) return 0;
    memcpy(word, s.at + at, n);
    lower_in_place(word, n);
    for (size_t place = (size_t)alm_hash_str((alm_str){word, n}) & (r->n_place - 1); r->name[place].at;
         place = (place + 1) & (r->n_place - 1)) {
        alm_str name = r->name[place];
        char text[512];
        if (name.n <= best || name.n > s.n - at || name.n > sizeof text) continue;
        memcpy(text, s.at + at, name.n);
        lower_in_place(text, name.n);
        if (memcmp(text, name.at, name.n) != 0) continue;
        if (at + name.n < s.n && alm_scan_is_word(s.at[at + name.n])) continue;
        best = name.n;
    }
    return best;
}

static alm_status add_name(alm_redact *r, alm_str name, alm_error *err) {
    if (!alm_scan_is_word(name.at[0]) || name.n > 512) return ALM_OK; /* nothing that a word could begin */
    if (!alm_grow((void **)&r->list, &r->list_cap, r->n_name + 1, sizeof *r->list)) return alm_fail_memory(err);
    alm_str copy = alm_arena_copy(r->text, name);
    if (!copy.at) return alm_fail_memory(err);
    lower_in_place((char *)copy.at, copy.n); /* the arena's memory: ours */
    r->list[r->n_name++] = copy;
    return ALM_OK;
}

/* -- rules -------------------------------------------------------------------------------------------------------------------- */

static int class_of(alm_str word) {
    for (int i = 0; i < ALM_REDACT_CLASS_COUNT; i++)
        if (alm_str_eq(word, alm_str_of(class_names[i]))) return i;
    return -1;
}

static alm_status read_file(alm_buf *out, const char *path, alm_error *err) {
    *out = alm_buf_with_limit(MAX_RULE_FILE);
    alm_status st = alm_file_read(out, path, err);
    if (st != ALM_OK) alm_buf_free(out);
    return st;
}

static alm_status read_names(alm_redact *r, const char *path, alm_error *err) {
    alm_buf file;
    alm_status st = read_file(&file, path, err);
    if (st != ALM_OK) return st;
    alm_str rest = alm_buf_str(&file), line;
    while (st == ALM_OK && alm_str_split(&rest, '\n', &line)) {
        line = alm_str_trim(line);
        if (line.n && line.at[0] != '#') st = add_name(r, line, err);
    }
    alm_buf_free(&file);
    return st;
}

static bool is_class_name(alm_str name) {
    if (name.n == 0 || name.n > MAX_CLASS_NAME) return false;
    for (size_t i = 0; i < name.n; i++)
        if (!alm_scan_is_word(name.at[i]) && name.at[i] != '_' && name.at[i] != '-') return false;
    return alm_utf8_valid(name);
}

static alm_status add_rule(alm_redact *r, alm_str name, alm_str pattern, const char *where, alm_error *err) {
    if (!is_class_name(name)) {
        alm_fail(err, ALM_INVALID, "%s: no name for a class of personal data: %.*s", where, ALM_ARG(name));
        return alm_hint(err, "up to %d letters, digits, _ and -, then a tab, then the regex", MAX_CLASS_NAME),
               ALM_INVALID;
    }
    if (!alm_grow((void **)&r->rule, &r->rule_cap, r->n_rule + 1, sizeof *r->rule)) return alm_fail_memory(err);
    alm_str own_name = alm_arena_copy(r->text, name), own_pattern = alm_arena_copy(r->text, pattern);
    if (!own_name.at || !own_pattern.at) return alm_fail_memory(err);
    own_rule rule = {own_name, NULL};
    alm_status st = alm_regex_new(&rule.regex, own_pattern.at, where, err);
    if (st == ALM_OK) r->rule[r->n_rule++] = rule;
    return st;
}

static alm_status names_beside(alm_redact *r, const char *rules_path, alm_str name, alm_error *err) {
    alm_buf path = alm_buf_with_limit(1 << 16);
    if (name.n && name.at[0] != '/') {
        alm_buf_add_str(&path, alm_path_dir(rules_path));
        alm_buf_add_byte(&path, '/');
    }
    alm_buf_add_str(&path, name);
    const char *at = alm_buf_text(&path);
    alm_status st = at ? read_names(r, at, err) : alm_buf_status(&path, err);
    if (!at && st == ALM_OK) st = alm_fail_memory(err);
    alm_buf_free(&path);
    return st;
}

static alm_status read_rules(alm_redact *r, const char *path, bool *chose, alm_error *err) {
    alm_buf file;
    alm_status st = read_file(&file, path, err);
    if (st != ALM_OK) return st;
    alm_str rest = alm_buf_str(&file), line, name;
    for (unsigned n = 1; st == ALM_OK && alm_str_split(&rest, '\n', &line); n++) {
        char where[300];
        snprintf(where, sizeof where, "%.250s:%u", path, n);
        if (line.n && line.at[line.n - 1] == '\r') line.n--;
        alm_str trimmed = alm_str_trim(line);
        if (trimmed.n == 0 || trimmed.at[0] == '#') continue;
        size_t tab = alm_str_find_byte(line, '\t');
        if (tab == SIZE_MAX) {
            int class = class_of(trimmed);
            if (class >= 0) r->on[class] = *chose = true;
            else st = add_name(r, trimmed, err);
            continue;
        }
        name = alm_str_trim((alm_str){line.at, tab});
        alm_str value = alm_str_slice(line, tab + 1, line.n);
        if (alm_str_eq(name, ALM_STR("names"))) st = names_beside(r, path, alm_str_trim(value), err);
        else st = add_rule(r, name, value, where, err);
    }
    alm_buf_free(&file);
    return st;
}

static alm_status read_list(alm_redact *r, const char *rules, alm_error *err) {
    alm_str rest = alm_str_of(rules ? rules : ""), word;
    bool chose = false;
    alm_status st = ALM_OK;
    if (rest.n == 0 || alm_str_eq(rest, ALM_STR("all"))) rest = (alm_str){0};
    while (st == ALM_OK && rest.at && alm_str_split(&rest, ',', &word)) {
        word = alm_str_trim(word);
        if (word.n == 0) continue;
        int class = class_of(word);
        if (class >= 0) {
            r->on[class] = chose = true;
        } else if (alm_str_eq(word, ALM_STR("all"))) {
            for (int i = 0; i < ALM_REDACT_CLASS_COUNT; i++) r->on[i] = true;
            chose = true;
        } else {
            alm_str path = alm_arena_copy(r->text, word);
            if (!path.at) return alm_fail_memory(err);
            st = read_rules(r, path.at, &chose, err);
            if (st == ALM_NOT_FOUND)
                alm_hint(err, "--redact takes email, ip, iban, phone, all, or a file of rules, separated by commas");
        }
    }
    if (!chose)
        for (int i = 0; i < ALM_REDACT_CLASS_COUNT; i++) r->on[i] = true;
    return st;
}

/* -- the key ------------------------------------------------------------------------------------------------------------------ */

/* 32 random bytes, put in place whole: written aside and linked, so two programs that start at once agree on one key. */
static alm_status make_key(const char *path, alm_error *err) {
    unsigned char bytes[KEY_BYTES];
    char aside[4200];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return alm_fail_errno(err, errno, "%s: no random bytes", path);
    snprintf(aside, sizeof aside, "%.4096s.%ld", path, (long)getpid());
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return alm_fail_errno(err, errno, "%s: cannot make the key of the pseudonyms", aside);
    bool ok = write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes && fsync(fd) == 0;
    int error_number = ok ? 0 : errno ? errno : EIO;
    if (close(fd) != 0 && ok) ok = false, error_number = errno;
    if (ok && link(aside, path) != 0 && errno != EEXIST) ok = false, error_number = errno;
    unlink(aside);
    return ok ? ALM_OK : alm_fail_errno(err, error_number, "%s: cannot make the key of the pseudonyms", path);
}

static alm_status load_key(alm_redact *r, alm_error *err) {
    alm_buf dir = alm_buf_with_limit(4000), path = alm_buf_with_limit(4096), key = alm_buf_with_limit(4096);
    alm_status st = alm_path_xdg(&dir, ALM_XDG_STATE, err);
    if (st != ALM_OK) goto done;
    const char *folder = alm_buf_text(&dir);
    if (!folder) {
        st = alm_fail_memory(err);
        goto done;
    }
    if ((st = alm_dir_make(folder, err)) != ALM_OK || (st = alm_path_join(&path, folder, "redact.key", err)) != ALM_OK)
        goto done;
    const char *file = alm_buf_text(&path);
    if (!file) {
        st = alm_fail_memory(err);
        goto done;
    }
    if (!alm_file_exists(file) && (st = make_key(file, err)) != ALM_OK) goto done;
    if ((st = alm_file_read(&key, file, err)) != ALM_OK) goto done;
    if (key.n < LEAST_KEY_BYTES) {
        st = alm_fail(err, ALM_MALFORMED, "%s: %zu bytes are no key, at least %d are wanted", file, key.n,
                      LEAST_KEY_BYTES);
        alm_hint(err, "remove it, and a new one is made; pseudonyms change with it");
        goto done;
    }
    r->key = alm_alloc(key.n);
    if (!r->key) {
        st = alm_fail_memory(err);
        goto done;
    }
    memcpy(r->key, key.at, key.n);
    r->key_bytes = key.n;
done:
    if (key.at) explicit_bzero(key.at, key.cap);
    alm_buf_free(&dir);
    alm_buf_free(&path);
    alm_buf_free(&key);
    return st;
}

static alm_status take_key(alm_redact *r, const void *key, size_t n, alm_error *err) {
    if (!key) return load_key(r, err);
    if (n < LEAST_KEY_BYTES)
        return alm_fail(err, ALM_INVALID, "a key of %zu bytes: at least %d are wanted", n, LEAST_KEY_BYTES);
    r->key = alm_alloc(n);
    if (!r->key) return alm_fail_memory(err);
    memcpy(r->key, key, n);
    r->key_bytes = n;
    return ALM_OK;
}

alm_status alm_redact_new(alm_redact **out, const char *rules, const void *key, size_t key_bytes, alm_error *err) {
    alm_redact *r = alm_calloc(1, sizeof *r);
    alm_status st;
    if (!r) return alm_fail_memory(err);
    if ((st = alm_arena_new(&r->text, (size_t)16 << 10, 0, err)) != ALM_OK) goto done;
    if ((st = read_list(r, rules, err)) != ALM_OK) goto done;
    if ((st = make_name_table(r, err)) != ALM_OK) goto done;
    if ((st = take_key(r, key, key_bytes, err)) != ALM_OK) goto done;
    *out = r, r = NULL;
done:
    alm_redact_free(r);
    return st;
}

void alm_redact_free(alm_redact *r) {
    if (!r) return;
    for (size_t i = 0; i < r->n_rule; i++) alm_regex_free(r->rule[i].regex);
    alm_free(r->rule);
    alm_free(r->name);
    alm_free(r->list);
    alm_arena_free(r->text);
    if (r->key) explicit_bzero(r->key, r->key_bytes);
    alm_free(r->key);
    alm_free(r);
}

/* -- finding ------------------------------------------------------------------------------------------------------------------ */

typedef struct finds {
    find few[FEW_FINDS], *at;
    size_t n, cap;
} finds;

static bool add_find(finds *f, find x) {
    if (f->n == f->cap) {
        find *more = alm_alloc(f->cap * 2 * sizeof *more);
        if (!more) return false;
        memcpy(more, f->at, f->n * sizeof *more);
        if (f->at != f->few) alm_free(f->at);
        f->at = more;
        f->cap *= 2;
    }
    f->at[f->n++] = x;
    return true;
}

/* What can begin with a byte. */
enum { DIGIT = 1, LETTER = 2, PLUS = 4, AT = 8, COLON = 16, PERCENT = 32, BRACKET = 64, LESS = 128 };

static unsigned kind_of(char c) {
    if ((unsigned char)(c - '0') < 10) return DIGIT;
    if ((unsigned char)((c | 32) - 'a') < 26 || (unsigned char)c >= 0x80) return LETTER;
    switch (c) {
    case '+': return PLUS;
    case '@': return AT;
    case ':': return COLON;
    case '%': return PERCENT;
    case '(': return BRACKET;
    case '<': return LESS;
    default: return 0;
    }
}

/* A find at `i`, or 0; *from may lie before i (e-mail). */
static size_t scan_at(const alm_redact *r, alm_str s, size_t i, unsigned kind, bool word_start, int *class,
                      size_t *from) {
    size_t n;
    *from = i;
    if (kind & LESS) return *class = THERE_ALREADY, alm_scan_pseudonym(s, i);
    if (r->on[ALM_REDACT_AT_email] &&
        ((kind & AT) || ((kind & PERCENT) && i + 2 < s.n && s.at[i + 1] == '4' && s.at[i + 2] == '0')))
        return *class = ALM_REDACT_AT_email, alm_scan_email(s, i, from);
    if ((kind & (DIGIT | LETTER)) && !word_start) return 0;
    if (r->on[ALM_REDACT_AT_iban] && (kind & LETTER) && (n = alm_scan_iban(s, i)))
        return *class = ALM_REDACT_AT_iban, n;
    if (r->on[ALM_REDACT_AT_ip]) {
        *class = ALM_REDACT_AT_ip;
        if ((kind & DIGIT) && (n = alm_scan_ipv4(s, i))) return n;
        if ((kind & (DIGIT | LETTER | COLON)) && (n = alm_scan_ipv6(s, i, NULL))) return n;
    }
    if (r->on[ALM_REDACT_AT_phone] && (kind & (PLUS | BRACKET | DIGIT)) && (n = alm_scan_phone(s, i)))
        return *class = ALM_REDACT_AT_phone, n;
    if (r->n_place && (kind & LETTER) && (n = match_name(r, s, i))) return *class = NAME, n;
    return 0;
}

static bool find_built_in(const alm_redact *r, finds *f, alm_str s) {
    bool before = false; /* the byte before belongs to a word */
    for (size_t i = 0; i < s.n;) {
        unsigned kind = kind_of(s.at[i]);
        bool word = (kind & (DIGIT | LETTER)) != 0;
        int class = 0;
        size_t from, n = 0;
        if (kind && !(word && before)) n = scan_at(r, s, i, kind, !before, &class, &from);
        if (n) {
            if (!add_find(f, (find){from, from + n, class, 0})) return false;
            i = from + n;
            before = alm_scan_is_word(s.at[i - 1]);
        } else before = word, i++;
    }
    return true;
}

static alm_status find_own(const alm_redact *r, finds *f, alm_str s, alm_error *err) {
    for (size_t k = 0; k < r->n_rule; k++) {
        alm_regex_match *m = alm_regex_match_new(r->rule[k].regex);
        if (!m) return alm_fail_memory(err);
        alm_regex_result found = ALM_REGEX_NO;
        for (size_t from = 0, at, end, next; from <= s.n; from = next > from ? next : from + 1) {
            found = alm_regex_find(r->rule[k].regex, m, s, from, &at, &end, &next);
            if (found != ALM_REGEX_YES) break;
            if (end > at && !add_find(f, (find){at, end, OWN, k})) {
                found = ALM_REGEX_NO_MEMORY;
                break;
            }
        }
        alm_regex_match_free(m);
        if (found == ALM_REGEX_NO_MEMORY) return alm_fail_memory(err);
        /* a rule that gives up on a text cannot promise that nothing is left in it: the whole text goes */
        if (found == ALM_REGEX_HARD && !add_find(f, (find){0, s.n, OWN, k})) return alm_fail_memory(err);
    }
    return ALM_OK;
}

static bool comes_before(const find *a, const find *b) {
    if (a->at != b->at) return a->at < b->at;
    if ((a->class == THERE_ALREADY) != (b->class == THERE_ALREADY)) return a->class == THERE_ALREADY;
    return a->end > b->end;
}

/* Finds of the scanners are in order; only own rules add more, and few: insertion is enough up to a thousand, then a heap. */
static void sort_finds(finds *f) {
    if (f->n > 1000) {
        for (size_t i = f->n / 2, end = f->n; end > 1;) {
            if (i > 0) i--;
            else {
                find swap = f->at[0];
                f->at[0] = f->at[--end], f->at[end] = swap;
            }
            for (size_t k = i, c; (c = 2 * k + 1) < end; k = c) {
                if (c + 1 < end && comes_before(&f->at[c], &f->at[c + 1])) c++;
                if (!comes_before(&f->at[k], &f->at[c])) break;
                find swap = f->at[k];
                f->at[k] = f->at[c], f->at[c] = swap;
            }
        }
        return;
    }
    for (size_t i = 1; i < f->n; i++) {
        find x = f->at[i];
        size_t k = i;
        for (; k > 0 && comes_before(&x, &f->at[k - 1]); k--) f->at[k] = f->at[k - 1];
        f->at[k] = x;
    }
}

/* -- replacing ------------------------------------------------------------------------------------------------------------------ */

static alm_str class_name(const alm_redact *r, const find *x) {
    if (x->class == OWN) return r->rule[x->rule].name;
    return x->class == NAME ? ALM_STR("name") : alm_str_of(class_names[x->class]);
}

static alm_status add_pseudonym(const alm_redact *r, alm_buf *out, alm_str s, const find *x, alm_error *err) {
    alm_str name = class_name(r, x), found = {s.at + x->at, x->end - x->at};
    alm_buf message = alm_buf_with_limit(found.n + name.n + 32);
    alm_digest digest;
    alm_status st = ALM_OK;
    if (!alm_buf_reserve(&message, found.n + name.n + 24)) return alm_fail_memory(err);
    alm_buf_add_str(&message, name);
    alm_buf_add_byte(&message, 0);
    if (x->class >= 0) {
        message.n += alm_scan_normal(message.at + message.n, x->class, found);
    } else {
        size_t at = message.n;
        alm_buf_add_str(&message, found);
        if (x->class == NAME) lower_in_place(message.at + at, message.n - at);
    }
    st = alm_digest_hmac(&digest, r->key, r->key_bytes, message.at, message.n, err);
    alm_buf_free(&message);
    if (st != ALM_OK) return st;
    alm_buf_add_byte(out, '<');
    alm_buf_add_str(out, name);
    alm_buf_add_byte(out, ':');
    for (int i = 0; i < HASH_BYTES; i++) {
        alm_buf_add_byte(out, "0123456789abcdef"[digest.at[i] >> 4]);
        alm_buf_add_byte(out, "0123456789abcdef"[digest.at[i] & 15]);
    }
    alm_buf_add_byte(out, '>');
    return ALM_OK;
}

/* One pass; own rules only in the first. *n counts what was replaced; out is empty when that is 0. */
static alm_status replace(const alm_redact *r, alm_buf *out, alm_str text, bool first, size_t *n, alm_error *err) {
    finds f;
    f.at = f.few, f.n = 0, f.cap = FEW_FINDS;
    size_t done = 0;
    alm_status st = find_built_in(r, &f, text) ? ALM_OK : alm_fail_memory(err);
    *n = 0;
    alm_buf_clear(out);
    if (st == ALM_OK && r->n_rule && first) st = find_own(r, &f, text, err);
    if (st != ALM_OK || f.n == 0) goto done;
    sort_finds(&f);
    for (size_t i = 0; i < f.n && st == ALM_OK; i++) {
        const find *x = &f.at[i];
        if (x->end <= done) continue;
        size_t from = x->at > done ? x->at : done;
        alm_buf_add(out, text.at + done, from - done);
        if (x->class == THERE_ALREADY) alm_buf_add(out, text.at + from, x->end - from);
        else {
            st = add_pseudonym(r, out, text, x, err);
            ++*n;
        }
        done = x->end;
    }
    if (done < text.n) alm_buf_add(out, text.at + done, text.n - done);
    if (st == ALM_OK) st = alm_buf_status(out, err);
    if (st != ALM_OK || *n == 0) alm_buf_clear(out);
done:
    if (f.at != f.few) alm_free(f.at);
    return st;
}

/* What stood beside a find and was no word of its own may be one beside a pseudonym: look again until nothing is found. */
alm_status alm_redact_apply(const alm_redact *r, alm_buf *out, alm_str text, size_t *n_found, alm_error *err) {
    size_t n, total;
    if (n_found) *n_found = 0;
    alm_status st = replace(r, out, text, true, &n, err);
    if (st != ALM_OK || n == 0) return st;
    alm_buf more = alm_buf_with_limit(out->limit);
    for (total = n; st == ALM_OK && n; total += n) {
        st = replace(r, &more, alm_buf_str(out), false, &n, err);
        if (st != ALM_OK || n == 0) break;
        alm_buf swap = *out;
        *out = more, more = swap;
    }
    alm_buf_free(&more);
    if (st != ALM_OK) alm_buf_clear(out);
    else if (n_found) *n_found = total;
    return st;
}
