/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/neon/cmocka.h - as much of cmocka as the tests of numbers need: no package has it for a foreign processor. */
#ifndef CMOCKA_H_
#define CMOCKA_H_

#include <setjmp.h>
#include <stdio.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
};
#define cmocka_unit_test(function) \
    { #function, function }

static jmp_buf cmocka_end;
#define print_error(...)   printf("# " __VA_ARGS__)
#define print_message(...) printf("# " __VA_ARGS__)
#define _fail(file, line)  longjmp(cmocka_end, 1)
#define skip()             longjmp(cmocka_end, 2)

#define cmocka_run_group_tests(tests, setup, teardown) cmocka_run(tests, sizeof(tests) / sizeof *(tests))
static inline int cmocka_run(const struct CMUnitTest *tests, size_t n) {
    static size_t i;
    static int failed;
    for (i = 0; i < n; i++) {
        void *state = NULL;
        int how = setjmp(cmocka_end);
        if (how == 0) tests[i].test(&state);
        failed += how == 1;
        printf("%s %zu - %s%s\n", how == 1 ? "not ok" : "ok", i + 1, tests[i].name, how == 2 ? " # SKIP" : "");
        fflush(stdout);
    }
    printf("1..%zu\n", n);
    return failed;
}

#endif
