/*
 * The rules of resolution; see resolve.h.
 */
#include "core/resolve.h"

#include "base/str.h"
#include "base/uuid.h"
#include "core/directory.h"
#include "core/domain.h"

static const char *const answer_names[] = {
    [TN_ANSWER_FOUND] = "found",
    [TN_ANSWER_PLATFORM] = "platform",
    [TN_ANSWER_UNKNOWN] = "unknown",
    [TN_ANSWER_UNAVAILABLE] = "unavailable",
    [TN_ANSWER_INVALID_HOST] = "invalid_host",
    [TN_ANSWER_REDIRECT] = "redirect",
    [TN_ANSWER_MAINTENANCE] = "maintenance",
    [TN_ANSWER_SUSPENDED] = "suspended",
    [TN_ANSWER_ARCHIVED] = "archived",
};

const char *tn_answer_name(tn_answer_t answer)
{
    size_t count = sizeof(answer_names) / sizeof(answer_names[0]);
    const char *name = (size_t)answer < count ? answer_names[answer] : NULL;
    return name == NULL ? "unknown" : name;
}

/* What a look-up that did not succeed means to a visitor: only a certain "no" is a 404. */
static tn_answer_t answer_of_failure(int code)
{
    return code == TN_ENOTFOUND ? TN_ANSWER_UNKNOWN : TN_ANSWER_UNAVAILABLE;
}

static tn_answer_t answer_of_status(tn_tenant_status_t status)
{
    switch (status) {
    case TN_STATUS_ACTIVE:
        return TN_ANSWER_FOUND;
    case TN_STATUS_MAINTENANCE:
        return TN_ANSWER_MAINTENANCE;
    case TN_STATUS_SUSPENDED:
        return TN_ANSWER_SUSPENDED;
    case TN_STATUS_ARCHIVED:
        return TN_ANSWER_ARCHIVED;
    }
    return TN_ANSWER_UNAVAILABLE; /* a status that this version does not know: let nobody in */
}

static bool is_enabled(const tn_resolve_policy_t *policy, enum tn_strategy strategy)
{
    return (policy->strategies & strategy) != 0;
}

/*
 * Whether a request at `target` would come to the same tenant: TN_OK, TN_ENOTFOUND when it would
 * not (nobody's, somebody else's, below a base domain that shadows it), or TN_EUNAVAILABLE. A
 * redirect that does not pass this would lead nowhere, or to strangers.
 */
static int leads_to(const tn_directory_t *directory, const tn_tenant_t *tenant, const char *target)
{
    tn_host_t host;
    tn_domain_t domain;
    tn_tenant_t other;
    if (tn_host_parse(&host, target, strlen(target)) != TN_OK) {
        return TN_ENOTFOUND;
    }
    int code = tn_domain_lookup(&domain, &other, directory, &host);
    if (code != TN_OK) {
        return code;
    }
    return strcmp(domain.tenant_id, tenant->id) == 0 ? TN_OK : TN_ENOTFOUND;
}

/* CURRENTSLUG.BASE, where BASE is the one the request came in by. */
static int current_subdomain(char target[TN_HOST_MAX + 1], const tn_domain_t *domain)
{
    const char *base = domain->host.name + domain->host.length - domain->base_length;
    size_t slug_length = strlen(domain->slug);
    if (slug_length + 1 + domain->base_length > TN_HOST_MAX) {
        return TN_ENOTFOUND;
    }
    memcpy(target, domain->slug, slug_length);
    target[slug_length] = '.';
    memcpy(target + slug_length + 1, base, domain->base_length);
    target[slug_length + 1 + domain->base_length] = '\0';
    return TN_OK;
}

/*
 * Where an active tenant's request has to go first, if anywhere. The primary domain comes before
 * the current slug, so that one redirect is enough: neither of the two redirects again. A former
 * slug never serves content itself.
 */
static tn_answer_t redirect_or_serve(tn_resolution_t *out, const tn_directory_t *directory)
{
    const tn_tenant_t *tenant = &out->tenant;
    char target[TN_HOST_MAX + 1];
    int code = TN_ENOTFOUND;
    if (tenant->redirects_to_primary) {
        if (tn_str_equal(tenant->primary_host, tn_str(out->domain.host.name))) {
            return TN_ANSWER_FOUND;
        }
        if (tn_str_copy(target, sizeof(target), tenant->primary_host) == TN_OK) {
            code = leads_to(directory, tenant, target);
        }
    }
    if (code == TN_ENOTFOUND) {
        if (!out->domain.is_former_slug) {
            return TN_ANSWER_FOUND;
        }
        code = current_subdomain(target, &out->domain);
        if (code == TN_OK) {
            code = leads_to(directory, tenant, target);
        }
    }
    if (code != TN_OK) {
        return answer_of_failure(code);
    }
    memcpy(out->redirect_host, target, strlen(target) + 1);
    return TN_ANSWER_REDIRECT;
}

/* Without the host strategy only one thing is asked of a host: is it the platform's own? */
static int find_platform(const tn_directory_t *directory, const tn_host_t *host)
{
    size_t base_length, label_length;
    int code = host->is_ip ? TN_ENOTFOUND
                           : tn_directory_split_host(&base_length, &label_length, directory,
                                                     (tn_str_t){host->name, host->length});
    return code == TN_OK && label_length > 0 ? TN_ENOTFOUND : code;
}

/* The host strategy. True when it has answered; false on the platform's own host. */
static bool by_host(tn_resolution_t *out, const tn_directory_t *directory,
                    const tn_resolve_policy_t *policy)
{
    int code;
    if (is_enabled(policy, TN_STRATEGY_HOST)) {
        code = tn_domain_lookup(&out->domain, &out->tenant, directory, &out->host);
    } else {
        code = find_platform(directory, &out->host);
        tn_domain_set_platform(&out->domain, &out->host);
    }
    if (code != TN_OK) {
        out->answer = answer_of_failure(code);
        return true;
    }
    if (out->domain.kind == TN_DOMAIN_PLATFORM) {
        return false;
    }
    out->resolved_by = out->domain.kind == TN_DOMAIN_CUSTOM ? "domain" : "subdomain";
    out->answer = answer_of_status(out->tenant.status);
    if (out->answer == TN_ANSWER_FOUND) {
        out->answer = redirect_or_serve(out, directory);
    }
    return true;
}

/* What the path and header strategies have in common once they have asked for a tenant. */
static void take(tn_resolution_t *out, int code, const char *resolved_by, const tn_tenant_t *tenant,
                 tn_str_t slug)
{
    if (code == TN_OK) {
        code = tn_domain_set_tenant(&out->domain, tenant, slug);
    }
    if (code != TN_OK) {
        out->answer = answer_of_failure(code);
        return;
    }
    out->tenant = *tenant;
    out->resolved_by = resolved_by;
    out->answer = answer_of_status(tenant->status);
}

/* PREFIX/SLUG or PREFIX/SLUG/…; true when the path begins with the prefix and names something. */
static bool by_path(tn_resolution_t *out, const tn_directory_t *directory, tn_str_t prefix,
                    tn_str_t path)
{
    if (prefix.length == 0 || path.length == prefix.length || !tn_str_starts(path, prefix)) {
        return false;
    }
    tn_str_t slug = {path.data + prefix.length, path.length - prefix.length};
    const char *end = memchr(slug.data, '/', slug.length);
    if (end != NULL) {
        slug.length = (size_t)(end - slug.data);
    }
    tn_tenant_t tenant;
    int code = tn_directory_by_slug(&tenant, directory, slug);
    take(out, code, "path", &tenant, slug);
    if (out->resolved_by[0] != '\0') {
        out->path_consumed = prefix.length + slug.length;
    }
    return true;
}

/* A UUID is always taken as an id, so that no slug can be made to look like somebody's id. */
static bool by_header(tn_resolution_t *out, const tn_directory_t *directory, tn_str_t value)
{
    if (value.length == 0) {
        return false;
    }
    tn_tenant_t tenant;
    tn_uuid_t id;
    if (tn_uuid_parse(&id, value) == TN_OK) {
        int code = tn_directory_by_id(&tenant, directory, id.bytes);
        take(out, code, "header", &tenant, TN_STR(""));
    } else {
        int code = tn_directory_by_slug(&tenant, directory, value);
        take(out, code, "header", &tenant, value);
    }
    return true;
}

/* Everything but the texts, of which the first byte is enough: they are the most of a kilobyte. */
static void clear(tn_resolution_t *out)
{
    out->answer = TN_ANSWER_INVALID_HOST;
    out->resolved_by = "";
    out->host.name[0] = '\0';
    out->host.length = 0;
    out->host.is_ip = false;
    out->host.has_port = false;
    out->host.port = 0;
    tn_domain_set_platform(&out->domain, &out->host);
    out->tenant = (tn_tenant_t){0};
    out->redirect_host[0] = '\0';
    out->path_consumed = 0;
}

void tn_resolve(tn_resolution_t *out, const tn_directory_t *directory,
                const tn_resolve_policy_t *policy, const tn_resolve_request_t *request)
{
    clear(out);
    if (tn_host_parse(&out->host, request->host.data, request->host.length) != TN_OK) {
        return;
    }
    if (by_host(out, directory, policy)) {
        return;
    }
    if (is_enabled(policy, TN_STRATEGY_PATH) &&
        by_path(out, directory, policy->path_prefix, request->path)) {
        return;
    }
    if (is_enabled(policy, TN_STRATEGY_HEADER) && request->is_from_trusted &&
        by_header(out, directory, request->header)) {
        return;
    }
    out->answer = TN_ANSWER_PLATFORM;
}
