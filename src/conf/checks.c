/*
 * The checks of configuration values; see checks.h.
 */
#include "conf/checks.h"

#include "base/str.h"
#include "core/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void add_path(tn_buf_t *out, tn_str_t path, const char *folder)
{
    if (path.data[0] != '/') {
        while (tn_str_starts(path, TN_STR("./"))) {
            path.data += 2;
            path.length -= 2;
        }
        tn_buf_add_text(out, folder);
        if (!tn_str_equal(path, TN_STR(".")) && path.length > 0) {
            tn_buf_add_text(out, strcmp(folder, "/") == 0 ? "" : "/");
        } else {
            return;
        }
    }
    while (path.length > 1 && path.data[path.length - 1] == '/') {
        path.length--;
    }
    tn_buf_add_str(out, path);
}

const char *tn_conf_check_path(tn_buf_t *out, tn_str_t value, const char *folder)
{
    if (!tn_str_is_clean_utf8(value)) {
        return "a path";
    }
    add_path(out, value, folder);
    return NULL;
}

const char *tn_conf_check_database(tn_buf_t *out, tn_str_t value, const char *folder)
{
    const tn_str_t scheme = TN_STR("sqlite:");
    if (!tn_str_starts(value, scheme) || value.length == scheme.length) {
        return "of the form sqlite:PATH";
    }
    tn_buf_add_str(out, scheme);
    return tn_conf_check_path(
        out, (tn_str_t){value.data + scheme.length, value.length - scheme.length}, folder);
}

const char *tn_conf_check_host(tn_buf_t *out, tn_str_t value, const char *folder)
{
    tn_host_t host;
    if (tn_host_parse(&host, value.data, value.length) != TN_OK || host.is_ip || host.has_port) {
        return "a host name";
    }
    tn_buf_add(out, host.name, host.length);
    return NULL;
}

const char *tn_conf_check_setting_key(tn_buf_t *out, tn_str_t value, const char *folder)
{
    if (!tn_key_is_valid(value)) {
        return "a key: letters, digits, '_', '-' and '.', beginning with a letter";
    }
    tn_buf_add_str(out, value);
    return NULL;
}

const char *tn_conf_check_log_level(tn_buf_t *out, tn_str_t value, const char *folder)
{
    static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (tn_str_equal(value, tn_str(levels[i]))) {
            tn_buf_add_str(out, value);
            return NULL;
        }
    }
    return "one of error, warning, notice, info, debug";
}

const char *tn_conf_check_listen(tn_buf_t *out, tn_str_t value, const char *folder)
{
    if (value.length > 2 && value.data[0] == '[' && value.data[value.length - 1] == ']') {
        value = (tn_str_t){value.data + 1, value.length - 2};
    }
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (tn_str_copy(text, sizeof(text), value) != TN_OK ||
        (strcmp(text, "localhost") != 0 && inet_pton(AF_INET, text, &address) != 1 &&
         inet_pton(AF_INET6, text, &address) != 1)) {
        return "localhost or an IP address";
    }
    tn_buf_add_str(out, value);
    return NULL;
}

const char *tn_conf_check_url(tn_buf_t *out, tn_str_t value, const char *folder)
{
    static const char *const form =
        "of the form http://HOST or https://HOST, with or without :PORT";
    tn_str_t rest = value;
    if (tn_str_ends(rest, TN_STR("/"))) {
        rest.length--;
    }
    size_t scheme = tn_str_starts(rest, TN_STR("http://"))    ? 7
                    : tn_str_starts(rest, TN_STR("https://")) ? 8
                                                              : 0;
    tn_host_t host;
    if (scheme == 0 || tn_host_parse(&host, rest.data + scheme, rest.length - scheme) != TN_OK) {
        return form;
    }
    tn_buf_add_str(out, rest);
    return NULL;
}

const char *tn_conf_check_upstream(tn_buf_t *out, tn_str_t value, const char *folder)
{
    const tn_str_t scheme = TN_STR("unix:");
    if (tn_str_starts(value, scheme) && value.length > scheme.length) {
        tn_buf_add_str(out, scheme);
        return tn_conf_check_path(
            out, (tn_str_t){value.data + scheme.length, value.length - scheme.length}, folder);
    }
    tn_host_t host;
    if (tn_host_parse(&host, value.data, value.length) != TN_OK || !host.has_port ||
        host.port == 0) {
        return "of the form unix:PATH or HOST:PORT";
    }
    tn_buf_add_str(out, value);
    return NULL;
}

/* The template ends up between double quotes in nginx's configuration: only bytes that mean
 * themselves there, and variables. */
const char *tn_conf_check_rewrite(tn_buf_t *out, tn_str_t value, const char *folder)
{
    if (!tn_str_equal(value, TN_STR("off"))) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789/$_{}.~-";
        if (value.data[0] != '/') {
            return "off, or a path such as /$tenant_domain$uri";
        }
        for (size_t i = 0; i < value.length; i++) {
            if (strchr(allowed, value.data[i]) == NULL) {
                return "a path of letters, digits, '/', '.', '_', '~', '-' and $variables";
            }
        }
    }
    tn_buf_add_str(out, value);
    return NULL;
}
