/*
 * Unit tests of control/problem.h.
 */
#include "control/problem.h"

#include "base/str.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_table_is_whole(void **state)
{
    for (int i = 0; i < TN_PROBLEM_COUNT; i++) {
        const tn_problem_t *problem = tn_problem_get((tn_problem_code_t)i);
        assert_non_null(problem->code);
        assert_non_null(problem->title);
        assert_in_range(problem->status, 400, 599);
        /* who is told to come back is told when */
        assert_true((problem->status == 503) == (problem->retry_after_s > 0));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(problem->code, tn_problem_get((tn_problem_code_t)j)->code);
        }
    }
}

static void test_of_error(void **state)
{
    static const struct {
        int error;
        unsigned status;
    } cases[] = {
        {TN_EINVAL, 400},    {TN_EHOST, 400},    {TN_ENOTFOUND, 404}, {TN_EUNAVAILABLE, 503},
        {TN_ECONFLICT, 409}, {TN_EAUTH, 401},    {TN_EPERM, 403},     {TN_EPRECONDITION, 412},
        {TN_EFOREIGN, 409},  {TN_EFULL, 507},    {TN_ETOOBIG, 413},   {TN_EBUSY, 503},
        {TN_ENOMEM, 500},    {TN_EDAMAGED, 500}, {TN_EIO, 500},       {TN_EVERSION, 500},
        {-1000, 500},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(tn_problem_of_error(cases[i].error)->status, cases[i].status);
    }
}

/* The document, parsed. */
static json_t *write(const char *instance, const char *field, const char *detail)
{
    tn_buf_t out;
    tn_buf_init(&out);
    tn_problem_write(&out, tn_problem_get(TN_PROBLEM_CONFLICT), tn_str(instance), field, detail);
    json_t *document = json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, NULL);
    tn_buf_deinit(&out);
    assert_non_null(document);
    return document;
}

static const char *text_of(const json_t *document, const char *key)
{
    return json_string_value(json_object_get(document, key));
}

static void test_document(void **state)
{
    json_t *document = write("/v1/tenants", "slug", "slug 'acme' is taken");
    assert_int_equal(json_object_size(document), 7);
    assert_string_equal(text_of(document, "type"), "urn:tenantry:problem:conflict");
    assert_string_equal(text_of(document, "title"), "Conflict");
    assert_int_equal(json_integer_value(json_object_get(document, "status")), 409);
    assert_string_equal(text_of(document, "detail"), "slug 'acme' is taken");
    assert_string_equal(text_of(document, "instance"), "/v1/tenants");
    assert_string_equal(text_of(document, "code"), "conflict");
    assert_string_equal(text_of(document, "field"), "slug");
    json_decref(document);

    document = write("/v1/tenants", "", "x");
    assert_int_equal(json_object_size(document), 6);
    assert_null(json_object_get(document, "field"));
    json_decref(document);
}

static void test_any_text_is_written(void **state)
{
    json_t *document = write("/\xff\xfe", "caf\xc3", "a\"b\\c\n\xe9");
    assert_string_equal(text_of(document, "instance"), "/??");
    assert_string_equal(text_of(document, "field"), "caf?");
    assert_string_equal(text_of(document, "detail"), "a\"b\\c\n?");
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_whole),
        cmocka_unit_test(test_of_error),
        cmocka_unit_test(test_document),
        cmocka_unit_test(test_any_text_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
