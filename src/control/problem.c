/*
 * Problems; see problem.h.
 */
#include "control/problem.h"

#include "base/str.h"

#include <jansson.h>
#include <stdlib.h>

static const tn_problem_t problems[TN_PROBLEM_COUNT] = {
    [TN_PROBLEM_BAD_REQUEST] = {"bad_request", 400, "Bad request", 0},
    [TN_PROBLEM_INVALID_BODY] = {"invalid_body", 400, "Not a JSON body of the right form", 0},
    [TN_PROBLEM_INVALID_VALUE] = {"invalid_value", 400, "Invalid value", 0},
    [TN_PROBLEM_INVALID_HOST] = {"invalid_host", 400, "Not a host name", 0},
    [TN_PROBLEM_UNAUTHENTICATED] = {"unauthenticated", 401, "Authentication required", 0},
    [TN_PROBLEM_FORBIDDEN] = {"forbidden", 403, "Not permitted", 0},
    [TN_PROBLEM_TENANT_SUSPENDED] = {"tenant_suspended", 403, "This tenant is suspended", 0},
    [TN_PROBLEM_NOT_FOUND] = {"not_found", 404, "Not found", 0},
    [TN_PROBLEM_NO_TENANT] = {"no_tenant", 404, "No tenant at this address", 0},
    [TN_PROBLEM_UNKNOWN_TENANT] = {"unknown_tenant", 404, "Unknown tenant", 0},
    [TN_PROBLEM_METHOD_NOT_ALLOWED] = {"method_not_allowed", 405, "Method not allowed", 0},
    [TN_PROBLEM_CONFLICT] = {"conflict", 409, "Conflict", 0},
    [TN_PROBLEM_PUBLISH_REFUSED] = {"publish_refused", 409, "Publishing refused", 0},
    [TN_PROBLEM_TENANT_ARCHIVED] = {"tenant_archived", 410, "This tenant is archived", 0},
    [TN_PROBLEM_PRECONDITION_FAILED] = {"precondition_failed", 412, "Changed in the meantime", 0},
    [TN_PROBLEM_TOO_LARGE] = {"too_large", 413, "Too large", 0},
    [TN_PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {"unsupported_media_type", 415, "Not JSON", 0},
    [TN_PROBLEM_HEADERS_TOO_LARGE] = {"headers_too_large", 431, "Too many headers", 0},
    [TN_PROBLEM_INTERNAL_ERROR] = {"internal_error", 500, "Internal error", 0},
    [TN_PROBLEM_DATABASE_UNAVAILABLE] = {"database_unavailable", 503, "Database unavailable", 5},
    [TN_PROBLEM_TENANT_MAINTENANCE] = {"tenant_maintenance", 503, "This tenant is in maintenance",
                                       30},
    [TN_PROBLEM_BUSY] = {"busy", 503, "Busy", 1},
    [TN_PROBLEM_STORAGE_FULL] = {"storage_full", 507, "No space left", 0},
};

/* The one table from the codes of the layers below to answers; what is not in it is a 500. */
static const struct {
    int error;
    tn_problem_code_t problem;
} problems_of_errors[] = {
    {TN_EINVAL, TN_PROBLEM_INVALID_VALUE},
    {TN_EHOST, TN_PROBLEM_INVALID_HOST},
    {TN_ENOTFOUND, TN_PROBLEM_NOT_FOUND},
    {TN_EUNAVAILABLE, TN_PROBLEM_DATABASE_UNAVAILABLE},
    {TN_EFOREIGN, TN_PROBLEM_PUBLISH_REFUSED},
    {TN_ECONFLICT, TN_PROBLEM_CONFLICT},
    {TN_EPRECONDITION, TN_PROBLEM_PRECONDITION_FAILED},
    {TN_EAUTH, TN_PROBLEM_UNAUTHENTICATED},
    {TN_EPERM, TN_PROBLEM_FORBIDDEN},
    {TN_EFULL, TN_PROBLEM_STORAGE_FULL},
    {TN_ETOOBIG, TN_PROBLEM_TOO_LARGE},
    {TN_EBUSY, TN_PROBLEM_BUSY},
};

const tn_problem_t *tn_problem_get(tn_problem_code_t code)
{
    return &problems[code];
}

const tn_problem_t *tn_problem_of_error(int tn_error)
{
    for (size_t i = 0; i < sizeof(problems_of_errors) / sizeof(problems_of_errors[0]); i++) {
        if (problems_of_errors[i].error == tn_error) {
            return &problems[problems_of_errors[i].problem];
        }
    }
    return &problems[TN_PROBLEM_INTERNAL_ERROR];
}

/* A JSON string of text; a text cut within a character, or no UTF-8 at all, keeps its ASCII. */
static json_t *lossy_string(tn_str_t text)
{
    json_t *value = json_stringn(text.data, text.length);
    char *copy = value == NULL ? tn_str_dup(text) : NULL;
    if (copy == NULL) {
        return value;
    }
    for (size_t i = 0; i < text.length; i++) {
        if ((unsigned char)copy[i] >= 0x80) {
            copy[i] = '?';
        }
    }
    value = json_stringn(copy, text.length);
    free(copy);
    return value;
}

void tn_problem_write(tn_buf_t *out, const tn_problem_t *problem, tn_str_t instance,
                      const char *field, const char *detail)
{
    json_t *document = json_pack(
        "{s:s+, s:s, s:i, s:o, s:o, s:s}", "type", "urn:tenantry:problem:", problem->code, "title",
        problem->title, "status", (int)problem->status, "detail", lossy_string(tn_str(detail)),
        "instance", lossy_string(instance), "code", problem->code);
    if (document != NULL && field[0] != '\0') {
        (void)json_object_set_new(document, "field", lossy_string(tn_str(field)));
    }
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    json_decref(document);
    /* without memory for the document the status alone has to say it */
    tn_buf_add_text(out, text == NULL ? "{}" : text);
    tn_buf_add_text(out, "\n");
    free(text);
}
