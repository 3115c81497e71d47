/*
 * Tenants by number; see tenants.h.
 */
#include "tenants.h"

#include "base/str.h"
#include "base/uuid.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

void numbered_id(uint8_t id[16], unsigned number)
{
    memset(id, 0x5a, 16);
    for (int i = 0; i < 4; i++) {
        id[12 + i] = (uint8_t)(number >> (24 - 8 * i));
    }
}

unsigned numbered_number(const char *id_text)
{
    tn_uuid_t id;
    assert_int_equal(tn_uuid_parse(&id, tn_str(id_text)), TN_OK);
    assert_int_equal(id.bytes[0], 0x5a);
    return (unsigned)id.bytes[12] << 24 | (unsigned)id.bytes[13] << 16 |
           (unsigned)id.bytes[14] << 8 | id.bytes[15];
}

tn_str_t numbered_host(char text[64], unsigned number, unsigned i)
{
    int length = snprintf(text, 64, "www%u.t%u.example", i, number);
    return (tn_str_t){text, (size_t)length};
}

tn_str_t numbered_slug(char text[64], unsigned number)
{
    int length = snprintf(text, 64, "t%u", number);
    return (tn_str_t){text, (size_t)length};
}

void numbered_tenant(numbered_tenant_t *tenant, unsigned number, size_t host_count)
{
    memset(tenant, 0, sizeof(*tenant));
    tn_tenant_spec_t *spec = &tenant->spec;
    numbered_id(spec->id, number);
    spec->slug = numbered_slug(tenant->slug, number);
    (void)snprintf(tenant->name, sizeof(tenant->name), "Tenant %u", number);
    spec->name = tn_str(tenant->name);
    spec->plan = TN_STR("pro");
    spec->upstream = TN_STR("");
    spec->status = TN_STATUS_ACTIVE;
    spec->is_listed = number % 2 == 0;
    for (size_t i = 0; i < host_count; i++) {
        tenant->hosts[i] = numbered_host(tenant->host_texts[i], number, (unsigned)i);
    }
    spec->hosts = tenant->hosts;
    spec->host_count = host_count;
    spec->flags = tenant->flags;
    spec->settings = tenant->settings;
}

void put_numbered(tn_directory_writer_t *writer, uint64_t generation, unsigned first,
                  unsigned count, size_t host_count)
{
    tn_err_t err = {0};
    assert_int_equal(tn_directory_begin(writer, generation, &err), TN_OK);
    for (unsigned i = 0; i < count; i++) {
        numbered_tenant_t tenant;
        numbered_tenant(&tenant, first + i, host_count);
        assert_int_equal(tn_directory_put_tenant(writer, &tenant.spec, &err), TN_OK);
    }
    int code = tn_directory_commit(writer, &err);
    if (code != TN_OK) {
        fail_msg("commit of generation %llu: %s", (unsigned long long)generation, err.detail);
    }
}

void test_folder_make(char path[256])
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(path, 256, "%s/tenantry-directory-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(path));
}

void test_folder_remove(const char *path)
{
    DIR *entries = opendir(path);
    assert_non_null(entries);
    struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            assert_int_equal(unlinkat(dirfd(entries), entry->d_name, 0), 0);
        }
    }
    (void)closedir(entries);
    assert_int_equal(rmdir(path), 0);
}

const uint8_t world_database_id[16] = "test's database";

int world_set_up(void **state)
{
    world_t *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    test_folder_make(world->folder);
    (void)snprintf(world->path, sizeof(world->path), "%s/directory", world->folder);
    assert_int_equal(
        tn_directory_writer_create(&world->writer, world->path, world_database_id, 0, &world->err),
        TN_OK);
    assert_int_equal(tn_directory_writer_install(world->writer, NULL, &world->err), TN_OK);
    assert_int_equal(tn_directory_open(&world->reader, world->path, &world->err), TN_OK);
    *state = world;
    return 0;
}

int world_tear_down(void **state)
{
    world_t *world = *state;
    tn_directory_writer_close(world->writer);
    tn_directory_close(world->reader);
    test_folder_remove(world->folder);
    free(world);
    return 0;
}

const tn_directory_t *world_look(world_t *world)
{
    world->now_ms += 10000;
    tn_directory_refresh(world->reader, world->now_ms);
    return world->reader;
}

void world_begin(world_t *world, uint64_t generation)
{
    assert_int_equal(tn_directory_begin(world->writer, generation, &world->err), TN_OK);
}

void world_put(world_t *world, const tn_tenant_spec_t *spec)
{
    assert_int_equal(tn_directory_put_tenant(world->writer, spec, &world->err), TN_OK);
}

void world_commit(world_t *world)
{
    if (tn_directory_commit(world->writer, &world->err) != TN_OK ||
        tn_directory_verify(tn_directory_writer_view(world->writer), &world->err) != TN_OK) {
        fail_msg("%s", world->err.detail);
    }
}

void world_reopen(world_t *world)
{
    tn_directory_t *closed;
    tn_directory_writer_close(world->writer);
    world->writer = NULL;
    /* one that was closed has the right counts too */
    assert_int_equal(tn_directory_open(&closed, world->path, &world->err), TN_OK);
    int verified = tn_directory_verify(closed, &world->err);
    tn_directory_close(closed);
    if (verified != TN_OK ||
        tn_directory_writer_open(&world->writer, world->path, &world->err) != TN_OK) {
        fail_msg("%s", world->err.detail);
    }
}

static void assert_owner(int code, const tn_tenant_t *tenant, int number)
{
    assert_int_equal(code, number < 0 ? TN_ENOTFOUND : TN_OK);
    if (number >= 0) {
        assert_int_equal(numbered_number(tenant->id), number);
    }
}

void assert_host_owner(world_t *world, const char *host, int number)
{
    tn_tenant_t tenant;
    int code = tn_directory_by_host(&tenant, world_look(world), tn_str(host));
    assert_owner(code, &tenant, number);
}

void assert_slug_owner(world_t *world, const char *slug, int number)
{
    tn_tenant_t tenant;
    int code = tn_directory_by_slug(&tenant, world_look(world), tn_str(slug));
    assert_owner(code, &tenant, number);
}

void assert_text(tn_str_t text, const char *expected)
{
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.data, expected, text.length);
}

uint8_t *read_bytes(const char *path, size_t *size_bytes)
{
    FILE *file = fopen(path, "rbe");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size_bytes = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size_bytes + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size_bytes, file), *size_bytes);
    assert_int_equal(fclose(file), 0);
    return data;
}

void write_bytes(const char *path, const void *data, size_t size_bytes)
{
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
}
