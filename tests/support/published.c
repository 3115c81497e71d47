/*
 * Comparing directory and database; see published.h.
 */
#include "published.h"

#include "base/str.h"
#include "store/export.h"
#include "store/flag.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const base_domains[] = {"localhost"};
static const char *const edge_settings[] = {"title"};
static const tn_public_key_t keys[] = {{"k1", {1, 2, 3}}};

const tn_publisher_options_t tn_test_options = {
    .base_domains = base_domains,
    .base_domain_count = 1,
    .edge_settings = edge_settings,
    .edge_setting_count = 1,
    .keys = keys,
    .key_count = 1,
};

tn_publisher_t *tn_test_publisher(const char *path)
{
    tn_publisher_t *publisher = NULL;
    tn_publisher_options_t options = tn_test_options;
    tn_err_t err = {0};
    options.path = path;
    if (tn_publisher_open(&publisher, &options, &err) != TN_OK) {
        fail_msg("cannot open the publisher: %s", err.detail);
    }
    return publisher;
}

static void expect_text(tn_str_t is, tn_str_t should)
{
    if (!tn_str_equal(is, should)) {
        fail_msg("'%.*s' is not '%.*s'", (int)is.length, is.data, (int)should.length, should.data);
    }
}

static void expect_parts(const tn_tenant_t *tenant, const tn_tenant_spec_t *spec)
{
    tn_str_t text;
    bool is_set;
    size_t at;
    for (at = 0; tn_tenant_host_at(&text, &is_set, tenant, at); at++) {
        assert_true(at < spec->host_count);
        expect_text(text, spec->hosts[at]);
        assert_int_equal(is_set, at == spec->primary_host);
    }
    assert_int_equal(at, spec->host_count);
    for (at = 0; tn_tenant_former_slug_at(&text, tenant, at); at++) {
        assert_true(at < spec->former_slug_count);
        expect_text(text, spec->former_slugs[at]);
    }
    assert_int_equal(at, spec->former_slug_count);
    for (at = 0; tn_tenant_flag_at(&text, &is_set, tenant, at); at++) {
        assert_true(at < spec->flag_count);
        expect_text(text, spec->flags[at].key);
        assert_int_equal(is_set, spec->flags[at].is_on);
    }
    assert_int_equal(at, spec->flag_count);
}

static void expect_title(const tn_tenant_t *tenant, const char *settings)
{
    tn_str_t key, value;
    json_t *object = json_loads(settings, 0, NULL);
    const char *title = json_string_value(json_object_get(object, "title"));
    assert_int_equal(tn_tenant_setting_at(&key, &value, tenant, 0), title != NULL);
    if (title != NULL) {
        expect_text(key, TN_STR("title"));
        expect_text(value, tn_str(title));
        assert_false(tn_tenant_setting_at(&key, &value, tenant, 1));
    }
    json_decref(object);
}

typedef struct {
    const tn_directory_t *directory;
    uint64_t tenants, domains, flags;
} comparison_t;

/* By its id, its slug, each slug it had and each of its hosts. */
static int expect_tenant(const tn_tenant_spec_t *spec, const char *settings, void *context)
{
    comparison_t *comparison = context;
    tn_tenant_t tenant, by_key;
    char id[TN_UUID_LENGTH + 1];
    comparison->tenants++;
    comparison->domains += spec->host_count;
    assert_int_equal(tn_directory_by_id(&tenant, comparison->directory, spec->id), TN_OK);
    assert_string_equal(tenant.id, tn_uuid_format(id, spec->id));
    expect_text(tenant.slug, spec->slug);
    expect_text(tenant.name, spec->name);
    expect_text(tenant.plan, spec->plan);
    expect_text(tenant.upstream, spec->upstream);
    assert_int_equal(tenant.status, spec->status);
    assert_int_equal(tenant.is_listed, spec->is_listed);
    assert_int_equal(tenant.redirects_to_primary, spec->redirects_to_primary);
    expect_parts(&tenant, spec);
    expect_title(&tenant, settings);
    assert_int_equal(tn_directory_by_slug(&by_key, comparison->directory, spec->slug), TN_OK);
    assert_string_equal(by_key.id, id);
    for (size_t i = 0; i < spec->former_slug_count; i++) {
        assert_int_equal(
            tn_directory_by_slug(&by_key, comparison->directory, spec->former_slugs[i]), TN_OK);
        assert_string_equal(by_key.id, id);
    }
    for (size_t i = 0; i < spec->host_count; i++) {
        assert_int_equal(tn_directory_by_host(&by_key, comparison->directory, spec->hosts[i]),
                         TN_OK);
        assert_string_equal(by_key.id, id);
    }
    return 0;
}

static int expect_flag(const tn_flag_row_t *row, void *context)
{
    comparison_t *comparison = context;
    bool default_on = !row->default_on;
    comparison->flags++;
    assert_int_equal(tn_directory_flag(&default_on, comparison->directory, tn_str(row->key)),
                     TN_OK);
    assert_int_equal(default_on, row->default_on);
    return 0;
}

void tn_test_expect_published(tn_test_database_t *database, const char *path)
{
    tn_directory_t *directory = NULL;
    tn_directory_info_t info;
    tn_platform_t platform;
    tn_err_t err = {0};
    uint64_t generation = 0;
    assert_int_equal(tn_directory_open(&directory, path, NULL), TN_OK);
    if (tn_directory_verify(directory, &err) != TN_OK) {
        fail_msg("%s", err.detail);
    }
    comparison_t comparison = {.directory = directory};
    tn_tx_t *tx = tn_test_begin_read(database);
    assert_int_equal(tn_export_all(tx, expect_tenant, &comparison, NULL), TN_OK);
    assert_int_equal(tn_flag_list(tx, expect_flag, &comparison, NULL), TN_OK);
    assert_int_equal(tn_tx_commit(tx, &generation, NULL), TN_OK);
    tn_directory_info(&info, directory);
    assert_int_equal(info.generation, generation);
    assert_int_equal(info.tenants, comparison.tenants);
    assert_int_equal(info.domains, comparison.domains);
    assert_int_equal(info.flags, comparison.flags);
    tn_uuid_t identity = tn_store_identity(database->store);
    assert_memory_equal(info.database_id, identity.bytes, 16);
    assert_int_equal(tn_directory_platform(&platform, directory), TN_OK);
    assert_int_equal(platform.base_domain_count, 1);
    expect_text(platform.base_domains[0], TN_STR("localhost"));
    assert_int_equal(platform.key_count, 1);
    assert_string_equal(platform.keys[0].id, keys[0].id);
    assert_memory_equal(platform.keys[0].key, keys[0].key, sizeof(keys[0].key));
    tn_directory_close(directory);
}

void tn_test_sync(tn_publisher_t *publisher, tn_test_database_t *database, const char *path)
{
    tn_err_t err = {0};
    tn_publisher_status_t status;
    uint64_t generation = 0;
    if (tn_publisher_sync(&generation, publisher, database->store, &err) != TN_OK) {
        fail_msg("cannot synchronise: %s", err.detail);
    }
    assert_int_equal(generation, tn_test_generation(database));
    tn_publisher_status(&status, publisher);
    assert_int_equal(status.state, TN_PUBLISHER_READY);
    assert_string_equal(status.reason, "");
    assert_int_equal(status.generation, generation);
    assert_int_equal(status.database_generation, generation);
    tn_test_expect_published(database, path);
}
