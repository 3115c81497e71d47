/*
 * Strict reading of JSON bodies: one object, of known fields, each of its type, none twice, not
 * nested without end. What a route accepts is a const table beside it.
 */
#pragma once

#include "tenantry.h"

#include <jansson.h>

#define TN_JSON_DEPTH_MAX 32

typedef enum { TN_JSON_STRING, TN_JSON_BOOLEAN, TN_JSON_OBJECT } tn_json_type_t;

typedef struct {
    const char *name;
    tn_json_type_t type;
    bool is_required;
} tn_json_field_t;

/* A table of fields ends with an entry whose name is NULL. */

/*
 * Reads text as an object of these fields; the caller gives *out back with json_decref. TN_EINVAL:
 * no JSON (the detail has line and column), duplicate keys, invalid UTF-8, \u0000, numbers that no
 * machine holds, nesting beyond TN_JSON_DEPTH_MAX; with the field named: an unknown, missing or
 * wrongly typed one.
 */
TN_CHECK int tn_json_read(json_t **out, tn_str_t text, const tn_json_field_t *fields,
                          tn_err_t *err);

/* A field that was read: NULL when it was not given. Borrowed from the body (the boolean: from
 * storage). */
const char *tn_json_text(const json_t *body, const char *name);
const bool *tn_json_boolean(bool *storage, const json_t *body, const char *name);

/* A JSON object within the body as compact text, which the caller frees; *out NULL when it was not
 * given. */
TN_CHECK int tn_json_object_text(char **out, const json_t *body, const char *name, tn_err_t *err);
