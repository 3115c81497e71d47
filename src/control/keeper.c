/*
 * The keeper; see keeper.h.
 */
#include "control/keeper.h"

#include "base/err.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TICK_S = 1 };

struct tn_keeper {
    tn_control_t *control;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping; /* under lock */
    /* what was logged last; of the thread that ticks */
    bool has_logged;
    tn_publisher_state_t logged_state;
    char logged_reason[320];
    bool is_damage_logged;
};

/* Takes the database out of use. */
static void lose_database(tn_control_t *control, const tn_err_t *why)
{
    tn_database_replace(control->database, NULL);
    tn_publisher_lost_database(control->publisher, why->detail);
}

/* Tries to open the database, and publishes from it before any request may ask it. */
static void find_database(tn_control_t *control, bool may_create)
{
    tn_err_t err = {0};
    tn_store_t *store = NULL;
    if (tn_store_open(&store, control->conf->database, may_create, &err) != TN_OK) {
        tn_publisher_lost_database(control->publisher, err.detail);
        return;
    }
    char id[TN_UUID_LENGTH + 1];
    tn_log_write(control->log, TN_LOG_NOTICE, "database, opened '%s' (id %s)",
                 control->conf->database, tn_uuid_format(id, tn_store_identity(store).bytes));
    /* the publisher's status tells how it went, and log_state logs it */
    (void)!tn_control_publish(NULL, control, store, &err);
    tn_database_replace(control->database, store);
}

/* Looks at a part of the directory, and says so once when it is not as it should be: the next
 * publishing makes it anew. */
static void inspect_directory(tn_keeper_t *keeper)
{
    tn_control_t *control = keeper->control;
    tn_err_t err = {0};
    int code = tn_publisher_inspect(control->publisher, &err);
    bool is_damaged = code == TN_EDAMAGED || code == TN_ENOTFOUND;
    if (is_damaged && !keeper->is_damage_logged) {
        const char *path = control->conf->directory;
        bool is_unusable = code == TN_ENOTFOUND && access(path, F_OK) == 0;
        tn_log_write(control->log, TN_LOG_ERROR,
                     "directory, lost '%s' (%s; it is made anew from the database)", path,
                     is_unusable ? "what is there cannot be used" : err.detail);
    }
    keeper->is_damage_logged = is_damaged;
}

/* Logs a state when it is another than before, or has another reason. */
static void log_state(tn_keeper_t *keeper)
{
    tn_publisher_status_t status;
    tn_publisher_status(&status, keeper->control->publisher);
    if (keeper->has_logged && status.state == keeper->logged_state &&
        strcmp(status.reason, keeper->logged_reason) == 0) {
        return;
    }
    keeper->has_logged = true;
    keeper->logged_state = status.state;
    (void)snprintf(keeper->logged_reason, sizeof(keeper->logged_reason), "%s", status.reason);
    const tn_conf_t *conf = keeper->control->conf;
    switch (status.state) {
    case TN_PUBLISHER_READY:
        tn_log_write(keeper->control->log, TN_LOG_NOTICE,
                     "publisher, follows '%s' (generation %" PRIu64 ")", conf->database,
                     status.generation);
        break;
    case TN_PUBLISHER_REFUSED:
        tn_log_write(
            keeper->control->log, TN_LOG_ERROR,
            "publisher, refused to publish '%s' (%s; the edge keeps what it knows; to take "
            "this database for the truth: tenantry cache rebuild --force)",
            conf->database, status.reason);
        break;
    default:
        tn_log_write(keeper->control->log, TN_LOG_ERROR,
                     "publisher, cannot publish '%s' (%s; the edge keeps what it knows; trying "
                     "again each second)",
                     conf->database, status.reason);
    }
}

static void tick(tn_keeper_t *keeper)
{
    tn_control_t *control = keeper->control;
    tn_store_t *store = NULL;
    tn_err_t err = {0};
    inspect_directory(keeper);
    bool is_lost = tn_database_acquire(&store, control->database, NULL) != TN_OK;
    if (!is_lost) {
        is_lost = tn_store_check(store, &err) != TN_OK;
        if (!is_lost) {
            /* catches up, or tells in the publisher's status why it cannot */
            (void)!tn_control_publish(NULL, control, store, &err);
        }
        tn_database_release(control->database);
        if (is_lost) {
            lose_database(control, &err);
        }
    }
    if (is_lost) {
        find_database(control, false);
    }
    log_state(keeper);
    tn_log_flush(control->log);
}

/* Waits for the next tick; false when the keeper is to stop. */
static bool wait_for_tick(tn_keeper_t *keeper)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_S;
    (void)pthread_mutex_lock(&keeper->lock);
    int waited = 0;
    while (!keeper->is_stopping && waited == 0) {
        waited = pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
    }
    bool goes_on = !keeper->is_stopping;
    (void)pthread_mutex_unlock(&keeper->lock);
    return goes_on;
}

static void *run(void *context)
{
    tn_keeper_t *keeper = context;
    while (wait_for_tick(keeper)) {
        tick(keeper);
    }
    return NULL;
}

static void free_keeper(tn_keeper_t *keeper)
{
    (void)pthread_cond_destroy(&keeper->wake);
    (void)pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}

int tn_keeper_start(tn_keeper_t **out, tn_control_t *control, bool may_create, tn_err_t *err)
{
    tn_keeper_t *keeper = calloc(1, sizeof(*keeper));
    if (keeper == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for the keeper");
    }
    keeper->control = control;
    pthread_condattr_t attributes;
    /* none of these can fail on Linux */
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&keeper->lock, NULL);

    if (!may_create) {
        inspect_directory(keeper);
    }
    find_database(control, may_create);
    log_state(keeper);
    int failed = pthread_create(&keeper->thread, NULL, run, keeper);
    if (failed != 0) {
        free_keeper(keeper);
        return tn_err_errno(err, failed, "cannot start a thread");
    }
    *out = keeper;
    return TN_OK;
}

void tn_keeper_stop(tn_keeper_t *keeper)
{
    if (keeper == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->is_stopping = true;
    (void)pthread_cond_signal(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    free_keeper(keeper);
}
