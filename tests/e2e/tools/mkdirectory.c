/*
 * Writes a directory for the end-to-end tests of the edge, which need neither database nor daemon:
 *
 *     mkdirectory PATH < description.json              a new one in PATH's place
 *     mkdirectory --change PATH < description.json     one change to the one that is there
 *     mkdirectory --key FILE                           a new key file to sign tokens with
 *
 *     {"generation": 1, "baseDomains": ["localhost"], "keyFile": "keys.json",
 *      "flags": {"beta": false},
 *      "tenants": [{"id": UUID, "slug": "demo", "name": "…", "plan": "…", "upstream": "…",
 *                   "status": "active", "isListed": true, "redirectsToPrimary": false,
 *                   "hosts": ["www.demo.example"], "primaryHost": "www.demo.example",
 *                   "formerSlugs": ["old"], "flags": {"beta": true}, "settings": {"theme":
 * "dark"}}], "removedTenants": [UUID], "removedFlags": ["beta"]}
 *
 * Everything but the generation may be left out. The platform entry is written when baseDomains is
 * there; its public keys are those of keyFile.
 */
#include "base/file.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/directory_writer.h"
#include "core/token.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_FILE_MAX 65536

static tn_str_t text_of(const json_t *value)
{
    return json_is_string(value) ? (tn_str_t){json_string_value(value), json_string_length(value)}
                                 : TN_STR("");
}

static tn_str_t member(const json_t *object, const char *key)
{
    return text_of(json_object_get(object, key));
}

static int read_status(tn_tenant_status_t *out, const json_t *tenant)
{
    const char *name = json_string_value(json_object_get(tenant, "status"));
    if (name == NULL) {
        *out = TN_STATUS_ACTIVE;
        return TN_OK;
    }
    for (int status = TN_STATUS_ACTIVE; status <= TN_STATUS_ARCHIVED; status++) {
        if (strcmp(tn_tenant_status_name((tn_tenant_status_t)status), name) == 0) {
            *out = (tn_tenant_status_t)status;
            return TN_OK;
        }
    }
    return TN_EINVAL;
}

/* The lists of a tenant, as the specification wants them. */
typedef struct {
    tn_str_t *hosts, *former_slugs;
    struct tn_tenant_spec_flag *flags;
    struct tn_tenant_spec_setting *settings;
} lists_t;

static void free_lists(lists_t *lists)
{
    free(lists->hosts);
    free(lists->former_slugs);
    free(lists->flags);
    free(lists->settings);
}

static tn_str_t *read_texts(size_t *count, const json_t *array)
{
    *count = json_array_size(array);
    tn_str_t *texts = calloc(*count + 1, sizeof(*texts));
    for (size_t i = 0; texts != NULL && i < *count; i++) {
        texts[i] = text_of(json_array_get(array, i));
    }
    return texts;
}

static int read_lists(tn_tenant_spec_t *spec, lists_t *lists, json_t *tenant)
{
    json_t *flags = json_object_get(tenant, "flags");
    json_t *settings = json_object_get(tenant, "settings");
    lists->hosts = read_texts(&spec->host_count, json_object_get(tenant, "hosts"));
    lists->former_slugs =
        read_texts(&spec->former_slug_count, json_object_get(tenant, "formerSlugs"));
    lists->flags = calloc(json_object_size(flags) + 1, sizeof(*lists->flags));
    lists->settings = calloc(json_object_size(settings) + 1, sizeof(*lists->settings));
    if (lists->hosts == NULL || lists->former_slugs == NULL || lists->flags == NULL ||
        lists->settings == NULL) {
        return TN_ENOMEM;
    }
    const char *key;
    json_t *value;
    json_object_foreach(flags, key, value)
    {
        lists->flags[spec->flag_count].key = tn_str(key);
        lists->flags[spec->flag_count++].is_on = json_is_true(value);
    }
    json_object_foreach(settings, key, value)
    {
        lists->settings[spec->setting_count].key = tn_str(key);
        lists->settings[spec->setting_count++].value = text_of(value);
    }
    spec->hosts = lists->hosts;
    spec->former_slugs = lists->former_slugs;
    spec->flags = lists->flags;
    spec->settings = lists->settings;
    return TN_OK;
}

static int put_tenant(tn_directory_writer_t *writer, json_t *tenant, tn_err_t *err)
{
    tn_tenant_spec_t spec = {
        .slug = member(tenant, "slug"),
        .name = member(tenant, "name"),
        .plan = member(tenant, "plan"),
        .upstream = member(tenant, "upstream"),
        .is_listed = json_is_true(json_object_get(tenant, "isListed")),
        .redirects_to_primary = json_is_true(json_object_get(tenant, "redirectsToPrimary")),
    };
    tn_uuid_t id;
    int code = tn_uuid_parse(&id, member(tenant, "id"));
    if (code == TN_OK) {
        memcpy(spec.id, id.bytes, sizeof(spec.id));
        code = read_status(&spec.status, tenant);
    }
    lists_t lists = {0};
    if (code == TN_OK) {
        code = read_lists(&spec, &lists, tenant);
    }
    if (code == TN_OK) {
        tn_str_t primary = member(tenant, "primaryHost");
        spec.primary_host = 0;
        while (spec.primary_host < spec.host_count &&
               !tn_str_equal(spec.hosts[spec.primary_host], primary)) {
            spec.primary_host++;
        }
        code = tn_directory_put_tenant(writer, &spec, err);
    }
    free_lists(&lists);
    return code;
}

static int read_keys(tn_platform_t *platform, const char *path, tn_err_t *err)
{
    char *text;
    size_t length;
    tn_signer_t *signer;
    int code = tn_file_read(&text, &length, path, KEY_FILE_MAX, err);
    if (code != TN_OK) {
        return code;
    }
    code = tn_signer_parse(&signer, text, length, err);
    if (code == TN_OK) {
        platform->key_count = tn_signer_public_keys(platform->keys, signer);
        tn_signer_free(signer);
    }
    free(text);
    return code;
}

static int put_platform(tn_directory_writer_t *writer, const json_t *description, tn_err_t *err)
{
    const json_t *domains = json_object_get(description, "baseDomains");
    if (domains == NULL) {
        return TN_OK;
    }
    tn_platform_t platform = {.base_domain_count = json_array_size(domains)};
    if (platform.base_domain_count > TN_BASE_DOMAINS_MAX) {
        return TN_ETOOBIG;
    }
    for (size_t i = 0; i < platform.base_domain_count; i++) {
        platform.base_domains[i] = text_of(json_array_get(domains, i));
    }
    const char *key_file = json_string_value(json_object_get(description, "keyFile"));
    int code = key_file == NULL ? TN_OK : read_keys(&platform, key_file, err);
    return code == TN_OK ? tn_directory_put_platform(writer, &platform, err) : code;
}

static int remove_all(tn_directory_writer_t *writer, const json_t *description, tn_err_t *err)
{
    const json_t *ids = json_object_get(description, "removedTenants");
    const json_t *flags = json_object_get(description, "removedFlags");
    int code = TN_OK;
    for (size_t i = 0; code == TN_OK && i < json_array_size(ids); i++) {
        tn_uuid_t id;
        code = tn_uuid_parse(&id, text_of(json_array_get(ids, i)));
        if (code == TN_OK) {
            code = tn_directory_remove_tenant(writer, id.bytes, err);
        }
    }
    for (size_t i = 0; code == TN_OK && i < json_array_size(flags); i++) {
        code = tn_directory_remove_flag(writer, text_of(json_array_get(flags, i)), err);
    }
    return code;
}

static int put_all(tn_directory_writer_t *writer, const json_t *description, tn_err_t *err)
{
    json_t *generation = json_object_get(description, "generation");
    int code = tn_directory_begin(writer, (uint64_t)json_integer_value(generation), err);
    if (code != TN_OK) {
        return code;
    }
    code = put_platform(writer, description, err);
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(description, "flags"), key, value)
    {
        if (code == TN_OK) {
            code = tn_directory_put_flag(writer, tn_str(key), json_is_true(value), err);
        }
    }
    const json_t *tenants = json_object_get(description, "tenants");
    for (size_t i = 0; code == TN_OK && i < json_array_size(tenants); i++) {
        code = put_tenant(writer, json_array_get(tenants, i), err);
    }
    if (code == TN_OK) {
        code = remove_all(writer, description, err);
    }
    if (code != TN_OK) {
        tn_directory_abort(writer);
        return code;
    }
    return tn_directory_commit(writer, err);
}

static int change(const char *path, const json_t *description, tn_err_t *err)
{
    tn_directory_writer_t *writer;
    int code = tn_directory_writer_open(&writer, path, err);
    if (code == TN_OK) {
        code = put_all(writer, description, err);
        tn_directory_writer_close(writer);
    }
    return code;
}

static int create(const char *path, const json_t *description, tn_err_t *err)
{
    static const uint8_t database_id[16] = "end-to-end tests";
    tn_directory_writer_t *writer, *from = NULL;
    int code = tn_directory_writer_create(
        &writer, path, database_id, json_array_size(json_object_get(description, "tenants")), err);
    if (code != TN_OK) {
        return code;
    }
    code = put_all(writer, description, err);
    if (code == TN_OK && tn_directory_writer_open(&from, path, NULL) != TN_OK) {
        from = NULL; /* there is none, or one that cannot be followed */
    }
    if (code == TN_OK) {
        code = tn_directory_writer_install(writer, from, err);
    }
    tn_directory_writer_close(from);
    tn_directory_writer_close(writer);
    return code;
}

static int make_key(const char *path, tn_err_t *err)
{
    char *text;
    size_t length;
    int code = tn_signer_generate(&text, &length, err);
    if (code == TN_OK) {
        code = tn_file_write(path, text, length, 0600, err);
        explicit_bzero(text, length);
        free(text);
    }
    return code;
}

int main(int argc, char **argv)
{
    tn_err_t err = {0};
    int code;
    if (argc == 3 && strcmp(argv[1], "--key") == 0) {
        code = make_key(argv[2], &err);
    } else if (argc == 2 || (argc == 3 && strcmp(argv[1], "--change") == 0)) {
        json_error_t where;
        json_t *description = json_loadf(stdin, JSON_REJECT_DUPLICATES, &where);
        if (description == NULL) {
            fprintf(stderr, "mkdirectory: line %d: %s\n", where.line, where.text);
            return 1;
        }
        code = argc == 3 ? change(argv[2], description, &err) : create(argv[1], description, &err);
        json_decref(description);
    } else {
        fprintf(stderr, "usage: mkdirectory [--change] PATH | --key FILE\n");
        return 2;
    }
    if (code != TN_OK) {
        fprintf(stderr, "mkdirectory: %s: %s %s\n", tn_error_text(code), err.field, err.detail);
        return 1;
    }
    return 0;
}
