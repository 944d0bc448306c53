/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log_shape.c - remembered shapes answer as the tokeniser does: over written-out cases and random records, with digits
 * and UUIDs changed from twin to twin. */
#include "alm_test.h"
#include "shapes_agree.h"

static alm_tokens scratch, truth;

static void agree(alm_log_shapes *s, const char *line, size_t n, bool lines_only) {
    const char *differs = shapes_disagree(s, &scratch, &truth, (alm_str){line, n}, lines_only);
    CHECK(!differs, "%.*s\n  %s", (int)n, line, differs);
}

/* The line three times, then twins of it. */
static void agree_with_twins(alm_log_shapes *s, const char *line, size_t n, uint32_t *x, unsigned twins,
                             bool lines_only) {
    char copy[ALM_SHAPE_BYTES + 64];
    memcpy(copy, line, n);
    for (unsigned i = 0; i < 3; i++) agree(s, copy, n, lines_only);
    for (unsigned i = 0; i < twins; i++) {
        other_digits(copy, n, x);
        agree(s, copy, n, lines_only);
    }
}

static void twins_are_answered_from_memory_and_right(void **state) {
    (void)state;
    static const char *const line[] = {
        "took 12 ms of 3.5",
        "code -17, +4, 1,024 and 64MB",
        "at 0x00ff and 3x faster, 0X12 of 10x",
        "from 10.0.0.1 to /10.0.0.2:80",
        "id 123e4567-e89b-12d3-a456-426614174000.",
        "id 12345678-1234-1234-1234-12345678abcd",
        "req-123e4567-e89b-12d3-a456-426614174000 req-f23e4567-e89b-12d3-a456-426614174000: x",
        "a-123e4567-e89b-12d3-a456-426614174000 <123e4567-e89b-12d3-a456-426614174000> "
        "x/123e4567-e89b-12d3-a456-426614174000",
        "[instance: 123e4567-e89b-12d3-a456-426614174000] k=123e4567-e89b-12d3-a456-426614174000= "
        "\"123e4567-e89b-12d3-a456-426614174000\"",
        "aabbccdd-aabb-ccdd-eeff-aabbccddeeff aabbccdd-aabb-ccdd-eeff-aabbccddeef1",
        "on Sat Mar 14 09:26:53 UTC 2026 and Jun 14 15:16:01 2005 1999 8080",
        "deleted x12a x12b 12a3 123a 12a4 x1 x2",
        "deleted 12g3 12g4 12g5 lost 3y4z,3y5z",
        "below <123e4567-e89b-12d3-a456-426614174000 ms and <a23e4567-e89b-12d3-a456-426614174000 ms",
        "part_7 of eth0 key1=5 fn2(7) ssh2: v2 v1.2 <1 sec",
        "{\"a\": 1, \"b2\": \"x1\", \"c\": 123e4567-e89b-12d3-a456-426614174000}",
        "{\"id\": \"123e4567-e89b-12d3-a456-426614174000\", \"n\": [1, 2], \"msg\": \"took 7 s\"}",
        "a=1 b=\"two words 2\" c='x9' d=, e2= f3=4",
    };
    uint32_t x = 7;
    for (size_t i = 0; i < sizeof line / sizeof *line; i++)
        for (int lines_only = 0; lines_only < 2; lines_only++) {
            alm_log_shapes *s = alm_log_shapes_new();
            CHECK(s != NULL);
            agree_with_twins(s, line[i], strlen(line[i]), &x, 200, lines_only);
            uint64_t hits;
            size_t n;
            alm_log_shapes_count(s, &hits, &n);
            CHECK(n > 0 && hits > 0, "%s", line[i]);
            alm_log_shapes_free(s);
        }
}

static void records_of_all_sorts_are_answered_as_the_tokeniser_does(void **state) {
    (void)state;
    static const char *const piece[] = {" ",
                                        " ",
                                        " ",
                                        ", ",
                                        "=",
                                        "\"",
                                        "(",
                                        ")",
                                        "<",
                                        ">",
                                        "[",
                                        "]",
                                        ":",
                                        "/",
                                        ".",
                                        "-",
                                        "_",
                                        "@",
                                        "#",
                                        "x",
                                        "0x",
                                        "0",
                                        "7",
                                        "12",
                                        "2005",
                                        "123456",
                                        "12345678",
                                        "a1",
                                        "eth0",
                                        "blk_-1",
                                        "10.1.2.3",
                                        "user",
                                        "for",
                                        "Jun",
                                        "Sat",
                                        "May",
                                        "14",
                                        "09:26:53",
                                        "UTC",
                                        "true",
                                        "KB",
                                        "deadbeef",
                                        "ff",
                                        "key=",
                                        "msg=",
                                        "1.5",
                                        "C:\\a1",
                                        "/var/1",
                                        "http://a1.b2/?c=3",
                                        "na.org",
                                        "v2",
                                        "\xc3\xa4",
                                        "\t",
                                        "...",
                                        "1,2,3",
                                        "x12 x12",
                                        "{",
                                        "}",
                                        "\\",
                                        "'",
                                        "123e4567-e89b-12d3-a456-426614174000",
                                        "abcdefab-abcd-abcd-abcd-abcdefabcdef",
                                        "00:1b:44:11:3a:b7"};
    uint32_t x = 3;
    alm_log_shapes *s = alm_log_shapes_new();
    CHECK(s != NULL);
    for (unsigned round = 0; round < 20000; round++) {
        char line[ALM_SHAPE_BYTES + 64];
        size_t n = 0;
        for (uint32_t i = 0, pieces = 1 + next_random(&x) % 14; i < pieces; i++) {
            const char *p = piece[next_random(&x) % (sizeof piece / sizeof *piece)];
            memcpy(line + n, p, strlen(p));
            n += strlen(p);
        }
        agree_with_twins(s, line, n, &x, 6, round % 5 == 0);
    }
    uint64_t hits;
    size_t n;
    alm_log_shapes_count(s, &hits, &n);
    CHECK(hits > 50000, "only %llu of 180000 were answered from memory", (unsigned long long)hits);
    alm_log_shapes_free(s);
}

static void lines_of_any_length_agree_and_nothing_behind_them_is_read(void **state) {
    (void)state;
    uint32_t x = 5;
    alm_log_shapes *s = alm_log_shapes_new();
    CHECK(s != NULL);
    for (size_t n = 0; n <= ALM_SHAPE_BYTES + 8; n++) {
        char *line = alm_alloc(n); /* its own block: the sanitizer sees a read behind it */
        CHECK(line != NULL);
        for (size_t i = 0; i < n; i++) line[i] = "ab 12 cd 34-x"[next_random(&x) % 13];
        for (unsigned i = 0; i < 3; i++) {
            agree(s, line, n, false);
            other_digits(line, n, &x);
        }
        alm_free(line);
    }
    alm_log_shapes_free(s);
}

static void memory_stays_bounded_when_shapes_never_end(void **state) {
    (void)state;
    alm_log_shapes *s = alm_log_shapes_new();
    CHECK(s != NULL);
    char line[700];
    for (unsigned round = 0; round < 20000; round++) {
        size_t n = 0;
        for (unsigned i = 0, k = round; i < 100; i++, k = k * 31 + 7)
            n += (size_t)sprintf(line + n, "%c%c 1 ", 'a' + k % 26, 'a' + k / 26 % 26);
        for (unsigned i = 0; i < 3; i++) agree(s, line, n, false);
    }
    uint64_t hits;
    size_t shapes;
    alm_log_shapes_count(s, &hits, &shapes);
    CHECK(shapes > 100 && shapes <= 4096);
    alm_log_shapes_free(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(twins_are_answered_from_memory_and_right),
    cmocka_unit_test(records_of_all_sorts_are_answered_as_the_tokeniser_does),
    cmocka_unit_test(lines_of_any_length_agree_and_nothing_behind_them_is_read),
    cmocka_unit_test(memory_stays_bounded_when_shapes_never_end),
};
ALM_TEST_MAIN(tests)
