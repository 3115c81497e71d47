/*
 * Collecting a change and checking it; see directory_change.h.
 */
#include "core/directory_change.h"

#include "base/err.h"
#include "base/str.h"
#include "core/directory_layout.h"
#include "core/directory_table.h"
#include "core/directory_walk.h"

#include <stdlib.h>

/* What a change may keep for the next one, in bytes of each array. */
#define KEPT_MAX         ((size_t)256 * 1024)
#define INDEX_MIN        64
#define NO_KEY           UINT32_MAX
#define CHANGE_ITEMS_MAX ((size_t)UINT32_MAX / 2)

/* Makes room for one more element of `size` bytes. */
static bool grow(void **array, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = count < CHANGE_ITEMS_MAX ? realloc(*array, wanted * size) : NULL;
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

static bool grow_bytes(tn_change_t *change, size_t size_bytes)
{
    if (size_bytes <= change->capacity - change->used) {
        return true;
    }
    size_t wanted = change->capacity == 0 ? 4096 : change->capacity;
    while (wanted - change->used < size_bytes) {
        wanted *= 2;
    }
    uint8_t *grown = realloc(change->bytes, wanted);
    if (grown == NULL) {
        return false;
    }
    change->bytes = grown;
    change->capacity = wanted;
    return true;
}

static void index_put(tn_change_t *change, uint32_t place)
{
    size_t at = (size_t)change->keys[place].hash & (change->index_size - 1);
    while (change->index[at] != 0) {
        at = (at + 1) & (change->index_size - 1);
    }
    change->index[at] = place + 1;
}

/* Keeps the index at most half full. */
static bool grow_index(tn_change_t *change)
{
    if ((change->key_count + 1) * 2 <= change->index_size) {
        return true;
    }
    size_t wanted = change->index_size == 0 ? INDEX_MIN : change->index_size * 2;
    uint32_t *grown = calloc(wanted, sizeof(*grown));
    if (grown == NULL) {
        return false;
    }
    free(change->index);
    change->index = grown;
    change->index_size = wanted;
    for (size_t i = 0; i < change->key_count; i++) {
        index_put(change, (uint32_t)i);
    }
    return true;
}

/* The place of the key among the change's, NO_KEY when no item has it. */
static uint32_t find_key(const tn_change_t *change, const tn_key_t *key)
{
    if (change->index_size == 0) {
        return NO_KEY;
    }
    size_t at = (size_t)key->hash & (change->index_size - 1);
    while (change->index[at] != 0) {
        uint32_t place = change->index[at] - 1;
        const tn_change_key_t *other = &change->keys[place];
        tn_str_t text = {(const char *)change->bytes + other->text_at, other->length};
        if (other->hash == key->hash && other->kind == key->kind && tn_str_equal(text, key->text)) {
            return place;
        }
        at = (at + 1) & (change->index_size - 1);
    }
    return NO_KEY;
}

static int add_key(tn_change_t *change, const tn_key_t *key, size_t text_at, uint32_t item)
{
    if (!grow((void **)&change->keys, &change->key_capacity, change->key_count,
              sizeof(*change->keys)) ||
        !grow_index(change)) {
        return TN_ENOMEM;
    }
    change->keys[change->key_count] = (tn_change_key_t){
        .hash = key->hash,
        .text_at = text_at,
        .length = (uint32_t)key->text.length,
        .item = item,
        .kind = key->kind,
        .is_new = true, /* until an old version turns out to have it */
    };
    index_put(change, (uint32_t)change->key_count);
    change->key_count++;
    return TN_OK;
}

/* Frees an array that has become large. */
static void shrink(void **array, size_t *capacity, size_t size)
{
    if (*capacity * size > KEPT_MAX) {
        free(*array);
        *array = NULL;
        *capacity = 0;
    }
}

void tn_change_reset(tn_change_t *change)
{
    change->is_open = false;
    change->failure = TN_OK;
    change->used = 0;
    change->item_count = 0;
    change->key_count = 0;
    change->old_key_count = 0;
    shrink((void **)&change->bytes, &change->capacity, 1);
    shrink((void **)&change->items, &change->item_capacity, sizeof(*change->items));
    shrink((void **)&change->keys, &change->key_capacity, sizeof(*change->keys));
    shrink((void **)&change->old_keys, &change->old_key_capacity, sizeof(*change->old_keys));
    shrink((void **)&change->index, &change->index_size, sizeof(*change->index));
    if (change->index_size > 0) {
        memset(change->index, 0, change->index_size * sizeof(*change->index));
    }
}

void tn_change_deinit(tn_change_t *change)
{
    free(change->bytes);
    free(change->items);
    free(change->keys);
    free(change->old_keys);
    free(change->index);
    memset(change, 0, sizeof(*change));
}

/* The platform is one: an earlier item of it is dropped. */
static void drop_platform(tn_change_t *change)
{
    for (size_t i = 0; i < change->item_count; i++) {
        if (change->items[i].type == TN_RECORD_PLATFORM) {
            change->items[i].is_dropped = true;
        }
    }
}

int tn_change_put(uint8_t **record, tn_change_t *change, const tn_image_t *image, unsigned type,
                  size_t size_bytes, size_t identity_at, tn_str_t identity)
{
    size_t taken = (size_t)tn_align(size_bytes, TN_FORMAT_UNIT);
    uint32_t item = (uint32_t)change->item_count;
    if (!grow_bytes(change, taken) || !grow((void **)&change->items, &change->item_capacity,
                                            change->item_count, sizeof(*change->items))) {
        return TN_ENOMEM;
    }
    /* the identity may be read through the index before the caller writes the record */
    memcpy(change->bytes + change->used + identity_at, identity.data, identity.length);
    if (type == TN_RECORD_PLATFORM) {
        drop_platform(change);
    } else {
        bool is_tenant = (type & ~(unsigned)TN_RECORD_REMOVED) == TN_RECORD_TENANT;
        tn_key_t key = tn_key_make(image, is_tenant ? TN_KEY_ID : TN_KEY_FLAG, identity);
        uint32_t place = find_key(change, &key);
        if (place != NO_KEY) {
            change->items[change->keys[place].item].is_dropped = true;
            change->keys[place].item = item;
            change->keys[place].text_at = change->used + identity_at;
        } else if (add_key(change, &key, change->used + identity_at, item) != TN_OK) {
            return TN_ENOMEM;
        }
    }
    change->items[item] = (tn_change_item_t){
        .at = change->used,
        .size = (uint32_t)size_bytes,
        .type = type,
    };
    *record = change->bytes + change->used;
    memset(*record + size_bytes, 0, taken - size_bytes);
    change->used += taken;
    change->item_count++;
    return TN_OK;
}

typedef struct {
    tn_change_t *change;
    const tn_image_t *image;
    uint32_t item;
    tn_err_t *err;
} plan_t;

static int damaged(const char *what, tn_err_t *err)
{
    return tn_err_set(err, TN_EDAMAGED, "the directory is damaged: %s", what);
}

static tn_key_t key_of(const tn_change_t *change, const tn_change_key_t *key)
{
    return (tn_key_t){
        .kind = key->kind,
        .text = {(const char *)change->bytes + key->text_at, key->length},
        .hash = key->hash,
    };
}

/* Finds the version that an item with this identity replaces. */
static int find_old(tn_change_t *change, const tn_change_key_t *identity, const tn_image_t *image,
                    tn_err_t *err)
{
    tn_change_item_t *item = &change->items[identity->item];
    tn_key_t key = key_of(change, identity);
    tn_found_t old;
    int code = tn_image_find(&old, image, &key);
    if (code != TN_OK && code != TN_ENOTFOUND) {
        return damaged("an entry cannot be looked up", err);
    }
    item->old_unit = code == TN_OK ? old.record.unit : 0;
    item->is_dropped |= code == TN_ENOTFOUND && (item->type & TN_RECORD_REMOVED) != 0;
    return TN_OK;
}

int tn_change_replan(tn_change_t *change, const tn_image_t *image, tn_err_t *err)
{
    int code = TN_OK;
    for (size_t i = 0; code == TN_OK && i < change->key_count; i++) {
        const tn_change_key_t *key = &change->keys[i];
        if (key->kind == TN_KEY_ID || key->kind == TN_KEY_FLAG) {
            code = find_old(change, key, image, err);
        }
    }
    for (size_t i = 0; code == TN_OK && i < change->item_count; i++) {
        tn_record_t old;
        if (change->items[i].type == TN_RECORD_PLATFORM && !change->items[i].is_dropped) {
            int found = tn_image_platform(&old, image);
            change->items[i].old_unit = found == TN_OK ? old.unit : 0;
            if (found != TN_OK && found != TN_ENOTFOUND) {
                code = damaged("the platform's entry cannot be read", err);
            }
        }
    }
    return code;
}

static int conflict(const tn_key_t *key, tn_err_t *err)
{
    bool is_host = key->kind == TN_KEY_HOST;
    return tn_err_field(err, TN_ECONFLICT, is_host ? "hosts" : "slug",
                        "the %s '%.*s' belongs to another tenant", is_host ? "host" : "slug",
                        (int)key->text.length, key->text.data);
}

/* Claims a name for its item, against the other items of the change. */
static int claim_key(const tn_key_t *key, void *context)
{
    plan_t *plan = context;
    tn_change_t *change = plan->change;
    uint32_t place = find_key(change, key);
    if (place == NO_KEY) {
        size_t text_at = (size_t)((const uint8_t *)key->text.data - change->bytes);
        return add_key(change, key, text_at, plan->item) == TN_OK
                   ? TN_OK
                   : tn_err_set(plan->err, TN_ENOMEM, "no memory for a change");
    }
    if (change->keys[place].item != plan->item) {
        return conflict(key, plan->err);
    }
    if (key->kind == TN_KEY_HOST || key->kind == TN_KEY_SLUG) {
        return tn_err_field(plan->err, TN_EINVAL,
                            key->kind == TN_KEY_HOST ? "hosts" : "former_slugs",
                            "'%.*s' is there twice", (int)key->text.length, key->text.data);
    }
    return TN_OK; /* the identity, which is there already */
}

/* A key of an old version: it has its slot, and is not new if the new version has it too. */
static int meet_old_key(const tn_key_t *key, void *context)
{
    plan_t *plan = context;
    tn_change_t *change = plan->change;
    bool has_slot;
    uint32_t unit = change->items[plan->item].old_unit;
    if (tn_table_has(&has_slot, plan->image, key->hash, unit) != TN_OK || !has_slot) {
        return damaged("a key has no slot", plan->err);
    }
    if (!grow((void **)&change->old_keys, &change->old_key_capacity, change->old_key_count,
              sizeof(*change->old_keys))) {
        return tn_err_set(plan->err, TN_ENOMEM, "no memory for a change");
    }
    uint32_t place = find_key(change, key);
    bool is_own = place != NO_KEY && change->keys[place].item == plan->item;
    if (is_own) {
        change->keys[place].is_new = false;
    }
    change->old_keys[change->old_key_count++] = (tn_change_old_key_t){
        .hash = key->hash,
        .item = plan->item,
        .is_host = key->kind == TN_KEY_HOST,
        /* a tombstone has its identity, and no slot */
        .is_kept = is_own && (change->items[plan->item].type & TN_RECORD_REMOVED) == 0,
    };
    return TN_OK;
}

/* Claims the item's names and compares them with those of the version that it replaces. */
static int plan_item(tn_change_t *change, uint32_t place, const tn_image_t *image, tn_err_t *err)
{
    plan_t plan = {change, image, place, err};
    const tn_change_item_t *item = &change->items[place];
    int code = TN_OK;
    if (item->type == TN_RECORD_TENANT) {
        tn_record_t record = {change->bytes + item->at, .size = item->size, .type = item->type};
        code = tn_record_each_key(image, &record, claim_key, &plan);
    }
    if (code == TN_OK && item->old_unit != 0) {
        tn_record_t old;
        if (!tn_record_load(&old, image->data, image->arena_offset, image->size, item->old_unit)) {
            return damaged("an entry cannot be read", err);
        }
        code = tn_record_each_key(image, &old, meet_old_key, &plan);
    }
    return code;
}

/* Whether the tenant that has a name now gets a new version, or a tombstone, in this change. */
static bool is_replaced(const tn_change_t *change, const tn_image_t *image, const tn_found_t *owner)
{
    tn_str_t id = {(const char *)owner->parts.id, 16};
    tn_key_t key = tn_key_make(image, TN_KEY_ID, id);
    return find_key(change, &key) != NO_KEY;
}

/* Checks a name that is new to its tenant against who has it now. */
static int check_owner(const tn_change_t *change, const tn_change_key_t *claimed,
                       const tn_image_t *image, tn_err_t *err)
{
    tn_found_t owner;
    tn_key_t key = key_of(change, claimed);
    int code = tn_image_find(&owner, image, &key);
    if (code == TN_EUNAVAILABLE) {
        return damaged("a name cannot be looked up", err);
    }
    return code == TN_OK && !is_replaced(change, image, &owner) ? conflict(&key, err) : TN_OK;
}

int tn_change_plan(tn_change_need_t *need, tn_change_t *change, const tn_image_t *image,
                   tn_err_t *err)
{
    *need = (tn_change_need_t){0};
    int code = tn_change_replan(change, image, err);
    for (size_t i = 0; code == TN_OK && i < change->item_count; i++) {
        const tn_change_item_t *item = &change->items[i];
        if (!item->is_dropped) {
            need->arena_bytes += tn_align(item->size, TN_FORMAT_UNIT);
            code = plan_item(change, (uint32_t)i, image, err);
        }
    }
    for (size_t i = 0; code == TN_OK && i < change->key_count; i++) {
        const tn_change_key_t *key = &change->keys[i];
        const tn_change_item_t *item = &change->items[key->item];
        if (!key->is_new || item->is_dropped) {
            continue;
        }
        need->slots++;
        if (key->kind == TN_KEY_HOST || key->kind == TN_KEY_SLUG) {
            code = check_owner(change, key, image, err);
        }
    }
    return code;
}
