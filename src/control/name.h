/*
 * Host names as people type them: trimmed, and internationalised ones converted to A-labels
 * (IDNA 2008, RFC 5891, with the mapping of UTS #46, non-transitional).
 */
#pragma once

#include "tenantry.h"

/*
 * TN_EHOST with `field` as the field, and a reason that a person can act on: a URL, a port, an
 * address, a character that no name has.
 */
TN_CHECK int tn_name_to_host(tn_host_t *out, const char *text, const char *field, tn_err_t *err);
