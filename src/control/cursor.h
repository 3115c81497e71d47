/*
 * Cursors: where a page of a list ended, as a text that clients hand back and need not understand
 * (base64url of a letter for the kind of list, and the last key).
 */
#pragma once

#include "tenantry.h"

#define TN_CURSOR_TEXT_MAX 512 /* bytes of a cursor's text, with its terminator */

/* kind tells one list's cursors from another's. text has room for TN_CURSOR_TEXT_MAX bytes. */
void tn_cursor_write(char *text, char kind, const char *key);

/* TN_EINVAL with the field "cursor" for anything that tn_cursor_write did not make for this kind.
 */
TN_CHECK int tn_cursor_read(char *key, size_t size_bytes, char kind, tn_str_t text, tn_err_t *err);
