/*
 * Everything that the API can refuse with: one table of problems (code, status, title),
 * and one of which TN_E… code is which of them. Problem documents are RFC 9457.
 */
#pragma once

#include "base/buf.h"
#include "tenantry.h"

typedef enum {
    TN_PROBLEM_BAD_REQUEST, /* what is wrong is in the request's framing or headers */
    TN_PROBLEM_INVALID_BODY,
    TN_PROBLEM_INVALID_VALUE,
    TN_PROBLEM_INVALID_HOST,
    TN_PROBLEM_UNAUTHENTICATED,
    TN_PROBLEM_FORBIDDEN,
    TN_PROBLEM_TENANT_SUSPENDED,
    TN_PROBLEM_NOT_FOUND,
    TN_PROBLEM_NO_TENANT,
    TN_PROBLEM_UNKNOWN_TENANT,
    TN_PROBLEM_METHOD_NOT_ALLOWED,
    TN_PROBLEM_CONFLICT,
    TN_PROBLEM_PUBLISH_REFUSED,
    TN_PROBLEM_TENANT_ARCHIVED,
    TN_PROBLEM_PRECONDITION_FAILED,
    TN_PROBLEM_TOO_LARGE,
    TN_PROBLEM_UNSUPPORTED_MEDIA_TYPE,
    TN_PROBLEM_HEADERS_TOO_LARGE,
    TN_PROBLEM_INTERNAL_ERROR,
    TN_PROBLEM_DATABASE_UNAVAILABLE,
    TN_PROBLEM_TENANT_MAINTENANCE,
    TN_PROBLEM_BUSY,
    TN_PROBLEM_STORAGE_FULL,
    TN_PROBLEM_COUNT,
} tn_problem_code_t;

typedef struct {
    const char *code; /* what programs look at */
    unsigned status;
    const char *title;
    unsigned retry_after_s; /* for Retry-After; 0: none */
} tn_problem_t;

/* Static; never NULL. */
const tn_problem_t *tn_problem_get(tn_problem_code_t code);
const tn_problem_t *tn_problem_of_error(int tn_error);

/*
 * Appends the document. instance is the request's path; field is left out when "". What is not
 * valid UTF-8 in them is replaced, so that a document can always be made.
 */
void tn_problem_write(tn_buf_t *out, const tn_problem_t *problem, tn_str_t instance,
                      const char *field, const char *detail);
