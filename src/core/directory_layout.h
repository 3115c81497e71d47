/*
 * Where the parts of each record lie, for the two files that know: directory_record.c, which reads
 * them, and directory_encode.c, which writes them. Everything else goes through directory_record.h.
 */
#pragma once

#include "core/directory_format.h"

/*
 * A tenant. After the fixed part come, when its host text is in blocks, the size of the head and
 * the blocks' checksums; then the arrays, then the text, without terminators:
 *
 *   head size         u32        only of a blocked record
 *   block checksums   u64 each   only of a blocked record
 *   host filters      u16 each   bits 20 to 35 of the host's hash
 *   value lengths     u16 each
 *   host lengths      u8 each
 *   former slugs'     u8 each
 *   flags             u8 each    the key's length, 0x80 added when on
 *   setting keys'     u8 each
 *   slug name plan upstream former slug… flag key… (setting key, value)… host…
 */
enum tn_tenant_field {
    TN_TENANT_ID = 24,
    TN_TENANT_STATUS = 40,            /* u8 */
    TN_TENANT_BIT_FIELD = 41,         /* u8, enum tn_tenant_bit */
    TN_TENANT_SLUG_LENGTH = 42,       /* u8 */
    TN_TENANT_FORMER_SLUG_COUNT = 43, /* u8 */
    TN_TENANT_NAME_LENGTH = 44,       /* u16, like all that follow */
    TN_TENANT_PLAN_LENGTH = 46,
    TN_TENANT_UPSTREAM_LENGTH = 48,
    TN_TENANT_HOST_COUNT = 50,
    TN_TENANT_PRIMARY_HOST = 52, /* equal to the count when none is */
    TN_TENANT_FLAG_COUNT = 54,
    TN_TENANT_SETTING_COUNT = 56,
    TN_TENANT_FIXED_SIZE = 58,
    TN_TENANT_HEAD_SIZE = 58, /* u32, of a blocked record */
    TN_TENANT_BLOCK_SUMS = 62,
};

/* A flag's definition, and its tombstone (whose default is 0). */
enum tn_flag_field {
    TN_FLAG_DEFAULT = 24,  /* u8: 0 or 1 */
    TN_FLAG_KEY_SIZE = 25, /* u8 */
    TN_FLAG_FIXED_SIZE = 26,
};

/*
 * The platform: after the fixed part, for each base domain a u8 length, for each key a u8 length of
 * its id; then the domains' text; then for each key its 32 bytes and its id.
 */
enum tn_platform_field {
    TN_PLATFORM_DOMAIN_COUNT = 24, /* u8 */
    TN_PLATFORM_KEY_COUNT = 25,    /* u8 */
    TN_PLATFORM_OPTIONS_HASH = 26, /* u64 */
    TN_PLATFORM_FIXED_SIZE = 34,
};

#define TN_PLATFORM_KEY_BYTES 32
