/*
 * A database of record in a folder of its own, for unit tests: made anew for each test, looked at
 * and tampered with through SQLite's own interface, past the store.
 */
#pragma once

#include "store/store.h"
#include "store/tenant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct {
    char folder[192];
    char path[224]; /* of the database */
    char url[256];
    tn_store_t *store;
} tn_test_database_t;

extern const tn_actor_t tn_test_actor;

/* cmocka's setup and teardown; *state is a tn_test_database_t. The teardown removes the folder. */
int tn_test_database_setup(void **state);
int tn_test_database_teardown(void **state);

/* Opens the store again, as after a restart. */
void tn_test_reopen(tn_test_database_t *database);

/* These fail the test when they cannot do what they say. */
tn_tx_t *tn_test_begin(tn_test_database_t *database);
tn_tx_t *tn_test_begin_read(tn_test_database_t *database);
uint64_t tn_test_commit(tn_tx_t *tx);
uint64_t tn_test_generation(tn_test_database_t *database);

/* A tenant by that slug; its id into `id`. */
void tn_test_create(tn_test_database_t *database, const char *slug, char id[TN_UUID_LENGTH + 1]);

/* tn_tenant_update in a transaction of its own; returns what it or the commit returned. */
int tn_test_update(tn_test_database_t *database, const char *id, const tn_tenant_values_t *values,
                   tn_err_t *err);

/* Past the store: statements, and the first column of the first row. */
void tn_test_sql(const char *path, const char *sql);
int64_t tn_test_number(const char *path, const char *sql);
/* Into buffer; "" without a row. */
void tn_test_text(char *buffer, size_t size, const char *path, const char *sql);
/* What SQLite answers to a statement that should be refused: an extended result code. */
int tn_test_sql_code(const char *path, const char *sql);

/* Waits for a child; the test fails unless it exited with 0. */
void tn_test_wait(int child);
