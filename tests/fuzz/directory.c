/*
 * Fuzz target: the reader over bytes from anywhere. The first byte says how much is repaired before
 * the directory is opened (nothing; the header's checksum; the words; all records), so that inputs
 * get past the checks that stop damage and reach the code behind them. Then everything is asked of
 * it. What must hold: no access outside of the bytes, and no answer but the documented ones.
 */
#include "core/directory.h"

#include "base/str.h"
#include "core/directory_layout.h"
#include "core/directory_record.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX ((size_t)1024 * 1024)

enum repair {
    REPAIR_HEADER = 1,
    REPAIR_WORDS = 2,
    REPAIR_SLOTS = 4,
    REPAIR_RECORDS = 8,
};

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static void repair_word(uint8_t *at)
{
    tn_store_u64(at, tn_word_encode(tn_load_u64(at) & TN_WORD_PAYLOAD_MAX));
}

static void repair_header(uint8_t *bytes, size_t size)
{
    uint64_t slot_count = tn_load_u64(bytes + TN_HEADER_SLOT_COUNT);
    memcpy(bytes + TN_HEADER_MAGIC, TN_FORMAT_MAGIC, TN_FORMAT_MAGIC_SIZE);
    tn_store_u32(bytes + TN_HEADER_VERSION, TN_FORMAT_VERSION);
    tn_store_u32(bytes + TN_HEADER_HEADER_SIZE, TN_FORMAT_HEADER_SIZE);
    if (slot_count <= size / TN_SLOT_SIZE) {
        tn_store_u64(bytes + TN_HEADER_ARENA_OFFSET, tn_arena_offset(slot_count));
    }
    if (tn_load_u64(bytes + TN_HEADER_FILE_SIZE) > size) {
        tn_store_u64(bytes + TN_HEADER_FILE_SIZE, size);
    }
    tn_store_u64(bytes + TN_HEADER_CHECKSUM, tn_checksum(bytes, TN_HEADER_CHECKSUM));
}

/* Every 16 bytes of the arena may begin a record; whatever has a size that fits gets its checksum.
 */
static void repair_records(uint8_t *bytes, size_t size)
{
    uint64_t arena = tn_load_u64(bytes + TN_HEADER_ARENA_OFFSET);
    if (arena > size) {
        return;
    }
    for (uint64_t at = arena; at + TN_RECORD_HEADER_SIZE <= size; at += TN_FORMAT_UNIT) {
        uint32_t length = tn_load_u32(bytes + at + TN_RECORD_SIZE);
        if (length >= TN_RECORD_HEADER_SIZE && length <= size - at) {
            uint64_t checked = length;
            unsigned type = bytes[at + TN_RECORD_GENERATION + 7];
            if ((type & TN_RECORD_BLOCKED) != 0 && length >= TN_TENANT_BLOCK_SUMS) {
                checked = tn_load_u32(bytes + at + TN_TENANT_HEAD_SIZE);
                checked = checked >= TN_TENANT_BLOCK_SUMS && checked <= length ? checked : length;
            }
            tn_store_u64(bytes + at + TN_RECORD_CHECKSUM,
                         tn_checksum(bytes + at + TN_RECORD_SIZE, checked - TN_RECORD_SIZE));
            at += tn_align(length, TN_FORMAT_UNIT) - TN_FORMAT_UNIT;
        }
    }
}

static void repair(uint8_t *bytes, size_t size, unsigned what)
{
    if ((what & REPAIR_HEADER) != 0) {
        repair_header(bytes, size);
    }
    if ((what & REPAIR_WORDS) != 0) {
        for (size_t at = TN_WORD_GENERATION; at <= TN_WORD_STATE; at += 8) {
            repair_word(bytes + at);
        }
    }
    uint64_t slot_count = tn_load_u64(bytes + TN_HEADER_SLOT_COUNT);
    for (uint64_t i = 0; (what & REPAIR_SLOTS) != 0 && i < slot_count; i++) {
        uint64_t at = TN_FORMAT_HEADER_SIZE + i * TN_SLOT_SIZE;
        if (at + TN_SLOT_SIZE > size) {
            break;
        }
        repair_word(bytes + at);
    }
    if ((what & REPAIR_RECORDS) != 0) {
        repair_records(bytes, size);
    }
}

static uint64_t sum; /* of every byte that an answer leads to, so that all of them are read */

static void read_text(tn_str_t text)
{
    must(text.data != NULL, "a text is never NULL");
    for (size_t i = 0; i < text.length; i++) {
        sum += (uint8_t)text.data[i];
    }
}

static void ask_tenant(const tn_directory_t *directory, const tn_tenant_t *tenant)
{
    tn_str_t key, value;
    bool is_set;
    read_text(tenant->slug);
    read_text(tenant->name);
    read_text(tenant->plan);
    read_text(tenant->upstream);
    read_text(tenant->primary_host);
    must(strlen(tenant->id) == TN_UUID_LENGTH, "an id has 36 characters");
    must(tenant->slug.length >= 1 && tenant->slug.length <= TN_SLUG_MAX, "a slug fits its limit");
    must(tenant->primary_host.length <= TN_HOST_MAX, "a host fits its limit");
    must(strcmp(tn_tenant_status_name(tenant->status), "unknown") != 0, "a status is one");
    for (size_t i = 0; tn_tenant_host_at(&key, &is_set, tenant, i); i++) {
        read_text(key);
    }
    for (size_t i = 0; tn_tenant_former_slug_at(&key, tenant, i); i++) {
        read_text(key);
    }
    for (size_t i = 0; tn_tenant_flag_at(&key, &is_set, tenant, i); i++) {
        read_text(key);
    }
    for (size_t i = 0; tn_tenant_setting_at(&key, &value, tenant, i); i++) {
        read_text(key);
        read_text(value);
    }
    (void)!tn_tenant_setting(&value, tenant, "color");
    (void)!tn_flag_is_on(&is_set, directory, tenant, "beta");

    void *mine = malloc(tenant->record_size);
    if (mine != NULL) {
        tn_tenant_t copy;
        memcpy(mine, tenant->record, tenant->record_size);
        tn_tenant_rebase(&copy, tenant, mine);
        read_text(copy.slug);
        read_text(copy.name);
        read_text(copy.primary_host);
        must(tn_str_equal(copy.slug, tenant->slug), "a copy says the same");
    }
    free(mine);
}

typedef struct {
    const tn_directory_t *directory;
    size_t calls;
} walk_t;

static int on_tenant(const tn_tenant_t *tenant, void *context)
{
    walk_t *walk = context;
    tn_tenant_t found;
    bool is_primary;
    tn_str_t host;
    ask_tenant(walk->directory, tenant);
    (void)!tn_directory_by_slug(&found, walk->directory, tenant->slug);
    (void)!tn_tenant_from_id(&found, walk->directory, tenant->id, TN_UUID_LENGTH);
    for (size_t i = 0; i < 4 && tn_tenant_host_at(&host, &is_primary, tenant, i); i++) {
        (void)!tn_directory_by_host(&found, walk->directory, host);
    }
    return ++walk->calls == 256; /* enough of one input */
}

static int on_flag(tn_str_t key, bool default_on, void *context)
{
    walk_t *walk = context;
    bool is_on;
    read_text(key);
    (void)!tn_directory_flag(&is_on, walk->directory, key);
    return ++walk->calls == 512;
}

static void must_be_answer(int code)
{
    must(code == TN_OK || code == TN_ENOTFOUND || code == TN_EUNAVAILABLE,
         "a look-up has three answers");
}

static void ask(const tn_directory_t *directory)
{
    static const tn_str_t names[] = {{"acme", 4},          {"acme-old", 8}, {"b", 1},
                                     {"www.acme.com", 12}, {"acme.com", 8}, {"demo.localhost", 14},
                                     {"localhost", 9},     {"", 0}};
    tn_directory_info_t info;
    tn_platform_t platform;
    tn_tenant_t tenant;
    bool is_on;
    size_t base, label;
    walk_t walk = {directory, 0};
    tn_directory_info(&info, directory);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int code = tn_directory_by_host(&tenant, directory, names[i]);
        must_be_answer(code);
        if (code == TN_OK) {
            ask_tenant(directory, &tenant);
        }
        must_be_answer(tn_directory_by_slug(&tenant, directory, names[i]));
        must_be_answer(tn_directory_flag(&is_on, directory, names[i]));
        int split = tn_directory_split_host(&base, &label, directory, names[i]);
        must_be_answer(split);
        must(split != TN_OK || base + label <= names[i].length, "a base lies within its host");
    }
    int code = tn_directory_platform(&platform, directory);
    must_be_answer(code);
    for (size_t i = 0; code == TN_OK && i < platform.base_domain_count; i++) {
        read_text(platform.base_domains[i]);
    }
    for (size_t i = 0; code == TN_OK && i < platform.key_count; i++) {
        must(strlen(platform.keys[i].id) <= TN_KEY_ID_MAX, "a key's id fits its limit");
    }
    (void)!tn_directory_each_tenant(directory, on_tenant, &walk);
    (void)!tn_directory_each_flag(directory, on_flag, &walk);
    (void)!tn_directory_verify(directory, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX) {
        return 0;
    }
    /* a block of exactly the input's size, so that a sanitizer sees the first byte too many */
    size_t image_size = size - 1;
    uint8_t *image = malloc(image_size > 0 ? image_size : 1);
    tn_directory_t *directory;
    if (image == NULL) {
        return 0;
    }
    memcpy(image, data + 1, image_size);
    if (image_size >= TN_FORMAT_HEADER_SIZE) {
        repair(image, image_size, data[0]);
    }
    if (tn_directory_open_buffer(&directory, image, image_size, NULL) == TN_OK) {
        ask(directory);
        tn_directory_close(directory);
    }
    free(image);
    return 0;
}
