/*
 * Whole small files; see file.h.
 */
#include "base/file.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads until the end of the file or until `limit` bytes are there. */
static ssize_t read_all(int fd, char *buffer, size_t limit)
{
    size_t got = 0;
    while (got < limit) {
        ssize_t n = read(fd, buffer + got, limit - got);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        got += (size_t)n;
    }
    return (ssize_t)got;
}

int tn_file_read(char **out, size_t *length, const char *path, size_t max_bytes, tn_err_t *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return tn_err_set(err, TN_ENOTFOUND, "'%s' does not exist", path);
    }
    if (fd < 0) {
        return tn_err_errno(err, errno, "cannot open '%s'", path);
    }
    int code = TN_OK;
    char *data = malloc(max_bytes + 2);
    if (data == NULL) {
        code = tn_err_set(err, TN_ENOMEM, "no memory to read '%s'", path);
        goto out;
    }
    ssize_t got = read_all(fd, data, max_bytes + 1);
    if (got < 0) {
        code = tn_err_errno(err, errno, "cannot read '%s'", path);
    } else if ((size_t)got > max_bytes) {
        code = tn_err_set(err, TN_ETOOBIG, "'%s' is larger than %zu bytes", path, max_bytes);
    } else {
        data[got] = '\0';
        *out = data;
        data = NULL;
        if (length != NULL) {
            *length = (size_t)got;
        }
    }
out:
    free(data);
    (void)close(fd);
    return code;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

/* Makes the rename itself durable. */
static void sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
        return;
    }
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        /* some file systems cannot sync a folder; the file itself is synced already */
        (void)fsync(fd);
        (void)close(fd);
    }
}

int tn_file_write(const char *path, const void *data, size_t length, mode_t mode, tn_err_t *err)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary)) {
        return tn_err_set(err, TN_ETOOBIG, "the path '%s' is too long", path);
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return tn_err_errno(err, errno, "cannot create a file beside '%s'", path);
    }
    int code = TN_OK;
    if (fchmod(fd, mode) < 0 || write_all(fd, data, length) < 0 || fsync(fd) < 0) {
        code = tn_err_errno(err, errno, "cannot write '%s'", path);
    }
    if (close(fd) < 0 && code == TN_OK) {
        code = tn_err_errno(err, errno, "cannot write '%s'", path);
    }
    if (code == TN_OK && rename(temporary, path) < 0) {
        code = tn_err_errno(err, errno, "cannot replace '%s'", path);
    }
    if (code != TN_OK) {
        (void)unlink(temporary);
        return code;
    }
    sync_folder_of(path);
    return TN_OK;
}
