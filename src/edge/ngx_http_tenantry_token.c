
/*
 * X-Tenant-Token: signed once per host and half minute by each worker, kept
 * in a cache of as many places as configured; and tenantry_jwks, which serves
 * the public keys that applications check it with.
 */


#include "ngx_http_tenantry_module.h"

#include <string.h>
#include <xxhash.h>
#include "base/file.h"


#define NGX_HTTP_TENANTRY_KEY_FILE_MAX  65536
#define NGX_HTTP_TENANTRY_TOKEN_PERIOD  30


/* a place in the cache, found by its host */

typedef struct ngx_http_tenantry_token_s  ngx_http_tenantry_token_t;

struct ngx_http_tenantry_token_s {
    ngx_http_tenantry_token_t    *next;         /* of the same bucket */
    uint64_t                      hash;         /* of the host */
    u_char                       *text;         /* the host and the token */
    uint16_t                      host_len;
    uint16_t                      token_len;
    unsigned                      used:1;       /* since the hand passed */

    /* what the token was signed for */
    time_t                        period;
    uint64_t                      generation;   /* of the tenant's record */
    u_char                        id[TN_UUID_LENGTH];
};


/*
 * The places are taken one after the other; when none is left a hand goes
 * round and takes the next that was not used since it last came by.
 */

struct ngx_http_tenantry_tokens_s {
    ngx_uint_t                    size;
    ngx_uint_t                    taken;
    ngx_uint_t                    hand;
    ngx_uint_t                    mask;
    ngx_http_tenantry_token_t   **buckets;
    ngx_http_tenantry_token_t    *entries;
};


static ngx_http_tenantry_token_t *ngx_http_tenantry_token_find(
    ngx_http_tenantry_tokens_t *tokens, ngx_str_t *host, uint64_t hash);
static ngx_http_tenantry_token_t *ngx_http_tenantry_token_take(
    ngx_http_tenantry_tokens_t *tokens);
static ngx_int_t ngx_http_tenantry_token_is_current(
    ngx_http_tenantry_token_t *entry, tn_tenant_t *tenant, time_t period);
static void ngx_http_tenantry_token_store(ngx_http_tenantry_tokens_t *tokens,
    ngx_http_tenantry_token_t *entry, ngx_http_tenantry_ctx_t *ctx,
    uint64_t hash, time_t period, ngx_str_t *token, ngx_log_t *log);
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

    ngx_memzero(&err, sizeof(tn_err_t));

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
    ngx_uint_t                   size, buckets;
    ngx_http_tenantry_tokens_t  *tokens;

    if (tmcf->signer == NULL) {
        return NGX_OK;
    }

    size = tmcf->token_cache;

    for (buckets = 1; buckets < size; buckets *= 2) { /* void */ }

    /* what is not used is not touched, and costs no memory */

    tokens = ngx_calloc(sizeof(ngx_http_tenantry_tokens_t)
                        + size * sizeof(ngx_http_tenantry_token_t)
                        + buckets * sizeof(ngx_http_tenantry_token_t *),
                        cycle->log);
    if (tokens == NULL) {
        return NGX_ERROR;
    }

    tokens->size = size;
    tokens->mask = buckets - 1;
    tokens->entries = (ngx_http_tenantry_token_t *) &tokens[1];
    tokens->buckets = (ngx_http_tenantry_token_t **) &tokens->entries[size];

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

    for (i = 0; i < tokens->taken; i++) {
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
    char                            buf[TN_TOKEN_MAX];
    time_t                          period;
    int64_t                         issued;
    uint64_t                        hash;
    tn_str_t                        host;
    ngx_str_t                       token;
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

    entry = ngx_http_tenantry_token_find(tokens, &ctx->host, hash);

    if (entry
        && ngx_http_tenantry_token_is_current(entry, &ctx->tenant, period))
    {
        entry->used = 1;

        token.data = entry->text + entry->host_len;
        token.len = entry->token_len;

    } else {
        host.data = (char *) ctx->host.data;
        host.length = ctx->host.len;

        issued = (int64_t) period * NGX_HTTP_TENANTRY_TOKEN_PERIOD;

        rc = tn_token_sign(buf, &token.len, tmcf->signer, &ctx->tenant, host,
                           issued, issued + TN_TOKEN_LIFETIME_S);

        if (rc != TN_OK) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "no token could be signed for \"%V\": %s",
                          &ctx->host, tn_error_text(rc));
            return NULL;
        }

        token.data = (u_char *) buf;

        ngx_http_tenantry_token_store(tokens, entry, ctx, hash, period, &token,
                                      r->connection->log);
    }

    ctx->token.data = ngx_pnalloc(r->pool, token.len);
    if (ctx->token.data == NULL) {
        return NULL;
    }

    ngx_memcpy(ctx->token.data, token.data, token.len);
    ctx->token.len = token.len;

    return &ctx->token;
}


static ngx_http_tenantry_token_t *
ngx_http_tenantry_token_find(ngx_http_tenantry_tokens_t *tokens,
    ngx_str_t *host, uint64_t hash)
{
    ngx_http_tenantry_token_t  *entry;

    for (entry = tokens->buckets[hash & tokens->mask];
         entry;
         entry = entry->next)
    {
        if (entry->hash == hash
            && entry->host_len == host->len
            && ngx_memcmp(entry->text, host->data, host->len) == 0)
        {
            return entry;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_tenantry_token_is_current(ngx_http_tenantry_token_t *entry,
    tn_tenant_t *tenant, time_t period)
{
    return entry->period == period
           && entry->generation == tenant->generation
           && ngx_memcmp(entry->id, tenant->id, TN_UUID_LENGTH) == 0;
}


/* a place that is in no bucket */

static ngx_http_tenantry_token_t *
ngx_http_tenantry_token_take(ngx_http_tenantry_tokens_t *tokens)
{
    ngx_http_tenantry_token_t  *entry, **p;

    if (tokens->taken < tokens->size) {
        return &tokens->entries[tokens->taken++];
    }

    for ( ;; ) {
        entry = &tokens->entries[tokens->hand];
        tokens->hand = (tokens->hand + 1) % tokens->size;

        if (!entry->used) {
            break;
        }

        entry->used = 0;
    }

    for (p = &tokens->buckets[entry->hash & tokens->mask];
         *p;
         p = &(*p)->next)
    {
        if (*p == entry) {
            *p = entry->next;
            break;
        }
    }

    return entry;
}


/* without memory the token is not kept, and will be signed again */

static void
ngx_http_tenantry_token_store(ngx_http_tenantry_tokens_t *tokens,
    ngx_http_tenantry_token_t *entry, ngx_http_tenantry_ctx_t *ctx,
    uint64_t hash, time_t period, ngx_str_t *token, ngx_log_t *log)
{
    u_char                      *text;
    ngx_http_tenantry_token_t  **bucket;

    text = ngx_alloc(ctx->host.len + token->len, log);
    if (text == NULL) {
        return;
    }

    ngx_memcpy(ngx_cpymem(text, ctx->host.data, ctx->host.len), token->data,
               token->len);

    if (entry == NULL) {
        entry = ngx_http_tenantry_token_take(tokens);

        bucket = &tokens->buckets[hash & tokens->mask];

        entry->next = *bucket;
        *bucket = entry;
    }

    if (entry->text) {
        ngx_free(entry->text);
    }

    entry->text = text;
    entry->host_len = (uint16_t) ctx->host.len;
    entry->token_len = (uint16_t) token->len;
    entry->hash = hash;
    entry->used = 1;
    entry->period = period;
    entry->generation = ctx->tenant.generation;
    ngx_memcpy(entry->id, ctx->tenant.id, TN_UUID_LENGTH);
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
    ngx_int_t   rc;
    ngx_buf_t  *b;
    ngx_str_t   text;

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

    if (ngx_http_tenantry_add_response_header(r, "Cache-Control",
                                              "public, max-age=300")
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "application/jwk-set+json");

    return ngx_http_tenantry_send(r, NGX_HTTP_OK, b);
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
