/*
 * Looking at addresses; see reach.h.
 */
#include "cli/reach.h"

#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool unix_answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (tn_str_copy(address.sun_path, sizeof(address.sun_path), tn_str(path)) != TN_OK) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    /* EAGAIN: its backlog is full, so there is somebody */
    bool answers =
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;
    (void)close(fd);
    return answers;
}

/* The addresses behind "HOST:PORT"; the caller frees them. NULL when there are none. */
static struct addrinfo *look_up(const char *address, int flags)
{
    char host[TN_HOST_MAX + 3];
    const char *colon = strrchr(address, ':');
    tn_str_t name = {address, colon == NULL ? 0 : (size_t)(colon - address)};
    if (name.length > 2 && name.data[0] == '[' && name.data[name.length - 1] == ']') {
        name = (tn_str_t){name.data + 1, name.length - 2};
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags};
    struct addrinfo *found = NULL;
    if (colon == NULL || tn_str_copy(host, sizeof(host), name) != TN_OK ||
        getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        return NULL;
    }
    return found;
}

bool tn_reach_answers(const char *address)
{
    if (strncmp(address, "unix:", 5) == 0) {
        return unix_answers(address + 5);
    }
    struct addrinfo *found = look_up(address, 0);
    bool answers = false;
    for (const struct addrinfo *at = found; at != NULL && !answers; at = at->ai_next) {
        int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0) {
            const struct timeval patience = {.tv_sec = 1};
            (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
            answers = connect(fd, at->ai_addr, at->ai_addrlen) == 0;
            (void)close(fd);
        }
    }
    if (found != NULL) {
        freeaddrinfo(found);
    }
    return answers;
}

int tn_reach_can_listen(const char *address, tn_err_t *err)
{
    struct addrinfo *found = look_up(address, AI_NUMERICHOST | AI_PASSIVE);
    if (found == NULL) {
        return tn_err_set(err, TN_EIO, "'%s' is not an address to listen at", address);
    }
    const int on = 1;
    int code = TN_OK;
    int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (fd < 0) {
        code = tn_err_errno(err, errno, "cannot listen at %s", address);
    } else {
        /* as nginx does it */
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (found->ai_family == AF_INET6) {
            (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        }
        if (bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 1) < 0) {
            code = errno == EADDRINUSE
                       ? tn_err_set(err, TN_EBUSY, "%s is in use by another program", address)
                       : tn_err_errno(err, errno, "cannot listen at %s", address);
        }
        (void)close(fd);
    }
    freeaddrinfo(found);
    return code;
}
