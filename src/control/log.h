/*
 * The daemon's log: one line an event on stderr, `subsystem, action 'object' (cause)`, with time
 * and level. Under journald the level goes as its <N> prefix and the time is left to it. A line
 * that repeats is written once and then counted, so that no visitor and no broken disk can fill a
 * log.
 */
#pragma once

#include "tenantry.h"

typedef enum {
    TN_LOG_ERROR,
    TN_LOG_WARNING,
    TN_LOG_NOTICE,
    TN_LOG_INFO,
    TN_LOG_DEBUG,
} tn_log_level_t;

/* A line is written at most TN_LOG_BURST times within a window; the others are counted. */
#define TN_LOG_WINDOW_MS 60000
#define TN_LOG_BURST     5
#define TN_LOG_LINE_MAX  1024 /* bytes of a line's text; longer ones are cut */

typedef struct tn_log tn_log_t;

typedef struct {
    int fd;                  /* where lines go; not closed */
    tn_log_level_t level;    /* lines above it are dropped */
    bool is_journal;         /* <N> prefixes instead of time and level */
    int64_t (*now_ms)(void); /* a steady clock; NULL for the system's */
} tn_log_options_t;

TN_CHECK int tn_log_new(tn_log_t **out, const tn_log_options_t *options, tn_err_t *err);
/* Writes the counts that are still open. NULL is allowed. */
void tn_log_free(tn_log_t *log);

/* "error", "warning", "notice", "info" or "debug"; TN_EINVAL for anything else. */
TN_CHECK int tn_log_level_parse(tn_log_level_t *out, const char *text);

/* Whether stderr is connected to journald: JOURNAL_STREAM of systemd.exec(5) names its file. */
bool tn_log_is_journal(int fd);

/*
 * Writes a line; from any thread; log may be NULL. Control bytes and invalid UTF-8 in it are
 * escaped as \xNN, so that what a client sent cannot forge a line.
 */
void tn_log_write(tn_log_t *log, tn_log_level_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes the counts of repeats whose window has ended; for a regular tick. */
void tn_log_flush(tn_log_t *log);
