
/*
 * Directives, configuration and phases. Where the module stands in a request:
 *
 *     post read        asks the directory, before ngx_http_realip_module puts
 *                      another address in the peer's place
 *     server rewrite   the header firewall, then the status answers, before
 *                      any directive of ngx_http_rewrite_module
 *     rewrite          the same, for named locations that were entered from
 *                      a request that never came to the phases above
 *     precontent       tenantry_rewrite
 *
 * Handlers of one phase run last module first; ours comes after nginx's own.
 */


#include "ngx_http_tenantry_module.h"


static void *ngx_http_tenantry_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_tenantry_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_tenantry_create_srv_conf(ngx_conf_t *cf);
static char *ngx_http_tenantry_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static void *ngx_http_tenantry_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_tenantry_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_http_tenantry_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_tenantry_init_process(ngx_cycle_t *cycle);
static void ngx_http_tenantry_exit_process(ngx_cycle_t *cycle);

static ngx_int_t ngx_http_tenantry_post_read_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_tenantry_decide_handler(ngx_http_request_t *r);
static void ngx_http_tenantry_cleanup(void *data);

static char *ngx_http_tenantry_directory(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tenantry_strategy(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tenantry_trusted_proxy(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_tenantry_problem_prefix(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_tenantry_check_path_prefix(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_tenantry_check_header(ngx_conf_t *cf, void *post,
    void *data);


static ngx_conf_post_t  ngx_http_tenantry_path_prefix_post =
    { ngx_http_tenantry_check_path_prefix };

static ngx_conf_post_t  ngx_http_tenantry_header_post =
    { ngx_http_tenantry_check_header };

static ngx_conf_num_bounds_t  ngx_http_tenantry_token_cache_bounds =
    { ngx_conf_check_num_bounds, 1, 1048576 };


static ngx_command_t  ngx_http_tenantry_commands[] = {

    { ngx_string("tenantry"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_tenantry_srv_conf_t, enable),
      NULL },

    { ngx_string("tenantry_directory"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_tenantry_directory,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tenantry_strategy"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_tenantry_strategy,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tenantry_path_prefix"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_tenantry_srv_conf_t, path_prefix),
      &ngx_http_tenantry_path_prefix_post },

    { ngx_string("tenantry_header"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_tenantry_srv_conf_t, header),
      &ngx_http_tenantry_header_post },

    { ngx_string("tenantry_trusted_proxy"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_tenantry_trusted_proxy,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tenantry_rewrite"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_tenantry_rewrite,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tenantry_token_key"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_tenantry_token_key,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tenantry_token_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_tenantry_main_conf_t, token_cache),
      &ngx_http_tenantry_token_cache_bounds },

    { ngx_string("tenantry_jwks"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_tenantry_jwks,
      0,
      0,
      NULL },

    { ngx_string("tenantry_answers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_tenantry_srv_conf_t, answers),
      NULL },

    { ngx_string("tenantry_problem_prefix"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_1MORE,
      ngx_http_tenantry_problem_prefix,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tenantry_retry_after"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_SRV_CONF_OFFSET,
      offsetof(ngx_http_tenantry_srv_conf_t, retry_after),
      NULL },

    { ngx_string("tenantry_cache_key_check"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_tenantry_loc_conf_t, cache_key_check),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_tenantry_module_ctx = {
    ngx_http_tenantry_add_variables,       /* preconfiguration */
    ngx_http_tenantry_init,                /* postconfiguration */

    ngx_http_tenantry_create_main_conf,    /* create main configuration */
    ngx_http_tenantry_init_main_conf,      /* init main configuration */

    ngx_http_tenantry_create_srv_conf,     /* create server configuration */
    ngx_http_tenantry_merge_srv_conf,      /* merge server configuration */

    ngx_http_tenantry_create_loc_conf,     /* create location configuration */
    ngx_http_tenantry_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_tenantry_module = {
    NGX_MODULE_V1,
    &ngx_http_tenantry_module_ctx,         /* module context */
    ngx_http_tenantry_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_tenantry_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_tenantry_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_tenantry_post_read_handler(ngx_http_request_t *r)
{
    ngx_http_tenantry_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_tenantry_module);

    if (!tscf->enable) {
        return NGX_DECLINED;
    }

    if (ngx_http_tenantry_resolve(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_tenantry_decide_handler(ngx_http_request_t *r)
{
    ngx_uint_t                     failed;
    ngx_http_tenantry_ctx_t       *ctx;
    ngx_http_tenantry_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_tenantry_module);

    if (!tscf->enable || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_tenantry_get_ctx(r);

    if (ctx && ctx->decided) {
        return NGX_DECLINED;
    }

    /* an error_page for what nginx or another module has refused */

    failed = r->err_status || r->error_page;

    if (ctx == NULL) {

        /*
         * A request that could not be parsed may be half a request: it is
         * not asked whose it is, but no header of its own may pass as ours.
         */

        ctx = failed ? ngx_http_tenantry_create_ctx(r)
                     : ngx_http_tenantry_resolve(r);

        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    ctx->decided = 1;

    if (ngx_http_tenantry_set_headers(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (failed
        || ctx->answer == TN_ANSWER_FOUND
        || ctx->answer == TN_ANSWER_PLATFORM)
    {
        return NGX_DECLINED;
    }

    return ngx_http_tenantry_answer(r, ctx);
}


ngx_http_tenantry_ctx_t *
ngx_http_tenantry_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_tenantry_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_tenantry_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_tenantry_cleanup;

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_tenantry_ctx_t));

#if (NGX_HTTP_SSL)
    ctx->https = (r->connection->ssl != NULL);
#endif

    ngx_http_set_ctx(r, ctx, ngx_http_tenantry_module);

    return ctx;
}


ngx_http_tenantry_ctx_t *
ngx_http_tenantry_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_tenantry_ctx_t  *ctx;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_tenantry_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {

        /*
         * if module context was reset, the original address
         * can still be found in the cleanup handler
         */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_tenantry_cleanup) {
                ctx = cln->data;
                ngx_http_set_ctx(r, ctx, ngx_http_tenantry_module);
                break;
            }
        }
    }

    return ctx;
}


static void
ngx_http_tenantry_cleanup(void *data)
{
    /* all is in the pool; the handler is what the context is found by */
}


static void *
ngx_http_tenantry_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_tenantry_main_conf_t  *tmcf;

    tmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tenantry_main_conf_t));
    if (tmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     tmcf->directory = { 0, NULL };
     *     tmcf->token_key = { 0, NULL };
     *     tmcf->signer = NULL;
     *     tmcf->worker = { NULL };
     */

    tmcf->token_cache = NGX_CONF_UNSET;

    return tmcf;
}


static char *
ngx_http_tenantry_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_tenantry_main_conf_t *tmcf = conf;

    ngx_conf_init_value(tmcf->token_cache, 16384);

    return NGX_CONF_OK;
}


static void *
ngx_http_tenantry_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_tenantry_srv_conf_t  *tscf;

    tscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tenantry_srv_conf_t));
    if (tscf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     tscf->strategies = 0;
     *     tscf->path_prefix = { 0, NULL };
     *     tscf->header = { 0, NULL };
     *     tscf->header_folded = { 0, NULL };
     *     tscf->trusted = NULL;
     *     tscf->problem_prefixes = NULL;
     */

    tscf->enable = NGX_CONF_UNSET;
    tscf->answers = NGX_CONF_UNSET;
    tscf->retry_after = NGX_CONF_UNSET;

    return tscf;
}


static char *
ngx_http_tenantry_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_tenantry_srv_conf_t *prev = parent;
    ngx_http_tenantry_srv_conf_t *conf = child;

    ngx_http_tenantry_main_conf_t  *tmcf;

    ngx_conf_merge_value(conf->enable, prev->enable, 0);

    ngx_conf_merge_bitmask_value(conf->strategies, prev->strategies,
                              TN_STRATEGY_HOST);

    ngx_conf_merge_str_value(conf->path_prefix, prev->path_prefix, "/t/");
    ngx_conf_merge_str_value(conf->header, prev->header, "X-Tenant");

    if (conf->trusted == NULL) {
        conf->trusted = prev->trusted;
    }

    ngx_conf_merge_value(conf->answers, prev->answers, 1);

    if (conf->problem_prefixes == NULL) {
        conf->problem_prefixes = prev->problem_prefixes;
    }

    ngx_conf_merge_sec_value(conf->retry_after, prev->retry_after,
                             NGX_CONF_UNSET);

    if (ngx_http_tenantry_fold_header(cf, &conf->header, &conf->header_folded)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (!conf->enable) {
        return NGX_CONF_OK;
    }

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tenantry_module);
    tmcf->enabled = 1;

    if ((conf->strategies & TN_STRATEGY_HEADER) && conf->trusted == NULL) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"tenantry_strategy header\" never applies without "
                      "\"tenantry_trusted_proxy\"");
    }

    return NGX_CONF_OK;
}


static void *
ngx_http_tenantry_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_tenantry_loc_conf_t  *tlcf;

    tlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_tenantry_loc_conf_t));
    if (tlcf == NULL) {
        return NULL;
    }

    tlcf->rewrite = NGX_CONF_UNSET_PTR;
    tlcf->rewrite_needs_tenant = NGX_CONF_UNSET;
    tlcf->cache_key_check = NGX_CONF_UNSET;

    return tlcf;
}


static char *
ngx_http_tenantry_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_tenantry_loc_conf_t *prev = parent;
    ngx_http_tenantry_loc_conf_t *conf = child;

    ngx_http_tenantry_srv_conf_t  *tscf;

    ngx_conf_merge_ptr_value(conf->rewrite, prev->rewrite, NULL);
    ngx_conf_merge_value(conf->rewrite_needs_tenant,
                              prev->rewrite_needs_tenant, 0);
    ngx_conf_merge_value(conf->cache_key_check, prev->cache_key_check, 1);

    tscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_tenantry_module);

    if (tscf->enable && conf->cache_key_check) {
        return ngx_http_tenantry_check_cache_keys(cf, tscf);
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_tenantry_init(ngx_conf_t *cf)
{
    ngx_uint_t                      i;
    ngx_http_handler_pt            *h;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_tenantry_main_conf_t  *tmcf;

    static struct {
        ngx_uint_t           phase;
        ngx_http_handler_pt  handler;
    } handlers[] = {
        { NGX_HTTP_POST_READ_PHASE, ngx_http_tenantry_post_read_handler },
        { NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_tenantry_decide_handler },
        { NGX_HTTP_REWRITE_PHASE, ngx_http_tenantry_decide_handler },
        { NGX_HTTP_PRECONTENT_PHASE, ngx_http_tenantry_rewrite_handler }
    };

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tenantry_module);

    if ((tmcf->enabled || tmcf->jwks) && tmcf->directory.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%s\" needs a \"tenantry_directory\"",
                      tmcf->enabled ? "tenantry" : "tenantry_jwks");
        return NGX_ERROR;
    }

    if (!tmcf->enabled) {
        return NGX_OK;
    }

    ngx_http_tenantry_headers_init();

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {

        if (handlers[i].phase == NGX_HTTP_PRECONTENT_PHASE
            && !tmcf->rewrites)
        {
            continue;
        }

        h = ngx_array_push(&cmcf->phases[handlers[i].phase].handlers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = handlers[i].handler;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tenantry_init_process(ngx_cycle_t *cycle)
{
    ngx_http_tenantry_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tenantry_module);

    if (tmcf == NULL || tmcf->directory.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_tenantry_directory_init(cycle, tmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_tenantry_tokens_init(cycle, tmcf);
}


static void
ngx_http_tenantry_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_tenantry_main_conf_t  *tmcf;

    tmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tenantry_module);

    if (tmcf == NULL) {
        return;
    }

    ngx_http_tenantry_tokens_done(tmcf);
    ngx_http_tenantry_directory_done(tmcf);
}


static char *
ngx_http_tenantry_directory(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tenantry_main_conf_t *tmcf = conf;

    ngx_str_t  *value;

    if (tmcf->directory.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "has an empty path";
    }

    tmcf->directory = value[1];

    if (ngx_conf_full_name(cf->cycle, &tmcf->directory, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tenantry_strategy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tenantry_srv_conf_t *tscf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i, n;

    static struct {
        ngx_str_t    name;
        ngx_uint_t   bit;
    } strategies[] = {
        { ngx_string("host"), TN_STRATEGY_HOST },
        { ngx_string("path"), TN_STRATEGY_PATH },
        { ngx_string("header"), TN_STRATEGY_HEADER },
        { ngx_null_string, 0 }
    };

    if (tscf->strategies) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        for (n = 0; strategies[n].name.len; n++) {
            if (ngx_strcmp(value[i].data, strategies[n].name.data) == 0) {
                break;
            }
        }

        if (strategies[n].name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\" directive, "
                               "it must be \"host\", \"path\" or \"header\"",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        if (tscf->strategies & strategies[n].bit) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "duplicate value \"%V\"", &value[i]);
        }

        tscf->strategies |= strategies[n].bit;
    }

    if (!(tscf->strategies & TN_STRATEGY_HOST)) {
        return "must name \"host\"";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tenantry_trusted_proxy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tenantry_srv_conf_t *tscf = conf;

    ngx_int_t    rc;
    ngx_str_t   *value;
    ngx_uint_t   i;
    ngx_cidr_t  *cidr;

    if (tscf->trusted == NULL) {
        tscf->trusted = ngx_array_create(cf->pool, 4, sizeof(ngx_cidr_t));
        if (tscf->trusted == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        cidr = ngx_array_push(tscf->trusted);
        if (cidr == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(cidr, sizeof(ngx_cidr_t));

#if (NGX_HAVE_UNIX_DOMAIN)

        if (ngx_strcmp(value[i].data, "unix:") == 0) {
            cidr->family = AF_UNIX;
            continue;
        }

#endif

        rc = ngx_ptocidr(&value[i], cidr);

        if (rc == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\" directive, it "
                               "must be an address, a CIDR block or \"unix:\"",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DONE) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "low address bits of %V are meaningless",
                               &value[i]);
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tenantry_problem_prefix(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_tenantry_srv_conf_t *tscf = conf;

    ngx_str_t   *value, *prefix;
    ngx_uint_t   i;

    if (tscf->problem_prefixes == NULL) {
        tscf->problem_prefixes = ngx_array_create(cf->pool, 4,
                                                  sizeof(ngx_str_t));
        if (tscf->problem_prefixes == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0 || value[i].data[0] != '/') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\" directive, "
                               "it must begin with \"/\"",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        prefix = ngx_array_push(tscf->problem_prefixes);
        if (prefix == NULL) {
            return NGX_CONF_ERROR;
        }

        *prefix = value[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tenantry_check_path_prefix(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *prefix = data;

    if (prefix->len == 0
        || prefix->data[0] != '/'
        || prefix->data[prefix->len - 1] != '/')
    {
        return "must begin and end with \"/\"";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tenantry_check_header(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *name = data;

    size_t              i;
    u_char              ch;
    ngx_http_header_t  *header;

    for (i = 0; i < name->len; i++) {
        ch = ngx_tolower(name->data[i]);

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '-') {
            break;
        }
    }

    if (name->len == 0 || i < name->len) {
        return "must be of letters, digits and hyphens";
    }

    /* it is removed from the request, where nginx may hold pointers to it */

    for (header = ngx_http_headers_in; header->name.len; header++) {
        if (header->name.len == name->len
            && ngx_strncasecmp(header->name.data, name->data, name->len) == 0)
        {
            return "must not be a header that nginx itself reads";
        }
    }

    if (ngx_strcasecmp(name->data, (u_char *) "forwarded") == 0
        || ngx_strncasecmp(name->data, (u_char *) "x-forwarded-", 12) == 0)
    {
        return "must not be \"Forwarded\" or \"X-Forwarded-...\"";
    }

    return NGX_CONF_OK;
}
