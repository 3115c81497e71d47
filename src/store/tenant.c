/*
 * Tenants in the database of record; see tenant.h. Slugs are claimed and given up in slug.c.
 */
#include "store/tenant.h"

#include "base/err.h"
#include "base/str.h"
#include "store/change_append.h"
#include "store/query.h"
#include "store/slug.h"
#include "store/tenant_check.h"
#include "store/tenant_diff.h"
#include "store/tenant_edit.h"
#include "store/tenant_row.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST_LIMIT_MAX 1000

static const char *const default_plan = "standard";
static const char *const default_settings = "{}";

void tn_tenant_row_deinit(tn_tenant_row_t *row)
{
    free(row->settings);
    *row = (tn_tenant_row_t){0};
}

/* ---- reading ------------------------------------------------------------------------------ */

#define SELECT_TENANT                                                                              \
    "SELECT t.id, s.slug, t.name, t.plan, t.upstream, d.host, t.status, t.is_listed,"              \
    " t.redirects_to_primary, t.version, t.created_at_ms, t.updated_at_ms, t.settings"             \
    " FROM tenants t"                                                                              \
    " JOIN tenant_slugs s ON s.tenant_id = t.id AND s.held_until_ms = 0"                           \
    " LEFT JOIN domains d ON d.tenant_id = t.id AND d.is_primary = 1"

static const char *const select_by_id = SELECT_TENANT " WHERE t.id = $1";
static const char *const select_by_slug = SELECT_TENANT " WHERE s.slug = $1";
static const char *const select_page =
    SELECT_TENANT " WHERE s.slug > $1 AND ($2 = 0 OR t.status = $2)"
                  " AND ($3 = 0 OR t.is_listed = 1) ORDER BY s.slug LIMIT $4";

int tn_tenant_row_read(tn_tenant_row_t *row, tn_query_t *query, tn_err_t *err)
{
    const struct {
        char *to;
        size_t size;
    } texts[] = {
        {row->id, sizeof(row->id)},
        {row->slug, sizeof(row->slug)},
        {row->name, sizeof(row->name)},
        {row->plan, sizeof(row->plan)},
        {row->upstream, sizeof(row->upstream)},
        {row->primary_host, sizeof(row->primary_host)},
    };
    for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++) {
        if (tn_str_copy(texts[i].to, texts[i].size, tn_query_text(query, i)) != TN_OK) {
            return tn_err_set(err, TN_EDAMAGED, "a tenant's row is longer than it can be");
        }
    }
    row->status = (tn_tenant_status_t)tn_query_int(query, 6);
    row->is_listed = tn_query_int(query, 7) != 0;
    row->redirects_to_primary = tn_query_int(query, 8) != 0;
    row->version = tn_query_int(query, 9);
    row->created_at_ms = tn_query_int(query, 10);
    row->updated_at_ms = tn_query_int(query, 11);
    row->settings = tn_str_dup(tn_query_text(query, 12));
    return row->settings == NULL ? tn_err_set(err, TN_ENOMEM, "no memory for a tenant") : TN_OK;
}

static int select_one(tn_tenant_row_t *out, tn_tx_t *tx, const char *sql, const char *key,
                      tn_err_t *err)
{
    tn_tenant_row_t row = {0};
    bool is_there = false;
    int code = TN_OK;
    tn_query_t query = tn_query(tx, sql, err);
    tn_query_add_text(&query, key);
    if (tn_query_next(&query)) {
        is_there = true;
        code = tn_tenant_row_read(&row, &query, err);
    }
    int query_code = tn_query_end(&query);
    if (query_code != TN_OK) {
        code = query_code;
    } else if (!is_there) {
        code = tn_err_set(err, TN_ENOTFOUND, "there is no tenant '%.80s'", key);
    }
    if (code != TN_OK) {
        tn_tenant_row_deinit(&row);
        return code;
    }
    *out = row;
    return TN_OK;
}

int tn_tenant_find(tn_tenant_row_t *out, tn_tx_t *tx, const char *reference, tn_err_t *err)
{
    tn_uuid_t id;
    char text[TN_UUID_LENGTH + 1];
    if (tn_uuid_parse(&id, tn_str(reference)) == TN_OK) {
        return select_one(out, tx, select_by_id, tn_uuid_format(text, id.bytes), err);
    }
    return select_one(out, tx, select_by_slug, reference, err);
}

int tn_tenant_list(tn_tx_t *tx, const tn_tenant_filter_t *filter, tn_tenant_row_fn call,
                   void *context, tn_err_t *err)
{
    if (filter->limit < 1 || filter->limit > LIST_LIMIT_MAX) {
        return tn_err_field(err, TN_EINVAL, "limit", "must be between 1 and %d", LIST_LIMIT_MAX);
    }
    tn_query_t query = tn_query(tx, select_page, err);
    tn_query_add_text(&query, filter->after_slug == NULL ? "" : filter->after_slug);
    tn_query_add_int(&query, (int64_t)filter->status);
    tn_query_add_int(&query, filter->only_listed);
    tn_query_add_int(&query, (int64_t)filter->limit);
    int stopped = TN_OK;
    while (stopped == TN_OK && tn_query_next(&query)) {
        tn_tenant_row_t row = {0};
        stopped = tn_tenant_row_read(&row, &query, err);
        if (stopped == TN_OK) {
            stopped = call(&row, context);
        }
        tn_tenant_row_deinit(&row);
    }
    int code = tn_query_end(&query);
    return code != TN_OK ? code : stopped;
}

int tn_tenant_count(uint64_t *out, tn_tx_t *tx, tn_err_t *err)
{
    uint64_t count = 0;
    tn_query_t query = tn_query(tx, "SELECT count(*) FROM tenants", err);
    while (tn_query_next(&query)) {
        count = (uint64_t)tn_query_int(&query, 0);
    }
    int code = tn_query_end(&query);
    if (code == TN_OK) {
        *out = count;
    }
    return code;
}

int tn_tenant_former_slugs(tn_tx_t *tx, const char *id, tn_slug_fn call, void *context,
                           tn_err_t *err)
{
    tn_query_t query = tn_query(tx,
                                "SELECT slug FROM tenant_slugs"
                                " WHERE tenant_id = $1 AND held_until_ms > 0"
                                " ORDER BY held_until_ms, slug",
                                err);
    tn_query_add_text(&query, id);
    int stopped = 0;
    while (stopped == 0 && tn_query_next(&query)) {
        stopped = call(tn_query_text(&query, 0).data, context);
    }
    int code = tn_query_end(&query);
    return code != TN_OK ? code : stopped;
}

/* ---- for the other repositories ----------------------------------------------------------- */

int tn_tenant_check(tn_tx_t *tx, const char *id, tn_err_t *err)
{
    bool is_there = false;
    tn_query_t query = tn_query(tx, "SELECT id FROM tenants WHERE id = $1", err);
    tn_query_add_text(&query, id);
    while (tn_query_next(&query)) {
        is_there = true;
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && !is_there) {
        code = tn_err_set(err, TN_ENOTFOUND, "there is no tenant '%.80s'", id);
    }
    return code;
}

int tn_tenant_bump(tn_tx_t *tx, const char *id, bool redirects_to_primary, tn_err_t *err)
{
    tn_query_t query = tn_query(tx,
                                "UPDATE tenants SET redirects_to_primary = $1,"
                                " version = version + 1, updated_at_ms = $2 WHERE id = $3",
                                err);
    tn_query_add_int(&query, redirects_to_primary);
    tn_query_add_int(&query, tx->now_ms);
    tn_query_add_text(&query, id);
    return tn_query_run(&query);
}

/* ---- creating ----------------------------------------------------------------------------- */

static int insert(tn_tx_t *tx, const char *id, const tn_tenant_values_t *values, tn_err_t *err)
{
    tn_query_t query =
        tn_query(tx,
                 "INSERT INTO tenants (id, name, plan, upstream, settings, status, is_listed,"
                 " redirects_to_primary, version, created_at_ms, updated_at_ms)"
                 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)",
                 err);
    tn_query_add_text(&query, id);
    tn_query_add_text(&query, values->name);
    tn_query_add_text(&query, values->plan != NULL ? values->plan : default_plan);
    tn_query_add_text(&query, values->upstream != NULL ? values->upstream : "");
    tn_query_add_text(&query, values->settings != NULL ? values->settings : default_settings);
    tn_query_add_int(&query, values->status != NULL ? *values->status : TN_STATUS_ACTIVE);
    tn_query_add_int(&query, values->is_listed == NULL || *values->is_listed);
    tn_query_add_int(&query, values->redirects_to_primary != NULL && *values->redirects_to_primary);
    tn_query_add_int(&query, tx->now_ms);
    return tn_query_run(&query);
}

static int create(tn_tenant_row_t *row, tn_tx_t *tx, const tn_tenant_values_t *values,
                  tn_err_t *err)
{
    char id[TN_UUID_LENGTH + 1];
    tn_uuid_t uuid = tn_uuid_new();
    (void)tn_uuid_format(id, uuid.bytes);
    if (values->slug == NULL || values->name == NULL) {
        return tn_err_field(err, TN_EINVAL, values->slug == NULL ? "slug" : "name",
                            "must be given");
    }
    int code = tn_tenant_values_check(values, err);
    if (code == TN_OK) {
        code = insert(tx, id, values, err);
    }
    if (code == TN_OK) {
        code = tn_slug_assign(tx, id, values->slug, err);
    }
    if (code == TN_OK) {
        code = tn_change_add(tx, TN_CHANGE_TENANT, id, err);
    }
    if (code == TN_OK) {
        code = select_one(row, tx, select_by_id, id, err);
    }
    return code == TN_OK ? tn_tenant_audit_create(tx, row, err) : code;
}

/* Hands a row over on success only. */
static int finish(tn_tenant_row_t *out, tn_tenant_row_t *row, int code)
{
    if (code != TN_OK) {
        tn_tenant_row_deinit(row);
        return code;
    }
    *out = *row;
    return TN_OK;
}

int tn_tenant_create(tn_tenant_row_t *out, tn_tx_t *tx, const tn_tenant_values_t *values,
                     tn_err_t *err)
{
    tn_tenant_row_t row = {0};
    return finish(out, &row, tn_tx_result(tx, create(&row, tx, values, &tx->last), err));
}

/* ---- updating ----------------------------------------------------------------------------- */

static void choose_text(char *to, size_t size, const char *from, const char *otherwise)
{
    /* both fit: they were checked, or were in a row of this form */
    (void)snprintf(to, size, "%s", from != NULL ? from : otherwise);
}

/* The row as it would be with these values. Settings that mean the same stay as they are. */
static int apply(tn_tenant_row_t *out, const tn_tenant_row_t *row, const tn_tenant_values_t *values,
                 tn_err_t *err)
{
    const char *settings = row->settings;
    if (values->settings != NULL) {
        bool is_equal;
        int code = tn_tenant_settings_equal(&is_equal, row->settings, values->settings, err);
        if (code != TN_OK) {
            return code;
        }
        settings = is_equal ? settings : values->settings;
    }
    *out = *row;
    out->settings = tn_str_dup(tn_str(settings));
    if (out->settings == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a tenant");
    }
    choose_text(out->slug, sizeof(out->slug), values->slug, row->slug);
    choose_text(out->name, sizeof(out->name), values->name, row->name);
    choose_text(out->plan, sizeof(out->plan), values->plan, row->plan);
    choose_text(out->upstream, sizeof(out->upstream), values->upstream, row->upstream);
    out->status = values->status != NULL ? *values->status : row->status;
    out->is_listed = values->is_listed != NULL ? *values->is_listed : row->is_listed;
    out->redirects_to_primary = values->redirects_to_primary != NULL ? *values->redirects_to_primary
                                                                     : row->redirects_to_primary;
    return TN_OK;
}

static int write_row(tn_tx_t *tx, const tn_tenant_row_t *row, tn_err_t *err)
{
    tn_query_t query =
        tn_query(tx,
                 "UPDATE tenants SET name = $1, plan = $2, upstream = $3, settings = $4,"
                 " status = $5, is_listed = $6, redirects_to_primary = $7, version = $8,"
                 " updated_at_ms = $9 WHERE id = $10",
                 err);
    tn_query_add_text(&query, row->name);
    tn_query_add_text(&query, row->plan);
    tn_query_add_text(&query, row->upstream);
    tn_query_add_text(&query, row->settings);
    tn_query_add_int(&query, (int64_t)row->status);
    tn_query_add_int(&query, row->is_listed);
    tn_query_add_int(&query, row->redirects_to_primary);
    tn_query_add_int(&query, row->version);
    tn_query_add_int(&query, row->updated_at_ms);
    tn_query_add_text(&query, row->id);
    return tn_query_run(&query);
}

static int write_update(tn_tenant_row_t *after, tn_tx_t *tx, const tn_tenant_row_t *before,
                        tn_err_t *err)
{
    int code = TN_OK;
    if (strcmp(before->slug, after->slug) != 0) {
        code = tn_slug_replace(tx, before->id, after->slug, err);
    }
    after->version++;
    after->updated_at_ms = tx->now_ms;
    if (code == TN_OK) {
        code = write_row(tx, after, err);
    }
    if (code == TN_OK) {
        code = tn_change_add(tx, TN_CHANGE_TENANT, before->id, err);
    }
    return code == TN_OK ? tn_tenant_audit_update(tx, before, after, err) : code;
}

/* Whether the update may be made to this row at all. */
static int check_update(const tn_tenant_row_t *row, const tn_tenant_row_t *after,
                        const tn_tenant_values_t *values, int64_t expected_version, tn_err_t *err)
{
    if (expected_version != 0 && expected_version != row->version) {
        return tn_err_set(err, TN_EPRECONDITION, "the tenant is at version %lld, not %lld",
                          (long long)row->version, (long long)expected_version);
    }
    bool is_restored = values->status != NULL && *values->status == TN_STATUS_ACTIVE;
    if (row->status == TN_STATUS_ARCHIVED && !is_restored && !tn_tenant_rows_agree(row, after)) {
        return tn_err_field(err, TN_ECONFLICT, "status",
                            "tenant '%s' is archived and can only be restored", row->slug);
    }
    return TN_OK;
}

static int update(tn_tenant_row_t *after, tn_tx_t *tx, const char *id,
                  const tn_tenant_values_t *values, int64_t expected_version, tn_err_t *err)
{
    tn_tenant_row_t row = {0};
    int code = tn_tenant_values_check(values, err);
    if (code == TN_OK && values->slug != NULL && strlen(values->slug) > TN_SLUG_MAX) {
        code = tn_err_field(err, TN_EINVAL, "slug", "must be at most %d bytes", TN_SLUG_MAX);
    }
    if (code == TN_OK) {
        code = select_one(&row, tx, select_by_id, id, err);
    }
    if (code == TN_OK) {
        code = apply(after, &row, values, err);
    }
    if (code == TN_OK) {
        code = check_update(&row, after, values, expected_version, err);
    }
    if (code == TN_OK && !tn_tenant_rows_agree(&row, after)) {
        code = write_update(after, tx, &row, err);
    }
    tn_tenant_row_deinit(&row);
    return code;
}

int tn_tenant_update(tn_tenant_row_t *out, tn_tx_t *tx, const char *id,
                     const tn_tenant_values_t *values, int64_t expected_version, tn_err_t *err)
{
    tn_tenant_row_t row = {0};
    int code = update(&row, tx, id, values, expected_version, &tx->last);
    return finish(out, &row, tn_tx_result(tx, code, err));
}
