/*
 * Links to tenants; see origin.h.
 */
#include "control/origin.h"

#include "base/str.h"

static const char *scheme_of(tn_str_t text)
{
    if (tn_str_equal_nocase(text, TN_STR("https"))) {
        return "https";
    }
    return tn_str_equal_nocase(text, TN_STR("http")) ? "http" : NULL;
}

static uint16_t own_port(const char *scheme)
{
    return strcmp(scheme, "https") == 0 ? 443 : 80;
}

static void set_port(tn_origin_t *origin, const tn_host_t *host)
{
    origin->port = host->has_port && host->port != own_port(origin->scheme) ? host->port : 0;
}

void tn_origin_of_conf(tn_origin_t *out, const tn_conf_t *conf)
{
    *out = (tn_origin_t){.scheme = "http", .base = "localhost"};
    if (conf->base_domains.count > 0) {
        out->base = conf->base_domains.items[0];
    }
    const char *url = conf->public_url == NULL ? "" : conf->public_url;
    const char *rest = strstr(url, "://");
    if (rest == NULL) {
        return;
    }
    const char *scheme = scheme_of((tn_str_t){url, (size_t)(rest - url)});
    out->scheme = scheme == NULL ? out->scheme : scheme;
    rest += 3;
    tn_host_t host;
    if (tn_host_parse(&host, rest, strcspn(rest, "/?#")) == TN_OK) {
        set_port(out, &host);
    }
}

/* The longest base domain that host is or lies under, NULL when it is under none. */
static const char *base_of(const tn_conf_t *conf, tn_str_t host)
{
    const char *best = NULL;
    for (size_t i = 0; i < conf->base_domains.count; i++) {
        tn_str_t base = tn_str(conf->base_domains.items[i]);
        bool is_under =
            tn_str_ends(host, base) &&
            (host.length == base.length || host.data[host.length - base.length - 1] == '.');
        if (is_under && (best == NULL || base.length > strlen(best))) {
            best = base.data;
        }
    }
    return best;
}

static void note_public_url(const char *key, const char *value, const char *origin,
                            const char *help, void *context)
{
    if (strcmp(key, "public_url") == 0) {
        *(bool *)context = strcmp(origin, "default") != 0;
    }
}

bool tn_origin_is_configured(const tn_conf_t *conf)
{
    bool is_configured = false;
    tn_conf_each(conf, note_public_url, &is_configured);
    return is_configured;
}

void tn_origin_of_request(tn_origin_t *out, const tn_conf_t *conf, bool is_configured,
                          const tn_request_t *request)
{
    tn_origin_of_conf(out, conf);
    tn_host_t host;
    tn_str_t forwarded = tn_request_header(request, "X-Forwarded-Host");
    if (forwarded.length == 0 || tn_host_parse(&host, forwarded.data, forwarded.length) != TN_OK) {
        return;
    }
    const char *base = base_of(conf, (tn_str_t){host.name, host.length});
    out->base = base == NULL ? out->base : base;
    if (!is_configured) {
        const char *scheme = scheme_of(tn_request_header(request, "X-Forwarded-Proto"));
        out->scheme = scheme == NULL ? out->scheme : scheme;
        set_port(out, &host);
    }
}

void tn_origin_link(tn_buf_t *out, const tn_origin_t *origin, const char *slug)
{
    tn_buf_add_format(out, "%s://%s%s%s", origin->scheme, slug, slug[0] == '\0' ? "" : ".",
                      origin->base);
    if (origin->port != 0) {
        tn_buf_add_format(out, ":%u", origin->port);
    }
}
