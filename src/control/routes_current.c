/*
 * /api/tenant/current, the hybrid way: the edge has resolved the host and says so in its headers;
 * here the database is asked whether that is so. The edge alone reaches this socket, yet its word
 * is no proof: a tenant or a domain may have changed since its directory was written.
 */
#include "control/represent.h"
#include "control/routes.h"
#include "control/transaction.h"

#include "base/err.h"
#include "base/str.h"

#include <string.h>

/* What the edge says. */
typedef struct {
    char id[TN_UUID_LENGTH + 1];
    tn_host_t host;
    char resolved_by[16];
} tn_claim_t;

static const char *const strategies[] = {"subdomain", "domain", "path", "header"};

/* False when there is no tenant in the request, or what is said of one is not of its form. */
static bool read_claim(tn_claim_t *out, const tn_request_t *request)
{
    tn_uuid_t id;
    tn_str_t host = tn_request_header(request, "X-Tenant-Domain");
    if (tn_uuid_parse(&id, tn_request_header(request, "X-Tenant-Id")) != TN_OK ||
        tn_host_parse(&out->host, host.data, host.length) != TN_OK ||
        tn_str_copy(out->resolved_by, sizeof(out->resolved_by),
                    tn_request_header(request, "X-Tenant-Resolved-By")) != TN_OK) {
        return false;
    }
    (void)tn_uuid_format(out->id, id.bytes);
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        if (strcmp(out->resolved_by, strategies[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the claim's host is SLUG.BASE for one of the base domains. */
static bool is_own_subdomain(const tn_claim_t *claim, const char *slug, const tn_conf_t *conf)
{
    size_t slug_length = strlen(slug);
    if (claim->host.length <= slug_length || claim->host.name[slug_length] != '.' ||
        memcmp(claim->host.name, slug, slug_length) != 0) {
        return false;
    }
    for (size_t i = 0; i < conf->base_domains.count; i++) {
        if (strcmp(claim->host.name + slug_length + 1, conf->base_domains.items[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* TN_OK when the host is the tenant's in the database, TN_ENOTFOUND when it is not (any more). */
static int check_host(const tn_claim_t *claim, const tn_tenant_row_t *tenant, tn_tx_t *tx,
                      const tn_conf_t *conf, tn_err_t *err)
{
    if (strcmp(claim->resolved_by, "subdomain") == 0) {
        return is_own_subdomain(claim, tenant->slug, conf) ? TN_OK : TN_ENOTFOUND;
    }
    if (strcmp(claim->resolved_by, "domain") != 0) {
        return TN_OK; /* by path and header the host is the platform's own */
    }
    tn_domain_row_t domain;
    int code = tn_domain_find(&domain, tx, claim->host.name, err);
    if (code == TN_OK && strcmp(domain.tenant_id, tenant->id) != 0) {
        code = TN_ENOTFOUND;
    }
    return code;
}

static int add_flag(const char *key, bool is_on, bool is_own, void *context)
{
    return json_object_set_new(context, key, json_boolean(is_on)) != 0 ? TN_ENOMEM : TN_OK;
}

/* Answers for a tenant that is there: 200, or what its status says, as the edge would. */
static int answer_tenant(tn_exchange_t *exchange, const tn_claim_t *claim,
                         const tn_tenant_row_t *row, tn_tx_t *tx, tn_err_t *err)
{
    static const struct {
        tn_tenant_status_t status;
        tn_problem_code_t problem;
        const char *detail;
    } refusals[] = {
        {TN_STATUS_MAINTENANCE, TN_PROBLEM_TENANT_MAINTENANCE,
         "the tenant at this address is in maintenance, try again later"},
        {TN_STATUS_SUSPENDED, TN_PROBLEM_TENANT_SUSPENDED,
         "the tenant at this address is suspended"},
        {TN_STATUS_ARCHIVED, TN_PROBLEM_TENANT_ARCHIVED, "the tenant at this address is archived"},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (row->status == refusals[i].status) {
            tn_response_problem(exchange->response, refusals[i].problem, "%s", refusals[i].detail);
            return TN_OK;
        }
    }
    json_t *flags = json_object();
    int code = tn_flag_values(tx, row->id, add_flag, flags, err);
    if (code != TN_OK) {
        json_decref(flags);
        return code;
    }
    json_t *settings = json_loads(row->settings, JSON_REJECT_DUPLICATES, NULL);
    json_t *document = json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:o, s:o}, s:s, s:s, s:s}", "tenant",
                                 "id", row->id, "slug", row->slug, "name", row->name, "status",
                                 tn_tenant_status_name(row->status), "plan", row->plan, "settings",
                                 settings, "flags", flags, "domain", claim->host.name, "resolvedBy",
                                 claim->resolved_by, "source", "database");
    return tn_response_json(exchange->response, 200, document, err);
}

static int validate(tn_exchange_t *exchange, const tn_claim_t *claim, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_row_t row = {0};
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_tenant_find(&row, transaction.tx, claim->id, err);
    if (code == TN_OK) {
        code = check_host(claim, &row, transaction.tx, exchange->control->conf, err);
    }
    if (code == TN_OK) {
        code = answer_tenant(exchange, claim, &row, transaction.tx, err);
    }
    tn_transaction_end(&transaction);
    tn_tenant_row_deinit(&row);
    return code;
}

int tn_route_current(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_claim_t claim;
    if (tn_request_header(exchange->request, "X-Tenant-Id").length == 0) {
        tn_response_problem(exchange->response, TN_PROBLEM_NO_TENANT,
                            "this address is the platform's own, and no tenant's");
        return TN_OK;
    }
    if (!read_claim(&claim, exchange->request)) {
        tn_response_problem(exchange->response, TN_PROBLEM_BAD_REQUEST,
                            "the X-Tenant-* headers are not as the edge writes them");
        return TN_OK;
    }
    if (atomic_load(&exchange->control->is_refused)) {
        /* another database knows nothing of this directory's tenants: that is an outage, and must
         * not be told as "no such tenant" */
        return tn_err_set(err, TN_EUNAVAILABLE,
                          "the database is not the one that the directory was made from");
    }
    int code = validate(exchange, &claim, err);
    if (code == TN_ENOTFOUND) {
        tn_response_problem(exchange->response, TN_PROBLEM_UNKNOWN_TENANT,
                            "the database has no such tenant, or the host is not its any more");
        return TN_OK;
    }
    return code;
}
