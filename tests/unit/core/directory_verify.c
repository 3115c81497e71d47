/*
 * Unit tests of damage: every bit of a small directory is flipped, one at a time, every stretch of
 * it is lost, and each time everything is asked. The answer is the right one or "cannot tell";
 * never another tenant, never "no such tenant", and never a crash. And verification finds what
 * look-ups would stumble over.
 */
#include "base/str.h"
#include "core/directory_format.h"
#include "core/directory_record.h"
#include "tenants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

enum {
    TENANTS = 4,
    MANY_HOSTS = 36, /* of 60 bytes: more text than fits without blocks */
    MANY_LENGTH = 60,
};

/* What each tenant is called, made once: it is compared some millions of times. */
typedef struct {
    uint8_t id[16];
    char slug_text[64], name_text[64], host_texts[MANY_HOSTS][64];
    tn_str_t slug, name, hosts[MANY_HOSTS];
    unsigned host_count;
} names_t;

static names_t names[TENANTS + 1];

static tn_str_t many_host(char text[64], unsigned i)
{
    int length = snprintf(text, 64, "host-%02u-", i);
    memset(text + length, 'm', MANY_LENGTH - (size_t)length);
    text[MANY_LENGTH] = '\0';
    return (tn_str_t){text, MANY_LENGTH};
}

static void make_names(void)
{
    for (unsigned number = 1; number <= TENANTS; number++) {
        names_t *own = &names[number];
        numbered_id(own->id, number);
        own->slug = numbered_slug(own->slug_text, number);
        (void)snprintf(own->name_text, sizeof(own->name_text), "Tenant %u", number);
        own->name = tn_str(own->name_text);
        own->host_count = number == 4 ? MANY_HOSTS : 2;
        for (unsigned i = 0; i < own->host_count; i++) {
            own->hosts[i] = number == 4 ? many_host(own->host_texts[i], i)
                                        : numbered_host(own->host_texts[i], number, i);
        }
    }
}

/* Tenants 1 to 3 as numbered, the first with all that one can have; 4 has many hosts. */
static void fill(world_t *world)
{
    static const tn_str_t former[] = {{"was-t1", 6}};
    tn_platform_t platform = {.base_domains = {TN_STR("example.com"), TN_STR("localhost")},
                              .base_domain_count = 2,
                              .keys = {{.id = "key", .key = {1, 2, 3}}},
                              .key_count = 1};
    numbered_tenant_t one, many;
    make_names();
    put_numbered(world->writer, 1, 1, 3, 2);
    numbered_tenant(&one, 1, 2);
    one.spec.former_slugs = former;
    one.spec.former_slug_count = 1;
    one.flags[0] = (struct tn_tenant_spec_flag){TN_STR("beta"), true};
    one.spec.flag_count = 1;
    one.settings[0] = (struct tn_tenant_spec_setting){TN_STR("color"), TN_STR("blue")};
    one.spec.setting_count = 1;
    numbered_tenant(&many, 4, 0);
    many.spec.hosts = names[4].hosts;
    many.spec.host_count = MANY_HOSTS;
    many.spec.primary_host = 0;
    world_begin(world, 2);
    world_put(world, &one.spec);
    world_put(world, &many.spec);
    assert_int_equal(tn_directory_put_platform(world->writer, &platform, &world->err), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("beta"), false, &world->err),
                     TN_OK);
    world_commit(world);
}

/* The bytes of the world's directory up to the end of its records, opened as a buffer. */
typedef struct {
    uint8_t *bytes;
    size_t size, used;
    tn_directory_t *directory; /* NULL while the header is no good */
    unsigned answered, refused;
} patient_t;

static void admit(patient_t *patient, world_t *world)
{
    uint64_t end;
    fill(world);
    tn_directory_writer_close(world->writer);
    world->writer = NULL;
    memset(patient, 0, sizeof(*patient));
    patient->bytes = read_bytes(world->path, &patient->size);
    assert_true(tn_word_load(&end, patient->bytes + TN_WORD_ARENA_END));
    patient->used = end * TN_FORMAT_UNIT;
}

/* Right, or it cannot be told. */
static bool is_answer(patient_t *patient, int code, int expected)
{
    if (code == TN_EUNAVAILABLE) {
        patient->refused++;
        return false;
    }
    assert_int_equal(code, expected);
    patient->answered++;
    return code == TN_OK;
}

static void assert_tenant(const tn_tenant_t *tenant, unsigned number)
{
    const names_t *own = &names[number];
    assert_int_equal(numbered_number(tenant->id), number);
    assert_true(tn_str_equal(tenant->slug, own->slug));
    assert_true(tn_str_equal(tenant->name, own->name));
    assert_true(tn_str_equal(tenant->plan, TN_STR("pro")));
    assert_true(tn_str_equal(tenant->primary_host, own->hosts[0]));
    assert_int_equal(tenant->status, TN_STATUS_ACTIVE);
    assert_int_equal(tenant->is_listed, number % 2 == 0);
}

static void ask_parts(const tn_tenant_t *tenant, unsigned number)
{
    const names_t *own = &names[number];
    tn_str_t text;
    bool is_primary;
    /* of many hosts, some of each block */
    for (unsigned i = 0; i < own->host_count; i += number == 4 ? 8 : 1) {
        if (tn_tenant_host_at(&text, &is_primary, tenant, i)) {
            assert_true(tn_str_equal(text, own->hosts[i]));
        } else {
            assert_int_equal(number, 4); /* one in a damaged block is not given away */
        }
    }
    assert_false(tn_tenant_host_at(&text, &is_primary, tenant, own->host_count));
    if (number == 1) {
        assert_int_equal(tn_tenant_setting(&text, tenant, "color"), TN_OK);
        assert_text(text, "blue");
        assert_true(tn_tenant_former_slug_at(&text, tenant, 0));
        assert_text(text, "was-t1");
    }
}

static void ask_absent(patient_t *patient)
{
    static const tn_str_t absent[] = {
        {"t5", 2}, {"www0.t5.example", 15}, {"", 0}, {"was-t2", 6}, {"www2.t1.example", 15}};
    tn_tenant_t tenant;
    const tn_directory_t *directory = patient->directory;
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        (void)is_answer(patient, tn_directory_by_slug(&tenant, directory, absent[i]), TN_ENOTFOUND);
        (void)is_answer(patient, tn_directory_by_host(&tenant, directory, absent[i]), TN_ENOTFOUND);
    }
}

static void ask_tenants(patient_t *patient)
{
    tn_tenant_t tenant;
    const tn_directory_t *directory = patient->directory;
    for (unsigned number = 1; number <= TENANTS; number++) {
        const names_t *own = &names[number];
        if (is_answer(patient, tn_directory_by_id(&tenant, directory, own->id), TN_OK)) {
            assert_tenant(&tenant, number);
            ask_parts(&tenant, number);
        }
        if (is_answer(patient, tn_directory_by_slug(&tenant, directory, own->slug), TN_OK)) {
            assert_tenant(&tenant, number);
        }
        for (unsigned i = 0; i < own->host_count; i++) {
            int code = tn_directory_by_host(&tenant, directory, own->hosts[i]);
            if (is_answer(patient, code, TN_OK)) {
                assert_tenant(&tenant, number);
            }
        }
    }
    if (is_answer(patient, tn_directory_by_slug(&tenant, directory, TN_STR("was-t1")), TN_OK)) {
        assert_tenant(&tenant, 1);
    }
}

static void ask_platform(patient_t *patient)
{
    size_t base, label;
    bool is_on;
    tn_platform_t platform;
    const tn_directory_t *directory = patient->directory;
    int code = tn_directory_split_host(&base, &label, directory, TN_STR("a.example.com"));
    if (is_answer(patient, code, TN_OK)) {
        assert_int_equal(base, 11);
        assert_int_equal(label, 1);
    }
    code = tn_directory_split_host(&base, &label, directory, TN_STR("a.example.org"));
    (void)is_answer(patient, code, TN_ENOTFOUND);
    if (is_answer(patient, tn_directory_platform(&platform, directory), TN_OK)) {
        assert_text(platform.base_domains[1], "localhost");
        assert_string_equal(platform.keys[0].id, "key");
        assert_int_equal(platform.keys[0].key[1], 2);
    }
    if (is_answer(patient, tn_directory_flag(&is_on, directory, TN_STR("beta")), TN_OK)) {
        assert_false(is_on);
    }
    (void)is_answer(patient, tn_directory_flag(&is_on, directory, TN_STR("alpha")), TN_ENOTFOUND);
}

static int assert_known(const tn_tenant_t *tenant, void *context)
{
    assert_tenant(tenant, numbered_number(tenant->id));
    *(unsigned *)context += 1;
    return 0;
}

/* Holds the answers against what verification says, and a walk. */
static void cross_check(patient_t *patient)
{
    unsigned count = 0;
    tn_err_t err = {0};
    int verified = tn_directory_verify(patient->directory, &err);
    int walked = tn_directory_each_tenant(patient->directory, assert_known, &count);
    if (patient->refused > 0 || verified != TN_OK) {
        assert_int_equal(verified, TN_EDAMAGED);
        assert_non_null(strstr(err.detail, "offset"));
    } else {
        assert_int_equal(walked, TN_OK);
    }
    if (walked == TN_OK) {
        assert_int_equal(count, TENANTS);
    }
}

/* Asks for everything. Damage that no look-up meets is cross-checked only now and then. */
static void examine(patient_t *patient)
{
    static unsigned turn;
    patient->answered = patient->refused = 0;
    assert_int_equal(
        tn_directory_open_buffer(&patient->directory, patient->bytes, patient->size, NULL), TN_OK);
    ask_tenants(patient);
    ask_absent(patient);
    ask_platform(patient);
    if (patient->refused > 0 || turn++ % 16 == 0) {
        cross_check(patient);
    }
    tn_directory_close(patient->directory);
    patient->directory = NULL;
}

static void test_an_unharmed_directory_answers_everything(void **state)
{
    world_t *world = *state;
    patient_t patient;
    admit(&patient, world);
    examine(&patient);
    assert_int_equal(patient.refused, 0);
    assert_in_range(patient.answered, 60, 100);
    assert_in_range(patient.used, 8192, 16384); /* small enough for all of its bits */
    free(patient.bytes);
}

/* Nothing is read here: between the header's words and the table, between the table and the arena.
 * A bit of each byte will do. */
static bool is_void(const patient_t *patient, size_t at)
{
    uint64_t slots = tn_load_u64(patient->bytes + TN_HEADER_SLOT_COUNT);
    uint64_t arena = tn_load_u64(patient->bytes + TN_HEADER_ARENA_OFFSET);
    bool is_behind_words = at >= TN_WORD_STATE + 8 && at < TN_FORMAT_HEADER_SIZE;
    return is_behind_words || (at >= TN_FORMAT_HEADER_SIZE + slots * TN_SLOT_SIZE && at < arena);
}

static void test_any_single_bit_may_flip(void **state)
{
    world_t *world = *state;
    patient_t patient;
    unsigned harmful = 0;
    admit(&patient, world);
    for (size_t bit = 0; bit < patient.used * 8; bit++) {
        if (is_void(&patient, bit / 8) && bit % 8 != 0) {
            continue;
        }
        patient.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        examine(&patient);
        harmful += patient.refused > 0 ? 1 : 0;
        patient.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* what lies behind the last record is nobody's */
    for (size_t at = patient.used; at < patient.size; at += 61) {
        patient.bytes[at] ^= 0x10;
        examine(&patient);
        assert_int_equal(patient.refused, 0);
        patient.bytes[at] ^= 0x10;
    }
    assert_true(harmful > 1000); /* the test has looked where it matters */
    examine(&patient);
    assert_int_equal(patient.refused, 0);
    free(patient.bytes);
}

/* Every stretch of these sizes reads as one byte over and over. */
static void lose(patient_t *patient, size_t stretch, uint8_t byte)
{
    uint8_t *kept = malloc(stretch);
    assert_non_null(kept);
    for (size_t at = 0; at + stretch <= patient->used; at += stretch) {
        memcpy(kept, patient->bytes + at, stretch);
        memset(patient->bytes + at, byte, stretch);
        examine(patient);
        memcpy(patient->bytes + at, kept, stretch);
    }
    free(kept);
}

static void test_any_stretch_may_be_lost(void **state)
{
    world_t *world = *state;
    patient_t patient;
    admit(&patient, world);
    const size_t stretches[] = {8, 16, 64, 512, 4096};
    for (size_t i = 0; i < sizeof(stretches) / sizeof(stretches[0]); i++) {
        lose(&patient, stretches[i], 0);
        lose(&patient, stretches[i], 0xff);
    }
    free(patient.bytes);
}

/* ---- what verification finds -------------------------------------------------------------------
 */

static int verify(patient_t *patient, tn_err_t *err)
{
    tn_directory_t *directory;
    assert_int_equal(tn_directory_open_buffer(&directory, patient->bytes, patient->size, NULL),
                     TN_OK);
    int code = tn_directory_verify(directory, err);
    tn_directory_close(directory);
    return code;
}

/* The offset of the n-th slot that leads somewhere. */
static size_t find_slot(const patient_t *patient, unsigned n)
{
    uint64_t payload;
    uint64_t slots = tn_load_u64(patient->bytes + TN_HEADER_SLOT_COUNT);
    for (size_t i = 0; i < slots; i++) {
        size_t at = TN_FORMAT_HEADER_SIZE + i * TN_SLOT_SIZE;
        assert_true(tn_word_load(&payload, patient->bytes + at));
        if ((uint32_t)payload != 0 && n-- == 0) {
            return at;
        }
    }
    fail();
    return 0;
}

static void test_verification_finds_what_no_checksum_shows(void **state)
{
    world_t *world = *state;
    patient_t patient;
    tn_err_t err;
    uint64_t payload;
    admit(&patient, world);
    assert_int_equal(verify(&patient, &err), TN_OK);

    /* a key without its slot */
    size_t slot = find_slot(&patient, 3);
    uint64_t kept = tn_load_u64(patient.bytes + slot);
    tn_word_store(patient.bytes + slot, TN_SLOT_DELETED);
    assert_int_equal(verify(&patient, &err), TN_EDAMAGED);

    /* a slot that leads to what is no record */
    assert_true(tn_word_decode(&payload, kept));
    tn_word_store(patient.bytes + slot, payload + 1);
    assert_int_equal(verify(&patient, &err), TN_EDAMAGED);
    assert_non_null(strstr(err.detail, "slot"));

    /* a slot that no key needs */
    tn_store_u64(patient.bytes + slot, kept);
    size_t empty = TN_FORMAT_HEADER_SIZE;
    while (tn_load_u64(patient.bytes + empty) != tn_word_encode(TN_SLOT_EMPTY)) {
        empty += TN_SLOT_SIZE;
    }
    tn_word_store(patient.bytes + empty, payload);
    assert_int_equal(verify(&patient, &err), TN_EDAMAGED);
    tn_word_store(patient.bytes + empty, TN_SLOT_EMPTY);
    assert_int_equal(verify(&patient, &err), TN_OK);

    /* counts that are none */
    const unsigned words[] = {TN_WORD_TENANTS, TN_WORD_DOMAINS, TN_WORD_FLAGS, TN_WORD_SLOTS_USED};
    for (size_t i = 0; i < 4; i++) {
        assert_true(tn_word_load(&payload, patient.bytes + words[i]));
        tn_word_store(patient.bytes + words[i], payload + 1);
        assert_int_equal(verify(&patient, &err), TN_EDAMAGED);
        tn_word_store(patient.bytes + words[i], payload);
    }

    /* an end of the arena that is outside of it, or within its last record */
    assert_true(tn_word_load(&payload, patient.bytes + TN_WORD_ARENA_END));
    const uint64_t ends[] = {0, 1, payload - 1, payload + 1, UINT32_MAX, TN_WORD_PAYLOAD_MAX};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        tn_word_store(patient.bytes + TN_WORD_ARENA_END, ends[i]);
        assert_int_equal(verify(&patient, &err), TN_EDAMAGED);
    }
    tn_word_store(patient.bytes + TN_WORD_ARENA_END, payload);
    assert_int_equal(verify(&patient, &err), TN_OK);
    free(patient.bytes);
}

/* A directory whose only record is this one, with the right checksum, at the arena's beginning. */
static void test_a_record_that_contradicts_itself_is_no_answer(void **state)
{
    world_t *world = *state;
    tn_tenant_t tenant;
    uint8_t id[16];
    size_t size;
    numbered_id(id, 1);
    put_numbered(world->writer, 1, 1, 1, 2);
    tn_directory_writer_close(world->writer);
    world->writer = NULL;
    uint8_t *bytes = read_bytes(world->path, &size);
    uint8_t *record = bytes + tn_load_u64(bytes + TN_HEADER_ARENA_OFFSET);
    uint32_t record_size = tn_load_u32(record + TN_RECORD_SIZE);
    unsigned answered = 0;
    for (uint32_t at = TN_RECORD_SIZE; at < record_size; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t kept = record[at];
            record[at] = (uint8_t)value;
            uint32_t now_size = tn_load_u32(record + TN_RECORD_SIZE);
            if (now_size >= TN_RECORD_HEADER_SIZE && now_size <= size - (size_t)(record - bytes)) {
                tn_store_u64(record,
                             tn_checksum(record + TN_RECORD_SIZE, now_size - TN_RECORD_SIZE));
            }
            tn_directory_t *directory;
            assert_int_equal(tn_directory_open_buffer(&directory, bytes, size, NULL), TN_OK);
            int code = tn_directory_by_id(&tenant, directory, id);
            assert_true(code == TN_OK || code == TN_ENOTFOUND || code == TN_EUNAVAILABLE);
            if (code == TN_OK) {
                tn_str_t host;
                bool is_primary;
                const char *end = (const char *)record + record_size;
                assert_true(tenant.slug.data + tenant.slug.length <= end);
                assert_true(tenant.name.data + tenant.name.length <= end);
                for (size_t i = 0; tn_tenant_host_at(&host, &is_primary, &tenant, i); i++) {
                    assert_true(host.data + host.length <= end);
                }
                answered++;
            }
            (void)!tn_directory_verify(directory, NULL);
            tn_directory_close(directory);
            record[at] = kept;
        }
    }
    assert_true(answered > 256); /* another name is a name */
    free(bytes);
}

static const struct CMUnitTest tests[] = {
    UNIT(test_an_unharmed_directory_answers_everything),
    UNIT(test_any_single_bit_may_flip),
    UNIT(test_any_stretch_may_be_lost),
    UNIT(test_verification_finds_what_no_checksum_shows),
    UNIT(test_a_record_that_contradicts_itself_is_no_answer),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
