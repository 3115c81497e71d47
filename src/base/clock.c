/*
 * Clocks and RFC 3339 text; see clock.h.
 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec now;
    /* cannot fail for these two clocks on Linux */
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t tn_clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t tn_clock_steady_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

const char *tn_clock_format(char *buffer, int64_t wall_ms)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts = {0};
    (void)gmtime_r(&seconds, &parts);
    size_t used = strftime(buffer, TN_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(buffer + used, TN_TIME_TEXT_SIZE - used, ".%03dZ", (int)(wall_ms % 1000));
    return buffer;
}
