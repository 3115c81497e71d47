/*
 * What the values of a tenant must look like, before anything of them is written.
 */
#pragma once

#include "store/tenant.h"

/*
 * TN_EINVAL (settings too long: TN_ETOOBIG) with the field that is at fault. Values that are not
 * given are not looked at; the slug is checked where it is claimed (slug.h).
 */
TN_CHECK int tn_tenant_values_check(const tn_tenant_values_t *values, tn_err_t *err);
