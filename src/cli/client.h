/*
 * The command's side of the API: one connection over the daemon's unix socket, with the operator's
 * token. Tells "there is no daemon" from an answer that is a problem document. Prints nothing.
 */
#pragma once

#include "base/buf.h"
#include "conf/conf.h"

#include <jansson.h>

typedef struct tn_client tn_client_t;

/*
 * Reads the token; connects at the first call. TN_EPERM: the token's file may not be read. A file
 * that is not there is no error yet: where there is no daemon, that is the better thing to say.
 */
TN_CHECK int tn_client_open(tn_client_t **out, const tn_conf_t *conf, tn_err_t *err);
void tn_client_close(tn_client_t *client); /* NULL is allowed */

typedef struct {
    const char *method;
    const char *path;     /* with the query, escaped already */
    const json_t *body;   /* NULL: none */
    const char *if_match; /* an ETag, or NULL */
} tn_call_t;

typedef struct {
    int status;   /* HTTP's */
    json_t *body; /* NULL when the answer had none; the caller decrefs it */
    char etag[64];
} tn_reply_t;

/*
 * One request. Any status is TN_OK. TN_EUNAVAILABLE: nothing answers at the socket (the detail says
 * which, and how to start the daemon). TN_EPERM: this user may not use the socket. TN_EIO: the
 * connection broke, took over 10 minutes, or the answer is not JSON.
 */
TN_CHECK int tn_client_call(tn_reply_t *out, tn_client_t *client, const tn_call_t *call,
                            tn_err_t *err);

/* Appends "/SEGMENT" with everything escaped that a path segment must not have (RFC 3986). */
void tn_client_add_segment(tn_buf_t *path, const char *segment);

/* Appends "?NAME=VALUE", or "&…" when the path has a query already. */
void tn_client_add_query(tn_buf_t *path, const char *name, const char *value);
