/*
 * Typed host names; see name.h.
 */
#include "control/name.h"

#include "base/err.h"
#include "base/str.h"

#include <idn2.h>
#include <stdlib.h>

/* White space at both ends, as it comes along with copying. */
static tn_str_t trim(tn_str_t text)
{
    static const char blanks[] = " \t\r\n\v\f";
    while (text.length > 0 && strchr(blanks, text.data[0]) != NULL) {
        text = (tn_str_t){text.data + 1, text.length - 1};
    }
    while (text.length > 0 && strchr(blanks, text.data[text.length - 1]) != NULL) {
        text.length--;
    }
    return text;
}

static bool contains(tn_str_t text, const char *bytes)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] != '\0' && strchr(bytes, text.data[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static int check_shape(tn_str_t typed, const char *field, tn_err_t *err)
{
    if (typed.length == 0) {
        return tn_err_field(err, TN_EHOST, field, "must not be empty");
    }
    if (typed.length > 4 * TN_HOST_MAX) {
        return tn_err_field(err, TN_EHOST, field, "longer than a host name can be");
    }
    if (contains(typed, "[]")) {
        return tn_err_field(err, TN_EHOST, field, "must be a name, not an IP address");
    }
    if (contains(typed, "/:@?#")) {
        return tn_err_field(err, TN_EHOST, field,
                            "must be a host name alone, without scheme, port or path");
    }
    if (contains(typed, "*")) {
        return tn_err_field(err, TN_EHOST, field, "must be one host name: no wildcards");
    }
    return TN_OK;
}

static int parse(tn_host_t *out, const char *ascii, const char *field, tn_err_t *err)
{
    tn_host_t host;
    if (tn_host_parse(&host, ascii, strlen(ascii)) != TN_OK) {
        return tn_err_field(err, TN_EHOST, field,
                            "not a host name: labels of 1 to 63 letters, digits and hyphens, %d "
                            "characters in all",
                            TN_HOST_MAX);
    }
    if (host.is_ip) {
        return tn_err_field(err, TN_EHOST, field, "must be a name, not an IP address");
    }
    *out = host;
    return TN_OK;
}

int tn_name_to_host(tn_host_t *out, const char *text, const char *field, tn_err_t *err)
{
    tn_str_t typed = trim(tn_str(text));
    int code = check_shape(typed, field, err);
    if (code != TN_OK) {
        return code;
    }
    char *copy = tn_str_dup(typed);
    if (copy == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a host name");
    }
    char *ascii = NULL;
    /* without IDN2_USE_STD3_ASCII_RULES, which drops what it does not allow instead of refusing it:
     * "a_b" would be somebody else's "ab"; parse refuses what is left in */
    int fault = idn2_to_ascii_8z(copy, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (fault == IDN2_OK) {
        code = parse(out, ascii, field, err);
    } else if (fault == IDN2_MALLOC) {
        code = tn_err_set(err, TN_ENOMEM, "no memory for a host name");
    } else {
        code = tn_err_field(err, TN_EHOST, field, "not a host name: %s", idn2_strerror(fault));
    }
    idn2_free(ascii);
    free(copy);
    return code;
}
