
/*
 * The header firewall. Whatever reads as one of the edge's own headers is
 * taken out of the request, in any case and spelling, then the edge's own go
 * in. An upstream module passes on the list r->headers_in.headers, so nothing
 * needs a proxy_set_header.
 *
 * Elements of that list are pointed to from r->headers_in and may not move:
 * the list is split around what is taken out.
 */


#include "ngx_http_tenantry_module.h"


#define NGX_HTTP_TENANTRY_SPARE_HEADERS  4


enum {
    NGX_HTTP_TENANTRY_ID = 0,
    NGX_HTTP_TENANTRY_SLUG,
    NGX_HTTP_TENANTRY_DOMAIN,
    NGX_HTTP_TENANTRY_PLAN,
    NGX_HTTP_TENANTRY_RESOLVED_BY,
    NGX_HTTP_TENANTRY_TOKEN,
    NGX_HTTP_TENANTRY_FORWARDED_HOST,
    NGX_HTTP_TENANTRY_FORWARDED_PROTO,
    NGX_HTTP_TENANTRY_FORWARDED_FOR,
    NGX_HTTP_TENANTRY_HEADERS
};


static ngx_uint_t ngx_http_tenantry_is_dropped(ngx_str_t *name,
    ngx_http_tenantry_srv_conf_t *tscf, ngx_uint_t trusted);
static ngx_uint_t ngx_http_tenantry_reads_as(ngx_str_t *name, char *folded,
    size_t len);
static ngx_int_t ngx_http_tenantry_firewall(ngx_http_request_t *r,
    ngx_uint_t trusted, ngx_uint_t *split);
static ngx_int_t ngx_http_tenantry_split(ngx_http_request_t *r,
    ngx_http_tenantry_srv_conf_t *tscf, ngx_uint_t trusted);
static ngx_list_part_t *ngx_http_tenantry_append_part(ngx_http_request_t *r,
    ngx_list_part_t *last, ngx_table_elt_t *elts, ngx_uint_t nelts);
static ngx_int_t ngx_http_tenantry_forwarded_for(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_tenantry_inject(ngx_http_request_t *r,
    ngx_str_t *values, ngx_uint_t split);
static ngx_table_elt_t *ngx_http_tenantry_push_headers(ngx_http_request_t *r,
    ngx_uint_t n, ngx_uint_t split);
static void ngx_http_tenantry_header_value(ngx_str_t *value, tn_str_t text);


static struct {
    ngx_str_t    key;
    u_char      *lowcase;
    ngx_uint_t   hash;
} ngx_http_tenantry_headers[NGX_HTTP_TENANTRY_HEADERS] = {
    { ngx_string("X-Tenant-Id"), (u_char *) "x-tenant-id", 0 },
    { ngx_string("X-Tenant-Slug"), (u_char *) "x-tenant-slug", 0 },
    { ngx_string("X-Tenant-Domain"), (u_char *) "x-tenant-domain", 0 },
    { ngx_string("X-Tenant-Plan"), (u_char *) "x-tenant-plan", 0 },
    { ngx_string("X-Tenant-Resolved-By"), (u_char *) "x-tenant-resolved-by",
      0 },
    { ngx_string("X-Tenant-Token"), (u_char *) "x-tenant-token", 0 },
    { ngx_string("X-Forwarded-Host"), (u_char *) "x-forwarded-host", 0 },
    { ngx_string("X-Forwarded-Proto"), (u_char *) "x-forwarded-proto", 0 },
    { ngx_string("X-Forwarded-For"), (u_char *) "x-forwarded-for", 0 }
};


/*
 * How an application behind CGI or WSGI may read a name: letters without
 * their case, digits, and one stand-in for everything else.
 */

static u_char  ngx_http_tenantry_fold[256];


void
ngx_http_tenantry_headers_init(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 256; i++) {
        ngx_http_tenantry_fold[i] = '-';
    }

    for (i = '0'; i <= '9'; i++) {
        ngx_http_tenantry_fold[i] = (u_char) i;
    }

    for (i = 'a'; i <= 'z'; i++) {
        ngx_http_tenantry_fold[i] = (u_char) i;
        ngx_http_tenantry_fold[i - 'a' + 'A'] = (u_char) i;
    }

    for (i = 0; i < NGX_HTTP_TENANTRY_HEADERS; i++) {
        ngx_http_tenantry_headers[i].hash =
                          ngx_hash_key(ngx_http_tenantry_headers[i].lowcase,
                                       ngx_http_tenantry_headers[i].key.len);
    }
}


ngx_int_t
ngx_http_tenantry_fold_header(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *folded)
{
    folded->len = name->len;
    folded->data = ngx_pnalloc(cf->pool, name->len);
    if (folded->data == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(folded->data, name->data, name->len);

    return NGX_OK;
}


/* the value of the n-th header of a name */

ngx_uint_t
ngx_http_tenantry_get_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_uint_t n, ngx_str_t *value)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == name->len
            && ngx_strncasecmp(h[i].key.data, name->data, name->len) == 0
            && n-- == 0)
        {
            *value = h[i].value;
            return 1;
        }
    }
}


ngx_int_t
ngx_http_tenantry_set_headers(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx)
{
    ngx_str_t    values[NGX_HTTP_TENANTRY_HEADERS], *token;
    ngx_uint_t   split;

    ngx_memzero(values, sizeof(values));

    /* what trusted proxies wrote is read before it is dropped */

    if (ngx_http_tenantry_forwarded_for(r, ctx,
                                     &values[NGX_HTTP_TENANTRY_FORWARDED_FOR])
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_http_tenantry_firewall(r, ctx->trusted, &split) != NGX_OK) {
        return NGX_ERROR;
    }

    values[NGX_HTTP_TENANTRY_FORWARDED_HOST] = ctx->authority;

    if (ctx->https) {
        ngx_str_set(&values[NGX_HTTP_TENANTRY_FORWARDED_PROTO], "https");

    } else {
        ngx_str_set(&values[NGX_HTTP_TENANTRY_FORWARDED_PROTO], "http");
    }

    if (ctx->answer == TN_ANSWER_FOUND) {

        values[NGX_HTTP_TENANTRY_ID].len = TN_UUID_LENGTH;
        values[NGX_HTTP_TENANTRY_ID].data = (u_char *) ctx->tenant.id;

        ngx_http_tenantry_header_value(&values[NGX_HTTP_TENANTRY_SLUG],
                                       ctx->tenant.slug);
        ngx_http_tenantry_header_value(&values[NGX_HTTP_TENANTRY_PLAN],
                                       ctx->tenant.plan);

        values[NGX_HTTP_TENANTRY_DOMAIN] = ctx->host;
        values[NGX_HTTP_TENANTRY_RESOLVED_BY] = ctx->resolved_by;

        token = ngx_http_tenantry_token(r, ctx);

        if (token) {
            values[NGX_HTTP_TENANTRY_TOKEN] = *token;
        }
    }

    return ngx_http_tenantry_inject(r, values, split);
}


static void
ngx_http_tenantry_header_value(ngx_str_t *value, tn_str_t text)
{
    size_t  i;

    /* nothing that the control plane let slip may end the header */

    for (i = 0; i < text.length; i++) {
        if ((u_char) text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return;
        }
    }

    value->data = (u_char *) text.data;
    value->len = text.length;
}


/*
 * The chain of addresses. To a trusted proxy's own chain its address is
 * added; otherwise the visitor is who nginx thinks he is, which may be what
 * ngx_http_realip_module made of the connection.
 */

static ngx_int_t
ngx_http_tenantry_forwarded_for(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx, ngx_str_t *value)
{
    u_char      *p;
    size_t       len;
    ngx_str_t    name, line;
    ngx_uint_t   n;

    if (!ctx->trusted) {
        *value = r->connection->addr_text;
        return NGX_OK;
    }

    ngx_str_set(&name, "X-Forwarded-For");

    len = ctx->peer.len;

    for (n = 0; ngx_http_tenantry_get_header(r, &name, n, &line); n++) {
        len += line.len + sizeof(", ") - 1;
    }

    if (n == 0) {
        *value = ctx->peer;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    value->len = len;

    for (n = 0; ngx_http_tenantry_get_header(r, &name, n, &line); n++) {
        p = ngx_cpymem(p, line.data, line.len);
        *p++ = ',';
        *p++ = ' ';
    }

    ngx_memcpy(p, ctx->peer.data, ctx->peer.len);

    return NGX_OK;
}


static ngx_uint_t
ngx_http_tenantry_is_dropped(ngx_str_t *name,
    ngx_http_tenantry_srv_conf_t *tscf, ngx_uint_t trusted)
{
    u_char  ch;

    if (name->len == 0) {
        return 0;
    }

    ch = ngx_http_tenantry_fold[name->data[0]];

    if (ch == 'x') {

        if (ngx_http_tenantry_reads_as(name, "x-tenant",
                                       sizeof("x-tenant") - 1))
        {
            if (name->len == sizeof("x-tenant") - 1
                || ngx_http_tenantry_fold[name->data[8]] == '-')
            {
                return 1;
            }
        }

        if (ngx_http_tenantry_reads_as(name, "x-forwarded-",
                                       sizeof("x-forwarded-") - 1))
        {
            /* of a trusted proxy's only those that the edge sets itself */

            return !trusted
                   || (name->len == sizeof("x-forwarded-for") - 1
                       && ngx_http_tenantry_reads_as(name, "x-forwarded-for",
                                               sizeof("x-forwarded-for") - 1))
                   || (name->len == sizeof("x-forwarded-host") - 1
                       && ngx_http_tenantry_reads_as(name, "x-forwarded-host",
                                              sizeof("x-forwarded-host") - 1))
                   || (name->len == sizeof("x-forwarded-proto") - 1
                       && ngx_http_tenantry_reads_as(name, "x-forwarded-proto",
                                            sizeof("x-forwarded-proto") - 1));
        }

    } else if (ch == 'f') {

        if (!trusted
            && name->len == sizeof("forwarded") - 1
            && ngx_http_tenantry_reads_as(name, "forwarded",
                                          sizeof("forwarded") - 1))
        {
            return 1;
        }
    }

    return ch == tscf->header_folded.data[0]
           && name->len == tscf->header_folded.len
           && ngx_http_tenantry_reads_as(name,
                                         (char *) tscf->header_folded.data,
                                         tscf->header_folded.len);
}


static ngx_uint_t
ngx_http_tenantry_reads_as(ngx_str_t *name, char *folded, size_t len)
{
    size_t  i;

    if (name->len < len) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (ngx_http_tenantry_fold[name->data[i]] != (u_char) folded[i]) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_tenantry_firewall(ngx_http_request_t *r, ngx_uint_t trusted,
    ngx_uint_t *split)
{
    ngx_uint_t                     i;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h;
    ngx_http_tenantry_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_tenantry_module);

    *split = 0;

#if (NGX_HTTP_X_FORWARDED_FOR)

    /*
     * Of an untrusted peer neither $proxy_add_x_forwarded_for nor geo may
     * see it. A trusted one's stays as it was received for them and for
     * ngx_http_realip_module; they add to it themselves.
     */

    if (!trusted) {
#if (nginx_version >= 1023000)
        r->headers_in.x_forwarded_for = NULL;
#else
        ngx_memzero(&r->headers_in.x_forwarded_for, sizeof(ngx_array_t));
#endif
    }

#endif

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_OK;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (ngx_http_tenantry_is_dropped(&h[i].key, tscf, trusted)) {
            *split = 1;
            return ngx_http_tenantry_split(r, tscf, trusted);
        }
    }
}


/*
 * Makes the list anew of the runs of elements that stay. The first part lies
 * within the list, the others are taken from the pool. No part is left empty,
 * unless it is the only one: nginx's own loops rely on it.
 */

static ngx_int_t
ngx_http_tenantry_split(ngx_http_request_t *r,
    ngx_http_tenantry_srv_conf_t *tscf, ngx_uint_t trusted)
{
    ngx_uint_t        i, start;
    ngx_list_t       *list;
    ngx_list_part_t  *last, *next, part;
    ngx_table_elt_t  *h;

    list = &r->headers_in.headers;

    part = list->part;
    last = NULL;

    for ( ;; ) {

        h = part.elts;
        start = 0;

        for (i = 0; i <= part.nelts; i++) {

            if (i < part.nelts
                && !ngx_http_tenantry_is_dropped(&h[i].key, tscf, trusted))
            {
                continue;
            }

            if (i > start) {
                last = ngx_http_tenantry_append_part(r, last, &h[start],
                                                     i - start);
                if (last == NULL) {
                    return NGX_ERROR;
                }
            }

            start = i + 1;
        }

        next = part.next;

        if (next == NULL) {
            break;
        }

        part = *next;
    }

    if (last == NULL) {
        last = &list->part;
        last->nelts = 0;
    }

    last->next = NULL;
    list->last = last;

    return NGX_OK;
}


static ngx_list_part_t *
ngx_http_tenantry_append_part(ngx_http_request_t *r, ngx_list_part_t *last,
    ngx_table_elt_t *elts, ngx_uint_t nelts)
{
    ngx_list_part_t  *part;

    if (last == NULL) {
        part = &r->headers_in.headers.part;

    } else {
        part = ngx_palloc(r->pool, sizeof(ngx_list_part_t));
        if (part == NULL) {
            return NULL;
        }

        last->next = part;
    }

    part->elts = elts;
    part->nelts = nelts;

    return part;
}


/* puts the edge's own headers, those that have a value, at the list's end */

static ngx_int_t
ngx_http_tenantry_inject(ngx_http_request_t *r, ngx_str_t *values,
    ngx_uint_t split)
{
    ngx_uint_t        i, n;
    ngx_table_elt_t  *h;

    n = 0;

    for (i = 0; i < NGX_HTTP_TENANTRY_HEADERS; i++) {
        n += (values[i].len != 0);
    }

    h = ngx_http_tenantry_push_headers(r, n, split);
    if (h == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_TENANTRY_HEADERS; i++) {

        if (values[i].len == 0) {
            continue;
        }

        h->hash = ngx_http_tenantry_headers[i].hash;
        h->key = ngx_http_tenantry_headers[i].key;
        h->value = values[i];
        h->lowcase_key = ngx_http_tenantry_headers[i].lowcase;
#if (nginx_version >= 1023000)
        h->next = NULL;
#endif
        h++;
    }

    return NGX_OK;
}


/*
 * n elements in a row, as ngx_list_push() gives one. After a split the last
 * part's elements are a slice of an array whose size is not the list's nalloc,
 * and nothing may be pushed there. A part of our own then ends the list, and
 * the list's nalloc becomes that part's size.
 */

static ngx_table_elt_t *
ngx_http_tenantry_push_headers(ngx_http_request_t *r, ngx_uint_t n,
    ngx_uint_t split)
{
    ngx_list_t       *list;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    list = &r->headers_in.headers;

    if (list->last == NULL) {

        /* the request line could not be parsed, or was HTTP/0.9 */

        if (ngx_list_init(list, r->pool, n + NGX_HTTP_TENANTRY_SPARE_HEADERS,
                          sizeof(ngx_table_elt_t))
            != NGX_OK)
        {
            return NULL;
        }

        split = 0;
    }

    part = list->last;

    if (!split && part->nelts + n <= list->nalloc) {
        h = (ngx_table_elt_t *) part->elts + part->nelts;
        part->nelts += n;

        return h;
    }

    list->nalloc = n + NGX_HTTP_TENANTRY_SPARE_HEADERS;

    h = ngx_palloc(r->pool, list->nalloc * sizeof(ngx_table_elt_t)
                            + sizeof(ngx_list_part_t));
    if (h == NULL) {
        return NULL;
    }

    if (part == &list->part && part->nelts == 0) {

        /* nothing is left of the request's own */

        part->elts = h;
        part->nelts = n;

        return h;
    }

    part = (ngx_list_part_t *) &h[list->nalloc];

    part->elts = h;
    part->nelts = n;
    part->next = NULL;

    list->last->next = part;
    list->last = part;

    return h;
}
