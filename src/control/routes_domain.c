/*
 * Custom domains: of one tenant, of all, and which is the primary one.
 */
#include "control/list.h"
#include "control/name.h"
#include "control/represent.h"
#include "control/routes.h"
#include "control/transaction.h"

#include "base/err.h"
#include "core/directory_writer.h"

#include <stdlib.h>
#include <string.h>

const tn_json_field_t tn_fields_domain_add[] = {{"host", TN_JSON_STRING, true}, {0}};

const tn_json_field_t tn_fields_domain_primary[] = {
    {"host", TN_JSON_STRING, true},
    {"redirect", TN_JSON_BOOLEAN, false},
    {0},
};

/* ---- listing ------------------------------------------------------------------------------ */

/* Rows are collected first: their tenants' slugs are asked for when the listing is over. */
typedef struct {
    tn_domain_row_t *rows;
    size_t count, capacity;
} tn_domain_rows_t;

static int collect_domain(const tn_domain_row_t *row, void *context)
{
    tn_domain_rows_t *rows = context;
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 64 : rows->capacity * 2;
        tn_domain_row_t *more = realloc(rows->rows, capacity * sizeof(*more));
        if (more == NULL) {
            return TN_ENOMEM;
        }
        rows->rows = more;
        rows->capacity = capacity;
    }
    rows->rows[rows->count++] = *row;
    return TN_OK;
}

static int note_one_more(const tn_domain_row_t *row, void *context)
{
    *(bool *)context = true;
    return TN_OK;
}

/* Fills the list from rows. Neighbours often belong to one tenant: its slug is asked for once. */
static int add_domains(tn_list_t *list, tn_tx_t *tx, const tn_domain_rows_t *rows, tn_err_t *err)
{
    tn_tenant_row_t tenant = {0};
    int code = TN_OK;
    for (size_t i = 0; i < rows->count && code == TN_OK; i++) {
        const tn_domain_row_t *row = &rows->rows[i];
        if (strcmp(row->tenant_id, tenant.id) != 0) {
            tn_tenant_row_deinit(&tenant);
            tenant = (tn_tenant_row_t){0};
            code = tn_tenant_find(&tenant, tx, row->tenant_id, err);
        }
        if (code == TN_OK) {
            code = tn_list_add(list, tn_represent_domain(row, tenant.slug), row->host);
        }
    }
    tn_tenant_row_deinit(&tenant);
    return code;
}

static int list_domains(tn_list_t *list, bool *has_more, tn_tx_t *tx, tn_err_t *err)
{
    tn_domain_rows_t rows = {0};
    int code =
        tn_domain_list(tx, NULL, tn_list_after(list), list->limit, collect_domain, &rows, err);
    if (code == TN_OK) {
        code = add_domains(list, tx, &rows, err);
    }
    if (code == TN_OK && rows.count == list->limit) {
        code = tn_domain_list(tx, NULL, list->last, 1, note_one_more, has_more, err);
    }
    free(rows.rows);
    return code;
}

int tn_route_domain_list(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_list_t list;
    bool has_more = false;
    int code = tn_list_init(&list, exchange, 'd', err);
    if (code == TN_OK) {
        code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    }
    if (code == TN_OK) {
        code = list_domains(&list, &has_more, transaction.tx, err);
        tn_transaction_end(&transaction);
    }
    if (code == TN_OK) {
        code = tn_list_answer(&list, exchange, "domains", has_more, err);
    }
    tn_list_deinit(&list);
    return code;
}

typedef struct {
    json_t *items;
    const char *slug;
} tn_domain_items_t;

static int add_domain(const tn_domain_row_t *row, void *context)
{
    tn_domain_items_t *items = context;
    int failed = json_array_append_new(items->items, tn_represent_domain(row, items->slug));
    return failed ? TN_ENOMEM : TN_OK;
}

int tn_route_domain_list_of_tenant(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_row_t tenant = {0};
    tn_domain_items_t items = {json_array(), tenant.slug};
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    if (code == TN_OK) {
        code = tn_tenant_find(&tenant, transaction.tx, exchange->params[0], err);
        if (code == TN_OK) {
            /* all of them: a tenant has at most TN_TENANT_HOSTS_MAX */
            code = tn_domain_list(transaction.tx, tenant.id, NULL, TN_TENANT_HOSTS_MAX, add_domain,
                                  &items, err);
        }
        tn_transaction_end(&transaction);
    }
    if (code == TN_OK) {
        json_t *document = json_pack("{s:O}", "domains", items.items);
        code = tn_response_json(exchange->response, 200, document, err);
    }
    json_decref(items.items);
    tn_tenant_row_deinit(&tenant);
    return code;
}

/* ---- changing ----------------------------------------------------------------------------- */

/* Begins a write on behalf of the tenant of the path; ended by the caller when it succeeds. */
static int begin_for_tenant(tn_transaction_t *transaction, tn_tenant_row_t *tenant,
                            tn_exchange_t *exchange, tn_err_t *err)
{
    int code = tn_transaction_begin(transaction, exchange, TN_TX_WRITE, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_tenant_find(tenant, transaction->tx, exchange->params[0], err);
    if (code != TN_OK) {
        tn_transaction_end(transaction);
    }
    return code;
}

int tn_route_domain_add(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_row_t tenant = {0};
    tn_domain_row_t row;
    tn_host_t host;
    const tn_conf_list_t *bases = &exchange->control->conf->base_domains;
    int code = tn_name_to_host(&host, tn_json_text(exchange->body, "host"), "host", err);
    if (code == TN_OK) {
        code = begin_for_tenant(&transaction, &tenant, exchange, err);
    }
    if (code != TN_OK) {
        return code;
    }
    code = tn_domain_add(&row, transaction.tx, tenant.id, host.name,
                         (const char *const *)bases->items, bases->count, err);
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
    } else {
        json_t *document = json_pack("{s:o}", "domain", tn_represent_domain(&row, tenant.slug));
        code = tn_transaction_commit(&transaction, 201, document, err);
    }
    if (code == TN_OK) {
        tn_log_write(exchange->control->log, TN_LOG_INFO, "domain, added '%s' (to tenant '%s')",
                     row.host, tenant.slug);
    }
    tn_tenant_row_deinit(&tenant);
    return code;
}

int tn_route_domain_remove(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_row_t tenant = {0};
    tn_host_t host;
    int code = tn_name_to_host(&host, exchange->params[1], "host", err);
    if (code == TN_OK) {
        code = begin_for_tenant(&transaction, &tenant, exchange, err);
    }
    if (code != TN_OK) {
        return code;
    }
    code = tn_domain_remove(transaction.tx, tenant.id, host.name, err);
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
    } else {
        code = tn_transaction_commit(&transaction, 200, json_object(), err);
    }
    if (code == TN_OK) {
        tn_log_write(exchange->control->log, TN_LOG_INFO, "domain, removed '%s' (from tenant '%s')",
                     host.name, tenant.slug);
    }
    tn_tenant_row_deinit(&tenant);
    return code;
}

/* The answer to a change of the primary domain: the tenant as it is then. */
static int commit_tenant(tn_transaction_t *transaction, const char *tenant_id, tn_err_t *err)
{
    tn_tenant_row_t row = {0};
    int code = tn_tenant_find(&row, transaction->tx, tenant_id, err);
    if (code != TN_OK) {
        tn_transaction_end(transaction);
        return code;
    }
    json_t *tenant = tn_represent_tenant(&row, transaction->exchange->control->conf);
    code = tn_transaction_commit(transaction, 200, json_pack("{s:o}", "tenant", tenant), err);
    if (code == TN_OK) {
        tn_log_write(transaction->exchange->control->log, TN_LOG_INFO,
                     "domain, made '%s' the primary one (of tenant '%s')", row.primary_host,
                     row.slug);
    }
    tn_tenant_row_deinit(&row);
    return code;
}

int tn_route_domain_set_primary(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_row_t tenant = {0};
    tn_host_t host;
    bool storage;
    const bool *redirect = tn_json_boolean(&storage, exchange->body, "redirect");
    int code = tn_name_to_host(&host, tn_json_text(exchange->body, "host"), "host", err);
    if (code == TN_OK) {
        code = begin_for_tenant(&transaction, &tenant, exchange, err);
    }
    if (code != TN_OK) {
        return code;
    }
    code = tn_domain_set_primary(transaction.tx, tenant.id, host.name,
                                 redirect == NULL || *redirect, err);
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
    } else {
        code = commit_tenant(&transaction, tenant.id, err);
    }
    tn_tenant_row_deinit(&tenant);
    return code;
}

int tn_route_domain_clear_primary(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_row_t tenant = {0};
    int code = begin_for_tenant(&transaction, &tenant, exchange, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_domain_clear_primary(transaction.tx, tenant.id, err);
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
    } else {
        code = commit_tenant(&transaction, tenant.id, err);
    }
    tn_tenant_row_deinit(&tenant);
    return code;
}
