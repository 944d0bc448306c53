/* SPDX-License-Identifier: Apache-2.0
 *
 * sessions.c - the columns are found by their names, so further ones may stand between them. */
#include "cli/sessions.h"
#include "base/error.h"

alm_status alm_sessions_open(alm_input *out, alm_cli *cli, const alm_input_values *v, const char *const *names,
                             size_t n_names, const char *what, alm_error *err) {
    alm_input_values tsv = *v;
    char word[32];
    for (int i = 0; alm_opt_choice(alm_input_formats, (size_t)i, word, sizeof word); i++)
        if (strcmp(word, "tsv") == 0) tsv.format = i;
    tsv.multiline = "off";
    return alm_input_open(out, cli, &tsv, names, n_names, ALM_INPUT_NO_TIME | ALM_INPUT_NO_TOKENS, what, err);
}

int alm_session_label(alm_str text) {
    if (text.n == 0) return -1;
    return !(alm_str_eq(text, ALM_STR("0")) || alm_str_eq(text, ALM_STR("normal")) || alm_str_eq(text, ALM_STR("-")));
}

alm_status alm_sessions_next(alm_input *in, alm_session *out, alm_error *err) {
    alm_record r;
    alm_status st = alm_input_next(in, &r, err);
    if (st != ALM_OK) return st;
    *out = (alm_session){.name = alm_record_field(&r, ALM_STR("session")),
                         .events = alm_record_field(&r, ALM_STR("events")),
                         .label = alm_session_label(alm_record_field(&r, ALM_STR("label"))),
                         .line = r.line,
                         .source = r.source};
    const char *missing = !out->name.at ? "session" : !out->events.at ? "events" : NULL;
    if (!missing) return ALM_OK;
    alm_fail(err, ALM_MALFORMED, _("%s:%llu: no column `%s`"), r.source, (unsigned long long)r.line, missing);
    return alm_hint(err, _("--sessions reads TSV whose first line names the columns: session<TAB>events")),
           ALM_MALFORMED;
}
