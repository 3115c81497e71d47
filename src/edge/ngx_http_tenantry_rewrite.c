
/*
 * tenantry_rewrite: the application's path, which the visitor does not see.
 * It is made of nginx's decoded and normalised $uri, never of what the visitor
 * sent, and nginx escapes it again on its way to the application, so that
 * nothing in a request leads out of the place that the template gives it.
 */


#include "ngx_http_tenantry_module.h"


static ngx_uint_t ngx_http_tenantry_names(ngx_str_t *template, char *name);
static ngx_int_t ngx_http_tenantry_hidden_path(ngx_http_request_t *r,
    ngx_http_complex_value_t *template, ngx_http_tenantry_rewrite_t *rewrite);
static ngx_int_t ngx_http_tenantry_rewrite_without_tenant(
    ngx_http_request_t *r, ngx_http_tenantry_ctx_t *ctx);
static ngx_str_t ngx_http_tenantry_visible_path(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx);
static ngx_uint_t ngx_http_tenantry_has_dot_segment(ngx_str_t *path);


char *
ngx_http_tenantry_rewrite(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tenantry_loc_conf_t *tlcf = conf;

    ngx_str_t                         *value;
    ngx_http_tenantry_main_conf_t     *tmcf;
    ngx_http_compile_complex_value_t   ccv;

    if (tlcf->rewrite != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        tlcf->rewrite = NULL;
        tlcf->rewrite_needs_tenant = 0;
        return NGX_CONF_OK;
    }

    if (value[1].len == 0
        || (value[1].data[0] != '/' && value[1].data[0] != '$'))
    {
        return "must begin with \"/\" or with a variable that does";
    }

    if (ngx_strlchr(value[1].data, value[1].data + value[1].len, '?')) {
        return "must not have a \"?\", the query stays as it is";
    }

    if (ngx_http_tenantry_names(&value[1], "request_uri")) {
        return "must not have $request_uri, which is not decoded: use $uri";
    }

    tlcf->rewrite = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (tlcf->rewrite == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = tlcf->rewrite;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    tlcf->rewrite_needs_tenant = ngx_http_tenantry_names(&value[1], "tenant_");

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tenantry_module);
    tmcf->rewrites = 1;

    return NGX_CONF_OK;
}


/* whether a variable whose name begins so stands in the template itself */

static ngx_uint_t
ngx_http_tenantry_names(ngx_str_t *template, char *name)
{
    u_char      *p, *last;
    ngx_str_t    prefix;

    last = template->data + template->len;

    prefix.data = (u_char *) name;
    prefix.len = ngx_strlen(name);

    for (p = ngx_strlchr(template->data, last, '$');
         p;
         p = ngx_strlchr(p, last, '$'))
    {
        p++;

        if (p < last && *p == '{') {
            p++;
        }

        if ((size_t) (last - p) >= prefix.len
            && ngx_strncasecmp(p, prefix.data, prefix.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_tenantry_rewrite_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_tenantry_ctx_t       *ctx;
    ngx_http_tenantry_rewrite_t   *rewrite;
    ngx_http_tenantry_loc_conf_t  *tlcf;
    ngx_http_tenantry_srv_conf_t  *tscf;

    tlcf = ngx_http_get_module_loc_conf(r, ngx_http_tenantry_module);

    if (tlcf->rewrite == NULL) {
        return NGX_DECLINED;
    }

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_tenantry_module);

    if (!tscf->enable) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_tenantry_get_ctx(r);

    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->answer != TN_ANSWER_FOUND && tlcf->rewrite_needs_tenant) {
        return ngx_http_tenantry_rewrite_without_tenant(r, ctx);
    }

    rewrite = ngx_palloc(r->pool, sizeof(ngx_http_tenantry_rewrite_t));
    if (rewrite == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rewrite->visible = ngx_http_tenantry_visible_path(r, ctx);

    rc = ngx_http_tenantry_hidden_path(r, tlcf->rewrite, rewrite);

    if (rc != NGX_OK) {
        return rc;
    }

    rewrite->next = ctx->rewrites;
    ctx->rewrites = rewrite;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "tenantry rewrite: \"%V\" to \"%V\"", &rewrite->visible,
                   &rewrite->hidden);

    /* as "rewrite ... break", and always escaped again */

    r->uri = rewrite->hidden;
    r->valid_unparsed_uri = 0;
    r->valid_location = 0;
    r->quoted_uri = 1;

    ngx_http_set_exten(r);

    return NGX_DECLINED;
}


/* $uri in the template is the path that the visitor knows */

static ngx_int_t
ngx_http_tenantry_hidden_path(ngx_http_request_t *r,
    ngx_http_complex_value_t *template, ngx_http_tenantry_rewrite_t *rewrite)
{
    ngx_int_t   rc;
    ngx_str_t   uri, *path;

    path = &rewrite->hidden;

    uri = r->uri;
    r->uri = rewrite->visible;

    rc = ngx_http_complex_value(r, template, path);

    r->uri = uri;

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (path->len == 0 || path->data[0] != '/') {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the rewritten path \"%V\" does not begin with \"/\"",
                      path);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_tenantry_has_dot_segment(path)) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "client sent a path with a dot segment that only "
                      "some applications see: \"%V\"", path);
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


/*
 * A template with $tenant_... in it has nothing to put there: without the
 * tenant's part of the path the visitor would choose it.
 */

static ngx_int_t
ngx_http_tenantry_rewrite_without_tenant(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx)
{
    if (r->err_status >= NGX_HTTP_BAD_REQUEST) {
        return r->err_status;
    }

    if (r != r->main || ctx->answer != TN_ANSWER_PLATFORM) {
        return NGX_HTTP_NOT_FOUND;
    }

    ngx_http_finalize_request(r, ngx_http_tenantry_answer_no_tenant(r));

    return NGX_DONE;
}


/*
 * The path before this module rewrote it, if it did and nobody has changed it
 * since (try_files or error_page may lead to a named location), and without
 * what named the tenant in it.
 */

static ngx_str_t
ngx_http_tenantry_visible_path(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx)
{
    ngx_str_t                     path;
    ngx_http_tenantry_rewrite_t  *rewrite;

    path = r->uri;

    for (rewrite = ctx->rewrites; rewrite; rewrite = rewrite->next) {

        if (rewrite->hidden.data == path.data
            && rewrite->hidden.len == path.len)
        {
            return rewrite->visible;
        }
    }

    if (ctx->consumed.len == 0
        || path.len < ctx->consumed.len
        || ngx_memcmp(path.data, ctx->consumed.data, ctx->consumed.len) != 0
        || (path.len > ctx->consumed.len
            && path.data[ctx->consumed.len] != '/'))
    {
        return path;
    }

    path.data += ctx->consumed.len;
    path.len -= ctx->consumed.len;

    if (path.len == 0) {
        ngx_str_set(&path, "/");
    }

    return path;
}


/*
 * nginx has resolved "." and ".." between slashes. Some applications take a
 * backslash for a slash, or cut off what follows a semicolon, before they
 * resolve them once more.
 */

static ngx_uint_t
ngx_http_tenantry_has_dot_segment(ngx_str_t *path)
{
    u_char      *p, *last;
    ngx_uint_t   dots;

    p = path->data;
    last = p + path->len;

    while (p < last) {

        if (*p != '/' && *p != '\\') {
            p++;
            continue;
        }

        p++;

        for (dots = 0; p < last && *p == '.'; p++) {
            dots++;
        }

        if ((dots == 1 || dots == 2)
            && (p == last || *p == '/' || *p == '\\' || *p == ';'))
        {
            return 1;
        }
    }

    return 0;
}
