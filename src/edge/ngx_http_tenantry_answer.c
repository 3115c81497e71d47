
/*
 * What visitors get instead of the application: a page for people in their
 * language, a problem document (RFC 9457) for programs, or, for an operator
 * with pages of his own, the bare status. Nothing of the request is repeated
 * in a page.
 */


#include "ngx_http_tenantry_module.h"


#define NGX_HTTP_TENANTRY_RETRY_MAINTENANCE  30
#define NGX_HTTP_TENANTRY_RETRY_UNAVAILABLE  5

#define NGX_HTTP_TENANTRY_Q_MAX              1000


typedef struct {
    ngx_uint_t    status;
    time_t        retry_after;   /* 0: none */
    ngx_str_t     reason;
    ngx_str_t     code;
    ngx_str_t     title;
    ngx_str_t     detail;
    ngx_str_t     heading_en;
    ngx_str_t     text_en;
    ngx_str_t     heading_fr;
    ngx_str_t     text_fr;
} ngx_http_tenantry_answer_t;


static ngx_int_t ngx_http_tenantry_answer_with(ngx_http_request_t *r,
    ngx_http_tenantry_answer_t *answer);
static ngx_int_t ngx_http_tenantry_add_retry_after(ngx_http_request_t *r,
    time_t seconds);
static ngx_int_t ngx_http_tenantry_redirect(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx);
static ngx_uint_t ngx_http_tenantry_wants_page(ngx_http_request_t *r);
static ngx_uint_t ngx_http_tenantry_wants_french(ngx_http_request_t *r);
static ngx_uint_t ngx_http_tenantry_next_range(ngx_str_t *rest,
    ngx_str_t *range, ngx_uint_t *q);
static ngx_uint_t ngx_http_tenantry_quality(u_char *p, u_char *last);
static ngx_buf_t *ngx_http_tenantry_page(ngx_http_request_t *r,
    ngx_http_tenantry_answer_t *answer, ngx_uint_t french);
static ngx_buf_t *ngx_http_tenantry_problem(ngx_http_request_t *r,
    ngx_http_tenantry_answer_t *answer);


static ngx_http_tenantry_answer_t  ngx_http_tenantry_invalid_host = {
    NGX_HTTP_BAD_REQUEST,
    0,
    ngx_string("400"),
    ngx_string("invalid_host"),
    ngx_string("Not a host name"),
    ngx_string("the request names no host, more than one, or one that is not "
               "a host name"),
    ngx_string("This is not a valid address"),
    ngx_string("The address that reached us is not the name of a site: check "
               "it for typing mistakes, or ask the person who gave it to you."),
    ngx_string("Cette adresse n’est pas valide"),
    ngx_string("L’adresse qui nous est parvenue n’est pas celle d’un site : "
               "vérifiez qu’elle est bien écrite, ou demandez-la à la "
               "personne qui vous l’a donnée.")
};


static ngx_http_tenantry_answer_t  ngx_http_tenantry_unknown = {
    NGX_HTTP_NOT_FOUND,
    0,
    ngx_string("404"),
    ngx_string("unknown_tenant"),
    ngx_string("Unknown tenant"),
    ngx_string("no tenant is known at this address"),
    ngx_string("There is no site at this address"),
    ngx_string("No site is known by this address: check it for typing "
               "mistakes, or ask the person who gave it to you."),
    ngx_string("Il n’y a pas de site à cette adresse"),
    ngx_string("Aucun site n’est connu à cette adresse : vérifiez qu’elle "
               "est bien écrite, ou demandez-la à la personne qui vous l’a "
               "donnée.")
};


static ngx_http_tenantry_answer_t  ngx_http_tenantry_no_tenant = {
    NGX_HTTP_NOT_FOUND,
    0,
    ngx_string("404"),
    ngx_string("no_tenant"),
    ngx_string("No tenant at this address"),
    ngx_string("this address is the platform's own, and what was asked for is "
               "served at a tenant's address only"),
    ngx_string("This page is at another address"),
    ngx_string("This address belongs to no organisation in particular: use "
               "the one that your organisation has given you."),
    ngx_string("Cette page est à une autre adresse"),
    ngx_string("Cette adresse n’est celle d’aucune organisation en "
               "particulier : utilisez celle que votre organisation vous a "
               "donnée.")
};


static ngx_http_tenantry_answer_t  ngx_http_tenantry_suspended = {
    NGX_HTTP_FORBIDDEN,
    0,
    ngx_string("403"),
    ngx_string("tenant_suspended"),
    ngx_string("This tenant is suspended"),
    ngx_string("the tenant at this address is suspended"),
    ngx_string("This site is suspended"),
    ngx_string("Access to this site has been suspended: if it is yours, "
               "please contact support, otherwise the person who runs it."),
    ngx_string("Ce site est suspendu"),
    ngx_string("L’accès à ce site a été suspendu : si c’est le vôtre, "
               "contactez l’assistance, sinon la personne qui s’en occupe.")
};


static ngx_http_tenantry_answer_t  ngx_http_tenantry_archived = {
    NGX_HTTP_TENANTRY_GONE,
    0,
    ngx_string("410"),
    ngx_string("tenant_archived"),
    ngx_string("This tenant is archived"),
    ngx_string("the tenant at this address is archived"),
    ngx_string("This site is closed"),
    ngx_string("The site at this address has been closed: if you need "
               "something that was on it, ask the person who ran it."),
    ngx_string("Ce site est fermé"),
    ngx_string("Le site à cette adresse a été fermé : s’il vous manque "
               "quelque chose qui s’y trouvait, demandez-le à la personne "
               "qui s’en occupait.")
};


static ngx_http_tenantry_answer_t  ngx_http_tenantry_maintenance = {
    NGX_HTTP_SERVICE_UNAVAILABLE,
    NGX_HTTP_TENANTRY_RETRY_MAINTENANCE,
    ngx_string("503"),
    ngx_string("tenant_maintenance"),
    ngx_string("This tenant is in maintenance"),
    ngx_string("the tenant at this address is in maintenance, try again "
               "later"),
    ngx_string("Back soon"),
    ngx_string("Somebody is working on this site: please try again in a few "
               "minutes."),
    ngx_string("De retour bientôt"),
    ngx_string("Quelqu’un travaille sur ce site : réessayez dans quelques "
               "minutes.")
};


static ngx_http_tenantry_answer_t  ngx_http_tenantry_unavailable = {
    NGX_HTTP_SERVICE_UNAVAILABLE,
    NGX_HTTP_TENANTRY_RETRY_UNAVAILABLE,
    ngx_string("503"),
    ngx_string("directory_unavailable"),
    ngx_string("Temporarily unavailable"),
    ngx_string("it cannot be told now whose address this is, try again "
               "later"),
    ngx_string("Unavailable for a moment"),
    ngx_string("We cannot show you this site right now, and it is our fault: "
               "please try again in a moment."),
    ngx_string("Indisponible pour un moment"),
    ngx_string("Nous ne pouvons pas vous montrer ce site maintenant, et c’est "
               "de notre fait : réessayez dans un moment.")
};


static ngx_str_t  ngx_http_tenantry_page_parts[] = {
    ngx_string("<!doctype html>" CRLF
               "<html lang=\""),
    /* language */
    ngx_string("\">" CRLF
               "<head>" CRLF
               "<meta charset=\"utf-8\">" CRLF
               "<meta name=\"viewport\" "
               "content=\"width=device-width, initial-scale=1\">" CRLF
               "<meta name=\"robots\" content=\"noindex\">" CRLF
               "<title>"),
    /* heading */
    ngx_string("</title>" CRLF
               "<style>" CRLF
               ":root{color-scheme:light dark}" CRLF
               "body{margin:0;min-height:100vh;display:flex;"
               "align-items:center;justify-content:center;"
               "font:1.125rem/1.6 system-ui,sans-serif;"
               "color:#1d2733;background:#f5f6f8}" CRLF
               "main{box-sizing:border-box;width:100%;max-width:34rem;"
               "padding:2rem 1.5rem}" CRLF
               "p.status{margin:0;font-size:1rem;color:#586472}" CRLF
               "h1{margin:.25rem 0 .75rem;font-size:1.75rem;line-height:1.25}"
               CRLF
               "p{margin:0}" CRLF
               "@media (prefers-color-scheme:dark){"
               "body{color:#e7eaee;background:#14181d}"
               "p.status{color:#9aa6b3}}" CRLF
               "</style>" CRLF
               "</head>" CRLF
               "<body>" CRLF
               "<main>" CRLF
               "<p class=\"status\">"),
    /* status */
    ngx_string("</p>" CRLF
               "<h1>"),
    /* heading */
    ngx_string("</h1>" CRLF
               "<p>"),
    /* text */
    ngx_string("</p>" CRLF
               "</main>" CRLF
               "</body>" CRLF
               "</html>" CRLF)
};


ngx_int_t
ngx_http_tenantry_answer(ngx_http_request_t *r, ngx_http_tenantry_ctx_t *ctx)
{
    switch (ctx->answer) {

    case TN_ANSWER_REDIRECT:
        return ngx_http_tenantry_redirect(r, ctx);

    case TN_ANSWER_INVALID_HOST:
        r->keepalive = 0;
        return ngx_http_tenantry_answer_with(r,
                                             &ngx_http_tenantry_invalid_host);

    case TN_ANSWER_UNKNOWN:
        return ngx_http_tenantry_answer_with(r, &ngx_http_tenantry_unknown);

    case TN_ANSWER_SUSPENDED:
        return ngx_http_tenantry_answer_with(r, &ngx_http_tenantry_suspended);

    case TN_ANSWER_ARCHIVED:
        return ngx_http_tenantry_answer_with(r, &ngx_http_tenantry_archived);

    case TN_ANSWER_MAINTENANCE:
        return ngx_http_tenantry_answer_with(r,
                                             &ngx_http_tenantry_maintenance);

    default: /* TN_ANSWER_UNAVAILABLE, and nobody is let in by mistake */
        return ngx_http_tenantry_answer_unavailable(r);
    }
}


ngx_int_t
ngx_http_tenantry_answer_no_tenant(ngx_http_request_t *r)
{
    return ngx_http_tenantry_answer_with(r, &ngx_http_tenantry_no_tenant);
}


ngx_int_t
ngx_http_tenantry_answer_unavailable(ngx_http_request_t *r)
{
    return ngx_http_tenantry_answer_with(r, &ngx_http_tenantry_unavailable);
}


static ngx_int_t
ngx_http_tenantry_answer_with(ngx_http_request_t *r,
    ngx_http_tenantry_answer_t *answer)
{
    ngx_buf_t                     *b;
    ngx_http_tenantry_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_tenantry_module);

    if (answer->retry_after
        && ngx_http_tenantry_add_retry_after(r, answer->retry_after) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!tscf->answers) {
        return answer->status;
    }

    if (ngx_http_tenantry_add_response_header(r, "Cache-Control", "no-store")
        != NGX_OK
        || ngx_http_tenantry_add_response_header(r, "Vary",
                                                 "Accept, Accept-Language")
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    if (ngx_http_tenantry_wants_page(r)) {
        b = ngx_http_tenantry_page(r, answer,
                                   ngx_http_tenantry_wants_french(r));

        ngx_str_set(&r->headers_out.content_type, "text/html");
        ngx_str_set(&r->headers_out.charset, "utf-8");

    } else {
        b = ngx_http_tenantry_problem(r, answer);

        ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    }

    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_tenantry_send(r, answer->status, b);
}


static ngx_int_t
ngx_http_tenantry_add_retry_after(ngx_http_request_t *r, time_t seconds)
{
    u_char                        *value;
    ngx_http_tenantry_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_tenantry_module);

    if (tscf->retry_after != NGX_CONF_UNSET) {
        seconds = tscf->retry_after;
    }

    value = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 1);
    if (value == NULL) {
        return NGX_ERROR;
    }

    *ngx_sprintf(value, "%T", seconds) = '\0';

    return ngx_http_tenantry_add_response_header(r, "Retry-After",
                                                 (char *) value);
}


/* a whole response of one buffer, whose type is set already */

ngx_int_t
ngx_http_tenantry_send(ngx_http_request_t *r, ngx_uint_t status, ngx_buf_t *b)
{
    ngx_int_t    rc;
    ngx_chain_t  out;

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = b->last - b->pos;
    r->headers_out.status = status;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/*
 * To the same path at another host. The location is always absolute, so a
 * path that begins with "//" could name no host; it is made to begin with a
 * single slash all the same, for whoever cuts the location apart.
 */

static ngx_int_t
ngx_http_tenantry_redirect(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx)
{
    u_char           *p, *path, *last;
    size_t            port;
    ngx_table_elt_t  *location;

    path = r->unparsed_uri.data;
    last = r->unparsed_uri.data + r->unparsed_uri.len;

    while (path < last && (*path == '/' || *path == '\\')) {
        path++;
    }

    port = ctx->authority.len - ctx->host.len;

    p = ngx_pnalloc(r->pool, sizeof("https://") - 1 + ctx->redirect.len + port
                             + sizeof("/") - 1 + (last - path));
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    location = ngx_list_push(&r->headers_out.headers);
    if (location == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    location->hash = 1;
#if (nginx_version >= 1023000)
    location->next = NULL;
#endif
    ngx_str_set(&location->key, "Location");
    location->value.data = p;

    p = ngx_cpymem(p, "http", 4);

    if (ctx->https) {
        *p++ = 's';
    }

    p = ngx_cpymem(p, "://", 3);
    p = ngx_cpymem(p, ctx->redirect.data, ctx->redirect.len);
    p = ngx_cpymem(p, ctx->authority.data + ctx->host.len, port);
    *p++ = '/';
    p = ngx_cpymem(p, path, last - path);

    location->value.len = p - location->value.data;

    ngx_http_clear_location(r);
    r->headers_out.location = location;

    /* a slug or a primary domain may change again */

    if (ngx_http_tenantry_add_response_header(r, "Cache-Control", "no-cache")
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_PERMANENT_REDIRECT;
}


ngx_int_t
ngx_http_tenantry_add_response_header(ngx_http_request_t *r, char *key,
    char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.data = (u_char *) key;
    h->key.len = ngx_strlen(key);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return NGX_OK;
}


/* a page for whoever names text/html, unless the path is a program's */

static ngx_uint_t
ngx_http_tenantry_wants_page(ngx_http_request_t *r)
{
    ngx_str_t                      name, rest, range, *prefix;
    ngx_uint_t                     i, n, q;
    ngx_http_tenantry_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_tenantry_module);

    if (tscf->problem_prefixes) {

        prefix = tscf->problem_prefixes->elts;

        for (i = 0; i < tscf->problem_prefixes->nelts; i++) {

            if (r->uri.len >= prefix[i].len
                && ngx_strncmp(r->uri.data, prefix[i].data, prefix[i].len)
                   == 0)
            {
                return 0;
            }
        }
    }

    ngx_str_set(&name, "Accept");

    for (n = 0; ngx_http_tenantry_get_header(r, &name, n, &rest); n++) {

        while (ngx_http_tenantry_next_range(&rest, &range, &q)) {

            if (q > 0
                && range.len == sizeof("text/html") - 1
                && ngx_strncasecmp(range.data, (u_char *) "text/html",
                                   range.len)
                   == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


/*
 * French when it is liked better than English, or as much and named first.
 * What is not named gets the quality of "*", if there is one.
 */

static ngx_uint_t
ngx_http_tenantry_wants_french(ngx_http_request_t *r)
{
    ngx_str_t   name, rest, range;
    ngx_int_t   fr, en, any;
    ngx_uint_t  n, q, french_first;

    fr = -1;
    en = -1;
    any = 0;
    french_first = 0;

    ngx_str_set(&name, "Accept-Language");

    for (n = 0; ngx_http_tenantry_get_header(r, &name, n, &rest); n++) {

        while (ngx_http_tenantry_next_range(&rest, &range, &q)) {

            if (range.len == 1 && range.data[0] == '*') {
                any = q;
                continue;
            }

            if (range.len < 2 || (range.len > 2 && range.data[2] != '-')) {
                continue;
            }

            if (ngx_strncasecmp(range.data, (u_char *) "fr", 2) == 0) {

                if (en == -1) {
                    french_first = 1;
                }

                fr = ngx_max(fr, (ngx_int_t) q);

            } else if (ngx_strncasecmp(range.data, (u_char *) "en", 2) == 0) {
                en = ngx_max(en, (ngx_int_t) q);
            }
        }
    }

    if (fr == -1) {
        fr = any;
    }

    if (en == -1) {
        en = any;
    }

    return fr > en || (fr == en && fr > 0 && french_first);
}


/* takes the next element of an Accept or Accept-Language header off rest */

static ngx_uint_t
ngx_http_tenantry_next_range(ngx_str_t *rest, ngx_str_t *range, ngx_uint_t *q)
{
    u_char  *p, *last, *end;

    p = rest->data;
    last = rest->data + rest->len;

    while (p < last && (*p == ' ' || *p == '\t' || *p == ',')) {
        p++;
    }

    if (p == last) {
        return 0;
    }

    range->data = p;

    while (p < last && *p != ',' && *p != ';' && *p != ' ' && *p != '\t') {
        p++;
    }

    range->len = p - range->data;

    end = ngx_strlchr(p, last, ',');

    if (end == NULL) {
        end = last;
    }

    *q = ngx_http_tenantry_quality(p, end);

    rest->data = end;
    rest->len = last - end;

    return 1;
}


/* "...;q=0.5" in thousandths, RFC 9110, section 12.4.2 */

static ngx_uint_t
ngx_http_tenantry_quality(u_char *p, u_char *last)
{
    ngx_uint_t  q, weight;

    for ( ;; ) {

        p = ngx_strlchr(p, last, ';');

        if (p == NULL) {
            return NGX_HTTP_TENANTRY_Q_MAX;
        }

        do {
            p++;
        } while (p < last && (*p == ' ' || *p == '\t'));

        if (last - p >= 3 && (p[0] == 'q' || p[0] == 'Q') && p[1] == '=') {
            p += 2;
            break;
        }
    }

    if (*p == '1') {
        return NGX_HTTP_TENANTRY_Q_MAX;
    }

    if (*p++ != '0' || p == last || *p++ != '.') {
        return 0;
    }

    /* no more than three digits count */

    q = 0;

    for (weight = 100; p < last && weight && *p >= '0' && *p <= '9'; p++) {
        q += (*p - '0') * weight;
        weight /= 10;
    }

    return q;
}


static ngx_buf_t *
ngx_http_tenantry_page(ngx_http_request_t *r,
    ngx_http_tenantry_answer_t *answer, ngx_uint_t french)
{
    size_t       len;
    ngx_buf_t   *b;
    ngx_str_t    texts[5], *heading;
    ngx_uint_t   i;

    heading = french ? &answer->heading_fr : &answer->heading_en;

    if (french) {
        ngx_str_set(&texts[0], "fr");

    } else {
        ngx_str_set(&texts[0], "en");
    }

    texts[1] = *heading;
    texts[2] = answer->reason;
    texts[3] = *heading;
    texts[4] = french ? answer->text_fr : answer->text_en;

    len = ngx_http_tenantry_page_parts[5].len;

    for (i = 0; i < 5; i++) {
        len += ngx_http_tenantry_page_parts[i].len + texts[i].len;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    for (i = 0; i < 5; i++) {
        b->last = ngx_cpymem(b->last, ngx_http_tenantry_page_parts[i].data,
                             ngx_http_tenantry_page_parts[i].len);
        b->last = ngx_cpymem(b->last, texts[i].data, texts[i].len);
    }

    b->last = ngx_cpymem(b->last, ngx_http_tenantry_page_parts[5].data,
                         ngx_http_tenantry_page_parts[5].len);

    return b;
}


static ngx_buf_t *
ngx_http_tenantry_problem(ngx_http_request_t *r,
    ngx_http_tenantry_answer_t *answer)
{
    size_t      len;
    u_char     *p;
    ngx_buf_t  *b;
    ngx_str_t   path;

    /* the path in ASCII whatever the visitor sent, then as a JSON string */

    path.len = r->uri.len + 2 * ngx_escape_uri(NULL, r->uri.data, r->uri.len,
                                               NGX_ESCAPE_URI);
    path.data = ngx_pnalloc(r->pool, path.len);
    if (path.data == NULL) {
        return NULL;
    }

    (void) ngx_escape_uri(path.data, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    len = sizeof("{\"type\":\"urn:tenantry:problem:\",\"title\":\"\","
                 "\"status\":,\"detail\":\"\",\"instance\":\"\","
                 "\"code\":\"\"}\n") - 1
          + 2 * answer->code.len + answer->title.len + NGX_INT_T_LEN
          + answer->detail.len
          + path.len + ngx_escape_json(NULL, path.data, path.len);

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NULL;
    }

    p = ngx_sprintf(b->last, "{\"type\":\"urn:tenantry:problem:%V\","
                             "\"title\":\"%V\",\"status\":%ui,"
                             "\"detail\":\"%V\",\"instance\":\"",
                    &answer->code, &answer->title, answer->status,
                    &answer->detail);

    p = (u_char *) ngx_escape_json(p, path.data, path.len);

    b->last = ngx_sprintf(p, "\",\"code\":\"%V\"}\n", &answer->code);

    return b;
}
