/*
 * The unix socket; see listener.h.
 */
#include "control/listener.h"

#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 }; /* nginx's own; the kernel cuts it to net.core.somaxconn */

/* Whether anybody accepts on this socket now. */
static bool is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return true; /* cannot tell: leave it alone */
    }
    int failed = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    bool answered = failed == 0 || (errno != ECONNREFUSED && errno != ENOENT);
    (void)close(fd);
    return answered;
}

/* Removes what a killed daemon left. */
static int remove_stale(const struct sockaddr_un *address, tn_err_t *err)
{
    struct stat info;
    const char *path = address->sun_path;
    if (lstat(path, &info) < 0) {
        return errno == ENOENT ? TN_OK : tn_err_errno(err, errno, "cannot look at '%s'", path);
    }
    if (!S_ISSOCK(info.st_mode)) {
        return tn_err_set(err, TN_ECONFLICT, "'%s' is there already and is not a socket", path);
    }
    if (is_answered(address)) {
        return tn_err_set(err, TN_EBUSY, "somebody answers on '%s' already", path);
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        return tn_err_errno(err, errno, "cannot remove the old '%s'", path);
    }
    return TN_OK;
}

/* Binds and listens; the mode is right from the first moment. */
static int listen_at(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(0117);
    int failed = bind(fd, (const struct sockaddr *)address, sizeof(*address));
    int reason = errno;
    (void)umask(before);
    errno = reason;
    return failed != 0 ? failed : listen(fd, BACKLOG);
}

int tn_listener_open(tn_listener_t *out, const char *path, tn_err_t *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat info;
    if (tn_str_copy(address.sun_path, sizeof(address.sun_path), tn_str(path)) != TN_OK) {
        return tn_err_set(err, TN_ETOOBIG, "the socket's path '%s' is longer than %zu bytes", path,
                          sizeof(address.sun_path) - 1);
    }
    int code = remove_stale(&address, err);
    if (code != TN_OK) {
        return code;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return tn_err_errno(err, errno, "cannot make a socket");
    }
    if (listen_at(fd, &address) < 0 || lstat(path, &info) < 0) {
        code = tn_err_errno(err, errno, "cannot listen on '%s'", path);
        (void)close(fd);
        return code;
    }
    *out = (tn_listener_t){.fd = fd, .device = info.st_dev, .inode = info.st_ino};
    memcpy(out->path, address.sun_path, sizeof(out->path));
    return TN_OK;
}

void tn_listener_close(tn_listener_t *listener)
{
    struct stat info;
    if (listener->fd >= 0) {
        (void)close(listener->fd);
        listener->fd = -1;
    }
    if (listener->path[0] != '\0' && lstat(listener->path, &info) == 0 &&
        info.st_dev == listener->device && info.st_ino == listener->inode) {
        (void)unlink(listener->path);
    }
    listener->path[0] = '\0';
}
