/*
 * Strict JSON bodies; see json.h. jansson itself refuses duplicate keys, \u0000, invalid UTF-8 and
 * numbers out of range; what it allows beyond the contract is refused here.
 */
#include "control/json.h"

#include "base/err.h"
#include "base/str.h"

static const char *const type_texts[] = {
    [TN_JSON_STRING] = "a string",
    [TN_JSON_BOOLEAN] = "true or false",
    [TN_JSON_OBJECT] = "an object",
};

/* At most TN_JSON_DEPTH_MAX frames deep. */
static bool is_too_deep(const json_t *value, int depth)
{
    if (!json_is_object(value) && !json_is_array(value)) {
        return false;
    }
    if (depth == TN_JSON_DEPTH_MAX) {
        return true;
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        if (is_too_deep(member, depth + 1)) {
            return true;
        }
    }
    size_t i;
    json_array_foreach((json_t *)value, i, member)
    {
        if (is_too_deep(member, depth + 1)) {
            return true;
        }
    }
    return false;
}

static bool has_type(const json_t *value, tn_json_type_t type)
{
    switch (type) {
    case TN_JSON_STRING:
        return json_is_string(value);
    case TN_JSON_BOOLEAN:
        return json_is_boolean(value);
    default:
        return json_is_object(value);
    }
}

static const tn_json_field_t *find_field(const tn_json_field_t *fields, const char *name)
{
    for (; fields->name != NULL; fields++) {
        if (strcmp(fields->name, name) == 0) {
            return fields;
        }
    }
    return NULL;
}

static int check_fields(const json_t *body, const tn_json_field_t *fields, tn_err_t *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)body, key, value)
    {
        const tn_json_field_t *field = find_field(fields, key);
        if (field == NULL) {
            return tn_err_field(err, TN_EINVAL, key, "unknown field");
        }
        if (!has_type(value, field->type)) {
            return tn_err_field(err, TN_EINVAL, key, "must be %s", type_texts[field->type]);
        }
    }
    for (; fields->name != NULL; fields++) {
        if (fields->is_required && json_object_get(body, fields->name) == NULL) {
            return tn_err_field(err, TN_EINVAL, fields->name, "must be given");
        }
    }
    return TN_OK;
}

/* Parses, and says where it went wrong without repeating what was sent. */
static int parse(json_t **out, tn_str_t text, tn_err_t *err)
{
    json_error_t error;
    json_t *body = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &error);
    if (body == NULL) {
        const char *near = strstr(error.text, " near ");
        int length = near == NULL ? (int)strlen(error.text) : (int)(near - error.text);
        return tn_err_set(err, TN_EINVAL, "not JSON at line %d, column %d: %.*s", error.line,
                          error.column, length, error.text);
    }
    *out = body;
    return TN_OK;
}

int tn_json_read(json_t **out, tn_str_t text, const tn_json_field_t *fields, tn_err_t *err)
{
    json_t *body = NULL;
    int code = parse(&body, text, err);
    if (code != TN_OK) {
        return code;
    }
    if (!json_is_object(body)) {
        code = tn_err_set(err, TN_EINVAL, "the body must be a JSON object");
    } else if (is_too_deep(body, 0)) {
        code = tn_err_set(err, TN_EINVAL, "nested deeper than %d levels", TN_JSON_DEPTH_MAX);
    } else {
        code = check_fields(body, fields, err);
    }
    if (code != TN_OK) {
        json_decref(body);
        return code;
    }
    *out = body;
    return TN_OK;
}

const char *tn_json_text(const json_t *body, const char *name)
{
    return json_string_value(json_object_get(body, name));
}

const bool *tn_json_boolean(bool *storage, const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    *storage = json_is_true(value);
    return value == NULL ? NULL : storage;
}

int tn_json_object_text(char **out, const json_t *body, const char *name, tn_err_t *err)
{
    const json_t *value = json_object_get(body, name);
    char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT);
    if (value != NULL && text == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for '%s'", name);
    }
    *out = text;
    return TN_OK;
}
