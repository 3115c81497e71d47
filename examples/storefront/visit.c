/*
 * From a request to an answer; see visit.h.
 *
 * The application stands behind the edge and believes nothing that it has not checked: the host is
 * resolved again with the directory, the edge's token must be a good one for that host and tenant,
 * and the domain that the edge wrote into the path must be the same. The other X-Tenant-* headers
 * are never read.
 */
#include "visit.h"

#include "page.h"
#include "whoami.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CLOCK_SKEW_S 5

/* ---- headers that count, each at most once ------------------------------------------------ */

typedef struct {
    const char *name;
    const char *value; /* borrowed from the connection; NULL: none came */
    unsigned count;
} header_t;

enum { HOST, FORWARDED_HOST, TOKEN, HEADERS };

static enum MHD_Result collect(void *context, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    header_t *headers = context;
    for (int i = 0; i < HEADERS; i++) {
        if (strcasecmp(name, headers[i].name) == 0) {
            headers[i].value = value;
            headers[i].count++;
        }
    }
    return MHD_YES;
}

/* ---- routes ------------------------------------------------------------------------------- */

static const struct {
    const char *path;    /* NULL: everything else */
    const char *methods; /* NULL: any */
    tn_page_handler_t handler;
} routes[] = {
    {"/", "GET, HEAD", page_home},
    {"/whoami", NULL, whoami},
    {NULL, "GET, HEAD", page_missing},
};

static bool is_allowed(const char *method, const char *methods)
{
    return methods == NULL || strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static tn_page_handler_t find_route(visit_t *visit)
{
    for (size_t i = 0;; i++) {
        const char *path = routes[i].path;
        if (path != NULL && (strlen(path) != visit->own_path_length ||
                             memcmp(path, visit->own_path, visit->own_path_length) != 0)) {
            continue;
        }
        if (is_allowed(visit->method, routes[i].methods)) {
            return routes[i].handler;
        }
        answer_problem(visit->answer, 405, "method_not_allowed", NULL);
        visit->answer->allow = routes[i].methods;
        return NULL;
    }
}

/* ---- the way ------------------------------------------------------------------------------ */

/* What a TN_E… code means to a visitor. */
static void answer_error(answer_t *out, int code, const char *detail)
{
    static const struct {
        int code;
        unsigned status;
        const char *name, *detail;
    } meanings[] = {
        {TN_EHOST, 400, "invalid_host", "the Host header holds no host name"},
        {TN_ENOTFOUND, 404, "unknown_tenant", "no tenant has this host"},
        {TN_EPERM, 403, "tenant_inactive", "the tenant is not active"},
        {TN_ETOKEN, 403, "invalid_token", "the request does not prove that the edge sent it"},
        {TN_EUNAVAILABLE, 503, "unavailable", "the directory cannot be read at the moment"},
    };
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].code == code) {
            answer_problem(out, meanings[i].status, meanings[i].name,
                           detail == NULL ? meanings[i].detail : detail);
            return;
        }
    }
    answer_problem(out, 500, "internal", tn_error_text(code));
}

/* For whom it watches over this process: is it there, and has it a directory? */
static void answer_health(answer_t *out, const tn_directory_t *directory)
{
    tn_directory_info_t info;
    tn_directory_info(&info, directory);
    if (info.state != TN_DIRECTORY_READY) {
        answer_error(out, TN_EUNAVAILABLE, NULL);
        return;
    }
    char *text = strdup("{\"status\":\"ok\"}");
    *out = (answer_t){.status = 200,
                      .type = "application/json",
                      .body = text,
                      .length = text == NULL ? 0 : strlen(text)};
}

/* Whether the path is "/" DOMAIN "/…"; what follows the domain is the visitor's own path. */
static bool take_domain(visit_t *visit, const tn_domain_t *domain)
{
    size_t length = domain->host.length;
    if (visit->path_length < length + 2 || visit->target[0] != '/' ||
        memcmp(visit->target + 1, domain->host.name, length) != 0 ||
        visit->target[1 + length] != '/') {
        return false;
    }
    visit->own_path = visit->target + 1 + length;
    visit->own_path_length = visit->path_length - 1 - length;
    return true;
}

static int verify(visit_t *visit, const tn_directory_t *directory, const tn_domain_t *domain,
                  const char *token)
{
    tn_err_t err = {0};
    if (token == NULL) {
        answer_error(visit->answer, TN_ETOKEN, NULL);
        return TN_ETOKEN;
    }
    int code = tn_token_verify(&visit->token, directory, domain, token, strlen(token),
                               (int64_t)time(NULL), CLOCK_SKEW_S, &err);
    if (code != TN_OK) {
        answer_error(visit->answer, code, err.detail);
    }
    return code;
}

void visit_answer(visit_t *visit, const tn_directory_t *directory)
{
    header_t headers[HEADERS] = {
        {.name = "Host"}, {.name = "X-Forwarded-Host"}, {.name = "X-Tenant-Token"}};
    visit->path_length = strcspn(visit->target, "?");
    if (visit->path_length == 8 && memcmp(visit->target, "/healthz", 8) == 0) {
        answer_health(visit->answer, directory);
        return;
    }
    (void)MHD_get_connection_values(visit->connection, MHD_HEADER_KIND, collect, headers);
    for (int i = 0; i < HEADERS; i++) {
        if (headers[i].count > 1) {
            answer_problem(visit->answer, 400, "repeated_header",
                           "Host, X-Forwarded-Host or X-Tenant-Token came more than once");
            return;
        }
    }
    const char *host =
        headers[FORWARDED_HOST].count > 0 ? headers[FORWARDED_HOST].value : headers[HOST].value;
    tn_domain_t domain;
    host = host == NULL ? "" : host;
    int code = tn_domain_from_host(&domain, directory, host, strlen(host));
    if (code == TN_OK && domain.kind == TN_DOMAIN_PLATFORM) {
        code = TN_ENOTFOUND;
    }
    if (code != TN_OK) {
        answer_error(visit->answer, code, NULL);
        return;
    }
    if (verify(visit, directory, &domain, headers[TOKEN].value) != TN_OK) {
        return;
    }
    if (!take_domain(visit, &domain)) {
        answer_problem(visit->answer, 404, "wrong_domain",
                       "the path does not begin with the domain that the request came in by");
        return;
    }
    tn_page_handler_t handler = find_route(visit);
    if (handler == NULL) {
        return;
    }
    code = tn_page_serve(directory, host, strlen(host), handler, visit);
    if (code != TN_OK) {
        answer_error(visit->answer, code, NULL);
    }
}
