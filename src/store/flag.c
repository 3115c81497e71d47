/*
 * Feature flags in the database of record; see flag.h. A definition belongs to the platform's audit
 * chain, a tenant's own value to that tenant's.
 */
#include "store/flag.h"

#include "base/err.h"
#include "base/str.h"
#include "core/directory_writer.h"
#include "core/host.h"
#include "store/audit_append.h"
#include "store/change_append.h"
#include "store/query.h"
#include "store/tenant_edit.h"

#define DESCRIPTION_MAX 200 /* bytes; the row has room for it and a terminator */

/* ---- reading ------------------------------------------------------------------------------ */

static int read_row(tn_flag_row_t *row, tn_query_t *query, tn_err_t *err)
{
    if (tn_str_copy(row->key, sizeof(row->key), tn_query_text(query, 0)) != TN_OK ||
        tn_str_copy(row->description, sizeof(row->description), tn_query_text(query, 1)) != TN_OK) {
        return tn_err_set(err, TN_EDAMAGED, "a flag's row is longer than it can be");
    }
    row->default_on = tn_query_int(query, 2) != 0;
    row->updated_at_ms = tn_query_int(query, 3);
    return TN_OK;
}

int tn_flag_find(tn_flag_row_t *out, tn_tx_t *tx, const char *key, tn_err_t *err)
{
    tn_flag_row_t row = {0};
    bool is_there = false;
    int code = TN_OK;
    tn_query_t query = tn_query(
        tx, "SELECT key, description, default_on, updated_at_ms FROM flags WHERE key = $1", err);
    tn_query_add_text(&query, key);
    while (code == TN_OK && tn_query_next(&query)) {
        is_there = true;
        code = read_row(&row, &query, err);
    }
    int query_code = tn_query_end(&query);
    if (query_code != TN_OK) {
        code = query_code;
    } else if (!is_there) {
        code = tn_err_set(err, TN_ENOTFOUND, "there is no flag '%.80s'", key);
    }
    if (code == TN_OK) {
        *out = row;
    }
    return code;
}

int tn_flag_list(tn_tx_t *tx, tn_flag_row_fn call, void *context, tn_err_t *err)
{
    tn_query_t query = tn_query(
        tx, "SELECT key, description, default_on, updated_at_ms FROM flags ORDER BY key", err);
    int stopped = TN_OK;
    while (stopped == TN_OK && tn_query_next(&query)) {
        tn_flag_row_t row = {0};
        stopped = read_row(&row, &query, err);
        if (stopped == TN_OK) {
            stopped = call(&row, context);
        }
    }
    int code = tn_query_end(&query);
    return code != TN_OK ? code : stopped;
}

int tn_flag_values(tn_tx_t *tx, const char *tenant_id, tn_flag_value_fn call, void *context,
                   tn_err_t *err)
{
    tn_query_t query = tn_query(tx,
                                "SELECT f.key, coalesce(v.is_on, f.default_on),"
                                " CASE WHEN v.key IS NULL THEN 0 ELSE 1 END FROM flags f"
                                " LEFT JOIN tenant_flags v ON v.key = f.key AND v.tenant_id = $1"
                                " ORDER BY f.key",
                                err);
    tn_query_add_text(&query, tenant_id);
    int stopped = 0;
    while (stopped == 0 && tn_query_next(&query)) {
        stopped = call(tn_query_text(&query, 0).data, tn_query_int(&query, 1) != 0,
                       tn_query_int(&query, 2) != 0, context);
    }
    int code = tn_query_end(&query);
    return code != TN_OK ? code : stopped;
}

/* A tenant's own value, if it has one. */
typedef struct {
    bool is_there, is_on;
} value_t;

static int find_value(value_t *out, tn_tx_t *tx, const char *key, const char *tenant_id,
                      tn_err_t *err)
{
    *out = (value_t){0};
    tn_query_t query =
        tn_query(tx, "SELECT is_on FROM tenant_flags WHERE tenant_id = $1 AND key = $2", err);
    tn_query_add_text(&query, tenant_id);
    tn_query_add_text(&query, key);
    while (tn_query_next(&query)) {
        *out = (value_t){true, tn_query_int(&query, 0) != 0};
    }
    return tn_query_end(&query);
}

static int count_values(int64_t *out, tn_tx_t *tx, const char *sql, const char *parameter,
                        tn_err_t *err)
{
    *out = 0;
    tn_query_t query = tn_query(tx, sql, err);
    tn_query_add_text(&query, parameter);
    while (tn_query_next(&query)) {
        *out = tn_query_int(&query, 0);
    }
    return tn_query_end(&query);
}

static const char *const count_of_tenant = "SELECT count(*) FROM tenant_flags WHERE tenant_id = $1";
static const char *const count_of_flag = "SELECT count(*) FROM tenant_flags WHERE key = $1";

/* ---- the trail ---------------------------------------------------------------------------- */

/* Appends an entry; takes `before` and `after` over. */
static int record(tn_tx_t *tx, const char *chain, const char *action, const char *key,
                  json_t *before, json_t *after, tn_err_t *err)
{
    int code = tn_audit_append(
        tx,
        &(tn_audit_event_t){
            .chain = chain, .action = action, .target = key, .before = before, .after = after},
        err);
    json_decref(before);
    json_decref(after);
    return code;
}

static json_t *show_definition(const tn_flag_row_t *row)
{
    return json_pack("{s:b, s:s}", "default", row->default_on, "description", row->description);
}

static json_t *show_value(const value_t *value)
{
    return value->is_there ? json_pack("{s:b}", "value", value->is_on) : NULL;
}

/* ---- definitions -------------------------------------------------------------------------- */

static int check_key(const char *key, tn_err_t *err)
{
    if (!tn_key_is_valid(tn_str(key))) {
        return tn_err_field(err, TN_EINVAL, "key",
                            "must be 1 to %d letters, digits, '_', '-' and '.', beginning with a "
                            "letter",
                            TN_KEY_MAX);
    }
    return TN_OK;
}

static int check_description(const char *description, tn_err_t *err)
{
    tn_str_t text = tn_str(description);
    if (text.length > DESCRIPTION_MAX || !tn_str_is_clean_utf8(text)) {
        return tn_err_field(err, TN_EINVAL, "description",
                            "must be at most %d bytes of UTF-8 without control characters",
                            DESCRIPTION_MAX);
    }
    return TN_OK;
}

static int write_definition(tn_tx_t *tx, const tn_flag_row_t *row, tn_err_t *err)
{
    tn_query_t query = tn_query(tx,
                                "INSERT INTO flags (key, description, default_on, updated_at_ms)"
                                " VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO UPDATE SET"
                                " description = excluded.description,"
                                " default_on = excluded.default_on,"
                                " updated_at_ms = excluded.updated_at_ms",
                                err);
    tn_query_add_text(&query, row->key);
    tn_query_add_text(&query, row->description);
    tn_query_add_int(&query, row->default_on);
    tn_query_add_int(&query, row->updated_at_ms);
    return tn_query_run(&query);
}

/* The edge knows nothing of descriptions: a change of one alone has no version. */
static int define(tn_tx_t *tx, const tn_flag_row_t *before, const tn_flag_row_t *after,
                  tn_err_t *err)
{
    int code = write_definition(tx, after, err);
    if (code == TN_OK && (before == NULL || before->default_on != after->default_on)) {
        code = tn_change_add(tx, TN_CHANGE_FLAG, after->key, err);
    }
    if (code == TN_OK) {
        code = record(tx, TN_AUDIT_PLATFORM, "flag.set", after->key,
                      before == NULL ? NULL : show_definition(before), show_definition(after), err);
    }
    return code;
}

static int set_default(tn_tx_t *tx, const char *key, bool on, const char *description,
                       tn_err_t *err)
{
    tn_flag_row_t before = {0};
    int code = check_key(key, err);
    if (code == TN_OK && description != NULL) {
        code = check_description(description, err);
    }
    if (code != TN_OK) {
        return code;
    }
    code = tn_flag_find(&before, tx, key, err);
    if (code != TN_OK && code != TN_ENOTFOUND) {
        return code;
    }
    bool is_new = code == TN_ENOTFOUND;
    tn_flag_row_t after = before;
    after.default_on = on;
    after.updated_at_ms = tx->now_ms;
    code = tn_str_copy(after.key, sizeof(after.key), tn_str(key));
    if (code == TN_OK && description != NULL) {
        code = tn_str_copy(after.description, sizeof(after.description), tn_str(description));
    }
    bool is_same = !is_new && before.default_on == after.default_on &&
                   strcmp(before.description, after.description) == 0;
    if (code != TN_OK || is_same) {
        return code;
    }
    return define(tx, is_new ? NULL : &before, &after, err);
}

int tn_flag_set_default(tn_tx_t *tx, const char *key, bool on, const char *description,
                        tn_err_t *err)
{
    return tn_tx_result(tx, set_default(tx, key, on, description, &tx->last), err);
}

/* ---- values of tenants -------------------------------------------------------------------- */

static int write_value(tn_tx_t *tx, const char *key, const char *tenant_id, bool on, tn_err_t *err)
{
    tn_query_t query = tn_query(tx,
                                "INSERT INTO tenant_flags (tenant_id, key, is_on)"
                                " VALUES ($1, $2, $3) ON CONFLICT (tenant_id, key)"
                                " DO UPDATE SET is_on = excluded.is_on",
                                err);
    tn_query_add_text(&query, tenant_id);
    tn_query_add_text(&query, key);
    tn_query_add_int(&query, on);
    return tn_query_run(&query);
}

/* The flag is defined, off, unless it is. */
static int ensure_defined(tn_tx_t *tx, const char *key, tn_err_t *err)
{
    tn_flag_row_t row;
    int code = tn_flag_find(&row, tx, key, err);
    return code == TN_ENOTFOUND ? set_default(tx, key, false, NULL, err) : code;
}

static int check_room(tn_tx_t *tx, const char *tenant_id, tn_err_t *err)
{
    int64_t count;
    int code = count_values(&count, tx, count_of_tenant, tenant_id, err);
    if (code == TN_OK && count >= TN_TENANT_FLAGS_MAX) {
        code = tn_err_field(err, TN_EFULL, "key", "a tenant has at most %d flags of its own",
                            TN_TENANT_FLAGS_MAX);
    }
    return code;
}

static int set_tenant(tn_tx_t *tx, const char *key, const char *tenant_id, bool on, tn_err_t *err)
{
    value_t before, after = {true, on};
    int code = check_key(key, err);
    if (code == TN_OK) {
        code = tn_tenant_check(tx, tenant_id, err);
    }
    if (code == TN_OK) {
        code = ensure_defined(tx, key, err);
    }
    if (code == TN_OK) {
        code = find_value(&before, tx, key, tenant_id, err);
    }
    if (code != TN_OK || (before.is_there && before.is_on == on)) {
        return code;
    }
    if (!before.is_there) {
        code = check_room(tx, tenant_id, err);
    }
    if (code == TN_OK) {
        code = write_value(tx, key, tenant_id, on, err);
    }
    if (code == TN_OK) {
        code = tn_change_add(tx, TN_CHANGE_TENANT, tenant_id, err);
    }
    if (code == TN_OK) {
        code = record(tx, tenant_id, "flag.set", key, show_value(&before), show_value(&after), err);
    }
    return code;
}

int tn_flag_set_tenant(tn_tx_t *tx, const char *key, const char *tenant_id, bool on, tn_err_t *err)
{
    return tn_tx_result(tx, set_tenant(tx, key, tenant_id, on, &tx->last), err);
}

static int unset_tenant(tn_tx_t *tx, const char *key, const char *tenant_id, tn_err_t *err)
{
    value_t before;
    int code = find_value(&before, tx, key, tenant_id, err);
    if (code == TN_OK && !before.is_there) {
        code = tn_err_set(err, TN_ENOTFOUND, "the tenant has no value of its own for flag '%.80s'",
                          key);
    }
    if (code != TN_OK) {
        return code;
    }
    tn_query_t query =
        tn_query(tx, "DELETE FROM tenant_flags WHERE tenant_id = $1 AND key = $2", err);
    tn_query_add_text(&query, tenant_id);
    tn_query_add_text(&query, key);
    code = tn_query_run(&query);
    if (code == TN_OK) {
        code = tn_change_add(tx, TN_CHANGE_TENANT, tenant_id, err);
    }
    if (code == TN_OK) {
        code = record(tx, tenant_id, "flag.unset", key, show_value(&before), NULL, err);
    }
    return code;
}

int tn_flag_unset_tenant(tn_tx_t *tx, const char *key, const char *tenant_id, tn_err_t *err)
{
    return tn_tx_result(tx, unset_tenant(tx, key, tenant_id, &tx->last), err);
}

/* ---- removing ----------------------------------------------------------------------------- */

static int run_with_key(tn_tx_t *tx, const char *sql, const char *key, tn_err_t *err)
{
    tn_query_t query = tn_query(tx, sql, err);
    tn_query_add_text(&query, key);
    return tn_query_run(&query);
}

/* Tenants with a value of their own change too: it must not come back with a flag of that name. */
static int log_removal(tn_tx_t *tx, const char *key, tn_err_t *err)
{
    int code = tn_change_add(tx, TN_CHANGE_FLAG, key, err);
    if (code != TN_OK) {
        return code;
    }
    tn_query_t query = tn_query(tx,
                                "INSERT INTO changes (version, kind, key)"
                                " SELECT $1, $2, tenant_id FROM tenant_flags WHERE key = $3"
                                " ON CONFLICT DO NOTHING",
                                err);
    tn_query_add_int(&query, (int64_t)tx->version);
    tn_query_add_int(&query, TN_CHANGE_TENANT);
    tn_query_add_text(&query, key);
    return tn_query_run(&query);
}

static int remove_flag(tn_tx_t *tx, const char *key, tn_err_t *err)
{
    tn_flag_row_t row = {0};
    int64_t values = 0;
    int code = tn_flag_find(&row, tx, key, err);
    if (code == TN_OK) {
        code = count_values(&values, tx, count_of_flag, key, err);
    }
    if (code == TN_OK) {
        code = log_removal(tx, key, err);
    }
    if (code == TN_OK) {
        code = run_with_key(tx, "DELETE FROM tenant_flags WHERE key = $1", key, err);
    }
    if (code == TN_OK) {
        code = run_with_key(tx, "DELETE FROM flags WHERE key = $1", key, err);
    }
    if (code == TN_OK) {
        code = record(tx, TN_AUDIT_PLATFORM, "flag.remove", key,
                      json_pack("{s:b, s:s, s:I}", "default", row.default_on, "description",
                                row.description, "tenantValues", (json_int_t)values),
                      NULL, err);
    }
    return code;
}

int tn_flag_remove(tn_tx_t *tx, const char *key, tn_err_t *err)
{
    return tn_tx_result(tx, remove_flag(tx, key, &tx->last), err);
}
