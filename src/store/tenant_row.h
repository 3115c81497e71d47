/*
 * A tenant's columns, for the files that select them.
 */
#pragma once

#include "store/query.h"
#include "store/tenant.h"

/* Of tables aliased t (tenants), s (its present slug) and d (its primary domain). */
#define TN_TENANT_COLUMNS                                                                          \
    "t.id, s.slug, t.name, t.plan, t.upstream, d.host, t.status, t.is_listed,"                     \
    " t.redirects_to_primary, t.version, t.created_at_ms, t.updated_at_ms, t.settings"

/* Reads those columns from the present row of a query into a zeroed row. */
TN_CHECK int tn_tenant_row_read(tn_tenant_row_t *row, tn_query_t *query, tn_err_t *err);
