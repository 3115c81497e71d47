/*
 * Children of the supervisor; see process.h.
 */
#include "cli/process.h"

#include "base/clock.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS   30000
#define GOOD_RUN_MS    60000

/* In the child, between fork and exec. */
static void become(const tn_process_t *process, pid_t supervisor)
{
    sigset_t none;
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != supervisor) {
        _exit(0); /* it died before the line above */
    }
    (void)signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0) {
        (void)dup2(null, STDIN_FILENO); /* a background group that reads the terminal is stopped */
        (void)close(null);
    }
    if (process->stdout_fd >= 0) {
        (void)dup2(process->stdout_fd, STDOUT_FILENO);
    }
}

/* Reads what the child could not do: an errno, or nothing when exec closed the pipe. */
static int exec_error(int fd)
{
    int reason = 0;
    ssize_t got;
    do {
        got = read(fd, &reason, sizeof(reason));
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(reason) ? reason : 0;
}

int tn_process_start(tn_process_t *process, tn_err_t *err)
{
    int report[2];
    pid_t supervisor = getpid();
    if (pipe2(report, O_CLOEXEC) < 0) {
        return tn_err_errno(err, errno, "cannot start %s", process->name);
    }
    (void)fflush(NULL); /* or the fork would print it again */
    pid_t pid = fork();
    if (pid == 0) {
        become(process, supervisor);
        if (process->body != NULL) {
            (void)close(report[0]);
            (void)close(report[1]);
            _exit(process->body(process->context));
        }
        execv(process->argv[0], (char *const *)(uintptr_t)process->argv);
        int reason = errno;
        (void)!write(report[1], &reason, sizeof(reason)); /* the parent sees the end at least */
        _exit(127);
    }
    int fork_error = errno;
    (void)close(report[1]);
    int reason = pid > 0 ? exec_error(report[0]) : fork_error;
    (void)close(report[0]);
    if (pid > 0 && reason != 0) {
        (void)waitpid(pid, NULL, 0);
    }
    if (reason != 0) {
        return tn_err_errno(err, reason, "cannot start %s (%s)", process->name,
                            process->argv == NULL ? "fork" : process->argv[0]);
    }
    process->pid = pid;
    process->started_ms = tn_clock_steady_ms();
    process->restart_ms = 0;
    process->is_end_said = false;
    return TN_OK;
}

void tn_process_signal(const tn_process_t *process, int signal)
{
    if (process->pid > 0) {
        (void)kill(-process->pid, signal); /* it may have ended in this moment */
    }
}

bool tn_process_reap(size_t *which, tn_process_t *processes, size_t count)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (processes[i].pid == pid) {
                processes[i].status = status;
                processes[i].pid = 0;
                (void)kill(-pid, SIGKILL); /* nginx's workers outlive a killed master */
                *which = i;
                return true;
            }
        }
    }
    return false;
}

/* One pass over the kernel's list of this process's children. */
static void kill_children(void)
{
    FILE *list = fopen("/proc/thread-self/children", "re");
    int pid;
    while (list != NULL && fscanf(list, "%d", &pid) == 1) {
        (void)kill((pid_t)pid, SIGKILL);
    }
    if (list != NULL) {
        (void)fclose(list);
    }
}

void tn_process_sweep(void)
{
    const struct timespec step = {.tv_nsec = 5000000};
    for (int i = 0; i < 200; i++) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        }
        if (pid < 0) {
            return; /* none is left */
        }
        kill_children(); /* again each time: theirs come up when they are gone */
        (void)nanosleep(&step, NULL);
    }
}

void tn_process_plan_restart(tn_process_t *process, int64_t now_ms)
{
    if (now_ms - process->started_ms >= GOOD_RUN_MS) {
        process->pause_ms = 0;
    }
    process->pause_ms *= 2;
    if (process->pause_ms < PAUSE_FIRST_MS) {
        process->pause_ms = PAUSE_FIRST_MS;
    } else if (process->pause_ms > PAUSE_MAX_MS) {
        process->pause_ms = PAUSE_MAX_MS;
    }
    process->restart_ms = now_ms + process->pause_ms;
}

const char *tn_process_describe_end(char *buffer, size_t size_bytes, int status)
{
    if (WIFSIGNALED(status)) {
        (void)snprintf(buffer, size_bytes, "was killed by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    } else {
        (void)snprintf(buffer, size_bytes, "ended with exit code %d", WEXITSTATUS(status));
    }
    return buffer;
}
