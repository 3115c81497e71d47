/*
 * Links to tenants: which scheme, base domain and port a visitor reaches them by.
 */
#pragma once

#include "base/buf.h"
#include "conf/conf.h"
#include "control/message.h"

typedef struct {
    const char *scheme; /* "http" or "https"; static */
    const char *base;   /* a base domain, borrowed from the configuration */
    uint16_t port;      /* 0: the scheme's own */
} tn_origin_t;

/* As the configuration's public_url has it, with the first base domain. */
void tn_origin_of_conf(tn_origin_t *out, const tn_conf_t *conf);

/* Whether public_url was set by somebody, and is not the default: then it decides. */
bool tn_origin_is_configured(const tn_conf_t *conf);

/*
 * As this request came in: the base domain that the edge's X-Forwarded-Host lies under, and, unless
 * is_configured, scheme and port from it and X-Forwarded-Proto; what they do not tell, from the
 * configuration.
 */
void tn_origin_of_request(tn_origin_t *out, const tn_conf_t *conf, bool is_configured,
                          const tn_request_t *request);

/* Appends "http://SLUG.BASE:PORT"; with an empty slug "http://BASE:PORT". */
void tn_origin_link(tn_buf_t *out, const tn_origin_t *origin, const char *slug);
