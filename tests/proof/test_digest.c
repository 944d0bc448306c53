/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/proof/test_digest.c - SHA-256 against FIPS 180-4's examples, HMAC against RFC 4231. */
#include "alm_test.h"

#include "proof/digest.h"

static void is(const alm_digest *d, const char *hex) {
    char got[ALM_DIGEST_HEX_BYTES];
    CHECK_STR(alm_str_of(alm_digest_hex(got, d)), hex);
}

static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void digests_are_those_of_the_standard(void **state) {
    (void)state;
    alm_error err;
    alm_digest d;
    CHECK_OK(alm_digest_of(&d, "abc", 3, &err), &err);
    is(&d, abc);
    CHECK_OK(alm_digest_of(&d, NULL, 0, &err), &err);
    is(&d, nothing);
    CHECK_OK(alm_digest_of(&d, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, &err), &err);
    is(&d, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void pieces_give_the_same_as_the_whole(void **state) {
    (void)state;
    alm_error err;
    alm_digest d;
    alm_digest_stream *s;
    static char a[1000];
    memset(a, 'a', sizeof a);
    CHECK_OK(alm_digest_new(&s, &err), &err);
    for (int again = 0; again < 2; again++) { /* after its end a stream begins anew */
        for (size_t done = 0, n = 1; done < 1000000; done += n, n = n * 7 % 997) {
            if (n > 1000000 - done) n = 1000000 - done;
            CHECK_OK(alm_digest_add(s, a, n, &err), &err);
        }
        CHECK_OK(alm_digest_end(s, &d, &err), &err);
        is(&d, million);
    }
    alm_digest_free(s);
    alm_digest_free(NULL);
}

static void a_file_has_the_digest_of_its_content(void **state) {
    (void)state;
    alm_error err;
    alm_digest d;
    static char a[1000000];
    memset(a, 'a', sizeof a);
    const char *path = alm_test_path("million");
    alm_test_write(path, a, sizeof a);
    CHECK_OK(alm_digest_file(&d, path, &err), &err);
    is(&d, million);
    CHECK_OK(alm_digest_file(&d, "/dev/null", &err), &err);
    is(&d, nothing);
    CHECK_STATUS(alm_digest_file(&d, alm_test_path("absent"), &err), ALM_NOT_FOUND, &err);
    CHECK_STATUS(alm_digest_file(&d, alm_test_dir(), &err), ALM_IO, &err);
    CHECK_HOLDS(err.text, "cannot read");
}

static void macs_are_those_of_rfc_4231(void **state) {
    (void)state;
    static const struct {
        unsigned char byte; /* the key repeats it, or is `text` */
        size_t n;
        const char *text, *data, *hex;
    } row[] = {{0x0b, 20, NULL, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
               {0, 4, "Jefe", "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
               {0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
               {0xaa, 131, NULL,
                "This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
                "be hashed "
                "before being used by the HMAC algorithm.",
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"}};
    alm_error err;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        unsigned char key[200];
        memset(key, row[i].byte, sizeof key);
        if (row[i].text) memcpy(key, row[i].text, row[i].n);
        alm_digest d;
        CHECK_OK(alm_digest_hmac(&d, key, row[i].n, row[i].data, strlen(row[i].data), &err), &err);
        is(&d, row[i].hex);
        alm_mac *m;
        CHECK_OK(alm_mac_new(&m, key, row[i].n, &err), &err);
        memset(key, 0, sizeof key); /* not needed any more */
        for (int again = 0; again < 3; again++) {
            for (const char *c = row[i].data; *c; c++) CHECK_OK(alm_mac_add(m, c, 1, &err), &err);
            CHECK_OK(alm_mac_end(m, &d, &err), &err);
            is(&d, row[i].hex);
        }
        alm_mac_free(m);
    }
    alm_digest d; /* an empty key and an empty message: computed with Python's hmac */
    CHECK_OK(alm_digest_hmac(&d, NULL, 0, NULL, 0, &err), &err);
    is(&d, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    alm_mac_free(NULL);
}

static void hexadecimal_is_read_back(void **state) {
    (void)state;
    alm_digest d, other;
    CHECK(alm_digest_from_hex(&d, abc, 64));
    is(&d, abc);
    CHECK(alm_digest_from_hex(&other, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", 64) &&
          alm_digest_eq(&d, &other));
    other.at[31] ^= 1;
    CHECK(!alm_digest_eq(&d, &other));
    CHECK(!alm_digest_from_hex(&d, abc, 63));
    char bad[] = "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    CHECK(!alm_digest_from_hex(&d, bad, 64));
    is(&d, abc); /* unchanged */
}

static alm_status digest_all(void *arg) {
    alm_digest d;
    alm_status st = alm_digest_of(&d, "abc", 3, NULL);
    if (st == ALM_OK) st = alm_digest_file(&d, arg, NULL);
    if (st == ALM_OK) st = alm_digest_hmac(&d, "k", 1, "abc", 3, NULL);
    return st;
}

static void a_failed_allocation_is_reported(void **state) {
    (void)state;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", alm_test_path("small"));
    alm_test_write(path, "abc", 3);
    CHECK_INT(ALM_FOR_EACH_ALLOC_FAILURE(digest_all, path), 4);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(digests_are_those_of_the_standard),
    cmocka_unit_test(pieces_give_the_same_as_the_whole),
    cmocka_unit_test(a_file_has_the_digest_of_its_content),
    cmocka_unit_test(macs_are_those_of_rfc_4231),
    cmocka_unit_test(hexadecimal_is_read_back),
    cmocka_unit_test(a_failed_allocation_is_reported),
};
ALM_TEST_MAIN(tests)
