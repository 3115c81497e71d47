/*
 * The audit trail: reading it, and verifying its chains.
 */
#include "control/list.h"
#include "control/represent.h"
#include "control/routes.h"
#include "control/transaction.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

enum { ACTION_SIZE = 80 };

/* What was asked for, with its storage. */
typedef struct {
    char tenant[TN_ROUTE_PARAM_SIZE];
    char action[ACTION_SIZE];
    char chain[TN_UUID_LENGTH + 1];
    tn_audit_filter_t filter;
} tn_audit_query_t;

static int read_query(tn_audit_query_t *query, const tn_exchange_t *exchange, const tn_list_t *list,
                      tn_err_t *err)
{
    const tn_request_t *request = exchange->request;
    bool is_given;
    query->filter = (tn_audit_filter_t){.limit = list->limit};
    if (tn_list_after(list) != NULL &&
        tn_str_number(&query->filter.before_id, tn_str(list->after), INT64_MAX) != TN_OK) {
        return tn_err_field(err, TN_EINVAL, "cursor", "not a cursor of this list");
    }
    int code =
        tn_request_query(query->action, sizeof(query->action), &is_given, request, "action", err);
    query->filter.action = query->action[0] == '\0' ? NULL : query->action;
    if (code == TN_OK) {
        code = tn_request_query(query->tenant, sizeof(query->tenant), &is_given, request, "tenant",
                                err);
    }
    return code;
}

/* The chain of the tenant that was asked for, by slug or id; "platform" is the platform's own. */
static int find_chain(tn_audit_query_t *query, tn_tx_t *tx, tn_err_t *err)
{
    if (query->tenant[0] == '\0') {
        return TN_OK;
    }
    query->filter.chain = TN_AUDIT_PLATFORM;
    if (strcmp(query->tenant, TN_AUDIT_PLATFORM) == 0) {
        return TN_OK;
    }
    tn_tenant_row_t tenant = {0};
    int code = tn_tenant_find(&tenant, tx, query->tenant, err);
    (void)snprintf(query->chain, sizeof(query->chain), "%s", tenant.id);
    query->filter.chain = query->chain;
    tn_tenant_row_deinit(&tenant);
    return code;
}

static int add_entry(uint64_t id, const tn_audit_entry_t *entry, void *context)
{
    char key[24];
    (void)snprintf(key, sizeof(key), "%" PRIu64, id);
    return tn_list_add(context, tn_represent_audit(id, entry), key);
}

static int note_one_more(uint64_t id, const tn_audit_entry_t *entry, void *context)
{
    *(bool *)context = true;
    return TN_OK;
}

static int list_entries(tn_list_t *list, bool *has_more, tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_audit_query_t query = {0};
    int code = read_query(&query, exchange, list, err);
    if (code == TN_OK) {
        code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    }
    if (code != TN_OK) {
        return code;
    }
    code = find_chain(&query, transaction.tx, err);
    if (code == TN_OK) {
        code = tn_audit_list(transaction.tx, &query.filter, add_entry, list, err);
    }
    if (code == TN_OK && json_array_size(list->items) == list->limit) {
        query.filter.limit = 1;
        code = tn_str_number(&query.filter.before_id, tn_str(list->last), INT64_MAX);
        if (code == TN_OK) {
            code = tn_audit_list(transaction.tx, &query.filter, note_one_more, has_more, err);
        }
    }
    tn_transaction_end(&transaction);
    return code;
}

int tn_route_audit_list(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_list_t list;
    bool has_more = false;
    int code = tn_list_init(&list, exchange, 'a', err);
    if (code == TN_OK) {
        code = list_entries(&list, &has_more, exchange, err);
    }
    if (code == TN_OK) {
        code = tn_list_answer(&list, exchange, "entries", has_more, err);
    }
    tn_list_deinit(&list);
    return code;
}

int tn_route_audit_verify(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_audit_report_t report = {0};
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_audit_verify(&report, transaction.tx, err);
    tn_transaction_end(&transaction);
    if (code == TN_EDAMAGED) {
        tn_log_write(exchange->control->log, TN_LOG_ERROR, "audit, verified a broken trail (%s)",
                     err->detail);
        return tn_response_json(exchange->response, 200,
                                json_pack("{s:b, s:s}", "valid", false, "fault", err->detail), err);
    }
    if (code != TN_OK) {
        return code;
    }
    return tn_response_json(exchange->response, 200,
                            json_pack("{s:b, s:I, s:I}", "valid", true, "chains",
                                      (json_int_t)report.chains, "entries",
                                      (json_int_t)report.entries),
                            err);
}
