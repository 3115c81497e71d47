/*
 * How rows look on the wire: JSON objects in camelCase, times as RFC 3339.
 */
#pragma once

#include "conf/conf.h"
#include "store/audit.h"
#include "store/domain.h"
#include "store/flag.h"
#include "store/tenant.h"

#include <jansson.h>

/* New references, for the caller; NULL when there is no memory (or, for a tenant and an audit
 * entry, when the database holds JSON that is none). */
json_t *tn_represent_tenant(const tn_tenant_row_t *row, const tn_conf_t *conf);
json_t *tn_represent_domain(const tn_domain_row_t *row, const char *slug);
json_t *tn_represent_flag(const tn_flag_row_t *row);
json_t *tn_represent_audit(uint64_t id, const tn_audit_entry_t *entry);

/* UUID text of 16 bytes; null when all of them are 0. */
json_t *tn_represent_id(const uint8_t bytes[16]);
