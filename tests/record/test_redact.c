/* SPDX-License-Identifier: Apache-2.0
 *
 * test_redact.c - personal data are found, other things are left alone, pseudonyms are stable, nothing escapes by its spelling. */
#include "alm_test.h"

#include "proof/digest.h"
#include "record/record.h"
#include "record/redact.h"

static const char key[] = "a key for the tests";

static alm_redact *make(const char *rules) {
    alm_redact *r = NULL;
    alm_error err = {0};
    CHECK_OK(alm_redact_new(&r, rules, key, sizeof key - 1, &err), &err);
    return r;
}

/* The text with <class:…> shortened to <class>. */
static const char *redacted(const alm_redact *r, const char *text) {
    static alm_buf out, shown;
    alm_error err = {0};
    size_t n;
    out.limit = shown.limit = 1 << 20;
    alm_buf_clear(&shown);
    CHECK_OK(alm_redact_apply(r, &out, alm_str_of(text), &n, &err), &err);
    CHECK((n == 0) == (out.n == 0));
    if (n == 0) return text;
    const char *at = alm_buf_text(&out);
    while (*at) {
        size_t word = at[0] == '<' ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz-") : 0;
        if (word && at[1 + word] == ':' && strspn(at + 2 + word, "0123456789abcdef") == 12 && at[14 + word] == '>') {
            alm_buf_add(&shown, at, 1 + word);
            alm_buf_add_byte(&shown, '>');
            at += 15 + word;
        } else alm_buf_add_byte(&shown, *at++);
    }
    return alm_buf_text(&shown);
}

static const char *const cases[][2] = {
    /* e-mail */
    {"mail from anna.muster+x@mail.example.org to you", "mail from <email> to you"},
    {"user=bob@example.com, ok", "user=<email>, ok"},
    {"<bob@example.com>: 'carl@example.de'", "<<email>>: '<email>'"},
    {"GET /u?mail=bob%40example.com&x=1", "GET /u?mail=<email>&x=1"},
    {"m\xc3\xbcller@b\xc3\xbcro.example is fine", "<email> is fine"},
    {"end of a sentence bob@example.com.", "end of a sentence <email>."},
    {"root@localhost and array[@] and @home and a@b", "root@localhost and array[@] and @home and a@b"},
    {"x@10.0.0.1", "x@<ip>"},
    /* addresses of machines */
    {"from 192.168.0.1 port 22", "from <ip> port 22"},
    {"/10.0.0.1:8080 (10.0.0.2)", "/<ip>:8080 (<ip>)"},
    {"1.2.3 and 1.2.3.4.5 and 256.1.1.1 and v1.2.3.4", "1.2.3 and 1.2.3.4.5 and 256.1.1.1 and v1.2.3.4"},
    {"rhost=::1 2001:db8::ff00:42:8329/64 fe80::1%eth0", "rhost=<ip> <ip>/64 <ip>%eth0"},
    {"[2001:0db8:0000:0000:0000:ff00:0042:8329]:443 ::ffff:10.0.0.1", "[<ip>]:443 <ip>"},
    {"at 12:34:56 mac fa:16:3e:43:04:b8 std::vector a::b ::", "at 12:34:56 mac fa:16:3e:43:04:b8 std::vector a::b ::"},
    {"2026-11-24 18:25:00,123 081109 203615 1.0.0", "2026-11-24 18:25:00,123 081109 203615 1.0.0"},
    /* accounts: the numbers are the examples of the registry */
    {"to DE89370400440532013000 now", "to <iban> now"},
    {"to DE89 3704 0044 0532 0130 00, now", "to <iban>, now"},
    {"gb82 west 1234 5698 7654 32", "<iban>"},
    {"DE88370400440532013000 and AB12CDEFGHIJKLMNOPQR", "DE88370400440532013000 and AB12CDEFGHIJKLMNOPQR"},
    /* phones */
    {"call +49 30 123456 or +49 (0)30 123456-78", "call <phone> or <phone>"},
    {"tel:+15551234567; 0049 171 1234567", "tel:<phone>; <phone>"},
    {"030 1234567, 030/1234567, (030) 123 45 67, 0171-1234567, 01711234567",
     "<phone>, <phone>, <phone>, <phone>, <phone>"},
    {"089 / 1234567 und 033203 12345", "<phone> und <phone>"},
    {"0012345678901 000123 0 00 0x0171 1764008700 1764008700123",
     "0012345678901 000123 0 00 0x0171 1764008700 1764008700123"},
    {"+1 +01:00 1.5e+10 a+49301234567 offset +1234567", "+1 +01:00 1.5e+10 a+49301234567 offset +1234567"},
    {"chmod 0644 12345678 in 0755 100000000", "chmod 0644 12345678 in 0755 100000000"},
    {"blk_-1608999687919862906 id 0123456789 took 00:12:33.456",
     "blk_-1608999687919862906 id 0123456789 took 00:12:33.456"},
    {"03/12/2026 04-11-2026 09.11.2026 0.123 456 789", "03/12/2026 04-11-2026 09.11.2026 0.123 456 789"},
    {"", ""},
};

static void each_class_is_found_and_nothing_else(void **state) {
    (void)state;
    alm_redact *r = make(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = redacted(r, cases[i][0]);
        CHECK(strcmp(got, cases[i][1]) == 0, "\"%s\" became \"%s\", not \"%s\"", cases[i][0], got, cases[i][1]);
    }
    alm_redact_free(r);
}

static void full(const alm_redact *r, const char *text, char *out, size_t size) {
    alm_buf b = alm_buf_with_limit(1 << 16);
    alm_error err = {0};
    CHECK_OK(alm_redact_apply(r, &b, alm_str_of(text), NULL, &err), &err);
    snprintf(out, size, "%s", alm_buf_text(&b));
    alm_buf_free(&b);
}

static void one_value_has_one_pseudonym_however_it_is_written(void **state) {
    (void)state;
    static const char *const same[][3] = {
        {"Bob@Example.COM", "bob@example.com", "bob%40example.com"},
        {"2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "2001:db8:0::1"},
        {"DE89 3704 0044 0532 0130 00", "de89370400440532013000", "DE89-3704-0044-0532-0130-00"},
        {"+49 30 123456-78", "0049 30 12345678", "030 12345678"},
        {"+49 (0)30 12345678", "+493012345678", "(030) 12345678"},
    };
    alm_redact *r = make(NULL);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char first[64], other[64];
        full(r, same[i][0], first, sizeof first);
        for (int k = 1; k < 3; k++) {
            full(r, same[i][k], other, sizeof other);
            CHECK(strcmp(first, other) == 0, "%s is %s, %s is %s", same[i][0], first, same[i][k], other);
        }
    }
    alm_redact_free(r);
}

static void the_pseudonym_is_the_keyed_hash_that_the_header_states(void **state) {
    (void)state;
    static const char message[] = "email\0bob@example.com";
    alm_redact *r = make("email"), *other = NULL;
    alm_digest d;
    alm_error err = {0};
    char got[64], hex[ALM_DIGEST_HEX_BYTES], want[64];
    CHECK_OK(alm_digest_hmac(&d, key, sizeof key - 1, message, sizeof message - 1, &err), &err);
    snprintf(want, sizeof want, "<email:%.12s>", alm_digest_hex(hex, &d));
    full(r, "Bob@example.com", got, sizeof got);
    CHECK(strcmp(got, want) == 0, "%s, not %s", got, want);
    CHECK_OK(alm_redact_new(&other, "email", "another key 16 bytes", 20, &err), &err);
    full(other, "Bob@example.com", got, sizeof got);
    CHECK(strcmp(got, want) != 0);
    alm_redact_free(r), alm_redact_free(other);
}

static void redacting_twice_is_redacting_once(void **state) {
    (void)state;
    alm_redact *r = make(NULL);
    char once[200];
    size_t n = 1;
    alm_error err = {0};
    alm_buf b = alm_buf_with_limit(1 << 16);
    full(r, "bob@example.com 10.0.0.1 ::1 DE89370400440532013000 +49 30 1234567", once, sizeof once);
    CHECK_OK(alm_redact_apply(r, &b, alm_str_of(once), &n, &err), &err);
    CHECK(n == 0 && b.n == 0, "%.*s", (int)b.n, b.at);
    alm_buf_free(&b);
    alm_redact_free(r);
}

static void only_the_classes_that_are_named_are_replaced(void **state) {
    (void)state;
    alm_redact *r = make("ip, phone");
    CHECK(strcmp(redacted(r, "bob@example.com 10.0.0.1 030 1234567"), "bob@example.com <ip> <phone>") == 0);
    alm_redact_free(r);
}

static void names_and_own_rules_come_from_a_file(void **state) {
    (void)state;
    const char rules[] = "# what we know\n"
                         "badge\tB-(\\d{4})\n"
                         "names\tpeople.txt\n"
                         "Erika Muster\n"
                         "email\n";
    const char people[] = "M\xc3\xbcller\nAnna\nAnna Maria Blau\n\n";
    alm_test_write(alm_test_path("people.txt"), people, sizeof people - 1);
    alm_test_write(alm_test_path("rules.tsv"), rules, sizeof rules - 1);
    alm_redact *r = make(alm_test_path("rules.tsv"));
    CHECK(strcmp(redacted(r, "M\xc3\x9cLLER, anna maria blau and Annabelle"), "<name>, <name> and Annabelle") == 0);
    CHECK(strcmp(redacted(r, "badge B-1234 of ERIKA muster"), "badge B-<badge> of <name>") == 0);
    CHECK(strcmp(redacted(r, "Anna x@example.org 10.0.0.1"), "<name> <email> 10.0.0.1") == 0);
    alm_redact_free(r);
    alm_test_write(alm_test_path("only.tsv"), "badge\tB-\\d+\n", 12);
    r = make(alm_test_path("only.tsv")); /* no class named: all of them */
    CHECK(strcmp(redacted(r, "B-1 x@example.org 10.0.0.1"), "<badge> <email> <ip>") == 0);
    alm_redact_free(r);
}

static void what_is_wrong_in_a_rule_is_told_with_its_line(void **state) {
    (void)state;
    static const char *const wrong[][3] = {
        {"ok\tx\nbad\ta(b\n", ":2: ", "a(b"},
        {"two words\tx\n", ":1: ", "no name for a class"},
        {"names\tnot-there.txt\n", "not-there.txt", ""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        alm_redact *r = NULL;
        alm_error err = {0};
        alm_test_write(alm_test_path("wrong.tsv"), wrong[i][0], strlen(wrong[i][0]));
        CHECK(alm_redact_new(&r, alm_test_path("wrong.tsv"), key, sizeof key, &err) != ALM_OK && r == NULL);
        CHECK_HOLDS(err.text, wrong[i][1]);
        CHECK_HOLDS(err.text, wrong[i][2]);
    }
    alm_redact *r = NULL;
    alm_error err = {0};
    CHECK_STATUS(alm_redact_new(&r, "emial", key, sizeof key, &err), ALM_NOT_FOUND, &err);
    CHECK_HOLDS(err.hint, "email, ip, iban, phone");
    CHECK_STATUS(alm_redact_new(&r, "email", "short", 5, &err), ALM_INVALID, &err);
}

static void the_key_is_made_once_and_is_private(void **state) {
    (void)state;
    char folder[PATH_MAX + 32], a[64], b[64];
    struct stat info;
    alm_redact *r = NULL;
    alm_error err = {0};
    snprintf(folder, sizeof folder, "%s/state", alm_test_dir());
    setenv("XDG_STATE_HOME", folder, 1);
    CHECK_OK(alm_redact_new(&r, "email", NULL, 0, &err), &err);
    full(r, "bob@example.com", a, sizeof a);
    alm_redact_free(r);
    CHECK(stat(alm_test_join(folder, "allmende/redact.key"), &info) == 0);
    CHECK_INT(info.st_mode & 0777, 0600);
    CHECK_INT(info.st_size, 32);
    CHECK_OK(alm_redact_new(&r, "email", NULL, 0, &err), &err);
    full(r, "bob@example.com", b, sizeof b);
    alm_redact_free(r);
    CHECK(strcmp(a, b) == 0);
}

/* -- in records --------------------------------------------------------------------------------------------------------------- */

static void check_clean(const alm_record *r, const char *secret) {
    alm_str s = alm_str_of(secret);
    CHECK(alm_str_find(r->raw, s) == SIZE_MAX, "raw: %.*s", ALM_ARG(r->raw));
    CHECK(alm_str_find(r->text, s) == SIZE_MAX, "text: %.*s", ALM_ARG(r->text));
    for (uint32_t i = 0; i < r->n_field; i++)
        CHECK(alm_str_find(r->field[i].value, s) == SIZE_MAX && alm_str_find(r->field[i].key, s) == SIZE_MAX,
              "field %.*s", ALM_ARG(r->field[i].key));
}

static void no_part_of_a_record_keeps_what_is_redacted(void **state) {
    (void)state;
    static const struct {
        alm_record_format format;
        const char *text;
    } inputs[] = {
        {ALM_RECORD_LINES, "2026-11-24 18:25:00 user bob@example.com\n"},
        {ALM_RECORD_JSONL, "{\"time\":\"2026-11-24T18:25:00Z\",\"bob@example.com\":{\"mail\":\"bob@example.com\"}}\n"},
        {ALM_RECORD_JSONL, "{\"time\":\"2026-11-24T18:25:00Z\",\"mail\":\"bob\\u0040example.com\"}\n"},
        {ALM_RECORD_JSONL, "{\"half\":\"bob@example.com\n"},
        {ALM_RECORD_CSV, "2026-11-24 18:25:00,bob@example.com,\"bob@example.com\"\"\"\n"},
        {ALM_RECORD_SYSLOG, "<34>1 2026-11-24T18:25:00Z h a - - [x@1 m=\"bob@example.com\"] bob@example.com\n"},
    };
    alm_redact *r = make(NULL);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        alm_reader_options o = {.size = sizeof o, .format = inputs[i].format, .no_header = true, .redact = r};
        alm_reader *reader = NULL;
        alm_record record;
        alm_error err = {0};
        CHECK_OK(alm_reader_open_bytes(&reader, "m", alm_str_of(inputs[i].text), &o, &err), &err);
        CHECK_OK(alm_reader_next(reader, &record, &err), &err);
        CHECK(record.flags & ALM_RECORD_REDACTED, "case %zu", i);
        check_clean(&record, "bob");
        check_clean(&record, "0040");
        CHECK(i == 3 || record.time_ns == INT64_C(1795544700) * 1000000000, "case %zu: the time is lost", i);
        if (record.time_bytes) {
            CHECK(record.time_at + record.time_bytes <= record.raw.n);
            CHECK(memcmp(record.raw.at + record.time_at, "2026-11-24", 10) == 0, "case %zu", i);
        }
        alm_reader_close(reader);
    }
    alm_redact_free(r);
}

static alm_status make_and_apply(void *arg) {
    alm_redact *r = NULL;
    alm_error err;
    alm_buf out = alm_buf_with_limit(1 << 16);
    alm_status st = alm_redact_new(&r, arg, key, sizeof key, &err);
    if (st == ALM_OK)
        st = alm_redact_apply(
            r, &out,
            ALM_STR("a@b.de b@b.de c@b.de d@b.de e@b.de f@b.de g@b.de h@b.de i@b.de j@b.de k@b.de l@b.de "
                    "m@b.de n@b.de o@b.de p@b.de q@b.de r@b.de B-1 Anna 10.0.0.1"),
            NULL, &err);
    alm_buf_free(&out);
    alm_redact_free(r);
    return st;
}

static void no_allocation_failure_leaks(void **state) {
    (void)state;
    const char rules[] = "badge\tB-(\\d+)\nAnna\n";
    alm_test_write(alm_test_path("oom.tsv"), rules, sizeof rules - 1);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE(make_and_apply, (void *)alm_test_path("oom.tsv")) > 8);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_class_is_found_and_nothing_else),
    cmocka_unit_test(one_value_has_one_pseudonym_however_it_is_written),
    cmocka_unit_test(the_pseudonym_is_the_keyed_hash_that_the_header_states),
    cmocka_unit_test(redacting_twice_is_redacting_once),
    cmocka_unit_test(only_the_classes_that_are_named_are_replaced),
    cmocka_unit_test(names_and_own_rules_come_from_a_file),
    cmocka_unit_test(what_is_wrong_in_a_rule_is_told_with_its_line),
    cmocka_unit_test(the_key_is_made_once_and_is_private),
    cmocka_unit_test(no_part_of_a_record_keeps_what_is_redacted),
    cmocka_unit_test(no_allocation_failure_leaks),
};
ALM_TEST_MAIN(tests)
