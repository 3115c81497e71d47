/*
 * Checks of a tenant's values; see tenant_check.h. They end up in headers and logs, so nothing
 * passes that could be read as something else there.
 */
#include "store/tenant_check.h"

#include "base/err.h"
#include "base/str.h"
#include "core/host.h"
#include "store/settings.h"

static int check_name(const char *name, tn_err_t *err)
{
    tn_str_t text = tn_str(name);
    if (text.length == 0 || tn_str_trim(text).length != text.length) {
        return tn_err_field(err, TN_EINVAL, "name",
                            "must not be empty, nor begin or end with a space");
    }
    if (text.length > TN_NAME_MAX) {
        return tn_err_field(err, TN_EINVAL, "name", "must be at most %d bytes", TN_NAME_MAX);
    }
    if (!tn_str_is_clean_utf8(text)) {
        return tn_err_field(err, TN_EINVAL, "name",
                            "must be valid UTF-8 without control characters");
    }
    return TN_OK;
}

static int check_plan(const char *plan, tn_err_t *err)
{
    if (!tn_key_is_valid(tn_str(plan))) {
        return tn_err_field(err, TN_EINVAL, "plan",
                            "must be 1 to %d letters, digits, '_', '-' and '.', beginning with a "
                            "letter",
                            TN_PLAN_MAX);
    }
    return TN_OK;
}

static bool is_path_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("/._-+@", c) != NULL);
}

/* unix:/PATH or HOST:PORT, and no byte that means something to nginx. */
static bool is_upstream(tn_str_t text)
{
    tn_str_t unix_prefix = TN_STR("unix:/");
    if (!tn_str_starts(text, unix_prefix)) {
        tn_host_t host;
        return tn_host_parse(&host, text.data, text.length) == TN_OK && host.has_port;
    }
    for (size_t i = unix_prefix.length; i < text.length; i++) {
        if (!is_path_byte(text.data[i])) {
            return false;
        }
    }
    return text.length > unix_prefix.length;
}

static int check_upstream(const char *upstream, tn_err_t *err)
{
    tn_str_t text = tn_str(upstream);
    if (text.length > TN_UPSTREAM_MAX) {
        return tn_err_field(err, TN_EINVAL, "upstream", "must be at most %d bytes",
                            TN_UPSTREAM_MAX);
    }
    if (text.length > 0 && !is_upstream(text)) {
        return tn_err_field(err, TN_EINVAL, "upstream",
                            "must be HOST:PORT or unix:/PATH, or empty for the default");
    }
    return TN_OK;
}

static int check_settings(const char *settings, tn_err_t *err)
{
    json_t *value;
    int code = tn_settings_parse(&value, settings, err);
    if (code == TN_OK) {
        json_decref(value);
    }
    return code;
}

int tn_tenant_values_check(const tn_tenant_values_t *values, tn_err_t *err)
{
    const struct {
        const char *value;
        int (*check)(const char *value, tn_err_t *err);
    } texts[] = {
        {values->name, check_name},
        {values->plan, check_plan},
        {values->upstream, check_upstream},
        {values->settings, check_settings},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int code = texts[i].value == NULL ? TN_OK : texts[i].check(texts[i].value, err);
        if (code != TN_OK) {
            return code;
        }
    }
    if (values->status != NULL &&
        (*values->status < TN_STATUS_ACTIVE || *values->status > TN_STATUS_ARCHIVED)) {
        return tn_err_field(err, TN_EINVAL, "status",
                            "must be active, maintenance, suspended or archived");
    }
    return TN_OK;
}
