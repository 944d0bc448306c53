/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_log.c - messages and progress go where the caller says. */
#include "alm_test.h"

#include "base/log.h"

typedef struct heard {
    size_t n_message, n_progress;
    alm_log_level level;
    char text[2000];
    uint64_t done, total;
} heard;

static void message(void *arg, alm_log_level level, const char *text) {
    heard *h = arg;
    h->n_message++;
    h->level = level;
    snprintf(h->text, sizeof h->text, "%s", text);
}

static void progress(void *arg, const char *what, uint64_t done, uint64_t total) {
    heard *h = arg;
    h->n_progress++;
    h->done = done, h->total = total;
    snprintf(h->text, sizeof h->text, "%s", what);
}

static void messages_up_to_the_level_arrive(void **state) {
    (void)state;
    heard h = {0};
    alm_log log = {.message = message, .arg = &h, .level = ALM_LOG_WARNING};
    alm_test_fail_alloc(1, true);
    alm_log_say(&log, ALM_LOG_WARNING, "%s %d", "seen", 1);
    CHECK_INT(alm_test_alloc_count(), 0);
    alm_test_fail_alloc(0, false);
    CHECK(h.n_message == 1 && h.level == ALM_LOG_WARNING);
    CHECK_STR(alm_str_of(h.text), "seen 1");
    alm_log_say(&log, ALM_LOG_INFO, "not seen");
    CHECK_INT(h.n_message, 1);
    alm_log_say(&log, ALM_LOG_ERROR, "esc \x1b[0m");
    CHECK_STR(alm_str_of(h.text), "esc \\x1B[0m");
    char big[5000];
    memset(big, 'b', sizeof big);
    big[4999] = '\0';
    alm_log_say(&log, ALM_LOG_ERROR, "%s", big);
    CHECK(strlen(h.text) == 1023);
    alm_log silent = {.level = ALM_LOG_DEBUG};
    alm_log_say(&silent, ALM_LOG_ERROR, "nobody");
    alm_log_say(NULL, ALM_LOG_ERROR, "nobody");
}

static void progress_is_told_seldom_but_the_end_always(void **state) {
    (void)state;
    heard h = {0};
    alm_log log = {.progress = progress, .arg = &h};
    for (uint64_t i = 0; i <= 100000; i++) alm_progress(&log, "reading", i, 100000);
    CHECK(h.n_progress >= 2 && h.n_progress < 100, "%zu", h.n_progress);
    CHECK(h.done == 100000 && h.total == 100000);
    CHECK_STR(alm_str_of(h.text), "reading");
    alm_progress(NULL, "x", 1, 2);
    alm_log silent = {0};
    alm_progress(&silent, "x", 1, 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(messages_up_to_the_level_arrive),
    cmocka_unit_test(progress_is_told_seldom_but_the_end_always),
};
ALM_TEST_MAIN(tests)
