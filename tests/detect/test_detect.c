/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/detect/test_detect.c - from records to verdicts: learning, detecting, saying why, over records of our own making. */
#include "detect/detect.h"
#include "fleet_of_jobs.h"

typedef struct tally {
    unsigned groups, alarms, bad, found, false_alarms, record_alarms;
    bool saw_unseen, saw_count, saw_end;
    double first_scores[8];
    unsigned n_scores;
} tally;

static bool is_bad(uint64_t *bad, unsigned n, const char *group) {
    for (unsigned i = 0; i < n; i++)
        if (bad[i] == strtoull(group + 4, NULL, 10)) return true;
    return false;
}

static void take(tally *t, const alm_verdict *v, uint64_t *bad, unsigned n_bad) {
    if (!v->is_group) {
        t->record_alarms += v->alarm;
        return;
    }
    t->groups++;
    if (t->n_scores < 8) t->first_scores[t->n_scores++] = v->score;
    bool b = is_bad(bad, n_bad, v->group);
    t->bad += b;
    t->alarms += v->alarm;
    t->found += b && v->alarm;
    t->false_alarms += !b && v->alarm;
    CHECK(!v->alarm || v->n_why > 0, "an alarm without a reason");
    CHECK(v->p > 0 && v->p <= 1);
    for (unsigned i = 0; i < v->n_why; i++) {
        t->saw_unseen |= strcmp(v->why[i].detector, "unseen") == 0 && strstr(v->why[i].text, "lost its lease");
        t->saw_count |= strcmp(v->why[i].detector, "counts") == 0 && strstr(v->why[i].text, "at most 3 while learning");
        t->saw_end |= strcmp(v->why[i].detector, "order") == 0 && strstr(v->why[i].text, "go on with");
    }
}

static tally run(alm_normal *m, uint64_t seed, unsigned n, uint32_t one_in, alm_detect_summary *sum) {
    alm_detection *d;
    alm_error err = {0};
    static alm_verdict v;
    static uint64_t bad[5000];
    unsigned n_bad = 0;
    tally t = {0};
    fleet f = fleet_of(seed);
    CHECK_OK(alm_detect_new(&d, m, NULL, &err), &err);
    for (unsigned i = 0; i < n; i++) {
        bool b;
        alm_event e = fleet_next(&f, one_in, &b);
        const char *job = strstr(f.text, "job_");
        if (b && job) {
            uint64_t id = strtoull(job + 4, NULL, 10);
            bool known = false;
            for (unsigned k = 0; k < n_bad; k++) known |= bad[k] == id;
            if (!known && n_bad < 5000) bad[n_bad++] = id;
        }
        CHECK_OK(alm_detect_feed(d, &e, &v, &err), &err);
        take(&t, &v, bad, n_bad);
        while (alm_detect_next_group(d, &v)) take(&t, &v, bad, n_bad);
    }
    CHECK_OK(alm_detect_finish(d, &err), &err);
    while (alm_detect_next_group(d, &v)) take(&t, &v, bad, n_bad);
    alm_detect_summary_of(d, sum);
    CHECK_INT(sum->n_records, n);
    CHECK_INT(sum->n_groups, t.groups);
    CHECK_INT(sum->n_group_alarms, t.alarms);
    CHECK_INT(sum->n_normal + sum->n_anomalous, sum->n_groups + sum->n_free);
    CHECK(alm_detect_incident_count(d) > 0 || t.alarms == 0);
    uint64_t before = 0;
    for (size_t i = 0; i < alm_detect_incident_count(d); i++) {
        static alm_incident in;
        CHECK(alm_detect_incident(d, i, &in));
        CHECK(in.number == i + 1 && in.n_alarms > 0 && in.n_line > 0 && in.first_line <= in.last_line);
        CHECK(in.reason[0] && in.detector[0]);
        CHECK(in.silence || in.line[0] > before || in.line[0] > 0);
        before = in.line[0];
    }
    alm_detect_free(d);
    return t;
}

static void bad_jobs_are_found_at_the_promised_rate_and_with_reasons(void **state) {
    (void)state;
    alm_normal *m = fleet_learn(1, 20000, NULL, 0.01);
    alm_normal_info info;
    alm_detect_summary s;
    alm_normal_info_of(m, &info);
    CHECK_HOLDS(info.group_rule, "job_<number>");
    CHECK(info.guarantee == ALM_GUARANTEE_TRAINING && info.n_groups_calibrate > 299);
    tally t = run(m, 2, 20000, 12, &s);
    CHECK(t.bad > 100 && t.found >= t.bad - 6, "%u of %u", t.found, t.bad); /* those at the end of the input are cut */
    CHECK(t.false_alarms * 50 < t.groups, "%u of %u", t.false_alarms, t.groups);
    CHECK(t.saw_unseen && t.saw_count && t.saw_end, "%d %d %d", t.saw_unseen, t.saw_count, t.saw_end);
    CHECK(s.promised == 0.01 && s.guarantee_groups == ALM_GUARANTEE_TRAINING);
    CHECK(s.n_false_alarms <= t.false_alarms + s.n_free_alarms && s.recall > 0.9);
    alm_normal_free(m);
}

static void good_jobs_alarm_seldom(void **state) {
    (void)state;
    alm_normal *m = fleet_learn(1, 20000, NULL, 0.01);
    alm_detect_summary s;
    run(m, 3, 20000, 0, &s);
    CHECK(s.n_group_alarms * 100 <= s.n_groups * 2, "%llu of %llu", (unsigned long long)s.n_group_alarms,
          (unsigned long long)s.n_groups);
    alm_normal_free(m);
}

static void the_same_input_gives_the_same_scores(void **state) {
    (void)state;
    alm_normal *a = fleet_learn(5, 5000, NULL, 0.01), *b = fleet_learn(5, 5000, "job_[0-9]+", 0.01);
    alm_detect_summary s, u;
    tally x = run(a, 6, 3000, 10, &s), y = run(a, 6, 3000, 10, &u), z = run(b, 6, 3000, 10, &u);
    CHECK(x.n_scores == 8);
    for (unsigned i = 0; i < 8; i++) {
        CHECK_BITS(x.first_scores[i], y.first_scores[i]);
        CHECK_BITS(x.first_scores[i], z.first_scores[i]); /* the rule that was found is the one that was given */
    }
    CHECK(x.alarms == y.alarms && x.alarms == z.alarms);
    alm_normal_free(a);
    alm_normal_free(b);
}

static void records_alone_are_judged_when_grouping_is_off(void **state) {
    (void)state;
    alm_normal *m = fleet_learn(1, 6000, "off", 0.01);
    alm_detect_summary s;
    run(m, 2, 6000, 12, &s);
    CHECK_INT(s.n_groups, 0);
    CHECK_INT(s.n_free, 6000);
    CHECK(s.guarantee_free == ALM_GUARANTEE_ADAPTIVE);
    CHECK(s.n_free_alarms > 2 && s.n_free_alarms < 90, "%llu", (unsigned long long)s.n_free_alarms);
    CHECK(s.n_free_alarms + s.n_followers > 20, "%llu",
          (unsigned long long)s.n_followers); /* the same failure again is no new alarm */
    alm_normal_free(m);
}

static void few_groups_promise_nothing_and_say_so(void **state) {
    (void)state;
    alm_normal *m = fleet_learn(1, 1000, NULL, 0.001);
    alm_normal_info info;
    alm_normal_info_of(m, &info);
    CHECK(info.guarantee == ALM_GUARANTEE_NONE);
    CHECK_HOLDS(alm_guarantee_text(info.guarantee), "no guarantee");
    alm_normal_free(m);
}

static void a_rule_that_never_matches_is_an_error_with_a_hint(void **state) {
    (void)state;
    alm_learn_options o = {.size = sizeof o, .group_by = "session=([0-9]+)"};
    alm_error err = {0};
    alm_learner *l;
    alm_normal *m = NULL;
    alm_event e = {.text = ALM_STR("hello world"), .time_ns = ALM_NO_TIME, .label = -1};
    CHECK_OK(alm_learn_new(&l, &o, &err), &err);
    CHECK_OK(alm_learn_add(l, &e, &err), &err);
    CHECK_STATUS(alm_learn_finish(&m, l, &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.text, "matched none");
    CHECK_HOLDS(err.hint, "--group-by");
    alm_learn_free(l);
    CHECK_OK(alm_learn_new(&l, NULL, &err), &err);
    CHECK_STATUS(alm_learn_finish(&m, l, &err), ALM_INVALID, &err); /* nothing to learn from */
    alm_learn_free(l);
    o.alpha = 1;
    CHECK_STATUS(alm_learn_new(&l, &o, &err), ALM_INVALID, &err);
    o.alpha = __builtin_nan("");
    CHECK_STATUS(alm_learn_new(&l, &o, &err), ALM_INVALID, &err);
}

static void cancelling_stops_and_what_was_learned_can_be_kept(void **state) {
    (void)state;
    alm_cancel c = {0};
    alm_learn_options o = {.size = sizeof o, .cancel = &c};
    alm_error err = {0};
    alm_learner *l;
    alm_normal *m;
    fleet f = fleet_of(9);
    CHECK_OK(alm_learn_new(&l, &o, &err), &err);
    for (unsigned i = 0; i < 500; i++) {
        bool bad;
        alm_event e = fleet_next(&f, 0, &bad);
        CHECK_OK(alm_learn_add(l, &e, &err), &err);
    }
    c.requested = 1;
    alm_event e = {.text = ALM_STR("late"), .time_ns = ALM_NO_TIME, .label = -1};
    CHECK_STATUS(alm_learn_add(l, &e, &err), ALM_INTERRUPTED, &err);
    CHECK_OK(alm_learn_finish(&m, l, &err), &err);
    alm_normal_info info;
    alm_normal_info_of(m, &info);
    CHECK_INT(info.n_records, 500);
    alm_learn_free(l);
    alm_normal_free(m);
}

/* Eight jobs stop in the middle at once, and only new ones follow: the source was restarted. */
static void a_source_that_falls_silent_is_one_incident(void **state) {
    (void)state;
    alm_normal *m = fleet_learn(1, 20000, NULL, 0.01);
    alm_detection *d;
    alm_error err = {0};
    static alm_verdict v;
    unsigned alarms = 0, silences = 0;
    fleet before = fleet_of(21), after = fleet_of(22);
    bool bad;
    CHECK_OK(alm_detect_new(&d, m, NULL, &err), &err);
    for (unsigned i = 0; i < 6000; i++) {
        alm_event e = i < 3000 ? fleet_next(&before, 0, &bad) : fleet_next(&after, 0, &bad);
        e.line = i + 1;
        e.time_ns = ALM_NO_TIME;
        CHECK_OK(alm_detect_feed(d, &e, &v, &err), &err);
        while (alm_detect_next_group(d, &v)) alarms += v.alarm && v.line > 2900 && v.line <= 3000;
    }
    CHECK_OK(alm_detect_finish(d, &err), &err);
    while (alm_detect_next_group(d, &v)) alarms += v.alarm && v.line > 2900 && v.line <= 3000;
    for (size_t i = 0; i < alm_detect_incident_count(d); i++) {
        static alm_incident in;
        CHECK(alm_detect_incident(d, i, &in));
        if (!in.silence) continue;
        silences++;
        CHECK(in.n_groups >= 3);
        CHECK_HOLDS(in.reason, "fell silent together");
    }
    CHECK(silences == 1, "%u", silences);
    CHECK(alarms <= 1, "%u", alarms);
    alm_detect_free(d);
    alm_normal_free(m);
}

static void unlearned_records_become_normal_in_a_prequential_run(void **state) {
    (void)state;
    alm_learn_options o = {.size = sizeof o, .group_by = "off"};
    alm_detect_options dopt = {.size = sizeof dopt, .prequential = true};
    alm_error err = {0};
    alm_normal *m;
    alm_detection *d;
    static alm_verdict v;
    fleet f = fleet_of(31);
    double first = 0, last = 0;
    unsigned alarms = 0;
    bool bad;
    CHECK_OK(alm_normal_empty(&m, &o, &err), &err);
    CHECK_OK(alm_detect_new(&d, m, &dopt, &err), &err);
    for (unsigned i = 0; i < 4000; i++) {
        alm_event e = fleet_next(&f, 0, &bad);
        CHECK_OK(alm_detect_feed(d, &e, &v, &err), &err);
        alarms += v.alarm;
        if (!strstr(f.text, "heartbeat")) continue;
        if (first == 0) first = v.score;
        last = v.score;
    }
    CHECK(last < 3 && alarms <= 60, "%g %g %u", first, last, alarms);
    alm_detect_free(d);
    alm_normal_free(m);
}

static void learn_sessions(alm_learner *l) {
    static const char *const row[] = {"a b c d", "a c b d", "a b b c d", "a b c d e"};
    for (unsigned i = 0; i < 1600; i++)
        CHECK_OK(alm_learn_session(l, ALM_STR("s"), alm_str_of(row[i % 7 < 4 ? 0 : i % 7 - 3]), 0, NULL), NULL);
    CHECK_OK(alm_learn_session(l, ALM_STR("s"), ALM_STR("a x x x"), 1, NULL),
             NULL); /* known to be anomalous: left out */
}

static alm_normal *session_model(void) {
    alm_learn_options o = {.size = sizeof o, .sessions = true};
    alm_learner *l;
    alm_normal *m;
    CHECK_OK(alm_learn_new(&l, &o, NULL), NULL);
    learn_sessions(l);
    CHECK_OK(alm_learn_finish(&m, l, NULL), NULL);
    alm_learn_free(l);
    return m;
}

static void sessions_tell_missing_extra_unseen_and_disordered_events(void **state) {
    (void)state;
    alm_normal *m = session_model();
    alm_detection *d;
    static alm_verdict v;
    static const struct {
        const char *events;
        bool alarm;
        const char *detector, *text;
    } c[] = {
        {"a b c d", false, "", ""},
        {"a c b d", false, "", ""},
        {"a b c d e", false, "", ""},
        {"a b", true, "order", "go on with \"c\""},
        {"a b c d x", true, "unseen", "\"x\""},
        {"a b c c c c d", true, "counts", "at most 1 while learning"},
        {"d c b a", true, "order", "begins with \"d\""},
        {"b c d", true, "counts", "count of \"a\" is 0"},
    };
    alm_normal_info info;
    alm_normal_info_of(m, &info);
    CHECK(info.n_labelled_out == 1 && info.n_groups == 1600 && info.n_groups_fit == 1200 &&
          info.guarantee == ALM_GUARANTEE_TRAINING);
    CHECK_OK(alm_detect_new(&d, m, NULL, NULL), NULL);
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        bool said = !c[i].alarm;
        CHECK_OK(alm_detect_session(d, ALM_STR("name"), alm_str_of(c[i].events), c[i].alarm, i + 2, &v, NULL), NULL);
        CHECK(v.alarm == c[i].alarm, "%s: score %g", c[i].events, v.score);
        for (unsigned k = 0; k < v.n_why; k++)
            said |= strcmp(v.why[k].detector, c[i].detector) == 0 && strstr(v.why[k].text, c[i].text);
        CHECK(said, "%s: %s", c[i].events, v.n_why ? v.why[0].text : "nothing");
        CHECK(v.line == i + 2 && strcmp(v.group, "name") == 0 && v.is_group && v.ended);
    }
    alm_detect_summary s;
    alm_detect_finish(d, NULL);
    CHECK(!alm_detect_next_group(d, &v));
    alm_detect_summary_of(d, &s);
    CHECK(s.n_false_alarms == 0 && s.n_normal == 3 && s.n_found == 5 && s.recall == 1);
    alm_detect_free(d);
    alm_normal_free(m);
}

static void a_model_survives_its_file_bit_for_bit(void **state) {
    (void)state;
    alm_normal *m = session_model(), *back;
    alm_buf b = alm_buf_with_limit(1 << 24), again = alm_buf_with_limit(1 << 24);
    alm_detection *d, *e;
    alm_error err = {0};
    static alm_verdict v, w;
    CHECK_OK(alm_normal_bytes(m, &b, &err), &err);
    CHECK_OK(alm_normal_parse(&back, "bytes", alm_buf_str(&b), &err), &err);
    CHECK_OK(alm_normal_bytes(back, &again, &err), &err);
    CHECK(b.n == again.n && memcmp(b.at, again.at, b.n) == 0);
    CHECK_OK(alm_detect_new(&d, m, NULL, &err), &err);
    CHECK_OK(alm_detect_new(&e, back, NULL, &err), &err);
    static const char *const row[] = {"a b c d", "a b", "e d c b a", "a q", "a b b b b c d"};
    for (size_t i = 0; i < 5; i++) {
        CHECK_OK(alm_detect_session(d, ALM_STR("n"), alm_str_of(row[i]), -1, i, &v, &err), &err);
        CHECK_OK(alm_detect_session(e, ALM_STR("n"), alm_str_of(row[i]), -1, i, &w, &err), &err);
        CHECK_BITS(v.score, w.score);
        CHECK_BITS(v.p, w.p);
        CHECK(v.alarm == w.alarm && v.n_why == w.n_why);
        for (unsigned k = 0; k < v.n_why; k++) CHECK(strcmp(v.why[k].text, w.why[k].text) == 0);
    }
    alm_detect_free(d);
    alm_detect_free(e);
    alm_normal_free(m);
    alm_normal_free(back);
    alm_buf_free(&b);
    alm_buf_free(&again);
}

static void every_cut_of_a_model_file_is_refused(void **state) {
    (void)state;
    alm_normal *m = session_model(), *back;
    alm_buf b = alm_buf_with_limit(1 << 24);
    alm_error err = {0};
    CHECK_OK(alm_normal_bytes(m, &b, &err), &err);
    for (size_t n = 0; n + ALM_GGUF_ALIGNMENT < b.n; n += 1 + n / 300) { /* the end may be padding */
        alm_status st = alm_normal_parse(&back, "cut", alm_str_make(b.at, n), &err);
        CHECK(st == ALM_MALFORMED, "%zu bytes of %zu give %s", n, b.n, alm_status_name(st));
        CHECK_HOLDS(err.text, "cut");
    }
    alm_normal_free(m);
    alm_buf_free(&b);
}

static alm_status learn_and_detect(void *arg) {
    (void)arg;
    alm_learner *l = NULL;
    alm_normal *m = NULL;
    alm_detection *d = NULL;
    alm_verdict *v = malloc(sizeof *v);
    fleet f = fleet_of(41);
    bool bad;
    alm_status st = alm_learn_new(&l, NULL, NULL);
    for (unsigned i = 0; i < 700 && st == ALM_OK; i++) {
        alm_event e = fleet_next(&f, 0, &bad);
        st = alm_learn_add(l, &e, NULL);
    }
    if (st == ALM_OK) st = alm_learn_finish(&m, l, NULL);
    if (st == ALM_OK) st = alm_detect_new(&d, m, NULL, NULL);
    for (unsigned i = 0; i < 200 && st == ALM_OK; i++) {
        alm_event e = fleet_next(&f, 5, &bad);
        st = alm_detect_feed(d, &e, v, NULL);
    }
    if (st == ALM_OK) st = alm_detect_finish(d, NULL);
    alm_detect_free(d);
    alm_normal_free(m);
    alm_learn_free(l);
    free(v);
    return st;
}

static alm_status sessions_and_file(void *arg) {
    (void)arg;
    alm_learn_options o = {.size = sizeof o, .sessions = true};
    alm_detect_options dopt = {.size = sizeof dopt, .prequential = true};
    alm_learner *l = NULL;
    alm_normal *m = NULL, *back = NULL;
    alm_detection *d = NULL;
    alm_buf b = alm_buf_with_limit(1 << 24);
    alm_verdict *v = malloc(sizeof *v);
    alm_status st = alm_learn_new(&l, &o, NULL);
    for (unsigned i = 0; i < 40 && st == ALM_OK; i++)
        st = alm_learn_session(l, ALM_STR("s"), i % 3 ? ALM_STR("a b c d") : ALM_STR("a b c e d"), 0, NULL);
    if (st == ALM_OK) st = alm_learn_finish(&m, l, NULL);
    if (st == ALM_OK) st = alm_normal_bytes(m, &b, NULL);
    if (st == ALM_OK) st = alm_normal_parse(&back, "bytes", alm_buf_str(&b), NULL);
    if (st == ALM_OK) st = alm_detect_new(&d, back, &dopt, NULL);
    for (unsigned i = 0; i < 30 && st == ALM_OK; i++)
        st = alm_detect_session(d, ALM_STR("s"), i % 4 ? ALM_STR("a b c d") : ALM_STR("q b"), -1, i, v, NULL);
    alm_detect_free(d);
    alm_normal_free(m);
    alm_normal_free(back);
    alm_learn_free(l);
    alm_buf_free(&b);
    free(v);
    return st;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(learn_and_detect, NULL) > 50);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(sessions_and_file, NULL) > 50);
}

static void severity_is_read_where_a_record_states_it(void **state) {
    (void)state;
    static const struct {
        const char *text;
        unsigned level;
    } c[] = {
        {"INFO all well", 0},
        {"2026-01-01 12:00:00 WARN disk", 1},
        {"[ERROR] no", 2},
        {"a FATAL end", 3},
        {"level=error msg=x", 2},
        {"{\"level\":\"fatal\"}", 3},
        {"terror and errors", 0},
        {"ERROR_CODE=0 fine", 0},
        {"severity: CRITICAL", 3},
        {"an error occurred", 0},
        {"", 0},
        {"RAS KERNEL SEVERE x", 2},
        {"PANIC", 3},
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++)
        CHECK(alm_severity_of(alm_str_of(c[i].text)) == c[i].level, "%s: %u", c[i].text,
              alm_severity_of(alm_str_of(c[i].text)));
}

/* Learns n lines that `line` makes (one a second), then feeds the lines of `more` and gives the last verdict. */
typedef void line_maker(char *out, size_t room, unsigned i, alm_rng *r);
static alm_detection *after_lines(alm_normal **m, line_maker *line, unsigned n) {
    alm_learn_options o = {.size = sizeof o, .group_by = "off"};
    alm_learner *l;
    alm_detection *d;
    alm_rng r = alm_rng_seed(77, 0, 0);
    CHECK_OK(alm_learn_new(&l, &o, NULL), NULL);
    for (unsigned i = 0; i < n; i++) {
        char text[200];
        line(text, sizeof text, i, &r);
        alm_event e = {
            .text = alm_str_of(text), .time_ns = FLEET_START + (int64_t)i * 1000000000, .line = i + 1, .label = -1};
        CHECK_OK(alm_learn_add(l, &e, NULL), NULL);
    }
    CHECK_OK(alm_learn_finish(m, l, NULL), NULL);
    alm_learn_free(l);
    CHECK_OK(alm_detect_new(&d, *m, NULL, NULL), NULL);
    return d;
}

static bool feed(alm_detection *d, const char *text, unsigned second, const char *detector, const char *reason) {
    static alm_verdict v;
    alm_event e = {.text = alm_str_of(text),
                   .time_ns = FLEET_START + (int64_t)second * 1000000000,
                   .line = second + 1,
                   .label = -1};
    CHECK_OK(alm_detect_feed(d, &e, &v, NULL), NULL);
    for (unsigned i = 0; i < v.n_why && v.alarm; i++)
        if (strcmp(v.why[i].detector, detector) == 0 && strstr(v.why[i].text, reason)) return true;
    return false;
}

static void door_line(char *out, size_t room, unsigned i, alm_rng *r) {
    static const char *const user[] = {"anna", "ben", "cleo"};
    if (i % 3 == 0) snprintf(out, room, "gauge pressure %u.%02u bar", 1 + alm_rng_below(r, 3), alm_rng_below(r, 100));
    else if (i % 3 == 1)
        snprintf(out, room, "door opened user=%s badge=%u", user[alm_rng_below(r, 3)], alm_rng_below(r, 1u << 30));
    else if (i % 30 == 2) snprintf(out, room, "alarm bell rang once");
    else snprintf(out, room, "request %u served", i);
}

static void a_new_value_and_a_number_beyond_its_range_alarm_and_counters_do_not(void **state) {
    (void)state;
    alm_normal *m;
    alm_detection *d = after_lines(&m, door_line, 9000);
    CHECK(!feed(d, "door opened user=ben badge=1", 9001, "value", ""));
    CHECK(feed(d, "door opened user=zoe badge=7777777", 9002, "value", "\"zoe\""));
    CHECK(!feed(d, "gauge pressure 3.50 bar", 9003, "value", ""));
    CHECK(feed(d, "gauge pressure 9.75 bar", 9004, "value", "9.75"));
    CHECK(!feed(d, "request 90000 served", 9005, "value", "")); /* it has always grown */
    CHECK(!feed(d, "door opened user=anna badge=999", 9006, "value", ""));
    alm_detect_free(d);
    alm_normal_free(m);
}

static void a_flood_alarms_once_while_it_comes(void **state) {
    (void)state;
    alm_normal *m;
    alm_detection *d = after_lines(&m, door_line, 9000);
    alm_normal_info info;
    alm_detect_summary s;
    alm_normal_info_of(m, &info);
    CHECK(info.rate_bucket_s > 0);
    unsigned told = 0;
    for (unsigned i = 0; i < 200; i++) told += feed(d, "alarm bell rang once", 9001 + i / 10, "rate", "usually about");
    CHECK(told >= 1 && told <= 2, "%u", told); /* a bucket may end in between */
    alm_detect_summary_of(d, &s);
    CHECK(s.n_free_alarms <= 3, "%llu", (unsigned long long)s.n_free_alarms);
    alm_detect_free(d);
    alm_normal_free(m);
}

static void blank_line(char *out, size_t room, unsigned i, alm_rng *r) {
    (void)r;
    snprintf(out, room, "%s", i % 2 ? "" : "tick");
}

static void blank_records_have_an_empty_template(void **state) {
    (void)state;
    size_t before = alm_test_live_blocks();
    alm_normal *m;
    alm_detection *d = after_lines(&m, blank_line, 400);
    for (unsigned i = 0; i < 3; i++) {
        feed(d, "", 400 + i, "", "");
        CHECK_INT(alm_detect_template(d).n, 0);
    }
    alm_detect_free(d);
    alm_normal_free(m);
    CHECK_INT(alm_test_live_blocks(), before);
}

static void the_floor_rule_hides_small_incidents(void **state) {
    (void)state;
    for (unsigned min_alarms = 1; min_alarms <= 2; min_alarms++) {
        alm_incidents *s;
        alm_why why = {.detector = "unseen", .text = "because"};
        alm_incident in;
        CHECK_OK(alm_incidents_new(&s, min_alarms, 5, NULL), NULL);
        alm_cause c = {.at = 900,
                       .first_at = 900,
                       .line = 900,
                       .time_ns = ALM_NO_TIME,
                       .event = 2,
                       .score = 9,
                       .p = 0.001,
                       .why = &why,
                       .text = ALM_STR("first")};
        CHECK_OK(alm_incidents_add(s, &c, NULL), NULL);
        c = (alm_cause){.at = 905,
                        .first_at = 10,
                        .line = 905,
                        .time_ns = ALM_NO_TIME,
                        .event = 3,
                        .group_key = 7,
                        .group = "seven",
                        .score = 12,
                        .p = 0.0001,
                        .why = &why,
                        .text = ALM_STR("second")};
        CHECK_OK(alm_incidents_add(s, &c, NULL), NULL); /* near: the same incident, and its group began first */
        c = (alm_cause){.at = 9000,
                        .first_at = 9000,
                        .line = 9000,
                        .time_ns = ALM_NO_TIME,
                        .event = 4,
                        .score = 8,
                        .p = 0.01,
                        .why = &why,
                        .text = ALM_STR("alone")};
        CHECK_OK(alm_incidents_add(s, &c, NULL), NULL);
        c = (alm_cause){.at = 99000,
                        .first_at = 99000,
                        .line = 99000,
                        .time_ns = ALM_NO_TIME,
                        .event = 5,
                        .score = 4,
                        .p = 0.01,
                        .why = &why,
                        .text = ALM_STR("weak")};
        CHECK_OK(alm_incidents_add(s, &c, NULL), NULL);
        CHECK_INT(alm_incidents_settle(s), min_alarms == 1 ? 2 : 1);
        CHECK(alm_incidents_get(s, 0, &in));
        CHECK(in.n_alarms == 2 && in.n_groups == 1 && in.score == 12 && in.first_line == 900 && in.last_line == 905 &&
              in.n_line == 2);
        CHECK(strcmp(in.group[0], "seven") == 0 && strcmp(in.reason, "because") == 0);
        CHECK(!alm_incidents_get(s, min_alarms == 1 ? 2 : 1, &in));
        alm_incidents_free(s);
    }
}

/* The shared data, where it is: what stands in docs/detect.md must stay true. */
static void shared_hdfs_sessions_are_judged_as_documented(void **state) {
    (void)state;
    static const char *const name[2] = {"data/sessions/hdfs100k_train.tsv", "data/sessions/hdfs100k_test.tsv"};
    if (!alm_test_shared(name[0])) {
        print_message("skipped: no shared data (ALM_SHARED)\n");
        skip();
    }
    alm_learn_options o = {.size = sizeof o, .sessions = true};
    alm_learner *l;
    alm_normal *m = NULL;
    alm_detection *d = NULL;
    static alm_verdict v;
    CHECK_OK(alm_learn_new(&l, &o, NULL), NULL);
    for (unsigned f = 0; f < 2; f++) {
        size_t n;
        char *text = alm_test_slurp(alm_test_shared(name[f]), &n);
        alm_str rest = {text, n}, line, part[3];
        alm_str_split(&rest, '\n', &line); /* the header */
        while (alm_str_split(&rest, '\n', &line)) {
            for (unsigned i = 0; i < 3; i++) CHECK(alm_str_split(&line, '\t', &part[i]) || line.n == 0);
            if (part[0].n == 0) break;
            int label = part[1].at[0] - '0';
            if (f == 0) CHECK_OK(alm_learn_session(l, part[0], part[2], label, NULL), NULL);
            else CHECK_OK(alm_detect_session(d, part[0], part[2], label, 1, &v, NULL), NULL);
        }
        alm_free(text);
        if (f == 0) {
            CHECK_OK(alm_learn_finish(&m, l, NULL), NULL);
            CHECK_OK(alm_detect_new(&d, m, NULL, NULL), NULL);
        }
    }
    alm_detect_summary s;
    alm_detect_summary_of(d, &s);
    CHECK(s.n_normal == 1531 && s.n_anomalous == 57);
    CHECK(s.n_found >= 30 && s.n_false_alarms <= 1, "%llu %llu", (unsigned long long)s.n_found,
          (unsigned long long)s.n_false_alarms);
    alm_detect_free(d);
    alm_normal_free(m);
    alm_learn_free(l);
}

static void the_list_of_detectors_is_whole(void **state) {
    (void)state;
    size_t n = 0;
    for (; alm_detector_at(n); n++) {
        const alm_detector *d = alm_detector_at(n);
        CHECK(d->name[0] && d->text[0] && d->say && (d->record || d->step || d->end));
        CHECK(!d->save == !d->load);
    }
    CHECK_INT(n, ALM_DETECTOR_COUNT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bad_jobs_are_found_at_the_promised_rate_and_with_reasons),
    cmocka_unit_test(good_jobs_alarm_seldom),
    cmocka_unit_test(the_same_input_gives_the_same_scores),
    cmocka_unit_test(records_alone_are_judged_when_grouping_is_off),
    cmocka_unit_test(few_groups_promise_nothing_and_say_so),
    cmocka_unit_test(a_rule_that_never_matches_is_an_error_with_a_hint),
    cmocka_unit_test(cancelling_stops_and_what_was_learned_can_be_kept),
    cmocka_unit_test(a_source_that_falls_silent_is_one_incident),
    cmocka_unit_test(unlearned_records_become_normal_in_a_prequential_run),
    cmocka_unit_test(sessions_tell_missing_extra_unseen_and_disordered_events),
    cmocka_unit_test(a_model_survives_its_file_bit_for_bit),
    cmocka_unit_test(every_cut_of_a_model_file_is_refused),
    cmocka_unit_test(every_allocation_may_fail),
    cmocka_unit_test(severity_is_read_where_a_record_states_it),
    cmocka_unit_test(a_new_value_and_a_number_beyond_its_range_alarm_and_counters_do_not),
    cmocka_unit_test(a_flood_alarms_once_while_it_comes),
    cmocka_unit_test(blank_records_have_an_empty_template),
    cmocka_unit_test(the_floor_rule_hides_small_incidents),
    cmocka_unit_test(shared_hdfs_sessions_are_judged_as_documented),
    cmocka_unit_test(the_list_of_detectors_is_whole),
};
ALM_TEST_MAIN(tests)
