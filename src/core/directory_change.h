/*
 * A change on its way into the directory: the records it will append, in memory, and which keys
 * they claim. Nothing here touches the file; the writer asks it what to do and does it.
 */
#pragma once

#include "core/directory_private.h"

/* An entry's new record, or its tombstone. */
typedef struct {
    size_t at; /* of the record, in tn_change_t.bytes */
    uint32_t size;
    unsigned type;
    bool is_dropped;   /* a later put or removal of the same entry took its place */
    uint32_t old_unit; /* the version that it replaces; 0 none */
    uint32_t new_unit;
} tn_change_item_t;

/* A key of an item. */
typedef struct {
    uint64_t hash;
    size_t text_at; /* in tn_change_t.bytes */
    uint32_t length;
    uint32_t item;
    enum tn_key_kind kind;
    bool is_new; /* the old version of its entry does not have it */
} tn_change_key_t;

/* A key of the version that an item replaces. */
typedef struct {
    uint64_t hash;
    uint32_t item;
    bool is_host;
    bool is_kept; /* the new version has it too */
} tn_change_old_key_t;

/* Zeroed at first; storage is kept from one change to the next unless it has become large. */
typedef struct {
    bool is_open;
    uint64_t generation;
    int failure; /* the first that a put or removal met */
    tn_err_t error;

    uint8_t *bytes;
    size_t used, capacity;
    tn_change_item_t *items;
    size_t item_count, item_capacity;
    tn_change_key_t *keys; /* the items' identities; from tn_change_plan on, all of their keys */
    size_t key_count, key_capacity;
    tn_change_old_key_t *old_keys; /* from tn_change_plan on */
    size_t old_key_count, old_key_capacity;
    uint32_t *index; /* by hash: a key's place + 1 */
    size_t index_size;
} tn_change_t;

void tn_change_reset(tn_change_t *change); /* ends it; some storage may stay */
void tn_change_deinit(tn_change_t *change);

/*
 * A new item for the entry with this identity (an id, a flag's key; the platform has none), which
 * takes the place of an earlier one of the same entry. *record is where to write its `size_bytes`
 * bytes before the next call. identity_at is where in the record the identity will be.
 */
TN_CHECK int tn_change_put(uint8_t **record, tn_change_t *change, const tn_image_t *image,
                           unsigned type, size_t size_bytes, size_t identity_at, tn_str_t identity);

/* What a plan takes: room in the arena and slots of the table. */
typedef struct {
    uint64_t arena_bytes;
    uint64_t slots;
} tn_change_need_t;

/*
 * Looks up what each item replaces, drops removals of what is not there, and checks that after the
 * change no host or slug belongs to two tenants. TN_ECONFLICT, TN_EINVAL (a name twice in one
 * tenant), TN_EDAMAGED, TN_ENOMEM.
 */
TN_CHECK int tn_change_plan(tn_change_need_t *need, tn_change_t *change, const tn_image_t *image,
                            tn_err_t *err);

/* Looks up again what each item replaces, in another image of the same generation. */
TN_CHECK int tn_change_replan(tn_change_t *change, const tn_image_t *image, tn_err_t *err);
