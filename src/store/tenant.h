/*
 * Tenants in the database of record. Every write leaves an audit entry and, as the edge must know
 * of it, a change-log entry in the same transaction.
 */
#pragma once

#include "store/store.h"

#define TN_NAME_MAX     200 /* bytes of a tenant's name */
#define TN_PLAN_MAX     63
#define TN_UPSTREAM_MAX 255
#define TN_SETTINGS_MAX 65536 /* bytes of a tenant's settings as JSON */

typedef struct {
    char id[TN_UUID_LENGTH + 1];
    char slug[TN_SLUG_MAX + 1];
    char name[TN_NAME_MAX + 1];
    char plan[TN_PLAN_MAX + 1];
    char upstream[TN_UPSTREAM_MAX + 1]; /* "" for the operator's default */
    char primary_host[TN_HOST_MAX + 1]; /* "" when it has none */
    char *settings;                     /* a JSON object, owned by the row */
    tn_tenant_status_t status;
    bool is_listed;
    bool redirects_to_primary;
    int64_t version; /* 1, 2, 3, …: the ETag */
    int64_t created_at_ms;
    int64_t updated_at_ms;
} tn_tenant_row_t;

/* Frees what a row owns; takes a zeroed one too. */
void tn_tenant_row_deinit(tn_tenant_row_t *row);

/*
 * What to set; NULL leaves a value as it is (in create: the default). Strings are terminated. The
 * name is clean UTF-8, the plan of the form of a key (core/host.h), the upstream HOST:PORT,
 * unix:/PATH or "". By default the plan is "standard", the settings are {}, and the tenant is
 * active and listed.
 */
typedef struct {
    const char *slug; /* must be given to create; in update: a rename, the old one redirects */
    const char *name; /* must be given to create */
    const char *plan;
    const char *upstream;
    const char *settings; /* a whole JSON object */
    const tn_tenant_status_t *status;
    const bool *is_listed;
    const bool *redirects_to_primary;
} tn_tenant_values_t;

/*
 * TN_EINVAL with the field for values that are not of their form (TN_ETOOBIG for settings that are
 * too long); TN_ECONFLICT with field "slug" for one that is taken, reserved, or held back after a
 * rename (90 days, except for the tenant that had it). After that time it is taken away from the
 * tenant that had it, whose audit chain gets an entry tenant.release.
 */
TN_CHECK int tn_tenant_create(tn_tenant_row_t *out, tn_tx_t *tx, const tn_tenant_values_t *values,
                              tn_err_t *err);

/*
 * expected_version 0: any; else TN_EPRECONDITION when it is not the current one. An update that
 * changes nothing writes nothing. The audit entries are named tenant.rename, tenant.suspend,
 * tenant.resume, tenant.maintenance, tenant.archive, tenant.restore for status and slug,
 * tenant.update for the rest. An archived tenant can only be restored (TN_ECONFLICT otherwise).
 */
TN_CHECK int tn_tenant_update(tn_tenant_row_t *out, tn_tx_t *tx, const char *id,
                              const tn_tenant_values_t *values, int64_t expected_version,
                              tn_err_t *err);

/* By id (UUID text) or present slug. TN_ENOTFOUND. */
TN_CHECK int tn_tenant_find(tn_tenant_row_t *out, tn_tx_t *tx, const char *reference,
                            tn_err_t *err);

typedef struct {
    const char *after_slug;    /* the cursor: the last slug of the page before, or NULL */
    size_t limit;              /* 1 to 1000 */
    tn_tenant_status_t status; /* 0: any */
    bool only_listed;
} tn_tenant_filter_t;

/* In slug order; the row is borrowed for the call. Stops when call returns non-zero, and returns
 * that. */
typedef int (*tn_tenant_row_fn)(const tn_tenant_row_t *row, void *context);
TN_CHECK int tn_tenant_list(tn_tx_t *tx, const tn_tenant_filter_t *filter, tn_tenant_row_fn call,
                            void *context, tn_err_t *err);

/* All of them, for statistics and for sizing a directory. */
TN_CHECK int tn_tenant_count(uint64_t *out, tn_tx_t *tx, tn_err_t *err);

/* The slugs it had before and that still lead to it, the oldest first. */
typedef int (*tn_slug_fn)(const char *slug, void *context);
TN_CHECK int tn_tenant_former_slugs(tn_tx_t *tx, const char *id, tn_slug_fn call, void *context,
                                    tn_err_t *err);
