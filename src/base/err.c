/*
 * The one table of error texts, and the three ways of filling a tn_err_t.
 */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *text;
} error_texts[] = {
    {TN_OK, "success"},
    {TN_ENOMEM, "out of memory"},
    {TN_EINVAL, "invalid value"},
    {TN_EHOST, "not a host name"},
    {TN_ENOTFOUND, "not found"},
    {TN_EUNAVAILABLE, "unavailable"},
    {TN_EDAMAGED, "damaged"},
    {TN_EVERSION, "of a version that is not supported"},
    {TN_EFOREIGN, "belongs to another database, or is older than what is served"},
    {TN_ECONFLICT, "conflict"},
    {TN_EPRECONDITION, "changed in the meantime"},
    {TN_EAUTH, "authentication required"},
    {TN_EPERM, "not permitted"},
    {TN_ETOKEN, "invalid token"},
    {TN_EIO, "input or output error"},
    {TN_EFULL, "no space left"},
    {TN_ETOOBIG, "too large"},
    {TN_EBUSY, "busy"},
};

const char *tn_error_text(int code)
{
    for (size_t i = 0; i < sizeof(error_texts) / sizeof(error_texts[0]); i++) {
        if (error_texts[i].code == code) {
            return error_texts[i].text;
        }
    }
    return "unknown error";
}

__attribute__((format(printf, 4, 0))) static void fill(tn_err_t *err, int code, const char *field,
                                                       const char *format, va_list args)
{
    err->code = code;
    (void)snprintf(err->field, sizeof(err->field), "%s", field);
    (void)vsnprintf(err->detail, sizeof(err->detail), format, args);
}

int tn_err_set(tn_err_t *err, int code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        fill(err, code, "", format, args);
        va_end(args);
    }
    return code;
}

int tn_err_field(tn_err_t *err, int code, const char *field, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        fill(err, code, field, format, args);
        va_end(args);
    }
    return code;
}

int tn_err_errno(tn_err_t *err, int error_number, const char *format, ...)
{
    int code = TN_EIO;
    if (error_number == ENOSPC || error_number == EDQUOT) {
        code = TN_EFULL;
    } else if (error_number == ENOMEM) {
        code = TN_ENOMEM;
    }
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        fill(err, code, "", format, args);
        va_end(args);
        size_t used = strlen(err->detail);
        char reason[128];
        /* the GNU strerror_r may return a static string instead of filling the buffer */
        const char *text = strerror_r(error_number, reason, sizeof(reason));
        (void)snprintf(err->detail + used, sizeof(err->detail) - used, ": %s", text);
    }
    return code;
}
