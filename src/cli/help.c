/* SPDX-License-Identifier: Apache-2.0
 *
 * help.c - help on a terminal: everything comes from the tables, so that help cannot say what the parser does not do. */
#include "cli/help.h"
#include "cli/columns.h"
#include <stdio.h>
#include <string.h>

const alm_exit_text alm_help_exits[] = {
    {"0", N_("done")},
    {"1", N_("the check found something")},
    {"2", N_("wrongly called")},
    {"3", N_("refused by a rule or signature")},
    {"4", N_("abstained")},
    {"5", N_("failed")},
    {"130", N_("interrupted; the work so far is kept")},
    {NULL, NULL},
};

const alm_exit_text alm_help_environment[] = {
    {"ALM_ISA", N_("plain, avx2, avx512 or neon: forces an instruction set")},
    {"ALM_LOCALE_DIR", N_("folder of the translations")},
    {"NO_COLOR", N_("set to anything: no colours")},
    {"COLUMNS", N_("width of tables where the terminal does not tell")},
    {NULL, NULL},
};

const alm_opt *alm_help_opt(const alm_command *command, size_t *i) {
    for (;; (*i)++) {
        size_t own = command ? command->spec->n_opt : 0;
        if (*i >= own + alm_cli_n_common_opt) return NULL;
        const alm_opt *o = *i < own ? &command->spec->opt[*i] : &alm_cli_common_opts[*i - own];
        if (!(o->flags & ALM_OPT_HIDDEN)) return (*i)++, o;
    }
}

void alm_help_label(alm_buf *b, const alm_opt *o) {
    if (o->letter) alm_buf_printf(b, "-%c%s", o->letter, o->name ? ", " : "");
    if (o->name) alm_buf_printf(b, "--%s", o->name);
    const char *arg = o->arg ? _(o->arg) : o->choices;
    if (!arg) return;
    if (o->flags & ALM_OPT_OPTIONAL) alm_buf_printf(b, "[=%s]", arg);
    else alm_buf_printf(b, " %s", arg);
}

void alm_help_sentence(alm_buf *b, const alm_opt *o, bool all) {
    alm_buf_add_text(b, _(o->help));
    if (!all) return;
    char low[32], high[32];
    low[alm_f64_to_str(low, o->min)] = '\0';
    high[alm_f64_to_str(high, o->max)] = '\0';
    if (o->flags & ALM_OPT_OPEN) {
        alm_buf_add_text(b, "; ");
        alm_buf_printf(b, _("above %s and below %s"), low, high);
    } else if (o->type == ALM_OPT_COUNT && o->max < 1e9) {
        alm_buf_add_text(b, "; ");
        alm_buf_printf(b, _("from %s to %s"), low, high);
    }
    if (o->flags & ALM_OPT_REPEAT) alm_buf_printf(b, "; %s", _("may be given more than once"));
    if (o->not_with) {
        alm_buf_add_text(b, "; ");
        alm_buf_printf(b, _("not together with --%s"), o->not_with);
    }
    if (o->fallback) {
        alm_buf_add_text(b, "; ");
        alm_buf_printf(b, _("default: %s"), o->fallback);
    }
}

/* ── layout ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static size_t text_width(const alm_term *term) { return term->width < 100 ? term->width : 100; }

static void heading(alm_out *out, const alm_term *term, const char *text) {
    alm_out_printf(out, "\n%s%s%s\n", alm_style_on(term, ALM_BOLD), text, alm_style_off(term, ALM_BOLD));
}

/* "  label   text": the text begins at `column`, on its own line when the label is longer. */
static void entry(alm_out *out, const alm_term *term, alm_str label, alm_str text, size_t column) {
    size_t w = alm_utf8_columns(label) + 2;
    alm_out_printf(out, "  %s%.*s%s", alm_style_on(term, ALM_SLOT), ALM_ARG(label), alm_style_off(term, ALM_SLOT));
    if (w + 2 > column) alm_out_text(out, "\n"), w = 0;
    for (; w < column; w++) alm_out_text(out, " ");
    alm_columns_wrap(&out->buf, text, column, text_width(term));
}

static void paragraphs(alm_out *out, const alm_term *term, const char *text) {
    alm_str rest = alm_str_of(text), line;
    while (alm_str_split(&rest, '\n', &line)) alm_columns_wrap(&out->buf, line, 0, text_width(term));
}

static void pairs(alm_out *out, const alm_term *term, const char *title, const alm_exit_text *list) {
    heading(out, term, title);
    for (; list->code; list++) entry(out, term, alm_str_of(list->code), alm_str_of(_(list->text)), 18);
}

static void options(alm_out *out, const alm_term *term, const alm_command *command, bool all) {
    const char *section = NULL;
    alm_buf label = alm_buf_with_limit(4096), text = alm_buf_with_limit(4096);
    const alm_opt *o;
    for (size_t i = 0; (o = alm_help_opt(command, &i));) {
        if (!section || strcmp(section, o->section) != 0) heading(out, term, _(section = o->section));
        alm_buf_clear(&label);
        alm_buf_clear(&text);
        if (!o->letter) alm_buf_add_text(&label, "    ");
        alm_help_label(&label, o);
        alm_help_sentence(&text, o, all);
        entry(out, term, alm_buf_str(&label), alm_buf_str(&text), 28);
    }
    alm_buf_free(&label);
    alm_buf_free(&text);
}

void alm_help_program(alm_out *out, const alm_term *term, bool all) {
    alm_out_printf(out, "%s\n", _("alm: learns what is normal in records, finds what is not, and says why"));
    heading(out, term, _("Usage"));
    alm_out_printf(out, "  alm %s\n", _("COMMAND [OPTIONS] [FILE...]"));
    const char *group = NULL;
    for (size_t i = 0; i < alm_n_command; i++) {
        if (!group || strcmp(group, alm_commands[i].group) != 0) heading(out, term, _(group = alm_commands[i].group));
        entry(out, term, alm_str_of(alm_commands[i].name), alm_str_of(_(alm_commands[i].purpose)), 18);
    }
    if (all) {
        options(out, term, NULL, true);
        pairs(out, term, _("Exit codes"), alm_help_exits);
        pairs(out, term, _("Environment"), alm_help_environment);
    }
    alm_out_printf(out, "\n%s\n", _("`alm COMMAND --help` shows a command with examples."));
}

void alm_help_command(alm_out *out, const alm_term *term, const alm_command *command, bool all) {
    const alm_command_spec *s = command->spec;
    alm_out_printf(out, "alm %s: %s\n", command->name, _(command->purpose));
    heading(out, term, _("Usage"));
    alm_out_printf(out, "  alm %s %s%s%s\n", command->name, _("[OPTIONS]"), *s->operands ? " " : "",
                   *s->operands ? _(s->operands) : "");
    if (all && s->about) {
        alm_out_text(out, "\n");
        paragraphs(out, term, _(s->about));
    }
    options(out, term, command, all);
    if (!all) {
        alm_out_printf(out, "\n");
        alm_out_printf(out, _("`alm %s --help` says more, with examples."), command->name);
        alm_out_text(out, "\n");
        return;
    }
    if (s->n_example) heading(out, term, _("Examples"));
    for (size_t i = 0; i < s->n_example; i++) {
        alm_out_text(out, "  ");
        alm_columns_wrap(&out->buf, alm_str_of(_(s->example[i].about)), 2, text_width(term));
        alm_out_printf(out, "    %s%s%s\n", alm_style_on(term, ALM_SLOT), s->example[i].line,
                       alm_style_off(term, ALM_SLOT));
    }
    pairs(out, term, _("Exit codes"), alm_help_exits);
}
