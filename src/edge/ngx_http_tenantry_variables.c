
/*
 * $tenant_...: for log_format, map, limit_req_zone, proxy_pass and the rest of
 * nginx. They read what was found out at the beginning of the request and are
 * not found where nothing was.
 */


#include "ngx_http_tenantry_module.h"


typedef enum {
    NGX_HTTP_TENANTRY_VAR_ID = 0,
    NGX_HTTP_TENANTRY_VAR_SLUG,
    NGX_HTTP_TENANTRY_VAR_DOMAIN,
    NGX_HTTP_TENANTRY_VAR_PLAN,
    NGX_HTTP_TENANTRY_VAR_STATUS,
    NGX_HTTP_TENANTRY_VAR_UPSTREAM,
    NGX_HTTP_TENANTRY_VAR_TOKEN,
    NGX_HTTP_TENANTRY_VAR_RESOLVED_BY
} ngx_http_tenantry_var_e;


static ngx_int_t ngx_http_tenantry_tenant_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tenantry_answer_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tenantry_generation_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tenantry_flag_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_tenantry_setting_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_http_tenantry_ctx_t *ngx_http_tenantry_key(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, ngx_str_t *name, size_t prefix, char *key);
static void ngx_http_tenantry_set_variable(ngx_http_variable_value_t *v,
    const void *data, size_t len);


static ngx_http_variable_t  ngx_http_tenantry_vars[] = {

    { ngx_string("tenant_id"), NULL, ngx_http_tenantry_tenant_variable,
      NGX_HTTP_TENANTRY_VAR_ID, 0, 0 },

    { ngx_string("tenant_slug"), NULL, ngx_http_tenantry_tenant_variable,
      NGX_HTTP_TENANTRY_VAR_SLUG, 0, 0 },

    { ngx_string("tenant_domain"), NULL, ngx_http_tenantry_tenant_variable,
      NGX_HTTP_TENANTRY_VAR_DOMAIN, 0, 0 },

    { ngx_string("tenant_plan"), NULL, ngx_http_tenantry_tenant_variable,
      NGX_HTTP_TENANTRY_VAR_PLAN, 0, 0 },

    { ngx_string("tenant_status"), NULL, ngx_http_tenantry_tenant_variable,
      NGX_HTTP_TENANTRY_VAR_STATUS, 0, 0 },

    { ngx_string("tenant_upstream"), NULL, ngx_http_tenantry_tenant_variable,
      NGX_HTTP_TENANTRY_VAR_UPSTREAM, 0, 0 },

    { ngx_string("tenant_token"), NULL, ngx_http_tenantry_tenant_variable,
      NGX_HTTP_TENANTRY_VAR_TOKEN, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tenant_resolved_by"), NULL,
      ngx_http_tenantry_tenant_variable, NGX_HTTP_TENANTRY_VAR_RESOLVED_BY,
      0, 0 },

    { ngx_string("tenant_answer"), NULL, ngx_http_tenantry_answer_variable,
      0, 0, 0 },

    { ngx_string("tenant_generation"), NULL,
      ngx_http_tenantry_generation_variable, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("tenant_flag_"), NULL, ngx_http_tenantry_flag_variable,
      0, NGX_HTTP_VAR_PREFIX, 0 },

    { ngx_string("tenant_setting_"), NULL,
      ngx_http_tenantry_setting_variable, 0, NGX_HTTP_VAR_PREFIX, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_tenantry_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_tenantry_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tenantry_tenant_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    char                     *status;
    tn_tenant_t              *tenant;
    ngx_http_tenantry_ctx_t  *ctx;

    ctx = ngx_http_tenantry_get_ctx(r);

    if (ctx == NULL || !ctx->known) {
        v->not_found = 1;
        return NGX_OK;
    }

    tenant = &ctx->tenant;

    switch ((ngx_http_tenantry_var_e) data) {

    case NGX_HTTP_TENANTRY_VAR_ID:
        ngx_http_tenantry_set_variable(v, tenant->id, TN_UUID_LENGTH);
        break;

    case NGX_HTTP_TENANTRY_VAR_SLUG:
        ngx_http_tenantry_set_variable(v, tenant->slug.data,
                                       tenant->slug.length);
        break;

    case NGX_HTTP_TENANTRY_VAR_DOMAIN:
        ngx_http_tenantry_set_variable(v, ctx->host.data, ctx->host.len);
        break;

    case NGX_HTTP_TENANTRY_VAR_PLAN:
        ngx_http_tenantry_set_variable(v, tenant->plan.data,
                                       tenant->plan.length);
        break;

    case NGX_HTTP_TENANTRY_VAR_STATUS:
        status = (char *) tn_tenant_status_name(tenant->status);
        ngx_http_tenantry_set_variable(v, status, ngx_strlen(status));
        break;

    case NGX_HTTP_TENANTRY_VAR_UPSTREAM:
        ngx_http_tenantry_set_variable(v, tenant->upstream.data,
                                       tenant->upstream.length);
        break;

    case NGX_HTTP_TENANTRY_VAR_TOKEN:
        if (ctx->token.len == 0) {
            v->not_found = 1;
            break;
        }

        ngx_http_tenantry_set_variable(v, ctx->token.data, ctx->token.len);
        break;

    case NGX_HTTP_TENANTRY_VAR_RESOLVED_BY:
        ngx_http_tenantry_set_variable(v, ctx->resolved_by.data,
                                       ctx->resolved_by.len);
        break;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tenantry_answer_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    char                     *name;
    ngx_http_tenantry_ctx_t  *ctx;

    ctx = ngx_http_tenantry_get_ctx(r);

    if (ctx == NULL || ctx->answer == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    name = (char *) tn_answer_name(ctx->answer);
    ngx_http_tenantry_set_variable(v, name, ngx_strlen(name));

    return NGX_OK;
}


/* where this worker's directory stands now */

static ngx_int_t
ngx_http_tenantry_generation_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                         *p;
    tn_directory_info_t             info;
    ngx_http_tenantry_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tenantry_module);

    if (tmcf->worker.directory == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    tn_directory_info(&info, tmcf->worker.directory);

    if (info.state != TN_DIRECTORY_READY) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_http_tenantry_set_variable(v, p, ngx_sprintf(p, "%uL", info.generation)
                                         - p);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tenantry_flag_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    char                            key[NGX_HTTP_TENANTRY_KEY_SIZE];
    bool                            is_on;
    ngx_http_tenantry_ctx_t        *ctx;
    ngx_http_tenantry_main_conf_t  *tmcf;

    ctx = ngx_http_tenantry_key(r, v, (ngx_str_t *) data,
                                sizeof("tenant_flag_") - 1, key);
    if (ctx == NULL) {
        return NGX_OK;
    }

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tenantry_module);

    if (tn_flag_is_on(&is_on, tmcf->worker.directory, &ctx->tenant, key)
        != TN_OK)
    {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_tenantry_set_variable(v, is_on ? "1" : "0", 1);

    return NGX_OK;
}


static ngx_int_t
ngx_http_tenantry_setting_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    char                      key[NGX_HTTP_TENANTRY_KEY_SIZE];
    tn_str_t                  value;
    ngx_http_tenantry_ctx_t  *ctx;

    ctx = ngx_http_tenantry_key(r, v, (ngx_str_t *) data,
                                sizeof("tenant_setting_") - 1, key);
    if (ctx == NULL) {
        return NGX_OK;
    }

    if (tn_tenant_setting(&value, &ctx->tenant, key) != TN_OK) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_tenantry_set_variable(v, value.data, value.length);

    return NGX_OK;
}


/* the key that follows the prefix in a variable's name, terminated */

static ngx_http_tenantry_ctx_t *
ngx_http_tenantry_key(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    ngx_str_t *name, size_t prefix, char *key)
{
    size_t                    len;
    ngx_http_tenantry_ctx_t  *ctx;

    ctx = ngx_http_tenantry_get_ctx(r);
    len = name->len - prefix;

    if (ctx == NULL
        || !ctx->known
        || len == 0
        || len >= NGX_HTTP_TENANTRY_KEY_SIZE)
    {
        v->not_found = 1;
        return NULL;
    }

    *ngx_cpymem(key, name->data + prefix, len) = '\0';

    return ctx;
}


static void
ngx_http_tenantry_set_variable(ngx_http_variable_value_t *v, const void *data,
    size_t len)
{
    v->len = len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = (u_char *) data;
}
