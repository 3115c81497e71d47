/*
 * The publisher's options: what is refused, and that the hash tells any two apart.
 */
#include "sync/options.h"

#include "core/directory_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const ab[] = {"a", "b"}, *const ba[] = {"b", "a"}, *const joined[] = {"ab"};
static const tn_public_key_t keys[] = {{"k1", {1}}, {"k2", {2}}, {"k1", {2}}};

static uint64_t hash_of(tn_publisher_options_t from)
{
    tn_options_t options;
    from.path = "/x";
    assert_int_equal(tn_options_copy(&options, &from, NULL), TN_OK);
    uint64_t hash = options.hash;
    assert_int_not_equal(hash, 0);
    tn_options_deinit(&options);
    return hash;
}

static void test_hash(void **state)
{
    const tn_publisher_options_t options[] = {
        {.base_domain_count = 0},
        {.base_domains = ab, .base_domain_count = 1},
        {.base_domains = ab, .base_domain_count = 2},
        {.base_domains = ba, .base_domain_count = 2},
        {.base_domains = joined, .base_domain_count = 1},
        {.edge_settings = ab, .edge_setting_count = 1},
        {.edge_settings = ab, .edge_setting_count = 2},
        {.base_domains = ab, .base_domain_count = 1, .edge_settings = ba, .edge_setting_count = 1},
        {.keys = keys, .key_count = 1},
        {.keys = keys, .key_count = 2},
        {.keys = keys + 1, .key_count = 1},
        {.keys = keys + 2, .key_count = 1},
    };
    const size_t count = sizeof(options) / sizeof(options[0]);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(hash_of(options[i]), hash_of(options[i]));
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(hash_of(options[i]), hash_of(options[j]));
        }
    }
}

static void refuse(tn_publisher_options_t from, const char *field)
{
    tn_options_t options = {0};
    tn_err_t err = {0};
    assert_int_equal(tn_options_copy(&options, &from, &err), TN_EINVAL);
    assert_string_equal(err.field, field);
    assert_null(options.path);
}

static void test_what_is_refused(void **state)
{
    static const char *many[TN_TENANT_SETTINGS_MAX + 1];
    static const char *const bad[] = {"ok", "not ok"}, *const twice[] = {"a", "b", "a"};
    for (size_t i = 0; i <= TN_TENANT_SETTINGS_MAX; i++) {
        many[i] = "x";
    }
    refuse((tn_publisher_options_t){0}, "directory");
    refuse((tn_publisher_options_t){.path = ""}, "directory");
    refuse((tn_publisher_options_t){.path = "/x",
                                    .base_domains = many,
                                    .base_domain_count = TN_BASE_DOMAINS_MAX + 1},
           "base_domains");
    refuse((tn_publisher_options_t){.path = "/x",
                                    .edge_settings = many,
                                    .edge_setting_count = TN_TENANT_SETTINGS_MAX + 1},
           "edge_settings");
    refuse((tn_publisher_options_t){.path = "/x", .key_count = TN_PUBLIC_KEYS_MAX + 1}, "keys");
    refuse((tn_publisher_options_t){.path = "/x", .edge_settings = bad, .edge_setting_count = 2},
           "edge_settings");
    refuse((tn_publisher_options_t){.path = "/x", .edge_settings = twice, .edge_setting_count = 3},
           "edge_settings");
}

static void test_platform(void **state)
{
    tn_options_t options;
    tn_platform_t platform;
    const tn_publisher_options_t from = {
        .path = "/x", .base_domains = ab, .base_domain_count = 2, .keys = keys, .key_count = 2};
    assert_int_equal(tn_options_copy(&options, &from, NULL), TN_OK);
    tn_options_platform(&platform, &options);
    assert_int_equal(platform.base_domain_count, 2);
    assert_memory_equal(platform.base_domains[1].data, "b", 1);
    assert_int_equal(platform.key_count, 2);
    assert_memory_equal(&platform.keys[1], &keys[1], sizeof(keys[1]));
    assert_int_equal(platform.options_hash, options.hash);
    tn_options_deinit(&options);
    tn_options_deinit(&(tn_options_t){0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_platform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
