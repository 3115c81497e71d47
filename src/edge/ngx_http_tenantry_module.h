
/*
 * The nginx module ngx_http_tenantry_module: what its files share.
 *
 *     _module.c      directives, configuration, phases
 *     _directory.c   a worker's view of the directory, and what it logs
 *     _resolve.c     whose request it is, asked once a request
 *     _headers.c     the header firewall, and the edge's own headers
 *     _variables.c   $tenant_...
 *     _answer.c      what visitors get instead of the application
 *     _token.c       X-Tenant-Token and its cache, the public keys
 *     _rewrite.c     the application's path
 *     _cache_key.c   caches whose key could mix tenants are refused
 */


#ifndef _NGX_HTTP_TENANTRY_MODULE_H_INCLUDED_
#define _NGX_HTTP_TENANTRY_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "tenantry.h"
#include "core/directory.h"
#include "core/resolve.h"
#include "core/token.h"


#define NGX_HTTP_TENANTRY_GONE         410

/* bytes of ":" and a port, at most */
#define NGX_HTTP_TENANTRY_PORT_LEN     (sizeof(":65535") - 1)

/* a flag's or setting's key, terminated */
#define NGX_HTTP_TENANTRY_KEY_SIZE     64


typedef struct ngx_http_tenantry_tokens_s  ngx_http_tenantry_tokens_t;


/* what a worker holds; the master and the cache processes leave it zeroed */

typedef struct {
    tn_directory_t              *directory;
    ngx_http_tenantry_tokens_t  *tokens;

    ngx_uint_t                   refused;      /* since the last report */
    ngx_msec_t                   reported_at;
    unsigned                     reported:1;
    unsigned                     down:1;
} ngx_http_tenantry_worker_t;


typedef struct {
    ngx_str_t                    directory;
    ngx_str_t                    token_key;
    ngx_int_t                    token_cache;
    tn_signer_t                 *signer;

    ngx_http_tenantry_worker_t   worker;

    unsigned                     enabled:1;    /* in some server */
    unsigned                     rewrites:1;   /* in some location */
    unsigned                     jwks:1;
} ngx_http_tenantry_main_conf_t;


typedef struct {
    ngx_flag_t                   enable;

    ngx_uint_t                   strategies;
    ngx_str_t                    path_prefix;
    ngx_str_t                    header;
    ngx_str_t                    header_folded;
    ngx_array_t                 *trusted;      /* of ngx_cidr_t */

    ngx_flag_t                   answers;
    ngx_array_t                 *problem_prefixes;
    time_t                       retry_after;
} ngx_http_tenantry_srv_conf_t;


typedef struct {
    ngx_http_complex_value_t    *rewrite;
    ngx_flag_t                   rewrite_needs_tenant;
    ngx_flag_t                   cache_key_check;
} ngx_http_tenantry_loc_conf_t;


/* a path that the visitor does not see, and the one that he sees */

typedef struct ngx_http_tenantry_rewrite_s  ngx_http_tenantry_rewrite_t;

struct ngx_http_tenantry_rewrite_s {
    ngx_str_t                     hidden;
    ngx_str_t                     visible;
    ngx_http_tenantry_rewrite_t  *next;
};


/*
 * What is known of a request. It belongs to the main request, is shared with
 * its subrequests and survives internal redirects; nothing in it points into
 * the directory, which may be refreshed before the request ends.
 */

typedef struct {
    tn_answer_t                   answer;       /* 0: was not asked */
    tn_tenant_t                   tenant;       /* when known */
    ngx_str_t                     resolved_by;

    ngx_str_t                     host;         /* normalised */
    ngx_str_t                     authority;    /* with the visitor's port */
    ngx_str_t                     redirect;     /* the host to go to */
    ngx_str_t                     consumed;     /* path that names a tenant */
    ngx_str_t                     peer;         /* before ngx_http_realip */
    ngx_str_t                     token;

    ngx_http_tenantry_rewrite_t  *rewrites;

    unsigned                      known:1;      /* a tenant is */
    unsigned                      trusted:1;    /* the peer is */
    unsigned                      https:1;
    unsigned                      decided:1;
} ngx_http_tenantry_ctx_t;


ngx_http_tenantry_ctx_t *ngx_http_tenantry_get_ctx(ngx_http_request_t *r);
ngx_http_tenantry_ctx_t *ngx_http_tenantry_create_ctx(ngx_http_request_t *r);

ngx_int_t ngx_http_tenantry_directory_init(ngx_cycle_t *cycle,
    ngx_http_tenantry_main_conf_t *tmcf);
void ngx_http_tenantry_directory_done(ngx_http_tenantry_main_conf_t *tmcf);
void ngx_http_tenantry_directory_report(ngx_http_tenantry_main_conf_t *tmcf,
    tn_answer_t answer);

ngx_http_tenantry_ctx_t *ngx_http_tenantry_resolve(ngx_http_request_t *r);

void ngx_http_tenantry_headers_init(void);
ngx_int_t ngx_http_tenantry_fold_header(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *folded);
ngx_uint_t ngx_http_tenantry_get_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_uint_t n, ngx_str_t *value);
ngx_int_t ngx_http_tenantry_set_headers(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx);

ngx_int_t ngx_http_tenantry_add_variables(ngx_conf_t *cf);

ngx_int_t ngx_http_tenantry_answer(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx);
ngx_int_t ngx_http_tenantry_answer_no_tenant(ngx_http_request_t *r);
ngx_int_t ngx_http_tenantry_answer_unavailable(ngx_http_request_t *r);
ngx_int_t ngx_http_tenantry_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_buf_t *b);
ngx_int_t ngx_http_tenantry_add_response_header(ngx_http_request_t *r,
    char *key, char *value);

char *ngx_http_tenantry_token_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_tenantry_jwks(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_http_tenantry_tokens_init(ngx_cycle_t *cycle,
    ngx_http_tenantry_main_conf_t *tmcf);
void ngx_http_tenantry_tokens_done(ngx_http_tenantry_main_conf_t *tmcf);
ngx_str_t *ngx_http_tenantry_token(ngx_http_request_t *r,
    ngx_http_tenantry_ctx_t *ctx);

char *ngx_http_tenantry_rewrite(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_int_t ngx_http_tenantry_rewrite_handler(ngx_http_request_t *r);

char *ngx_http_tenantry_check_cache_keys(ngx_conf_t *cf,
    ngx_http_tenantry_srv_conf_t *tscf);


extern ngx_module_t  ngx_http_tenantry_module;
extern ngx_module_t  ngx_http_tenantry_cache_key_module;


#endif /* _NGX_HTTP_TENANTRY_MODULE_H_INCLUDED_ */
