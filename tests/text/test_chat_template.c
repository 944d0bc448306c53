/* SPDX-License-Identifier: Apache-2.0
 *
 * test_chat_template.c - chat templates are rendered as Jinja2 renders them, and stop where they must.
 *
 * tests/golden/chat holds the cases; real templates of models lie in $ALM_SHARED/oracles/chat. With ALM_CHAT_CASES=FILE in the
 * environment the cases of that file are compared too (tests/golden/chat/README.md). */
#include "alm_test.h"
#include "base/clock.h"
#include "base/json.h"
#include "text/chat_template.h"

#include <pthread.h>

/* 2026-03-14 09:26:53.589793, the clock of all oracles. */
static const int64_t now_ns = 1773480413589793000;

static alm_status render(const char *source, const char *json, alm_buf *out, alm_error *err) {
    alm_chat_template *t = NULL;
    alm_json_doc doc = {0};
    char *copy = alm_alloc(strlen(json) + 1);
    CHECK(copy != NULL);
    memcpy(copy, json, strlen(json) + 1);
    alm_status st = alm_json_parse(&doc, copy, strlen(copy), NULL, NULL, err);
    if (st == ALM_OK) st = alm_chat_template_compile(&t, alm_str_of(source), err);
    if (st == ALM_OK) {
        /* A twentieth of the steps that a template has by default, for the sake of slow builds. */
        const alm_chat_input in = {.extra = &doc.node[0], .now_ns = now_ns, .limits = {.steps = 1000000}};
        st = alm_chat_template_render(t, &in, out, err);
    }
    alm_chat_template_free(t);
    alm_json_doc_free(&doc);
    alm_free(copy);
    return st;
}

static void check_text(const char *source, const char *json, const char *want) {
    alm_buf out = alm_buf_with_limit(1 << 20);
    alm_error err = {0};
    CHECK_OK(render(source, json, &out, &err), &err);
    CHECK_STR(alm_buf_str(&out), want);
    alm_buf_free(&out);
}

static void check_fails(const char *source, alm_status want, const char *part) {
    alm_buf out = alm_buf_with_limit(SIZE_MAX);
    alm_error err = {0};
    alm_buf_add_text(&out, "before");
    CHECK_STATUS(render(source, "{}", &out, &err), want, &err);
    CHECK_HOLDS(err.text, part);
    CHECK_STR(alm_buf_str(&out), "before"); /* nothing half-written */
    alm_buf_free(&out);
}

/* ── files of cases ───────────────────────────────────────────────────────────────────────────────────────────── */

typedef struct tally {
    size_t n, wrong;
} tally;

static bool truth(const alm_json *v) { return v && v->type == ALM_JSON_TRUE; }

/* One object: a template with its context, and what it gives or that it fails. */
static void one_case(const alm_json *c, const alm_chat_template *given, const alm_chat_input *in, tally *sum) {
    const alm_json *source = alm_json_get(c, "template"), *want = alm_json_get(c, "expected");
    const alm_json *error = alm_json_get(c, "expected_error");
    alm_buf out = alm_buf_with_limit(SIZE_MAX);
    alm_error err = {0};
    alm_chat_template *own = NULL;
    alm_status st = given ? ALM_OK : alm_chat_template_compile(&own, source->text, &err);
    if (st == ALM_OK) st = alm_chat_template_render(given ? given : own, in, &out, &err);
    const alm_str raised = ALM_STR("TemplateError: ");
    bool right = want ? st == ALM_OK && alm_str_eq(alm_buf_str(&out), want->text) : st != ALM_OK;
    if (error && alm_str_starts(error->text, raised))
        right =
            st == ALM_REFUSED && alm_str_eq(alm_str_of(err.text), alm_str_slice(error->text, raised.n, error->text.n));
    sum->n++;
    if (!right && sum->wrong++ < 20) {
        alm_str about = source ? source->text : alm_json_get(c, "case")->text;
        print_error("%.*s\n  gives  %s %.*s\n  wanted %.*s\n", ALM_ARG(about), err.text, ALM_ARG(alm_buf_str(&out)),
                    ALM_ARG(want ? want->text : error->text));
    }
    alm_buf_free(&out);
    alm_chat_template_free(own);
}

static void each_case(const char *path, const alm_chat_template *given, const alm_json *tokens, tally *sum) {
    size_t n;
    char *text = alm_test_slurp(path, &n);
    alm_str rest = alm_str_make(text, n), line;
    alm_json_doc doc = {0};
    alm_error err = {0};
    while (rest.n && alm_str_split(&rest, '\n', &line)) {
        CHECK_OK(alm_json_parse(&doc, (char *)(uintptr_t)line.at, line.n, NULL, NULL, &err), &err);
        const alm_json *c = &doc.node[0], *bos = alm_json_get(tokens, "bos_token"),
                       *eos = alm_json_get(tokens, "eos_token");
        char token[2][200];
        if (bos) snprintf(token[0], sizeof token[0], "%.*s", ALM_ARG(bos->text));
        if (eos) snprintf(token[1], sizeof token[1], "%.*s", ALM_ARG(eos->text));
        const alm_json *extra = alm_json_get(c, given ? "extra" : "context");
        const alm_chat_input in = {.messages = alm_json_get(c, "messages"),
                                   .tools = alm_json_get(c, "tools"),
                                   .add_generation_prompt = truth(alm_json_get(c, "add_generation_prompt")),
                                   .bos_token = bos ? token[0] : NULL,
                                   .eos_token = eos ? token[1] : NULL,
                                   .extra = extra && extra->type == ALM_JSON_OBJECT ? extra : NULL,
                                   .now_ns = now_ns};
        one_case(c, given, &in, sum);
    }
    alm_json_doc_free(&doc);
    alm_free(text);
}

static void small_templates_give_what_jinja2_gives(void **state) {
    (void)state;
    tally sum = {0};
    const char *more = getenv("ALM_CHAT_CASES");
    each_case(alm_test_source("tests/golden/chat/cases.jsonl"), NULL, NULL, &sum);
    CHECK(sum.wrong == 0, "%zu of %zu cases differ", sum.wrong, sum.n);
    CHECK(sum.n > 300);
    if (!more || !*more) return;
    sum = (tally){0};
    each_case(more, NULL, NULL, &sum);
    CHECK(sum.wrong == 0, "%zu of %zu cases of %s differ", sum.wrong, sum.n, more);
    print_message("%zu cases of %s\n", sum.n, more);
}

static void templates_of_real_models_give_what_jinja2_gives(void **state) {
    (void)state;
    const char *shared = alm_test_shared("oracles/chat/templates");
    char folder[PATH_MAX];
    if (!shared) {
        print_message("skipped: no shared data (ALM_SHARED)\n");
        skip();
        return;
    }
    snprintf(folder, sizeof folder, "%s", shared);
    tally sum = {0};
    alm_names names = {0};
    alm_error err = {0};
    CHECK_OK(alm_dir_list(&names, folder, &err), &err);
    for (size_t i = 0; i < names.n; i++) {
        char name[200], cases[PATH_MAX + 300];
        alm_json_doc tokens = {0};
        alm_chat_template *t = NULL;
        size_t n, n_json;
        if (!alm_str_ends(alm_str_of(names.at[i]), ALM_STR(".jinja"))) continue;
        snprintf(name, sizeof name, "%.*s", (int)(strlen(names.at[i]) - 6), names.at[i]);
        char *source = alm_test_slurp(alm_test_join(folder, names.at[i]), &n);
        snprintf(cases, sizeof cases, "%s/%s.json", folder, name);
        char *json = alm_test_slurp(cases, &n_json);
        CHECK_OK(alm_json_parse(&tokens, json, n_json, NULL, NULL, &err), &err);
        CHECK_OK(alm_chat_template_compile(&t, alm_str_make(source, n), &err), &err);
        snprintf(cases, sizeof cases, "%s/../%s.jsonl", folder, name);
        each_case(cases, t, &tokens.node[0], &sum);
        alm_chat_template_free(t);
        alm_json_doc_free(&tokens);
        alm_free(json);
        alm_free(source);
    }
    alm_names_free(&names);
    CHECK(sum.wrong == 0, "%zu of %zu renderings differ", sum.wrong, sum.n);
    CHECK_INT(sum.n, 784);
}

/* ── the sandbox ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void what_has_no_end_is_stopped(void **state) {
    (void)state;
    check_fails("{% for i in range(10**12) %}x{% endfor %}", ALM_LIMIT, "range() of more than 100000");
    check_fails("{% set r = range(99999)|list %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}", ALM_LIMIT,
                "too many steps");
    check_fails(
        "{% set ns = namespace(t='ab') %}{% for i in range(100) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}{{ ns.t }}",
        ALM_LIMIT, "line 1: the template");
    check_fails("{% set ns = namespace(t=[1]) %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
                ALM_LIMIT, "line 1: the template");
    check_fails("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}", ALM_LIMIT,
                "nested too deep, or a macro calls itself");
    check_fails("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", ALM_LIMIT, "nested too deep");
    check_fails("{{ 'a' * 10**15 }}", ALM_LIMIT, "repeats something too often");
    check_fails("{{ 'a' * 2000000000 }}", ALM_LIMIT, "line 1: ");
    check_fails("{{ [1] * 2000000000 }}", ALM_LIMIT, "line 1: ");
    check_fails("{{ '%999999999d' % 1 }}", ALM_LIMIT, "wider than");
    check_fails("{{ '{:>999999999}'.format(1) }}", ALM_LIMIT, "wider than");
    check_fails("{{ 'x'.center(2**40) }}", ALM_LIMIT, "line 1: ");
    check_fails("{{ 'x\ty'.expandtabs(2**40) }}", ALM_LIMIT, "line 1: ");
    check_fails("{% for i in range(99999) %}{{ 'abcdefgh' * 1000 }}{% endfor %}", ALM_LIMIT, "line 1: ");
    check_fails("{{ 2**64 }}", ALM_LIMIT, "more than 64 bits");
    check_fails("{{ 7 * 9**99999999999 }}", ALM_LIMIT, "more than 64 bits");
    check_fails("{% set ns = namespace(t=[]) %}{% for i in range(9999) %}{% set ns.t = [ns.t] %}{% endfor %}{{ ns.t }}",
                ALM_LIMIT, "nested too deep");
    check_fails(
        "{% set ns = namespace(t=[], u=[]) %}{% for i in range(9999) %}{% set ns.t = [ns.t] %}{% set ns.u = [ns.u] %}"
        "{% endfor %}{{ ns.t == ns.u }}",
        ALM_LIMIT, "nested too deep");
    check_fails("{{ ('a' * 100000).replace('', 'b' * 100000) }}", ALM_LIMIT, "line 1: ");
}

static void a_source_that_is_nested_too_deep_is_refused(void **state) {
    (void)state;
    const struct {
        const char *begin, *part, *end;
    } shapes[] = {{"{{ ", "(", "1 }}"},      {"{{ ", "[", "}}"},
                  {"{{ ", "- ", "1 }}"},     {"{{ ", "not ", "1 }}"},
                  {"{{ 1", " + 1", " }}"},   {"{{ a", "[0]", " }}"},
                  {"{{ a", ".b", " }}"},     {"{{ a", "|trim", " }}"},
                  {"{{ 1", " if 1", " }}"},  {"{{ ", "1 if 1 else ", "1 }}"},
                  {"", "{% if 1 %}", ""},    {"", "{% for a in b %}", ""},
                  {"{{ ", "{1:", "}}"},      {"{{ a", "(1)", " }}"},
                  {"{{ 1", " and 1", " }}"}, {"{{ f(", "f(", "}}"}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        alm_buf source = alm_buf_with_limit(1 << 22);
        alm_error err = {0};
        alm_chat_template *t = NULL;
        alm_buf_add_text(&source, shapes[i].begin);
        for (int k = 0; k < 20000; k++) alm_buf_add_text(&source, shapes[i].part);
        alm_buf_add_text(&source, shapes[i].end);
        CHECK_STATUS(alm_chat_template_compile(&t, alm_buf_str(&source), &err), ALM_LIMIT, &err);
        CHECK(t == NULL);
        alm_buf_free(&source);
    }
    alm_buf long_one = alm_buf_with_limit(1 << 22);
    alm_error err = {0};
    alm_chat_template *t = NULL;
    while (long_one.n <= 1 << 20) alm_buf_add_text(&long_one, "much text ");
    CHECK_STATUS(alm_chat_template_compile(&t, alm_buf_str(&long_one), &err), ALM_LIMIT, &err);
    alm_buf_free(&long_one);
}

static void nothing_but_the_data_can_be_reached(void **state) {
    (void)state;
    check_fails("{{ ''.__class__.__mro__ }}", ALM_MISMATCH,
                "access to attribute '__class__' of 'str' object is unsafe");
    check_fails("{{ unknown.__class__() }}", ALM_MISMATCH, "'unknown' is undefined");
    check_fails("{{ [1].append(2) }}", ALM_MISMATCH, "access to attribute 'append' of 'list' object is unsafe");
    check_fails("{{ {'a': 1}.update({}) }}", ALM_MISMATCH, "is unsafe");
    check_fails("{{ range.__globals__.x }}", ALM_MISMATCH, "is unsafe");
    check_text("[{{ range.__globals__ }}{{ ''.__class__ }}]", "{}", "[]");
    check_fails("{% set n = namespace(_x=1) %}", ALM_MISMATCH, "underscore");
    check_fails("{% include 'secret' %}", ALM_UNSUPPORTED, "line 1: {% include %} has no place in a chat template");
    check_fails("\n\n{% import 'x' as y %}", ALM_UNSUPPORTED, "line 3: {% import %}");
    check_fails("{% extends 'x' %}", ALM_UNSUPPORTED, "{% extends %}");
    check_fails("{{ lipsum() }}", ALM_MISMATCH, "'lipsum' is undefined");
    check_fails("{{ open('/etc/passwd') }}", ALM_MISMATCH, "'open' is undefined");
}

static void a_failure_says_what_and_in_which_line(void **state) {
    (void)state;
    check_fails("a\nb {{ x.y }}", ALM_MISMATCH, "line 2: 'x' is undefined");
    check_fails("{% set d = {'a': 1} %}\n{{ d.b.c }}", ALM_MISMATCH, "line 2: 'dict object' has no attribute 'b'");
    check_fails("{{ 1 + 'a' }}", ALM_MISMATCH, "unsupported operand type(s) for +: 'int' and 'str'");
    check_fails("{{ 'a' + 1 }}", ALM_MISMATCH, "can only concatenate str (not \"int\") to str");
    check_fails("{% for x in none %}{% endfor %}", ALM_MISMATCH, "'NoneType' object is not iterable");
    check_fails("{{ 'a'|nope }}", ALM_MALFORMED, "no filter is named 'nope'");
    check_fails("{{ 1 is nope }}", ALM_MALFORMED, "no test is named 'nope'");
    check_fails("{% if true %}\n{{ 'a'|nope }}{% endif %}", ALM_UNSUPPORTED, "line 2: no filter is named 'nope'");
    check_fails("{% if x %}", ALM_MALFORMED, "the template ends where {% elif %} is expected");
    check_fails("{% endif %}", ALM_MALFORMED, "the tag 'endif' is not known here");
    check_fails("{{ 'abc }}", ALM_MALFORMED, "line 1: a string in quotes has no end");
    check_fails("{# never", ALM_MALFORMED, "a comment {# has no end #}");
    check_fails("{{ 1 +* 2 }}", ALM_MALFORMED, "an expression is expected, not '*'");
    check_fails("{% break %}", ALM_MALFORMED, "{% break %} stands in no loop");
    check_fails("\xFF", ALM_MALFORMED, "no UTF-8");
    check_fails("{{ raise_exception('not so: ' ~ 1) }}", ALM_REFUSED, "not so: 1");
    alm_buf out = alm_buf_with_limit(100);
    alm_error err = {0};
    CHECK_STATUS(render("\n{{ raise_exception('no') }}", "{}", &out, &err), ALM_REFUSED, &err);
    CHECK_STR(alm_str_of(err.text), "no");
    CHECK_STR(alm_str_of(err.hint), "line 2 of the template");
    alm_buf_free(&out);
}

static void limits_can_be_set(void **state) {
    (void)state;
    alm_chat_template *t;
    alm_error err = {0};
    alm_buf out = alm_buf_with_limit(SIZE_MAX);
    CHECK_OK(alm_chat_template_compile(&t, ALM_STR("{% for i in range(50) %}{{ 'abc' }}{% endfor %}"), &err), &err);
    const alm_chat_limits tight[] = {{.steps = 20}, {.memory_bytes = 100}, {.output_bytes = 149}, {.depth = 1}};
    for (size_t i = 0; i < sizeof tight / sizeof *tight; i++) {
        const alm_chat_input in = {.limits = tight[i]};
        CHECK_STATUS(alm_chat_template_render(t, &in, &out, &err), ALM_LIMIT, &err);
    }
    const alm_chat_input enough = {.limits = {.steps = 2000, .memory_bytes = 100000, .output_bytes = 150, .depth = 10}};
    CHECK_OK(alm_chat_template_render(t, &enough, &out, &err), &err);
    CHECK_INT(out.n, 150);
    alm_buf_free(&out);
    alm_chat_template_free(t);
}

/* ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void extra_is_stronger_than_what_is_given_and_variables_are_strongest(void **state) {
    (void)state;
    alm_chat_template *t;
    alm_error err = {0};
    alm_buf out = alm_buf_with_limit(1000);
    alm_json_doc extra = {0}, var = {0};
    char one[] = "{\"bos_token\": \"<x>\", \"a\": 1, \"b\": 2}", two[] = "[3, {\"k\": null}]";
    CHECK_OK(alm_json_parse(&extra, one, strlen(one), NULL, NULL, &err), &err);
    CHECK_OK(alm_json_parse(&var, two, strlen(two), NULL, NULL, &err), &err);
    CHECK_OK(alm_chat_template_compile(&t,
                                       ALM_STR("{{ bos_token }}{{ eos_token }} {{ a }} {{ b }} {{ tools }} {{ q is "
                                               "defined }} {{ add_generation_prompt }}"),
                                       &err),
             &err);
    const alm_chat_var vars[] = {{ALM_STR("b"), &var.node[0]}};
    const alm_chat_input in = {
        .bos_token = "<s>", .eos_token = "</s>", .extra = &extra.node[0], .var = vars, .n_var = 1};
    CHECK_OK(alm_chat_template_render(t, &in, &out, &err), &err);
    CHECK_STR(alm_buf_str(&out), "<x></s> 1 [3, {'k': None}] None False False");
    const alm_chat_input wrong = {.extra = &var.node[0]};
    CHECK_STATUS(alm_chat_template_render(t, &wrong, &out, &err), ALM_INVALID, &err);
    alm_buf_free(&out);
    alm_chat_template_free(t);
    alm_json_doc_free(&extra);
    alm_json_doc_free(&var);
}

static void building_a_text_piece_by_piece_costs_what_it_is_long(void **state) {
    (void)state;
    /* 20,000 joins would move 2 GB if each copied what is there. */
    check_text(
        "{% set ns = namespace(t='', u='') %}{% for i in range(20000) %}{% set ns.t = ns.t + 'abcdefgh' + '12' %}"
        "{% if i == 3 %}{% set ns.u = ns.t %}{% endif %}{% endfor %}{{ ns.t|length }} {{ ns.u }} {{ ns.t[-3:] }}",
        "{}", "200000 abcdefgh12abcdefgh12abcdefgh12abcdefgh12 h12");
    /* A text that was extended is still what it was. */
    check_text(
        "{% set a = 'x' ~ 'y' %}{% set b = a ~ '1' %}{% set c = a ~ '2' %}{{ a }} {{ b }} {{ c }} {{ b ~ b ~ c }}",
        "{}", "xy xy1 xy2 xy1xy1xy2");
}

typedef struct thread_work {
    const alm_chat_template *t;
    alm_json_doc *doc;
    alm_buf out;
    alm_status st;
} thread_work;

static void *in_a_thread(void *arg) {
    thread_work *w = arg;
    for (int i = 0; i < 50 && w->st == ALM_OK; i++) {
        const alm_chat_input in = {.extra = &w->doc->node[0]};
        alm_buf_clear(&w->out);
        w->st = alm_chat_template_render(w->t, &in, &w->out, NULL);
    }
    return NULL;
}

static void a_template_may_be_rendered_by_many_threads_at_once(void **state) {
    (void)state;
    enum { N = 4 };
    alm_chat_template *t;
    alm_error err = {0};
    alm_json_doc doc = {0};
    char json[] = "{\"m\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"x\", \"content\": \"b\"}]}";
    pthread_t thread[N];
    thread_work work[N];
    CHECK_OK(alm_json_parse(&doc, json, strlen(json), NULL, NULL, &err), &err);
    CHECK_OK(alm_chat_template_compile(&t,
                                       ALM_STR("{% macro s(m) %}<{{ m.role|upper }}>{{ m.content }}{% endmacro %}"
                                               "{% for x in m %}{{ s(x) }}{% endfor %}"),
                                       &err),
             &err);
    for (int i = 0; i < N; i++) {
        work[i] = (thread_work){t, &doc, alm_buf_with_limit(1000), ALM_OK};
        CHECK(pthread_create(&thread[i], NULL, in_a_thread, &work[i]) == 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(thread[i], NULL);
        CHECK(work[i].st == ALM_OK);
        CHECK_STR(alm_buf_str(&work[i].out), "<USER>a<X>b");
        alm_buf_free(&work[i].out);
    }
    alm_chat_template_free(t);
    alm_json_doc_free(&doc);
}

static alm_status with_little_memory(void *arg) {
    static const char source[] =
        "{%- macro show(m, sep=': ') -%}{{ m.role ~ sep }}{{ caller() if caller else m['content']|trim }}{%- endmacro "
        "-%}"
        "{%- set ns = namespace(n=0, text='') -%}{%- set list = ['a', 'b'] + ['c'] * 3 -%}"
        "{%- for m in messages if m.role != 'system' -%}{%- set ns.n = ns.n + loop.index -%}{{ show(m) }}{{ "
        "m|tojson(indent=2) }}"
        "{%- call show(m) -%}inside{%- endcall -%}{%- set ns.text = ns.text + m.content -%}{%- endfor -%}"
        "{%- set block -%}{{ list|join(',')|upper }}{%- endset -%}{{ block }}{{ '%s-%05.2f' % ('x', 2.5) }}"
        "{{ '{:>5}'.format(3) }}{{ list|map('upper')|list }}{{ messages|groupby('role')|length }}{{ "
        "range(9)[::-2]|list }}"
        "{{ {'z': 1, 'y': [1.5, none]}|dictsort }}{{ 'a b c'.split() }}{{ strftime_now('%d %b') }}{{ "
        "messages|map(attribute='role')|unique|join }}";
    alm_error err = {0};
    alm_buf out = alm_buf_with_limit(SIZE_MAX);
    alm_status st = render(source, arg, &out, &err);
    if (st == ALM_OK) CHECK(out.n > 200);
    alm_buf_free(&out);
    return st;
}

/* `render` above checks its own copy of the JSON: allocations of the test itself must not fail. */
static alm_json_doc oom_doc;
static alm_status compile_and_render(void *arg) {
    alm_chat_template *t = NULL;
    alm_error err = {0};
    alm_buf out = alm_buf_with_limit(SIZE_MAX);
    alm_status st = alm_chat_template_compile(&t, alm_str_of(arg), &err);
    const alm_chat_input in = {.messages = &oom_doc.node[0], .now_ns = now_ns};
    if (st == ALM_OK) st = alm_chat_template_render(t, &in, &out, &err);
    alm_chat_template_free(t);
    alm_buf_free(&out);
    return st;
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    char json[] = "[{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \" hello \"}, "
                  "{\"role\": \"assistant\", \"content\": \"yes\"}]";
    char context[300];
    alm_error err = {0};
    snprintf(context, sizeof context, "{\"messages\": %s}", json);
    CHECK_OK(with_little_memory(context), &err);
    CHECK_OK(alm_json_parse(&oom_doc, json, strlen(json), NULL, NULL, &err), &err);
    static char source[] =
        "{%- macro show(m, sep=': ') -%}{{ m.role ~ sep }}{{ m['content']|trim }}{%- endmacro -%}"
        "{%- set ns = namespace(n=0, text='') -%}{%- set list = ['a', 'b'] + ['c'] * 3 -%}"
        "{%- for m in messages if m.role != 'system' -%}{%- set ns.n = ns.n + loop.index -%}{{ show(m) }}{{ "
        "m|tojson(indent=2) }}"
        "{%- set ns.text = ns.text + m.content -%}{%- endfor -%}{{ ' ' * 40000 }}"
        "{%- set block -%}{{ list|join(',')|upper }}{%- endset -%}{{ block }}{{ '%s-%05.2f' % ('x', 2.5) }}"
        "{{ '{:>5}'.format(3) }}{{ list|map('upper')|list }}{{ {'z': 1, 'y': [1.5, none]}|dictsort }}{{ 'a b "
        "c'.split() }}";
    ALM_FOR_EACH_ALLOC_FAILURE(compile_and_render, source);
    alm_json_doc_free(&oom_doc);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(small_templates_give_what_jinja2_gives),
    cmocka_unit_test(templates_of_real_models_give_what_jinja2_gives),
    cmocka_unit_test(what_has_no_end_is_stopped),
    cmocka_unit_test(a_source_that_is_nested_too_deep_is_refused),
    cmocka_unit_test(nothing_but_the_data_can_be_reached),
    cmocka_unit_test(a_failure_says_what_and_in_which_line),
    cmocka_unit_test(limits_can_be_set),
    cmocka_unit_test(extra_is_stronger_than_what_is_given_and_variables_are_strongest),
    cmocka_unit_test(building_a_text_piece_by_piece_costs_what_it_is_long),
    cmocka_unit_test(a_template_may_be_rendered_by_many_threads_at_once),
    cmocka_unit_test(every_failing_allocation_is_reported),
};
ALM_TEST_MAIN(tests)
