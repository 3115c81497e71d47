/*
 * Random bytes from the operating system.
 */
#pragma once

#include "tenantry.h"

/* Fills all of buffer from getrandom(2). Aborts the process if the kernel has none to give: nothing
 * in this project may go on with predictable identities or keys. */
void tn_random_bytes(void *buffer, size_t size_bytes);
