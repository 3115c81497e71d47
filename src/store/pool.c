/*
 * The pool of connections; see pool.h.
 */
#include "store/pool.h"

#include "base/clock.h"
#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

void tn_session_deinit(tn_session_t *session, const tn_driver_t *driver)
{
    for (size_t i = 0; i < session->prepared_count; i++) {
        driver->finalize(session->prepared[i]->statement);
        free(session->prepared[i]);
    }
    free(session->prepared);
    session->prepared = NULL;
    session->prepared_count = 0;
    driver->disconnect(session->connection);
    session->connection = NULL;
}

int tn_pool_init(tn_pool_t *pool, const tn_driver_t *driver, tn_place_t *place, tn_err_t *err)
{
    *pool = (tn_pool_t){.driver = driver};
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&pool->lock, NULL) != 0) {
        return tn_err_set(err, TN_ENOMEM, "cannot make a lock");
    }
    int failed = pthread_condattr_init(&attributes);
    if (failed == 0) {
        failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (failed == 0) {
            failed = pthread_cond_init(&pool->freed, &attributes);
        }
        (void)pthread_condattr_destroy(&attributes);
    }
    if (failed != 0) {
        (void)pthread_mutex_destroy(&pool->lock);
        return tn_err_set(err, TN_ENOMEM, "cannot make a condition variable");
    }
    pool->place = place;
    return TN_OK;
}

void tn_pool_deinit(tn_pool_t *pool)
{
    for (size_t i = 0; i < TN_POOL_SIZE; i++) {
        tn_session_deinit(&pool->sessions[i], pool->driver);
    }
    pool->driver->close(pool->place);
    (void)pthread_cond_destroy(&pool->freed);
    (void)pthread_mutex_destroy(&pool->lock);
}

/* Prefers one that is connected. NULL when all are lent. */
static tn_session_t *find_idle(tn_pool_t *pool)
{
    tn_session_t *idle = NULL;
    for (size_t i = 0; i < TN_POOL_SIZE; i++) {
        tn_session_t *session = &pool->sessions[i];
        if (!session->is_in_use && (idle == NULL || idle->connection == NULL)) {
            idle = session;
        }
    }
    return idle;
}

static struct timespec deadline_in(int ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static tn_session_t *wait_for_idle(tn_pool_t *pool, bool queues)
{
    const struct timespec deadline = deadline_in(TN_POOL_WAIT_MS);
    (void)pthread_mutex_lock(&pool->lock);
    tn_session_t *session = NULL;
    for (int waited = 0; session == NULL && waited != ETIMEDOUT;) {
        session = queues && pool->has_writer ? NULL : find_idle(pool);
        if (session == NULL) {
            waited = pthread_cond_timedwait(&pool->freed, &pool->lock, &deadline);
        }
    }
    if (session != NULL) {
        session->is_in_use = true;
        pool->has_writer = pool->has_writer || queues;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return session;
}

int tn_pool_take(tn_session_t **out, int *left_ms, tn_pool_t *pool, bool writes, tn_err_t *err)
{
    int64_t start_ms = tn_clock_steady_ms();
    int code = pool->driver->check(pool->place, err);
    if (code != TN_OK) {
        return code;
    }
    tn_session_t *session = wait_for_idle(pool, writes && pool->driver->has_one_writer);
    if (session == NULL) {
        return tn_err_set(err, TN_EBUSY, "the database is busy: no %s in %d ms",
                          writes ? "turn to write" : "connection", TN_POOL_WAIT_MS);
    }
    if (session->connection == NULL) {
        code = pool->driver->connect(&session->connection, pool->place, err);
    }
    if (code != TN_OK) {
        tn_pool_give(pool, session, writes, false);
        return code;
    }
    int64_t spent_ms = tn_clock_steady_ms() - start_ms;
    *left_ms = spent_ms < TN_POOL_WAIT_MS ? (int)(TN_POOL_WAIT_MS - spent_ms) : 0;
    *out = session;
    return TN_OK;
}

void tn_pool_give(tn_pool_t *pool, tn_session_t *session, bool writes, bool is_broken)
{
    if (is_broken) {
        tn_session_deinit(session, pool->driver);
    }
    (void)pthread_mutex_lock(&pool->lock);
    session->is_in_use = false;
    if (writes && pool->driver->has_one_writer) {
        pool->has_writer = false;
    }
    (void)pthread_cond_broadcast(&pool->freed);
    (void)pthread_mutex_unlock(&pool->lock);
}
