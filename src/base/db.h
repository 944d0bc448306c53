/* SPDX-License-Identifier: Apache-2.0
 *
 * base/db.h - SQLite, wrapped: prepared statements with checked binds, one transaction helper, errors as alm_error. */
#ifndef ALM_BASE_DB_H
#define ALM_BASE_DB_H

#include "base/error.h"
#include "base/str.h"

typedef struct alm_db alm_db;
typedef struct alm_query alm_query;

/* path ":memory:" is a private database. Opens in WAL mode with foreign keys on, a busy timeout of 5 s, and runs `schema`
 * (SQL, idempotent: CREATE TABLE IF NOT EXISTS …) in one transaction; user_version is set to `version` when it was 0 and
 * must be ≤ version otherwise (ALM_UNSUPPORTED: written by a newer program). */
alm_status alm_db_open(alm_db **out, const char *path, const char *schema, int version, alm_error *err);
void alm_db_close(alm_db *db);
alm_status alm_db_run(alm_db *db, const char *sql, alm_error *err); /* no results wanted */
alm_status alm_db_begin(alm_db *db, alm_error *err);
alm_status alm_db_commit(alm_db *db, alm_error *err);
void alm_db_rollback(alm_db *db);

alm_status alm_query_new(alm_query **out, alm_db *db, const char *sql, alm_error *err);
void alm_query_free(alm_query *q);
/* Binds count from 1; a failed bind is reported by the next step. */
void alm_query_bind_i64(alm_query *q, int at, int64_t x);
void alm_query_bind_f64(alm_query *q, int at, double x);
void alm_query_bind_str(alm_query *q, int at, alm_str s);
void alm_query_bind_blob(alm_query *q, int at, const void *data, size_t n);
/* ALM_OK: a row is there; ALM_END: none (any more), and the query is reset for new binds. */
alm_status alm_query_step(alm_query *q, alm_error *err);
void alm_query_reset(alm_query *q);
/* Columns count from 0; strings live until the next step. */
int64_t alm_query_i64(alm_query *q, int column);
double alm_query_f64(alm_query *q, int column);
alm_str alm_query_str(alm_query *q, int column);
int64_t alm_db_last_id(alm_db *db);

#endif
