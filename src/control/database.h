/*
 * Which database the daemon has, if any: it may be missing at the start, go away, and come back
 * while requests run. Whoever uses it holds it with acquire and release; the keeper changes it.
 */
#pragma once

#include "store/store.h"

typedef struct tn_database tn_database_t;

TN_CHECK int tn_database_new(tn_database_t **out, tn_err_t *err);
/* Closes the store too. Nobody may hold it. NULL is allowed. */
void tn_database_free(tn_database_t *database);

/* The store, until release by the same thread; TN_EUNAVAILABLE (and nothing to release) when there
 * is none. Not to be nested. */
TN_CHECK int tn_database_acquire(tn_store_t **out, tn_database_t *database, tn_err_t *err);
void tn_database_release(tn_database_t *database);

/* Makes store (taken over; NULL: none) the one in use and closes the one before, once nobody holds
 * it any more. */
void tn_database_replace(tn_database_t *database, tn_store_t *store);
