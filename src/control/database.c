/*
 * The database in use; see database.h.
 */
#include "control/database.h"

#include "base/err.h"

#include <pthread.h>
#include <stdlib.h>

struct tn_database {
    pthread_rwlock_t lock; /* held for reading while the store is used */
    tn_store_t *store;
};

int tn_database_new(tn_database_t **out, tn_err_t *err)
{
    tn_database_t *database = calloc(1, sizeof(*database));
    if (database == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for the database");
    }
    pthread_rwlockattr_t attributes;
    /* cannot fail on Linux; a steady stream of readers shall not keep the keeper waiting */
    (void)pthread_rwlockattr_init(&attributes);
    (void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&database->lock, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
    *out = database;
    return TN_OK;
}

void tn_database_free(tn_database_t *database)
{
    if (database == NULL) {
        return;
    }
    tn_store_close(database->store);
    (void)pthread_rwlock_destroy(&database->lock);
    free(database);
}

int tn_database_acquire(tn_store_t **out, tn_database_t *database, tn_err_t *err)
{
    (void)pthread_rwlock_rdlock(&database->lock);
    if (database->store == NULL) {
        (void)pthread_rwlock_unlock(&database->lock);
        return tn_err_set(err, TN_EUNAVAILABLE, "there is no database to ask at the moment");
    }
    *out = database->store;
    return TN_OK;
}

void tn_database_release(tn_database_t *database)
{
    (void)pthread_rwlock_unlock(&database->lock);
}

void tn_database_replace(tn_database_t *database, tn_store_t *store)
{
    (void)pthread_rwlock_wrlock(&database->lock);
    tn_store_t *before = database->store;
    database->store = store;
    (void)pthread_rwlock_unlock(&database->lock);
    tn_store_close(before);
}
