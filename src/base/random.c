/*
 * Random bytes; see random.h.
 */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void tn_random_bytes(void *buffer, size_t size_bytes)
{
    unsigned char *at = buffer;
    while (size_bytes > 0) {
        ssize_t got = getrandom(at, size_bytes, 0);
        if (got < 0 && errno != EINTR) {
            abort();
        }
        if (got > 0) {
            at += got;
            size_bytes -= (size_t)got;
        }
    }
}
