/*
 * The supervisor's loop; see supervisor.h.
 */
#include "cli/supervisor.h"

#include "base/clock.h"
#include "base/err.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_STEP_MS 20
#define IDLE_STEP_MS  60000

void tn_supervisor_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("tenantry: run: ", stdout);
    (void)vprintf(format, args); /* a person's terminal: there is nobody else to tell */
    putchar('\n');
    (void)fflush(stdout);
    va_end(args);
}

int tn_supervisor_open(tn_supervisor_t *out, tn_process_t *processes, size_t count, tn_err_t *err)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGQUIT);
    sigaddset(&signals, SIGCHLD);
    (void)signal(SIGPIPE, SIG_IGN); /* `tenantry run | head` ends the reader, not the service */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0) {
        return tn_err_errno(err, errno, "cannot block signals");
    }
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return tn_err_errno(err, errno, "cannot receive signals");
    }
    siginfo_t child;
    *out = (tn_supervisor_t){.processes = processes, .count = count, .signals = fd};
    out->had_children = waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0;
    return TN_OK;
}

void tn_supervisor_close(tn_supervisor_t *supervisor)
{
    (void)close(supervisor->signals);
}

/* Takes what happened until now, or within timeout_ms: requests to stop, and ends of processes,
 * whose restart is then planned. */
static void step(tn_supervisor_t *supervisor, int64_t timeout_ms)
{
    struct pollfd events = {.fd = supervisor->signals, .events = POLLIN};
    struct signalfd_siginfo info;
    size_t which;
    (void)poll(&events, 1, timeout_ms < 0 ? 0 : (int)timeout_ms); /* a signal ends it early */
    while (read(supervisor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGCHLD) {
            supervisor->stops_asked++;
        }
    }
    while (tn_process_reap(&which, supervisor->processes, supervisor->count)) {
        tn_process_plan_restart(&supervisor->processes[which], tn_clock_steady_ms());
    }
}

int tn_supervisor_start(tn_supervisor_t *supervisor, size_t index, tn_ready_fn is_ready,
                        const void *context, int64_t timeout_ms, tn_err_t *err)
{
    tn_process_t *process = &supervisor->processes[index];
    char end[80];
    int code = tn_process_start(process, err);
    if (code != TN_OK || is_ready == NULL) {
        return code;
    }
    int64_t deadline_ms = tn_clock_steady_ms() + timeout_ms;
    while (!is_ready(context)) {
        step(supervisor, READY_STEP_MS);
        if (supervisor->stops_asked > 0) {
            return tn_err_set(err, TN_EBUSY, "stopped while %s was starting", process->name);
        }
        if (process->pid == 0) {
            return tn_err_set(err, TN_EIO, "%s %s before it was ready", process->name,
                              tn_process_describe_end(end, sizeof(end), process->status));
        }
        if (tn_clock_steady_ms() > deadline_ms) {
            return tn_err_set(err, TN_EUNAVAILABLE, "%s was not ready after %d s", process->name,
                              (int)(timeout_ms / 1000));
        }
    }
    return TN_OK;
}

/* Says that a process ended, once for each time. */
static void report_end(const tn_process_t *process)
{
    char end[80];
    tn_supervisor_say("%s %s; it starts again in %d s", process->name,
                      tn_process_describe_end(end, sizeof(end), process->status),
                      (int)(process->pause_ms / 1000));
}

/* Starts what is due; returns when to look again, in milliseconds. */
static int64_t restart_due(tn_supervisor_t *supervisor)
{
    int64_t next_ms = IDLE_STEP_MS;
    for (size_t i = 0; i < supervisor->count; i++) {
        tn_process_t *process = &supervisor->processes[i];
        tn_err_t err;
        int64_t now_ms = tn_clock_steady_ms();
        if (process->pid != 0 || process->restart_ms == 0) {
            continue;
        }
        if (!process->is_end_said) {
            report_end(process);
            process->is_end_said = true;
        }
        if (process->restart_ms <= now_ms && tn_process_start(process, &err) != TN_OK) {
            tn_supervisor_say("%s", err.detail);
            tn_process_plan_restart(process, now_ms);
        }
        if (process->pid == 0 && process->restart_ms - now_ms < next_ms) {
            next_ms = process->restart_ms - now_ms;
        }
    }
    return next_ms;
}

void tn_supervisor_run(tn_supervisor_t *supervisor)
{
    int64_t timeout_ms = 0;
    while (supervisor->stops_asked == 0) {
        step(supervisor, timeout_ms);
        timeout_ms = restart_due(supervisor);
    }
}

/* Waits for one process to end; false when it did not within timeout_ms, or when it may not be
 * waited for any more. */
static bool await_end(tn_supervisor_t *supervisor, const tn_process_t *process, int64_t timeout_ms)
{
    int64_t deadline_ms = tn_clock_steady_ms() + timeout_ms;
    while (process->pid != 0) {
        int64_t left_ms = deadline_ms - tn_clock_steady_ms();
        if (left_ms <= 0 || supervisor->stops_asked > 1) {
            return false;
        }
        step(supervisor, left_ms);
    }
    return true;
}

void tn_supervisor_stop(tn_supervisor_t *supervisor)
{
    if (supervisor->stops_asked > 0) {
        tn_supervisor_say("stopping (Ctrl-C again stops at once)");
    }
    for (size_t i = supervisor->count; i > 0; i--) {
        tn_process_t *process = &supervisor->processes[i - 1];
        if (process->pid == 0) {
            continue;
        }
        if (process->stop_signal != 0) {
            tn_process_signal(process, process->stop_signal);
        }
        if (await_end(supervisor, process, process->stop_ms)) {
            continue;
        }
        if (supervisor->stops_asked <= 1) {
            tn_supervisor_say("%s did not end within %d s and is killed", process->name,
                              (int)(process->stop_ms / 1000));
        }
        tn_process_signal(process, SIGKILL);
        while (process->pid != 0) {
            step(supervisor, IDLE_STEP_MS); /* nothing survives that signal */
        }
    }
    if (!supervisor->had_children) {
        tn_process_sweep();
    }
}
