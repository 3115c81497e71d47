/*
 * What the store needs of a database engine, and no more: places, connections, statements,
 * transactions, and its errors as TN_E… codes. Each engine is one file that fills one
 * tn_driver_t; SQL above this line is what all of them understand, with the placeholders $1, $2, …
 *
 * A place is a database as it was found when it was opened; it may be used from many threads. A
 * connection and its statements belong to one thread at a time. Several statements of a connection
 * may be stepped in turns.
 */
#pragma once

#include "tenantry.h"

typedef struct tn_place tn_place_t;
typedef struct tn_connection tn_connection_t;
typedef struct tn_statement tn_statement_t;

#define TN_PARAMETERS_MAX 16 /* of one statement */

typedef struct {
    const char *scheme;      /* before the first ':' of its URLs */
    const char *serial_type; /* of a primary key that counts up by itself */
    bool is_serial_gapless;  /* a transaction that is rolled back uses up no serial number */
    bool has_one_writer;     /* a second writing transaction would only wait for the first */

    /*
     * TN_ENOTFOUND: there is none, and may_create is false. One that is made here is empty. The
     * caller closes it, after its connections.
     */
    int (*open)(tn_place_t **out, const char *address, bool may_create, tn_err_t *err);
    void (*close)(tn_place_t *place);
    /* TN_EUNAVAILABLE when the database is not at its place any more, or another one is. */
    int (*check)(const tn_place_t *place, tn_err_t *err);

    /* TN_EDAMAGED: what is there is no database, or not one of ours. */
    int (*connect)(tn_connection_t **out, const tn_place_t *place, tn_err_t *err);
    void (*disconnect)(tn_connection_t *connection); /* after its statements; NULL is allowed */
    int (*has_table)(bool *out, tn_connection_t *connection, const char *name, tn_err_t *err);

    /* With `writes` the write lock is taken at once: TN_EBUSY after wait_ms. A commit that fails
     * leaves the transaction open. */
    int (*begin)(tn_connection_t *connection, bool writes, int wait_ms, tn_err_t *err);
    int (*commit)(tn_connection_t *connection, tn_err_t *err);
    void (*rollback)(tn_connection_t *connection); /* none open: does nothing */

    int (*prepare)(tn_statement_t **out, tn_connection_t *connection, const char *sql,
                   tn_err_t *err);
    void (*finalize)(tn_statement_t *statement);

    /* Parameters count from 1. Text is borrowed until the reset. */
    int (*bind_int)(tn_statement_t *statement, int parameter, int64_t value, tn_err_t *err);
    int (*bind_text)(tn_statement_t *statement, int parameter, tn_str_t value, tn_err_t *err);
    int (*step)(bool *has_row, tn_statement_t *statement, tn_err_t *err);
    void (*reset)(tn_statement_t *statement); /* bindings are forgotten */

    /* Columns count from 0. Text is borrowed until the next step or reset; "" for a null. */
    int64_t (*column_int)(tn_statement_t *statement, int column);
    tn_str_t (*column_text)(tn_statement_t *statement, int column);
} tn_driver_t;

extern const tn_driver_t tn_sqlite_driver;
