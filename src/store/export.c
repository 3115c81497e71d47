/*
 * Tenants whole; see export.h.
 *
 * Tenants, domains, slugs and flags are each read in the order of the tenant's id, so that what
 * belongs to the tenant at hand is always at the front of each walk.
 */
#include "store/export.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/query.h"
#include "store/tenant_row.h"

#include <stdlib.h>

/* One walk: its present row, if it has one. */
typedef struct {
    tn_query_t query;
    bool has_row;
} walk_t;

/* A tenant being put together. Texts lie in `text` one behind the other, and get their addresses
 * when all are there, because it moves as it grows. */
typedef struct {
    tn_tx_t *tx;
    tn_err_t *err;
    walk_t tenants, hosts, slugs, flags;
    tn_tenant_row_t row;
    tn_buf_t text;
    tn_str_t hosts_of[TN_TENANT_HOSTS_MAX];
    tn_str_t slugs_of[TN_TENANT_FORMER_SLUGS_MAX];
    struct tn_tenant_spec_flag flags_of[TN_TENANT_FLAGS_MAX];
    tn_tenant_spec_t spec;
} export_t;

/* The statements of both uses. The tenant's id is the first column of each. */
typedef struct {
    const char *tenants, *hosts, *slugs, *flags;
} statements_t;

/* The present slug and the primary host come with the other walks: joins would cost more. */
#define TENANTS                                                                                    \
    "SELECT id, '', name, plan, upstream, '', status, is_listed, redirects_to_primary, version,"   \
    " created_at_ms, updated_at_ms, settings FROM tenants"
#define HOSTS "SELECT tenant_id, host, is_primary FROM domains"
#define SLUGS "SELECT tenant_id, slug, held_until_ms FROM tenant_slugs"
#define FLAGS "SELECT tenant_id, key, is_on FROM tenant_flags"

static const statements_t all_statements = {
    TENANTS " ORDER BY id",
    HOSTS " ORDER BY tenant_id, host",
    SLUGS " ORDER BY tenant_id, held_until_ms, slug",
    FLAGS " ORDER BY tenant_id, key",
};
static const statements_t one_statements = {
    TENANTS " WHERE id = $1",
    HOSTS " WHERE tenant_id = $1 ORDER BY host",
    SLUGS " WHERE tenant_id = $1 ORDER BY held_until_ms, slug",
    FLAGS " WHERE tenant_id = $1 ORDER BY key",
};

static void start_walk(walk_t *walk, export_t *export, const char *sql, const char *id)
{
    walk->query = tn_query(export->tx, sql, export->err);
    if (id != NULL) {
        tn_query_add_text(&walk->query, id);
    }
    walk->has_row = tn_query_next(&walk->query);
}

static int end_walk(walk_t *walk, int code)
{
    int own = tn_query_end(&walk->query);
    return code != TN_OK ? code : own;
}

/* Whether the walk's present row is about the tenant at hand. */
static bool is_at(walk_t *walk, const export_t *export)
{
    return walk->has_row && tn_str_equal(tn_query_text(&walk->query, 0), tn_str(export->row.id));
}

static void go_on(walk_t *walk)
{
    walk->has_row = tn_query_next(&walk->query);
}

/* Keeps the text in the second column; the address comes later. */
static tn_str_t keep_text(export_t *export, walk_t *walk)
{
    tn_str_t text = tn_query_text(&walk->query, 1);
    tn_buf_add_str(&export->text, text);
    return (tn_str_t){NULL, text.length};
}

static int too_many(const export_t *export, const char *what)
{
    return tn_err_set(export->err, TN_EDAMAGED, "tenant '%s' has more %s than it can have",
                      export->row.id, what);
}

static int collect_hosts(export_t *export)
{
    tn_tenant_spec_t *spec = &export->spec;
    size_t primary = SIZE_MAX;
    for (; is_at(&export->hosts, export); go_on(&export->hosts)) {
        if (spec->host_count == TN_TENANT_HOSTS_MAX) {
            return too_many(export, "domains");
        }
        if (tn_query_int(&export->hosts.query, 2) != 0) {
            primary = spec->host_count;
        }
        export->hosts_of[spec->host_count++] = keep_text(export, &export->hosts);
    }
    spec->primary_host = primary == SIZE_MAX ? spec->host_count : primary;
    return TN_OK;
}

static int collect_slugs(export_t *export)
{
    tn_tenant_spec_t *spec = &export->spec;
    int code = TN_ENOTFOUND;
    for (; is_at(&export->slugs, export); go_on(&export->slugs)) {
        bool is_present = tn_query_int(&export->slugs.query, 2) == 0;
        if (is_present) {
            code = tn_str_copy(export->row.slug, sizeof(export->row.slug),
                               tn_query_text(&export->slugs.query, 1));
            continue;
        }
        if (spec->former_slug_count == TN_TENANT_FORMER_SLUGS_MAX) {
            return too_many(export, "former slugs");
        }
        export->slugs_of[spec->former_slug_count++] = keep_text(export, &export->slugs);
    }
    if (code != TN_OK) {
        return tn_err_set(export->err, TN_EDAMAGED, "tenant '%s' has no valid slug",
                          export->row.id);
    }
    spec->slug = tn_str(export->row.slug);
    return TN_OK;
}

static int collect_flags(export_t *export)
{
    tn_tenant_spec_t *spec = &export->spec;
    for (; is_at(&export->flags, export); go_on(&export->flags)) {
        if (spec->flag_count == TN_TENANT_FLAGS_MAX) {
            return too_many(export, "flags");
        }
        export->flags_of[spec->flag_count++] = (struct tn_tenant_spec_flag){
            .key = keep_text(export, &export->flags),
            .is_on = tn_query_int(&export->flags.query, 2) != 0,
        };
    }
    return TN_OK;
}

/* Gives every text its address, in the order in which they were kept. */
static void address_texts(export_t *export)
{
    const char *at = export->text.data;
    for (size_t i = 0; i < export->spec.host_count; i++) {
        export->hosts_of[i].data = at;
        at += export->hosts_of[i].length;
    }
    for (size_t i = 0; i < export->spec.former_slug_count; i++) {
        export->slugs_of[i].data = at;
        at += export->slugs_of[i].length;
    }
    for (size_t i = 0; i < export->spec.flag_count; i++) {
        export->flags_of[i].key.data = at;
        at += export->flags_of[i].key.length;
    }
}

static int start_tenant(export_t *export)
{
    tn_uuid_t id = {{0}};
    tn_tenant_row_deinit(&export->row);
    export->text.length = 0;
    int code = tn_tenant_row_read(&export->row, &export->tenants.query, export->err);
    if (code == TN_OK && tn_uuid_parse(&id, tn_str(export->row.id)) != TN_OK) {
        code = tn_err_set(export->err, TN_EDAMAGED, "a tenant's id is no UUID");
    }
    const tn_tenant_row_t *row = &export->row;
    export->spec = (tn_tenant_spec_t){
        .name = tn_str(row->name),
        .plan = tn_str(row->plan),
        .upstream = tn_str(row->upstream),
        .status = row->status,
        .is_listed = row->is_listed,
        .redirects_to_primary = row->redirects_to_primary,
        .hosts = export->hosts_of,
        .former_slugs = export->slugs_of,
        .flags = export->flags_of,
    };
    memcpy(export->spec.id, id.bytes, sizeof(id.bytes));
    return code;
}

static int take_tenant(export_t *export)
{
    int code = start_tenant(export);
    if (code == TN_OK) {
        code = collect_hosts(export);
    }
    if (code == TN_OK) {
        code = collect_slugs(export);
    }
    if (code == TN_OK) {
        code = collect_flags(export);
    }
    if (code == TN_OK && tn_buf_failed(&export->text)) {
        code = tn_err_set(export->err, TN_ENOMEM, "no memory for a tenant");
    }
    if (code == TN_OK) {
        address_texts(export);
    }
    return code;
}

/* With an id: that one; *count is how many there were. */
static int run(uint64_t *count, export_t *export, const statements_t *statements, const char *id,
               tn_export_fn call, void *context)
{
    int code = TN_OK;
    start_walk(&export->tenants, export, statements->tenants, id);
    start_walk(&export->hosts, export, statements->hosts, id);
    start_walk(&export->slugs, export, statements->slugs, id);
    start_walk(&export->flags, export, statements->flags, id);
    for (; code == TN_OK && export->tenants.has_row; go_on(&export->tenants)) {
        code = take_tenant(export);
        /* a walk that broke off must not pass for one that has ended */
        if (code == TN_OK) {
            code = export->tx->first.code;
        }
        if (code == TN_OK) {
            code = call(&export->spec, export->row.settings, context);
            ++*count;
        }
    }
    code = end_walk(&export->tenants, code);
    code = end_walk(&export->hosts, code);
    code = end_walk(&export->slugs, code);
    code = end_walk(&export->flags, code);
    tn_tenant_row_deinit(&export->row);
    tn_buf_deinit(&export->text);
    return code;
}

static int export_with(tn_tx_t *tx, const statements_t *statements, const char *id,
                       tn_export_fn call, void *context, tn_err_t *err)
{
    uint64_t count = 0;
    /* not zeroed: its arrays are large, and most tenants use little of them */
    export_t *export = malloc(sizeof(*export));
    if (export == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for tenants");
    }
    export->tx = tx;
    export->err = err;
    export->row = (tn_tenant_row_t){0};
    tn_buf_init(&export->text);
    int code = run(&count, export, statements, id, call, context);
    free(export);
    if (code == TN_OK && id != NULL && count == 0) {
        code = tn_err_set(err, TN_ENOTFOUND, "there is no tenant '%.80s'", id);
    }
    return code;
}

int tn_export_all(tn_tx_t *tx, tn_export_fn call, void *context, tn_err_t *err)
{
    return export_with(tx, &all_statements, NULL, call, context, err);
}

int tn_export_one(tn_tx_t *tx, const char *id, tn_export_fn call, void *context, tn_err_t *err)
{
    return export_with(tx, &one_statements, id, call, context, err);
}
