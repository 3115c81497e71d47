/*
 * The one table of configuration keys: name, kind, place in tn_conf_t, check, default and help.
 * Reading a value, printing it, suggesting a key for a misspelt one: all of it goes by this table.
 * Where values come from (file, environment) is conf.c's business.
 */
#pragma once

#include "base/buf.h"
#include "conf/conf.h"

typedef enum {
    TN_CONF_TEXT,   /* char * */
    TN_CONF_LIST,   /* tn_conf_list_t: words between commas or blanks */
    TN_CONF_NUMBER, /* uint16_t */
    TN_CONF_SWITCH, /* bool */
} tn_conf_kind_t;

/*
 * Appends the normal form of a text, or of one item of a list, to out; returns NULL, or what the
 * value should have been, to complete "'x' is not …". Relative paths are taken from folder.
 */
typedef const char *(*tn_conf_check_fn)(tn_buf_t *out, tn_str_t value, const char *folder);

typedef struct {
    const char *name;
    tn_conf_kind_t kind;
    size_t offset; /* of its field in tn_conf_t */
    tn_conf_check_fn check;
    uint16_t min, max;    /* of a number, or of a list's length (conf.c holds that min) */
    const char *fallback; /* the default, where "STATE" is the state folder; NULL: conf.c works it
                             out from the other values */
    const char *help;
} tn_conf_key_t;

extern const tn_conf_key_t tn_conf_keys[];
extern const size_t tn_conf_key_count;

/* tn_conf_key_count when there is no such key. */
size_t tn_conf_key_find(const char *name);

/* The key that name may have been meant to be, or NULL when none is near. */
const char *tn_conf_key_suggest(const char *name);

/*
 * Reads text into the key's field. TN_EINVAL with "'x' is not …" in err, or TN_ENOMEM. `append`
 * adds to a list instead of replacing it.
 */
TN_CHECK int tn_conf_value_set(tn_conf_t *conf, const tn_conf_key_t *key, const char *text,
                               const char *folder, bool append, tn_err_t *err);

/* Appends the key's present value, in the form that a file has it. */
void tn_conf_value_format(tn_buf_t *out, const tn_conf_t *conf, const tn_conf_key_t *key);

void tn_conf_value_clear(tn_conf_t *conf, const tn_conf_key_t *key);
