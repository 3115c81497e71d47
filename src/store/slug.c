/*
 * Slugs, present and former; see slug.h. One table holds both, with the slug as its key, so that
 * the engine itself sees to it that none leads to two tenants.
 */
#include "store/slug.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "core/directory_writer.h"
#include "core/host.h"
#include "store/audit_append.h"
#include "store/change_append.h"
#include "store/query.h"

/* Who has a slug. */
typedef struct {
    bool is_known;
    char tenant_id[TN_UUID_LENGTH + 1];
    int64_t held_until_ms; /* 0: it is the tenant's present slug */
} owner_t;

static int find_owner(owner_t *out, tn_tx_t *tx, const char *slug, tn_err_t *err)
{
    int copied = TN_OK;
    *out = (owner_t){0};
    tn_query_t query =
        tn_query(tx, "SELECT tenant_id, held_until_ms FROM tenant_slugs WHERE slug = $1", err);
    tn_query_add_text(&query, slug);
    while (tn_query_next(&query)) {
        out->is_known = true;
        copied = tn_str_copy(out->tenant_id, sizeof(out->tenant_id), tn_query_text(&query, 0));
        out->held_until_ms = tn_query_int(&query, 1);
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && copied != TN_OK) {
        code = tn_err_set(err, TN_EDAMAGED, "the tenant of slug '%s' has no valid id", slug);
    }
    return code;
}

/* A former slug leads to its tenant no more. */
static int release(tn_tx_t *tx, const char *tenant_id, const char *slug, tn_err_t *err)
{
    tn_query_t query = tn_query(tx, "DELETE FROM tenant_slugs WHERE slug = $1", err);
    tn_query_add_text(&query, slug);
    int code = tn_query_run(&query);
    if (code == TN_OK) {
        code = tn_change_add(tx, TN_CHANGE_TENANT, tenant_id, err);
    }
    if (code != TN_OK) {
        return code;
    }
    json_t *before = json_pack("{s:s}", "formerSlug", slug);
    if (before == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for an audit entry");
    }
    code = tn_audit_append(
        tx,
        &(tn_audit_event_t){
            .chain = tenant_id, .action = "tenant.release", .target = slug, .before = before},
        err);
    json_decref(before);
    return code;
}

static int check_form(const char *slug, tn_err_t *err)
{
    tn_uuid_t id;
    int code = tn_slug_check(tn_str(slug), err);
    if (code != TN_OK) {
        return code;
    }
    if (tn_uuid_parse(&id, tn_str(slug)) == TN_OK) {
        /* tenants are referred to by slug or id, and these must not be mixed up */
        return tn_err_field(err, TN_EINVAL, "slug", "must not have the form of an id");
    }
    if (tn_slug_is_reserved(tn_str(slug))) {
        return tn_err_field(err, TN_ECONFLICT, "slug", "slug '%s' is reserved", slug);
    }
    return TN_OK;
}

/* Sees to it that the slug is nobody's, or this tenant's own former one (which is then removed). */
static int clear(tn_tx_t *tx, const char *tenant_id, const char *slug, tn_err_t *err)
{
    owner_t owner;
    int code = check_form(slug, err);
    if (code == TN_OK) {
        code = find_owner(&owner, tx, slug, err);
    }
    if (code != TN_OK || !owner.is_known) {
        return code;
    }
    if (owner.held_until_ms != 0 && strcmp(owner.tenant_id, tenant_id) == 0) {
        tn_query_t query = tn_query(tx, "DELETE FROM tenant_slugs WHERE slug = $1", err);
        tn_query_add_text(&query, slug);
        return tn_query_run(&query);
    }
    if (owner.held_until_ms == 0) {
        return tn_err_field(err, TN_ECONFLICT, "slug", "slug '%s' is taken", slug);
    }
    if (owner.held_until_ms > tx->now_ms) {
        char until[TN_TIME_TEXT_SIZE];
        return tn_err_field(err, TN_ECONFLICT, "slug",
                            "slug '%s' was another tenant's and is held back until %s", slug,
                            tn_clock_format(until, owner.held_until_ms));
    }
    return release(tx, owner.tenant_id, slug, err);
}

static int insert(tn_tx_t *tx, const char *tenant_id, const char *slug, tn_err_t *err)
{
    tn_query_t query = tn_query(
        tx, "INSERT INTO tenant_slugs (slug, tenant_id, held_until_ms) VALUES ($1, $2, 0)", err);
    tn_query_add_text(&query, slug);
    tn_query_add_text(&query, tenant_id);
    return tn_query_run(&query);
}

int tn_slug_assign(tn_tx_t *tx, const char *tenant_id, const char *slug, tn_err_t *err)
{
    int code = clear(tx, tenant_id, slug, err);
    return code == TN_OK ? insert(tx, tenant_id, slug, err) : code;
}

/* Renames add one at a time, so there is at most one too many. */
static int drop_oldest(tn_tx_t *tx, const char *tenant_id, tn_err_t *err)
{
    char oldest[TN_SLUG_MAX + 1] = "";
    int copied = TN_OK;
    tn_query_t query = tn_query(tx,
                                "SELECT slug FROM tenant_slugs"
                                " WHERE tenant_id = $1 AND held_until_ms > 0"
                                " ORDER BY held_until_ms DESC, slug DESC LIMIT 1 OFFSET $2",
                                err);
    tn_query_add_text(&query, tenant_id);
    tn_query_add_int(&query, TN_TENANT_FORMER_SLUGS_MAX);
    while (tn_query_next(&query)) {
        copied = tn_str_copy(oldest, sizeof(oldest), tn_query_text(&query, 0));
    }
    int code = tn_query_end(&query);
    if (code == TN_OK && copied != TN_OK) {
        code = tn_err_set(err, TN_EDAMAGED, "a former slug of tenant '%s' is too long", tenant_id);
    }
    if (code != TN_OK || oldest[0] == '\0') {
        return code;
    }
    return release(tx, tenant_id, oldest, err);
}

int tn_slug_replace(tn_tx_t *tx, const char *tenant_id, const char *slug, tn_err_t *err)
{
    int code = clear(tx, tenant_id, slug, err);
    if (code != TN_OK) {
        return code;
    }
    tn_query_t query = tn_query(tx,
                                "UPDATE tenant_slugs SET held_until_ms = $1"
                                " WHERE tenant_id = $2 AND held_until_ms = 0",
                                err);
    tn_query_add_int(&query, tx->now_ms + TN_SLUG_HOLD_MS);
    tn_query_add_text(&query, tenant_id);
    code = tn_query_run(&query);
    if (code == TN_OK) {
        code = insert(tx, tenant_id, slug, err);
    }
    return code == TN_OK ? drop_oldest(tx, tenant_id, err) : code;
}
