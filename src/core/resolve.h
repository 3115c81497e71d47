/*
 * Whose is this request? The rules of resolution, without nginx or any HTTP: the edge and the tests
 * feed it what a request says, and it answers with one of the outcomes below.
 */
#pragma once

#include "tenantry.h"

enum tn_strategy {
    TN_STRATEGY_HOST = 1,   /* sub-domain of a base domain, custom domain */
    TN_STRATEGY_PATH = 2,   /* PREFIX/SLUG/… on the platform's own host */
    TN_STRATEGY_HEADER = 4, /* a header with a slug or an id, from trusted addresses only, on the
                               platform's own host */
};

typedef struct {
    unsigned strategies;  /* of enum tn_strategy */
    tn_str_t path_prefix; /* begins and ends with '/', for example "/t/" */
} tn_resolve_policy_t;

typedef struct {
    tn_str_t host;        /* as received: Host, :authority, or a trusted X-Forwarded-Host */
    tn_str_t path;        /* decoded and normalised, begins with '/' */
    tn_str_t header;      /* the header's value, "" without one */
    bool is_from_trusted; /* the peer's address is a trusted one */
} tn_resolve_request_t;

typedef enum {
    TN_ANSWER_FOUND = 1,
    TN_ANSWER_PLATFORM,     /* a base domain itself: nobody's, and not an error */
    TN_ANSWER_UNKNOWN,      /* 404: the directory is good and has no such tenant */
    TN_ANSWER_UNAVAILABLE,  /* 503: there is no directory to ask */
    TN_ANSWER_INVALID_HOST, /* 400 */
    TN_ANSWER_REDIRECT,     /* 308 to redirect_host: a former slug, or the primary domain is set */
    TN_ANSWER_MAINTENANCE,  /* 503 */
    TN_ANSWER_SUSPENDED,    /* 403 */
    TN_ANSWER_ARCHIVED,     /* 410 */
} tn_answer_t;

typedef struct {
    tn_answer_t answer;
    const char *resolved_by; /* "subdomain", "domain", "path", "header"; "" without a tenant */
    tn_host_t host;          /* valid unless INVALID_HOST */
    tn_domain_t domain;      /* when a tenant is known */
    tn_tenant_t tenant;      /* when a tenant is known; borrowed from the directory */
    char redirect_host[TN_HOST_MAX + 1]; /* for REDIRECT, without a port */
    size_t path_consumed; /* for "path": bytes at the path's start that name the tenant (the
                             application's path begins after them, at a '/') */
} tn_resolution_t;

/*
 * Applies the strategies in the order host, path, header; the first that names a tenant decides,
 * and its status may turn FOUND into another answer. A path or header that names no known tenant is
 * UNKNOWN, not passed over.
 */
void tn_resolve(tn_resolution_t *out, const tn_directory_t *directory,
                const tn_resolve_policy_t *policy, const tn_resolve_request_t *request);

/* "found", "platform", "unknown", "unavailable", "invalid_host", "redirect", "maintenance",
 * "suspended", "archived". */
const char *tn_answer_name(tn_answer_t answer);
