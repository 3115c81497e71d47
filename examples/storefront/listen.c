/*
 * Sockets; see listen.h.
 */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 511

/* The path of "unix:PATH", else NULL. */
static const char *unix_path(const char *address)
{
    return strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
}

static int fail(char *error, size_t error_size, const char *what, const char *which)
{
    (void)snprintf(error, error_size, "%s '%s': %s", what, which, strerror(errno));
    return -1;
}

/* Whether somebody answers at the socket; what is left of one that ended otherwise does not. */
static bool is_answered(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return answered;
}

static int listen_unix(const char *path, char *error, size_t error_size)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof(name.sun_path)) {
        errno = ENAMETOOLONG;
        return fail(error, error_size, "cannot listen at", path);
    }
    memcpy(name.sun_path, path, strlen(path) + 1);
    struct stat info;
    if (lstat(path, &info) == 0) {
        if (!S_ISSOCK(info.st_mode) || is_answered(&name)) {
            errno = EADDRINUSE;
            return fail(error, error_size, "cannot listen at", path);
        }
        (void)unlink(path); /* bind says so if that was not possible */
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(error, error_size, "cannot make a socket for", path);
    }
    /* the mode is there from the first moment on; no other thread runs yet that umask could touch
     */
    mode_t before = umask(0117);
    int bound = bind(fd, (const struct sockaddr *)&name, sizeof(name));
    (void)umask(before);
    if (bound < 0 || listen(fd, BACKLOG) < 0) {
        (void)fail(error, error_size, "cannot listen at", path);
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* getaddrinfo would take 99999 for 34463. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 5 && text[digits] == '\0' && atol(text) <= 65535;
}

/* "HOST:PORT" or "[HOST]:PORT", both numeric: no name is looked up. */
static struct addrinfo *parse_address(const char *address)
{
    char host[128];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof(host) || !is_port(colon + 1)) {
        return NULL;
    }
    size_t length = (size_t)(colon - address);
    if (length >= 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        length -= 2;
    }
    memcpy(host, address, length);
    host[length] = '\0';
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    return getaddrinfo(host, colon + 1, &hints, &found) == 0 ? found : NULL;
}

static int listen_tcp(const char *address, char *error, size_t error_size)
{
    struct addrinfo *found = parse_address(address);
    if (found == NULL) {
        (void)snprintf(error, error_size, "'%s' is neither unix:PATH nor ADDRESS:PORT", address);
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        (void)fail(error, error_size, "cannot listen at", address);
        if (fd >= 0) {
            (void)close(fd);
        }
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

int listen_at(const char *address, char *error, size_t error_size)
{
    const char *path = unix_path(address);
    return path != NULL ? listen_unix(path, error, error_size)
                        : listen_tcp(address, error, error_size);
}

void listen_end(const char *address)
{
    const char *path = unix_path(address);
    if (path != NULL) {
        (void)unlink(path); /* somebody may have removed it already */
    }
}
