/*
 * A tenant's settings as a value: what a legal object is, and what of it may be shown in the audit
 * trail.
 */
#pragma once

#include "tenantry.h"

#include <jansson.h>

#define TN_SETTINGS_DEPTH_MAX 8 /* nested objects and arrays, the outermost counted */

/*
 * Reads settings. TN_EINVAL, field "settings": not a JSON object, a key twice, too deep; TN_ETOOBIG
 * when longer than TN_SETTINGS_MAX. The caller decref's *out.
 */
TN_CHECK int tn_settings_parse(json_t **out, const char *text, tn_err_t *err);

/*
 * A copy in which the value of every key that looks like a secret's name (it contains password,
 * secret, token or key, in any case, at any depth) is "***". NULL when there is no memory. The
 * caller decref's it.
 */
json_t *tn_settings_masked(const json_t *settings);
