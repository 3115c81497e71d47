/*
 * Walking the arena; see directory_walk.h.
 */
#include "core/directory_walk.h"

#include "base/err.h"
#include "core/directory.h"

#include <inttypes.h>
#include <stdlib.h>

static uint64_t unit_index(const tn_walk_t *walk, uint32_t unit)
{
    return unit - walk->image->arena_offset / TN_FORMAT_UNIT;
}

/* The record at walk->at, and the walk moved behind it. */
static bool step(tn_walk_t *walk, tn_record_t *out)
{
    if (!tn_record_load(out, walk->image->data, walk->image->arena_offset, walk->end,
                        (uint32_t)(walk->at / TN_FORMAT_UNIT))) {
        return false;
    }
    walk->at += tn_align(out->size, TN_FORMAT_UNIT);
    return true;
}

static int mark_superseded(tn_walk_t *walk, tn_err_t *err)
{
    while (walk->at < walk->end) {
        uint64_t offset = walk->at;
        tn_record_t record;
        if (!step(walk, &record) || !tn_record_is_whole(&record)) {
            return tn_err_set(err, TN_EDAMAGED, "the record at offset %" PRIu64 " is damaged",
                              offset);
        }
        if (record.previous != 0 && record.generation <= walk->generation) {
            if ((uint64_t)record.previous * TN_FORMAT_UNIT < walk->image->arena_offset) {
                return tn_err_set(err, TN_EDAMAGED,
                                  "the record at offset %" PRIu64 " replaces what is no record",
                                  offset);
            }
            uint64_t index = unit_index(walk, record.previous);
            walk->superseded[index / 8] |= (uint8_t)(1u << index % 8);
        }
    }
    walk->at = walk->image->arena_offset;
    return TN_OK;
}

int tn_walk_begin(tn_walk_t *walk, const tn_image_t *image, tn_err_t *err)
{
    bool has_moved;
    uint64_t end_unit;
    memset(walk, 0, sizeof(*walk));
    if (image->data == NULL) {
        return tn_err_set(err, TN_EUNAVAILABLE, "there is no readable directory");
    }
    walk->image = image;
    walk->at = image->arena_offset;
    /* the generation first: every record that it sees lies below an end that is read later */
    if (!tn_image_generation(&walk->generation, &has_moved, image) ||
        !tn_word_load(&end_unit, image->data + TN_WORD_ARENA_END)) {
        return tn_err_set(err, TN_EDAMAGED, "the header's words are damaged");
    }
    walk->end = end_unit * TN_FORMAT_UNIT;
    if (end_unit > UINT32_MAX || walk->end < image->arena_offset || walk->end > image->size) {
        return tn_err_set(err, TN_EDAMAGED, "the arena's end is outside of the file");
    }
    walk->superseded = calloc(1, (size_t)((walk->end - walk->at) / TN_FORMAT_UNIT / 8 + 1));
    if (walk->superseded == NULL) {
        return tn_err_set(err, TN_ENOMEM, "no memory to walk the directory");
    }
    int code = mark_superseded(walk, err);
    if (code != TN_OK) {
        tn_walk_end(walk);
    }
    return code;
}

bool tn_walk_next(tn_walk_t *walk, tn_record_t *out)
{
    tn_record_t record;
    while (walk->at < walk->end && step(walk, &record)) {
        uint64_t index = unit_index(walk, record.unit);
        bool is_superseded = (walk->superseded[index / 8] >> index % 8 & 1) != 0;
        if (!is_superseded && record.generation <= walk->generation &&
            (record.type & TN_RECORD_REMOVED) == 0) {
            *out = record;
            return true;
        }
    }
    return false;
}

void tn_walk_end(tn_walk_t *walk)
{
    free(walk->superseded);
    walk->superseded = NULL;
}

static int call_key(const tn_image_t *image, enum tn_key_kind kind, const void *text, size_t length,
                    tn_key_fn call, void *context)
{
    tn_key_t key = tn_key_make(image, kind, (tn_str_t){text, length});
    return call(&key, context);
}

static int each_tenant_key(const tn_image_t *image, const tn_tenant_parts_t *parts, tn_key_fn call,
                           void *context)
{
    int code = call_key(image, TN_KEY_ID, parts->id, 16, call, context);
    if (code == 0) {
        code = call_key(image, TN_KEY_SLUG, parts->slug, parts->slug_length, call, context);
    }
    const char *at = parts->former_slugs;
    for (size_t i = 0; code == 0 && i < parts->former_slug_count; i++) {
        code = call_key(image, TN_KEY_SLUG, at, parts->former_slug_lengths[i], call, context);
        at += parts->former_slug_lengths[i];
    }
    at = parts->hosts;
    for (size_t i = 0; code == 0 && i < parts->host_count; i++) {
        code = call_key(image, TN_KEY_HOST, at, parts->host_lengths[i], call, context);
        at += parts->host_lengths[i];
    }
    return code;
}

int tn_record_each_key(const tn_image_t *image, const tn_record_t *record, tn_key_fn call,
                       void *context)
{
    if (record->type == TN_RECORD_TENANT) {
        tn_tenant_parts_t parts;
        return tn_tenant_parts_read(&parts, record->data, record->size)
                   ? each_tenant_key(image, &parts, call, context)
                   : TN_EDAMAGED;
    }
    if (record->type == TN_RECORD_FLAG) {
        tn_str_t key;
        bool default_on;
        return tn_flag_record_read(&key, &default_on, record)
                   ? call_key(image, TN_KEY_FLAG, key.data, key.length, call, context)
                   : TN_EDAMAGED;
    }
    tn_platform_t platform;
    return record->type == TN_RECORD_PLATFORM && tn_platform_record_read(&platform, record)
               ? TN_OK
               : TN_EDAMAGED;
}

int tn_directory_each_tenant(const tn_directory_t *directory, tn_directory_tenant_fn call,
                             void *context)
{
    tn_walk_t walk;
    tn_record_t record;
    int code = tn_walk_begin(&walk, &directory->image, NULL);
    if (code != TN_OK) {
        return code;
    }
    while (code == 0 && tn_walk_next(&walk, &record)) {
        if (record.type != TN_RECORD_TENANT) {
            continue;
        }
        tn_tenant_t tenant;
        tn_tenant_parts_t parts;
        if (tn_tenant_parts_read(&parts, record.data, record.size) &&
            tn_tenant_from_parts(&tenant, &parts, &record)) {
            code = call(&tenant, context);
        } else {
            code = TN_EDAMAGED;
        }
    }
    tn_walk_end(&walk);
    return code;
}

int tn_directory_each_flag(const tn_directory_t *directory, tn_directory_flag_fn call,
                           void *context)
{
    tn_walk_t walk;
    tn_record_t record;
    int code = tn_walk_begin(&walk, &directory->image, NULL);
    if (code != TN_OK) {
        return code;
    }
    while (code == 0 && tn_walk_next(&walk, &record)) {
        if (record.type != TN_RECORD_FLAG) {
            continue;
        }
        tn_str_t key;
        bool default_on;
        code = tn_flag_record_read(&key, &default_on, &record) ? call(key, default_on, context)
                                                               : TN_EDAMAGED;
    }
    tn_walk_end(&walk);
    return code;
}
