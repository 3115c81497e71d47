/*
 * A child process of `tenantry run`: in a process group of its own (the terminal's Ctrl-C reaches
 * the supervisor only, which stops its children in order), told to end when the supervisor dies,
 * and started again with a growing pause when it ends by itself.
 */
#pragma once

#include "tenantry.h"

#include <sys/types.h>

typedef struct {
    const char *name;
    const char *const *argv;    /* NULL-terminated; argv[0] is a path */
    int (*body)(void *context); /* instead of argv: runs in a fork, its value is the exit code */
    void *context;
    int stdout_fd;   /* becomes its standard output; -1: the supervisor's */
    int stop_signal; /* asks it to end in an orderly way; 0: it ends by itself */
    int64_t stop_ms; /* how long that may take */

    pid_t pid; /* 0 when it does not run */
    int64_t started_ms;
    int64_t restart_ms; /* when to start it again (steady clock); 0: not to */
    int64_t pause_ms;   /* the present pause between restarts */
    int status;         /* as waitpid(2) gave it, after it ended */
    bool is_end_said;   /* somebody has been told that it ended */
} tn_process_t;

/*
 * Starts it. The caller has SIGCHLD blocked, one thread, and is a child subreaper if grandchildren
 * are to be seen. TN_EIO: it could not be executed; the detail says why.
 */
TN_CHECK int tn_process_start(tn_process_t *process, tn_err_t *err);

/* Signals the process and all of its group. Nothing happens when it does not run. */
void tn_process_signal(const tn_process_t *process, int signal);

/*
 * Takes the end of any child; true when it was one of `processes`, whose pid is then 0, whose
 * *which is its index, and what was left of whose group is killed.
 */
bool tn_process_reap(size_t *which, tn_process_t *processes, size_t count);

/*
 * Kills whatever children are still there (what an application has let go of into a session of its
 * own comes to a subreaper in the end) and waits until there are none, at most a second.
 */
void tn_process_sweep(void);

/* Plans the next start: in 1 s, and each time in twice that, up to 30 s; a process that ran for a
 * minute begins anew. */
void tn_process_plan_restart(tn_process_t *process, int64_t now_ms);

/* "ended with exit code 1", "was killed by signal 9 (Killed)" into buffer; returns it. */
const char *tn_process_describe_end(char *buffer, size_t size_bytes, int status);
