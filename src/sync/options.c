/*
 * The publisher's options; see options.h.
 */
#include "sync/options.h"

#include "base/err.h"
#include "base/str.h"
#include "core/directory_writer.h"
#include "core/host.h"

#include <stdlib.h>
#include <xxhash.h>

/* Goes into the hash: to be raised when the same options come to mean another directory. */
#define MEANING 1

static int no_memory(tn_err_t *err)
{
    return tn_err_set(err, TN_ENOMEM, "no memory for the publisher's options");
}

static int copy_list(char ***out, size_t *out_count, const char *const *from, size_t count,
                     tn_err_t *err)
{
    *out = calloc(count + 1, sizeof(char *));
    if (*out == NULL) {
        return no_memory(err);
    }
    *out_count = count;
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = tn_str_dup(tn_str(from[i]));
        if ((*out)[i] == NULL) {
            return no_memory(err);
        }
    }
    return TN_OK;
}

static void free_list(char **list, size_t count)
{
    for (size_t i = 0; list != NULL && i < count; i++) {
        free(list[i]);
    }
    free(list);
}

static int check(const tn_publisher_options_t *options, tn_err_t *err)
{
    if (options->path == NULL || options->path[0] == '\0') {
        return tn_err_field(err, TN_EINVAL, "directory", "no path was given");
    }
    if (options->base_domain_count > TN_BASE_DOMAINS_MAX) {
        return tn_err_field(err, TN_EINVAL, "base_domains", "more than %d", TN_BASE_DOMAINS_MAX);
    }
    if (options->key_count > TN_PUBLIC_KEYS_MAX) {
        return tn_err_field(err, TN_EINVAL, "keys", "more than %d", TN_PUBLIC_KEYS_MAX);
    }
    if (options->edge_setting_count > TN_TENANT_SETTINGS_MAX) {
        return tn_err_field(err, TN_EINVAL, "edge_settings", "more than %d",
                            TN_TENANT_SETTINGS_MAX);
    }
    for (size_t i = 0; i < options->edge_setting_count; i++) {
        const char *key = options->edge_settings[i];
        if (!tn_key_is_valid(tn_str(key))) {
            return tn_err_field(err, TN_EINVAL, "edge_settings", "'%.80s' is no valid key", key);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(options->edge_settings[j], key) == 0) {
                return tn_err_field(err, TN_EINVAL, "edge_settings", "'%s' is named twice", key);
            }
        }
    }
    return TN_OK;
}

static void add_number(XXH3_state_t *state, uint64_t value)
{
    (void)XXH3_64bits_update(state, &value, sizeof(value)); /* fails for NULL only */
}

static void add_bytes(XXH3_state_t *state, const void *data, size_t length)
{
    add_number(state, length);
    (void)XXH3_64bits_update(state, data, length);
}

static void add_list(XXH3_state_t *state, char *const *list, size_t count)
{
    add_number(state, count);
    for (size_t i = 0; i < count; i++) {
        add_bytes(state, list[i], strlen(list[i]));
    }
}

static int hash(tn_options_t *options, tn_err_t *err)
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL) {
        return no_memory(err);
    }
    (void)XXH3_64bits_reset(state);
    add_number(state, MEANING);
    add_list(state, options->base_domains, options->base_domain_count);
    add_list(state, options->edge_settings, options->edge_setting_count);
    add_number(state, options->key_count);
    for (size_t i = 0; i < options->key_count; i++) {
        add_bytes(state, options->keys[i].id, strlen(options->keys[i].id));
        add_bytes(state, options->keys[i].key, sizeof(options->keys[i].key));
    }
    uint64_t value = XXH3_64bits_digest(state);
    options->hash = value != 0 ? value : 1;
    (void)XXH3_freeState(state);
    return TN_OK;
}

int tn_options_copy(tn_options_t *out, const tn_publisher_options_t *from, tn_err_t *err)
{
    tn_options_t options = {0};
    int code = check(from, err);
    if (code != TN_OK) {
        return code;
    }
    options.path = tn_str_dup(tn_str(from->path));
    options.keys = calloc(from->key_count + 1, sizeof(*options.keys));
    if (options.path == NULL || options.keys == NULL) {
        code = no_memory(err);
    }
    if (code == TN_OK) {
        options.key_count = from->key_count;
        if (from->key_count > 0) {
            memcpy(options.keys, from->keys, from->key_count * sizeof(*options.keys));
        }
        code = copy_list(&options.base_domains, &options.base_domain_count, from->base_domains,
                         from->base_domain_count, err);
    }
    if (code == TN_OK) {
        code = copy_list(&options.edge_settings, &options.edge_setting_count, from->edge_settings,
                         from->edge_setting_count, err);
    }
    if (code == TN_OK) {
        code = hash(&options, err);
    }
    if (code != TN_OK) {
        tn_options_deinit(&options);
        return code;
    }
    *out = options;
    return TN_OK;
}

void tn_options_deinit(tn_options_t *options)
{
    free_list(options->base_domains, options->base_domain_count);
    free_list(options->edge_settings, options->edge_setting_count);
    free(options->keys);
    free(options->path);
    *options = (tn_options_t){0};
}

void tn_options_platform(tn_platform_t *out, const tn_options_t *options)
{
    *out = (tn_platform_t){
        .base_domain_count = options->base_domain_count,
        .key_count = options->key_count,
        .options_hash = options->hash,
    };
    for (size_t i = 0; i < options->base_domain_count; i++) {
        out->base_domains[i] = tn_str(options->base_domains[i]);
    }
    if (options->key_count > 0) {
        memcpy(out->keys, options->keys, options->key_count * sizeof(*options->keys));
    }
}
