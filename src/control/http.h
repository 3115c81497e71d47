/*
 * HTTP over a listening socket, by libmicrohttpd (epoll, a pool of threads): reads a request whole,
 * refuses framings that a proxy in front could read otherwise, hands it to one handler, and sends
 * what that left in the response. Knows no routes.
 */
#pragma once

#include "control/log.h"
#include "control/message.h"

#define TN_HTTP_BODY_MAX    (128 * 1024)
#define TN_HTTP_HEADERS_MAX 100

typedef struct tn_http tn_http_t;

/* Called on one of the pool's threads with a whole request; fills the response. */
typedef void (*tn_http_handler_t)(const tn_request_t *request, tn_response_t *response,
                                  void *context);

typedef struct {
    int listen_fd; /* taken over, closed by tn_http_stop (by a failed start too) */
    unsigned threads;
    unsigned timeout_s; /* of a connection on which nothing moves */
    tn_http_handler_t handler;
    void *context;
    tn_log_t *log;
} tn_http_options_t;

TN_CHECK int tn_http_start(tn_http_t **out, const tn_http_options_t *options, tn_err_t *err);

/*
 * Stops accepting, lets requests in flight finish for at most grace_ms, and closes everything. No
 * handler runs any more when it returns. NULL is allowed.
 */
void tn_http_stop(tn_http_t *http, int64_t grace_ms);
