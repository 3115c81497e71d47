/*
 * Unit tests of writing the directory: what is put is found, what is removed is not, changes are
 * whole or refused, files grow, and the next writer goes on where the last one stopped.
 */
#include "core/directory_writer.h"

#include "base/str.h"
#include "base/uuid.h"
#include "tenants.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t database_id[16] = "test's database";

/* A folder with one new, installed directory. */
typedef struct {
    char folder[256];
    char path[300];
    tn_directory_writer_t *writer;
    tn_directory_t *reader;
    tn_err_t err;
} world_t;

static int set_up(void **state)
{
    world_t *world = calloc(1, sizeof(*world));
    test_folder_make(world->folder);
    (void)snprintf(world->path, sizeof(world->path), "%s/directory", world->folder);
    assert_int_equal(
        tn_directory_writer_create(&world->writer, world->path, database_id, 0, &world->err),
        TN_OK);
    assert_int_equal(tn_directory_writer_install(world->writer, NULL, &world->err), TN_OK);
    assert_int_equal(tn_directory_open(&world->reader, world->path, &world->err), TN_OK);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_t *world = *state;
    tn_directory_writer_close(world->writer);
    tn_directory_close(world->reader);
    test_folder_remove(world->folder);
    free(world);
    return 0;
}

static const tn_directory_t *fresh(world_t *world)
{
    static int64_t now_ms = 0;
    now_ms += 10000;
    tn_directory_refresh(world->reader, now_ms);
    return world->reader;
}

static void assert_owner(world_t *world, const char *host, int number)
{
    tn_tenant_t tenant;
    int code = tn_directory_by_host(&tenant, fresh(world), tn_str(host));
    assert_int_equal(code, number < 0 ? TN_ENOTFOUND : TN_OK);
    if (number >= 0) {
        assert_int_equal(numbered_number(tenant.id), number);
    }
}

static void assert_slug(world_t *world, const char *slug, int number)
{
    tn_tenant_t tenant;
    int code = tn_directory_by_slug(&tenant, fresh(world), tn_str(slug));
    assert_int_equal(code, number < 0 ? TN_ENOTFOUND : TN_OK);
    if (number >= 0) {
        assert_int_equal(numbered_number(tenant.id), number);
    }
}

static void assert_str(tn_str_t text, const char *expected)
{
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.data, expected, text.length);
}

static void begin(world_t *world, uint64_t generation)
{
    assert_int_equal(tn_directory_begin(world->writer, generation, &world->err), TN_OK);
}

static void put(world_t *world, const tn_tenant_spec_t *spec)
{
    assert_int_equal(tn_directory_put_tenant(world->writer, spec, &world->err), TN_OK);
}

static void commit(world_t *world)
{
    assert_int_equal(tn_directory_commit(world->writer, &world->err), TN_OK);
    assert_int_equal(tn_directory_verify(tn_directory_writer_view(world->writer), &world->err),
                     TN_OK);
}

static void test_everything_that_is_put_is_found(void **state)
{
    world_t *world = *state;
    static const tn_str_t hosts[] = {{"app.acme.com", 12}, {"acme.com", 8}, {"acme.example", 12}};
    static const tn_str_t former[] = {{"acme-old", 8}, {"acme-older", 10}};
    static const struct tn_tenant_spec_flag flags[] = {{{"beta", 4}, true}, {{"dark", 4}, false}};
    static const struct tn_tenant_spec_setting settings[] = {{{"color", 5}, {"blue", 4}},
                                                             {{"empty", 5}, {"", 0}}};
    tn_tenant_spec_t spec = {
        .slug = TN_STR("acme"),
        .name = TN_STR("Acme \xc3\xa9t\xc3\xa9"),
        .plan = TN_STR("pro"),
        .upstream = TN_STR("http://127.0.0.1:9000"),
        .status = TN_STATUS_MAINTENANCE,
        .is_listed = true,
        .redirects_to_primary = true,
        .hosts = hosts,
        .host_count = 3,
        .primary_host = 1,
        .former_slugs = former,
        .former_slug_count = 2,
        .flags = flags,
        .flag_count = 2,
        .settings = settings,
        .setting_count = 2,
    };
    numbered_id(spec.id, 1);
    begin(world, 7);
    put(world, &spec);
    commit(world);

    const char *names[] = {"app.acme.com", "acme.com", "acme.example"};
    for (size_t i = 0; i < 3; i++) {
        assert_owner(world, names[i], 1);
    }
    assert_slug(world, "acme", 1);
    assert_slug(world, "acme-old", 1);
    assert_slug(world, "acme-older", 1);

    tn_tenant_t tenant;
    char id[TN_UUID_LENGTH + 1];
    const char *id_text = tn_uuid_format(id, spec.id);
    assert_int_equal(tn_tenant_from_id(&tenant, world->reader, id_text, TN_UUID_LENGTH), TN_OK);
    assert_string_equal(tenant.id, id);
    assert_str(tenant.slug, "acme");
    assert_str(tenant.name, "Acme \xc3\xa9t\xc3\xa9");
    assert_str(tenant.plan, "pro");
    assert_str(tenant.upstream, "http://127.0.0.1:9000");
    assert_str(tenant.primary_host, "acme.com");
    assert_int_equal(tenant.status, TN_STATUS_MAINTENANCE);
    assert_true(tenant.is_listed);
    assert_true(tenant.redirects_to_primary);
    assert_int_equal(tenant.generation, 7);

    tn_str_t text, value;
    bool is_set;
    for (size_t i = 0; i < 3; i++) {
        assert_true(tn_tenant_host_at(&text, &is_set, &tenant, i));
        assert_str(text, names[i]);
        assert_int_equal(is_set, i == 1);
    }
    assert_false(tn_tenant_host_at(&text, &is_set, &tenant, 3));
    assert_true(tn_tenant_former_slug_at(&text, &tenant, 1));
    assert_str(text, "acme-older");
    assert_false(tn_tenant_former_slug_at(&text, &tenant, 2));
    assert_true(tn_tenant_flag_at(&text, &is_set, &tenant, 0));
    assert_str(text, "beta");
    assert_true(is_set);
    assert_true(tn_tenant_flag_at(&text, &is_set, &tenant, 1));
    assert_str(text, "dark");
    assert_false(is_set);
    assert_false(tn_tenant_flag_at(&text, &is_set, &tenant, 2));
    assert_true(tn_tenant_setting_at(&text, &value, &tenant, 0));
    assert_str(text, "color");
    assert_str(value, "blue");
    assert_true(tn_tenant_setting_at(&text, &value, &tenant, 1));
    assert_str(value, "");
    assert_false(tn_tenant_setting_at(&text, &value, &tenant, 2));
    assert_int_equal(tn_tenant_setting(&value, &tenant, "color"), TN_OK);
    assert_str(value, "blue");
    assert_int_equal(tn_tenant_setting(&value, &tenant, "colour"), TN_ENOTFOUND);

    tn_directory_info_t info;
    tn_directory_info(&info, world->reader);
    assert_int_equal(info.state, TN_DIRECTORY_READY);
    assert_int_equal(info.generation, 7);
    assert_int_equal(info.tenants, 1);
    assert_int_equal(info.domains, 3);
    assert_memory_equal(info.database_id, database_id, 16);
}

static void test_a_host_moves_between_tenants_in_one_change(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 2, 1);
    numbered_tenant_t a, b;
    char text[64];
    tn_str_t host = numbered_host(text, 1, 0);
    assert_owner(world, host.data, 1);

    numbered_tenant(&a, 1, 0);
    numbered_tenant(&b, 2, 1);
    b.hosts[1] = host;
    b.spec.host_count = 2;
    begin(world, 2);
    put(world, &a.spec);
    put(world, &b.spec);
    commit(world);
    assert_owner(world, host.data, 2);
    assert_slug(world, "t1", 1);

    begin(world, 3);
    b.spec.host_count = 1;
    put(world, &b.spec);
    commit(world);
    assert_owner(world, host.data, -1);
    assert_owner(world, "www0.t2.example", 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_everything_that_is_put_is_found, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_a_host_moves_between_tenants_in_one_change, set_up,
                                    tear_down),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
