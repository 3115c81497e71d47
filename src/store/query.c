/*
 * Statements inside a transaction; see query.h. A connection prepares each text once; a text that
 * is asked for while its statement is at work (a callback that queries) gets a second statement.
 */
#include "store/query.h"

#include "base/err.h"
#include "base/str.h"

#include <stdlib.h>

static int add_prepared(tn_prepared_t **out, tn_tx_t *tx, const char *sql, tn_err_t *err)
{
    tn_session_t *session = tx->session;
    tn_prepared_t *prepared = calloc(1, sizeof(tn_prepared_t));
    tn_prepared_t **grown =
        realloc(session->prepared, (session->prepared_count + 1) * sizeof(tn_prepared_t *));
    if (grown != NULL) {
        session->prepared = grown;
    }
    if (prepared == NULL || grown == NULL) {
        free(prepared);
        return tn_err_set(err, TN_ENOMEM, "no memory for a statement");
    }
    int code = tx->driver->prepare(&prepared->statement, session->connection, sql, err);
    if (code != TN_OK) {
        free(prepared);
        return code;
    }
    prepared->sql = sql;
    session->prepared[session->prepared_count++] = prepared;
    *out = prepared;
    return TN_OK;
}

static int find_prepared(tn_prepared_t **out, tn_tx_t *tx, const char *sql, tn_err_t *err)
{
    const tn_session_t *session = tx->session;
    for (size_t i = 0; i < session->prepared_count; i++) {
        if (session->prepared[i]->sql == sql && !session->prepared[i]->is_busy) {
            *out = session->prepared[i];
            return TN_OK;
        }
    }
    return add_prepared(out, tx, sql, err);
}

/* The engine's errors are remembered at once: no repository could make them undone. */
static void remember(tn_query_t *query, int code, const tn_err_t *detail)
{
    query->code = code;
    if (query->tx->first.code == TN_OK) {
        query->tx->first = *detail;
    }
    if (query->err != NULL) {
        *query->err = *detail;
    }
}

tn_query_t tn_query(tn_tx_t *tx, const char *sql, tn_err_t *err)
{
    tn_query_t query = {.tx = tx, .err = err};
    tn_err_t detail = tx->first;
    int code = tx->first.code;
    if (code == TN_OK) {
        code = find_prepared(&query.prepared, tx, sql, &detail);
    }
    if (code != TN_OK) {
        remember(&query, code, &detail);
    } else {
        query.prepared->is_busy = true;
    }
    return query;
}

void tn_query_add_int(tn_query_t *query, int64_t value)
{
    if (query->code == TN_OK) {
        tn_err_t detail;
        int code = query->tx->driver->bind_int(query->prepared->statement, ++query->parameters,
                                               value, &detail);
        if (code != TN_OK) {
            remember(query, code, &detail);
        }
    }
}

void tn_query_add_str(tn_query_t *query, tn_str_t text)
{
    if (query->code == TN_OK) {
        tn_err_t detail;
        int code = query->tx->driver->bind_text(query->prepared->statement, ++query->parameters,
                                                text, &detail);
        if (code != TN_OK) {
            remember(query, code, &detail);
        }
    }
}

void tn_query_add_text(tn_query_t *query, const char *text)
{
    tn_query_add_str(query, tn_str(text));
}

bool tn_query_next(tn_query_t *query)
{
    bool has_row = false;
    if (query->code == TN_OK) {
        tn_err_t detail;
        int code = query->tx->driver->step(&has_row, query->prepared->statement, &detail);
        if (code != TN_OK) {
            remember(query, code, &detail);
        }
    }
    return has_row;
}

int64_t tn_query_int(tn_query_t *query, int column)
{
    return query->tx->driver->column_int(query->prepared->statement, column);
}

tn_str_t tn_query_text(tn_query_t *query, int column)
{
    return query->tx->driver->column_text(query->prepared->statement, column);
}

int tn_query_end(tn_query_t *query)
{
    if (query->prepared != NULL) {
        query->tx->driver->reset(query->prepared->statement);
        query->prepared->is_busy = false;
        query->prepared = NULL;
    }
    return query->code;
}

int tn_query_run(tn_query_t *query)
{
    while (tn_query_next(query)) {
        /* a statement that returns rows does its work while they are read */
    }
    return tn_query_end(query);
}
