/*
 * The listening socket of the example application: "unix:PATH" or "HOST:PORT".
 */
#pragma once

#include <stddef.h>

/*
 * Binds and listens. A unix socket gets mode 0660; one that nobody answers at any more is replaced.
 * Returns the descriptor, or -1 with a sentence in error.
 */
int listen_at(const char *address, char *error, size_t error_size);

/* Removes the file of a unix socket; nothing for the others. */
void listen_end(const char *address);
