/*
 * The daemon's pid file, which is also what keeps two daemons off one state folder: it is locked as
 * long as the daemon runs, so one left by a killed daemon holds nobody up.
 */
#pragma once

#include "tenantry.h"

typedef struct {
    int fd;
    char *path;
} tn_pidfile_t;

/* TN_EBUSY, with the other's process id in the detail, when another process holds it. */
TN_CHECK int tn_pidfile_open(tn_pidfile_t *out, const char *path, tn_err_t *err);

/* Removes the file and lets the lock go. One with fd -1 is left alone. */
void tn_pidfile_close(tn_pidfile_t *pidfile);
