/*
 * Requests and responses; see message.h.
 */
#include "control/message.h"

#include "base/err.h"
#include "base/str.h"
#include "control/percent.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

tn_str_t tn_request_header(const tn_request_t *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (tn_str_equal_nocase(request->headers[i].name, tn_str(name))) {
            return tn_str_trim(request->headers[i].value);
        }
    }
    return TN_STR("");
}

size_t tn_request_header_count(const tn_request_t *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        count += tn_str_equal_nocase(request->headers[i].name, tn_str(name));
    }
    return count;
}

int tn_request_query(char *out, size_t size_bytes, bool *is_given, const tn_request_t *request,
                     const char *name, tn_err_t *err)
{
    const tn_header_t *found = NULL;
    for (size_t i = 0; i < request->query_count; i++) {
        if (!tn_str_equal(request->query[i].name, tn_str(name))) {
            continue;
        }
        if (found != NULL) {
            return tn_err_field(err, TN_EINVAL, name, "given twice");
        }
        found = &request->query[i];
    }
    *is_given = found != NULL;
    out[0] = '\0';
    return found == NULL ? TN_OK
                         : tn_percent_decode(out, size_bytes, found->value, false, name, err);
}

const char *tn_request_address(char buffer[TN_ADDRESS_SIZE], const tn_request_t *request)
{
    tn_str_t value = tn_request_header(request, "X-Forwarded-For");
    unsigned char address[16];
    if (value.length == 0) {
        (void)snprintf(buffer, TN_ADDRESS_SIZE, "local");
    } else if (tn_str_copy(buffer, TN_ADDRESS_SIZE, value) != TN_OK ||
               (inet_pton(AF_INET, buffer, address) != 1 &&
                inet_pton(AF_INET6, buffer, address) != 1)) {
        (void)snprintf(buffer, TN_ADDRESS_SIZE, "unknown");
    }
    return buffer;
}

void tn_response_init(tn_response_t *response)
{
    *response = (tn_response_t){.status = 500};
    tn_buf_init(&response->body);
}

void tn_response_deinit(tn_response_t *response)
{
    tn_buf_deinit(&response->body);
}

void tn_response_header(tn_response_t *response, const char *name, const char *format, ...)
{
    if (response->header_count == TN_RESPONSE_HEADERS_MAX) {
        abort(); /* a route that sets more headers than there is room for is a mistake in it */
    }
    struct tn_response_header *header = &response->headers[response->header_count++];
    header->name = name;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(header->value, sizeof(header->value), format, args);
    va_end(args);
    header->value[strcspn(header->value, "\r\n")] = '\0';
}

int tn_response_json(tn_response_t *response, unsigned status, json_t *document, tn_err_t *err)
{
    char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);
    json_decref(document);
    if (text == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for the answer");
    }
    response->status = status;
    response->content_type = "application/json";
    tn_buf_add_text(&response->body, text);
    tn_buf_add_text(&response->body, "\n");
    free(text);
    return TN_OK;
}

static void set_problem(tn_response_t *response, const tn_problem_t *problem, const char *field)
{
    tn_buf_deinit(&response->body);
    response->problem = problem;
    response->status = problem->status;
    (void)snprintf(response->problem_field, sizeof(response->problem_field), "%s", field);
}

void tn_response_problem(tn_response_t *response, tn_problem_code_t code, const char *format, ...)
{
    set_problem(response, tn_problem_get(code), "");
    va_list args;
    va_start(args, format);
    (void)vsnprintf(response->problem_detail, sizeof(response->problem_detail), format, args);
    va_end(args);
}

void tn_response_error(tn_response_t *response, int code, const tn_err_t *err)
{
    const tn_problem_t *problem = tn_problem_of_error(code);
    bool has_detail = err != NULL && err->code == code && err->detail[0] != '\0';
    set_problem(response, problem, has_detail ? err->field : "");
    (void)snprintf(response->problem_detail, sizeof(response->problem_detail), "%s",
                   has_detail ? err->detail : tn_error_text(code));
}
