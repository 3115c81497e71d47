/*
 * The command's main function: finds the subcommand, parses its arguments, reads the configuration,
 * runs the handler; and the help. The subcommands themselves are in the table of commands.c.
 */
#include "cli/cli.h"

#include "base/err.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"

#include <curl/curl.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const usage = "usage: tenantry [--config FILE] [--json] [--no-color] "
                                 "SUBCOMMAND …\n";

static void print_options(FILE *stream, const tn_option_t *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        char left[64];
        (void)snprintf(left, sizeof(left), "--%s%s%s", option->name,
                       option->value == NULL ? "" : " ",
                       option->value == NULL ? "" : option->value);
        fprintf(stream, "  %-26s %s\n", left, option->help);
    }
}

static void print_command_help(FILE *stream, const tn_command_t *command)
{
    fprintf(stream, "usage: tenantry %s%s%s%s\n\n%c%s.\n", command->words,
            command->arguments[0] == '\0' ? "" : " ", command->arguments,
            command->options == NULL ? "" : " [OPTION]...", command->summary[0] - 'a' + 'A',
            command->summary + 1);
    if (command->details != NULL) {
        fprintf(stream, "\n%s\n", command->details);
    }
    if (command->options != NULL) {
        fprintf(stream, "\noptions:\n");
        print_options(stream, command->options);
    }
    fprintf(stream, "\noptions of every subcommand:\n");
    print_options(stream, tn_common_options);
}

/* The subcommands whose words begin with `family` ("" for all); how many there were. */
static size_t print_commands(FILE *stream, const char *family)
{
    size_t printed = 0;
    size_t length = strlen(family);
    for (size_t i = 0; i < tn_command_count; i++) {
        const char *words = tn_commands[i].words;
        bool is_of_family = length == 0 || (strncmp(words, family, length) == 0 &&
                                            (words[length] == ' ' || words[length] == '\0'));
        if (is_of_family) {
            char left[64];
            (void)snprintf(left, sizeof(left), "%s %s", words, tn_commands[i].arguments);
            fprintf(stream, "  %-26s %s\n", left, tn_commands[i].summary);
            printed++;
        }
    }
    return printed;
}

static void print_help(FILE *stream)
{
    fprintf(stream,
            "%s\nTenantry tells, for every request, whose it is, and tells the application so.\n\n"
            "subcommands:\n",
            usage);
    (void)print_commands(stream, "");
    fprintf(stream, "\noptions:\n");
    print_options(stream, tn_common_options);
    fprintf(stream, "\nexit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 no daemon "
                    "answers,\n4 not permitted, 5 stored but not published to the edge\n");
}

/* The command whose words the first of these are; *used tells how many they were. */
static const tn_command_t *find_command(size_t *used, const char *const *words, size_t count)
{
    for (size_t take = count < 2 ? count : 2; take > 0; take--) {
        char joined[64];
        (void)snprintf(joined, sizeof(joined), "%s%s%s", words[0], take == 2 ? " " : "",
                       take == 2 ? words[1] : "");
        for (size_t i = 0; i < tn_command_count; i++) {
            if (strcmp(tn_commands[i].words, joined) == 0) {
                *used = take;
                return &tn_commands[i];
            }
        }
    }
    return NULL;
}

static int refuse_words(const tn_cli_t *cli, const char *const *words, size_t count)
{
    const char *second = count > 1 ? words[1] : "";
    if (count == 0) {
        print_help(stderr);
        return TN_EXIT_USAGE;
    }
    for (size_t i = 0; i < tn_command_count; i++) {
        size_t length = strcspn(tn_commands[i].words, " ");
        if (strlen(words[0]) == length && strncmp(tn_commands[i].words, words[0], length) == 0) {
            (void)tn_cli_fail(cli, TN_EXIT_USAGE, "usage",
                              count > 1 ? "%s: '%s' is not a subcommand of it"
                                        : "%s: a subcommand is missing%s",
                              words[0], second);
            if (!cli->is_json) {
                (void)print_commands(stderr, words[0]);
            }
            return TN_EXIT_USAGE;
        }
    }
    return tn_cli_fail(cli, TN_EXIT_USAGE, "usage",
                       "'%s' is not a subcommand; 'tenantry help' lists them", words[0]);
}

int tn_run_help(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    size_t used;
    if (arguments->word_count == 0) {
        print_help(stdout);
        return TN_EXIT_OK;
    }
    const tn_command_t *command = find_command(&used, arguments->words, arguments->word_count);
    if (command != NULL) {
        print_command_help(stdout, command);
    } else if (print_commands(stdout, arguments->words[0]) == 0) {
        return refuse_words(cli, arguments->words, 1);
    }
    return TN_EXIT_OK;
}

int tn_run_version(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    if (cli->is_json) {
        printf("{\"version\": \"%s\"}\n", TN_VERSION);
    } else {
        printf("tenantry %s\n", TN_VERSION);
    }
    return TN_EXIT_OK;
}

int tn_run_serve(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    return cli->serve(&cli->conf);
}

static int fail_usage(const tn_cli_t *cli, const tn_err_t *err)
{
    return tn_cli_fail(cli, TN_EXIT_USAGE, "usage", "%s; see 'tenantry %s%s--help'", err->detail,
                       cli->command == NULL ? "" : cli->command->words,
                       cli->command == NULL ? "" : " ");
}

static int run_command(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    tn_err_t err;
    if (tn_arguments_has(arguments, "help")) {
        print_command_help(stdout, cli->command);
        return TN_EXIT_OK;
    }
    if (tn_arguments_check_words(arguments, cli->command->arguments, &err) != TN_OK) {
        return fail_usage(cli, &err);
    }
    if (!cli->command->needs_no_configuration &&
        tn_conf_load(&cli->conf, cli->conf_path, &err) != TN_OK) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "configuration", "%s", err.detail);
    }
    int exit_code = cli->command->run(cli, arguments);
    tn_client_close(cli->client);
    if (!cli->command->needs_no_configuration) {
        tn_conf_deinit(&cli->conf);
    }
    return exit_code;
}

/* The first two strings that may be a subcommand's words: neither options nor --config's value. */
static size_t find_words(const char *found[2], int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc && count < 2; i++) {
        if (argv[i][0] != '-') {
            found[count++] = argv[i];
        } else if (strcmp(argv[i], "--config") == 0) {
            i++;
        }
    }
    return count;
}

static bool has_string(int argc, char **argv, const char *string)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], string) == 0) {
            return true;
        }
    }
    return false;
}

static int run_parsed(tn_cli_t *cli, const tn_arguments_t *arguments)
{
    size_t used = 0;
    /* with the options' values out of the way; the table that was used for them must be the one */
    const tn_command_t *command = find_command(&used, arguments->words, arguments->word_count);
    if (tn_arguments_has(arguments, "version")) {
        return tn_run_version(cli, arguments);
    }
    if (command == NULL && tn_arguments_has(arguments, "help")) {
        return tn_run_help(cli, arguments);
    }
    if (command == NULL || command != cli->command) {
        cli->command = NULL;
        return refuse_words(cli, arguments->words, arguments->word_count);
    }
    tn_arguments_t rest = *arguments;
    rest.words += used;
    rest.word_count -= used;
    return run_command(cli, &rest);
}

static int run_line(tn_cli_t *cli, int argc, char **argv)
{
    const char *words[2];
    size_t used;
    tn_err_t err;
    tn_arguments_t arguments;
    cli->is_json = has_string(argc, argv, "--json"); /* for what fails before they are parsed */
    cli->command = find_command(&used, words, find_words(words, argc, argv));
    if (tn_arguments_parse(&arguments, argv + 1, (size_t)(argc - 1),
                           cli->command == NULL ? NULL : cli->command->options, tn_common_options,
                           &err) != TN_OK) {
        return fail_usage(cli, &err);
    }
    cli->is_json = tn_arguments_has(&arguments, "json");
    cli->has_colour = tn_output_may_colour(stdout, tn_arguments_has(&arguments, "no-color"));
    cli->conf_path = tn_arguments_value(&arguments, "config");
    int exit_code = run_parsed(cli, &arguments);
    tn_arguments_deinit(&arguments);
    return exit_code;
}

int tn_cli_main(int argc, char **argv, tn_cli_serve_fn serve)
{
    tn_cli_t cli = {.serve = serve};
    /* for the width of characters only; numbers and times keep the C locale */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
        (void)setlocale(LC_CTYPE, "");
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        return tn_cli_fail(&cli, TN_EXIT_FAILED, "failed", "libcurl cannot be used");
    }
    int exit_code = run_line(&cli, argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE && exit_code == TN_EXIT_OK) {
        exit_code = tn_cli_fail(&cli, TN_EXIT_FAILED, "failed", "cannot write the output: %s",
                                strerror(errno));
    }
    curl_global_cleanup();
    return exit_code;
}
