/*
 * The pid file; see pidfile.h.
 */
#include "control/pidfile.h"

#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ATTEMPTS = 16 };

/* Whether path still names the open file: its holder may have removed it before our lock. */
static bool is_same_file(int fd, const char *path)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

static int report_holder(int fd, const char *path, tn_err_t *err)
{
    char text[24] = "";
    ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
    long pid = length > 0 ? strtol(text, NULL, 10) : 0;
    return pid > 0 ? tn_err_set(err, TN_EBUSY, "a daemon runs already, as process %ld ('%s')", pid,
                                path)
                   : tn_err_set(err, TN_EBUSY, "a daemon runs already ('%s')", path);
}

/* One attempt: *fd is the locked file, or -1 when it vanished under way and another try is due. */
static int try_lock(int *fd, const char *path, tn_err_t *err)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    int code = TN_OK;
    if (file < 0) {
        return tn_err_errno(err, errno, "cannot open '%s'", path);
    }
    if (flock(file, LOCK_EX | LOCK_NB) < 0) {
        code = errno == EWOULDBLOCK ? report_holder(file, path, err)
                                    : tn_err_errno(err, errno, "cannot lock '%s'", path);
    }
    if (code == TN_OK && is_same_file(file, path)) {
        *fd = file;
        return TN_OK;
    }
    (void)close(file);
    return code;
}

static int write_pid(int fd, const char *path, tn_err_t *err)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length) {
        return tn_err_errno(err, errno, "cannot write '%s'", path);
    }
    return TN_OK;
}

int tn_pidfile_open(tn_pidfile_t *out, const char *path, tn_err_t *err)
{
    int fd = -1;
    int code = TN_OK;
    for (int i = 0; i < ATTEMPTS && code == TN_OK && fd < 0; i++) {
        code = try_lock(&fd, path, err);
    }
    if (code == TN_OK && fd < 0) {
        code = tn_err_set(err, TN_EBUSY, "'%s' is being changed by somebody else", path);
    }
    if (code != TN_OK) {
        return code;
    }
    code = write_pid(fd, path, err);
    char *copy = code == TN_OK ? tn_str_dup(tn_str(path)) : NULL;
    if (copy == NULL) {
        (void)unlink(path);
        (void)close(fd);
        return code != TN_OK ? code : tn_err_set(err, TN_ENOMEM, "no memory for a path");
    }
    *out = (tn_pidfile_t){fd, copy};
    return TN_OK;
}

void tn_pidfile_close(tn_pidfile_t *pidfile)
{
    if (pidfile->fd < 0) {
        return;
    }
    /* removed before the lock goes: whoever opens it in between finds it is not the file any more
     */
    if (is_same_file(pidfile->fd, pidfile->path)) {
        (void)unlink(pidfile->path);
    }
    (void)close(pidfile->fd);
    free(pidfile->path);
    *pidfile = (tn_pidfile_t){.fd = -1};
}
