/* SPDX-License-Identifier: Apache-2.0
 *
 * test_read_ahead.c - what a second thread reads is what one thread reads: records, fields, messages, the end, and tokens. */
#include "alm_test.h"
#include "cli/read_ahead.h"
#include <fcntl.h>
#include <pthread.h>

/* Everything that comes out, as one text. */
typedef struct heard {
    alm_buf text;
    uint64_t n;
    unsigned n_idle;
} heard;

static void on_message(void *arg, alm_log_level level, const char *text) {
    heard *h = arg;
    alm_buf_printf(&h->text, "message %d %s\n", (int)level, text);
}

static void on_idle(void *arg) { ((heard *)arg)->n_idle++; }

static void add_str(alm_buf *b, const char *name, alm_str s) {
    alm_buf_printf(b, " %s=%s%zu:", name, s.at ? "" : "NULL ", s.n);
    alm_buf_add_str(b, s);
}

static void add_record(heard *h, const alm_record *r) {
    alm_buf *b = &h->text;
    alm_buf_printf(b, "%s#%u:%llu+%u time=%lld@%u+%u flags=%x format=%d", r->source, r->source_index,
                   (unsigned long long)r->line, r->n_lines, (long long)r->time_ns, r->time_at, r->time_bytes, r->flags,
                   (int)r->format);
    add_str(b, "raw", r->raw), add_str(b, "text", r->text);
    for (uint32_t i = 0; i < r->n_field; i++) {
        alm_buf_printf(b, " %d", (int)r->field[i].kind);
        add_str(b, "key", r->field[i].key), add_str(b, "value", r->field[i].value);
    }
    alm_buf_add_byte(b, '\n');
}

static bool same_token(const alm_token *a, const alm_token *b) {
    return a->hash == b->hash && a->sep_hash == b->sep_hash && a->at == b->at && a->n == b->n &&
           a->sep_at == b->sep_at && a->type == b->type && a->flags == b->flags;
}

static void check_tokens(const alm_kept_tokens *kept, alm_str text) {
    static alm_tokens want;
    alm_log_view got;
    alm_log_tokenise(&want, text, NULL, 0, false);
    alm_tokens_view(&got, kept);
    CHECK(got.key == want.key && got.types == want.types && got.n == want.n && got.tail_at == want.tail_at &&
          got.tail_end == want.tail_end);
    for (uint32_t i = 0; i < got.n; i++) CHECK(same_token(&got.at[i], &want.at[i]), "token %u", i);
}

static alm_status hear(heard *h, bool threaded, const char *const *names, size_t n, const alm_reader_options *o,
                       alm_error *err) {
    alm_log log = {.message = on_message, .arg = h, .level = ALM_LOG_INFO};
    alm_read_ahead_options how = {.threaded = threaded, .tokens = true, .log = &log};
    alm_read_ahead *a = NULL;
    alm_record r;
    const alm_kept_tokens *tokens;
    *h = (heard){.text = alm_buf_with_limit((size_t)1 << 28)};
    alm_status st = alm_read_ahead_open(&a, names, n, o, &how, err);
    if (st != ALM_OK) return st;
    while ((st = alm_read_ahead_next(a, &r, &tokens, err)) == ALM_OK) {
        h->n++;
        add_record(h, &r);
        CHECK(threaded == (tokens != NULL));
        if (tokens) check_tokens(tokens, r.text);
    }
    uint64_t n_unreadable, n_truncated, done, total;
    alm_read_ahead_broken(a, &n_unreadable, &n_truncated);
    alm_read_ahead_progress(a, &done, &total);
    alm_buf_printf(&h->text, "end %s unreadable=%llu truncated=%llu done=%llu of %llu\n", alm_status_name(st),
                   (unsigned long long)n_unreadable, (unsigned long long)n_truncated, (unsigned long long)done,
                   (unsigned long long)total);
    alm_read_ahead_close(a);
    return st;
}

/* Both ways; gives the number of records. */
static uint64_t compare(const char *const *names, size_t n, const alm_reader_options *o, alm_status want) {
    heard one, two;
    alm_error err_one = {0}, err_two = {0};
    CHECK_STATUS(hear(&one, false, names, n, o, &err_one), want, &err_one);
    CHECK_STATUS(hear(&two, true, names, n, o, &err_two), want, &err_two);
    CHECK(alm_str_eq(alm_buf_str(&one.text), alm_buf_str(&two.text)), "%s", names[0]);
    CHECK(strcmp(err_one.text, err_two.text) == 0 && strcmp(err_one.hint, err_two.hint) == 0);
    CHECK(one.n == two.n);
    alm_buf_free(&one.text), alm_buf_free(&two.text);
    return one.n;
}

static void add_lines(alm_buf *b, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        alm_buf_printf(b, "2026-11-24T18:25:%02u.%03uZ INFO shop[%u]: session=%u from 10.0.0.%u took %u ms%s\n",
                       i / 7 % 60, i % 1000, i % 13, i / 5, i % 250, i % 77, i % 50 == 3 ? "\n  at main (a.c:1)" : "");
        if (i % 97 == 0) alm_buf_add_text(b, "bad \xff\xfe bytes\r\n");
        if (i % 400 == 1) {
            for (unsigned k = 0; k < 6000; k++) alm_buf_add_text(b, "a long line "); /* larger than is copied */
            alm_buf_add_byte(b, '\n');
        }
    }
}

static void make(const char *path, void (*fill)(alm_buf *b, unsigned n), unsigned n) {
    alm_buf b = alm_buf_with_limit((size_t)1 << 28);
    fill(&b, n);
    CHECK(!b.failed);
    alm_test_write(path, b.at, b.n);
    alm_buf_free(&b);
}

static void two_threads_read_what_one_reads(void **state) {
    (void)state;
    const char *names[] = {alm_test_path("a.log"), alm_test_path("missing.log"), alm_test_path("b.log")};
    make(names[0], add_lines, 3000), make(names[2], add_lines, 40);
    alm_reader_options o = {.size = sizeof o, .now_ns = 1};
    CHECK(compare(names, 3, &o, ALM_END) > 3000);
    o.multiline = "off";
    CHECK(compare(names, 3, &o, ALM_END) > 3100);
    alm_redact *redact = NULL;
    alm_error err = {0};
    CHECK_OK(alm_redact_new(&redact, NULL, "a key of 24 bytes or so", 16, &err), &err);
    o.redact = redact;
    compare(names, 3, &o, ALM_END);
    alm_redact_free(redact);
}

static void add_json(alm_buf *b, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        alm_buf_printf(
            b, "{\"ts\":\"2026-11-24T18:25:00Z\",\"a\":{\"b\":%u,\"c\":\"x\\ty %u\"},\"list\":[1,\"\",null]}\n", i, i);
}
static void add_rows(alm_buf *b, unsigned n) {
    alm_buf_add_text(b, "time,name,n,empty\n");
    for (unsigned i = 0; i < n; i++) alm_buf_printf(b, "2026-11-24 18:25:00,\"a \"\"%u\"\", b\",%u,\n", i, i);
}
static void add_nothing(alm_buf *b, unsigned n) { (void)b, (void)n; }

static void fields_and_empty_inputs_come_through(void **state) {
    (void)state;
    alm_reader_options o = {.size = sizeof o, .now_ns = 1};
    const char *name = alm_test_path("a.jsonl");
    make(name, add_json, 2000);
    CHECK_INT(compare(&name, 1, &o, ALM_END), 2000);
    name = alm_test_path("a.csv");
    make(name, add_rows, 2000);
    CHECK_INT(compare(&name, 1, &o, ALM_END), 2000);
    name = alm_test_path("empty.log");
    make(name, add_nothing, 0);
    CHECK_INT(compare(&name, 1, &o, ALM_END), 0);
}

static void a_strict_error_comes_behind_the_records_before_it(void **state) {
    (void)state;
    const char *name = alm_test_path("strict.log");
    alm_buf b = alm_buf_with_limit(1 << 24);
    for (unsigned i = 0; i < 5000; i++) alm_buf_printf(&b, "line %u\n", i);
    alm_buf_add(&b, "bad \xff\n", 6);
    alm_buf_add_text(&b, "never seen\n");
    alm_test_write(name, b.at, b.n);
    alm_buf_free(&b);
    alm_reader_options o = {.size = sizeof o, .strict = true};
    CHECK_INT(compare(&name, 1, &o, ALM_MALFORMED), 5000);
}

/* -- a source that is still written to ---------------------------------------------------------------------------------- */

typedef struct live {
    const char *name;
    int writer; /* open for as long as the test wants */
} live;

static live start_live(const char *name) {
    live l = {.name = alm_test_path(name)};
    CHECK(mkfifo(l.name, 0600) == 0);
    l.writer = open(l.name, O_RDWR | O_CLOEXEC); /* Linux: does not wait for a reader, and does not end for one */
    CHECK(l.writer >= 0);
    return l;
}

static void say(const live *l, const char *text) {
    CHECK(write(l->writer, text, strlen(text)) == (ssize_t)strlen(text));
}

static alm_read_ahead *open_live(const live *l, bool threaded, heard *h, alm_log *log, const alm_cancel *cancel) {
    alm_read_ahead *a = NULL;
    alm_error err = {0};
    *log = (alm_log){.message = on_message, .arg = h, .level = ALM_LOG_ERROR};
    alm_reader_options o = {.size = sizeof o, .format = ALM_RECORD_LINES, .cancel = cancel};
    alm_read_ahead_options how = {.threaded = threaded, .tokens = true, .log = log, .idle = on_idle, .idle_arg = h};
    CHECK_OK(alm_read_ahead_open(&a, &l->name, 1, &o, &how, &err), &err);
    return a;
}

static void a_record_of_a_live_stream_does_not_wait_for_others(void **state) {
    (void)state;
    for (int threaded = 0; threaded < 2; threaded++) {
        live l = start_live(threaded ? "live2" : "live1");
        heard h = {0};
        alm_log log;
        alm_read_ahead *a = open_live(&l, threaded, &h, &log, NULL);
        alm_record r;
        const alm_kept_tokens *tokens;
        alm_error err = {0};
        for (int i = 0; i < 3; i++) { /* the writer stays, and says nothing more: a wait for it would last for ever */
            char text[32], want[32];
            snprintf(text, sizeof text, "record %d\n", i);
            snprintf(want, sizeof want, "record %d", i);
            say(&l, text);
            CHECK_OK(alm_read_ahead_next(a, &r, &tokens, &err), &err);
            CHECK_STR(r.text, want);
        }
        alm_read_ahead_close(a);
        close(l.writer);
    }
}

static void *stop_when_idle(void *arg) {
    alm_cancel_request(arg);
    return NULL;
}

static void who_waits_is_told_first_and_can_be_stopped(void **state) {
    (void)state;
    for (int threaded = 0; threaded < 2; threaded++) {
        live l = start_live(threaded ? "stop2" : "stop1");
        heard h = {0};
        alm_log log;
        alm_cancel cancel = {0};
        pthread_t other;
        alm_read_ahead *a = open_live(&l, threaded, &h, &log, &cancel);
        alm_record r;
        const alm_kept_tokens *tokens;
        alm_error err = {0};
        say(&l, "one\n");
        CHECK_OK(alm_read_ahead_next(a, &r, &tokens, &err), &err);
        CHECK(pthread_create(&other, NULL, stop_when_idle, &cancel) == 0);
        CHECK_STATUS(alm_read_ahead_next(a, &r, &tokens, &err), ALM_INTERRUPTED, &err);
        pthread_join(other, NULL);
        alm_read_ahead_close(a);
        close(l.writer);
    }
}

static void *speak_later(void *arg) {
    const live *l = arg;
    usleep(300000);
    return write(l->writer, "two\n", 4) == 4 ? arg : NULL;
}

static void silence_is_told_before_the_wait(void **state) {
    (void)state;
    for (int threaded = 0; threaded < 2; threaded++) {
        live l = start_live(threaded ? "idle2" : "idle1");
        heard h = {0};
        alm_log log;
        alm_read_ahead *a = open_live(&l, threaded, &h, &log, NULL);
        alm_record r;
        const alm_kept_tokens *tokens;
        alm_error err = {0};
        say(&l, "one\n");
        CHECK_OK(alm_read_ahead_next(a, &r, &tokens, &err), &err);
        pthread_t other;
        CHECK(pthread_create(&other, NULL, speak_later, &l) == 0);
        CHECK_OK(alm_read_ahead_next(a, &r, &tokens, &err), &err);
        pthread_join(other, NULL);
        CHECK_STR(r.text, "two");
        CHECK(h.n_idle >= 1);
        alm_read_ahead_close(a);
        close(l.writer);
    }
}

static void closing_ends_a_reading_that_waits(void **state) {
    (void)state;
    live l = start_live("close");
    heard h = {0};
    alm_log log;
    alm_read_ahead *a = open_live(&l, true, &h, &log, NULL);
    alm_record r;
    const alm_kept_tokens *tokens;
    alm_error err = {0};
    say(&l, "one\n");
    CHECK_OK(alm_read_ahead_next(a, &r, &tokens, &err), &err);
    alm_read_ahead_close(a); /* would wait for ever for a second record */
    close(l.writer);
}

static void closing_early_leaves_nothing_behind(void **state) {
    (void)state;
    const char *name = alm_test_path("a.log");
    make(name, add_lines, 3000);
    for (unsigned stop = 0; stop < 1500; stop += 300) {
        size_t before = alm_test_live_blocks();
        alm_log log = {.message = NULL};
        alm_reader_options o = {.size = sizeof o};
        alm_read_ahead_options how = {.threaded = true, .tokens = true, .log = &log};
        alm_read_ahead *a = NULL;
        alm_record r;
        const alm_kept_tokens *tokens;
        alm_error err = {0};
        CHECK_OK(alm_read_ahead_open(&a, &name, 1, &o, &how, &err), &err);
        for (unsigned i = 0; i < stop; i++) CHECK_OK(alm_read_ahead_next(a, &r, &tokens, &err), &err);
        alm_read_ahead_close(a);
        CHECK_INT(alm_test_live_blocks(), before);
    }
}

static alm_status read_everything(void *arg) {
    alm_log log = {.message = NULL};
    alm_reader_options o = {.size = sizeof o, .format = ALM_RECORD_JSONL};
    alm_read_ahead_options how = {.threaded = true, .tokens = true, .log = &log};
    alm_read_ahead *a = NULL;
    alm_record r;
    const alm_kept_tokens *tokens;
    const char *const *name = arg;
    alm_status st = alm_read_ahead_open(&a, name, 1, &o, &how, NULL);
    while (st == ALM_OK) st = alm_read_ahead_next(a, &r, &tokens, NULL);
    alm_read_ahead_close(a);
    return st == ALM_END ? ALM_OK : st;
}

static void memory_may_fail_in_both_threads(void **state) {
    (void)state;
    const char *name = alm_test_path("few.jsonl");
    make(name, add_json, 3);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(read_everything, &name) > 10);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_read_what_one_reads),
        cmocka_unit_test(fields_and_empty_inputs_come_through),
        cmocka_unit_test(a_strict_error_comes_behind_the_records_before_it),
        cmocka_unit_test(a_record_of_a_live_stream_does_not_wait_for_others),
        cmocka_unit_test(who_waits_is_told_first_and_can_be_stopped),
        cmocka_unit_test(silence_is_told_before_the_wait),
        cmocka_unit_test(closing_ends_a_reading_that_waits),
        cmocka_unit_test(closing_early_leaves_nothing_behind),
        cmocka_unit_test(memory_may_fail_in_both_threads),
    };
    alarm(120); /* a wait that nothing ends */
    setlocale(LC_ALL, "");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
