/* SPDX-License-Identifier: Apache-2.0
 *
 * test_examples.c - every example in the help runs as it stands: one folder, in the order of the help, so that a model
 * which one example learns is there for the next. One TAP line an example. */
#include "cli/cli.h"
#include "typed.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    const char *root = getenv("ALM_SOURCE_ROOT");
    char folder[320], setup[4096];
    snprintf(folder, sizeof folder, "%s", typed_folder());
    snprintf(setup, sizeof setup, "sh '%s/tests/cli/examples.sh' '%s/tests/cli/shop.sh'", root ? root : ".",
             root ? root : ".");
    typed_result r = typed_run(folder, setup, NULL, false);
    if (r.code != 0) {
        printf("Bail out! the files of the examples cannot be made: %s\n", r.err);
        return 99;
    }
    typed_result_free(&r);
    int n = 0, n_failed = 0;
    puts("TAP version 13");
    for (size_t c = 0; c < alm_n_command; c++)
        for (size_t i = 0; i < alm_commands[c].spec->n_example; i++) {
            const char *line = alm_commands[c].spec->example[i].line;
            r = typed_run(folder, line, NULL, typed_under_german());
            bool good = r.code == 0 && !strstr(r.err, "alm: ");
            printf("%s %d - alm help %s: %s\n", good ? "ok" : "not ok", ++n, alm_commands[c].name, line);
            if (!good) printf("# exit code %d\n# %.2000s\n", r.code, r.err);
            n_failed += !good;
            typed_result_free(&r);
        }
    printf("1..%d\n", n);
    return n_failed != 0;
}
