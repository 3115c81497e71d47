/*
 * Reading a tenant's row, for the files that select it.
 */
#pragma once

#include "store/query.h"
#include "store/tenant.h"

/*
 * Reads the present row of a query into a zeroed row. Its columns are: id, slug, name, plan,
 * upstream, primary host, status, is_listed, redirects_to_primary, version, created_at_ms,
 * updated_at_ms, settings.
 */
TN_CHECK int tn_tenant_row_read(tn_tenant_row_t *row, tn_query_t *query, tn_err_t *err);
