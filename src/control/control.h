/*
 * What the daemon's parts share, handed to each as an argument: the configuration, the log, the
 * operator, the database and the publisher. serve.c owns all of it.
 */
#pragma once

#include "conf/conf.h"
#include "control/auth.h"
#include "control/database.h"
#include "control/log.h"
#include "sync/publisher.h"

#include <stdatomic.h>

typedef struct {
    const tn_conf_t *conf;
    bool has_public_url; /* set by the operator: decides scheme and port of links */
    tn_log_t *log;
    tn_operator_t operator_token;
    tn_database_t *database;
    tn_publisher_t *publisher;
    /* the database is not the directory's: it is no witness for what visitors are told */
    atomic_bool is_refused;
} tn_control_t;

/*
 * tn_publisher_sync, and notes whether it was refused. store is the database in use (acquired by
 * the caller), or one that is about to be.
 */
TN_CHECK int tn_control_publish(uint64_t *generation, tn_control_t *control, tn_store_t *store,
                                tn_err_t *err);

/* The same for tn_publisher_rebuild. */
TN_CHECK int tn_control_rebuild(uint64_t *generation, tn_control_t *control, tn_store_t *store,
                                bool force, tn_err_t *err);
