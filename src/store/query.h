/*
 * Statements inside a transaction, with one error to ask for at the end:
 *
 *     tn_query_t query = tn_query(tx, "SELECT slug FROM … WHERE tenant_id = $1", err);
 *     tn_query_add_text(&query, id);
 *     while (tn_query_next(&query)) {
 *         … tn_query_text(&query, 0) …
 *     }
 *     return tn_query_end(&query);
 *
 * Every query that was made must be ended, before its transaction. An engine's refusal is a
 * transaction's error (see tn_tx_commit); after it, nothing of the transaction runs any more.
 */
#pragma once

#include "store/tx.h"

typedef struct {
    tn_tx_t *tx;
    tn_prepared_t *prepared; /* NULL after an error in preparing */
    tn_err_t *err;
    int parameters; /* bound so far */
    int code;
} tn_query_t;

/* sql is a constant with static lifetime: the prepared statement is kept under its address. */
tn_query_t tn_query(tn_tx_t *tx, const char *sql, tn_err_t *err);

/* The next parameter: $1, then $2, … Text is borrowed until the end. */
void tn_query_add_int(tn_query_t *query, int64_t value);
void tn_query_add_text(tn_query_t *query, const char *text);
void tn_query_add_str(tn_query_t *query, tn_str_t text);

/* Whether there is a (further) row. */
TN_CHECK bool tn_query_next(tn_query_t *query);

/* Columns of the present row, from 0. Text is borrowed until the next row or the end, and is
 * terminated. */
int64_t tn_query_int(tn_query_t *query, int column);
tn_str_t tn_query_text(tn_query_t *query, int column);

/* The first error, or 0. */
TN_CHECK int tn_query_end(tn_query_t *query);

/* For statements without rows: executes and ends. */
TN_CHECK int tn_query_run(tn_query_t *query);
