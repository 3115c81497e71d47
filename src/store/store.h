/*
 * The database of record: opening it, its identity and generation, and transactions. What is kept
 * in it is in the headers beside this one (tenant.h, domain.h, flag.h, audit.h, change.h); which
 * engine runs is known to driver.h and below only.
 *
 * A tn_store_t may be used from many threads: each transaction takes a connection of its own from
 * the store's pool. A tn_tx_t belongs to the thread that began it.
 */
#pragma once

#include "base/uuid.h"
#include "tenantry.h"

typedef struct tn_store tn_store_t;
typedef struct tn_tx tn_tx_t;

/*
 * Opens a database by URL: "sqlite:PATH". TN_ENOTFOUND: there is none at that place (and may_create
 * is false; nothing is created then). TN_EINVAL: a URL that is not of this form. TN_EVERSION: its
 * schema is newer than this program. TN_EDAMAGED: not a database. A new or older one is brought to
 * the present schema (migrations are recorded, each in one transaction).
 */
TN_CHECK int tn_store_open(tn_store_t **out, const char *url, bool may_create, tn_err_t *err);

/* Every transaction must have ended. NULL is allowed. */
void tn_store_close(tn_store_t *store);

/* Made with the database and never changed: tells it from every other one. */
tn_uuid_t tn_store_identity(const tn_store_t *store);

/* Whether the file is still the one that was opened (it may have been moved away or replaced);
 * TN_EUNAVAILABLE when not. Every begin asks this by itself. */
TN_CHECK int tn_store_check(tn_store_t *store, tn_err_t *err);

/* Who writes, for the audit trail. Borrowed for the transaction. */
typedef struct {
    const char *kind;    /* "operator", "system" */
    const char *name;    /* "operator", "tenantry run", … */
    const char *address; /* the client's address, or "local" */
} tn_actor_t;

typedef enum { TN_TX_READ, TN_TX_WRITE } tn_tx_mode_t;

/*
 * Begins a transaction: one snapshot of the database for TN_TX_READ; the write lock for TN_TX_WRITE
 * (TN_EBUSY after 5 seconds of waiting). actor may be NULL for TN_TX_READ. TN_EUNAVAILABLE: no
 * database to ask.
 */
TN_CHECK int tn_tx_begin(tn_tx_t **out, tn_store_t *store, tn_tx_mode_t mode,
                         const tn_actor_t *actor, tn_err_t *err);

/*
 * Ends it and makes it durable. A transaction remembers its first error: of a writing function,
 * whatever it refused, or of the engine. (TN_ENOTFOUND and the like of a reading function are
 * answers.) Nothing of it runs after that, and commit then aborts and returns that one. *generation
 * (may be NULL) is the change-log version that this transaction wrote, or the present one when it
 * wrote none. tx is gone afterwards, whatever is returned.
 */
TN_CHECK int tn_tx_commit(tn_tx_t *tx, uint64_t *generation, tn_err_t *err);
void tn_tx_abort(tn_tx_t *tx); /* NULL is allowed */

/* The version of the last change in this transaction's snapshot, or of its own. A database that was
 * just made is at 1: its creation is its first change. */
TN_CHECK int tn_tx_generation(uint64_t *out, tn_tx_t *tx, tn_err_t *err);
