/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log_state.c - a miner that was saved goes on as if it had not been; a damaged state is refused. */
#include "alm_test.h"
#include "detect/log_mask.h"
#include "detect/log_template.h"

static void feed(alm_miner *m, int from, int to) {
    static const char *const user[] = {"anna", "bernd", "clara", "dora"}, *const verb[] = {"opened", "closed"};
    char record[200];
    alm_match match;
    for (int i = from; i < to; i++) {
        snprintf(record, sizeof record, "session %s for user %s at 10.0.0.%d key=%s", verb[i % 2], user[i / 3 % 4],
                 i % 250, i < 50 ? "one" : "two");
        CHECK_OK(alm_miner_add(m, alm_str_of(record), i * 1000, &match, NULL), NULL);
    }
}

static void save(const alm_miner *m, alm_buf *out) {
    alm_error err = {0};
    *out = alm_buf_with_limit(1 << 20);
    CHECK_OK(alm_miner_save(m, out, &err), &err);
}

static void a_saved_miner_goes_on_as_if_it_had_not_been(void **state) {
    (void)state;
    alm_error err = {0};
    alm_miner *whole = NULL, *half = NULL;
    alm_buf bytes, last, want;
    CHECK_OK(alm_miner_new(&whole, NULL, &err), &err);
    CHECK_OK(alm_miner_new(&half, NULL, &err), &err);
    feed(whole, 0, 100);
    feed(half, 0, 30);
    save(half, &bytes);
    alm_miner_free(half);
    CHECK_OK(alm_miner_load(&half, alm_buf_str(&bytes), NULL, &err), &err);
    feed(half, 30, 100);
    CHECK_INT(alm_miner_n_live(half), alm_miner_n_live(whole));
    for (uint32_t i = 0; i < alm_miner_n_index(whole); i++) {
        alm_template_info a, b;
        if (!alm_miner_info(whole, i, &a)) continue;
        uint32_t j = alm_miner_find(half, a.id);
        CHECK(j != ALM_NO_TEMPLATE && alm_miner_info(half, j, &b));
        CHECK(a.count == b.count && a.first_record == b.first_record && a.last_record == b.last_record &&
              a.first_ns == b.first_ns && a.last_ns == b.last_ns);
        CHECK(alm_str_eq(a.example, b.example) && memcmp(a.spark, b.spark, sizeof a.spark) == 0);
    }
    alm_buf_free(&bytes);
    save(half, &bytes); /* saved, loaded, saved: the same bytes */
    alm_miner_free(half);
    CHECK_OK(alm_miner_load(&half, alm_buf_str(&bytes), NULL, &err), &err);
    save(half, &last);
    CHECK(alm_str_eq(alm_buf_str(&bytes), alm_buf_str(&last)));
    (void)want;
    alm_buf_free(&bytes), alm_buf_free(&last);
    alm_miner_free(whole), alm_miner_free(half);
}

static void files_are_put_in_place_whole(void **state) {
    (void)state;
    alm_error err = {0};
    alm_miner *m = NULL;
    const char *path = alm_test_path("a.state");
    CHECK_STATUS(alm_miner_load_file(&m, path, NULL, &err), ALM_NOT_FOUND, &err);
    CHECK_OK(alm_miner_new(&m, NULL, &err), &err);
    feed(m, 0, 10);
    CHECK_OK(alm_miner_save_file(m, path, &err), &err);
    alm_miner_free(m);
    CHECK_OK(alm_miner_load_file(&m, path, NULL, &err), &err);
    CHECK_INT(alm_miner_n_records(m), 10);
    alm_miner_free(m);
    alm_test_write(path, "nonsense", 8);
    CHECK_STATUS(alm_miner_load_file(&m, path, NULL, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "a.state: ");
    CHECK(m == NULL);
}

static void every_damaged_byte_and_every_cut_is_refused(void **state) {
    (void)state;
    alm_error err = {0};
    alm_miner *m = NULL, *other = NULL;
    alm_buf bytes;
    CHECK_OK(alm_miner_new(&m, NULL, &err), &err);
    feed(m, 0, 8);
    save(m, &bytes);
    for (size_t n = 0; n < bytes.n; n++)
        CHECK(alm_miner_load(&other, (alm_str){bytes.at, n}, NULL, &err) != ALM_OK, "cut at %zu", n);
    for (size_t i = 0; i < bytes.n; i++) {
        bytes.at[i] = (char)(bytes.at[i] ^ 0x41);
        alm_status st = alm_miner_load(&other, alm_buf_str(&bytes), NULL, &err);
        CHECK(st == ALM_MALFORMED || st == ALM_UNSUPPORTED, "byte %zu: %s", i, alm_status_name(st));
        bytes.at[i] = (char)(bytes.at[i] ^ 0x41);
    }
    alm_buf_free(&bytes);
    alm_miner_free(m);
}

/* Writes the digest again, so that only the checks behind it are asked. */
static void seal(alm_buf *b) {
    uint64_t h = alm_hash64(b->at, b->n - 8, 1);
    for (int i = 0; i < 8; i++) b->at[b->n - 8 + (size_t)i] = (char)(h >> 8 * i);
}

static void hostile_numbers_are_refused_behind_a_good_digest(void **state) {
    (void)state;
    alm_error err = {0};
    alm_miner *m = NULL, *other = NULL;
    alm_buf bytes;
    CHECK_OK(alm_miner_new(&m, NULL, &err), &err);
    feed(m, 0, 8);
    save(m, &bytes);
    for (size_t i = 8; i + 8 < bytes.n; i++) {
        char old = bytes.at[i];
        for (int k = 0; k < 3; k++) {
            bytes.at[i] = (char)(k == 0 ? 0xFF : k == 1 ? 0x7F : old + 1);
            seal(&bytes);
            /* Many single bytes may be anything (times, letters); what loads must hold together. */
            if (alm_miner_load(&other, alm_buf_str(&bytes), NULL, &err) == ALM_OK) {
                uint64_t sum = alm_miner_n_unmatched(other);
                alm_template_info info;
                for (uint32_t t = 0; t < alm_miner_n_index(other); t++)
                    if (alm_miner_info(other, t, &info)) sum += info.count;
                CHECK(sum == alm_miner_n_records(other));
                feed(other, 0, 20);
                alm_miner_free(other);
            }
        }
        bytes.at[i] = old;
    }
    alm_buf_free(&bytes);
    alm_miner_free(m);
}

static void a_state_belongs_to_its_masks(void **state) {
    (void)state;
    alm_error err = {0};
    alm_mask_set *masks = NULL;
    CHECK_OK(alm_mask_set_parse(&masks, ALM_STR("order\tORD-[0-9]+\n"), "masks", &err), &err);
    alm_miner_options with = {.size = sizeof with, .masks = masks};
    alm_miner *m = NULL, *other = NULL;
    alm_match match;
    alm_buf bytes;
    CHECK_OK(alm_miner_new(&m, &with, &err), &err);
    CHECK_OK(alm_miner_add(m, ALM_STR("paid ORD-12 today"), ALM_NO_TIME, &match, &err), &err);
    save(m, &bytes);
    CHECK_STATUS(alm_miner_load(&other, alm_buf_str(&bytes), NULL, &err), ALM_MISMATCH, &err);
    CHECK_HOLDS(err.text, "masks");
    CHECK_OK(alm_miner_load(&other, alm_buf_str(&bytes), &with, &err), &err);
    alm_buf text = alm_buf_with_limit(1000);
    alm_miner_text(other, 0, ALM_TEXT_TYPED, &text);
    CHECK_STR(alm_buf_str(&text), "paid <order> today");
    alm_buf_free(&text);
    alm_buf_free(&bytes);
    alm_miner_free(m), alm_miner_free(other);
    alm_mask_set_free(masks);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_saved_miner_goes_on_as_if_it_had_not_been),
    cmocka_unit_test(files_are_put_in_place_whole),
    cmocka_unit_test(every_damaged_byte_and_every_cut_is_refused),
    cmocka_unit_test(hostile_numbers_are_refused_behind_a_good_digest),
    cmocka_unit_test(a_state_belongs_to_its_masks),
};
ALM_TEST_MAIN(tests)
