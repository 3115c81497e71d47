/*
 * Unit tests of base/err.h and the table of error texts.
 */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/*
 * Every code of enum tn_error, by its name. The switch without a default makes the compiler refuse
 * a code that is in the enum and not here.
 */
static bool is_listed(enum tn_error code)
{
    switch (code) {
    case TN_OK:
    case TN_ENOMEM:
    case TN_EINVAL:
    case TN_EHOST:
    case TN_ENOTFOUND:
    case TN_EUNAVAILABLE:
    case TN_EDAMAGED:
    case TN_EVERSION:
    case TN_EFOREIGN:
    case TN_ECONFLICT:
    case TN_EPRECONDITION:
    case TN_EAUTH:
    case TN_EPERM:
    case TN_ETOKEN:
    case TN_EIO:
    case TN_EFULL:
    case TN_ETOOBIG:
    case TN_EBUSY:
        return true;
    }
    return false;
}

static void test_every_code_has_its_own_text(void **state)
{
    const char *unknown = tn_error_text(1);
    assert_string_equal(unknown, "unknown error");
    int count = 0;
    for (int code = 0; code > -1000; code--) {
        const char *text = tn_error_text(code);
        assert_non_null(text);
        if (!is_listed((enum tn_error)code)) {
            assert_string_equal(text, unknown);
            continue;
        }
        count++;
        assert_string_not_equal(text, unknown);
        assert_true(strlen(text) > 0);
        for (int other = 0; other > code; other--) {
            assert_string_not_equal(text, tn_error_text(other));
        }
    }
    assert_int_equal(count, 18);
}

static void test_set(void **state)
{
    tn_err_t err = {.code = TN_OK, .field = "left over", .detail = "left over"};
    assert_int_equal(tn_err_set(&err, TN_EBUSY, "held by %d, %s", 7, "somebody"), TN_EBUSY);
    assert_int_equal(err.code, TN_EBUSY);
    assert_string_equal(err.field, "");
    assert_string_equal(err.detail, "held by 7, somebody");
}

static void test_field(void **state)
{
    tn_err_t err = {0};
    assert_int_equal(tn_err_field(&err, TN_EINVAL, "slug", "'%s' is none", "-"), TN_EINVAL);
    assert_int_equal(err.code, TN_EINVAL);
    assert_string_equal(err.field, "slug");
    assert_string_equal(err.detail, "'-' is none");
}

static void test_errno(void **state)
{
    static const struct {
        int error_number;
        int code;
        const char *detail;
    } cases[] = {
        {EACCES, TN_EIO, "cannot open 'x': Permission denied"},
        {ENOENT, TN_EIO, "cannot open 'x': No such file or directory"},
        {ENOSPC, TN_EFULL, "cannot open 'x': No space left on device"},
        {EDQUOT, TN_EFULL, "cannot open 'x': Disk quota exceeded"},
        {ENOMEM, TN_ENOMEM, "cannot open 'x': Cannot allocate memory"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tn_err_t err = {.field = "left over"};
        assert_int_equal(tn_err_errno(&err, cases[i].error_number, "cannot open '%s'", "x"),
                         cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_string_equal(err.field, "");
        assert_string_equal(err.detail, cases[i].detail);
        assert_int_equal(tn_err_errno(NULL, cases[i].error_number, "x"), cases[i].code);
    }
    tn_err_t err;
    assert_int_equal(tn_err_errno(&err, 99999, "odd"), TN_EIO);
    assert_memory_equal(err.detail, "odd: ", 5);
}

static void test_nobody_listens(void **state)
{
    assert_int_equal(tn_err_set(NULL, TN_EIO, "%s", "x"), TN_EIO);
    assert_int_equal(tn_err_field(NULL, TN_EIO, "f", "%s", "x"), TN_EIO);
}

static void test_too_long_is_cut_and_terminated(void **state)
{
    char text[1000];
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    tn_err_t err;
    assert_int_equal(tn_err_field(&err, TN_EIO, text, "%s", text), TN_EIO);
    assert_int_equal(strlen(err.field), sizeof(err.field) - 1);
    assert_int_equal(strlen(err.detail), sizeof(err.detail) - 1);
    assert_int_equal(tn_err_errno(&err, ENOENT, "%s", text), TN_EIO);
    assert_int_equal(strlen(err.detail), sizeof(err.detail) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_its_own_text),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_field),
        cmocka_unit_test(test_errno),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_too_long_is_cut_and_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
