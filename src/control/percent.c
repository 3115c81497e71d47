/*
 * Percent-encoding; see percent.h.
 */
#include "control/percent.h"

#include "base/err.h"
#include "base/str.h"

static int hex_value(char c)
{
    char lower = tn_ascii_lower(c);
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that the three characters at `at` stand for, -1 when they are no escape. */
static int read_escape(const char *at, size_t left)
{
    int high = left > 2 ? hex_value(at[1]) : -1;
    int low = left > 2 ? hex_value(at[2]) : -1;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int tn_percent_decode(char *out, size_t size_bytes, tn_str_t text, bool is_path, const char *name,
                      tn_err_t *err)
{
    size_t used = 0;
    for (size_t i = 0; i < text.length; i++) {
        int byte = (unsigned char)text.data[i];
        if (byte == '%') {
            byte = read_escape(text.data + i, text.length - i);
            i += 2;
            if (byte < 0) {
                return tn_err_field(err, TN_EINVAL, name, "'%%' without two hexadecimal digits");
            }
            if (byte == '/' && is_path) {
                return tn_err_field(err, TN_EINVAL, name, "must not contain '/'");
            }
        }
        if (used + 1 >= size_bytes) {
            return tn_err_field(err, TN_ETOOBIG, name, "longer than %zu bytes", size_bytes - 1);
        }
        out[used++] = (char)byte;
    }
    out[used] = '\0';
    if (!tn_str_is_clean_utf8((tn_str_t){out, used})) {
        return tn_err_field(err, TN_EINVAL, name, "must be valid UTF-8 without control characters");
    }
    return TN_OK;
}

void tn_percent_encode(tn_buf_t *out, tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char lower = tn_ascii_lower((char)c);
        if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
            (c != '\0' && strchr("-._~", c) != NULL)) {
            tn_buf_add(out, text.data + i, 1);
        } else {
            tn_buf_add_format(out, "%%%02X", c);
        }
    }
}
