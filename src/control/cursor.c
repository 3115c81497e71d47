/*
 * Cursors; see cursor.h.
 */
#include "control/cursor.h"

#include "base/err.h"
#include "base/str.h"

#include <sodium.h>
#include <stdio.h>

enum { KEY_MAX = 300 }; /* a host of 253 bytes is the longest key of any list */

void tn_cursor_write(char *text, char kind, const char *key)
{
    char plain[KEY_MAX];
    int length = snprintf(plain, sizeof(plain), "%c%s", kind, key);
    (void)sodium_bin2base64(text, TN_CURSOR_TEXT_MAX, (const unsigned char *)plain, (size_t)length,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int tn_cursor_read(char *key, size_t size_bytes, char kind, tn_str_t text, tn_err_t *err)
{
    char plain[KEY_MAX];
    size_t length = 0;
    int failed = sodium_base642bin((unsigned char *)plain, sizeof(plain), text.data, text.length,
                                   NULL, &length, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    tn_str_t rest = {plain + 1, length == 0 ? 0 : length - 1};
    if (failed != 0 || length < 2 || plain[0] != kind || !tn_str_is_clean_utf8(rest) ||
        tn_str_copy(key, size_bytes, rest) != TN_OK) {
        return tn_err_field(err, TN_EINVAL, "cursor",
                            "not a cursor of this list: take nextCursor as it was given");
    }
    return TN_OK;
}
