/*
 * Printing request lines; see requests.h.
 */
#include "cli/requests.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELDS   7
#define URI_MAX  400 /* bytes shown of a URI */
#define LINE_MAX 65536

enum field { TIME, HOST, SLUG, RESOLVED_BY, STATUS, METHOD, URI };

/* Bytes that cannot steer a terminal; nginx has escaped the others, this does not rely on it. */
static void add_clean(tn_buf_t *out, tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        tn_buf_add(out, c >= ' ' && c <= '~' ? &c : "?", 1);
    }
}

static bool split(tn_str_t fields[FIELDS], tn_str_t line)
{
    for (size_t i = 0; i < FIELDS; i++) {
        const char *tab = memchr(line.data, '\t', line.length);
        bool is_last = i == FIELDS - 1;
        if ((tab == NULL) != is_last) {
            return false;
        }
        fields[i] = (tn_str_t){line.data, is_last ? line.length : (size_t)(tab - line.data)};
        if (!is_last) {
            line.length -= fields[i].length + 1;
            line.data = tab + 1;
        }
    }
    return true;
}

static const char *colour_of(char status_class)
{
    switch (status_class) {
    case '2':
        return "\033[32m";
    case '3':
        return "\033[36m";
    case '4':
        return "\033[33m";
    default:
        return "\033[31m";
    }
}

void tn_requests_format(tn_buf_t *out, tn_str_t line, bool colour)
{
    static const char *const before[FIELDS] = {"", " ", " → ", " ", " ", " ", " "};
    tn_str_t fields[FIELDS];
    if (!split(fields, line)) {
        add_clean(out, line);
        return;
    }
    /* 2026-01-31T12:00:01+01:00: the time of day */
    if (fields[TIME].length >= 19) {
        fields[TIME] = (tn_str_t){fields[TIME].data + 11, 8};
    }
    bool is_cut = fields[URI].length > URI_MAX;
    if (is_cut) {
        fields[URI].length = URI_MAX;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        bool is_coloured = colour && i == STATUS && fields[i].length > 0;
        tn_buf_add_text(out, before[i]);
        tn_buf_add_text(out, is_coloured ? colour_of(fields[i].data[0]) : "");
        add_clean(out, fields[i].length == 0 ? TN_STR("-") : fields[i]);
        tn_buf_add_text(out, is_coloured ? "\033[0m" : "");
    }
    tn_buf_add_text(out, is_cut ? "…" : "");
}

/* Where the lines go, and what of the last one could not be written yet. */
typedef struct {
    int fd;
    bool colour;
    size_t dropped; /* lines, since the last one that was printed */
    tn_buf_t rest;
} screen_t;

/*
 * A description of standard output of our own that does not block: setting the flag on the one we
 * have would set it for the shell and everyone else who shares it. A file never blocks, and has a
 * position that must stay shared. Where a terminal cannot be opened again (it is another user's)
 * the shared one has to do.
 */
static int open_screen(void)
{
    struct stat status;
    if (fstat(STDOUT_FILENO, &status) == 0 &&
        (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))) {
        int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0) {
            return fd;
        }
    }
    return STDOUT_FILENO;
}

/* A socket (the journal's, for example) is asked not to block in each call. */
static ssize_t put(int fd, const char *data, size_t length)
{
    ssize_t sent = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? write(fd, data, length) : sent;
}

/* Writes what is there; true when nothing is left, or the screen is gone for good. */
static bool flush(screen_t *screen)
{
    struct pollfd out = {.fd = screen->fd, .events = POLLOUT};
    size_t done = 0;
    while (done < screen->rest.length && poll(&out, 1, 0) == 1) {
        ssize_t written = put(screen->fd, screen->rest.data + done, screen->rest.length - done);
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            done = screen->rest.length;
        } else if (written < 0) {
            break;
        } else {
            done += (size_t)written;
        }
    }
    screen->rest.length -= done;
    if (screen->rest.length > 0) {
        memmove(screen->rest.data, screen->rest.data + done, screen->rest.length);
    }
    return screen->rest.length == 0;
}

/* Prints the whole lines of text; returns how many bytes those were. */
static size_t print_lines(screen_t *screen, const char *text, size_t length)
{
    size_t used = 0;
    const char *end;
    while ((end = memchr(text + used, '\n', length - used)) != NULL) {
        tn_str_t line = {text + used, (size_t)(end - text) - used};
        used += line.length + 1;
        if (!flush(screen)) {
            screen->dropped++;
            continue;
        }
        if (screen->dropped > 0) {
            tn_buf_add_format(&screen->rest, "(%zu requests not shown)\n", screen->dropped);
            screen->dropped = 0;
        }
        tn_requests_format(&screen->rest, line, screen->colour);
        tn_buf_add_text(&screen->rest, "\n");
        if (tn_buf_failed(&screen->rest)) {
            tn_buf_deinit(&screen->rest);
            screen->dropped++;
        }
        (void)flush(screen); /* what is left goes before the next line */
    }
    return used;
}

int tn_requests_print(void *context)
{
    const tn_requests_t *requests = context;
    static char buffer[LINE_MAX];
    screen_t screen = {.fd = open_screen(), .colour = requests->colour};
    size_t held = 0;
    (void)close(requests->write_fd);
    (void)signal(SIGTTOU, SIG_IGN); /* `stty tostop` must not stop it */
    (void)signal(SIGPIPE, SIG_IGN); /* nor `tenantry run | head` end it: the pipe must be emptied */
    for (;;) {
        ssize_t got = read(requests->read_fd, buffer + held, sizeof(buffer) - held);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            tn_buf_deinit(&screen.rest);
            return got == 0 ? 0 : 1;
        }
        held += (size_t)got;
        size_t used = print_lines(&screen, buffer, held);
        if (used == 0 && held == sizeof(buffer)) {
            used = held; /* no line is that long */
        }
        held -= used;
        memmove(buffer, buffer + used, held);
    }
}
