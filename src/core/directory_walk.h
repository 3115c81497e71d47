/*
 * Walking all records of one generation in the order of the arena. Which version of an entry counts
 * follows from the records alone (a version is current when no later one of that generation
 * replaces it), so a walk neither trusts the table nor minds a writer at work.
 */
#pragma once

#include "core/directory_private.h"

typedef struct {
    const tn_image_t *image;
    uint64_t generation;
    uint64_t end; /* bytes; the arena is walked up to here */
    uint64_t at;
    uint8_t *superseded; /* a bit for each unit of the arena at which a replaced record begins */
} tn_walk_t;

/*
 * Reads the arena once, checking every record in it, and stands before the first current one.
 * TN_EUNAVAILABLE without an image, TN_EDAMAGED with the offset of the first fault, TN_ENOMEM.
 * After TN_OK, end with tn_walk_end.
 */
TN_CHECK int tn_walk_begin(tn_walk_t *walk, const tn_image_t *image, tn_err_t *err);

/* The next current record that is no tombstone; false after the last. */
bool tn_walk_next(tn_walk_t *walk, tn_record_t *out);

void tn_walk_end(tn_walk_t *walk);

/*
 * Calls back for each key of the record (a tenant's id, slug, former slugs and hosts; a flag's
 * key), until the callback returns non-zero, which is returned. TN_EDAMAGED when the record cannot
 * be taken apart.
 */
typedef int (*tn_key_fn)(const tn_key_t *key, void *context);
TN_CHECK int tn_record_each_key(const tn_image_t *image, const tn_record_t *record, tn_key_fn call,
                                void *context);
