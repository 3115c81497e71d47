/*
 * What the routes that list things share: the page asked for (limit and cursor), and collecting
 * rows into the answer.
 */
#pragma once

#include "control/route.h"

#define TN_LIST_LIMIT_DEFAULT 100
#define TN_LIST_LIMIT_MAX     1000
#define TN_LIST_KEY_SIZE      (TN_HOST_MAX + 1)

typedef struct {
    char kind;                    /* of the cursors, see cursor.h */
    size_t limit;                 /* 1 to TN_LIST_LIMIT_MAX */
    char after[TN_LIST_KEY_SIZE]; /* the key the page begins after, "" for the first page */
    json_t *items;                /* an array */
    char last[TN_LIST_KEY_SIZE];  /* the key of the last item */
} tn_list_t;

/* Reads limit and cursor from the query. tn_list_deinit follows in every case. */
TN_CHECK int tn_list_init(tn_list_t *out, const tn_exchange_t *exchange, char kind, tn_err_t *err);
void tn_list_deinit(tn_list_t *list);

/* The key to begin after, NULL for the first page. */
const char *tn_list_after(const tn_list_t *list);

/* Adds an item (taken over). TN_ENOMEM, also when item is NULL. */
TN_CHECK int tn_list_add(tn_list_t *list, json_t *item, const char *key);

/* The value of "nextCursor": a new reference, null when nothing follows. */
json_t *tn_list_cursor(const tn_list_t *list, bool has_more);

/* Answers {NAME: items, "nextCursor": …}; has_more: there are items after the last. */
TN_CHECK int tn_list_answer(tn_list_t *list, tn_exchange_t *exchange, const char *name,
                            bool has_more, tn_err_t *err);

/* A boolean query parameter: "true" or "false"; as it was when not given. */
TN_CHECK int tn_list_switch(bool *inout, const tn_exchange_t *exchange, const char *name,
                            tn_err_t *err);
