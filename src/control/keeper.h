/*
 * The keeper: a thread that each second sees to the database and the directory. It opens a database
 * that was missing, lets one go that was moved away, catches up what a killed daemon or a failed
 * write left unpublished, and checks a part of the directory. It logs changes of state, never the
 * state itself.
 */
#pragma once

#include "control/control.h"

typedef struct tn_keeper tn_keeper_t;

/*
 * Opens the database for the first time, publishes, and starts the thread. That there is no
 * database is no failure. A database is created only when may_create.
 */
TN_CHECK int tn_keeper_start(tn_keeper_t **out, tn_control_t *control, bool may_create,
                             tn_err_t *err);

/* Waits for the thread to end. NULL is allowed. */
void tn_keeper_stop(tn_keeper_t *keeper);
