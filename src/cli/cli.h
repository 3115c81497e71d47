/*
 * The `tenantry` command. It talks to the daemon's API over its unix socket, and reads the
 * directory itself for what must work without the daemon.
 */
#pragma once

#include "conf/conf.h"

/* Runs the daemon in the foreground; returns the exit code. */
typedef int (*tn_cli_serve_fn)(const tn_conf_t *conf);

/*
 * The whole command: parses, runs one subcommand, returns the exit code (enum tn_exit in
 * command.h). serve is what the subcommand of that name calls, so that this layer need not know the
 * daemon.
 */
int tn_cli_main(int argc, char **argv, tn_cli_serve_fn serve);
