/* SPDX-License-Identifier: Apache-2.0
 *
 * complete.c - completion scripts for bash, zsh and fish. They are data made from the tables, not calls of the program:
 * a shell completes at every key, and the program may be far away or busy. */
#include "cli/help.h"
#include <string.h>

static void command_names(alm_out *out) {
    for (size_t i = 0; i < alm_n_command; i++) alm_out_printf(out, "%s%s", i ? " " : "", alm_commands[i].name);
}

/* "a|b|c" with blanks instead. */
static void words(alm_out *out, const char *choices) {
    if (strcmp(choices, "@commands") == 0) {
        command_names(out);
        return;
    }
    for (; *choices; choices++) alm_out_add(out, *choices == '|' ? " " : choices, 1);
}

/* Inside '…' of a shell; `also` are characters that need a backslash in this place. */
static void quoted(alm_out *out, const char *text, const char *also) {
    for (; *text; text++) {
        if (*text == '\'') {
            alm_out_text(out, "'\\''");
            continue;
        }
        if (strchr(also, *text)) alm_out_text(out, "\\");
        alm_out_add(out, text, 1);
    }
}

/* ── bash ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static void bash_pattern(alm_out *out, const alm_opt *o) {
    if (o->letter) alm_out_printf(out, "-%c%s", o->letter, o->name ? "|" : "");
    if (o->name) alm_out_printf(out, "--%s", o->name);
}

static void bash_command(alm_out *out, const alm_command *c) {
    alm_out_printf(out, "        %s)\n            case $prev in\n", c->name);
    const alm_opt *o;
    for (size_t i = 0; (o = alm_help_opt(c, &i));) {
        if (o->type == ALM_OPT_FLAG || (o->flags & ALM_OPT_OPTIONAL)) continue;
        alm_out_text(out, "                ");
        bash_pattern(out, o);
        if (o->type == ALM_OPT_CHOICE)
            alm_out_text(out, ") words='"), words(out, o->choices), alm_out_text(out, "' ;;\n");
        else if (o->type == ALM_OPT_FILE) alm_out_text(out, ") files=1 ;;\n");
        else alm_out_text(out, ") return ;;\n");
    }
    alm_out_text(out, "                *) if [[ $cur == -* ]]; then words='");
    for (size_t i = 0, n = 0; (o = alm_help_opt(c, &i)); n++) {
        if (o->letter) alm_out_printf(out, "%s-%c", n ? " " : "", o->letter);
        if (o->name) alm_out_printf(out, "%s--%s", n || o->letter ? " " : "", o->name);
    }
    alm_out_text(out, "'; else ");
    if (c->spec->words) alm_out_text(out, "words='"), words(out, c->spec->words), alm_out_text(out, "'");
    else alm_out_text(out, c->spec->operands_are_files ? "files=1" : "return");
    alm_out_text(out, "; fi ;;\n            esac ;;\n");
}

static void bash(alm_out *out) {
    alm_out_text(out,
                 "# bash completion for alm, made by `alm completion bash`\n"
                 "_alm() {\n"
                 "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words= files=\n"
                 "    # bash takes --option=value apart at the sign\n"
                 "    if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                 "    if [[ $COMP_CWORD -eq 1 ]]; then words='");
    command_names(out);
    alm_out_text(out, " --help --version'\n    else case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < alm_n_command; i++) bash_command(out, &alm_commands[i]);
    alm_out_text(out, "    esac; fi\n"
                      "    if [[ -n $files ]]; then compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen "
                      "-f -- \"$cur\")\n"
                      "    else mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\"); fi\n"
                      "}\n"
                      "complete -F _alm alm\n");
}

/* ── zsh ────────────────────────────────────────────────────────────────────────────────────────────────────── */

static void zsh_option(alm_out *out, const alm_opt *o) {
    bool value = o->type != ALM_OPT_FLAG, optional = (o->flags & ALM_OPT_OPTIONAL) != 0;
    alm_out_text(out, "                ");
    if (o->flags & ALM_OPT_REPEAT) alm_out_text(out, "'*'");
    if (o->letter && o->name) {
        if (!(o->flags & ALM_OPT_REPEAT)) alm_out_printf(out, "'(-%c --%s)'", o->letter, o->name);
        alm_out_printf(out, "{-%c%s,--%s%s}", o->letter, value ? "+" : "", o->name, value ? "=" : "");
    } else if (o->letter) alm_out_printf(out, "-%c%s", o->letter, value ? "+" : "");
    else alm_out_printf(out, "--%s%s", o->name, !value ? "" : optional ? "=-" : "=");
    alm_out_text(out, "'[");
    quoted(out, _(o->help), "[]:\\");
    alm_out_text(out, "]");
    if (value) {
        alm_out_text(out, optional ? "::" : ":");
        quoted(out, o->arg ? _(o->arg) : o->name, ":\\");
        alm_out_text(out, ":");
        if (o->type == ALM_OPT_CHOICE) alm_out_text(out, "("), words(out, o->choices), alm_out_text(out, ")");
        else if (o->type == ALM_OPT_FILE) alm_out_text(out, "_files");
        if (o->flags & ALM_OPT_TWO) alm_out_text(out, o->type == ALM_OPT_FILE ? ":second:_files" : ":second:");
    }
    alm_out_text(out, "' \\\n");
}

static void zsh(alm_out *out) {
    alm_out_text(out, "#compdef alm\n# zsh completion for alm, made by `alm completion zsh`\n"
                      "_alm() {\n"
                      "    local curcontext=$curcontext state line\n"
                      "    local -a commands\n"
                      "    _arguments -C '1: :->command' '*:: :->rest'\n"
                      "    case $state in\n"
                      "    command)\n        commands=(\n");
    for (size_t i = 0; i < alm_n_command; i++) {
        alm_out_printf(out, "            '%s:", alm_commands[i].name);
        quoted(out, _(alm_commands[i].purpose), ":\\");
        alm_out_text(out, "'\n");
    }
    alm_out_text(out, "        )\n        _describe command commands ;;\n    rest)\n        case $words[1] in\n");
    for (size_t i = 0; i < alm_n_command; i++) {
        const alm_command *c = &alm_commands[i];
        alm_out_printf(out, "        %s)\n            _arguments -s \\\n", c->name);
        const alm_opt *o;
        for (size_t k = 0; (o = alm_help_opt(c, &k));) zsh_option(out, o);
        if (c->spec->words)
            alm_out_text(out, "                '1:word:("), words(out, c->spec->words), alm_out_text(out, ")' ;;\n");
        else
            alm_out_text(out,
                         c->spec->operands_are_files ? "                '*:file:_files' ;;\n" : "                ;;\n");
    }
    alm_out_text(out, "        esac ;;\n    esac\n}\n"
                      "if [[ $funcstack[1] == _alm ]]; then _alm \"$@\"; elif (( $+functions[compdef] )); then compdef "
                      "_alm alm; fi\n");
}

/* ── fish ───────────────────────────────────────────────────────────────────────────────────────────────────── */

/* In fish's '…' a backslash and a quote are escaped by a backslash. */
static void fish_quoted(alm_out *out, const char *text) {
    alm_out_text(out, "'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') alm_out_text(out, "\\");
        alm_out_add(out, text, 1);
    }
    alm_out_text(out, "'");
}

static void fish(alm_out *out) {
    alm_out_text(out, "# fish completion for alm, made by `alm completion fish`\ncomplete -c alm -f\n");
    for (size_t i = 0; i < alm_n_command; i++) {
        alm_out_printf(out, "complete -c alm -n __fish_use_subcommand -a %s -d ", alm_commands[i].name);
        fish_quoted(out, _(alm_commands[i].purpose));
        alm_out_text(out, "\n");
    }
    for (size_t i = 0; i < alm_n_command; i++) {
        const alm_command *c = &alm_commands[i];
        const alm_opt *o;
        if (c->spec->operands_are_files)
            alm_out_printf(out, "complete -c alm -n '__fish_seen_subcommand_from %s' -F\n", c->name);
        if (c->spec->words)
            alm_out_printf(out, "complete -c alm -n '__fish_seen_subcommand_from %s' -a '", c->name),
                words(out, c->spec->words), alm_out_text(out, "'\n");
        for (size_t k = 0; (o = alm_help_opt(c, &k));) {
            alm_out_printf(out, "complete -c alm -n '__fish_seen_subcommand_from %s'", c->name);
            if (o->letter) alm_out_printf(out, " -s %c", o->letter);
            if (o->name) alm_out_printf(out, " -l %s", o->name);
            if (o->type == ALM_OPT_CHOICE)
                alm_out_text(out, " -x -a '"), words(out, o->choices), alm_out_text(out, "'");
            else if (o->type == ALM_OPT_FILE) alm_out_text(out, " -r -F");
            else if (o->type != ALM_OPT_FLAG && !(o->flags & ALM_OPT_OPTIONAL)) alm_out_text(out, " -x");
            alm_out_text(out, " -d ");
            fish_quoted(out, _(o->help));
            alm_out_text(out, "\n");
        }
    }
}

void alm_help_completion(alm_out *out, alm_shell shell) {
    switch (shell) {
    case ALM_BASH: bash(out); break;
    case ALM_ZSH: zsh(out); break;
    case ALM_FISH: fish(out); break;
    }
}
