/* SPDX-License-Identifier: Apache-2.0
 *
 * man.c - the same tables in scdoc's notation, from which the build makes the man pages. */
#include "cli/help.h"
#include <ctype.h>
#include <string.h>

/* scdoc gives meaning to these; with a backslash they mean themselves. */
static void plain(alm_out *out, const char *text) {
    for (; *text; text++) {
        if (strchr("\\_*#[]|<>~`", *text)) alm_out_text(out, "\\");
        alm_out_add(out, text, 1);
    }
}

static void label(alm_out *out, const alm_opt *o) {
    if (o->letter) alm_out_printf(out, "*-%c*%s", o->letter, o->name ? ", " : "");
    if (o->name) alm_out_text(out, "*--"), plain(out, o->name), alm_out_text(out, "*");
    const char *arg = o->arg ? _(o->arg) : o->choices;
    if (!arg) return;
    bool optional = (o->flags & ALM_OPT_OPTIONAL) != 0;
    alm_out_text(out, optional ? "\\[=" : " ");
    if (o->choices) plain(out, arg);
    else alm_out_text(out, "_"), plain(out, arg), alm_out_text(out, "_");
    if (optional) alm_out_text(out, "\\]");
}

static void options(alm_out *out, const alm_command *command) {
    const char *section = NULL;
    alm_buf text = alm_buf_with_limit(4096);
    const alm_opt *o;
    alm_out_printf(out, "# %s\n\n", _("OPTIONS"));
    for (size_t i = 0; (o = alm_help_opt(command, &i));) {
        if (!section || strcmp(section, o->section) != 0)
            alm_out_text(out, "## "), plain(out, _(section = o->section)), alm_out_text(out, "\n\n");
        label(out, o);
        alm_buf_clear(&text);
        alm_help_sentence(&text, o, true);
        alm_out_text(out, "\n\t");
        if (alm_buf_text(&text)) plain(out, alm_buf_text(&text));
        alm_out_text(out, ".\n\n");
    }
    alm_buf_free(&text);
}

static void pairs(alm_out *out, const char *title, const alm_exit_text *list) {
    alm_out_printf(out, "# %s\n\n", title);
    for (; list->code; list++) {
        alm_out_text(out, "*");
        plain(out, list->code);
        alm_out_text(out, "*\n\t");
        plain(out, _(list->text));
        alm_out_text(out, ".\n\n");
    }
}

static void program(alm_out *out) {
    alm_out_printf(out, "alm(1)\n\n# %s\n\nalm - ", _("NAME"));
    plain(out, _("learns what is normal in records, finds what is not, and says why"));
    alm_out_printf(out, "\n\n# %s\n\n*alm* _", _("SYNOPSIS"));
    plain(out, _("COMMAND"));
    alm_out_text(out, "_ ");
    plain(out, _("[OPTIONS]"));
    alm_out_text(out, " ");
    plain(out, _("[FILE...]"));
    alm_out_printf(out, "\n\n# %s\n\n", _("COMMANDS"));
    for (size_t i = 0; i < alm_n_command; i++) {
        alm_out_printf(out, "*alm-%s*(1)\n\t", alm_commands[i].name);
        plain(out, _(alm_commands[i].purpose));
        alm_out_text(out, ".\n\n");
    }
    options(out, NULL);
    pairs(out, _("EXIT STATUS"), alm_help_exits);
    pairs(out, _("ENVIRONMENT"), alm_help_environment);
}

void alm_help_scd(alm_out *out, const alm_command *command) {
    if (!command) {
        program(out);
        return;
    }
    const alm_command_spec *s = command->spec;
    alm_out_printf(out, "alm-%s(1)\n\n# %s\n\nalm-%s - ", command->name, _("NAME"), command->name);
    plain(out, _(command->purpose));
    alm_out_printf(out, "\n\n# %s\n\n*alm %s* ", _("SYNOPSIS"), command->name);
    plain(out, _("[OPTIONS]"));
    if (*s->operands) alm_out_text(out, " "), plain(out, _(s->operands));
    alm_out_printf(out, "\n\n# %s\n\n", _("DESCRIPTION"));
    plain(out, s->about ? _(s->about) : _(command->purpose));
    alm_out_text(out, "\n\n");
    options(out, command);
    if (s->n_example) alm_out_printf(out, "# %s\n\n", _("EXAMPLES"));
    for (size_t i = 0; i < s->n_example; i++) {
        plain(out, _(s->example[i].about));
        alm_out_printf(out, "\n\n```\n%s\n```\n\n", s->example[i].line);
    }
    pairs(out, _("EXIT STATUS"), alm_help_exits);
    alm_out_printf(out, "# %s\n\n*alm*(1)", _("SEE ALSO"));
    alm_str rest = alm_str_of(s->see_also ? s->see_also : ""), word;
    while (s->see_also && alm_str_split(&rest, ' ', &word)) alm_out_printf(out, ", *alm-%.*s*(1)", ALM_ARG(word));
    alm_out_text(out, "\n");
}
