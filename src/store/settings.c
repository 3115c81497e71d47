/*
 * Settings; see settings.h.
 */
#include "store/settings.h"

#include "base/err.h"
#include "base/str.h"
#include "store/tenant.h"

static bool is_deeper_than(const json_t *value, int depth)
{
    if (!json_is_object(value) && !json_is_array(value)) {
        return false;
    }
    if (depth == 0) {
        return true;
    }
    const char *key;
    const json_t *item;
    size_t index;
    json_object_foreach((json_t *)value, key, item)
    {
        if (is_deeper_than(item, depth - 1)) {
            return true;
        }
    }
    json_array_foreach(value, index, item)
    {
        if (is_deeper_than(item, depth - 1)) {
            return true;
        }
    }
    return false;
}

int tn_settings_parse(json_t **out, const char *text, tn_err_t *err)
{
    json_error_t error;
    size_t length = strlen(text);
    if (length > TN_SETTINGS_MAX) {
        return tn_err_field(err, TN_ETOOBIG, "settings", "must be at most %d bytes of JSON",
                            TN_SETTINGS_MAX);
    }
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL) {
        /* jansson's own text quotes the input, which may hold a secret */
        bool is_twice = json_error_code(&error) == json_error_duplicate_key;
        return tn_err_field(err, TN_EINVAL, "settings", "%s at line %d, column %d",
                            is_twice ? "have a key twice" : "are not a JSON object", error.line,
                            error.column);
    }
    int code = TN_OK;
    if (!json_is_object(value)) {
        code = tn_err_field(err, TN_EINVAL, "settings", "must be a JSON object");
    } else if (is_deeper_than(value, TN_SETTINGS_DEPTH_MAX)) {
        code = tn_err_field(err, TN_EINVAL, "settings", "must not be nested deeper than %d levels",
                            TN_SETTINGS_DEPTH_MAX);
    }
    if (code != TN_OK) {
        json_decref(value);
        return code;
    }
    *out = value;
    return TN_OK;
}

/* Rather one too many than one too few: "monkey" is masked, and so is "apiKey". */
static bool looks_secret(const char *key)
{
    static const char *const words[] = {"password", "passwd", "secret", "token", "key"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(key, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static json_t *masked_array(const json_t *array)
{
    json_t *copy = json_array();
    const json_t *item;
    size_t index;
    json_array_foreach(array, index, item)
    {
        if (json_array_append_new(copy, tn_settings_masked(item)) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}

json_t *tn_settings_masked(const json_t *settings)
{
    if (json_is_array(settings)) {
        return masked_array(settings);
    }
    if (!json_is_object(settings)) {
        return json_deep_copy(settings);
    }
    json_t *copy = json_object();
    const char *key;
    const json_t *item;
    json_object_foreach((json_t *)settings, key, item)
    {
        json_t *value = looks_secret(key) ? json_string("***") : tn_settings_masked(item);
        if (json_object_set_new(copy, key, value) != 0) {
            json_decref(copy);
            return NULL;
        }
    }
    return copy;
}
