/*
 * Custom domains in the database of record; see domain.h.
 */
#include "store/domain.h"

#include "base/err.h"
#include "base/str.h"
#include "core/directory_writer.h"
#include "store/audit_append.h"
#include "store/change_append.h"
#include "store/query.h"
#include "store/tenant_edit.h"

/* ---- reading ------------------------------------------------------------------------------ */

#define SELECT_DOMAIN "SELECT id, tenant_id, host, is_primary, created_at_ms FROM domains"

static const char *const select_one = SELECT_DOMAIN " WHERE host = $1";
static const char *const select_all = SELECT_DOMAIN " WHERE host > $1 ORDER BY host LIMIT $2";
static const char *const select_of_tenant =
    SELECT_DOMAIN " WHERE host > $1 AND tenant_id = $3 ORDER BY host LIMIT $2";

static int read_row(tn_domain_row_t *row, tn_query_t *query, tn_err_t *err)
{
    if (tn_str_copy(row->id, sizeof(row->id), tn_query_text(query, 0)) != TN_OK ||
        tn_str_copy(row->tenant_id, sizeof(row->tenant_id), tn_query_text(query, 1)) != TN_OK ||
        tn_str_copy(row->host, sizeof(row->host), tn_query_text(query, 2)) != TN_OK) {
        return tn_err_set(err, TN_EDAMAGED, "a domain's row is longer than it can be");
    }
    row->is_primary = tn_query_int(query, 3) != 0;
    row->created_at_ms = tn_query_int(query, 4);
    return TN_OK;
}

int tn_domain_find(tn_domain_row_t *out, tn_tx_t *tx, const char *host, tn_err_t *err)
{
    tn_domain_row_t row = {0};
    bool is_there = false;
    int code = TN_OK;
    tn_query_t query = tn_query(tx, select_one, err);
    tn_query_add_text(&query, host);
    while (code == TN_OK && tn_query_next(&query)) {
        is_there = true;
        code = read_row(&row, &query, err);
    }
    int query_code = tn_query_end(&query);
    if (query_code != TN_OK) {
        code = query_code;
    } else if (!is_there) {
        code = tn_err_set(err, TN_ENOTFOUND, "there is no domain '%.253s'", host);
    }
    if (code == TN_OK) {
        *out = row;
    }
    return code;
}

int tn_domain_list(tn_tx_t *tx, const char *tenant_id, const char *after_host, size_t limit,
                   tn_domain_row_fn call, void *context, tn_err_t *err)
{
    if (limit < 1 || limit > INT64_MAX) {
        return tn_err_field(err, TN_EINVAL, "limit", "must be at least 1");
    }
    tn_query_t query = tn_query(tx, tenant_id == NULL ? select_all : select_of_tenant, err);
    tn_query_add_text(&query, after_host == NULL ? "" : after_host);
    tn_query_add_int(&query, (int64_t)limit);
    if (tenant_id != NULL) {
        tn_query_add_text(&query, tenant_id);
    }
    int stopped = TN_OK;
    while (stopped == TN_OK && tn_query_next(&query)) {
        tn_domain_row_t row = {0};
        stopped = read_row(&row, &query, err);
        if (stopped == TN_OK) {
            stopped = call(&row, context);
        }
    }
    int code = tn_query_end(&query);
    return code != TN_OK ? code : stopped;
}

/* The tenant's own domain. A host that is somebody else's is as little there as an unknown one. */
static int find_own(tn_domain_row_t *out, tn_tx_t *tx, const char *tenant_id, const char *host,
                    tn_err_t *err)
{
    tn_domain_row_t row;
    int code = tn_domain_find(&row, tx, host, err);
    if (code == TN_OK && strcmp(row.tenant_id, tenant_id) != 0) {
        code = tn_err_set(err, TN_ENOTFOUND, "the tenant has no domain '%.253s'", host);
    }
    if (code == TN_OK) {
        *out = row;
    }
    return code;
}

/* The tenant's primary domain, "" when it has none, and whether its other domains redirect. */
typedef struct {
    char host[TN_HOST_MAX + 1];
    bool redirects;
} primary_t;

static int find_primary(primary_t *out, tn_tx_t *tx, const char *tenant_id, tn_err_t *err)
{
    bool is_there = false;
    int copied = TN_OK;
    *out = (primary_t){0};
    tn_query_t query = tn_query(tx,
                                "SELECT t.redirects_to_primary, d.host FROM tenants t"
                                " LEFT JOIN domains d ON d.tenant_id = t.id AND d.is_primary = 1"
                                " WHERE t.id = $1",
                                err);
    tn_query_add_text(&query, tenant_id);
    while (tn_query_next(&query)) {
        is_there = true;
        out->redirects = tn_query_int(&query, 0) != 0;
        copied = tn_str_copy(out->host, sizeof(out->host), tn_query_text(&query, 1));
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && copied != TN_OK) {
        code = tn_err_set(err, TN_EDAMAGED, "a domain's row is longer than it can be");
    } else if (code == TN_OK && !is_there) {
        code = tn_err_set(err, TN_ENOTFOUND, "there is no tenant '%.80s'", tenant_id);
    }
    return code;
}

/* ---- the trail ---------------------------------------------------------------------------- */

/* Logs the change, then the entry; takes `before` and `after` over. */
static int record(tn_tx_t *tx, const char *tenant_id, const char *action, const char *host,
                  json_t *before, json_t *after, tn_err_t *err)
{
    int code = tn_change_add(tx, TN_CHANGE_TENANT, tenant_id, err);
    if (code == TN_OK) {
        code = tn_audit_append(tx,
                               &(tn_audit_event_t){.chain = tenant_id,
                                                   .action = action,
                                                   .target = host,
                                                   .before = before,
                                                   .after = after},
                               err);
    }
    json_decref(before);
    json_decref(after);
    return code;
}

static json_t *show_primary(const primary_t *primary)
{
    return json_pack("{s:s?, s:b}", "primaryDomain",
                     primary->host[0] == '\0' ? NULL : primary->host, "redirectToPrimary",
                     primary->redirects);
}

/* ---- adding and removing ------------------------------------------------------------------ */

static bool lies_under(tn_str_t host, tn_str_t base)
{
    if (base.length == 0 || !tn_str_ends(host, base)) {
        return false;
    }
    return host.length == base.length || host.data[host.length - base.length - 1] == '.';
}

static int check_host(const char *host, const char *const *base_domains, size_t base_domain_count,
                      tn_err_t *err)
{
    tn_host_t parsed;
    if (tn_host_parse(&parsed, host, strlen(host)) != TN_OK || strcmp(parsed.name, host) != 0) {
        return tn_err_field(err, TN_EINVAL, "host", "is not a host name in its normal form");
    }
    if (parsed.is_ip) {
        return tn_err_field(err, TN_EINVAL, "host", "an address cannot be a tenant's domain");
    }
    for (size_t i = 0; i < base_domain_count; i++) {
        if (lies_under(tn_str(host), tn_str(base_domains[i]))) {
            return tn_err_field(err, TN_ECONFLICT, "host",
                                "'%.200s' is the platform's own: it lies under '%.60s'", host,
                                base_domains[i]);
        }
    }
    return TN_OK;
}

static int check_free(tn_tx_t *tx, const char *tenant_id, const char *host, tn_err_t *err)
{
    tn_domain_row_t row;
    int code = tn_domain_find(&row, tx, host, err);
    if (code == TN_OK) {
        bool is_own = strcmp(row.tenant_id, tenant_id) == 0;
        return tn_err_field(err, TN_ECONFLICT, "host", "'%s' is %s already", host,
                            is_own ? "this tenant's" : "another tenant's");
    }
    return code == TN_ENOTFOUND ? TN_OK : code;
}

static int check_count(tn_tx_t *tx, const char *tenant_id, tn_err_t *err)
{
    int64_t count = 0;
    tn_query_t query = tn_query(tx, "SELECT count(*) FROM domains WHERE tenant_id = $1", err);
    tn_query_add_text(&query, tenant_id);
    while (tn_query_next(&query)) {
        count = tn_query_int(&query, 0);
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && count >= TN_TENANT_HOSTS_MAX) {
        code = tn_err_field(err, TN_EFULL, "host", "a tenant has at most %d domains",
                            TN_TENANT_HOSTS_MAX);
    }
    return code;
}

static int insert(tn_tx_t *tx, const tn_domain_row_t *row, tn_err_t *err)
{
    tn_query_t query = tn_query(tx,
                                "INSERT INTO domains (host, id, tenant_id, is_primary,"
                                " created_at_ms) VALUES ($1, $2, $3, 0, $4)",
                                err);
    tn_query_add_text(&query, row->host);
    tn_query_add_text(&query, row->id);
    tn_query_add_text(&query, row->tenant_id);
    tn_query_add_int(&query, row->created_at_ms);
    return tn_query_run(&query);
}

static int add(tn_domain_row_t *row, tn_tx_t *tx, const char *tenant_id, tn_err_t *err)
{
    tn_uuid_t id = tn_uuid_new();
    int code = tn_tenant_check(tx, tenant_id, err);
    if (code == TN_OK) {
        code = check_free(tx, tenant_id, row->host, err);
    }
    if (code == TN_OK) {
        code = check_count(tx, tenant_id, err);
    }
    if (code != TN_OK) {
        return code;
    }
    (void)tn_uuid_format(row->id, id.bytes);
    memcpy(row->tenant_id, tenant_id, TN_UUID_LENGTH + 1); /* the check found it in the table */
    row->created_at_ms = tx->now_ms;
    code = insert(tx, row, err);
    if (code == TN_OK) {
        code = record(tx, tenant_id, "domain.add", row->host, NULL,
                      json_pack("{s:s}", "host", row->host), err);
    }
    return code;
}

int tn_domain_add(tn_domain_row_t *out, tn_tx_t *tx, const char *tenant_id, const char *host,
                  const char *const *base_domains, size_t base_domain_count, tn_err_t *err)
{
    tn_domain_row_t row = {0};
    int code = check_host(host, base_domains, base_domain_count, &tx->last);
    if (code == TN_OK) {
        code = tn_str_copy(row.host, sizeof(row.host), tn_str(host));
    }
    if (code == TN_OK) {
        code = add(&row, tx, tenant_id, &tx->last);
    }
    if (code == TN_OK) {
        *out = row;
    }
    return tn_tx_result(tx, code, err);
}

static int remove_domain(tn_tx_t *tx, const char *tenant_id, const char *host, tn_err_t *err)
{
    tn_domain_row_t row;
    primary_t primary;
    int code = find_own(&row, tx, tenant_id, host, err);
    if (code == TN_OK) {
        code = find_primary(&primary, tx, tenant_id, err);
    }
    if (code != TN_OK) {
        return code;
    }
    tn_query_t query = tn_query(tx, "DELETE FROM domains WHERE host = $1", err);
    tn_query_add_text(&query, host);
    code = tn_query_run(&query);
    if (code == TN_OK && row.is_primary) {
        code = tn_tenant_bump(tx, tenant_id, primary.redirects, err);
    }
    if (code == TN_OK) {
        code = record(tx, tenant_id, "domain.remove", host,
                      json_pack("{s:s, s:b}", "host", host, "primary", row.is_primary), NULL, err);
    }
    return code;
}

int tn_domain_remove(tn_tx_t *tx, const char *tenant_id, const char *host, tn_err_t *err)
{
    return tn_tx_result(tx, remove_domain(tx, tenant_id, host, &tx->last), err);
}

/* ---- the primary one ---------------------------------------------------------------------- */

static int mark(tn_tx_t *tx, const char *host, bool is_primary, tn_err_t *err)
{
    tn_query_t query = tn_query(tx, "UPDATE domains SET is_primary = $1 WHERE host = $2", err);
    tn_query_add_int(&query, is_primary);
    tn_query_add_text(&query, host);
    return tn_query_run(&query);
}

/* From one primary domain (or none) to another (or none). */
static int change_primary(tn_tx_t *tx, const char *tenant_id, const primary_t *from,
                          const primary_t *to, tn_err_t *err)
{
    int code = TN_OK;
    if (strcmp(from->host, to->host) == 0 && from->redirects == to->redirects) {
        return TN_OK;
    }
    if (from->host[0] != '\0') {
        code = mark(tx, from->host, false, err);
    }
    if (code == TN_OK && to->host[0] != '\0') {
        code = mark(tx, to->host, true, err);
    }
    if (code == TN_OK) {
        code = tn_tenant_bump(tx, tenant_id, to->redirects, err);
    }
    if (code == TN_OK) {
        code = record(tx, tenant_id, "domain.primary", to->host[0] != '\0' ? to->host : from->host,
                      show_primary(from), show_primary(to), err);
    }
    return code;
}

static int set_primary(tn_tx_t *tx, const char *tenant_id, const char *host, bool redirect,
                       tn_err_t *err)
{
    tn_domain_row_t row;
    primary_t from, to = {.redirects = redirect};
    int code = find_own(&row, tx, tenant_id, host, err);
    if (code == TN_OK) {
        memcpy(to.host, row.host, sizeof(to.host));
        code = find_primary(&from, tx, tenant_id, err);
    }
    return code == TN_OK ? change_primary(tx, tenant_id, &from, &to, err) : code;
}

int tn_domain_set_primary(tn_tx_t *tx, const char *tenant_id, const char *host, bool redirect,
                          tn_err_t *err)
{
    return tn_tx_result(tx, set_primary(tx, tenant_id, host, redirect, &tx->last), err);
}

static int clear_primary(tn_tx_t *tx, const char *tenant_id, tn_err_t *err)
{
    primary_t from;
    int code = find_primary(&from, tx, tenant_id, err);
    if (code != TN_OK) {
        return code;
    }
    primary_t to = {.redirects = from.redirects};
    return change_primary(tx, tenant_id, &from, &to, err);
}

int tn_domain_clear_primary(tn_tx_t *tx, const char *tenant_id, tn_err_t *err)
{
    return tn_tx_result(tx, clear_primary(tx, tenant_id, &tx->last), err);
}
