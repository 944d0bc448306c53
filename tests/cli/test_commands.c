/* SPDX-License-Identifier: Apache-2.0
 *
 * test_commands.c - the table of commands and everything that is made from it agree: files, help, man pages, completion. */
#include "alm_test.h"
#include "cli/help.h"

static char *help_of(const alm_command *c, bool all) {
    alm_out out = alm_out_on(-1);
    alm_term term = {.width = 100, .utf8 = true};
    alm_help_command(&out, &term, c, all);
    CHECK(alm_buf_text(&out.buf) != NULL);
    return out.buf.at;
}

static char *scd_of(const alm_command *c) {
    alm_out out = alm_out_on(-1);
    alm_help_scd(&out, c);
    CHECK(alm_buf_text(&out.buf) != NULL);
    return out.buf.at;
}

static void every_row_has_a_file_and_every_file_a_row(void **state) {
    (void)state;
    alm_names names = {0};
    alm_error err = {0};
    CHECK_OK(alm_dir_list(&names, alm_test_source("src/cli"), &err), &err);
    size_t n_file = 0;
    for (size_t i = 0; i < names.n; i++) {
        char word[64];
        int end = 0;
        if (sscanf(names.at[i], "cmd_%60[a-z].c%n", word, &end) != 1 || names.at[i][end]) continue;
        n_file++;
        CHECK(alm_command_find(word) != NULL, "%s has no row in commands.def", names.at[i]);
    }
    CHECK_INT(n_file, alm_n_command);
    alm_names_free(&names);
}

static void every_option_stands_in_help_and_man_page(void **state) {
    (void)state;
    for (size_t c = 0; c < alm_n_command; c++) {
        char *in_short = help_of(&alm_commands[c], false), *in_full = help_of(&alm_commands[c], true),
             *scd = scd_of(&alm_commands[c]);
        const alm_opt *o;
        for (size_t i = 0; (o = alm_help_opt(&alm_commands[c], &i));) {
            char label[80];
            snprintf(label, sizeof label, o->name ? "--%s" : "-h", o->name);
            CHECK_HOLDS(in_short, label);
            CHECK_HOLDS(in_full, label);
            /* scdoc's notation escapes nothing in option names but the dash is kept */
            CHECK_HOLDS(scd, label);
        }
        alm_free(in_short), alm_free(in_full), alm_free(scd);
    }
}

static void every_option_stands_in_the_completion_of_each_shell(void **state) {
    (void)state;
    for (int shell = ALM_BASH; shell <= ALM_FISH; shell++) {
        alm_out out = alm_out_on(-1);
        /* -1 is never written to: the script is shorter than a block is not promised, so collect it in a file */
        char path[64] = "/tmp/alm-completion-XXXXXX";
        out.fd = mkstemp(path);
        CHECK(out.fd >= 0);
        alm_help_completion(&out, (alm_shell)shell);
        CHECK(alm_out_flush(&out));
        char *script = alm_test_slurp(path, NULL);
        for (size_t c = 0; c < alm_n_command; c++) {
            CHECK_HOLDS(script, alm_commands[c].name);
            const alm_opt *o;
            for (size_t i = 0; (o = alm_help_opt(&alm_commands[c], &i));) {
                if (!o->name) continue;
                char label[80];
                snprintf(label, sizeof label, shell == ALM_FISH ? "-l %s" : "--%s", o->name);
                CHECK_HOLDS(script, label);
            }
        }
        close(out.fd);
        unlink(path);
        alm_free(script);
        alm_out_free(&out);
    }
}

static void every_table_is_well_formed(void **state) {
    (void)state;
    for (size_t c = 0; c < alm_n_command; c++) {
        const alm_command_spec *s = alm_commands[c].spec;
        const char *name = alm_commands[c].name;
        CHECK(s->n_opt <= 64 && s->run && s->about && s->operands, "%s", name);
        CHECK(s->n_example >= 2, "%s has fewer than two examples", name);
        for (size_t i = 0; i < s->n_example; i++)
            CHECK(strstr(s->example[i].line, "alm ") != NULL, "%s", s->example[i].line);
        for (size_t i = 0; i < s->n_opt; i++) {
            const alm_opt *o = &s->opt[i];
            CHECK(o->name && o->help && o->section, "%s, option %zu", name, i);
            CHECK(o->at < s->values_bytes, "%s --%s", name, o->name);
            CHECK(o->type == ALM_OPT_FLAG     ? !o->arg && !o->choices
                  : o->type == ALM_OPT_CHOICE ? o->choices != NULL
                                              : o->arg != NULL,
                  "%s --%s", name, o->name);
            CHECK(o->help[strlen(o->help) - 1] != '.', "%s --%s ends with a full stop", name, o->name);
            if (o->type == ALM_OPT_COUNT || o->type == ALM_OPT_REAL)
                CHECK(o->min < o->max, "%s --%s has no range", name, o->name);
            for (size_t k = 0; k < s->n_opt + alm_cli_n_common_opt; k++) {
                const alm_opt *p = k < s->n_opt ? &s->opt[k] : &alm_cli_common_opts[k - s->n_opt];
                if (p == o) continue;
                CHECK(!p->name || strcmp(p->name, o->name) != 0, "%s has --%s twice", name, o->name);
                CHECK(!o->letter || p->letter != o->letter, "%s has -%c twice", name, o->letter);
            }
        }
    }
}

static void hidden_options_are_in_no_help(void **state) {
    (void)state;
    char *help = help_of(alm_command_find("help"), true);
    CHECK(strstr(help, "--scd") == NULL);
    alm_free(help);
}

static void exit_codes_follow_the_status(void **state) {
    (void)state;
    CHECK_INT(alm_cli_exit_code(ALM_OK), 0);
    CHECK_INT(alm_cli_exit_code(ALM_INVALID), 2);
    CHECK_INT(alm_cli_exit_code(ALM_REFUSED), 3);
    CHECK_INT(alm_cli_exit_code(ALM_MALFORMED), 5);
    CHECK_INT(alm_cli_exit_code(ALM_NOT_FOUND), 5);
    CHECK_INT(alm_cli_exit_code(ALM_IO), 5);
    CHECK_INT(alm_cli_exit_code(ALM_INTERRUPTED), 130);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_row_has_a_file_and_every_file_a_row),
    cmocka_unit_test(every_option_stands_in_help_and_man_page),
    cmocka_unit_test(every_option_stands_in_the_completion_of_each_shell),
    cmocka_unit_test(every_table_is_well_formed),
    cmocka_unit_test(hidden_options_are_in_no_help),
    cmocka_unit_test(exit_codes_follow_the_status),
};
ALM_TEST_MAIN(tests)
