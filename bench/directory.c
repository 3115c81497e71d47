/*
 * bench_directory: makes what the edge suite runs against: a directory of N tenants with two hosts
 * each (a sub-domain of example.com and a custom domain), the key file that signs for it, and the
 * list of hosts that bench_load asks for, spread evenly over the tenants and over both kinds.
 *
 * Everything follows from a tenant's number, so that two runs measure the same bytes (but for the
 * key and the directory's own seed, which are random).
 */
#include "base/err.h"
#include "base/file.h"
#include "base/random.h"
#include "base/str.h"
#include "core/directory_writer.h"
#include "core/token.h"

#include <stdio.h>
#include <stdlib.h>

#define TENANTS_MAX       10000000
#define TENANTS_PER_BATCH 10000
#define KEY_FILE_MAX      16384

/* The texts of one tenant, and the specification that borrows them. */
typedef struct {
    char slug[32], name[48], host[64];
    tn_str_t hosts[1];
    struct tn_tenant_spec_setting settings[2];
    tn_tenant_spec_t spec;
} tenant_t;

static const tn_str_t plans[] = {
    {"free", 4},
    {"team", 4},
    {"business", 8},
    {"enterprise", 10},
};

static void make_tenant(tenant_t *out, uint64_t number)
{
    (void)snprintf(out->slug, sizeof(out->slug), "tenant-%07llu", (unsigned long long)number);
    (void)snprintf(out->name, sizeof(out->name), "Tenant number %llu", (unsigned long long)number);
    (void)snprintf(out->host, sizeof(out->host), "www.customer-%07llu.example",
                   (unsigned long long)number);
    out->hosts[0] = tn_str(out->host);
    out->settings[0] = (struct tn_tenant_spec_setting){TN_STR("color"), TN_STR("#336699")};
    out->settings[1] = (struct tn_tenant_spec_setting){TN_STR("locale"), TN_STR("fr")};
    out->spec = (tn_tenant_spec_t){
        .slug = tn_str(out->slug),
        .name = tn_str(out->name),
        .plan = plans[number % (sizeof(plans) / sizeof(plans[0]))],
        .upstream = TN_STR(""),
        .status = TN_STATUS_ACTIVE,
        .is_listed = false,
        .hosts = out->hosts,
        .host_count = 1,
        .primary_host = 0,
        .settings = out->settings,
        .setting_count = 2,
    };
    /* a UUIDv7's shape; the number makes it unique, the multiplication spreads it */
    uint64_t spread = number * 0x9e3779b97f4a7c15ULL;
    static const uint8_t prefix[6] = {0x01, 0x97, 0x3a, 0x10, 0x00, 0x00};
    memcpy(out->spec.id, prefix, sizeof(prefix));
    memcpy(out->spec.id + 6, &spread, sizeof(spread));
    memcpy(out->spec.id + 12, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
    out->spec.id[6] = (uint8_t)(0x70 | (out->spec.id[6] & 0x0f));
    out->spec.id[8] = (uint8_t)(0x80 | (out->spec.id[8] & 0x3f));
}

static int write_key(tn_platform_t *platform, const char *path, tn_err_t *err)
{
    char *jwks = NULL;
    size_t length = 0;
    tn_signer_t *signer = NULL;
    int code = tn_signer_generate(&jwks, &length, err);
    if (code == TN_OK) {
        code = tn_signer_parse(&signer, jwks, length, err);
    }
    if (code == TN_OK) {
        platform->key_count = tn_signer_public_keys(platform->keys, signer);
        code = tn_file_write(path, jwks, length, 0600, err);
    }
    tn_signer_free(signer);
    free(jwks);
    return code;
}

/* The keys of a file that an earlier call wrote, so that directories of several sizes share it. */
static int read_key(tn_platform_t *platform, const char *path, tn_err_t *err)
{
    char *jwks = NULL;
    size_t length = 0;
    tn_signer_t *signer = NULL;
    int code = tn_file_read(&jwks, &length, path, KEY_FILE_MAX, err);
    if (code == TN_ENOTFOUND) {
        return write_key(platform, path, err);
    }
    if (code == TN_OK) {
        code = tn_signer_parse(&signer, jwks, length, err);
    }
    if (code == TN_OK) {
        platform->key_count = tn_signer_public_keys(platform->keys, signer);
    }
    tn_signer_free(signer);
    free(jwks);
    return code;
}

static int put_batch(tn_directory_writer_t *writer, const tn_platform_t *platform, uint64_t first,
                     uint64_t last, tn_err_t *err)
{
    int code = tn_directory_begin(writer, 1 + first / TENANTS_PER_BATCH, err);
    if (code == TN_OK && first == 0) {
        code = tn_directory_put_platform(writer, platform, err);
    }
    for (uint64_t number = first; code == TN_OK && number < last; number++) {
        tenant_t tenant;
        make_tenant(&tenant, number);
        code = tn_directory_put_tenant(writer, &tenant.spec, err);
    }
    if (code != TN_OK) {
        tn_directory_abort(writer);
        return code;
    }
    return tn_directory_commit(writer, err);
}

static int build(const char *path, uint64_t tenants, const tn_platform_t *platform, tn_err_t *err)
{
    uint8_t database_id[16];
    tn_random_bytes(database_id, sizeof(database_id));
    tn_directory_writer_t *writer = NULL;
    int code = tn_directory_writer_create(&writer, path, database_id, tenants, err);
    for (uint64_t first = 0; code == TN_OK && first < tenants; first += TENANTS_PER_BATCH) {
        uint64_t last = first + TENANTS_PER_BATCH < tenants ? first + TENANTS_PER_BATCH : tenants;
        code = put_batch(writer, platform, first, last, err);
    }
    if (code == TN_OK) {
        code = tn_directory_writer_install(writer, NULL, err);
    }
    tn_directory_writer_close(writer);
    return code;
}

static int write_hosts(const char *path, uint64_t tenants, uint64_t count, tn_err_t *err)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return tn_err_set(err, TN_EIO, "%s cannot be written", path);
    }
    count = count < 2 * tenants ? count : 2 * tenants;
    for (uint64_t i = 0; i < count; i++) {
        tenant_t tenant;
        uint64_t place = i * 2 * tenants / count;
        make_tenant(&tenant, place / 2);
        /* of two hosts a tenant, this one's: where places are an even step apart, take turns */
        bool is_custom = 2 * tenants == count ? place % 2 == 1 : i % 2 == 1;
        if (is_custom) {
            (void)fprintf(file, "%s %s\n", tenant.host, tenant.slug); /* fclose tells */
        } else {
            (void)fprintf(file, "%s.example.com %s\n", tenant.slug, tenant.slug);
        }
    }
    return fclose(file) == 0 ? TN_OK : tn_err_set(err, TN_EIO, "%s cannot be written", path);
}

static uint64_t number(const char *text)
{
    uint64_t value;
    if (tn_str_number(&value, tn_str(text), TENANTS_MAX) != TN_OK || value == 0) {
        (void)fprintf(stderr, "bench_directory: '%s' is not a number of tenants or hosts\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fputs("usage: bench_directory DIRECTORY TENANTS KEYFILE HOSTSFILE HOSTS\n", stderr);
        return 2;
    }
    uint64_t tenants = number(argv[2]);
    uint64_t hosts = number(argv[5]);
    tn_err_t err = {0};
    tn_platform_t platform = {.base_domains = {TN_STR("example.com")}, .base_domain_count = 1};
    int code = read_key(&platform, argv[3], &err);
    if (code == TN_OK) {
        code = build(argv[1], tenants, &platform, &err);
    }
    if (code == TN_OK) {
        code = write_hosts(argv[4], tenants, hosts, &err);
    }
    if (code != TN_OK) {
        (void)fprintf(stderr, "bench_directory: %s: %s\n", tn_error_text(code), err.detail);
        return 1;
    }
    return 0;
}
