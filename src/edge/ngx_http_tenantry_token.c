
/*
 * X-Tenant-Token: signed once per host and half minute by each worker, kept
 * in a cache of fixed size; and tenantry_jwks, which serves the public keys
 * that applications check it with.
 */


#include "ngx_http_tenantry_module.h"

#include <string.h>
#include <xxhash.h>
#include "base/file.h"


#define NGX_HTTP_TENANTRY_KEY_FILE_MAX  65536
#define NGX_HTTP_TENANTRY_TOKEN_PERIOD  30
#define NGX_HTTP_TENANTRY_TOKEN_WAYS    4


typedef struct {
    uint64_t                      hash;         /* of the host */
    uint64_t                      generation;   /* of the tenant's record */
    time_t                        period;
    uint64_t                      used;
    u_char                       *text;         /* the host and the token */
    uint16_t                      host_len;
    uint16_t                      token_len;
    u_char                        id[TN_UUID_LENGTH];
} ngx_http_tenantry_token_t;


/* a host has its place in one set of a few entries; the least used gives way */

struct ngx_http_tenantry_tokens_s {
    ngx_uint_t                    sets;
    uint64_t                      clock;
    ngx_http_tenantry_token_t     entries[1];
};


static ngx_http_tenantry_token_t *ngx_http_tenantry_token_entry(
    ngx_http_tenantry_tokens_t *tokens, ngx_http_tenantry_ctx_t *ctx,
    uint64_t hash);
static ngx_int_t ngx_http_tenantry_token_is_for(
    ngx_http_tenantry_token_t *entry, ngx_http_tenantry_ctx_t *ctx,
    uint64_t hash);
static void ngx_http_tenantry_token_store(ngx_http_tenantry_token_t *entry,
    ngx_http_tenantry_ctx_t *ctx, uint64_t hash, char *token, size_t len,
    ngx_log_t *log);
static void ngx_http_tenantry_signer_cleanup(void *data);
static ngx_int_t ngx_http_tenantry_jwks_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_tenantry_jwks_text(ngx_http_request_t *r,
    ngx_str_t *text);


char *
ngx_http_tenantry_token_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_tenantry_main_conf_t *tmcf = conf;

    int                  rc;
    char                *text;
    size_t               len;
    tn_err_t             err;
    ngx_str_t           *value;
    ngx_pool_cleanup_t  *cln;

    if (tmcf->token_key.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    tmcf->token_key = value[1];

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_conf_full_name(cf->cycle, &tmcf->token_key, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = tn_file_read(&text, &len, (char *) tmcf->token_key.data,
                      NGX_HTTP_TENANTRY_KEY_FILE_MAX, &err);

    if (rc == TN_OK) {
        rc = tn_signer_parse(&tmcf->signer, text, len, &err);

        explicit_bzero(text, len);
        free(text);
    }

    if (rc != TN_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the signing key in \"%V\" cannot be used: %s",
                           &tmcf->token_key, err.detail);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_tenantry_signer_cleanup;
    cln->data = tmcf->signer;

    return NGX_CONF_OK;
}


static void
ngx_http_tenantry_signer_cleanup(void *data)
{
    tn_signer_free(data);
}


ngx_int_t
ngx_http_tenantry_tokens_init(ngx_cycle_t *cycle,
    ngx_http_tenantry_main_conf_t *tmcf)
{
    ngx_uint_t                   sets;
    ngx_http_tenantry_tokens_t  *tokens;

    if (tmcf->signer == NULL) {
        return NGX_OK;
    }

    sets = (tmcf->token_cache + NGX_HTTP_TENANTRY_TOKEN_WAYS - 1)
           / NGX_HTTP_TENANTRY_TOKEN_WAYS;

    tokens = ngx_calloc(sizeof(ngx_http_tenantry_tokens_t)
                        + sets * NGX_HTTP_TENANTRY_TOKEN_WAYS
                          * sizeof(ngx_http_tenantry_token_t),
                        cycle->log);
    if (tokens == NULL) {
        return NGX_ERROR;
    }

    tokens->sets = sets;
    tmcf->worker.tokens = tokens;

    return NGX_OK;
}


void
ngx_http_tenantry_tokens_done(ngx_http_tenantry_main_conf_t *tmcf)
{
    ngx_uint_t                   i;
    ngx_http_tenantry_tokens_t  *tokens;

    tokens = tmcf->worker.tokens;

    if (tokens == NULL) {
        return;
    }

    for (i = 0; i < tokens->sets * NGX_HTTP_TENANTRY_TOKEN_WAYS; i++) {
        if (tokens->entries[i].text) {
            ngx_free(tokens->entries[i].text);
        }
    }

    ngx_free(tokens);
    tmcf->worker.tokens = NULL;
}


/* the token for this request in its pool, NULL when there is none */

ngx_str_t *
ngx_http_tenantry_token(ngx_http_request_t *r, ngx_http_tenantry_ctx_t *ctx)
{
    int                             rc;
    char                            buf[TN_TOKEN_MAX], *token;
    time_t                          period;
    size_t                          len;
    int64_t                         issued;
    uint64_t                        hash;
    tn_str_t                        host;
    ngx_http_tenantry_token_t      *entry;
    ngx_http_tenantry_tokens_t     *tokens;
    ngx_http_tenantry_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tenantry_module);
    tokens = tmcf->worker.tokens;

    if (tokens == NULL) {
        return NULL;
    }

    hash = XXH3_64bits(ctx->host.data, ctx->host.len);
    period = ngx_time() / NGX_HTTP_TENANTRY_TOKEN_PERIOD;

    entry = ngx_http_tenantry_token_entry(tokens, ctx, hash);
    entry->used = ++tokens->clock;

    if (entry->period == period
        && ngx_http_tenantry_token_is_for(entry, ctx, hash))
    {
        token = (char *) entry->text + entry->host_len;
        len = entry->token_len;

    } else {
        host.data = (char *) ctx->host.data;
        host.length = ctx->host.len;

        issued = (int64_t) period * NGX_HTTP_TENANTRY_TOKEN_PERIOD;

        rc = tn_token_sign(buf, &len, tmcf->signer, &ctx->tenant, host, issued,
                           issued + TN_TOKEN_LIFETIME_S);

        if (rc != TN_OK) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "no token could be signed for \"%V\": %s",
                          &ctx->host, tn_error_text(rc));
            return NULL;
        }

        token = buf;

        ngx_http_tenantry_token_store(entry, ctx, hash, token, len,
                                      r->connection->log);
        entry->period = period;
    }

    ctx->token.data = ngx_pnalloc(r->pool, len);
    if (ctx->token.data == NULL) {
        return NULL;
    }

    ngx_memcpy(ctx->token.data, token, len);
    ctx->token.len = len;

    return &ctx->token;
}


/* the host's entry, or the one of its set that is to become it */

static ngx_http_tenantry_token_t *
ngx_http_tenantry_token_entry(ngx_http_tenantry_tokens_t *tokens,
    ngx_http_tenantry_ctx_t *ctx, uint64_t hash)
{
    ngx_uint_t                  i;
    ngx_http_tenantry_token_t  *set, *oldest;

    set = &tokens->entries[hash % tokens->sets * NGX_HTTP_TENANTRY_TOKEN_WAYS];
    oldest = set;

    for (i = 0; i < NGX_HTTP_TENANTRY_TOKEN_WAYS; i++) {

        if (ngx_http_tenantry_token_is_for(&set[i], ctx, hash)) {
            return &set[i];
        }

        if (set[i].used < oldest->used) {
            oldest = &set[i];
        }
    }

    return oldest;
}


static ngx_int_t
ngx_http_tenantry_token_is_for(ngx_http_tenantry_token_t *entry,
    ngx_http_tenantry_ctx_t *ctx, uint64_t hash)
{
    return entry->text
           && entry->hash == hash
           && entry->generation == ctx->tenant.generation
           && entry->host_len == ctx->host.len
           && ngx_memcmp(entry->text, ctx->host.data, ctx->host.len) == 0
           && ngx_memcmp(entry->id, ctx->tenant.id, TN_UUID_LENGTH) == 0;
}


/* without memory the entry is left empty and the token is signed again */

static void
ngx_http_tenantry_token_store(ngx_http_tenantry_token_t *entry,
    ngx_http_tenantry_ctx_t *ctx, uint64_t hash, char *token, size_t len,
    ngx_log_t *log)
{
    u_char  *text;

    if (entry->text == NULL
        || (size_t) entry->host_len + entry->token_len != ctx->host.len + len)
    {
        text = ngx_alloc(ctx->host.len + len, log);

        if (entry->text) {
            ngx_free(entry->text);
        }

        entry->text = text;

        if (text == NULL) {
            return;
        }
    }

    ngx_memcpy(ngx_cpymem(entry->text, ctx->host.data, ctx->host.len), token,
               len);
    ngx_memcpy(entry->id, ctx->tenant.id, TN_UUID_LENGTH);

    entry->hash = hash;
    entry->generation = ctx->tenant.generation;
    entry->host_len = (uint16_t) ctx->host.len;
    entry->token_len = (uint16_t) len;
}


char *
ngx_http_tenantry_jwks(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_tenantry_main_conf_t  *tmcf;

    tmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_tenantry_module);
    tmcf->jwks = 1;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_tenantry_jwks_handler;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_tenantry_jwks_handler(ngx_http_request_t *r)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_str_t     text;
    ngx_chain_t   out;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_tenantry_jwks_text(r, &text);

    if (rc == NGX_DECLINED) {
        return ngx_http_tenantry_answer_unavailable(r);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = text.data;
    b->last = text.data + text.len;
    b->temporary = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    if (ngx_http_tenantry_add_response_header(r, "Cache-Control",
                                              "public, max-age=300")
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "application/jwk-set+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = text.len;
    r->headers_out.status = NGX_HTTP_OK;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, &out);
}


/* NGX_DECLINED when there is no directory to take the keys from */

static ngx_int_t
ngx_http_tenantry_jwks_text(ngx_http_request_t *r, ngx_str_t *text)
{
    int                             rc;
    char                           *json;
    size_t                          len;
    tn_platform_t                   platform;
    tn_directory_t                 *directory;
    ngx_http_tenantry_main_conf_t  *tmcf;

    tmcf = ngx_http_get_module_main_conf(r, ngx_http_tenantry_module);
    directory = tmcf->worker.directory;

    rc = TN_EUNAVAILABLE;

    if (directory) {
        tn_directory_refresh(directory, (int64_t) ngx_current_msec);
        rc = tn_directory_platform(&platform, directory);
    }

    if (rc != TN_OK) {
        ngx_http_tenantry_directory_report(tmcf, TN_ANSWER_UNAVAILABLE);
        return NGX_DECLINED;
    }

    if (tn_jwks_document(&json, &len, platform.keys, platform.key_count)
        != TN_OK)
    {
        return NGX_ERROR;
    }

    text->len = len;
    text->data = ngx_pnalloc(r->pool, len);

    if (text->data) {
        ngx_memcpy(text->data, json, len);
    }

    free(json);

    return text->data ? NGX_OK : NGX_ERROR;
}
