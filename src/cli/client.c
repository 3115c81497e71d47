/*
 * HTTP over the daemon's unix socket with libcurl; see client.h.
 */
#include "cli/client.h"

#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/un.h>

#define TOKEN_FILE_MAX 512
#define ANSWER_MAX     ((size_t)64 << 20)

struct tn_client {
    CURL *curl;
    char *socket;
    char *authorization; /* the whole header line, NULL when there is no token */
};

static int read_token(tn_client_t *client, const char *path, tn_err_t *err)
{
    char *text = NULL;
    size_t length;
    tn_err_t cause;
    int code = tn_file_read(&text, &length, path, TOKEN_FILE_MAX, &cause);
    if (code == TN_ENOTFOUND) {
        return TN_OK;
    }
    if (code != TN_OK) {
        return tn_err_set(err, TN_EPERM, "the operator's token: %s", cause.detail);
    }
    tn_str_t token = {text, strcspn(text, "\r\n")};
    if (!tn_str_is_clean_utf8(token) || token.length == 0) {
        code = tn_err_set(err, TN_EPERM, "'%s' holds no operator's token", path);
    } else if (asprintf(&client->authorization, "Authorization: Bearer %.*s", (int)token.length,
                        token.data) < 0) {
        client->authorization = NULL;
        code = tn_err_set(err, TN_ENOMEM, "no memory for the token");
    }
    explicit_bzero(text, length);
    free(text);
    return code;
}

int tn_client_open(tn_client_t **out, const tn_conf_t *conf, tn_err_t *err)
{
    struct sockaddr_un address;
    if (strlen(conf->socket) >= sizeof(address.sun_path)) {
        return tn_err_set(err, TN_EINVAL, "the socket's path '%s' is longer than %zu bytes",
                          conf->socket, sizeof(address.sun_path) - 1);
    }
    tn_client_t *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory for a connection");
    }
    int code = read_token(client, conf->operator_token, err);
    if (code == TN_OK) {
        client->socket = strdup(conf->socket);
        client->curl = curl_easy_init();
        if (client->socket == NULL || client->curl == NULL) {
            code = tn_err_set(err, TN_ENOMEM, "no memory for a connection");
        }
    }
    if (code != TN_OK) {
        tn_client_close(client);
        return code;
    }
    *out = client;
    return TN_OK;
}

void tn_client_close(tn_client_t *client)
{
    if (client == NULL) {
        return;
    }
    if (client->curl != NULL) {
        curl_easy_cleanup(client->curl);
    }
    if (client->authorization != NULL) {
        explicit_bzero(client->authorization, strlen(client->authorization));
        free(client->authorization);
    }
    free(client->socket);
    free(client);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    tn_buf_t *body = context;
    size_t length = size * count;
    if (length > ANSWER_MAX - body->length) {
        return 0;
    }
    tn_buf_add(body, data, length);
    return tn_buf_failed(body) ? 0 : length;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    tn_reply_t *reply = context;
    tn_str_t line = {data, size * count};
    const tn_str_t name = TN_STR("etag:");
    if (line.length > name.length &&
        tn_str_equal_nocase((tn_str_t){line.data, name.length}, name)) {
        tn_str_t value = {line.data + name.length, line.length - name.length};
        while (value.length > 0 &&
               (value.data[value.length - 1] == '\r' || value.data[value.length - 1] == '\n')) {
            value.length--;
        }
        if (tn_str_copy(reply->etag, sizeof(reply->etag), tn_str_trim(value)) != TN_OK) {
            reply->etag[0] = '\0'; /* the caller then writes without a condition */
        }
    }
    return line.length;
}

static bool add_header(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);
    if (longer != NULL) {
        *headers = longer;
    }
    return longer != NULL;
}

static int collect_headers(struct curl_slist **headers, const tn_client_t *client,
                           const tn_call_t *call, tn_err_t *err)
{
    char if_match[96];
    bool ok = add_header(headers, "Accept: application/json") && add_header(headers, "Expect:");
    if (client->authorization != NULL) {
        ok = ok && add_header(headers, client->authorization);
    }
    if (call->body != NULL) {
        ok = ok && add_header(headers, "Content-Type: application/json");
    }
    if (call->if_match != NULL) {
        (void)snprintf(if_match, sizeof(if_match), "If-Match: %s", call->if_match);
        ok = ok && add_header(headers, if_match);
    }
    return ok ? TN_OK : tn_err_set(err, TN_ENOMEM, "no memory for a request");
}

/* What libcurl says, as ours. */
static int translate(const tn_client_t *client, CURLcode result, tn_err_t *err)
{
    long reason = 0;
    (void)curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &reason);
    if (result == CURLE_COULDNT_CONNECT && (reason == EACCES || reason == EPERM)) {
        return tn_err_set(err, TN_EPERM, "this user may not use the daemon's socket '%s'",
                          client->socket);
    }
    if (result == CURLE_COULDNT_CONNECT) {
        return tn_err_set(err, TN_EUNAVAILABLE,
                          "no daemon answers at '%s'; start it with 'tenantry serve' or 'tenantry "
                          "run', or say where it is with --config or TENANTRY_STATE",
                          client->socket);
    }
    return tn_err_set(err, TN_EIO, "the daemon at '%s' did not answer: %s", client->socket,
                      curl_easy_strerror(result));
}

static int perform(tn_reply_t *reply, tn_buf_t *answer, tn_client_t *client, const tn_call_t *call,
                   const char *body, struct curl_slist *headers, tn_err_t *err)
{
    tn_buf_t url;
    tn_buf_init(&url);
    tn_buf_add_format(&url, "http://localhost%s", call->path);
    if (tn_buf_failed(&url)) {
        tn_buf_deinit(&url);
        return tn_err_set(err, TN_ENOMEM, "no memory for a request");
    }
    CURL *curl = client->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
    curl_easy_setopt(curl, CURLOPT_URL, url.data);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* a tenant called '..' is asked for as such */
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 600L); /* a rebuild of millions of tenants takes some */
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    } else if (strcmp(call->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, reply);
    CURLcode result = curl_easy_perform(curl);
    tn_buf_deinit(&url);
    if (result != CURLE_OK) {
        return translate(client, result, err);
    }
    long status = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (int)status;
    return TN_OK;
}

int tn_client_call(tn_reply_t *out, tn_client_t *client, const tn_call_t *call, tn_err_t *err)
{
    tn_reply_t reply = {0};
    struct curl_slist *headers = NULL;
    char *body = NULL;
    tn_buf_t answer;
    tn_buf_init(&answer);
    int code = collect_headers(&headers, client, call, err);
    if (code == TN_OK && call->body != NULL) {
        body = json_dumps(call->body, JSON_COMPACT);
        code = body == NULL ? tn_err_set(err, TN_ENOMEM, "no memory for a request") : TN_OK;
    }
    if (code == TN_OK) {
        code = perform(&reply, &answer, client, call, body, headers, err);
    }
    if (code == TN_OK && answer.length > 0) {
        reply.body = json_loadb(answer.data, answer.length, JSON_REJECT_DUPLICATES, NULL);
        if (reply.body == NULL) {
            code = tn_err_set(err, TN_EIO, "the daemon at '%s' answered %d without JSON",
                              client->socket, reply.status);
        }
    }
    curl_slist_free_all(headers);
    free(body);
    tn_buf_deinit(&answer);
    if (code == TN_OK) {
        *out = reply;
    }
    return code;
}

static void add_escaped(tn_buf_t *out, const char *text)
{
    for (; *text != '\0'; text++) {
        char c = *text;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
        if (is_plain) {
            tn_buf_add(out, &c, 1);
        } else {
            tn_buf_add_format(out, "%%%02X", (unsigned char)c);
        }
    }
}

void tn_client_add_segment(tn_buf_t *path, const char *segment)
{
    tn_buf_add_text(path, "/");
    add_escaped(path, segment);
}

void tn_client_add_query(tn_buf_t *path, const char *name, const char *value)
{
    bool has_query = path->data != NULL && strchr(path->data, '?') != NULL;
    tn_buf_add_format(path, "%s%s=", has_query ? "&" : "?", name);
    add_escaped(path, value);
}
