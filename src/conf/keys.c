/*
 * The table of configuration keys, and reading and printing their values; see keys.h.
 */
#include "conf/keys.h"

#include "base/err.h"
#include "base/str.h"
#include "conf/checks.h"
#include "core/directory.h"

#include <stddef.h>
#include <stdlib.h>

#define TEXT(field, check, fallback, help)                                                         \
    {                                                                                              \
#field, TN_CONF_TEXT, offsetof(tn_conf_t, field), check, 0, 0, fallback, help              \
    }
#define LIST(field, check, min, max, fallback, help)                                               \
    {                                                                                              \
#field, TN_CONF_LIST, offsetof(tn_conf_t, field), check, min, max, fallback, help          \
    }
#define NUMBER(field, min, max, fallback, help)                                                    \
    {                                                                                              \
#field, TN_CONF_NUMBER, offsetof(tn_conf_t, field), NULL, min, max, fallback, help         \
    }
#define SWITCH(field, fallback, help)                                                              \
    {                                                                                              \
#field, TN_CONF_SWITCH, offsetof(tn_conf_t, field), NULL, 0, 0, fallback, help             \
    }

const tn_conf_key_t tn_conf_keys[] = {
    TEXT(state, tn_conf_check_path, "/var/lib/tenantry",
         "folder of everything that has no place of its own below"),
    TEXT(database, tn_conf_check_database, "sqlite:STATE/tenantry.db", "the database of record"),
    TEXT(directory, tn_conf_check_path, "STATE/directory",
         "the file that the daemon writes and nginx reads"),
    TEXT(socket, tn_conf_check_path, "STATE/serve.sock", "the daemon's unix socket"),
    TEXT(operator_token, tn_conf_check_path, "STATE/operator.token",
         "file of the operator's token; the daemon makes it"),
    TEXT(token_key, tn_conf_check_path, "STATE/token.jwks",
         "file of the keys that sign X-Tenant-Token; the daemon makes it"),
    TEXT(pid_file, tn_conf_check_path, "STATE/serve.pid", "the daemon's process id"),
    LIST(base_domains, tn_conf_check_host, 1, TN_BASE_DOMAINS_MAX, "localhost",
         "domains under which every tenant has a sub-domain"),
    LIST(edge_settings, tn_conf_check_setting_key, 0, TN_CONF_LIST_MAX,
         "title, color, locale, welcome",
         "tenant settings that the edge and the application may read from the directory"),
    NUMBER(threads, 1, 64, "2", "threads of the daemon's HTTP server"),
    TEXT(log_level, tn_conf_check_log_level, "notice",
         "the daemon's log: error, warning, notice, info or debug"),
    TEXT(listen, tn_conf_check_listen, "localhost",
         "address of the generated nginx configuration: localhost (IPv4 and IPv6) or an IP "
         "address"),
    NUMBER(port, 1, 65535, "3000", "port of the generated nginx configuration"),
    TEXT(public_url, tn_conf_check_url, NULL,
         "scheme, host and port of links; by default http, the first base domain and the port"),
    TEXT(upstream, tn_conf_check_upstream, "unix:STATE/app.sock",
         "the application: unix:PATH or HOST:PORT"),
    TEXT(rewrite, tn_conf_check_rewrite, "/$tenant_domain$uri",
         "path under which the application gets a tenant's request, or off"),
    TEXT(nginx, tn_conf_check_path, "/usr/sbin/nginx", "nginx's executable"),
    TEXT(module, tn_conf_check_path, NULL,
         "nginx's module; by default beside the command, else in nginx's folder of modules"),
    SWITCH(request_log, "on", "a line for each request in the foreground of 'tenantry run'"),
};
const size_t tn_conf_key_count = sizeof(tn_conf_keys) / sizeof(tn_conf_keys[0]);

size_t tn_conf_key_find(const char *name)
{
    size_t i = 0;
    while (i < tn_conf_key_count && strcmp(tn_conf_keys[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* Levenshtein's distance, for names shorter than a key could be; SIZE_MAX for longer ones. */
static size_t distance(const char *a, const char *b)
{
    enum { MAX = 32 };
    size_t row[MAX + 1];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    if (a_length > MAX || b_length > MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            size_t inserted = row[j - 1] + 1;
            size_t removed = row[j] + 1;
            diagonal = row[j];
            row[j] = inserted < removed ? inserted : removed;
            row[j] = substituted < row[j] ? substituted : row[j];
        }
    }
    return row[b_length];
}

const char *tn_conf_key_suggest(const char *name)
{
    const char *best = NULL;
    size_t best_distance = 1 + strlen(name) / 3;
    for (size_t i = 0; i < tn_conf_key_count; i++) {
        size_t d = distance(name, tn_conf_keys[i].name);
        if (d <= best_distance && (best == NULL || d < best_distance)) {
            best = tn_conf_keys[i].name;
            best_distance = d;
        }
    }
    return best;
}

static void *field_of(const tn_conf_t *conf, const tn_conf_key_t *key)
{
    return (char *)(uintptr_t)conf + key->offset;
}

void tn_conf_value_clear(tn_conf_t *conf, const tn_conf_key_t *key)
{
    if (key->kind == TN_CONF_TEXT) {
        char **text = field_of(conf, key);
        free(*text);
        *text = NULL;
    } else if (key->kind == TN_CONF_LIST) {
        tn_conf_list_t *list = field_of(conf, key);
        while (list->count > 0) {
            free(list->items[--list->count]);
        }
    }
}

/* Checks a text, or an item of a list, and gives its normal form, which the caller frees. */
static int read_text(char **out, const tn_conf_key_t *key, tn_str_t value, const char *folder,
                     tn_err_t *err)
{
    tn_buf_t buf;
    tn_buf_init(&buf);
    const char *expected =
        value.length == 0 ? "allowed here: a value is needed" : key->check(&buf, value, folder);
    if (expected != NULL) {
        tn_buf_deinit(&buf);
        return tn_err_field(err, TN_EINVAL, key->name, "'%.*s' is not %s",
                            (int)(value.length < 100 ? value.length : 100), value.data, expected);
    }
    char *text = tn_buf_take(&buf, NULL);
    if (text == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for the configuration");
    }
    *out = text;
    return TN_OK;
}

static int add_item(tn_conf_list_t *list, const tn_conf_key_t *key, tn_str_t value,
                    const char *folder, tn_err_t *err)
{
    if (list->count == key->max) {
        return tn_err_field(err, TN_EINVAL, key->name, "there are more than %u values", key->max);
    }
    char *text;
    int code = read_text(&text, key, value, folder, err);
    if (code != TN_OK) {
        return code;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], text) == 0) {
            code = tn_err_field(err, TN_EINVAL, key->name, "'%s' is there twice", text);
            free(text);
            return code;
        }
    }
    list->items[list->count++] = text;
    return TN_OK;
}

static int set_list(tn_conf_list_t *list, const tn_conf_key_t *key, const char *text,
                    const char *folder, tn_err_t *err)
{
    static const char between[] = ", \t";
    const char *at = text + strspn(text, between);
    while (*at != '\0') {
        size_t length = strcspn(at, between);
        int code = add_item(list, key, (tn_str_t){at, length}, folder, err);
        if (code != TN_OK) {
            return code;
        }
        at += length;
        at += strspn(at, between);
    }
    return TN_OK;
}

static int set_number(uint16_t *number, const tn_conf_key_t *key, const char *text, tn_err_t *err)
{
    uint64_t value;
    if (tn_str_number(&value, tn_str(text), key->max) != TN_OK || value < key->min) {
        return tn_err_field(err, TN_EINVAL, key->name, "'%.100s' is not a number from %u to %u",
                            text, key->min, key->max);
    }
    *number = (uint16_t)value;
    return TN_OK;
}

static int set_switch(bool *is_on, const tn_conf_key_t *key, const char *text, tn_err_t *err)
{
    static const struct {
        const char *word;
        bool is_on;
    } words[] = {{"on", true},  {"off", false}, {"yes", true},
                 {"no", false}, {"true", true}, {"false", false}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *is_on = words[i].is_on;
            return TN_OK;
        }
    }
    return tn_err_field(err, TN_EINVAL, key->name, "'%.100s' is not on or off", text);
}

int tn_conf_value_set(tn_conf_t *conf, const tn_conf_key_t *key, const char *text,
                      const char *folder, bool append, tn_err_t *err)
{
    void *field = field_of(conf, key);
    char *value;
    int code;
    switch (key->kind) {
    case TN_CONF_LIST:
        if (!append) {
            tn_conf_value_clear(conf, key);
        }
        return set_list(field, key, text, folder, err);
    case TN_CONF_NUMBER:
        return set_number(field, key, text, err);
    case TN_CONF_SWITCH:
        return set_switch(field, key, text, err);
    case TN_CONF_TEXT:
        break;
    }
    code = read_text(&value, key, tn_str_trim(tn_str(text)), folder, err);
    if (code == TN_OK) {
        tn_conf_value_clear(conf, key);
        *(char **)field = value;
    }
    return code;
}

void tn_conf_value_format(tn_buf_t *out, const tn_conf_t *conf, const tn_conf_key_t *key)
{
    const void *field = field_of(conf, key);
    const tn_conf_list_t *list = field;
    const char *text;
    switch (key->kind) {
    case TN_CONF_TEXT:
        text = *(char *const *)field;
        tn_buf_add_text(out, text == NULL ? "" : text);
        break;
    case TN_CONF_LIST:
        for (size_t i = 0; i < list->count; i++) {
            tn_buf_add_text(out, i == 0 ? "" : ", ");
            tn_buf_add_text(out, list->items[i]);
        }
        break;
    case TN_CONF_NUMBER:
        tn_buf_add_format(out, "%u", *(const uint16_t *)field);
        break;
    case TN_CONF_SWITCH:
        tn_buf_add_text(out, *(const bool *)field ? "on" : "off");
        break;
    }
}
