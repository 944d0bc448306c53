/* SPDX-License-Identifier: Apache-2.0
 *
 * base/db.c - SQLite, wrapped: prepared statements with checked binds, one transaction helper, errors as alm_error.
 *
 * SQLite's own memory stays SQLite's: its allocator is one for the whole process, and a program that embeds this library
 * may use SQLite for itself. The tests, which own their process, put alm_alloc under it and fail every request.
 *
 * Invariant: after a step that is not ALM_OK the statement is reset; a failed bind or column is kept in `failed` until
 * the next step reports it. */
#include "base/db.h"

#include "base/alloc.h"

#include <sqlite3.h>
#include <stdio.h>

struct alm_db {
    sqlite3 *handle;
    char *path;
};

struct alm_query {
    alm_db *db;
    sqlite3_stmt *stmt;
    int failed; /* the first error of a bind or a column since the last step */
};

/* Of a code that is a failure; never ALM_OK. */
static alm_status status_of(int code) {
    switch (code & 0xFF) {
    case SQLITE_NOMEM: return ALM_NO_MEMORY;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: return ALM_MALFORMED;
    case SQLITE_CONSTRAINT: return ALM_REFUSED;
    case SQLITE_INTERRUPT: return ALM_INTERRUPTED;
    case SQLITE_TOOBIG: return ALM_LIMIT;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH: return ALM_INVALID;
    default: return ALM_IO;
    }
}

/* SQLite's own message when it belongs to this code, else the code's general text. */
static alm_status fail(const alm_db *db, int code, alm_error *err) {
    if ((code & 0xFF) == SQLITE_NOMEM) return alm_fail_memory(err);
    bool own = db->handle && (sqlite3_errcode(db->handle) & 0xFF) == (code & 0xFF);
    alm_status st =
        alm_fail(err, status_of(code), "%s: %s", db->path, own ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code));
    switch (code & 0xFF) {
    case SQLITE_FULL: alm_hint(err, "the disk is full: free some space"); break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: alm_hint(err, "another program is writing to it; try again when that is done"); break;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        alm_hint(err, "this is no database of ours, or it is damaged; restore it or move it away");
        break;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY: alm_hint(err, "check that the folder exists and that you may write in it"); break;
    default: break;
    }
    return st;
}

alm_status alm_db_run(alm_db *db, const char *sql, alm_error *err) {
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? ALM_OK : fail(db, code, err);
}

alm_status alm_db_begin(alm_db *db, alm_error *err) {
    /* IMMEDIATE: waiting for the writer's place happens here, not halfway through. */
    return alm_db_run(db, "BEGIN IMMEDIATE", err);
}

alm_status alm_db_commit(alm_db *db, alm_error *err) { return alm_db_run(db, "COMMIT", err); }

void alm_db_rollback(alm_db *db) {
    if (!sqlite3_get_autocommit(db->handle)) sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int64_t alm_db_last_id(alm_db *db) { return sqlite3_last_insert_rowid(db->handle); }

static alm_status read_version(alm_db *db, int64_t *out, alm_error *err) {
    alm_query *q = NULL;
    alm_status st = alm_query_new(&q, db, "PRAGMA user_version", err);
    if (st != ALM_OK || !q) return st;
    if ((st = alm_query_step(q, err)) == ALM_OK) *out = alm_query_i64(q, 0);
    alm_query_free(q);
    return st;
}

static alm_status prepare_schema(alm_db *db, const char *schema, int version, alm_error *err) {
    alm_status st;
    int64_t found = 0;
    char text[64];
    if ((st = alm_db_begin(db, err)) != ALM_OK) return st;
    if ((st = read_version(db, &found, err)) != ALM_OK) goto done;
    if (found > version) {
        st = alm_fail(err, ALM_UNSUPPORTED, "%s: has version %lld, this program knows up to %d", db->path,
                      (long long)found, version);
        alm_hint(err, "it was written by a newer program: update this one");
        goto done;
    }
    if (schema && (st = alm_db_run(db, schema, err)) != ALM_OK) goto done;
    if (found == 0) {
        snprintf(text, sizeof text, "PRAGMA user_version = %d", version);
        if ((st = alm_db_run(db, text, err)) != ALM_OK) goto done;
    }
    st = alm_db_commit(db, err);
done:
    if (st != ALM_OK) alm_db_rollback(db);
    return st;
}

alm_status alm_db_open(alm_db **out, const char *path, const char *schema, int version, alm_error *err) {
    alm_status st = ALM_OK;
    size_t n = strlen(path) + 1;
    alm_db *db = alm_calloc(1, sizeof *db);
    if (!db || !(db->path = alm_alloc(n))) {
        alm_free(db);
        return alm_fail_memory(err);
    }
    memcpy(db->path, path, n);
    int code =
        sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
    if (code != SQLITE_OK) {
        st = fail(db, code, err);
        goto done;
    }
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, 5000);
    /* A file from elsewhere must not run code through its schema, nor be broken through SQL. */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if ((st = alm_db_run(db, "PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL;", err)) != ALM_OK) goto done;
    st = prepare_schema(db, schema, version, err);
done:
    if (st == ALM_OK) *out = db;
    else alm_db_close(db);
    return st;
}

void alm_db_close(alm_db *db) {
    if (!db) return;
    sqlite3_close_v2(db->handle); /* a query that is still open keeps the handle alive until it is freed */
    alm_free(db->path);
    alm_free(db);
}

alm_status alm_query_new(alm_query **out, alm_db *db, const char *sql, alm_error *err) {
    alm_query *q = alm_calloc(1, sizeof *q);
    if (!q) return alm_fail_memory(err);
    q->db = db;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &q->stmt, NULL);
    if (code == SQLITE_OK && !q->stmt) {
        alm_free(q);
        return alm_fail(err, ALM_INVALID, "%s: a query without a statement", db->path);
    }
    if (code != SQLITE_OK) {
        alm_free(q);
        return fail(db, code, err);
    }
    *out = q;
    return ALM_OK;
}

void alm_query_free(alm_query *q) {
    if (!q) return;
    sqlite3_finalize(q->stmt);
    alm_free(q);
}

static void keep(alm_query *q, int code) {
    if (q->failed == SQLITE_OK) q->failed = code;
}

void alm_query_bind_i64(alm_query *q, int at, int64_t x) { keep(q, sqlite3_bind_int64(q->stmt, at, x)); }
void alm_query_bind_f64(alm_query *q, int at, double x) { keep(q, sqlite3_bind_double(q->stmt, at, x)); }

void alm_query_bind_str(alm_query *q, int at, alm_str s) {
    /* A NULL pointer would bind SQL's NULL: an empty string is meant. */
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    keep(q, sqlite3_bind_text64(q->stmt, at, s.at ? s.at : "", s.n, SQLITE_TRANSIENT, SQLITE_UTF8));
}

void alm_query_bind_blob(alm_query *q, int at, const void *data, size_t n) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    keep(q, sqlite3_bind_blob64(q->stmt, at, n ? data : "", n, SQLITE_TRANSIENT));
}

void alm_query_reset(alm_query *q) {
    sqlite3_reset(q->stmt); /* repeats the last step's error, which was reported then */
    q->failed = SQLITE_OK;
}

alm_status alm_query_step(alm_query *q, alm_error *err) {
    alm_status st;
    int code = q->failed;
    if (code == SQLITE_OK) code = sqlite3_step(q->stmt);
    if (code == SQLITE_ROW) return ALM_OK;
    if (code == SQLITE_DONE) st = ALM_END;
    else st = fail(q->db, code, err); /* before the reset, which would take the message away */
    alm_query_reset(q);
    return st;
}

int64_t alm_query_i64(alm_query *q, int column) { return sqlite3_column_int64(q->stmt, column); }
double alm_query_f64(alm_query *q, int column) { return sqlite3_column_double(q->stmt, column); }

alm_str alm_query_str(alm_query *q, int column) {
    int type = sqlite3_column_type(q->stmt, column);
    if (type == SQLITE_NULL) return (alm_str){NULL, 0};
    const char *at =
        type == SQLITE_BLOB ? sqlite3_column_blob(q->stmt, column) : (const char *)sqlite3_column_text(q->stmt, column);
    int n = sqlite3_column_bytes(q->stmt, column);
    if (!at && type != SQLITE_BLOB) keep(q, SQLITE_NOMEM); /* a number could not become text */
    return (alm_str){at, at && n > 0 ? (size_t)n : 0};
}
