/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/base/test_db.c - SQLite through the wrapper; here alm_alloc lies under SQLite, so that all its requests fail too. */
#include "alm_test.h"

#include "base/db.h"

#include <sqlite3.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, x REAL, data BLOB);"
    "CREATE TABLE IF NOT EXISTS child (t INTEGER REFERENCES t(id));";

static alm_db *opened(const char *path) {
    alm_error err = {0};
    alm_db *db = NULL;
    CHECK_OK(alm_db_open(&db, path, schema, 3, &err), &err);
    return db;
}

static alm_query *asked(alm_db *db, const char *sql) {
    alm_error err = {0};
    alm_query *q = NULL;
    CHECK_OK(alm_query_new(&q, db, sql, &err), &err);
    return q;
}

static void what_is_bound_comes_back(void **state) {
    (void)state;
    alm_error err = {0};
    alm_db *db = opened(":memory:");
    alm_query *put = asked(db, "INSERT INTO t (name, x, data) VALUES (?1, ?2, ?3)");
    for (int i = 0; i < 3; i++) {
        char name[20];
        snprintf(name, sizeof name, "name%d", i);
        alm_query_bind_str(put, 1, i == 2 ? (alm_str){NULL, 0} : alm_str_of(name));
        if (i == 1) alm_query_bind_i64(put, 2, INT64_MIN);
        else alm_query_bind_f64(put, 2, 0.1 * i);
        alm_query_bind_blob(put, 3, "\0\1\2", i == 2 ? 0 : 3);
        CHECK_STATUS(alm_query_step(put, &err), ALM_END, &err);
        CHECK_INT(alm_db_last_id(db), i + 1);
    }
    alm_query_free(put);
    alm_query *get = asked(db, "SELECT id, name, x, data, NULL FROM t ORDER BY id");
    for (int again = 0; again < 2; again++) {
        CHECK_OK(alm_query_step(get, &err), &err);
        CHECK_INT(alm_query_i64(get, 0), 1);
        CHECK_STR(alm_query_str(get, 1), "name0");
        CHECK_BITS(alm_query_f64(get, 2), 0);
        CHECK(alm_str_eq(alm_query_str(get, 3), ALM_STR("\0\1\2")));
        CHECK(alm_query_str(get, 4).at == NULL);
        CHECK_OK(alm_query_step(get, &err), &err);
        CHECK(alm_query_f64(get, 2) == -9223372036854775808.0);
        CHECK_OK(alm_query_step(get, &err), &err);
        CHECK(alm_query_str(get, 1).n == 0 && alm_query_str(get, 3).n == 0);
        CHECK_STR(alm_query_str(get, 0), "3");                  /* a number, asked for as text */
        CHECK_STATUS(alm_query_step(get, &err), ALM_END, &err); /* and it can be asked again */
    }
    alm_query_free(get);
    alm_query_free(NULL);
    alm_db_close(db);
    alm_db_close(NULL);
}

static void a_rule_of_the_schema_refuses(void **state) {
    (void)state;
    alm_error err = {0};
    alm_db *db = opened(":memory:");
    CHECK_OK(alm_db_run(db, "INSERT INTO t (name) VALUES ('a')", &err), &err);
    CHECK_STATUS(alm_db_run(db, "INSERT INTO t (name) VALUES ('a')", &err), ALM_REFUSED, &err);
    CHECK_HOLDS(err.text, "UNIQUE");
    CHECK_STATUS(alm_db_run(db, "INSERT INTO child VALUES (99)", &err), ALM_REFUSED, &err);
    CHECK_HOLDS(err.text, "FOREIGN KEY");
    CHECK_STATUS(alm_db_run(db, "SELEKT", &err), ALM_INVALID, &err);
    CHECK_HOLDS(err.text, "syntax error");
    alm_query *q;
    CHECK_STATUS(alm_query_new(&q, db, "SELECT * FROM nothing", &err), ALM_INVALID, &err);
    CHECK_STATUS(alm_query_new(&q, db, "-- only words", &err), ALM_INVALID, &err);
    q = asked(db, "SELECT ?1");
    alm_query_bind_i64(q, 2, 5); /* there is no second */
    CHECK_STATUS(alm_query_step(q, &err), ALM_INVALID, &err);
    alm_query_bind_i64(q, 1, 5);
    CHECK_OK(alm_query_step(q, &err), &err); /* reported once, then forgotten */
    alm_query_bind_i64(q, 1, 6);             /* in the middle of a result: refused at the next step */
    CHECK_STATUS(alm_query_step(q, &err), ALM_INVALID, &err);
    alm_query_reset(q);
    CHECK_OK(alm_query_step(q, &err), &err);
    alm_query_free(q);
    alm_db_close(db);
}

static int64_t count(alm_db *db) {
    alm_error err = {0};
    alm_query *q = asked(db, "SELECT count(*) FROM t");
    CHECK_OK(alm_query_step(q, &err), &err);
    int64_t n = alm_query_i64(q, 0);
    alm_query_free(q);
    return n;
}

static void a_transaction_is_all_or_nothing(void **state) {
    (void)state;
    alm_error err = {0};
    alm_db *db = opened(":memory:");
    CHECK_OK(alm_db_begin(db, &err), &err);
    CHECK_OK(alm_db_run(db, "INSERT INTO t (name) VALUES ('a')", &err), &err);
    CHECK_STATUS(alm_db_begin(db, &err), ALM_INVALID, &err);
    alm_db_rollback(db);
    alm_db_rollback(db); /* nothing to take back: fine */
    CHECK_INT(count(db), 0);
    CHECK_OK(alm_db_begin(db, &err), &err);
    CHECK_OK(alm_db_run(db, "INSERT INTO t (name) VALUES ('a')", &err), &err);
    CHECK_OK(alm_db_commit(db, &err), &err);
    CHECK_INT(count(db), 1);
    CHECK_STATUS(alm_db_commit(db, &err), ALM_INVALID, &err);
    alm_db_close(db);
}

static void a_file_keeps_its_rows_and_its_version(void **state) {
    (void)state;
    alm_error err = {0};
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", alm_test_path("kept.db"));
    alm_db *db = opened(path);
    CHECK_OK(alm_db_run(db, "INSERT INTO t (name) VALUES ('kept')", &err), &err);
    alm_query *q = asked(db, "PRAGMA journal_mode");
    CHECK_OK(alm_query_step(q, &err), &err);
    CHECK_STR(alm_query_str(q, 0), "wal");
    alm_query_free(q);
    alm_db *second = opened(path); /* two at a time */
    CHECK_INT(count(second), 1);
    alm_db_close(second);
    alm_db_close(db);
    CHECK_STATUS(alm_db_open(&db, path, schema, 2, &err), ALM_UNSUPPORTED, &err);
    CHECK_HOLDS(err.text, "has version 3, this program knows up to 2");
    CHECK_OK(alm_db_open(&db, path, schema, 4, &err), &err);
    CHECK_INT(count(db), 1);
    alm_db_close(db);
}

static void what_is_no_database_is_refused(void **state) {
    (void)state;
    alm_error err = {0};
    alm_db *db = NULL;
    char text[5000];
    memset(text, 'x', sizeof text);
    const char *path = alm_test_path("text.db");
    alm_test_write(path, text, sizeof text);
    CHECK_STATUS(alm_db_open(&db, path, schema, 1, &err), ALM_MALFORMED, &err);
    CHECK_HOLDS(err.text, "text.db: ");
    CHECK(*err.hint);
    CHECK_STATUS(alm_db_open(&db, alm_test_path("no/folder.db"), schema, 1, &err), ALM_IO, &err);
    CHECK_STATUS(alm_db_open(&db, ":memory:", "CREATE NONSENSE", 1, &err), ALM_INVALID, &err);
    CHECK(db == NULL);
}

static alm_status use(void *arg) {
    alm_db *db = NULL;
    alm_query *q = NULL;
    alm_error err = {0};
    alm_status st = alm_db_open(&db, arg, schema, 3, &err);
    if (st != ALM_OK) return st;
    if ((st = alm_db_begin(db, &err)) != ALM_OK) goto done;
    if ((st = alm_query_new(&q, db, "INSERT OR REPLACE INTO t (name, data) VALUES (?1, ?2)", &err)) != ALM_OK)
        goto done;
    for (int i = 0; i < 3 && st == ALM_OK; i++) {
        alm_query_bind_str(q, 1, ALM_STR("a name that is long enough for a block of its own"));
        alm_query_bind_blob(q, 2, "data", 4);
        st = alm_query_step(q, &err);
        if (st == ALM_END) st = ALM_OK;
    }
    if (st != ALM_OK) goto done;
    alm_query_free(q), q = NULL;
    if ((st = alm_query_new(&q, db, "SELECT id, name FROM t ORDER BY data, name", &err)) != ALM_OK) goto done;
    st = alm_query_step(q, &err);
    if (st == ALM_OK) {
        alm_query_str(q, 0); /* a number becomes text: memory */
        bool right = alm_str_starts(alm_query_str(q, 1), ALM_STR("a name"));
        st = alm_query_step(q, &err);
        CHECK(st != ALM_END || right);
        if (st == ALM_END) st = ALM_OK;
    }
    if (st == ALM_OK) st = alm_db_commit(db, &err);
done:
    alm_query_free(q);
    alm_db_rollback(db);
    alm_db_close(db);
    return st;
}

static void every_allocation_of_sqlite_may_fail(void **state) {
    (void)state;
    char memory[] = ":memory:", path[PATH_MAX];
    snprintf(path, sizeof path, "%s", alm_test_path("broken.db"));
    CHECK_OK(use(memory), NULL); /* what SQLite keeps for the whole process exists now */
    CHECK_OK(use(path), NULL);
    /* Tolerant: SQLite does without a cache or a faster plan when there is no memory for it. */
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(use, memory) > 50);
    CHECK(ALM_FOR_EACH_ALLOC_FAILURE_TOLERANT(use, path) > 50);
}

/* -- alm_alloc under SQLite: each block carries its size in 16 bytes before it ------------------------------------- */

static void *under_alloc(int n) {
    char *at = alm_alloc((size_t)n + 16);
    if (!at) return NULL;
    memcpy(at, &n, sizeof n);
    return at + 16;
}
static void under_free(void *at) {
    if (at) alm_free((char *)at - 16);
}
static int under_size(void *at) {
    int n = 0;
    if (at) memcpy(&n, (char *)at - 16, sizeof n);
    return n;
}
static void *under_realloc(void *old, int n) {
    char *at = alm_realloc(old ? (char *)old - 16 : NULL, (size_t)n + 16);
    if (!at) return NULL;
    memcpy(at, &n, sizeof n);
    return at + 16;
}
static int under_round(int n) { return (n + 7) & ~7; }
static int under_init(void *arg) {
    (void)arg;
    return SQLITE_OK;
}
static void under_shut(void *arg) { (void)arg; }

static int put_under(void **state) {
    (void)state;
    static const sqlite3_mem_methods methods = {under_alloc, under_free, under_realloc, under_size,
                                                under_round, under_init, under_shut,    NULL};
    /* Lookaside memory would hide requests. */
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) || sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) ||
           sqlite3_initialize();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_bound_comes_back),        cmocka_unit_test(a_rule_of_the_schema_refuses),
    cmocka_unit_test(a_transaction_is_all_or_nothing), cmocka_unit_test(a_file_keeps_its_rows_and_its_version),
    cmocka_unit_test(what_is_no_database_is_refused),  cmocka_unit_test(every_allocation_of_sqlite_may_fail),
};

int main(void) {
    setlocale(LC_ALL, "");
    return cmocka_run_group_tests(tests, put_under, NULL);
}
