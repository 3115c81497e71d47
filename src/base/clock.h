/*
 * Time: the wall clock in milliseconds since the epoch (what the database keeps), the steady clock
 * (for deadlines), and RFC 3339 text.
 */
#pragma once

#include "tenantry.h"

#define TN_TIME_TEXT_SIZE 32

int64_t tn_clock_wall_ms(void);
int64_t tn_clock_steady_ms(void);

/* "2026-01-31T23:59:59.123Z" into a buffer of TN_TIME_TEXT_SIZE; returns the buffer. */
const char *tn_clock_format(char *buffer, int64_t wall_ms);
