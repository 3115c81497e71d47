/*
 * Unit tests of control/json.h: what is strict about it.
 */
#include "control/json.h"

#include "base/str.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const tn_json_field_t fields[] = {
    {"name", TN_JSON_STRING, true},
    {"listed", TN_JSON_BOOLEAN, false},
    {"settings", TN_JSON_OBJECT, false},
    {0},
};

static int read_text(tn_str_t text, tn_err_t *err)
{
    json_t *body = NULL;
    *err = (tn_err_t){0};
    int code = tn_json_read(&body, text, fields, err);
    assert_true((code == TN_OK) == (body != NULL));
    json_decref(body);
    return code;
}

static void test_accepted(void **state)
{
    const char *const cases[] = {
        "{\"name\":\"Acme\"}",
        " \t\r\n{ \"name\" : \"\\u00e9\" } ",
        "{\"name\":\"\",\"listed\":true}",
        "{\"name\":\"\xf0\x9f\x98\x80\",\"settings\":{\"a\":[1,2.5,null,{}]}}",
        "{\"name\":\"x\",\"settings\":{\"least\":-9223372036854775808}}",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_err_t err;
        if (read_text(tn_str(cases[i]), &err) != TN_OK) {
            fail_msg("'%s': %s", cases[i], err.detail);
        }
    }
}

static void test_no_json(void **state)
{
    const tn_str_t cases[] = {
        TN_STR(""),
        TN_STR("{"),
        TN_STR("{\"name\":\"a\""),
        TN_STR("{\"name\":\"a\"} x"),
        TN_STR("{\"name\":\"a\"}{}"),
        TN_STR("{\"name\":\"a\",}"),
        TN_STR("{'name':'a'}"),
        TN_STR("{name:\"a\"}"),
        TN_STR("{\"name\":\"a\"} // comment"),
        TN_STR("{\"name\":\"a\",\"name\":\"b\"}"),
        TN_STR("{\"name\":\"a\",\"settings\":{\"k\":1,\"k\":1}}"),
        TN_STR("{\"name\":\"\\u0000\"}"),
        TN_STR("{\"name\":\"a\0b\"}"),
        TN_STR("{\"name\":\"a\"}\0"),
        TN_STR("{\"name\":\"\xff\"}"),
        TN_STR("{\"name\":\"\xc3\"}"),
        TN_STR("{\"name\":\"\xed\xa0\x80\"}"),
        TN_STR("{\"name\":\"\xc0\xaf\"}"),
        TN_STR("{\"name\":\"\\ud800\"}"),
        TN_STR("{\"name\":\"tab\there\"}"),
        TN_STR("{\"name\":\"a\",\"settings\":{\"k\":1e999}}"),
        TN_STR("{\"name\":\"a\",\"settings\":{\"k\":01}}"),
        TN_STR("{\"name\":\"a\",\"settings\":{\"k\":NaN}}"),
        TN_STR("{\"name\":\"a\",\"settings\":{\"k\":99999999999999999999}}"),
        TN_STR("\xef\xbb\xbf{\"name\":\"a\"}"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_err_t err;
        if (read_text(cases[i], &err) != TN_EINVAL) {
            fail_msg("case %zu was accepted: '%s'", i, cases[i].data);
        }
        /* no field is at fault, the whole body is */
        assert_string_equal(err.field, "");
        assert_non_null(strstr(err.detail, "line "));
    }
}

static void test_no_object(void **state)
{
    const char *const cases[] = {"[]", "\"a\"", "1", "null", "true"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_err_t err;
        assert_int_equal(read_text(tn_str(cases[i]), &err), TN_EINVAL);
        assert_string_equal(err.field, "");
    }
}

static void test_fields(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } cases[] = {
        {"{}", "name"},
        {"{\"listed\":true}", "name"},
        {"{\"name\":1}", "name"},
        {"{\"name\":null}", "name"},
        {"{\"name\":[\"a\"]}", "name"},
        {"{\"name\":\"a\",\"listed\":\"true\"}", "listed"},
        {"{\"name\":\"a\",\"listed\":1}", "listed"},
        {"{\"name\":\"a\",\"listed\":null}", "listed"},
        {"{\"name\":\"a\",\"settings\":[]}", "settings"},
        {"{\"name\":\"a\",\"settings\":\"{}\"}", "settings"},
        {"{\"name\":\"a\",\"Name\":\"b\"}", "Name"},
        {"{\"name\":\"a\",\"extra\":1}", "extra"},
        {"{\"name\":\"a\",\"\":1}", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_err_t err;
        if (read_text(tn_str(cases[i].text), &err) != TN_EINVAL) {
            fail_msg("'%s' was accepted", cases[i].text);
        }
        assert_string_equal(err.field, cases[i].field);
        assert_true(err.detail[0] != '\0');
    }
}

/* Nested `depth` arrays within settings: the body itself and settings are two more levels. */
static int read_nested(size_t depth)
{
    static const char head[] = "{\"name\":\"a\",\"settings\":{\"k\":";
    size_t size = sizeof(head) + 2 * depth + 3;
    char *text = malloc(size);
    assert_non_null(text);
    char *at = text + snprintf(text, size, "%s", head);
    memset(at, '[', depth);
    memset(at + depth, ']', depth);
    memcpy(at + 2 * depth, "}}", 3);
    tn_err_t err;
    int code = read_text(tn_str(text), &err);
    free(text);
    return code;
}

static void test_depth(void **state)
{
    assert_int_equal(read_nested(TN_JSON_DEPTH_MAX - 2), TN_OK);
    assert_int_equal(read_nested(TN_JSON_DEPTH_MAX - 1), TN_EINVAL);
    assert_int_equal(read_nested(2000), TN_EINVAL);
    assert_int_equal(read_nested(60000), TN_EINVAL);
}

static void test_values(void **state)
{
    json_t *body = NULL;
    bool storage = false;
    char *text = NULL;
    tn_str_t source = TN_STR("{\"name\":\"A\",\"listed\":true,\"settings\":{\"b\":1, \"a\":[ ]}}");
    assert_int_equal(tn_json_read(&body, source, fields, NULL), TN_OK);
    assert_string_equal(tn_json_text(body, "name"), "A");
    assert_null(tn_json_text(body, "plan"));
    assert_ptr_equal(tn_json_boolean(&storage, body, "listed"), &storage);
    assert_true(storage);
    assert_null(tn_json_boolean(&storage, body, "other"));
    assert_int_equal(tn_json_object_text(&text, body, "settings", NULL), TN_OK);
    assert_string_equal(text, "{\"b\":1,\"a\":[]}");
    free(text);
    assert_int_equal(tn_json_object_text(&text, body, "other", NULL), TN_OK);
    assert_null(text);
    json_decref(body);
    /* without a body nothing is given */
    assert_null(tn_json_text(NULL, "name"));
    assert_null(tn_json_boolean(&storage, NULL, "listed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),  cmocka_unit_test(test_no_json),
        cmocka_unit_test(test_no_object), cmocka_unit_test(test_fields),
        cmocka_unit_test(test_depth),     cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
