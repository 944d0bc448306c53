/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log_token.c - what is a word, what is a value: the tokeniser over written-out cases, and its marks over all bytes. */
#include "alm_test.h"
#include "detect/log_lexer.h"

static alm_tokens tokens;

/* The record with its slots as <type>, soft ones as <type?>. */
static const char *shape(const char *record, bool lines_only) {
    static char out[4096];
    alm_buf b = alm_buf_with_limit(sizeof out - 1);
    alm_log_tokenise(&tokens, alm_str_of(record), NULL, 0, lines_only);
    for (uint32_t i = 0; i < tokens.n; i++) {
        const alm_token *t = &tokens.at[i];
        alm_buf_add(&b, record + t->sep_at, t->at - t->sep_at);
        if (t->type == ALM_SLOT_CONST) alm_buf_add(&b, record + t->at, t->n);
        else alm_buf_printf(&b, "<%s%s>", alm_slot_name(t->type), (t->flags & ALM_TOKEN_SOFT) ? "?" : "");
    }
    alm_buf_add(&b, record + tokens.tail_at, tokens.tail_end - tokens.tail_at);
    memcpy(out, b.at, b.n);
    out[b.n] = 0;
    alm_buf_free(&b);
    return out;
}

static void check_shapes(const char *const (*row)[2], size_t n, bool lines_only) {
    for (size_t i = 0; i < n; i++) {
        const char *got = shape(row[i][0], lines_only);
        CHECK(strcmp(got, row[i][1]) == 0, "%s\n  gives  %s\n  wanted %s", row[i][0], got, row[i][1]);
    }
}
#define CHECK_SHAPES(rows) check_shapes(rows, sizeof rows / sizeof *rows, false)

static void values_are_known_by_their_form(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"took 12 ms of 3.5", "took <num> <word?> of <num>"},
        {"code -17, +4, 1,024 and 64MB", "code <num>, <num>, <num> and <num>"},
        {"at 0x00ff and deadbeef12", "at <hex> and <hex>"},
        {"from 10.0.0.1 to /10.0.0.2:80", "from <ip> to <ip>:<num>"},
        {"peers 10.0.0.1,10.0.0.2 up", "peers <ip> up"},
        {"id 123e4567-e89b-12d3-a456-426614174000.", "id <uuid>."},
        {"req-123e4567-e89b-12d3-a456-426614174000 req-f23e4567-e89b-12d3-a456-426614174000", "req-<uuid> req-<uuid>"},
        {"hw 00:1b:44:11:3a:b7 and de:ad:be:ef:00:01", "hw <mac> and <mac>"},
        {"route fe80::1ff:fe23:4567:890a", "route <ip>"},
        {"open /var/lib/x failed", "open <path> failed"},
        {"open ./x ~/y C:\\Temp\\a.txt", "open <path> <path> <path>"},
        {"see https://example.org/a?b=1&c=2.", "see https://<url>."},
        {"on Sat Mar 14 09:26:53 UTC 2026 and 2026-03-14T09:26:53Z", "on <time> and <time>"},
        {"May we march on Sunday", "May we march on Sunday"},
        {"mail to anna@example.org now", "mail to <email?> now"},
        {"block blk_-123456789 of task_2026_0001", "block <id> of <id>"},
        {"core.2275 jetty-6.1.26 CPU#3", "core.<num> jetty-<num> CPU#<num>"},
        {"lifetime <1 sec", "lifetime <num>"},
        {"ready: true, next: null, enabled:false", "ready: <bool>, next: <bool>, enabled:<bool>"},
        {"web-12:8080 db7:5432", "web-<num>:<num> <host>:<num>"},
        {"illegal instruction......0", "illegal instruction......<num>"},
        {"\"GET /a/b HTTP/1.1\" 200", "\"GET <path>\" <num>"},
        {"deleted blk_100 blk_200 blk_300", "deleted <id>"},
        {"piece part_7, mask ffffffff", "piece <id>, mask <hex>"},
        {"example.org:443 closed, main.c:12 not", "<host>:<num> closed, main.c:<num> not"},
        {"copied C:\\Windows\\a.dll", "copied <path>"},
    };
    CHECK_SHAPES(rows);
}

static void values_are_known_by_their_place(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"user=root tty=ssh ruser= rhost=", "user=<word?> tty=<word?> ruser=<*?> rhost=<*?>"},
        {"a= b=1", "a=<*?> b=<num>"},
        {"driver 'usb' loaded", "driver '<word?>' loaded"},
        {"chdir(home) failed", "chdir(<word?>) failed"},
        {"init() of jk2_init() done", "init() of jk2_init() done"},
        {"host () seen", "host (<*?>) seen"},
        {"[-] idle", "[<*?>] idle"},
        {"tag=\"two words\", next=\"n 1\"", "tag=\"<str?>\", next=\"<str>\""},
        {"level=info msg=\"user anna left\" id=7", "level=<word?> msg=\"user anna left\" id=<num>"},
        {"eth0 is up on ssh2", "<id?> is up on <id?>"},
        {"eth0: link up", "<id?>: link up"},
        {"r24=0x1 r25=0x2", "r24=<hex> r25=<hex>"},
        {"class org.example.Main started", "class <word?> started"},
        {"action:org.example.Run done", "action:<word?> done"},
        {"closed for user anna", "closed for user <word>"},
        {"the user anna left", "the user anna left"},
    };
    CHECK_SHAPES(rows);
}

static void json_is_taken_by_its_structure(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"{\"level\":\"info\",\"msg\":\"user anna left 3 times\",\"n\":-5,\"ok\":true}",
         "{\"level\":\"<word?>\",\"msg\":\"user anna left <num> times\",\"n\":<num>,\"ok\":<bool>}"},
        {"{\"who\":\"Anna Schmidt\",\"at\":{\"ip\":\"10.0.0.1\",\"tags\":[1,{\"a\":\"]\"}]},\"x\":\"\"}",
         "{\"who\":\"<str?>\",\"at\":{\"ip\":\"<ip>\",\"tags\":<list>},\"x\":\"<*?>\"}"},
        {"{}", "{}"},
        {"{ \"a\" : 1.5e3 , \"b\" : null }", "{ \"a\" : <num> , \"b\" : <bool> }"},
        {"{\"a\":\"b\\\"c d\"}", "{\"a\":\"<str?>\"}"},
    };
    CHECK_SHAPES(rows);
    static const char *const broken[][2] = {
        /* not JSON: taken as a line */
        {"{\"a\":1", "{\"<word?>\":<num>"},
        {"{a 1}", "{a <num>}"},
        {"{\"a\" 1}", "{\"<word?>\" <num>}"},
    };
    CHECK_SHAPES(broken);
    static const char *const as_line[][2] = {{"{\"a\":1}", "{\"<word?>\":<num>}"}};
    check_shapes(as_line, 1, true);
}

static void records_that_differ_in_values_only_have_one_key(void **state) {
    (void)state;
    static const char *const same[][2] = {
        {"took 12 ms", "took 7 ms"},
        {"user=root id=1", "user=anna id=a1b2c3d4"},
        {"a  b\tc", "a b c"},
        {"  a b ", "a b"},
        {"peers 10.0.0.1,10.0.0.2,10.0.0.3 up", "peers 10.0.0.9 up"},
        {"from h () at Fri Jun 17 07:07:00 2005", "from h (h12.example.org) at Sat Jun  4 17:00:01 2005"},
    };
    static const char *const other[][2] = {
        {"took 12 ms", "lost 12 ms"}, {"a b", "a, b"}, {"a b.", "a b"}, {"a b c", "a b"}, {"", "a"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        alm_log_tokenise(&tokens, alm_str_of(same[i][0]), NULL, 0, false);
        uint64_t key = tokens.key;
        alm_log_tokenise(&tokens, alm_str_of(same[i][1]), NULL, 0, false);
        CHECK(key == tokens.key, "%s | %s", same[i][0], same[i][1]);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        alm_log_tokenise(&tokens, alm_str_of(other[i][0]), NULL, 0, false);
        uint64_t key = tokens.key;
        alm_log_tokenise(&tokens, alm_str_of(other[i][1]), NULL, 0, false);
        CHECK(key != tokens.key, "%s | %s", other[i][0], other[i][1]);
    }
}

static void a_key_with_a_slot_is_one_step_away(void **state) {
    (void)state;
    alm_log_tokenise(&tokens, ALM_STR("user anna left"), NULL, 0, false);
    CHECK_INT(tokens.n, 3);
    uint64_t key = tokens.key - alm_log_share(&tokens.at[1]) + alm_log_slot_share(tokens.at[1].sep_hash);
    alm_log_tokenise(&tokens, ALM_STR("user 17 left"), NULL, 0, false);
    CHECK(key == tokens.key);
}

static void hits_of_masks_become_slots(void **state) {
    (void)state;
    static const alm_mask_hit hits[] = {{.at = 6, .n = 7, .type = ALM_SLOT_MASK},
                                        {.at = 16, .n = 2, .type = ALM_SLOT_MASK + 1}};
    alm_log_tokenise(&tokens, ALM_STR("order ORD-12a isxyz."), hits, 2, false);
    CHECK_INT(tokens.n, 5);
    CHECK_INT(tokens.at[1].type, ALM_SLOT_MASK);
    CHECK_INT(tokens.at[1].n, 7);
    CHECK_INT(tokens.at[2].n, 2);
    CHECK_INT(tokens.at[3].type, ALM_SLOT_MASK + 1);
    CHECK_INT(tokens.at[4].n, 1);
}

static void long_and_wild_records_stay_inside_themselves(void **state) {
    (void)state;
    size_t n = 300000;
    char *wild = alm_alloc(n);
    CHECK(wild != NULL);
    uint32_t x = 1;
    static const char pick[] = "ab09 _.-:/\\=\"'()[]{}<>,;|@#*\x01\xc3\xa4xF";
    for (size_t length = 0; length <= n; length = length < 300 ? length + 1 : length * 3) {
        char *record = alm_alloc(length); /* its own block: the sanitizer sees a read behind it */
        CHECK(record != NULL);
        for (size_t i = 0; i < length; i++) {
            x = x * 1664525u + 1013904223u;
            record[i] = pick[(x >> 16) % (sizeof pick - 1)];
        }
        alm_log_tokenise(&tokens, (alm_str){record, length}, NULL, 0, false);
        CHECK(tokens.n <= ALM_LOG_MAX_TOKENS && tokens.key != 0);
        size_t end = 0;
        for (uint32_t i = 0; i < tokens.n; i++) {
            const alm_token *t = &tokens.at[i];
            CHECK(t->sep_at >= end && t->at >= t->sep_at && (size_t)t->at + t->n <= length);
            end = t->at + t->n;
        }
        alm_free(record);
    }
    alm_free(wild);
}

static void the_fast_marks_are_the_plain_marks(void **state) {
    (void)state;
    static alm_log_marks mark[6];
    unsigned char s[256], block[64];
    for (unsigned i = 0; i < 256; i++) s[i] = (unsigned char)(i * 167 + 13); /* every byte once */
    for (size_t n = 0; n <= 256; n++) {
        alm_log_mark_bytes(mark, (const char *)s, n);
        for (size_t b = 0; b <= n / 64; b++) {
            memset(block, 0, sizeof block);
            memcpy(block, s + 64 * b, n - 64 * b < 64 ? n - 64 * b : 64);
            alm_log_marks plain;
            alm_log_mark_plain(&plain, block);
            CHECK(memcmp(&plain, &mark[b], sizeof plain) == 0, "n %zu block %zu", n, b);
            for (unsigned i = 0; alm_log_mark_version(i); i++) {
                alm_log_marks other;
                alm_log_mark_version(i)(&other, block);
                CHECK(memcmp(&plain, &other, sizeof plain) == 0, "version %u n %zu block %zu", i, n, b);
            }
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_known_by_their_form),
    cmocka_unit_test(values_are_known_by_their_place),
    cmocka_unit_test(json_is_taken_by_its_structure),
    cmocka_unit_test(records_that_differ_in_values_only_have_one_key),
    cmocka_unit_test(a_key_with_a_slot_is_one_step_away),
    cmocka_unit_test(hits_of_masks_become_slots),
    cmocka_unit_test(long_and_wild_records_stay_inside_themselves),
    cmocka_unit_test(the_fast_marks_are_the_plain_marks),
};
ALM_TEST_MAIN(tests)
