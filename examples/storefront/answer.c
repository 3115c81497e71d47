/*
 * Answers; see answer.h.
 */
#include "answer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    unsigned status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *title_of(unsigned status)
{
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "Error";
}

void answer_problem(answer_t *out, unsigned status, const char *code, const char *detail)
{
    json_t *problem = json_pack("{s:s, s:i, s:s, s:s*}", "title", title_of(status), "status",
                                (int)status, "code", code, "detail", detail);
    free(out->body);
    out->status = status;
    out->type = "application/problem+json";
    out->nonce[0] = '\0';
    out->body = problem == NULL ? NULL : json_dumps(problem, JSON_COMPACT);
    out->length = out->body == NULL ? 0 : strlen(out->body);
    json_decref(problem);
}

/* What the browser may do with the answer: draw it, with the style sheet that came with it. */
static void policy(char *out, size_t size, const answer_t *answer)
{
    const char *nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; "
                          "frame-ancestors 'none'";
    if (answer->nonce[0] == '\0') {
        (void)snprintf(out, size, "%s", nothing);
    } else {
        (void)snprintf(out, size, "%s; img-src data:; style-src 'nonce-%s'", nothing,
                       answer->nonce);
    }
}

enum MHD_Result answer_send(struct MHD_Connection *connection, answer_t *answer)
{
    char csp[192];
    policy(csp, sizeof(csp), answer);
    const struct {
        const char *name, *value;
    } headers[] = {
        {"Content-Type", answer->type},
        {"Content-Security-Policy", csp},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
        {"Retry-After", answer->status == 503 ? "5" : NULL},
        {"Allow", answer->allow},
    };
    if (answer->body == NULL) {
        return MHD_NO; /* no memory: the connection is closed */
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->length, answer->body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        return MHD_NO;
    }
    answer->body = NULL; /* the response's now */
    enum MHD_Result result = MHD_YES;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]) && result == MHD_YES; i++) {
        if (headers[i].value != NULL) {
            result = MHD_add_response_header(response, headers[i].name, headers[i].value);
        }
    }
    if (result == MHD_YES) {
        result = MHD_queue_response(connection, answer->status, response);
    }
    MHD_destroy_response(response);
    return result;
}
