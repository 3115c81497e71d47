/*
 * /v1/tenants: listing, making, showing and changing tenants.
 */
#include "control/list.h"
#include "control/represent.h"
#include "control/routes.h"
#include "control/transaction.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdlib.h>

const tn_json_field_t tn_fields_tenant_create[] = {
    {"slug", TN_JSON_STRING, true},
    {"name", TN_JSON_STRING, true},
    {"plan", TN_JSON_STRING, false},
    {"listed", TN_JSON_BOOLEAN, false},
    {"settings", TN_JSON_OBJECT, false},
    {"upstream", TN_JSON_STRING, false},
    {0},
};

const tn_json_field_t tn_fields_tenant_update[] = {
    {"slug", TN_JSON_STRING, false},
    {"name", TN_JSON_STRING, false},
    {"plan", TN_JSON_STRING, false},
    {"status", TN_JSON_STRING, false},
    {"listed", TN_JSON_BOOLEAN, false},
    {"settings", TN_JSON_OBJECT, false},
    {"upstream", TN_JSON_STRING, false},
    {"redirectToPrimary", TN_JSON_BOOLEAN, false},
    {0},
};

static int parse_status(tn_tenant_status_t *out, const char *text, tn_err_t *err)
{
    for (int i = TN_STATUS_ACTIVE; i <= TN_STATUS_ARCHIVED; i++) {
        if (strcmp(text, tn_tenant_status_name((tn_tenant_status_t)i)) == 0) {
            *out = (tn_tenant_status_t)i;
            return TN_OK;
        }
    }
    return tn_err_field(err, TN_EINVAL, "status",
                        "must be active, maintenance, suspended or archived");
}

/* ---- GET /v1/tenants ---------------------------------------------------------------------- */

typedef struct {
    tn_list_t *list;
    const tn_conf_t *conf;
} tn_tenant_page_t;

static int add_tenant(const tn_tenant_row_t *row, void *context)
{
    tn_tenant_page_t *page = context;
    return tn_list_add(page->list, tn_represent_tenant(row, page->conf), row->slug);
}

static int note_one_more(const tn_tenant_row_t *row, void *context)
{
    *(bool *)context = true;
    return TN_OK;
}

static int read_filter(tn_tenant_filter_t *out, const tn_exchange_t *exchange, tn_err_t *err)
{
    char text[32];
    bool is_given;
    int code = tn_request_query(text, sizeof(text), &is_given, exchange->request, "status", err);
    if (code == TN_OK && is_given) {
        code = parse_status(&out->status, text, err);
    }
    return code != TN_OK ? code : tn_list_switch(&out->only_listed, exchange, "listed", err);
}

/* Fills the list, and tells whether more follows it. */
static int list_tenants(tn_list_t *list, bool *has_more, tn_exchange_t *exchange,
                        tn_tenant_filter_t *filter, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_page_t page = {list, exchange->control->conf};
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    if (code != TN_OK) {
        return code;
    }
    filter->after_slug = tn_list_after(list);
    filter->limit = list->limit;
    code = tn_tenant_list(transaction.tx, filter, add_tenant, &page, err);
    if (code == TN_OK && json_array_size(list->items) == list->limit) {
        filter->after_slug = list->last;
        filter->limit = 1;
        code = tn_tenant_list(transaction.tx, filter, note_one_more, has_more, err);
    }
    tn_transaction_end(&transaction);
    return code;
}

int tn_route_tenant_list(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_list_t list;
    tn_tenant_filter_t filter = {0};
    bool has_more = false;
    int code = tn_list_init(&list, exchange, 't', err);
    if (code == TN_OK) {
        code = read_filter(&filter, exchange, err);
    }
    if (code == TN_OK) {
        code = list_tenants(&list, &has_more, exchange, &filter, err);
    }
    if (code == TN_OK) {
        code = tn_list_answer(&list, exchange, "tenants", has_more, err);
    }
    tn_list_deinit(&list);
    return code;
}

/* ---- one tenant --------------------------------------------------------------------------- */

static json_t *tenant_document(const tn_tenant_row_t *row, const tn_exchange_t *exchange)
{
    return json_pack("{s:o}", "tenant", tn_represent_tenant(row, exchange->control->conf));
}

static void add_etag(tn_exchange_t *exchange, const tn_tenant_row_t *row)
{
    tn_response_header(exchange->response, "ETag", "\"%" PRId64 "\"", row->version);
}

int tn_route_tenant_show(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_row_t row = {0};
    int code = tn_transaction_begin(&transaction, exchange, TN_TX_READ, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_tenant_find(&row, transaction.tx, exchange->params[0], err);
    tn_transaction_end(&transaction);
    if (code == TN_OK) {
        code = tn_response_json(exchange->response, 200, tenant_document(&row, exchange), err);
    }
    if (code == TN_OK) {
        add_etag(exchange, &row);
    }
    tn_tenant_row_deinit(&row);
    return code;
}

/* The values of a body; *settings is the caller's to free. */
static int read_values(tn_tenant_values_t *out, char **settings, bool booleans[2],
                       const json_t *body, tn_err_t *err)
{
    *out = (tn_tenant_values_t){
        .slug = tn_json_text(body, "slug"),
        .name = tn_json_text(body, "name"),
        .plan = tn_json_text(body, "plan"),
        .upstream = tn_json_text(body, "upstream"),
        .is_listed = tn_json_boolean(&booleans[0], body, "listed"),
        .redirects_to_primary = tn_json_boolean(&booleans[1], body, "redirectToPrimary"),
    };
    int code = tn_json_object_text(settings, body, "settings", err);
    out->settings = *settings;
    return code;
}

int tn_route_tenant_create(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_values_t values;
    tn_tenant_row_t row = {0};
    char *settings = NULL;
    bool booleans[2];
    int code = read_values(&values, &settings, booleans, exchange->body, err);
    if (code == TN_OK) {
        code = tn_transaction_begin(&transaction, exchange, TN_TX_WRITE, err);
    }
    if (code != TN_OK) {
        goto out;
    }
    code = tn_tenant_create(&row, transaction.tx, &values, err);
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
        goto out;
    }
    code = tn_transaction_commit(&transaction, 201, tenant_document(&row, exchange), err);
    if (code == TN_OK) {
        tn_response_header(exchange->response, "Location", "/v1/tenants/%s", row.id);
        add_etag(exchange, &row);
        tn_log_write(exchange->control->log, TN_LOG_INFO, "tenant, created '%s' (id %s)", row.slug,
                     row.id);
    }
out:
    tn_tenant_row_deinit(&row);
    free(settings);
    return code;
}

/*
 * Whether an If-Match list names this version (RFC 9110 section 13.1.1: strong comparison, so a
 * weak tag never does). Without the header, or with "*", every version will do.
 */
static bool if_match(tn_str_t list, int64_t version)
{
    char tag[32];
    (void)snprintf(tag, sizeof(tag), "\"%" PRId64 "\"", version);
    bool is_match = list.length == 0;
    while (list.length > 0) {
        const char *comma = memchr(list.data, ',', list.length);
        size_t length = comma == NULL ? list.length : (size_t)(comma - list.data);
        tn_str_t member = tn_str_trim((tn_str_t){list.data, length});
        is_match |= tn_str_equal(member, TN_STR("*")) || tn_str_equal(member, tn_str(tag));
        length += comma == NULL ? 0 : 1;
        list = (tn_str_t){list.data + length, list.length - length};
    }
    return is_match;
}

static int update_tenant(tn_tenant_row_t *row, tn_exchange_t *exchange, tn_tx_t *tx,
                         const tn_tenant_values_t *values, tn_err_t *err)
{
    tn_tenant_row_t before = {0};
    int code = tn_tenant_find(&before, tx, exchange->params[0], err);
    if (code == TN_OK &&
        !if_match(tn_request_header(exchange->request, "If-Match"), before.version)) {
        code = tn_err_field(err, TN_EPRECONDITION, "If-Match",
                            "the tenant is at version %" PRId64 " by now", before.version);
    }
    if (code == TN_OK) {
        code = tn_tenant_update(row, tx, before.id, values, before.version, err);
    }
    tn_tenant_row_deinit(&before);
    return code;
}

int tn_route_tenant_update(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_transaction_t transaction;
    tn_tenant_values_t values;
    tn_tenant_row_t row = {0};
    tn_tenant_status_t status;
    char *settings = NULL;
    bool booleans[2];
    const char *status_text = tn_json_text(exchange->body, "status");
    int code = read_values(&values, &settings, booleans, exchange->body, err);
    if (code == TN_OK && status_text != NULL) {
        code = parse_status(&status, status_text, err);
        values.status = &status;
    }
    if (code == TN_OK) {
        code = tn_transaction_begin(&transaction, exchange, TN_TX_WRITE, err);
    }
    if (code != TN_OK) {
        goto out;
    }
    code = update_tenant(&row, exchange, transaction.tx, &values, err);
    if (code != TN_OK) {
        tn_transaction_end(&transaction);
        goto out;
    }
    code = tn_transaction_commit(&transaction, 200, tenant_document(&row, exchange), err);
    if (code == TN_OK) {
        add_etag(exchange, &row);
        tn_log_write(exchange->control->log, TN_LOG_INFO,
                     "tenant, changed '%s' (version %" PRId64 ", %s)", row.slug, row.version,
                     tn_tenant_status_name(row.status));
    }
out:
    tn_tenant_row_deinit(&row);
    free(settings);
    return code;
}
