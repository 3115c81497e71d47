/*
 * Fuzz target: tn_host_parse over the whole input, and tn_resolve over a request that is read from
 * it: a byte of flags, then host, path and header, each ended by a line feed. The directory is the
 * small one of the unit tests; what it may and may not answer is checked, not only that it
 * survives.
 */
#include "base/str.h"
#include "core/resolve.h"
#include "small_directory.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const tn_directory_t *directory;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    small_directory_t small;
    if (small_directory_open(&small) != 0) {
        exit(1);
    }
    size_t size;
    void *bytes = small_directory_bytes(&size, &small);
    small_directory_close(&small);
    tn_directory_t *opened;
    if (bytes == NULL || tn_directory_open_buffer(&opened, bytes, size, NULL) != TN_OK) {
        exit(1);
    }
    directory = opened; /* to the end of the process, and so are the bytes */
    return 0;
}

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static void check_name(const tn_host_t *host)
{
    must(host->length > 0 && host->length <= TN_HOST_MAX, "a name has 1 to 253 bytes");
    must(strlen(host->name) == host->length, "a name is terminated and has no NUL");
    must(host->has_port == (host->port != 0), "a port that was given is not 0");
    if (host->is_ip) {
        must(strspn(host->name, "0123456789abcdef.:[]") == host->length, "an address is one");
        return;
    }
    size_t label = 0;
    for (size_t i = 0; i <= host->length; i++) {
        char c = host->name[i];
        if (c == '.' || c == '\0') {
            must(label > 0 && label <= 63, "a label has 1 to 63 bytes");
            must(host->name[i - 1] != '-' && host->name[i - label] != '-',
                 "a label has no hyphen at its ends");
            label = 0;
        } else {
            must((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-',
                 "a label is made of lower-case letters, digits and hyphens");
            label++;
        }
    }
}

static void check_parse(const char *text, size_t length)
{
    tn_host_t host, again;
    if (tn_host_parse(&host, text, length) != TN_OK) {
        return;
    }
    check_name(&host);
    must(tn_host_parse(&again, host.name, host.length) == TN_OK &&
             strcmp(host.name, again.name) == 0 && host.is_ip == again.is_ip && !again.has_port,
         "a normalised name is its own normal form");
}

/* Cuts a line off the front of *text. */
static tn_str_t line(tn_str_t *text)
{
    const char *end = text->length == 0 ? NULL : memchr(text->data, '\n', text->length);
    tn_str_t part = {text->data, end == NULL ? text->length : (size_t)(end - text->data)};
    size_t used = part.length + (end != NULL);
    *text = (tn_str_t){text->data + used, text->length - used};
    return part;
}

static void check_redirect(const tn_resolution_t *first)
{
    const tn_resolve_policy_t policy = {TN_STRATEGY_HOST, TN_STR("/t/")};
    const tn_resolve_request_t request = {
        .host = tn_str(first->redirect_host), .path = TN_STR("/"), .header = TN_STR("")};
    tn_resolution_t second;
    tn_resolve(&second, directory, &policy, &request);
    must(second.answer == TN_ANSWER_FOUND, "a redirect leads to a page, not to another redirect");
    must(strcmp(second.tenant.id, first->tenant.id) == 0, "a redirect stays with its tenant");
}

static void check_resolution(const tn_resolution_t *out, const tn_resolve_policy_t *policy,
                             const tn_resolve_request_t *request)
{
    bool has_tenant = out->resolved_by[0] != '\0';
    must(out->answer != TN_ANSWER_UNAVAILABLE, "a good directory is never unavailable");
    must(has_tenant == (out->tenant.id[0] != '\0') &&
             strcmp(out->tenant.id, out->domain.tenant_id) == 0,
         "tenant, domain and strategy are told together");
    must(out->path_consumed <= request->path.length, "no more of the path than there is");
    must((out->path_consumed > 0) == (strcmp(out->resolved_by, "path") == 0),
         "the path is consumed when it named the tenant");
    must((out->redirect_host[0] != '\0') == (out->answer == TN_ANSWER_REDIRECT),
         "a redirect has a target");
    if (strcmp(out->resolved_by, "header") == 0) {
        must(request->is_from_trusted && (policy->strategies & TN_STRATEGY_HEADER) != 0,
             "a header counts only from a trusted address, and when enabled");
    }
    if (strcmp(out->resolved_by, "path") == 0) {
        must((policy->strategies & TN_STRATEGY_PATH) != 0, "a path counts only when enabled");
    }
    if (strcmp(out->resolved_by, "subdomain") == 0 || strcmp(out->resolved_by, "domain") == 0) {
        must((policy->strategies & TN_STRATEGY_HOST) != 0, "a host counts only when enabled");
        must(!out->host.is_ip, "an address is never a tenant's");
    }
    if (out->answer == TN_ANSWER_REDIRECT) {
        check_redirect(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_parse((const char *)data, size);
    if (size == 0) {
        return 0;
    }
    tn_str_t rest = {(const char *)data + 1, size - 1};
    const tn_resolve_policy_t policy = {.strategies = data[0] & 7U,
                                        .path_prefix =
                                            (data[0] & 8) != 0 ? TN_STR("/t/") : TN_STR("/")};
    tn_resolve_request_t request = {.is_from_trusted = (data[0] & 16) != 0};
    request.host = line(&rest);
    request.path = line(&rest);
    request.header = line(&rest);
    check_parse(request.host.data, request.host.length);
    tn_resolution_t out;
    tn_resolve(&out, directory, &policy, &request);
    check_resolution(&out, &policy, &request);
    return 0;
}
