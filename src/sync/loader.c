/*
 * Loading the directory from the database; see loader.h.
 *
 * Of a tenant's settings, those on the operator's list are published whose values are strings,
 * numbers or booleans. A text that is longer than the directory takes, or that holds control
 * characters, is left out rather than cut or passed on: it would end up in headers.
 */
#include "sync/loader.h"

#include "base/err.h"
#include "base/str.h"
#include "store/change.h"
#include "store/export.h"
#include "store/flag.h"
#include "store/tenant.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBER_TEXT_SIZE 32
#define BATCH_TENANTS    16384 /* in one change of a directory that is being built */

typedef struct {
    tn_directory_writer_t *writer;
    tn_tx_t *tx;
    const tn_options_t *options;
    tn_err_t *err;
    struct tn_tenant_spec_setting settings[TN_TENANT_SETTINGS_MAX];
    char numbers[TN_TENANT_SETTINGS_MAX][NUMBER_TEXT_SIZE]; /* texts of settings that are numbers */
} load_t;

/* ---- settings ----------------------------------------------------------------------------- */

/* The shortest text that reads back as the same number. */
static const char *real_text(char buffer[NUMBER_TEXT_SIZE], double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(buffer, NUMBER_TEXT_SIZE, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value) {
            break;
        }
    }
    return buffer;
}

/* False for a value that is not published. Strings are borrowed from the value. */
static bool value_text(tn_str_t *out, const json_t *value, char buffer[NUMBER_TEXT_SIZE])
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        *out = (tn_str_t){json_string_value(value), json_string_length(value)};
        return out->length <= TN_TEXT_MAX && tn_str_is_clean_utf8(*out);
    case JSON_INTEGER:
        (void)snprintf(buffer, NUMBER_TEXT_SIZE, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
        *out = tn_str(buffer);
        return true;
    case JSON_REAL:
        *out = tn_str(real_text(buffer, json_real_value(value)));
        return true;
    case JSON_TRUE:
        *out = TN_STR("true");
        return true;
    case JSON_FALSE:
        *out = TN_STR("false");
        return true;
    default:
        return false;
    }
}

static size_t choose_settings(load_t *load, const json_t *settings)
{
    size_t count = 0;
    for (size_t i = 0; i < load->options->edge_setting_count; i++) {
        const char *key = load->options->edge_settings[i];
        const json_t *value = json_object_get(settings, key);
        tn_str_t text;
        if (value != NULL && value_text(&text, value, load->numbers[count])) {
            load->settings[count++] = (struct tn_tenant_spec_setting){tn_str(key), text};
        }
    }
    return count;
}

/* ---- tenants and flags -------------------------------------------------------------------- */

static int put_tenant(const tn_tenant_spec_t *tenant, const char *text, void *context)
{
    load_t *load = context;
    tn_tenant_spec_t spec = *tenant;
    json_t *settings = NULL;
    if (load->options->edge_setting_count > 0 && strcmp(text, "{}") != 0) {
        settings = json_loads(text, 0, NULL);
        if (!json_is_object(settings)) {
            json_decref(settings);
            return tn_err_set(load->err, TN_EDAMAGED, "the settings of tenant '%.*s' are no object",
                              (int)spec.slug.length, spec.slug.data);
        }
        spec.settings = load->settings;
        spec.setting_count = choose_settings(load, settings);
    }
    int code = tn_directory_put_tenant(load->writer, &spec, load->err);
    json_decref(settings);
    return code;
}

static int load_tenant(load_t *load, const char *id)
{
    tn_uuid_t uuid;
    int code = tn_export_one(load->tx, id, put_tenant, load, load->err);
    if (code != TN_ENOTFOUND) {
        return code;
    }
    if (tn_uuid_parse(&uuid, tn_str(id)) != TN_OK) {
        return tn_err_set(load->err, TN_EDAMAGED, "the change log names a tenant that can be none");
    }
    return tn_directory_remove_tenant(load->writer, uuid.bytes, load->err);
}

static int put_flag(const tn_flag_row_t *row, void *context)
{
    load_t *load = context;
    return tn_directory_put_flag(load->writer, tn_str(row->key), row->default_on, load->err);
}

static int load_flag(load_t *load, const char *key)
{
    tn_flag_row_t row;
    int code = tn_flag_find(&row, load->tx, key, load->err);
    if (code == TN_ENOTFOUND) {
        return tn_directory_remove_flag(load->writer, tn_str(key), load->err);
    }
    return code == TN_OK ? put_flag(&row, load) : code;
}

static int load_change(uint64_t version, tn_change_kind_t kind, const char *key, void *context)
{
    load_t *load = context;
    switch (kind) {
    case TN_CHANGE_TENANT:
        return load_tenant(load, key);
    case TN_CHANGE_FLAG:
        return load_flag(load, key);
    }
    return tn_err_set(load->err, TN_EVERSION, "the change log has a kind %d of change", (int)kind);
}

/* ---- both ways ---------------------------------------------------------------------------- */

static int load_new(load_t **out, tn_directory_writer_t *writer, tn_tx_t *tx,
                    const tn_options_t *options, tn_err_t *err)
{
    load_t *load = malloc(sizeof(*load));
    if (load == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory to publish with");
    }
    load->writer = writer;
    load->tx = tx;
    load->options = options;
    load->err = err;
    *out = load;
    return TN_OK;
}

int tn_load_changes(tn_directory_writer_t *writer, tn_tx_t *tx, uint64_t after,
                    const tn_options_t *options, tn_err_t *err)
{
    load_t *load = NULL;
    int code = load_new(&load, writer, tx, options, err);
    if (code == TN_OK) {
        code = tn_change_each(tx, after, load_change, load, err);
    }
    free(load);
    return code;
}

/* Changes of equal size, whose generations end at the one that is to be reached. */
typedef struct {
    load_t *load;
    uint64_t generation; /* of the change that is open */
    uint64_t size;       /* tenants in each */
    uint64_t count;      /* tenants in this one so far */
} batches_t;

static int put_in_batch(const tn_tenant_spec_t *tenant, const char *text, void *context)
{
    batches_t *batches = context;
    load_t *load = batches->load;
    int code = TN_OK;
    if (batches->count == batches->size) {
        code = tn_directory_commit(load->writer, load->err);
        if (code == TN_OK) {
            code = tn_directory_begin(load->writer, ++batches->generation, load->err);
        }
        batches->count = 0;
    }
    batches->count++;
    return code == TN_OK ? put_tenant(tenant, text, load) : code;
}

/* A database of few versions has few generations to give. */
static void plan_batches(batches_t *out, load_t *load, uint64_t tenants, uint64_t generation)
{
    uint64_t wanted = (tenants + BATCH_TENANTS - 1) / BATCH_TENANTS;
    uint64_t most = wanted < generation ? wanted : generation;
    uint64_t size = most > 0 ? (tenants + most - 1) / most : 1;
    uint64_t count = tenants > 0 ? (tenants + size - 1) / size : 1;
    *out = (batches_t){.load = load, .generation = generation - count + 1, .size = size};
}

static int load_all(load_t *load, uint64_t generation)
{
    batches_t batches;
    tn_platform_t platform;
    uint64_t tenants;
    int code = tn_tenant_count(&tenants, load->tx, load->err);
    if (code != TN_OK) {
        return code;
    }
    plan_batches(&batches, load, tenants, generation);
    tn_options_platform(&platform, load->options);
    code = tn_directory_begin(load->writer, batches.generation, load->err);
    if (code == TN_OK) {
        code = tn_directory_put_platform(load->writer, &platform, load->err);
    }
    if (code == TN_OK) {
        code = tn_flag_list(load->tx, put_flag, load, load->err);
    }
    if (code == TN_OK) {
        code = tn_export_all(load->tx, put_in_batch, &batches, load->err);
    }
    return code == TN_OK ? tn_directory_commit(load->writer, load->err) : code;
}

int tn_load_all(tn_directory_writer_t *writer, tn_tx_t *tx, uint64_t generation,
                const tn_options_t *options, tn_err_t *err)
{
    load_t *load = NULL;
    int code = load_new(&load, writer, tx, options, err);
    if (code == TN_OK) {
        code = load_all(load, generation);
    }
    free(load);
    return code;
}
