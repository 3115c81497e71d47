/*
 * Unit tests of conf/keys.h: the table holds together, and misspelt keys find the right one.
 */
#include "conf/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_table(void **state)
{
    for (size_t i = 0; i < tn_conf_key_count; i++) {
        assert_int_equal(tn_conf_key_find(tn_conf_keys[i].name), i);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(tn_conf_keys[i].offset, tn_conf_keys[j].offset);
        }
    }
    assert_int_equal(tn_conf_key_find("no such key"), tn_conf_key_count);
    assert_int_equal(tn_conf_key_find(""), tn_conf_key_count);
    /* defaults are made in this order, and later ones from these */
    assert_int_equal(tn_conf_key_find("state"), 0);
    assert_true(tn_conf_key_find("base_domains") < tn_conf_key_find("public_url"));
    assert_true(tn_conf_key_find("port") < tn_conf_key_find("public_url"));
}

static void test_suggest(void **state)
{
    assert_string_equal(tn_conf_key_suggest("prot"), "port");
    assert_string_equal(tn_conf_key_suggest("databse"), "database");
    assert_string_equal(tn_conf_key_suggest("base-domains"), "base_domains");
    assert_string_equal(tn_conf_key_suggest("requestlog"), "request_log");
    assert_null(tn_conf_key_suggest("zzz"));
    assert_null(tn_conf_key_suggest(""));
    assert_null(tn_conf_key_suggest("a_key_that_is_longer_than_any_that_there_could_be"));
}

static void test_round_trip(void **state)
{
    static const char *const texts[][2] = {
        {"state", "/srv"},       {"base_domains", "a.example, b.example"},
        {"port", "8080"},        {"request_log", "off"},
        {"upstream", "unix:/x"},
    };
    tn_conf_t conf = {0};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const tn_conf_key_t *key = &tn_conf_keys[tn_conf_key_find(texts[i][0])];
        assert_int_equal(tn_conf_value_set(&conf, key, texts[i][1], "/", false, NULL), TN_OK);
        tn_buf_t buf;
        tn_buf_init(&buf);
        tn_conf_value_format(&buf, &conf, key);
        assert_string_equal(buf.data, texts[i][1]);
        tn_buf_deinit(&buf);
        tn_conf_value_clear(&conf, key);
    }
}

static void test_append(void **state)
{
    tn_conf_t conf = {0};
    const tn_conf_key_t *key = &tn_conf_keys[tn_conf_key_find("edge_settings")];
    assert_int_equal(tn_conf_value_set(&conf, key, "a b", "/", false, NULL), TN_OK);
    assert_int_equal(tn_conf_value_set(&conf, key, "c", "/", true, NULL), TN_OK);
    assert_int_equal(conf.edge_settings.count, 3);
    assert_int_equal(tn_conf_value_set(&conf, key, "d", "/", false, NULL), TN_OK);
    assert_int_equal(conf.edge_settings.count, 1);
    assert_string_equal(conf.edge_settings.items[0], "d");
    tn_conf_value_clear(&conf, key);
    assert_int_equal(conf.edge_settings.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_suggest),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
