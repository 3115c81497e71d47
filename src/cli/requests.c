/*
 * Printing request lines; see requests.h.
 */
#include "cli/requests.h"

#include "base/str.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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

/* Whether standard output takes more at this moment. A terminal that is stopped does not. */
static bool may_write(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0;
}

/* Prints the whole lines of text; returns how many bytes those were. */
static size_t print_lines(const char *text, size_t length, bool colour, size_t *dropped)
{
    size_t used = 0;
    const char *end;
    while ((end = memchr(text + used, '\n', length - used)) != NULL) {
        tn_str_t line = {text + used, (size_t)(end - text) - used};
        used += line.length + 1;
        if (!may_write()) {
            (*dropped)++;
            continue;
        }
        tn_buf_t out;
        tn_buf_init(&out);
        if (*dropped > 0) {
            tn_buf_add_format(&out, "(%zu requests not shown)\n", *dropped);
            *dropped = 0;
        }
        tn_requests_format(&out, line, colour);
        tn_buf_add_text(&out, "\n");
        if (!tn_buf_failed(&out)) {
            (void)!write(STDOUT_FILENO, out.data, out.length); /* lines of a gone terminal */
        }
        tn_buf_deinit(&out);
    }
    return used;
}

int tn_requests_print(void *context)
{
    const tn_requests_t *requests = context;
    static char buffer[LINE_MAX];
    size_t held = 0;
    size_t dropped = 0;
    (void)close(requests->write_fd);
    (void)signal(SIGTTOU, SIG_IGN); /* `stty tostop` must not stop it */
    (void)signal(SIGPIPE, SIG_IGN); /* nor `tenantry run | head` end it: the pipe must be emptied */
    for (;;) {
        ssize_t got = read(requests->read_fd, buffer + held, sizeof(buffer) - held);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? 0 : 1;
        }
        held += (size_t)got;
        size_t used = print_lines(buffer, held, requests->colour, &dropped);
        if (used == 0 && held == sizeof(buffer)) {
            used = held; /* no line is that long */
        }
        held -= used;
        memmove(buffer, buffer + used, held);
    }
}
