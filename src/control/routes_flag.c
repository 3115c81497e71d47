/*
 * Feature flags: their definitions, and the values of single tenants.
 */
#include "control/represent.h"
#include "control/routes.h"
#include "control/transaction.h"

#include "base/err.h"

#include <string.h>

const tn_json_field_t tn_fields_flag_default[] = {
    {"default", TN_JSON_BOOLEAN, true},
    {"description", TN_JSON_STRING, false},
    {0},
};

const tn_json_field_t tn_fields_flag_value[] = {{"value", TN_JSON_BOOLEAN, true}, {0}};

/* ---- definitions -------------------------------------------------------------------------- */

static int add_flag(const tn_flag_row_t *row, void *context)
{
    return json_array_append_new(context, tn_represent_flag(row)) != 0 ? TN_ENOMEM : TN_OK;
}

int tn_route_flag_list(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    json_t *flags = json_array();
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    if (code == TN_OK) {
        code = tn_flag_list(transaction.tx, add_flag, flags, err);
        tn_transaction_end(&transaction);
    }
    if (code != TN_OK) {
        json_decref(flags);
        return code;
    }
    return tn_response_json(exchange->response, 200, json_pack("{s:o}", "flags", flags), err);
}

typedef struct {
    const char *key;
    json_t *found;
} tn_flag_search_t;

static int match_flag(const tn_flag_row_t *row, void *context)
{
    tn_flag_search_t *search = context;
    if (strcmp(row->key, search->key) == 0) {
        search->found = tn_represent_flag(row);
    }
    return TN_OK;
}

int tn_route_flag_define(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_flag_search_t search = {exchange->params[0], NULL};
    bool storage = false;
    (void)tn_json_boolean(&storage, exchange->body, "default"); /* required: always there */
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_WRITE, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_flag_set_default(transaction.tx, exchange->params[0], storage,
                               tn_json_text(exchange->body, "description"), err);
    if (code == TN_OK) {
        code = tn_flag_list(transaction.tx, match_flag, &search, err);
    }
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
        json_decref(search.found);
        return code;
    }
    code = tn_transaction_commit(&transaction, 200, json_pack("{s:o}", "flag", search.found), err);
    if (code == TN_OK) {
        tn_log_write(exchange->control->log, TN_LOG_INFO, "flag, defined '%s' (default %s)",
                     exchange->params[0], storage ? "on" : "off");
    }
    return code;
}

int tn_route_flag_remove(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_WRITE, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_flag_remove(transaction.tx, exchange->params[0], err);
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
        return code;
    }
    code = tn_transaction_commit(&transaction, 200, json_object(), err);
    if (code == TN_OK) {
        tn_log_write(exchange->control->log, TN_LOG_INFO, "flag, removed '%s' (for every tenant)",
                     exchange->params[0]);
    }
    return code;
}

/* ---- of one tenant ------------------------------------------------------------------------ */

static int add_value(const char *key, bool is_on, bool is_own, void *context)
{
    json_t *value = json_pack("{s:s, s:b, s:b}", "key", key, "value", is_on, "own", is_own);
    return json_array_append_new(context, value) != 0 ? TN_ENOMEM : TN_OK;
}

int tn_route_flag_values(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_row_t tenant = {0};
    json_t *flags = json_array();
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    if (code == TN_OK) {
        code = tn_tenant_find(&tenant, transaction.tx, exchange->params[0], err);
        if (code == TN_OK) {
            code = tn_flag_values(transaction.tx, tenant.id, add_value, flags, err);
        }
        tn_transaction_end(&transaction);
    }
    tn_tenant_row_deinit(&tenant);
    if (code != TN_OK) {
        json_decref(flags);
        return code;
    }
    return tn_response_json(exchange->response, 200, json_pack("{s:o}", "flags", flags), err);
}

typedef struct {
    const char *key;
    bool is_on;
} tn_value_search_t;

static int match_value(const char *key, bool is_on, bool is_own, void *context)
{
    tn_value_search_t *search = context;
    if (strcmp(key, search->key) == 0) {
        search->is_on = is_on;
    }
    return TN_OK;
}

/* Sets or unsets (value NULL) within the transaction, and tells what the tenant has then. */
static int change_value(bool *is_on, tn_tx_t *tx, const char *reference, const char *key,
                        const bool *value, tn_err_t *err)
{
    tn_tenant_row_t tenant = {0};
    tn_value_search_t search = {key, false};
    int code = tn_tenant_find(&tenant, tx, reference, err);
    if (code == TN_OK) {
        code = value != NULL ? tn_flag_set_tenant(tx, key, tenant.id, *value, err)
                             : tn_flag_unset_tenant(tx, key, tenant.id, err);
    }
    if (code == TN_OK) {
        code = tn_flag_values(tx, tenant.id, match_value, &search, err);
    }
    tn_tenant_row_deinit(&tenant);
    *is_on = search.is_on;
    return code;
}

static int answer_change(tn_exchange_t *exchange, const bool *value, tn_err_t *err)
{
    tn_transaction_t transaction;
    const char *key = exchange->params[1];
    bool is_on = false;
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_WRITE, err);
    if (code != TN_OK) {
        return code;
    }
    code = change_value(&is_on, transaction.tx, exchange->params[0], key, value, err);
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
        return code;
    }
    json_t *document = json_pack("{s:s, s:b}", "key", key, "value", is_on);
    code = tn_transaction_commit(&transaction, 200, document, err);
    if (code == TN_OK) {
        tn_log_write(exchange->control->log, TN_LOG_INFO, "flag, %s '%s' (of tenant '%s', now %s)",
                     value == NULL ? "unset" : "set", key, exchange->params[0],
                     is_on ? "on" : "off");
    }
    return code;
}

int tn_route_flag_set(tn_exchange_t *exchange, tn_err_t *err)
{
    bool storage;
    return answer_change(exchange, tn_json_boolean(&storage, exchange->body, "value"), err);
}

int tn_route_flag_unset(tn_exchange_t *exchange, tn_err_t *err)
{
    return answer_change(exchange, NULL, err);
}
