/*
 * The store's connections: a few, opened when first needed and kept, each lent to one transaction
 * at a time. Where the engine has only one writer anyway, writers queue up here.
 */
#pragma once

#include "store/tx.h"

#include <pthread.h>

#define TN_POOL_SIZE    8
#define TN_POOL_WAIT_MS 5000 /* for a connection and the write lock together */

typedef struct {
    const tn_driver_t *driver;
    tn_place_t *place;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t freed;
    bool has_writer; /* only where the engine has one */
    tn_session_t sessions[TN_POOL_SIZE];
} tn_pool_t;

/* Takes the place over, on success. */
TN_CHECK int tn_pool_init(tn_pool_t *pool, const tn_driver_t *driver, tn_place_t *place,
                          tn_err_t *err);
/* All sessions are back. */
void tn_pool_deinit(tn_pool_t *pool);

/*
 * Waits for a connection, TN_EBUSY after TN_POOL_WAIT_MS; *left_ms is what is left of them.
 * TN_EUNAVAILABLE: the database is not there any more.
 */
TN_CHECK int tn_pool_take(tn_session_t **out, int *left_ms, tn_pool_t *pool, bool writes,
                          tn_err_t *err);
/* A broken session's connection is not used again. */
void tn_pool_give(tn_pool_t *pool, tn_session_t *session, bool writes, bool is_broken);
