/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_log_shape.c - any lines, and lines of the same shape with other digits: what is answered from memory is what the
 * tokeniser says, field by field. */
#include "../detect/shapes_agree.h"
#include "base/alloc.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static alm_tokens scratch, truth; /* large, and the same for every input */
    if (n < 1 || n > 1 << 16) return 0;
    bool lines_only = data[0] & 1;
    uint32_t x = data[0] * 2654435761u;
    alm_log_shapes *s = alm_log_shapes_new();
    char *copy = alm_alloc(n);
    CHECK(s && copy);
    memcpy(copy, data + 1, n - 1);
    for (unsigned round = 0; round < 5; round++) {
        alm_str rest = {copy, n - 1}, line;
        while (rest.n && alm_str_split(&rest, '\n', &line))
            CHECK(!shapes_disagree(s, &scratch, &truth, line, lines_only));
        if (round >= 1) other_digits(copy, n - 1, &x);
    }
    alm_free(copy);
    alm_log_shapes_free(s);
    return 0;
}
