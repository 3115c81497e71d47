/*
 * The audit entries of a tenant's creation and updates; see tenant_diff.h. Settings are shown
 * whole, their secrets masked; of everything else only what changed.
 */
#include "store/tenant_diff.h"

#include "base/err.h"
#include "base/str.h"
#include "store/audit_append.h"
#include "store/settings.h"

#include <stddef.h>

static int no_memory(tn_err_t *err)
{
    return tn_err_set(err, TN_ENOMEM, "no memory for an audit entry");
}

static int append(tn_tx_t *tx, const tn_tenant_row_t *row, const char *action, const json_t *before,
                  const json_t *after, tn_err_t *err)
{
    return tn_audit_append(tx,
                           &(tn_audit_event_t){.chain = row->id,
                                               .action = action,
                                               .target = row->slug,
                                               .before = before,
                                               .after = after},
                           err);
}

/* NULL when the text is none (which the database was never given) or there is no memory. */
static json_t *masked_settings(const char *text)
{
    json_t *settings;
    if (tn_settings_parse(&settings, text, NULL) != TN_OK) {
        return NULL;
    }
    json_t *masked = tn_settings_masked(settings);
    json_decref(settings);
    return masked;
}

int tn_tenant_settings_equal(bool *out, const char *a, const char *b, tn_err_t *err)
{
    json_t *first = NULL, *second = NULL;
    int code = tn_settings_parse(&first, a, err);
    if (code == TN_OK) {
        code = tn_settings_parse(&second, b, err);
    }
    if (code == TN_OK) {
        *out = json_equal(first, second) == 1;
    }
    json_decref(first);
    json_decref(second);
    return code;
}

/* ---- the fields --------------------------------------------------------------------------- */

/* What tenant.update is about: everything of a row but slug and status. */
static const struct {
    const char *key;
    enum { TEXT, TRUTH, SETTINGS } form;
    size_t offset; /* in tn_tenant_row_t */
} fields[] = {
    {"name", TEXT, offsetof(tn_tenant_row_t, name)},
    {"plan", TEXT, offsetof(tn_tenant_row_t, plan)},
    {"listed", TRUTH, offsetof(tn_tenant_row_t, is_listed)},
    {"upstream", TEXT, offsetof(tn_tenant_row_t, upstream)},
    {"redirectToPrimary", TRUTH, offsetof(tn_tenant_row_t, redirects_to_primary)},
    {"settings", SETTINGS, offsetof(tn_tenant_row_t, settings)},
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static bool truth_at(const tn_tenant_row_t *row, size_t field)
{
    return *(const bool *)((const char *)row + fields[field].offset);
}

static const char *text_at(const tn_tenant_row_t *row, size_t field)
{
    return fields[field].form == SETTINGS ? row->settings
                                          : (const char *)row + fields[field].offset;
}

static json_t *show(const tn_tenant_row_t *row, size_t field)
{
    switch (fields[field].form) {
    case TEXT:
        return json_string(text_at(row, field));
    case TRUTH:
        return json_boolean(truth_at(row, field));
    case SETTINGS:
        break;
    }
    return masked_settings(row->settings);
}

static bool is_same(const tn_tenant_row_t *a, const tn_tenant_row_t *b, size_t field)
{
    if (fields[field].form == TRUTH) {
        return truth_at(a, field) == truth_at(b, field);
    }
    return strcmp(text_at(a, field), text_at(b, field)) == 0;
}

bool tn_tenant_rows_agree(const tn_tenant_row_t *a, const tn_tenant_row_t *b)
{
    bool agree = strcmp(a->slug, b->slug) == 0 && a->status == b->status;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        agree = agree && is_same(a, b, i);
    }
    return agree;
}

/* Adds the fields of `row` to an object: all of them, or those in which `other` differs. */
static int add_fields(json_t *object, const tn_tenant_row_t *row, const tn_tenant_row_t *other,
                      tn_err_t *err)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (other != NULL && is_same(row, other, i)) {
            continue;
        }
        if (json_object_set_new(object, fields[i].key, show(row, i)) != 0) {
            return no_memory(err);
        }
    }
    return TN_OK;
}

/* ---- the entries -------------------------------------------------------------------------- */

int tn_tenant_audit_create(tn_tx_t *tx, const tn_tenant_row_t *row, tn_err_t *err)
{
    json_t *after =
        json_pack("{s:s, s:s}", "slug", row->slug, "status", tn_tenant_status_name(row->status));
    int code = after == NULL ? no_memory(err) : add_fields(after, row, NULL, err);
    if (code == TN_OK) {
        code = append(tx, row, "tenant.create", NULL, after, err);
    }
    json_decref(after);
    return code;
}

/* An entry about one field that is a text. */
static int audit_text(tn_tx_t *tx, const tn_tenant_row_t *row, const char *action, const char *key,
                      const char *from, const char *to, tn_err_t *err)
{
    json_t *before = json_pack("{s:s}", key, from);
    json_t *after = json_pack("{s:s}", key, to);
    int code = before == NULL || after == NULL ? no_memory(err)
                                               : append(tx, row, action, before, after, err);
    json_decref(before);
    json_decref(after);
    return code;
}

static const char *status_action(tn_tenant_status_t from, tn_tenant_status_t to)
{
    switch (to) {
    case TN_STATUS_MAINTENANCE:
        return "tenant.maintenance";
    case TN_STATUS_SUSPENDED:
        return "tenant.suspend";
    case TN_STATUS_ARCHIVED:
        return "tenant.archive";
    case TN_STATUS_ACTIVE:
        break;
    }
    return from == TN_STATUS_ARCHIVED ? "tenant.restore" : "tenant.resume";
}

static int audit_fields(tn_tx_t *tx, const tn_tenant_row_t *before, const tn_tenant_row_t *after,
                        tn_err_t *err)
{
    json_t *old_values = json_object(), *new_values = json_object();
    int code = old_values == NULL || new_values == NULL ? no_memory(err) : TN_OK;
    if (code == TN_OK) {
        code = add_fields(old_values, before, after, err);
    }
    if (code == TN_OK) {
        code = add_fields(new_values, after, before, err);
    }
    if (code == TN_OK && json_object_size(new_values) > 0) {
        code = append(tx, after, "tenant.update", old_values, new_values, err);
    }
    json_decref(old_values);
    json_decref(new_values);
    return code;
}

int tn_tenant_audit_update(tn_tx_t *tx, const tn_tenant_row_t *before, const tn_tenant_row_t *after,
                           tn_err_t *err)
{
    int code = TN_OK;
    if (strcmp(before->slug, after->slug) != 0) {
        code = audit_text(tx, before, "tenant.rename", "slug", before->slug, after->slug, err);
    }
    if (code == TN_OK && before->status != after->status) {
        code = audit_text(tx, after, status_action(before->status, after->status), "status",
                          tn_tenant_status_name(before->status),
                          tn_tenant_status_name(after->status), err);
    }
    return code == TN_OK ? audit_fields(tx, before, after, err) : code;
}
