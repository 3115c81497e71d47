/*
 * The route table's form, and finding the route of a request: exact segments and `{parameters}`,
 * percent-decoded. What a path has no route for is 404; what it has no method for, 405 with Allow;
 * HEAD goes where GET goes; OPTIONS is answered from the table.
 */
#pragma once

#include "control/control.h"
#include "control/json.h"
#include "control/message.h"

#define TN_ROUTE_PARAMS_MAX 2
#define TN_ROUTE_PARAM_SIZE 1100 /* a host name as typed, in UTF-8 */

typedef enum {
    TN_RIGHT_PUBLIC,
    TN_RIGHT_OPERATOR, /* 401 without the operator's token */
} tn_right_t;

/* One request on its way through a handler. */
typedef struct {
    tn_control_t *control;
    const tn_request_t *request;
    tn_response_t *response;
    char params[TN_ROUTE_PARAMS_MAX][TN_ROUTE_PARAM_SIZE]; /* in the pattern's order */
    json_t *body;                                          /* NULL when there is none */
    bool is_operator;
} tn_exchange_t;

/* Fills the response (success, or a problem of its own), or returns a TN_E… code with err. */
typedef int (*tn_route_handler_t)(tn_exchange_t *exchange, tn_err_t *err);

typedef struct {
    const char *method;
    const char *pattern;
    tn_right_t right;
    tn_route_handler_t handler;
    const tn_json_field_t *fields; /* of the JSON body; NULL: it takes none */
    bool is_body_optional;
} tn_route_t;

typedef enum { TN_ROUTE_FOUND, TN_ROUTE_NO_PATH, TN_ROUTE_NO_METHOD } tn_route_match_t;

/*
 * Looks path and method up in a table that ends with a NULL method. When the path is known, allow
 * (if not NULL) gets the methods it has, as for the Allow header.
 */
tn_route_match_t tn_route_find(const tn_route_t **out, tn_buf_t *allow, const tn_route_t *table,
                               tn_str_t method, tn_str_t path);

/* Decodes the parameters of a path that matches pattern. TN_EINVAL names the parameter. */
TN_CHECK int tn_route_params(char params[TN_ROUTE_PARAMS_MAX][TN_ROUTE_PARAM_SIZE],
                             const char *pattern, tn_str_t path, tn_err_t *err);

/* Answers a request from the table: finds the route, checks right and body, calls the handler, and
 * writes the problem document or page when there is a problem. */
void tn_route_dispatch(tn_control_t *control, const tn_route_t *table, const tn_request_t *request,
                       tn_response_t *response);
