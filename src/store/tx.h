/*
 * A transaction from the inside, for the repositories: whose it is, when it is, and its first
 * error. Running statements in it is in query.h.
 */
#pragma once

#include "store/driver.h"
#include "store/store.h"

#include <sodium.h>

/* A prepared statement that a connection keeps; its SQL is told by the address of the literal. */
typedef struct {
    const char *sql;
    tn_statement_t *statement;
    bool is_busy;
} tn_prepared_t;

/* One connection of the pool, with the statements that were prepared on it. */
typedef struct {
    tn_connection_t *connection; /* NULL until it is first needed */
    tn_prepared_t **prepared;
    size_t prepared_count;
    bool is_in_use;
} tn_session_t;

struct tn_tx {
    tn_store_t *store;
    const tn_driver_t *driver;
    tn_session_t *session;
    tn_tx_mode_t mode;
    tn_actor_t actor;
    int64_t now_ms;
    tn_err_t first; /* code 0: nothing has failed yet */
    tn_err_t last;  /* where the repositories describe the error at hand */

    uint64_t snapshot_generation;
    uint64_t version;      /* of the change log, once this transaction has taken one; else 0 */
    uint64_t seal_entries; /* audit entries of that version so far */
    crypto_hash_sha256_state seal;
};

/*
 * What a writing function of a repository ends with: remembers the first error for the commit, and
 * copies tx->last, where it was described, to the caller's err (may be NULL). Returns code.
 */
TN_CHECK int tn_tx_result(tn_tx_t *tx, int code, tn_err_t *err);

/* Finalizes what is prepared and disconnects. */
void tn_session_deinit(tn_session_t *session, const tn_driver_t *driver);
