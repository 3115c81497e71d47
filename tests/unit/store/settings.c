/*
 * Settings: what is a legal object, and what is masked.
 */
#include "store/settings.h"

#include "base/buf.h"
#include "store/tenant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_legal_objects(void **state)
{
    static const char *const texts[] = {
        "{}",
        " { \"a\" : 1 } ",
        "{\"a\":{\"b\":[1,2.5,null,true,\"\\u00e9\"]}}",
        "{\"a\":[[[[[[[]]]]]]]}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *value = NULL;
        assert_int_equal(tn_settings_parse(&value, texts[i], NULL), TN_OK);
        json_decref(value);
    }
}

static void test_what_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "1",
        "null",
        "\"a\"",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1}x",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":1e999}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":NaN}",
        "{\"a\":1,}",
        "{\"a\":9223372036854775808}",
        "{\"a\":[[[[[[[[]]]]]]]]}",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *value = NULL;
        tn_err_t err = {0};
        if (tn_settings_parse(&value, texts[i], &err) != TN_EINVAL) {
            fail_msg("accepted: %s", texts[i]);
        }
        assert_string_equal(err.field, "settings");
        assert_null(value);
    }
}

static void test_errors_do_not_quote(void **state)
{
    json_t *value = NULL;
    tn_err_t err = {0};
    assert_int_equal(tn_settings_parse(&value, "{\"password\": hunter2}", &err), TN_EINVAL);
    assert_null(strstr(err.detail, "hunter2"));
    assert_int_equal(tn_settings_parse(&value, "{\"k\":1,\"k\":2}", &err), TN_EINVAL);
    assert_non_null(strstr(err.detail, "twice"));
}

/* {"a":"xxx…"} of that many bytes. */
static char *object_of(size_t length)
{
    char *text = malloc(length + 1);
    assert_non_null(text);
    memset(text, 'x', length);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + length - 2, "\"}", 3);
    return text;
}

static void test_size(void **state)
{
    json_t *value = NULL;
    tn_err_t err = {0};
    char *text = object_of(TN_SETTINGS_MAX);
    assert_int_equal(tn_settings_parse(&value, text, &err), TN_OK);
    json_decref(value);
    free(text);
    text = object_of(TN_SETTINGS_MAX + 1);
    assert_int_equal(tn_settings_parse(&value, text, &err), TN_ETOOBIG);
    assert_string_equal(err.field, "settings");
    free(text);
}

static void check_mask(const char *from, const char *to)
{
    json_t *value = NULL;
    assert_int_equal(tn_settings_parse(&value, from, NULL), TN_OK);
    json_t *masked = tn_settings_masked(value);
    char *text = json_dumps(masked, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, to);
    free(text);
    json_decref(masked);
    json_decref(value);
}

static void test_masks(void **state)
{
    check_mask("{}", "{}");
    check_mask("{\"title\":\"T\",\"n\":[1,{\"x\":null}]}",
               "{\"n\":[1,{\"x\":null}],\"title\":\"T\"}");
    check_mask("{\"smtpPassword\":\"p\",\"API_KEY\":\"k\",\"clientSecret\":{\"a\":1},"
               "\"refresh-token\":[1]}",
               "{\"API_KEY\":\"***\",\"clientSecret\":\"***\",\"refresh-token\":\"***\","
               "\"smtpPassword\":\"***\"}");
    check_mask("{\"a\":[{\"deep\":{\"ToKeN\":5}}]}", "{\"a\":[{\"deep\":{\"ToKeN\":\"***\"}}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legal_objects),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_errors_do_not_quote),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
