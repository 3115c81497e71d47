
/*
 * Whose request it is: what the request says (its Host, and what a trusted
 * proxy adds to it) is put before tn_resolve() once, and the answer is kept
 * with the request.
 */


#include "ngx_http_tenantry_module.h"


/* what a request says of itself; strings point into it */

typedef struct {
    tn_str_t       host;
    tn_str_t       header;
    unsigned       https:1;
    unsigned       conflict:1;   /* it names more than one host or tenant */
} ngx_http_tenantry_claim_t;


/* what a trusted proxy says of it */

typedef struct {
    ngx_str_t      x_host;       /* X-Forwarded-Host */
    ngx_str_t      x_proto;
    ngx_str_t      host;         /* Forwarded */
    ngx_str_t      proto;
    ngx_str_t      header;       /* that names a tenant */
    unsigned       conflict:1;
} ngx_http_tenantry_forwarded_t;


static void ngx_http_tenantry_claim_host(ngx_http_request_t *r,
    ngx_http_tenantry_claim_t *claim);
static ngx_uint_t ngx_http_tenantry_same_host(ngx_str_t *one, ngx_str_t *two);
static void ngx_http_tenantry_claim_forwarded(ngx_http_request_t *r,
    ngx_http_tenantry_srv_conf_t *tscf, ngx_http_tenantry_claim_t *claim);
static void ngx_http_tenantry_read_forwarded(ngx_http_request_t *r,
    ngx_http_tenantry_srv_conf_t *tscf, ngx_http_tenantry_forwarded_t *fwd);
static ngx_uint_t ngx_http_tenantry_same_name(ngx_str_t *one, ngx_str_t *two);
static ngx_str_t ngx_http_tenantry_last_element(ngx_str_t *list);
static void ngx_http_tenantry_forwarded_element(ngx_str_t *list,
    ngx_str_t *host, ngx_str_t *proto);
static ngx_int_t ngx_http_tenantry_keep(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx, tn_resolution_t *res);
static void ngx_http_tenantry_trim(ngx_str_t *s);


ngx_http_tenantry_ctx_t *
ngx_http_tenantry_resolve(ngx_http_request_t *r)
{
    tn_resolution_t                 res;
    tn_resolve_policy_t             policy;
    tn_resolve_request_t            request;
    ngx_http_tenantry_ctx_t        *ctx;
    ngx_http_tenantry_claim_t       claim;
    ngx_http_tenantry_worker_t     *worker;
    ngx_http_tenantry_srv_conf_t   *tscf;
    ngx_http_tenantry_main_conf_t  *tmcf;

    ctx = ngx_http_tenantry_create_ctx(r);
    if (ctx == NULL) {
        return NULL;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tenantry_module);
    tscf = ngx_http_get_module_srv_conf(r, ngx_http_tenantry_module);

    ctx->peer = r->connection->addr_text;
    ctx->trusted = (tscf->trusted
                    && ngx_cidr_match(r->connection->sockaddr, tscf->trusted)
                       == NGX_OK);

    ngx_memzero(&claim, sizeof(ngx_http_tenantry_claim_t));
    claim.host.data = "";
    claim.header.data = "";
    claim.https = ctx->https;

    ngx_http_tenantry_claim_host(r, &claim);

    if (ctx->trusted) {
        ngx_http_tenantry_claim_forwarded(r, tscf, &claim);
    }

    ctx->https = claim.https;

    if (claim.conflict) {
        ctx->answer = TN_ANSWER_INVALID_HOST;
        return ctx;
    }

    worker = &tmcf->worker;

    if (worker->directory == NULL) {
        ctx->answer = TN_ANSWER_UNAVAILABLE;
        ngx_http_tenantry_directory_report(tmcf, ctx->answer);
        return ctx;
    }

    tn_directory_refresh(worker->directory, (int64_t) ngx_current_msec);

    policy.strategies = tscf->strategies;
    policy.path_prefix.data = (char *) tscf->path_prefix.data;
    policy.path_prefix.length = tscf->path_prefix.len;

    request.host = claim.host;
    request.path.data = (char *) r->uri.data;
    request.path.length = r->uri.len;
    request.header = claim.header;
    request.is_from_trusted = ctx->trusted;

    tn_resolve(&res, worker->directory, &policy, &request);

    if (res.answer == TN_ANSWER_UNAVAILABLE || worker->down) {
        ngx_http_tenantry_directory_report(tmcf, res.answer);
    }

    if (ngx_http_tenantry_keep(r, ctx, &res) != NGX_OK) {
        return NULL;
    }

    return ctx;
}


/*
 * The authority of the request target takes precedence over the Host header
 * (RFC 9112, section 3.2.2), but a client must send the same in both; when it
 * does not, no application may be left to choose another one than we do.
 */

static void
ngx_http_tenantry_claim_host(ngx_http_request_t *r,
    ngx_http_tenantry_claim_t *claim)
{
    u_char     *p;
    ngx_str_t   host, target;

    ngx_str_null(&host);
    ngx_str_null(&target);

    if (r->headers_in.host) {
        host = r->headers_in.host->value;
    }

    if (r->host_start && r->host_end) {

        p = r->host_end;

        if (r->http_version < NGX_HTTP_VERSION_20
            && p < r->request_end && *p == ':')
        {
            do {
                p++;
            } while (p < r->request_end && *p >= '0' && *p <= '9');
        }

        target.data = r->host_start;
        target.len = p - r->host_start;

        if (r->headers_in.host && !ngx_http_tenantry_same_host(&target, &host))
        {
            claim->conflict = 1;
        }

        host = target;
    }

    if (host.len) {
        claim->host.data = (char *) host.data;
        claim->host.length = host.len;
    }
}


static ngx_uint_t
ngx_http_tenantry_same_host(ngx_str_t *one, ngx_str_t *two)
{
    tn_host_t  a, b;

    if (one->len == two->len
        && ngx_strncmp(one->data, two->data, one->len) == 0)
    {
        return 1;
    }

    return tn_host_parse(&a, (char *) one->data, one->len) == TN_OK
           && tn_host_parse(&b, (char *) two->data, two->len) == TN_OK
           && a.length == b.length
           && ngx_memcmp(a.name, b.name, a.length) == 0;
}


/*
 * What a trusted proxy says of the visitor's request. One that sets
 * X-Forwarded-Host may pass on what a visitor wrote in Forwarded, and the
 * other way round: where they contradict each other none is believed.
 */

static void
ngx_http_tenantry_claim_forwarded(ngx_http_request_t *r,
    ngx_http_tenantry_srv_conf_t *tscf, ngx_http_tenantry_claim_t *claim)
{
    ngx_str_t                      *host, *proto;
    ngx_http_tenantry_forwarded_t   fwd;

    ngx_memzero(&fwd, sizeof(ngx_http_tenantry_forwarded_t));

    ngx_http_tenantry_read_forwarded(r, tscf, &fwd);

    if (fwd.conflict
        || (fwd.x_host.len && fwd.host.len
            && !ngx_http_tenantry_same_host(&fwd.x_host, &fwd.host)))
    {
        claim->conflict = 1;
        return;
    }

    host = fwd.x_host.len ? &fwd.x_host : &fwd.host;
    proto = fwd.x_proto.len ? &fwd.x_proto : &fwd.proto;

    if (host->len) {
        claim->host.data = (char *) host->data;
        claim->host.length = host->len;
    }

    if (proto->len == 5
        && ngx_strncasecmp(proto->data, (u_char *) "https", 5) == 0)
    {
        claim->https = 1;

    } else if (proto->len == 4
               && ngx_strncasecmp(proto->data, (u_char *) "http", 4) == 0)
    {
        claim->https = 0;
    }

    if (fwd.header.len) {
        claim->header.data = (char *) fwd.header.data;
        claim->header.length = fwd.header.len;
    }
}


/*
 * Of a list only the last element is that proxy's own word, whatever stands
 * before it was in the request that it received.
 */

static void
ngx_http_tenantry_read_forwarded(ngx_http_request_t *r,
    ngx_http_tenantry_srv_conf_t *tscf, ngx_http_tenantry_forwarded_t *fwd)
{
    ngx_str_t         *key, *value;
    ngx_uint_t         i;
    ngx_list_part_t   *part;
    ngx_table_elt_t   *h;

    static ngx_str_t  x_host = ngx_string("X-Forwarded-Host");
    static ngx_str_t  x_proto = ngx_string("X-Forwarded-Proto");
    static ngx_str_t  forwarded = ngx_string("Forwarded");

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        key = &h[i].key;
        value = &h[i].value;

        if (ngx_http_tenantry_same_name(key, &tscf->header)) {

            if (fwd->header.data
                && (fwd->header.len != value->len
                    || ngx_memcmp(fwd->header.data, value->data, value->len)
                       != 0))
            {
                fwd->conflict = 1;
            }

            fwd->header = *value;

        } else if (ngx_http_tenantry_same_name(key, &x_host)) {
            fwd->x_host = ngx_http_tenantry_last_element(value);

        } else if (ngx_http_tenantry_same_name(key, &x_proto)) {
            fwd->x_proto = ngx_http_tenantry_last_element(value);

        } else if (ngx_http_tenantry_same_name(key, &forwarded)) {
            ngx_http_tenantry_forwarded_element(value, &fwd->host,
                                                &fwd->proto);
        }
    }
}


static ngx_uint_t
ngx_http_tenantry_same_name(ngx_str_t *one, ngx_str_t *two)
{
    return one->len == two->len
           && ngx_strncasecmp(one->data, two->data, one->len) == 0;
}


static ngx_str_t
ngx_http_tenantry_last_element(ngx_str_t *list)
{
    u_char     *p;
    ngx_str_t   last;

    last = *list;

    for (p = list->data + list->len; p > list->data; p--) {

        if (p[-1] == ',') {
            last.data = p;
            last.len = list->data + list->len - p;
            break;
        }
    }

    ngx_http_tenantry_trim(&last);

    return last;
}


/*
 * host and proto of the last element of a Forwarded header, RFC 7239,
 * section 4: elements by ",", parameters by ";", values bare or quoted.
 */

static void
ngx_http_tenantry_forwarded_element(ngx_str_t *list, ngx_str_t *host,
    ngx_str_t *proto)
{
    u_char      *p, *last, *start, *equals;
    ngx_str_t    name, value;
    ngx_uint_t   quoted;

    p = list->data;
    last = list->data + list->len;

    start = p;
    equals = NULL;
    quoted = 0;

    for ( ;; p++) {

        if (p < last) {

            if (quoted && *p == '\\' && p + 1 < last) {
                p++;
                continue;
            }

            if (*p == '"') {
                quoted = !quoted;
                continue;
            }

            if (quoted) {
                continue;
            }

            if (*p == '=' && equals == NULL) {
                equals = p;
                continue;
            }

            if (*p != ';' && *p != ',') {
                continue;
            }
        }

        if (equals) {
            name.data = start;
            name.len = equals - start;
            value.data = equals + 1;
            value.len = p - equals - 1;

            ngx_http_tenantry_trim(&name);
            ngx_http_tenantry_trim(&value);

            if (value.len >= 2 && value.data[0] == '"'
                && value.data[value.len - 1] == '"')
            {
                value.data++;
                value.len -= 2;
            }

            if (name.len == 4
                && ngx_strncasecmp(name.data, (u_char *) "host", 4) == 0)
            {
                *host = value;

            } else if (name.len == 5
                       && ngx_strncasecmp(name.data, (u_char *) "proto", 5)
                          == 0)
            {
                *proto = value;
            }
        }

        if (p == last) {
            return;
        }

        if (*p == ',') {
            ngx_str_null(host);
            ngx_str_null(proto);
        }

        start = p + 1;
        equals = NULL;
    }
}


/*
 * Copies what is needed after the directory may have moved on: the tenant's
 * record and behind it the texts of the host.
 */

static ngx_int_t
ngx_http_tenantry_keep(ngx_http_request_t *r, ngx_http_tenantry_ctx_t *ctx,
    tn_resolution_t *res)
{
    u_char  *p, *last;
    size_t   len, size;

    ctx->answer = res->answer;

    if (res->answer == TN_ANSWER_INVALID_HOST) {
        return NGX_OK;
    }

    ctx->known = (res->resolved_by[0] != '\0');

    size = ctx->known ? res->tenant.record_size : 0;
    len = (res->answer == TN_ANSWER_REDIRECT) ? ngx_strlen(res->redirect_host)
                                              : 0;

    p = ngx_palloc(r->pool, size + len + res->host.length
                            + NGX_HTTP_TENANTRY_PORT_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (ctx->known) {
        ngx_memcpy(p, res->tenant.record, size);
        tn_tenant_rebase(&ctx->tenant, &res->tenant, p);
        p += size;

        /* a literal of tn_resolve() */
        ctx->resolved_by.data = (u_char *) res->resolved_by;
        ctx->resolved_by.len = ngx_strlen(res->resolved_by);

        ctx->consumed.data = r->uri.data;
        ctx->consumed.len = res->path_consumed;
    }

    ctx->redirect.data = p;
    ctx->redirect.len = len;

    p = ngx_cpymem(p, res->redirect_host, len);

    ctx->host.data = p;
    ctx->host.len = res->host.length;

    last = ngx_cpymem(p, res->host.name, res->host.length);

    if (res->host.has_port) {
        last = ngx_sprintf(last, ":%ui", (ngx_uint_t) res->host.port);
    }

    ctx->authority.data = p;
    ctx->authority.len = last - p;

    return NGX_OK;
}


static void
ngx_http_tenantry_trim(ngx_str_t *s)
{
    while (s->len && (s->data[0] == ' ' || s->data[0] == '\t')) {
        s->data++;
        s->len--;
    }

    while (s->len
           && (s->data[s->len - 1] == ' ' || s->data[s->len - 1] == '\t'))
    {
        s->len--;
    }
}
