/*
 * A route's transaction: holds the database in use, begins and ends, and after a commit publishes
 * to the directory and tells the client which generation it led to.
 */
#pragma once

#include "control/route.h"

typedef struct {
    tn_exchange_t *exchange;
    tn_store_t *store; /* held while the transaction is open */
    tn_tx_t *tx;       /* for the repositories */
    char address[TN_ADDRESS_SIZE];
    tn_actor_t actor;
} tn_transaction_t;

/* What succeeded is ended by exactly one of the functions below. */
TN_CHECK int tn_transaction_begin(tn_transaction_t *out, tn_exchange_t *exchange, tn_tx_mode_t mode,
                                  tn_err_t *err);

/* For reading, and for writes that failed. */
void tn_transaction_end(tn_transaction_t *transaction);

/*
 * Commits, publishes, and answers with document (taken over, on failure too) and "generation",
 * "published" and, when the directory did not follow, "publishError": what was committed is never
 * told as an error.
 */
TN_CHECK int tn_transaction_commit(tn_transaction_t *transaction, unsigned status, json_t *document,
                                   tn_err_t *err);
