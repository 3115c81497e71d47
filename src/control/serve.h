/*
 * The daemon, `tenantry serve`: its life from the pid file to the last closed handle.
 */
#pragma once

#include "conf/conf.h"

/*
 * Runs in the foreground until SIGTERM, SIGINT or SIGHUP, logging to stderr. Returns the process's
 * exit code: 0 after a clean stop, 1 when it could not start (the log says why). Blocks those
 * signals in the calling thread, which must be the only one.
 */
int tn_serve(const tn_conf_t *conf);
