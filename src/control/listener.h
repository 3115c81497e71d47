/*
 * The daemon's unix socket: made with mode 0660, in place of one that nobody answers on, and
 * removed at the end if it is still ours.
 */
#pragma once

#include "tenantry.h"

#include <sys/types.h>

typedef struct {
    int fd; /* listening; whoever takes it over sets it to -1 */
    char path[108];
    dev_t device;
    ino_t inode;
} tn_listener_t;

/*
 * TN_EBUSY: somebody answers on this socket already. TN_ECONFLICT: the path is something else than
 * a socket. TN_ETOOBIG: longer than the 107 bytes that unix(7) has room for. Before any other
 * thread runs: it sets the process's umask for a moment.
 */
TN_CHECK int tn_listener_open(tn_listener_t *out, const char *path, tn_err_t *err);

/* Closes the socket unless it was taken over, and removes the file. A zeroed one with fd -1 too. */
void tn_listener_close(tn_listener_t *listener);
