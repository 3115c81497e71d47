/*
 * Look-ups: from a key to the record that holds it in the present generation, and from there to
 * what callers ask for. Slots are hints; the truth is in the records, so whatever a slot leads to
 * is asked whether it holds the key. docs/directory-format.md has the argument for every
 * interleaving with the writer.
 */
#include "core/directory.h"

#include "base/str.h"
#include "base/uuid.h"
#include "core/directory_private.h"

/* Far more than the writer causes; a bound, so that damage cannot hold a reader for long. */
#define CANDIDATES_MAX 32   /* records read for one key: two while it moves, else chance */
#define VERSIONS_MAX   64   /* newer versions of a record than the generation that is read */
#define ATTEMPTS_MAX   1000 /* look-ups again because the generation moved on meanwhile */

enum outcome {
    FOUND,
    ABSENT,
    DAMAGED,
    OVERTAKEN, /* too many newer versions: the generation that is read has become old */
};

/* Goes back to the version that the generation sees. ABSENT: it sees none. */
static enum outcome settle(tn_record_t *record, const tn_image_t *image, uint64_t generation)
{
    for (int i = 0; record->generation > generation; i++) {
        if (record->previous == 0) {
            return ABSENT;
        }
        if (i == VERSIONS_MAX) {
            return OVERTAKEN;
        }
        if (!tn_record_load(record, image->data, image->arena_offset, image->size,
                            record->previous)) {
            return DAMAGED;
        }
    }
    return (record->type & TN_RECORD_REMOVED) != 0 ? ABSENT : FOUND;
}

static enum outcome match_flag(const tn_record_t *record, const tn_key_t *key)
{
    tn_str_t text;
    bool default_on;
    if (record->type != TN_RECORD_FLAG) {
        return ABSENT;
    }
    if (!tn_flag_record_read(&text, &default_on, record)) {
        return DAMAGED;
    }
    return tn_str_equal(text, key->text) ? FOUND : ABSENT;
}

/* Whether the record holds the key. Takes a tenant's apart. */
static enum outcome match(tn_found_t *found, const tn_key_t *key)
{
    const tn_record_t *record = &found->record;
    tn_tenant_parts_t *parts = &found->parts;
    if (key->kind == TN_KEY_FLAG) {
        return match_flag(record, key);
    }
    if (record->type != TN_RECORD_TENANT) {
        return ABSENT;
    }
    if (!tn_tenant_parts_read(parts, record->data, record->size)) {
        return DAMAGED;
    }
    bool has_key;
    if (key->kind == TN_KEY_HOST) {
        int code = tn_tenant_parts_find_host(parts, key->hash, key->text);
        if (code == TN_EDAMAGED) {
            return DAMAGED;
        }
        has_key = code == TN_OK;
    } else if (key->kind == TN_KEY_SLUG) {
        has_key = tn_tenant_parts_have_slug(parts, key->text);
    } else {
        has_key = memcmp(parts->id, key->text.data, 16) == 0;
    }
    return has_key ? FOUND : ABSENT;
}

/* What the record that a slot leads to says about the key. */
static enum outcome examine(tn_found_t *out, const tn_image_t *image, uint64_t generation,
                            const tn_key_t *key, uint32_t unit)
{
    if (!tn_record_load(&out->record, image->data, image->arena_offset, image->size, unit)) {
        return DAMAGED;
    }
    enum outcome outcome = settle(&out->record, image, generation);
    return outcome == FOUND ? match(out, key) : outcome;
}

/* Walks the key's slots as one generation sees them. */
static enum outcome probe(tn_found_t *out, const tn_image_t *image, uint64_t generation,
                          const tn_key_t *key)
{
    const uint8_t *table = image->data + TN_FORMAT_HEADER_SIZE;
    uint64_t at = tn_hash_index(key->hash, image->slot_count);
    uint64_t tag = tn_hash_tag(key->hash);
    int candidates = 0;
    for (uint64_t i = 0; i < image->slot_count; i++) {
        uint64_t payload;
        if (!tn_word_load(&payload, table + at * TN_SLOT_SIZE)) {
            return DAMAGED;
        }
        if (payload == TN_SLOT_EMPTY) {
            return ABSENT;
        }
        uint32_t unit = (uint32_t)payload;
        if (payload >> 32 == tag && unit != 0) {
            enum outcome outcome = examine(out, image, generation, key, unit);
            if (outcome != ABSENT) {
                return outcome;
            }
            if (++candidates == CANDIDATES_MAX) {
                return DAMAGED;
            }
        }
        at = at + 1 == image->slot_count ? 0 : at + 1;
    }
    return DAMAGED; /* the writer always leaves empty slots */
}

int tn_image_find(tn_found_t *out, const tn_image_t *image, const tn_key_t *key)
{
    if (image->data == NULL) {
        return TN_EUNAVAILABLE;
    }
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        uint64_t before, after;
        if (!tn_word_load(&before, image->data + TN_WORD_GENERATION)) {
            return TN_EUNAVAILABLE;
        }
        enum outcome outcome = probe(out, image, before >> 1, key);
        if (outcome == FOUND) {
            return TN_OK;
        }
        if (outcome == DAMAGED || !tn_word_load(&after, image->data + TN_WORD_GENERATION)) {
            return TN_EUNAVAILABLE;
        }
        if (before == after) {
            return outcome == ABSENT ? TN_ENOTFOUND : TN_EUNAVAILABLE;
        }
        /* a slot of the old generation may be gone already: ask the new one */
    }
    return TN_EUNAVAILABLE;
}

/* One try at the platform's record; OVERTAKEN asks for another. */
static enum outcome try_platform(tn_record_t *out, const tn_image_t *image, uint64_t generation)
{
    uint64_t unit;
    tn_record_t record;
    if (!tn_word_load(&unit, image->data + TN_WORD_PLATFORM) || unit > UINT32_MAX) {
        return DAMAGED;
    }
    if (unit == 0) {
        return ABSENT;
    }
    if (!tn_record_load(&record, image->data, image->arena_offset, image->size, (uint32_t)unit)) {
        return DAMAGED;
    }
    enum outcome outcome = settle(&record, image, generation);
    if (outcome == FOUND) {
        *out = record;
    }
    return outcome == FOUND && record.type != TN_RECORD_PLATFORM ? DAMAGED : outcome;
}

int tn_image_platform(tn_record_t *out, const tn_image_t *image)
{
    if (image->data == NULL) {
        return TN_EUNAVAILABLE;
    }
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        uint64_t before, after;
        if (!tn_word_load(&before, image->data + TN_WORD_GENERATION)) {
            return TN_EUNAVAILABLE;
        }
        enum outcome outcome = try_platform(out, image, before >> 1);
        if (outcome == FOUND) {
            return TN_OK;
        }
        if (outcome == ABSENT) {
            return TN_ENOTFOUND;
        }
        if (outcome == DAMAGED || !tn_word_load(&after, image->data + TN_WORD_GENERATION) ||
            before == after) {
            return TN_EUNAVAILABLE;
        }
    }
    return TN_EUNAVAILABLE;
}

int tn_directory_platform(tn_platform_t *out, const tn_directory_t *directory)
{
    tn_record_t record;
    int code = tn_image_platform(&record, &directory->image);
    if (code != TN_OK) {
        return code;
    }
    return tn_platform_record_read(out, &record) ? TN_OK : TN_EUNAVAILABLE;
}

static int find_tenant(tn_tenant_t *out, const tn_directory_t *directory, enum tn_key_kind kind,
                       tn_str_t text)
{
    if (directory->image.data == NULL) {
        return TN_EUNAVAILABLE;
    }
    tn_found_t found;
    tn_key_t key = tn_key_make(&directory->image, kind, text);
    int code = tn_image_find(&found, &directory->image, &key);
    if (code != TN_OK) {
        return code;
    }
    return tn_tenant_from_parts(out, &found.parts, &found.record) ? TN_OK : TN_EUNAVAILABLE;
}

int tn_directory_by_host(tn_tenant_t *out, const tn_directory_t *directory, tn_str_t host)
{
    return find_tenant(out, directory, TN_KEY_HOST, host);
}

int tn_directory_by_slug(tn_tenant_t *out, const tn_directory_t *directory, tn_str_t slug)
{
    return find_tenant(out, directory, TN_KEY_SLUG, slug);
}

int tn_directory_by_id(tn_tenant_t *out, const tn_directory_t *directory, const uint8_t id[16])
{
    return find_tenant(out, directory, TN_KEY_ID, (tn_str_t){(const char *)id, 16});
}

int tn_tenant_from_id(tn_tenant_t *out, const tn_directory_t *directory, const char *id,
                      size_t length)
{
    tn_uuid_t uuid;
    if (directory->image.data == NULL) {
        return TN_EUNAVAILABLE;
    }
    if (tn_uuid_parse(&uuid, (tn_str_t){id, length}) != TN_OK) {
        return TN_ENOTFOUND;
    }
    return tn_directory_by_id(out, directory, uuid.bytes);
}

int tn_bases_read(tn_bases_t *out, const tn_image_t *image)
{
    tn_record_t record;
    tn_platform_t platform;
    int code = tn_image_platform(&record, image);
    if (code != TN_OK) {
        return code;
    }
    if (!tn_platform_record_read(&platform, &record)) {
        return TN_EUNAVAILABLE;
    }
    char *at = out->text;
    for (size_t i = 0; i < platform.base_domain_count; i++) {
        tn_str_t base = platform.base_domains[i];
        memcpy(at, base.data, base.length);
        out->lengths[i] = (uint8_t)base.length;
        at += base.length;
    }
    out->count = platform.base_domain_count;
    out->unit = record.unit;
    return TN_OK;
}

/* The length of the longest base domain that host is or lies under; 0: none. */
static size_t longest_base(const tn_bases_t *bases, tn_str_t host)
{
    size_t longest = 0;
    const char *at = bases->text;
    for (size_t i = 0; i < bases->count; i++) {
        tn_str_t base = {at, bases->lengths[i]};
        bool is_at_label =
            host.length == base.length ||
            (host.length > base.length + 1 && host.data[host.length - base.length - 1] == '.');
        if (is_at_label && base.length > longest && tn_str_ends(host, base)) {
            longest = base.length;
        }
        at += base.length;
    }
    return longest;
}

int tn_directory_split_host(size_t *base_length, size_t *label_length,
                            const tn_directory_t *directory, tn_str_t host)
{
    uint64_t unit;
    tn_bases_t now;
    const tn_bases_t *bases = &directory->bases;
    if (directory->image.data == NULL ||
        !tn_word_load(&unit, directory->image.data + TN_WORD_PLATFORM)) {
        return TN_EUNAVAILABLE;
    }
    if (unit == 0 || unit != bases->unit) {
        int code = tn_bases_read(&now, &directory->image);
        if (code != TN_OK) {
            return code;
        }
        bases = &now;
    }
    size_t longest = longest_base(bases, host);
    if (longest == 0) {
        return TN_ENOTFOUND;
    }
    *base_length = longest;
    *label_length = longest == host.length ? 0 : host.length - longest - 1;
    return TN_OK;
}

int tn_directory_flag(bool *default_on, const tn_directory_t *directory, tn_str_t key)
{
    if (directory->image.data == NULL) {
        return TN_EUNAVAILABLE;
    }
    tn_found_t found;
    tn_str_t text;
    tn_key_t wanted = tn_key_make(&directory->image, TN_KEY_FLAG, key);
    int code = tn_image_find(&found, &directory->image, &wanted);
    if (code != TN_OK) {
        return code;
    }
    return tn_flag_record_read(&text, default_on, &found.record) ? TN_OK : TN_EUNAVAILABLE;
}
