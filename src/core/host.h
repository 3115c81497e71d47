/*
 * Names: hosts (tn_host_parse is in include/tenantry.h), slugs, flag and setting keys. What is a
 * legal one, and nothing about whose it is.
 */
#pragma once

#include "tenantry.h"

/*
 * A slug is one DNS label: 1 to 63 of a-z, 0-9 and hyphen, no hyphen at either end, none at places
 * 3 and 4 together (those are A-labels and the like, RFC 5891 section 4.2.3.1). TN_EINVAL with the
 * field "slug" and a reason a person can act on.
 */
TN_CHECK int tn_slug_check(tn_str_t slug, tn_err_t *err);

/* Names that no tenant may have because the platform or the mail system needs them: www, api,
 * admin, mail, … (RFC 2142 and practice). */
bool tn_slug_is_reserved(tn_str_t slug);

/* A flag or setting key: 1 to 63 of a-z, A-Z, 0-9, '_', '-' and '.', beginning with a letter. */
bool tn_key_is_valid(tn_str_t key);
