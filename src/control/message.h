/*
 * A request and its response as the routes see them: plain data, so that nothing above http.c knows
 * which library speaks HTTP, and a unit test can make one by hand.
 */
#pragma once

#include "base/buf.h"
#include "control/problem.h"

#include <jansson.h>

#define TN_RESPONSE_HEADERS_MAX 12
#define TN_RESPONSE_VALUE_MAX   512

typedef struct {
    tn_str_t name, value;
} tn_header_t;

/* Borrowed from the connection until the response is sent. */
typedef struct {
    tn_str_t method;
    tn_str_t path; /* as sent: percent-encoded, without the query */
    const tn_header_t *headers;
    size_t header_count;
    const tn_header_t *query; /* values still percent-encoded, '+' read as a space */
    size_t query_count;
    tn_str_t body;
} tn_request_t;

/* The value of the first header of this name (case ignored), trimmed; empty when there is none. */
tn_str_t tn_request_header(const tn_request_t *request, const char *name);
size_t tn_request_header_count(const tn_request_t *request, const char *name);

/*
 * A query parameter, decoded; *is_given tells an empty one from none. TN_EINVAL with the name as
 * field when it is given twice or not of its form, TN_ETOOBIG when it does not fit.
 */
TN_CHECK int tn_request_query(char *out, size_t size_bytes, bool *is_given,
                              const tn_request_t *request, const char *name, tn_err_t *err);

/* The client's address as the edge tells it (X-Forwarded-For), "local" without one: a terminated
 * text in buffer, which it returns. */
#define TN_ADDRESS_SIZE 64
const char *tn_request_address(char buffer[TN_ADDRESS_SIZE], const tn_request_t *request);

typedef struct {
    unsigned status;
    const char *content_type; /* static; NULL without a body */
    tn_buf_t body;
    struct tn_response_header {
        const char *name; /* static */
        char value[TN_RESPONSE_VALUE_MAX];
    } headers[TN_RESPONSE_HEADERS_MAX];
    size_t header_count;
    const tn_problem_t *problem; /* what went wrong, NULL for success */
    char problem_field[64];
    char problem_detail[320];
    bool closes_connection;
} tn_response_t;

void tn_response_init(tn_response_t *response);
void tn_response_deinit(tn_response_t *response);

/* Adds a header. Line breaks in a value end it there: nothing may split a response. */
void tn_response_header(tn_response_t *response, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Status and body from a JSON value, which it takes over. TN_ENOMEM also when document is NULL. */
TN_CHECK int tn_response_json(tn_response_t *response, unsigned status, json_t *document,
                              tn_err_t *err);

/* Records a problem; the document (or page) is written once, at the end. Nothing was answered
 * before. */
void tn_response_problem(tn_response_t *response, tn_problem_code_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same from an error code and what the caller's tn_err_t says. */
void tn_response_error(tn_response_t *response, int code, const tn_err_t *err);
