/*
 * The operator's token: one line in a file that only its owner may read, made at the first start.
 * It is kept outside the database, so that it works when the database is gone.
 */
#pragma once

#include "tenantry.h"

#define TN_OPERATOR_TOKEN_LENGTH 47 /* "tno_" and 43 base64url characters: 256 bits */

/* The token as a hash: the text itself is not kept in memory. */
typedef struct {
    unsigned char hash[32];
} tn_operator_t;

/*
 * Reads the token at path, or makes one there with mode 0600 when there is no file (*is_new tells).
 * TN_EINVAL: the file does not hold a token. TN_EPERM: others may read or write it.
 */
TN_CHECK int tn_operator_load(tn_operator_t *out, bool *is_new, const char *path, tn_err_t *err);

/* Whether an Authorization header (RFC 6750, "Bearer TOKEN") carries it. The time taken tells
 * nothing of the token. */
bool tn_operator_check(const tn_operator_t *known, tn_str_t authorization);
