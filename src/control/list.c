/*
 * Lists; see list.h.
 */
#include "control/list.h"

#include "base/err.h"
#include "base/str.h"
#include "control/cursor.h"

#include <stdio.h>

static int read_limit(size_t *limit, const tn_request_t *request, tn_err_t *err)
{
    char text[16];
    bool is_given;
    uint64_t number = TN_LIST_LIMIT_DEFAULT;
    int code = tn_request_query(text, sizeof(text), &is_given, request, "limit", err);
    if (code == TN_OK && is_given) {
        code = tn_str_number(&number, tn_str(text), TN_LIST_LIMIT_MAX);
    }
    if (code == TN_ETOOBIG || (code == TN_EINVAL && err->field[0] == '\0') || number == 0) {
        return tn_err_field(err, TN_EINVAL, "limit", "must be a number from 1 to %d",
                            TN_LIST_LIMIT_MAX);
    }
    *limit = (size_t)number;
    return code;
}

int tn_list_init(tn_list_t *out, const tn_exchange_t *exchange, char kind, tn_err_t *err)
{
    char text[TN_CURSOR_TEXT_MAX];
    bool is_given = false;
    *out = (tn_list_t){.kind = kind};
    int code = read_limit(&out->limit, exchange->request, err);
    if (code == TN_OK) {
        code = tn_request_query(text, sizeof(text), &is_given, exchange->request, "cursor", err);
    }
    if (code == TN_OK && is_given) {
        code = tn_cursor_read(out->after, sizeof(out->after), kind, tn_str(text), err);
    }
    if (code != TN_OK) {
        return code;
    }
    out->items = json_array();
    return out->items == NULL ? tn_err_set(err, TN_ENOMEM, "no memory for a list") : TN_OK;
}

void tn_list_deinit(tn_list_t *list)
{
    json_decref(list->items);
    list->items = NULL;
}

const char *tn_list_after(const tn_list_t *list)
{
    return list->after[0] == '\0' ? NULL : list->after;
}

int tn_list_add(tn_list_t *list, json_t *item, const char *key)
{
    if (json_array_append_new(list->items, item) != 0) {
        return TN_ENOMEM;
    }
    (void)snprintf(list->last, sizeof(list->last), "%s", key);
    return TN_OK;
}

json_t *tn_list_cursor(const tn_list_t *list, bool has_more)
{
    char cursor[TN_CURSOR_TEXT_MAX];
    if (!has_more) {
        return json_null();
    }
    tn_cursor_write(cursor, list->kind, list->last);
    return json_string(cursor);
}

int tn_list_answer(tn_list_t *list, tn_exchange_t *exchange, const char *name, bool has_more,
                   tn_err_t *err)
{
    json_t *document =
        json_pack("{s:O, s:o}", name, list->items, "nextCursor", tn_list_cursor(list, has_more));
    return tn_response_json(exchange->response, 200, document, err);
}

int tn_list_switch(bool *inout, const tn_exchange_t *exchange, const char *name, tn_err_t *err)
{
    char text[8];
    bool is_given;
    int code = tn_request_query(text, sizeof(text), &is_given, exchange->request, name, err);
    if (code == TN_OK && is_given) {
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            code = TN_ETOOBIG;
        } else {
            *inout = strcmp(text, "true") == 0;
        }
    }
    return code == TN_ETOOBIG ? tn_err_field(err, TN_EINVAL, name, "must be true or false") : code;
}
