
/*
 * A cache whose key does not tell tenants apart serves one tenant's pages to
 * another, and nginx's default key does not. It is refused when the
 * configuration is read.
 *
 * The configuration of ngx_http_proxy_module and its like is private to them.
 * So this is a second module, placed before them, with commands of the same
 * names: each notes what it is given and where, and passes it on to the
 * command that it stands before. ngx_http_tenantry_module, placed after them,
 * asks for the check when it merges a location.
 */


#include "ngx_http_tenantry_module.h"


typedef struct {
    ngx_str_t                         text;   /* data is NULL: not given */
    u_char                           *file;
    ngx_uint_t                        line;
} ngx_http_tenantry_noted_t;


typedef struct {
    ngx_http_tenantry_noted_t         cache;
    ngx_http_tenantry_noted_t         key;
    ngx_uint_t                        passes;
} ngx_http_tenantry_cached_t;


typedef struct {
    ngx_http_tenantry_cached_t        proxy;
    ngx_http_tenantry_cached_t        fastcgi;
    ngx_http_tenantry_cached_t        uwsgi;
    ngx_http_tenantry_cached_t        scgi;
} ngx_http_tenantry_cache_key_conf_t;


static void *ngx_http_tenantry_cache_key_create_conf(ngx_conf_t *cf);
static char *ngx_http_tenantry_cache_key_merge_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_tenantry_note(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tenantry_note_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_tenantry_pass_on(ngx_conf_t *cf, ngx_command_t *cmd);
static char *ngx_http_tenantry_check_cache_key(ngx_conf_t *cf, char *name,
    ngx_http_tenantry_cached_t *cached, ngx_http_tenantry_srv_conf_t *tscf);
static ngx_uint_t ngx_http_tenantry_tells_apart(ngx_str_t *key,
    ngx_http_tenantry_srv_conf_t *tscf);
static ngx_uint_t ngx_http_tenantry_next_variable(ngx_str_t *rest,
    ngx_str_t *name);


#define ngx_http_tenantry_cache_commands(name)                               \
                                                                              \
    { ngx_string(#name "_cache"),                                             \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,  \
      ngx_http_tenantry_note,                                                 \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_tenantry_cache_key_conf_t, name.cache),               \
      NULL },                                                                 \
                                                                              \
    { ngx_string(#name "_cache_key"),                                         \
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,  \
      ngx_http_tenantry_note,                                                 \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_tenantry_cache_key_conf_t, name.key),                 \
      NULL },                                                                 \
                                                                              \
    { ngx_string(#name "_pass"),                                              \
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_TAKE1,   \
      ngx_http_tenantry_note_pass,                                            \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_http_tenantry_cache_key_conf_t, name.passes),              \
      NULL }


static ngx_command_t  ngx_http_tenantry_cache_key_commands[] = {

    ngx_http_tenantry_cache_commands(proxy),
    ngx_http_tenantry_cache_commands(fastcgi),
    ngx_http_tenantry_cache_commands(uwsgi),
    ngx_http_tenantry_cache_commands(scgi),

      ngx_null_command
};


static ngx_http_module_t  ngx_http_tenantry_cache_key_module_ctx = {
    NULL,                                      /* preconfiguration */
    NULL,                                      /* postconfiguration */

    NULL,                                      /* create main configuration */
    NULL,                                      /* init main configuration */

    NULL,                                      /* create server configuration */
    NULL,                                      /* merge server configuration */

    ngx_http_tenantry_cache_key_create_conf,   /* create location config */
    ngx_http_tenantry_cache_key_merge_conf     /* merge location config */
};


ngx_module_t  ngx_http_tenantry_cache_key_module = {
    NGX_MODULE_V1,
    &ngx_http_tenantry_cache_key_module_ctx,   /* module context */
    ngx_http_tenantry_cache_key_commands,      /* module directives */
    NGX_HTTP_MODULE,                           /* module type */
    NULL,                                      /* init master */
    NULL,                                      /* init module */
    NULL,                                      /* init process */
    NULL,                                      /* init thread */
    NULL,                                      /* exit thread */
    NULL,                                      /* exit process */
    NULL,                                      /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_tenantry_cache_key_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_tenantry_cache_key_conf_t));
}


/* as those modules do: a location without its own value has its parent's */

static char *
ngx_http_tenantry_cache_key_merge_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_tenantry_cache_key_conf_t *prev = parent;
    ngx_http_tenantry_cache_key_conf_t *conf = child;

    ngx_uint_t                   i;
    ngx_http_tenantry_cached_t  *from, *to;

    static size_t  offsets[] = {
        offsetof(ngx_http_tenantry_cache_key_conf_t, proxy),
        offsetof(ngx_http_tenantry_cache_key_conf_t, fastcgi),
        offsetof(ngx_http_tenantry_cache_key_conf_t, uwsgi),
        offsetof(ngx_http_tenantry_cache_key_conf_t, scgi)
    };

    for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {

        from = (ngx_http_tenantry_cached_t *) ((char *) prev + offsets[i]);
        to = (ngx_http_tenantry_cached_t *) ((char *) conf + offsets[i]);

        if (to->cache.text.data == NULL) {
            to->cache = from->cache;
        }

        if (to->key.text.data == NULL) {
            to->key = from->key;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_tenantry_note(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                       *rv;
    ngx_str_t                  *value;
    ngx_http_tenantry_noted_t  *noted;

    rv = ngx_http_tenantry_pass_on(cf, cmd);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;

    noted = (ngx_http_tenantry_noted_t *) ((char *) conf + cmd->offset);

    noted->text = value[1];
    noted->file = cf->conf_file->file.name.data;
    noted->line = cf->conf_file->line;

    return NGX_CONF_OK;
}


static char *
ngx_http_tenantry_note_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *rv;

    rv = ngx_http_tenantry_pass_on(cf, cmd);

    if (rv == NGX_CONF_OK) {
        *(ngx_uint_t *) ((char *) conf + cmd->offset) = 1;
    }

    return rv;
}


/* what ngx_conf_handler() would have done without this module */

static char *
ngx_http_tenantry_pass_on(ngx_conf_t *cf, ngx_command_t *cmd)
{
    void           *conf, **confp;
    ngx_str_t      *value;
    ngx_uint_t      i;
    ngx_module_t   *module;
    ngx_command_t  *real;

    for (i = 0; cf->cycle->modules[i]; i++) {

        module = cf->cycle->modules[i];

        if (module == &ngx_http_tenantry_cache_key_module
            || module->type != NGX_HTTP_MODULE
            || module->commands == NULL)
        {
            continue;
        }

        for (real = module->commands; real->name.len; real++) {

            if (real->name.len != cmd->name.len
                || ngx_strcmp(real->name.data, cmd->name.data) != 0
                || !(real->type & cf->cmd_type))
            {
                continue;
            }

            conf = NULL;
            confp = *(void **) ((char *) cf->ctx + real->conf);

            if (confp) {
                conf = confp[module->ctx_index];
            }

            return real->set(cf, real, conf);
        }
    }

    value = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown directive \"%V\"",
                       &value[0]);

    return NGX_CONF_ERROR;
}


char *
ngx_http_tenantry_check_cache_keys(ngx_conf_t *cf,
    ngx_http_tenantry_srv_conf_t *tscf)
{
    char                                *rv;
    ngx_http_tenantry_cache_key_conf_t  *conf;

    conf = ngx_http_conf_get_module_loc_conf(cf,
                                           ngx_http_tenantry_cache_key_module);

    rv = ngx_http_tenantry_check_cache_key(cf, "proxy", &conf->proxy, tscf);

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_tenantry_check_cache_key(cf, "fastcgi", &conf->fastcgi,
                                               tscf);
    }

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_tenantry_check_cache_key(cf, "uwsgi", &conf->uwsgi,
                                               tscf);
    }

    if (rv == NGX_CONF_OK) {
        rv = ngx_http_tenantry_check_cache_key(cf, "scgi", &conf->scgi, tscf);
    }

    return rv;
}


static char *
ngx_http_tenantry_check_cache_key(ngx_conf_t *cf, char *name,
    ngx_http_tenantry_cached_t *cached, ngx_http_tenantry_srv_conf_t *tscf)
{
    ngx_http_tenantry_noted_t  *at;

    if (!cached->passes
        || cached->cache.text.data == NULL
        || ngx_strcmp(cached->cache.text.data, "off") == 0
        || (cached->key.text.data
            && ngx_http_tenantry_tells_apart(&cached->key.text, tscf)))
    {
        return NGX_CONF_OK;
    }

    at = cached->key.text.data ? &cached->key : &cached->cache;

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"%s_cache\" would serve one tenant's responses to another: "
                  "%s \"%s_cache_key\"%s does not tell tenants apart, set "
                  "\"%s_cache_key $tenant_id$scheme$host$request_uri;\", "
                  "or \"tenantry_cache_key_check off;\" where a variable "
                  "of yours does in %s:%ui",
                  name, cached->key.text.data ? "this" : "the default",
                  name, cached->key.text.data ? "" : " (none is set)", name,
                  at->file, at->line);

    return NGX_CONF_ERROR;
}


/*
 * The tenant always does. The host does as long as it alone decides: with
 * path or header strategies tenants share one, and a trusted proxy may name
 * another one than nginx sees. $server_name never does, it is the same for
 * every host that a server takes.
 */

static ngx_uint_t
ngx_http_tenantry_tells_apart(ngx_str_t *key,
    ngx_http_tenantry_srv_conf_t *tscf)
{
    ngx_str_t   rest, name;
    ngx_uint_t  i, level;

    static struct {
        ngx_str_t   name;
        ngx_uint_t  level;
    } variables[] = {
        { ngx_string("tenant_id"), 0 },
        { ngx_string("tenant_slug"), 0 },
        { ngx_string("tenant_domain"), 1 },
        { ngx_string("host"), 2 },
        { ngx_string("http_host"), 2 },
        { ngx_null_string, 0 }
    };

    level = (tscf->strategies != TN_STRATEGY_HOST) ? 0
            : tscf->trusted ? 1 : 2;

    rest = *key;

    while (ngx_http_tenantry_next_variable(&rest, &name)) {

        for (i = 0; variables[i].name.len; i++) {

            if (variables[i].level <= level
                && variables[i].name.len == name.len
                && ngx_strncasecmp(variables[i].name.data, name.data, name.len)
                   == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


/* takes everything up to and with the next $name or ${name} off rest */

static ngx_uint_t
ngx_http_tenantry_next_variable(ngx_str_t *rest, ngx_str_t *name)
{
    u_char  *p, *last, ch;

    last = rest->data + rest->len;
    p = ngx_strlchr(rest->data, last, '$');

    if (p == NULL) {
        return 0;
    }

    p++;

    if (p < last && *p == '{') {
        p++;
    }

    name->data = p;

    while (p < last) {
        ch = ngx_tolower(*p);

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '_') {
            break;
        }

        p++;
    }

    name->len = p - name->data;

    rest->data = p;
    rest->len = last - p;

    return 1;
}
