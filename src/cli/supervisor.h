/*
 * Keeps a row of processes running until a person or a service manager asks to stop: starts them in
 * order, starts those again that end, and stops them in reverse order. Knows nothing of what they
 * are.
 */
#pragma once

#include "cli/process.h"

typedef struct {
    tn_process_t *processes; /* in the order of starting; the caller's */
    size_t count;
    int signals;       /* a signalfd */
    int stops_asked;   /* Ctrl-C and the like: the second one does not wait */
    bool had_children; /* before this one: `something & exec tenantry run` */
} tn_supervisor_t;

/*
 * Takes over the signals of this process: SIGINT, SIGTERM, SIGHUP and SIGQUIT ask to stop. The
 * process must have one thread only.
 */
TN_CHECK int tn_supervisor_open(tn_supervisor_t *out, tn_process_t *processes, size_t count,
                                tn_err_t *err);
void tn_supervisor_close(tn_supervisor_t *supervisor);

/*
 * Starts the process at index and waits until is_ready says so (NULL: not at all). TN_EIO: it ended
 * before that, or could not be started. TN_EBUSY: stopping was asked for meanwhile.
 * TN_EUNAVAILABLE: it runs, and was not ready in time.
 */
typedef bool (*tn_ready_fn)(const void *context);
TN_CHECK int tn_supervisor_start(tn_supervisor_t *supervisor, size_t index, tn_ready_fn is_ready,
                                 const void *context, int64_t timeout_ms, tn_err_t *err);

/* Until stopping is asked for: starts again what ends, with a line that says so. */
void tn_supervisor_run(tn_supervisor_t *supervisor);

/* Stops all, the last one first, each within its own time; at once when asked a second time. */
void tn_supervisor_stop(tn_supervisor_t *supervisor);

/* A line on standard output: "tenantry: run: TEXT". */
void tn_supervisor_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
