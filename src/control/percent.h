/*
 * Percent-encoding (RFC 3986 section 2.1) of what a client put into a path or a query.
 */
#pragma once

#include "base/buf.h"

/*
 * Decodes text into out (terminated). TN_EINVAL, with `name` as the field: a '%' without two
 * hexadecimal digits, a control byte (%00 among them), invalid UTF-8, or, when it is a part of a
 * path, an encoded '/'. TN_ETOOBIG when it does not fit.
 */
TN_CHECK int tn_percent_decode(char *out, size_t size_bytes, tn_str_t text, bool is_path,
                               const char *name, tn_err_t *err);

/* Appends text with everything but letters, digits and "-._~" encoded. */
void tn_percent_encode(tn_buf_t *out, tn_str_t text);
