/*
 * Unit tests of the table of subcommands: that it can be told apart, parsed and printed.
 */
#include "cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check_options(const tn_option_t *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        assert_true(option->name[0] != '-' && option->name[0] != '\0');
        assert_int_equal(option->kind == TN_OPTION_SWITCH, option->value == NULL);
        assert_true(option->help[0] != '\0');
    }
}

static void test_table(void **state)
{
    assert_true(tn_command_count > 20);
    check_options(tn_common_options);
    for (size_t i = 0; i < tn_command_count; i++) {
        const tn_command_t *command = &tn_commands[i];
        assert_non_null(command->run);
        assert_non_null(command->arguments);
        /* its help begins with a capital made from a lower-case letter, and ends with a full stop
         */
        assert_true(command->summary[0] >= 'a' && command->summary[0] <= 'z');
        assert_true(command->summary[strlen(command->summary) - 1] != '.');
        check_options(command->options);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(command->words, tn_commands[j].words);
        }
        for (const tn_option_t *option = command->options; option != NULL && option->name != NULL;
             option++) {
            for (const tn_option_t *common = tn_common_options; common->name != NULL; common++) {
                assert_string_not_equal(option->name, common->name);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
