/*
 * Writing records; see directory_record.h. What comes in is held against the limits here, so that
 * whatever is in a record can be read back.
 */
#include "core/directory_record.h"

#include "base/err.h"
#include "base/str.h"
#include "core/directory_layout.h"

/* Bytes that may stand in hosts and slugs; their form is the business of core/host.h. */
static bool is_name(tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool is_allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!is_allowed) {
            return false;
        }
    }
    return true;
}

static bool is_key(tn_str_t text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

typedef bool (*form_fn)(tn_str_t text);

/* Adds the text's length to *size_bytes when it is 1 to max bytes of that form. */
static int add_name(size_t *size_bytes, tn_str_t text, size_t max, form_fn has_form,
                    const char *field, tn_err_t *err)
{
    if (text.length > max) {
        return tn_err_field(err, TN_ETOOBIG, field, "longer than %zu bytes", max);
    }
    if (text.length == 0) {
        return tn_err_field(err, TN_EINVAL, field, "empty");
    }
    if (!has_form(text)) {
        return tn_err_field(err, TN_EINVAL, field, "holds a byte that does not belong there");
    }
    *size_bytes += text.length;
    return TN_OK;
}

static int add_text(size_t *size_bytes, tn_str_t text, const char *field, tn_err_t *err)
{
    if (text.length > TN_TEXT_MAX) {
        return tn_err_field(err, TN_ETOOBIG, field, "longer than %d bytes", TN_TEXT_MAX);
    }
    *size_bytes += text.length;
    return TN_OK;
}

static int check_counts(const tn_tenant_spec_t *tenant, tn_err_t *err)
{
    const struct {
        const char *field;
        size_t count, max;
    } limits[] = {
        {"hosts", tenant->host_count, TN_TENANT_HOSTS_MAX},
        {"former_slugs", tenant->former_slug_count, TN_TENANT_FORMER_SLUGS_MAX},
        {"flags", tenant->flag_count, TN_TENANT_FLAGS_MAX},
        {"settings", tenant->setting_count, TN_TENANT_SETTINGS_MAX},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (limits[i].count > limits[i].max) {
            return tn_err_field(err, TN_ETOOBIG, limits[i].field, "more than %zu", limits[i].max);
        }
    }
    if (tenant->status < TN_STATUS_ACTIVE || tenant->status > TN_STATUS_ARCHIVED) {
        return tn_err_field(err, TN_EINVAL, "status", "no status of a tenant");
    }
    if (tenant->primary_host > tenant->host_count) {
        return tn_err_field(err, TN_EINVAL, "primary_host", "none of the tenant's hosts");
    }
    return TN_OK;
}

/* What the blocks of so much host text take in the head. */
static size_t sums_size(size_t hosts_size)
{
    size_t blocks = (hosts_size + TN_HOST_TEXT_BLOCK - 1) / TN_HOST_TEXT_BLOCK;
    return hosts_size > TN_HOST_TEXT_PLAIN_MAX
               ? TN_TENANT_BLOCK_SUMS - TN_TENANT_FIXED_SIZE + blocks * sizeof(uint64_t)
               : 0;
}

int tn_tenant_spec_size(size_t *size_bytes, const tn_tenant_spec_t *tenant, tn_err_t *err)
{
    int code = check_counts(tenant, err);
    if (code != TN_OK) {
        return code;
    }
    size_t size = TN_TENANT_FIXED_SIZE + 3 * tenant->host_count + tenant->former_slug_count +
                  tenant->flag_count + 3 * tenant->setting_count;
    code = add_name(&size, tenant->slug, TN_SLUG_MAX, is_name, "slug", err);
    if (code == TN_OK) {
        code = add_text(&size, tenant->name, "name", err);
    }
    if (code == TN_OK) {
        code = add_text(&size, tenant->plan, "plan", err);
    }
    if (code == TN_OK) {
        code = add_text(&size, tenant->upstream, "upstream", err);
    }
    size_t hosts = 0;
    for (size_t i = 0; code == TN_OK && i < tenant->host_count; i++) {
        code = add_name(&hosts, tenant->hosts[i], TN_HOST_MAX, is_name, "hosts", err);
    }
    size += hosts + sums_size(hosts);
    for (size_t i = 0; code == TN_OK && i < tenant->former_slug_count; i++) {
        code = add_name(&size, tenant->former_slugs[i], TN_SLUG_MAX, is_name, "former_slugs", err);
    }
    for (size_t i = 0; code == TN_OK && i < tenant->flag_count; i++) {
        code = add_name(&size, tenant->flags[i].key, TN_KEY_MAX, is_key, "flags", err);
    }
    for (size_t i = 0; code == TN_OK && i < tenant->setting_count; i++) {
        code = add_name(&size, tenant->settings[i].key, TN_KEY_MAX, is_key, "settings", err);
        if (code == TN_OK) {
            code = add_text(&size, tenant->settings[i].value, "settings", err);
        }
    }
    if (code == TN_OK) {
        *size_bytes = size;
    }
    return code;
}

static void write_header(uint8_t *to, size_t size_bytes, unsigned type)
{
    tn_store_u64(to + TN_RECORD_CHECKSUM, 0);
    tn_store_u32(to + TN_RECORD_SIZE, (uint32_t)size_bytes);
    tn_store_u32(to + TN_RECORD_PREVIOUS, 0);
    tn_store_u64(to + TN_RECORD_GENERATION, (uint64_t)type << 56);
}

static uint8_t *put_text(uint8_t *at, tn_str_t text)
{
    if (text.length > 0) {
        memcpy(at, text.data, text.length);
    }
    return at + text.length;
}

static void write_fixed(uint8_t *to, const tn_tenant_spec_t *tenant)
{
    memcpy(to + TN_TENANT_ID, tenant->id, sizeof(tenant->id));
    to[TN_TENANT_STATUS] = (uint8_t)tenant->status;
    to[TN_TENANT_BIT_FIELD] = (uint8_t)((tenant->is_listed ? TN_TENANT_LISTED : 0) |
                                        (tenant->redirects_to_primary ? TN_TENANT_REDIRECTS : 0));
    to[TN_TENANT_SLUG_LENGTH] = (uint8_t)tenant->slug.length;
    to[TN_TENANT_FORMER_SLUG_COUNT] = (uint8_t)tenant->former_slug_count;
    tn_store_u16(to + TN_TENANT_NAME_LENGTH, (uint16_t)tenant->name.length);
    tn_store_u16(to + TN_TENANT_PLAN_LENGTH, (uint16_t)tenant->plan.length);
    tn_store_u16(to + TN_TENANT_UPSTREAM_LENGTH, (uint16_t)tenant->upstream.length);
    tn_store_u16(to + TN_TENANT_HOST_COUNT, (uint16_t)tenant->host_count);
    tn_store_u16(to + TN_TENANT_PRIMARY_HOST, (uint16_t)tenant->primary_host);
    tn_store_u16(to + TN_TENANT_FLAG_COUNT, (uint16_t)tenant->flag_count);
    tn_store_u16(to + TN_TENANT_SETTING_COUNT, (uint16_t)tenant->setting_count);
}

static uint8_t *write_arrays(uint8_t *at, const tn_tenant_spec_t *tenant, const uint8_t seed[16])
{
    for (size_t i = 0; i < tenant->host_count; i++, at += 2) {
        tn_str_t host = tenant->hosts[i];
        uint64_t hash = tn_key_hash(seed, TN_KEY_HOST, host.data, host.length);
        tn_store_u16(at, tn_hash_filter(hash));
    }
    for (size_t i = 0; i < tenant->setting_count; i++, at += 2) {
        tn_store_u16(at, (uint16_t)tenant->settings[i].value.length);
    }
    for (size_t i = 0; i < tenant->host_count; i++) {
        *at++ = (uint8_t)tenant->hosts[i].length;
    }
    for (size_t i = 0; i < tenant->former_slug_count; i++) {
        *at++ = (uint8_t)tenant->former_slugs[i].length;
    }
    for (size_t i = 0; i < tenant->flag_count; i++) {
        *at++ = (uint8_t)(tenant->flags[i].key.length | (tenant->flags[i].is_on ? TN_FLAG_ON : 0));
    }
    for (size_t i = 0; i < tenant->setting_count; i++) {
        *at++ = (uint8_t)tenant->settings[i].key.length;
    }
    return at;
}

/* The host text's blocks, once it is written. */
static void write_sums(uint8_t *record, const uint8_t *hosts, size_t hosts_size)
{
    tn_store_u32(record + TN_TENANT_HEAD_SIZE, (uint32_t)(hosts - record));
    uint8_t *at = record + TN_TENANT_BLOCK_SUMS;
    for (size_t from = 0; from < hosts_size; from += TN_HOST_TEXT_BLOCK, at += sizeof(uint64_t)) {
        size_t left = hosts_size - from;
        tn_store_u64(
            at, tn_checksum(hosts + from, left < TN_HOST_TEXT_BLOCK ? left : TN_HOST_TEXT_BLOCK));
    }
}

void tn_tenant_record_write(uint8_t *to, size_t size_bytes, const tn_tenant_spec_t *tenant,
                            const uint8_t seed[16])
{
    size_t hosts_size = 0;
    for (size_t i = 0; i < tenant->host_count; i++) {
        hosts_size += tenant->hosts[i].length;
    }
    bool is_blocked = hosts_size > TN_HOST_TEXT_PLAIN_MAX;
    write_header(to, size_bytes, TN_RECORD_TENANT | (is_blocked ? TN_RECORD_BLOCKED : 0));
    write_fixed(to, tenant);
    uint8_t *at = write_arrays(to + TN_TENANT_FIXED_SIZE + sums_size(hosts_size), tenant, seed);
    at = put_text(at, tenant->slug);
    at = put_text(at, tenant->name);
    at = put_text(at, tenant->plan);
    at = put_text(at, tenant->upstream);
    for (size_t i = 0; i < tenant->former_slug_count; i++) {
        at = put_text(at, tenant->former_slugs[i]);
    }
    for (size_t i = 0; i < tenant->flag_count; i++) {
        at = put_text(at, tenant->flags[i].key);
    }
    for (size_t i = 0; i < tenant->setting_count; i++) {
        at = put_text(at, tenant->settings[i].key);
        at = put_text(at, tenant->settings[i].value);
    }
    const uint8_t *hosts = at;
    for (size_t i = 0; i < tenant->host_count; i++) {
        at = put_text(at, tenant->hosts[i]);
    }
    if (is_blocked) {
        write_sums(to, hosts, hosts_size);
    }
}

int tn_flag_spec_size(size_t *size_bytes, tn_str_t key, tn_err_t *err)
{
    size_t size = TN_FLAG_FIXED_SIZE;
    int code = add_name(&size, key, TN_KEY_MAX, is_key, "key", err);
    if (code == TN_OK) {
        *size_bytes = size;
    }
    return code;
}

static void write_flag(uint8_t *to, size_t size_bytes, unsigned type, tn_str_t key, bool is_on)
{
    write_header(to, size_bytes, type);
    to[TN_FLAG_DEFAULT] = is_on ? 1 : 0;
    to[TN_FLAG_KEY_SIZE] = (uint8_t)key.length;
    (void)put_text(to + TN_FLAG_FIXED_SIZE, key);
}

void tn_flag_record_write(uint8_t *to, size_t size_bytes, tn_str_t key, bool default_on)
{
    write_flag(to, size_bytes, TN_RECORD_FLAG, key, default_on);
}

void tn_flag_tombstone_write(uint8_t *to, size_t size_bytes, tn_str_t key)
{
    write_flag(to, size_bytes, TN_RECORD_FLAG | TN_RECORD_REMOVED, key, false);
}

void tn_tenant_tombstone_write(uint8_t *to, const uint8_t id[16])
{
    write_header(to, TN_TENANT_TOMBSTONE_SIZE, TN_RECORD_TENANT | TN_RECORD_REMOVED);
    memcpy(to + TN_TENANT_ID, id, 16);
}

int tn_platform_spec_size(size_t *size_bytes, const tn_platform_t *platform, tn_err_t *err)
{
    if (platform->base_domain_count > TN_BASE_DOMAINS_MAX) {
        return tn_err_field(err, TN_ETOOBIG, "base_domains", "more than %d", TN_BASE_DOMAINS_MAX);
    }
    if (platform->key_count > TN_PUBLIC_KEYS_MAX) {
        return tn_err_field(err, TN_ETOOBIG, "keys", "more than %d", TN_PUBLIC_KEYS_MAX);
    }
    size_t size = TN_PLATFORM_FIXED_SIZE + platform->base_domain_count + platform->key_count;
    int code = TN_OK;
    for (size_t i = 0; code == TN_OK && i < platform->base_domain_count; i++) {
        code =
            add_name(&size, platform->base_domains[i], TN_HOST_MAX, is_name, "base_domains", err);
    }
    for (size_t i = 0; code == TN_OK && i < platform->key_count; i++) {
        const char *id = platform->keys[i].id;
        size += TN_PLATFORM_KEY_BYTES;
        code = add_name(&size, (tn_str_t){id, strnlen(id, TN_KEY_ID_MAX + 1)}, TN_KEY_ID_MAX,
                        is_key, "keys", err);
    }
    if (code == TN_OK) {
        *size_bytes = size;
    }
    return code;
}

void tn_platform_record_write(uint8_t *to, size_t size_bytes, const tn_platform_t *platform)
{
    write_header(to, size_bytes, TN_RECORD_PLATFORM);
    to[TN_PLATFORM_DOMAIN_COUNT] = (uint8_t)platform->base_domain_count;
    to[TN_PLATFORM_KEY_COUNT] = (uint8_t)platform->key_count;
    tn_store_u64(to + TN_PLATFORM_OPTIONS_HASH, platform->options_hash);
    uint8_t *at = to + TN_PLATFORM_FIXED_SIZE;
    for (size_t i = 0; i < platform->base_domain_count; i++) {
        *at++ = (uint8_t)platform->base_domains[i].length;
    }
    for (size_t i = 0; i < platform->key_count; i++) {
        *at++ = (uint8_t)strlen(platform->keys[i].id);
    }
    for (size_t i = 0; i < platform->base_domain_count; i++) {
        at = put_text(at, platform->base_domains[i]);
    }
    for (size_t i = 0; i < platform->key_count; i++) {
        memcpy(at, platform->keys[i].key, TN_PLATFORM_KEY_BYTES);
        at = put_text(at + TN_PLATFORM_KEY_BYTES, tn_str(platform->keys[i].id));
    }
}
