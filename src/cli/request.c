/*
 * Calling the API on behalf of a subcommand, and saying what went wrong; declared in command.h.
 */
#include "base/buf.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say_problem(const char *code, const char *detail)
{
    json_t *problem =
        json_pack("{s:o, s:s, s:s, s:s}", "type", json_sprintf("urn:tenantry:problem:%s", code),
                  "title", detail, "detail", detail, "code", code);
    if (problem != NULL) {
        tn_output_json(stderr, problem);
        json_decref(problem);
    }
}

static void say_text(const tn_cli_t *cli, const char *detail)
{
    tn_buf_t clean;
    tn_buf_init(&clean);
    tn_output_clean(&clean, detail);
    fprintf(stderr, "tenantry: %s%s%s\n", cli->command == NULL ? "" : cli->command->words,
            cli->command == NULL ? "" : ": ", clean.data == NULL ? "" : clean.data);
    tn_buf_deinit(&clean);
}

int tn_cli_fail(const tn_cli_t *cli, int exit_code, const char *problem_code, const char *format,
                ...)
{
    va_list args;
    va_start(args, format);
    char *detail;
    if (vasprintf(&detail, format, args) < 0) {
        detail = NULL;
    }
    va_end(args);
    const char *text = detail == NULL ? tn_error_text(TN_ENOMEM) : detail;
    if (cli->is_json) {
        say_problem(problem_code, text);
    } else {
        say_text(cli, text);
    }
    free(detail);
    return exit_code;
}

int tn_cli_fail_err(const tn_cli_t *cli, const tn_err_t *err)
{
    static const struct {
        int code;
        int exit_code;
        const char *problem;
    } exits[] = {
        {TN_EUNAVAILABLE, TN_EXIT_UNREACHABLE, "daemon_unreachable"},
        {TN_EPERM, TN_EXIT_DENIED, "not_permitted"},
        {TN_EAUTH, TN_EXIT_DENIED, "unauthenticated"},
        {TN_EINVAL, TN_EXIT_USAGE, "invalid"},
    };
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
        if (exits[i].code == err->code) {
            return tn_cli_fail(cli, exits[i].exit_code, exits[i].problem, "%s", err->detail);
        }
    }
    return tn_cli_fail(cli, TN_EXIT_FAILED, "failed", "%s", err->detail);
}

int tn_cli_fail_reply(const tn_cli_t *cli, const tn_reply_t *reply)
{
    int exit_code = reply->status == 401 || reply->status == 403 ? TN_EXIT_DENIED : TN_EXIT_FAILED;
    if (cli->is_json && json_is_object(reply->body)) {
        tn_output_json(stderr, reply->body);
        return exit_code;
    }
    const char *detail = json_string_value(json_object_get(reply->body, "detail"));
    const char *title = json_string_value(json_object_get(reply->body, "title"));
    if (reply->status == 401) {
        return tn_cli_fail(cli, exit_code, "unauthenticated",
                           "the daemon does not take the operator's token in '%s'%s%s",
                           cli->conf.operator_token, detail == NULL ? "" : ": ",
                           detail == NULL ? "" : detail);
    }
    if (detail == NULL && title == NULL) {
        return tn_cli_fail(cli, exit_code, "failed", "the daemon answered %d", reply->status);
    }
    /* the detail may leave it to the field to say what it is about */
    const char *field = tn_output_text(reply->body, "field");
    const char *text = detail != NULL ? detail : title;
    bool is_named = field[0] == '\0' || strstr(text, field) != NULL;
    return tn_cli_fail(cli, exit_code, "failed", "%s%s%s", is_named ? "" : field,
                       is_named ? "" : ": ", text);
}

int tn_cli_ask(tn_reply_t *out, tn_cli_t *cli, const tn_request_t *request, tn_err_t *err)
{
    int code = TN_OK;
    tn_buf_t path;
    tn_buf_init(&path);
    for (size_t i = 0; request->segments[i] != NULL; i++) {
        tn_client_add_segment(&path, request->segments[i]);
    }
    for (size_t i = 0; i < sizeof(request->query) / sizeof(request->query[0]); i++) {
        if (request->query[i].value != NULL) {
            tn_client_add_query(&path, request->query[i].name, request->query[i].value);
        }
    }
    char *text = tn_buf_take(&path, NULL);
    if (text == NULL) {
        json_decref(request->body);
        err->code = TN_ENOMEM;
        (void)snprintf(err->detail, sizeof(err->detail), "no memory for a request");
        return TN_ENOMEM;
    }
    if (cli->client == NULL) {
        code = tn_client_open(&cli->client, &cli->conf, err);
    }
    if (code == TN_OK) {
        tn_call_t call = {request->method, text, request->body, request->if_match};
        code = tn_client_call(out, cli->client, &call, err);
    }
    json_decref(request->body);
    free(text);
    return code;
}

int tn_cli_call(json_t **out, tn_cli_t *cli, const tn_request_t *request)
{
    tn_reply_t reply;
    tn_err_t err;
    if (tn_cli_ask(&reply, cli, request, &err) != TN_OK) {
        return tn_cli_fail_err(cli, &err);
    }
    if (reply.status >= 300 || reply.status < 200) {
        int exit_code = tn_cli_fail_reply(cli, &reply);
        json_decref(reply.body);
        return exit_code;
    }
    if (out != NULL) {
        *out = reply.body;
    } else {
        json_decref(reply.body);
    }
    return TN_EXIT_OK;
}

/* Moves one page's items over, at most `left` of them; the cursor of the next page, or NULL. */
static const char *take_page(json_t *items, const json_t *page, const char *key, size_t left)
{
    const json_t *more = json_object_get(page, key);
    for (size_t i = 0; i < json_array_size(more) && i < left; i++) {
        (void)json_array_append(items, json_array_get(more, i));
    }
    return json_string_value(json_object_get(page, "nextCursor"));
}

int tn_cli_collect(json_t **out, tn_cli_t *cli, const tn_request_t *request, const char *key,
                   size_t limit)
{
    enum { PAGE = 500, PAGES_MAX = 100000 };
    json_t *items = json_array();
    json_t *page = NULL;
    const char *cursor = NULL;
    int exit_code = TN_EXIT_OK;
    for (size_t pages = 0; pages < PAGES_MAX; pages++) {
        size_t left = limit == 0 ? PAGE : limit - json_array_size(items);
        char number[24];
        (void)snprintf(number, sizeof(number), "%zu", left < PAGE ? left : (size_t)PAGE);
        tn_request_t next = *request;
        next.query[0].name = "limit";
        next.query[0].value = number;
        next.query[1].name = "cursor";
        next.query[1].value = cursor;
        json_t *answer = NULL;
        exit_code = tn_cli_call(&answer, cli, &next);
        json_decref(page); /* the cursor was in it */
        page = answer;
        if (exit_code != TN_EXIT_OK) {
            break;
        }
        cursor = take_page(items, page, key, left);
        if (cursor == NULL || (limit > 0 && json_array_size(items) >= limit)) {
            break;
        }
    }
    if (exit_code == TN_EXIT_OK) {
        *out = json_pack("{s:o, s:s?}", key, items, "nextCursor", cursor);
        exit_code = *out != NULL
                        ? TN_EXIT_OK
                        : tn_cli_fail(cli, TN_EXIT_FAILED, "failed", "no memory for the list");
    } else {
        json_decref(items);
    }
    json_decref(page);
    return exit_code;
}

static void __attribute__((format(printf, 1, 0))) say_done(const char *format, va_list args)
{
    char *text;
    tn_buf_t clean;
    tn_buf_init(&clean);
    if (vasprintf(&text, format, args) >= 0) {
        tn_output_clean(&clean, text);
        free(text);
    }
    puts(clean.data == NULL ? "done" : clean.data); /* main asks ferror(stdout) at the end */
    tn_buf_deinit(&clean);
}

int tn_cli_done(tn_cli_t *cli, json_t *answer, const char *format, ...)
{
    if (cli->is_json) {
        tn_output_json(stdout, answer);
    } else {
        va_list args;
        va_start(args, format);
        say_done(format, args);
        va_end(args);
    }
    int exit_code = TN_EXIT_OK;
    if (json_is_false(json_object_get(answer, "published"))) {
        const char *reason = json_string_value(json_object_get(answer, "publishError"));
        exit_code = tn_cli_fail(cli, TN_EXIT_UNPUBLISHED, "unpublished",
                                "stored, but the edge does not know it yet: %s",
                                reason == NULL ? "publishing failed" : reason);
    }
    json_decref(answer);
    return exit_code;
}

int tn_cli_print_table(const tn_cli_t *cli, tn_table_t *table)
{
    bool printed = tn_table_print(table, stdout, cli->has_colour);
    tn_table_deinit(table);
    return printed ? TN_EXIT_OK
                   : tn_cli_fail(cli, TN_EXIT_FAILED, "failed", "no memory for the table");
}

int tn_cli_number(size_t *out, const tn_cli_t *cli, const tn_arguments_t *arguments,
                  const char *option, size_t fallback, size_t max)
{
    const char *text = tn_arguments_value(arguments, option);
    uint64_t number = fallback;
    if (text != NULL && (tn_str_number(&number, tn_str(text), max) != TN_OK || number == 0)) {
        return tn_cli_fail(cli, TN_EXIT_USAGE, "usage",
                           "option '--%s': '%s' is not a number from 1 to %zu", option, text, max);
    }
    *out = (size_t)number;
    return TN_EXIT_OK;
}
