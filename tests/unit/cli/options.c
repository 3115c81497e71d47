/*
 * Unit tests of cli/options.h: every form of an option, and each way of getting one wrong.
 */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const tn_option_t own[] = {
    {"name", "NAME", TN_OPTION_VALUE, ""},
    {"setting", "K=V", TN_OPTION_LIST, ""},
    {"force", NULL, TN_OPTION_SWITCH, ""},
    {NULL, NULL, TN_OPTION_SWITCH, NULL},
};
static const tn_option_t common[] = {
    {"help", NULL, TN_OPTION_SWITCH, ""},
    {"json", NULL, TN_OPTION_SWITCH, ""},
    {NULL, NULL, TN_OPTION_SWITCH, NULL},
};

#define PARSE(out, err, ...)                                                                       \
    tn_arguments_parse(out, (char *const *)(const char *const[]){__VA_ARGS__},                     \
                       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), own, common,   \
                       err)

static void test_forms(void **state)
{
    tn_arguments_t arguments;
    assert_int_equal(PARSE(&arguments, NULL, "a", "--name", "Acme Inc", "b", "--force",
                           "--setting=x=1", "--setting", "y=--z", "--json", "-"),
                     TN_OK);
    assert_int_equal(arguments.word_count, 3);
    assert_string_equal(arguments.words[0], "a");
    assert_string_equal(arguments.words[1], "b");
    assert_string_equal(arguments.words[2], "-");
    assert_string_equal(tn_arguments_value(&arguments, "name"), "Acme Inc");
    assert_true(tn_arguments_has(&arguments, "force"));
    assert_true(tn_arguments_has(&arguments, "json"));
    assert_false(tn_arguments_has(&arguments, "help"));
    assert_null(tn_arguments_value(&arguments, "help"));
    assert_int_equal(arguments.given_count, 5);
    assert_string_equal(arguments.given[2].value, "x=1");
    assert_string_equal(arguments.given[3].value, "y=--z");
    tn_arguments_deinit(&arguments);
}

static void test_values_that_look_like_options(void **state)
{
    tn_arguments_t arguments;
    assert_int_equal(PARSE(&arguments, NULL, "--name", "--force", "--", "--json", "-h", "--"),
                     TN_OK);
    assert_string_equal(tn_arguments_value(&arguments, "name"), "--force");
    assert_false(tn_arguments_has(&arguments, "force"));
    assert_false(tn_arguments_has(&arguments, "json"));
    assert_int_equal(arguments.word_count, 3);
    assert_string_equal(arguments.words[0], "--json");
    assert_string_equal(arguments.words[1], "-h");
    assert_string_equal(arguments.words[2], "--");
    tn_arguments_deinit(&arguments);

    assert_int_equal(PARSE(&arguments, NULL, "--name=", "-h"), TN_OK);
    assert_string_equal(tn_arguments_value(&arguments, "name"), "");
    assert_true(tn_arguments_has(&arguments, "help"));
    tn_arguments_deinit(&arguments);
}

static void test_refused(void **state)
{
    tn_arguments_t arguments;
    tn_err_t err;
    assert_int_equal(PARSE(&arguments, &err, "--nme", "x"), TN_EINVAL);
    assert_string_equal(err.detail, "option '--nme' is unknown");
    assert_int_equal(PARSE(&arguments, &err, "--nme=secret"), TN_EINVAL);
    assert_string_equal(err.detail, "option '--nme' is unknown");
    assert_int_equal(PARSE(&arguments, &err, "-name", "x"), TN_EINVAL);
    assert_string_equal(err.detail, "option '-name' is unknown");
    assert_int_equal(PARSE(&arguments, &err, "-x"), TN_EINVAL);
    assert_int_equal(PARSE(&arguments, &err, "--na", "x"), TN_EINVAL);
    assert_int_equal(PARSE(&arguments, &err, "a", "--name"), TN_EINVAL);
    assert_string_equal(err.detail, "option '--name' needs a value (NAME)");
    assert_int_equal(PARSE(&arguments, &err, "--force=yes"), TN_EINVAL);
    assert_string_equal(err.detail, "option '--force' takes no value");
    assert_int_equal(PARSE(&arguments, &err, "--name", "a", "--name=b"), TN_EINVAL);
    assert_string_equal(err.detail, "option '--name' is there twice");
}

static void test_nothing(void **state)
{
    tn_arguments_t arguments;
    assert_int_equal(tn_arguments_parse(&arguments, NULL, 0, NULL, NULL, NULL), TN_OK);
    assert_int_equal(arguments.word_count, 0);
    tn_arguments_deinit(&arguments);
}

static void check(const char *usage, size_t count, const char *complaint)
{
    const char *words[] = {"one", "two", "three", "four"};
    tn_arguments_t arguments = {.words = words, .word_count = count};
    tn_err_t err;
    if (complaint == NULL) {
        assert_int_equal(tn_arguments_check_words(&arguments, usage, NULL), TN_OK);
    } else {
        assert_int_equal(tn_arguments_check_words(&arguments, usage, &err), TN_EINVAL);
        assert_string_equal(err.detail, complaint);
    }
}

static void test_words(void **state)
{
    check("", 0, NULL);
    check("", 1, "'one' is too much");
    check("REF HOST", 0, "REF is missing");
    check("REF HOST", 1, "HOST is missing");
    check("REF HOST", 2, NULL);
    check("REF HOST", 3, "'three' is too much");
    check("REF [HOST]", 1, NULL);
    check("REF [HOST]", 2, NULL);
    check("REF [HOST]", 3, "'three' is too much");
    check("[REF]", 0, NULL);
    check("[WORD]...", 0, NULL);
    check("[WORD]...", 4, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_values_that_look_like_options),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
