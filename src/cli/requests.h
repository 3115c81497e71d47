/*
 * The line a request that `tenantry run` shows. nginx writes its access log to a pipe; a small
 * process of its own reads it and prints. It is apart from the supervisor, and drops lines when the
 * terminal does not take them, so that neither Ctrl-Z nor Ctrl-S can hold nginx at a full pipe.
 */
#pragma once

#include "base/buf.h"

typedef struct {
    int read_fd;
    int write_fd; /* nginx's end, which this process must not keep open */
    bool colour;
} tn_requests_t;

/* Prints until every writer has closed the pipe; a tn_process_t's body, context a tn_requests_t. */
int tn_requests_print(void *context);

/*
 * Appends one line for people from one of the access log's (its format is in nginx_config.c: time,
 * host, slug, resolved by, status, method, URI, between tabs), without its newline:
 *
 *     12:00:01 demo.localhost → demo subdomain 200 GET /path
 *
 * A line of another form is passed on as it is, without control characters.
 */
void tn_requests_format(tn_buf_t *out, tn_str_t line, bool colour);
