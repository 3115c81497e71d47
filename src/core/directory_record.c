/*
 * Reading records; see directory_record.h. What a record may hold is decided by its own bytes only
 * as far as they agree with each other and with the limits in directory_writer.h.
 */
#include "core/directory_record.h"

#include "base/str.h"
#include "base/uuid.h"
#include "core/directory_layout.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t tn_checksum(const void *data, size_t size_bytes)
{
    return XXH3_64bits(data, size_bytes);
}

/* How many of the record's bytes its checksum is of, itself included; 0 when that makes no sense.
 */
static size_t head_size(const uint8_t *data, size_t size)
{
    unsigned type = (unsigned)(tn_load_u64(data + TN_RECORD_GENERATION) >> 56);
    if ((type & TN_RECORD_BLOCKED) == 0) {
        return size;
    }
    if (type != (TN_RECORD_TENANT | TN_RECORD_BLOCKED) || size < TN_TENANT_BLOCK_SUMS) {
        return 0;
    }
    size_t head = tn_load_u32(data + TN_TENANT_HEAD_SIZE);
    return head >= TN_TENANT_BLOCK_SUMS && head <= size ? head : 0;
}

bool tn_record_load(tn_record_t *out, const uint8_t *image, uint64_t arena_offset, uint64_t size,
                    uint32_t unit)
{
    uint64_t offset = (uint64_t)unit * TN_FORMAT_UNIT;
    if (offset < arena_offset || offset > size || size - offset < TN_RECORD_HEADER_SIZE) {
        return false;
    }
    const uint8_t *data = image + offset;
    uint32_t record_size = tn_load_u32(data + TN_RECORD_SIZE);
    if (record_size < TN_RECORD_HEADER_SIZE || record_size > TN_RECORD_MAX ||
        record_size > size - offset) {
        return false;
    }
    size_t head = head_size(data, record_size);
    if (head == 0 || XXH3_64bits(data + TN_RECORD_SIZE, head - TN_RECORD_SIZE) !=
                         tn_load_u64(data + TN_RECORD_CHECKSUM)) {
        return false;
    }
    uint64_t stamp = tn_load_u64(data + TN_RECORD_GENERATION);
    out->data = data;
    out->size = record_size;
    out->unit = unit;
    out->previous = tn_load_u32(data + TN_RECORD_PREVIOUS);
    out->generation = stamp & (((uint64_t)1 << 56) - 1);
    out->type = (unsigned)(stamp >> 56) & ~(unsigned)TN_RECORD_BLOCKED;
    return out->previous < unit;
}

void tn_record_seal(uint8_t *record, uint64_t generation, uint32_t previous)
{
    uint64_t type = tn_load_u64(record + TN_RECORD_GENERATION) >> 56;
    tn_store_u32(record + TN_RECORD_PREVIOUS, previous);
    tn_store_u64(record + TN_RECORD_GENERATION, type << 56 | generation);
    size_t head = head_size(record, tn_load_u32(record + TN_RECORD_SIZE));
    tn_store_u64(record + TN_RECORD_CHECKSUM,
                 XXH3_64bits(record + TN_RECORD_SIZE, head - TN_RECORD_SIZE));
}

/* The sum of `count` lengths, or SIZE_MAX when one is not within min and max. Of narrow numbers, so
 * that the compiler makes wide additions of it. */
static size_t sum_lengths(const uint8_t *lengths, size_t count, uint8_t mask, uint8_t min,
                          uint8_t max)
{
    uint32_t sum = 0;
    uint8_t outside = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t length = lengths[i] & mask;
        sum += length;
        outside |= (uint8_t)(length < min) | (uint8_t)(length > max);
    }
    return outside != 0 ? SIZE_MAX : sum;
}

static size_t sum_values(const uint8_t *lengths, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = tn_load_u16(lengths + 2 * i);
        if (length > TN_TEXT_MAX) {
            return SIZE_MAX;
        }
        sum += length;
    }
    return sum;
}

static void read_fixed(tn_tenant_parts_t *out, const uint8_t *record)
{
    out->id = record + TN_TENANT_ID;
    out->status = record[TN_TENANT_STATUS];
    out->bits = record[TN_TENANT_BIT_FIELD];
    out->slug_length = record[TN_TENANT_SLUG_LENGTH];
    out->former_slug_count = record[TN_TENANT_FORMER_SLUG_COUNT];
    out->name_length = tn_load_u16(record + TN_TENANT_NAME_LENGTH);
    out->plan_length = tn_load_u16(record + TN_TENANT_PLAN_LENGTH);
    out->upstream_length = tn_load_u16(record + TN_TENANT_UPSTREAM_LENGTH);
    out->host_count = tn_load_u16(record + TN_TENANT_HOST_COUNT);
    out->primary_host = tn_load_u16(record + TN_TENANT_PRIMARY_HOST);
    out->flag_count = tn_load_u16(record + TN_TENANT_FLAG_COUNT);
    out->setting_count = tn_load_u16(record + TN_TENANT_SETTING_COUNT);
}

static bool fixed_is_valid(const tn_tenant_parts_t *parts)
{
    return parts->status >= TN_STATUS_ACTIVE && parts->status <= TN_STATUS_ARCHIVED &&
           (parts->bits & ~(unsigned)TN_TENANT_BITS) == 0 && parts->slug_length >= 1 &&
           parts->slug_length <= TN_SLUG_MAX && parts->name_length <= TN_TEXT_MAX &&
           parts->plan_length <= TN_TEXT_MAX && parts->upstream_length <= TN_TEXT_MAX &&
           parts->host_count <= TN_TENANT_HOSTS_MAX && parts->primary_host <= parts->host_count &&
           parts->former_slug_count <= TN_TENANT_FORMER_SLUGS_MAX &&
           parts->flag_count <= TN_TENANT_FLAGS_MAX &&
           parts->setting_count <= TN_TENANT_SETTINGS_MAX;
}

/* Places the arrays; false when the record is too short for them. */
static bool place_arrays(tn_tenant_parts_t *out, const uint8_t *bytes, size_t size_bytes)
{
    size_t arrays =
        3 * out->host_count + 3 * out->setting_count + out->former_slug_count + out->flag_count;
    size_t sums = 0;
    if (out->block_sums != NULL) {
        size_t blocks = (out->hosts_size + TN_HOST_TEXT_BLOCK - 1) / TN_HOST_TEXT_BLOCK;
        sums = TN_TENANT_BLOCK_SUMS - TN_TENANT_FIXED_SIZE + blocks * sizeof(uint64_t);
    }
    if (size_bytes - TN_TENANT_FIXED_SIZE < sums + arrays) {
        return false;
    }
    out->host_filters = bytes + TN_TENANT_FIXED_SIZE + sums;
    out->value_lengths = out->host_filters + 2 * out->host_count;
    out->host_lengths = out->value_lengths + 2 * out->setting_count;
    out->former_slug_lengths = out->host_lengths + out->host_count;
    out->flags = out->former_slug_lengths + out->former_slug_count;
    out->key_lengths = out->flags + out->flag_count;
    return true;
}

/* Places the text, whose length the arrays give; false when that is not what the record has. */
static bool place_text(tn_tenant_parts_t *out, const uint8_t *end)
{
    size_t hosts = sum_lengths(out->host_lengths, out->host_count, 0xff, 1, TN_HOST_MAX);
    size_t slugs =
        sum_lengths(out->former_slug_lengths, out->former_slug_count, 0xff, 1, TN_SLUG_MAX);
    size_t flags = sum_lengths(out->flags, out->flag_count, TN_FLAG_KEY_LENGTH, 1, TN_KEY_MAX);
    size_t keys = sum_lengths(out->key_lengths, out->setting_count, 0xff, 1, TN_KEY_MAX);
    size_t values = sum_values(out->value_lengths, out->setting_count);
    if (hosts == SIZE_MAX || slugs == SIZE_MAX || flags == SIZE_MAX || keys == SIZE_MAX ||
        values == SIZE_MAX) {
        return false;
    }
    out->slug = (const char *)(out->key_lengths + out->setting_count);
    out->name = out->slug + out->slug_length;
    out->plan = out->name + out->name_length;
    out->upstream = out->plan + out->plan_length;
    out->former_slugs = out->upstream + out->upstream_length;
    out->flag_keys = out->former_slugs + slugs;
    out->settings = out->flag_keys + flags;
    out->hosts = out->settings + keys + values;
    bool has_size = out->block_sums == NULL || hosts == out->hosts_size;
    out->hosts_size = hosts;
    return has_size && out->hosts + hosts == (const char *)end;
}

bool tn_tenant_parts_read(tn_tenant_parts_t *out, const void *record, size_t size_bytes)
{
    const uint8_t *bytes = record;
    if (size_bytes < TN_TENANT_FIXED_SIZE) {
        return false;
    }
    read_fixed(out, bytes);
    size_t head = head_size(bytes, size_bytes);
    if (!fixed_is_valid(out) || head == 0) {
        return false;
    }
    out->hosts_size = size_bytes - head;
    out->block_sums = head < size_bytes ? bytes + TN_TENANT_BLOCK_SUMS : NULL;
    return place_arrays(out, bytes, size_bytes) && place_text(out, bytes + size_bytes);
}

/* Whether the blocks that hold these bytes of the host text are whole. */
static bool blocks_are_whole(const tn_tenant_parts_t *parts, size_t at, size_t length)
{
    if (parts->block_sums == NULL) {
        return true; /* the record's own checksum has said so */
    }
    for (size_t i = at / TN_HOST_TEXT_BLOCK; i * TN_HOST_TEXT_BLOCK < at + length; i++) {
        size_t from = i * TN_HOST_TEXT_BLOCK;
        size_t left = parts->hosts_size - from;
        size_t size = left < TN_HOST_TEXT_BLOCK ? left : TN_HOST_TEXT_BLOCK;
        if (XXH3_64bits(parts->hosts + from, size) != tn_load_u64(parts->block_sums + 8 * i)) {
            return false;
        }
    }
    return true;
}

bool tn_tenant_parts_host(tn_str_t *out, const tn_tenant_parts_t *parts, size_t index)
{
    size_t at = sum_lengths(parts->host_lengths, index, 0xff, 0, UINT8_MAX);
    *out = (tn_str_t){parts->hosts + at, parts->host_lengths[index]};
    return blocks_are_whole(parts, at, out->length);
}

/* The first host from `from` on that passes the filter; host_count when there is none. */
static size_t next_candidate(const tn_tenant_parts_t *parts, uint16_t filter, size_t from)
{
    enum { RUN = 32 };
    size_t i = from;
    /* a run at a time, which the compiler makes a few wide comparisons of */
    for (; i + RUN <= parts->host_count; i += RUN) {
        unsigned hits = 0;
        for (size_t k = 0; k < RUN; k++) {
            hits |= tn_load_u16(parts->host_filters + 2 * (i + k)) == filter;
        }
        if (hits != 0) {
            break;
        }
    }
    for (; i < parts->host_count; i++) {
        if (tn_load_u16(parts->host_filters + 2 * i) == filter) {
            break;
        }
    }
    return i;
}

int tn_tenant_parts_find_host(const tn_tenant_parts_t *parts, uint64_t hash, tn_str_t host)
{
    uint16_t filter = tn_hash_filter(hash);
    for (size_t i = next_candidate(parts, filter, 0); i < parts->host_count;
         i = next_candidate(parts, filter, i + 1)) {
        tn_str_t text;
        if (parts->host_lengths[i] != host.length) {
            continue;
        }
        if (!tn_tenant_parts_host(&text, parts, i)) {
            return TN_EDAMAGED;
        }
        if (memcmp(text.data, host.data, host.length) == 0) {
            return TN_OK;
        }
    }
    return TN_ENOTFOUND;
}

bool tn_tenant_parts_have_slug(const tn_tenant_parts_t *parts, tn_str_t slug)
{
    if (tn_str_equal((tn_str_t){parts->slug, parts->slug_length}, slug)) {
        return true;
    }
    const char *at = parts->former_slugs;
    for (size_t i = 0; i < parts->former_slug_count; i++) {
        if (tn_str_equal((tn_str_t){at, parts->former_slug_lengths[i]}, slug)) {
            return true;
        }
        at += parts->former_slug_lengths[i];
    }
    return false;
}

bool tn_tenant_from_parts(tn_tenant_t *out, const tn_tenant_parts_t *parts,
                          const tn_record_t *record)
{
    tn_str_t primary_host = {"", 0};
    if (parts->primary_host < parts->host_count &&
        !tn_tenant_parts_host(&primary_host, parts, parts->primary_host)) {
        return false;
    }
    (void)tn_uuid_format(out->id, parts->id);
    out->slug = (tn_str_t){parts->slug, parts->slug_length};
    out->name = (tn_str_t){parts->name, parts->name_length};
    out->plan = (tn_str_t){parts->plan, parts->plan_length};
    out->upstream = (tn_str_t){parts->upstream, parts->upstream_length};
    out->primary_host = primary_host;
    out->status = (tn_tenant_status_t)parts->status;
    out->is_listed = (parts->bits & TN_TENANT_LISTED) != 0;
    out->redirects_to_primary = (parts->bits & TN_TENANT_REDIRECTS) != 0;
    out->generation = record->generation;
    out->record = record->data;
    out->record_size = record->size;
    return true;
}

static bool read_flag(tn_str_t *key, uint8_t *value, const tn_record_t *record)
{
    if (record->size < TN_FLAG_FIXED_SIZE) {
        return false;
    }
    size_t length = record->data[TN_FLAG_KEY_SIZE];
    if (length < 1 || length > TN_KEY_MAX || record->size != TN_FLAG_FIXED_SIZE + length) {
        return false;
    }
    *value = record->data[TN_FLAG_DEFAULT];
    *key = (tn_str_t){(const char *)record->data + TN_FLAG_FIXED_SIZE, length};
    return *value <= 1;
}

bool tn_flag_record_read(tn_str_t *key, bool *default_on, const tn_record_t *record)
{
    uint8_t value;
    if (!read_flag(key, &value, record)) {
        return false;
    }
    *default_on = value == 1;
    return true;
}

/* A platform's record, taken apart. */
typedef struct {
    size_t domain_count, key_count;
    const uint8_t *domain_lengths, *key_lengths;
    const uint8_t *domains, *keys;
} platform_parts_t;

static bool read_platform(platform_parts_t *out, const tn_record_t *record)
{
    if (record->size < TN_PLATFORM_FIXED_SIZE) {
        return false;
    }
    out->domain_count = record->data[TN_PLATFORM_DOMAIN_COUNT];
    out->key_count = record->data[TN_PLATFORM_KEY_COUNT];
    if (out->domain_count > TN_BASE_DOMAINS_MAX || out->key_count > TN_PUBLIC_KEYS_MAX ||
        record->size - TN_PLATFORM_FIXED_SIZE < out->domain_count + out->key_count) {
        return false;
    }
    out->domain_lengths = record->data + TN_PLATFORM_FIXED_SIZE;
    out->key_lengths = out->domain_lengths + out->domain_count;
    out->domains = out->key_lengths + out->key_count;
    size_t domains = sum_lengths(out->domain_lengths, out->domain_count, 0xff, 1, TN_HOST_MAX);
    size_t ids = sum_lengths(out->key_lengths, out->key_count, 0xff, 1, TN_KEY_ID_MAX);
    if (domains == SIZE_MAX || ids == SIZE_MAX) {
        return false;
    }
    out->keys = out->domains + domains;
    return out->keys + ids + out->key_count * TN_PLATFORM_KEY_BYTES == record->data + record->size;
}

bool tn_platform_record_read(tn_platform_t *out, const tn_record_t *record)
{
    platform_parts_t parts;
    if (!read_platform(&parts, record)) {
        return false;
    }
    out->base_domain_count = parts.domain_count;
    out->key_count = parts.key_count;
    out->options_hash = tn_load_u64(record->data + TN_PLATFORM_OPTIONS_HASH);
    const uint8_t *at = parts.domains;
    for (size_t i = 0; i < parts.domain_count; i++) {
        out->base_domains[i] = (tn_str_t){(const char *)at, parts.domain_lengths[i]};
        at += parts.domain_lengths[i];
    }
    for (size_t i = 0; i < parts.key_count; i++) {
        tn_public_key_t *key = &out->keys[i];
        memcpy(key->key, at, TN_PLATFORM_KEY_BYTES);
        memcpy(key->id, at + TN_PLATFORM_KEY_BYTES, parts.key_lengths[i]);
        key->id[parts.key_lengths[i]] = '\0';
        at += TN_PLATFORM_KEY_BYTES + parts.key_lengths[i];
    }
    return true;
}

bool tn_record_is_whole(const tn_record_t *record)
{
    tn_tenant_parts_t tenant;
    platform_parts_t platform;
    tn_str_t key;
    uint8_t value;
    switch (record->type) {
    case TN_RECORD_TENANT:
        return tn_tenant_parts_read(&tenant, record->data, record->size) &&
               blocks_are_whole(&tenant, 0, tenant.hosts_size);
    case TN_RECORD_TENANT | TN_RECORD_REMOVED:
        return record->size == TN_TENANT_TOMBSTONE_SIZE;
    case TN_RECORD_FLAG:
        return read_flag(&key, &value, record);
    case TN_RECORD_FLAG | TN_RECORD_REMOVED:
        return read_flag(&key, &value, record) && value == 0;
    case TN_RECORD_PLATFORM:
        return read_platform(&platform, record);
    default:
        return false;
    }
}
