/*
 * Unit tests of writing the directory: what is put is found, what is removed is not, and a change
 * is whole or refused. Files, growth and recovery are tested in directory_file.c and
 * directory_rewrite.c.
 */
#include "core/directory_writer.h"

#include "base/str.h"
#include "base/uuid.h"
#include "core/directory_format.h"
#include "tenants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

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
    world_begin(world, 7);
    world_put(world, &spec);
    world_commit(world);

    const char *names[] = {"app.acme.com", "acme.com", "acme.example"};
    for (size_t i = 0; i < 3; i++) {
        assert_host_owner(world, names[i], 1);
    }
    assert_slug_owner(world, "acme", 1);
    assert_slug_owner(world, "acme-old", 1);
    assert_slug_owner(world, "acme-older", 1);

    tn_tenant_t tenant;
    char id[TN_UUID_LENGTH + 1];
    const char *id_text = tn_uuid_format(id, spec.id);
    assert_int_equal(tn_tenant_from_id(&tenant, world->reader, id_text, TN_UUID_LENGTH), TN_OK);
    assert_string_equal(tenant.id, id);
    assert_text(tenant.slug, "acme");
    assert_text(tenant.name, "Acme \xc3\xa9t\xc3\xa9");
    assert_text(tenant.plan, "pro");
    assert_text(tenant.upstream, "http://127.0.0.1:9000");
    assert_text(tenant.primary_host, "acme.com");
    assert_int_equal(tenant.status, TN_STATUS_MAINTENANCE);
    assert_true(tenant.is_listed);
    assert_true(tenant.redirects_to_primary);
    assert_int_equal(tenant.generation, 7);

    tn_str_t text, value;
    bool is_set;
    for (size_t i = 0; i < 3; i++) {
        assert_true(tn_tenant_host_at(&text, &is_set, &tenant, i));
        assert_text(text, names[i]);
        assert_int_equal(is_set, i == 1);
    }
    assert_false(tn_tenant_host_at(&text, &is_set, &tenant, 3));
    assert_true(tn_tenant_former_slug_at(&text, &tenant, 1));
    assert_text(text, "acme-older");
    assert_false(tn_tenant_former_slug_at(&text, &tenant, 2));
    assert_true(tn_tenant_flag_at(&text, &is_set, &tenant, 0));
    assert_text(text, "beta");
    assert_true(is_set);
    assert_true(tn_tenant_flag_at(&text, &is_set, &tenant, 1));
    assert_text(text, "dark");
    assert_false(is_set);
    assert_false(tn_tenant_flag_at(&text, &is_set, &tenant, 2));
    assert_true(tn_tenant_setting_at(&text, &value, &tenant, 0));
    assert_text(text, "color");
    assert_text(value, "blue");
    assert_true(tn_tenant_setting_at(&text, &value, &tenant, 1));
    assert_text(value, "");
    assert_false(tn_tenant_setting_at(&text, &value, &tenant, 2));
    assert_int_equal(tn_tenant_setting(&value, &tenant, "color"), TN_OK);
    assert_text(value, "blue");
    assert_int_equal(tn_tenant_setting(&value, &tenant, "colour"), TN_ENOTFOUND);

    tn_directory_info_t info;
    tn_directory_info(&info, world->reader);
    assert_int_equal(info.state, TN_DIRECTORY_READY);
    assert_int_equal(info.generation, 7);
    assert_int_equal(info.tenants, 1);
    assert_int_equal(info.domains, 3);
    assert_memory_equal(info.database_id, world_database_id, 16);
}

static void test_a_host_moves_between_tenants_in_one_change(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 2, 1);
    numbered_tenant_t a, b;
    char text[64];
    tn_str_t host = numbered_host(text, 1, 0);
    assert_host_owner(world, host.data, 1);

    numbered_tenant(&a, 1, 0);
    numbered_tenant(&b, 2, 1);
    b.hosts[1] = host;
    b.spec.host_count = 2;
    world_begin(world, 2);
    world_put(world, &a.spec);
    world_put(world, &b.spec);
    world_commit(world);
    assert_host_owner(world, host.data, 2);
    assert_slug_owner(world, "t1", 1);

    world_begin(world, 3);
    b.spec.host_count = 1;
    world_put(world, &b.spec);
    world_commit(world);
    assert_host_owner(world, host.data, -1);
    assert_host_owner(world, "www0.t2.example", 2);
}

static void test_two_tenants_swap_hosts_and_slugs(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 2, 2);
    for (unsigned round = 0; round < 50; round++) {
        /* in even rounds each has the other's */
        unsigned of_1 = round % 2 == 0 ? 2 : 1;
        unsigned of_2 = 3 - of_1;
        numbered_tenant_t a, b;
        numbered_tenant(&a, of_1, 2);
        numbered_id(a.spec.id, 1);
        numbered_tenant(&b, of_2, 2);
        numbered_id(b.spec.id, 2);
        world_begin(world, 2 + round);
        /* whichever comes first */
        world_put(world, round % 3 == 0 ? &a.spec : &b.spec);
        world_put(world, round % 3 == 0 ? &b.spec : &a.spec);
        world_commit(world);
        char text[64];
        assert_host_owner(world, numbered_host(text, of_1, 0).data, 1);
        assert_host_owner(world, numbered_host(text, of_1, 1).data, 1);
        assert_host_owner(world, numbered_host(text, of_2, 1).data, 2);
        assert_slug_owner(world, numbered_slug(text, of_1).data, 1);
        assert_slug_owner(world, numbered_slug(text, of_2).data, 2);
    }
}

static void put_renamed(world_t *world, uint64_t generation, const char *slug,
                        const tn_str_t *former, size_t former_count)
{
    numbered_tenant_t tenant;
    numbered_tenant(&tenant, 1, 0);
    tenant.spec.slug = tn_str(slug);
    tenant.spec.former_slugs = former;
    tenant.spec.former_slug_count = former_count;
    world_begin(world, generation);
    world_put(world, &tenant.spec);
    world_commit(world);
}

static void test_a_renamed_slug_keeps_the_former_ones(void **state)
{
    world_t *world = *state;
    static const tn_str_t former[] = {{"first", 5}, {"second", 6}};
    tn_tenant_t tenant;
    tn_str_t text;
    put_renamed(world, 1, "first", NULL, 0);
    put_renamed(world, 2, "second", former, 1);
    assert_slug_owner(world, "first", 1);
    assert_slug_owner(world, "second", 1);
    put_renamed(world, 3, "third", former, 2);
    assert_slug_owner(world, "first", 1);
    assert_slug_owner(world, "second", 1);
    assert_slug_owner(world, "third", 1);
    assert_int_equal(tn_directory_by_slug(&tenant, world_look(world), TN_STR("first")), TN_OK);
    assert_text(tenant.slug, "third");

    /* renamed back: the present slug is no former one, even if it is still among them */
    put_renamed(world, 4, "first", former, 2);
    assert_slug_owner(world, "third", -1);
    assert_slug_owner(world, "first", 1);
    assert_int_equal(tn_directory_by_slug(&tenant, world_look(world), TN_STR("second")), TN_OK);
    assert_text(tenant.slug, "first");
    assert_true(tn_tenant_former_slug_at(&text, &tenant, 0));
    assert_text(text, "second");
    assert_false(tn_tenant_former_slug_at(&text, &tenant, 1));
}

static void test_a_removed_tenant_is_gone_and_may_come_back(void **state)
{
    world_t *world = *state;
    uint8_t id[16];
    tn_tenant_t tenant;
    tn_directory_info_t info;
    put_numbered(world->writer, 1, 1, 3, 2);
    numbered_id(id, 2);
    world_begin(world, 2);
    assert_int_equal(tn_directory_remove_tenant(world->writer, id, &world->err), TN_OK);
    world_commit(world);
    assert_host_owner(world, "www0.t2.example", -1);
    assert_host_owner(world, "www1.t2.example", -1);
    assert_slug_owner(world, "t2", -1);
    assert_int_equal(tn_directory_by_id(&tenant, world->reader, id), TN_ENOTFOUND);
    assert_host_owner(world, "www0.t1.example", 1);
    assert_host_owner(world, "www1.t3.example", 3);
    tn_directory_info(&info, world->reader);
    assert_int_equal(info.tenants, 2);
    assert_int_equal(info.domains, 4);

    put_numbered(world->writer, 3, 2, 1, 1);
    assert_host_owner(world, "www0.t2.example", 2);
    assert_host_owner(world, "www1.t2.example", -1);
    tn_directory_info(&info, world_look(world));
    assert_int_equal(info.tenants, 3);
    assert_int_equal(info.domains, 5);
}

static void test_removing_what_is_not_there_is_no_error(void **state)
{
    world_t *world = *state;
    tn_directory_info_t info;
    uint8_t id[16];
    numbered_id(id, 77);
    world_begin(world, 1);
    assert_int_equal(tn_directory_remove_tenant(world->writer, id, &world->err), TN_OK);
    assert_int_equal(tn_directory_remove_flag(world->writer, TN_STR("no"), &world->err), TN_OK);
    world_commit(world);
    tn_directory_info(&info, world_look(world));
    assert_int_equal(info.generation, 1);
    assert_int_equal(info.tenants, 0);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.used_bytes, 0);
}

static void test_the_last_word_on_an_entry_counts(void **state)
{
    world_t *world = *state;
    numbered_tenant_t one, two;
    uint8_t id[16];
    bool is_on;
    numbered_tenant(&one, 1, 2);
    numbered_tenant(&two, 2, 1);
    world_begin(world, 1);
    world_put(world, &one.spec);
    one.spec.host_count = 1;
    world_put(world, &one.spec); /* put twice */
    world_put(world, &two.spec);
    assert_int_equal(tn_directory_remove_tenant(world->writer, two.spec.id, &world->err), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("f"), true, &world->err), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("f"), false, &world->err), TN_OK);
    world_commit(world);
    assert_host_owner(world, "www0.t1.example", 1);
    assert_host_owner(world, "www1.t1.example", -1);
    assert_slug_owner(world, "t2", -1);
    assert_int_equal(tn_directory_flag(&is_on, world->reader, TN_STR("f")), TN_OK);
    assert_false(is_on);

    /* removed and put again in one change */
    numbered_id(id, 1);
    world_begin(world, 2);
    assert_int_equal(tn_directory_remove_tenant(world->writer, id, &world->err), TN_OK);
    one.spec.host_count = 2;
    world_put(world, &one.spec);
    world_commit(world);
    assert_host_owner(world, "www1.t1.example", 1);
}

static void test_flags_have_defaults_and_tenants_their_own_values(void **state)
{
    world_t *world = *state;
    numbered_tenant_t one;
    tn_tenant_t tenant;
    bool is_on;
    numbered_tenant(&one, 1, 0);
    one.flags[0] = (struct tn_tenant_spec_flag){TN_STR("own-off"), false};
    one.flags[1] = (struct tn_tenant_spec_flag){TN_STR("undefined"), true};
    one.spec.flag_count = 2;
    world_begin(world, 1);
    world_put(world, &one.spec);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("own-off"), true, NULL), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("on"), true, NULL), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("off"), false, NULL), TN_OK);
    world_commit(world);
    assert_int_equal(tn_directory_by_slug(&tenant, world_look(world), TN_STR("t1")), TN_OK);
    const struct {
        const char *key;
        int code;
        bool is_on;
    } cases[] = {
        {"own-off", TN_OK, false},          {"on", TN_OK, true},       {"off", TN_OK, false},
        {"undefined", TN_ENOTFOUND, false}, {"", TN_ENOTFOUND, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int code = tn_flag_is_on(&is_on, world->reader, &tenant, cases[i].key);
        assert_int_equal(code, cases[i].code);
        assert_true(code != TN_OK || is_on == cases[i].is_on);
    }
    tn_directory_info_t info;
    tn_directory_info(&info, world->reader);
    assert_int_equal(info.flags, 3);

    world_begin(world, 2);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("off"), true, NULL), TN_OK);
    assert_int_equal(tn_directory_remove_flag(world->writer, TN_STR("on"), NULL), TN_OK);
    world_commit(world);
    assert_int_equal(tn_flag_is_on(&is_on, world_look(world), &tenant, "off"), TN_OK);
    assert_true(is_on);
    assert_int_equal(tn_flag_is_on(&is_on, world->reader, &tenant, "on"), TN_ENOTFOUND);
    tn_directory_info(&info, world->reader);
    assert_int_equal(info.flags, 2);
}

static void test_the_platform_says_which_base_a_host_lies_under(void **state)
{
    world_t *world = *state;
    size_t base, label;
    tn_platform_t got;
    tn_platform_t platform = {
        .base_domains = {TN_STR("example.com"), TN_STR("eu.example.com"), TN_STR("localhost")},
        .base_domain_count = 3,
        .keys = {{.id = "one", .key = {1, 2, 3}}, {.id = "two", .key = {4}}},
        .key_count = 2,
        .options_hash = 0x0123456789abcdef,
    };
    const struct {
        const char *host;
        int code;
        size_t base, label;
    } cases[] = {
        {"acme.example.com", TN_OK, 11, 4},
        {"example.com", TN_OK, 11, 0},
        {"acme.eu.example.com", TN_OK, 14, 4},
        {"eu.example.com", TN_OK, 14, 0},
        {"a.b.example.com", TN_OK, 11, 3},
        {"demo.localhost", TN_OK, 9, 4},
        {"notexample.com", TN_ENOTFOUND, 0, 0},
        {".example.com", TN_ENOTFOUND, 0, 0},
        {"com", TN_ENOTFOUND, 0, 0},
        {"", TN_ENOTFOUND, 0, 0},
        {"example.com.evil", TN_ENOTFOUND, 0, 0},
    };
    assert_int_equal(tn_directory_split_host(&base, &label, world->reader, TN_STR("example.com")),
                     TN_ENOTFOUND);
    assert_int_equal(tn_directory_platform(&got, world->reader), TN_ENOTFOUND);
    world_begin(world, 1);
    assert_int_equal(tn_directory_put_platform(world->writer, &platform, &world->err), TN_OK);
    world_commit(world);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        base = label = 0;
        assert_int_equal(
            tn_directory_split_host(&base, &label, world_look(world), tn_str(cases[i].host)),
            cases[i].code);
        assert_int_equal(base, cases[i].base);
        assert_int_equal(label, cases[i].label);
    }
    assert_int_equal(tn_directory_platform(&got, world->reader), TN_OK);
    assert_int_equal(got.base_domain_count, 3);
    assert_text(got.base_domains[1], "eu.example.com");
    assert_int_equal(got.key_count, 2);
    assert_string_equal(got.keys[1].id, "two");
    assert_memory_equal(got.keys[0].key, platform.keys[0].key, 32);
    assert_int_equal(got.options_hash, 0x0123456789abcdef);

    platform.base_domain_count = 1;
    platform.key_count = 0;
    world_begin(world, 2);
    assert_int_equal(tn_directory_put_platform(world->writer, &platform, &world->err), TN_OK);
    world_commit(world);
    assert_int_equal(
        tn_directory_split_host(&base, &label, world_look(world), TN_STR("demo.localhost")),
        TN_ENOTFOUND);
}

/* ---- what is refused ------------------------------------------------------------------------- */

/* The world of the conflicts: 1 has host and slug and a former slug, 2 has nothing of it. */
static void put_owners(world_t *world)
{
    static const tn_str_t former[] = {{"was-t1", 6}};
    numbered_tenant_t one, two;
    numbered_tenant(&one, 1, 1);
    one.spec.former_slugs = former;
    one.spec.former_slug_count = 1;
    numbered_tenant(&two, 2, 1);
    world_begin(world, 1);
    world_put(world, &one.spec);
    world_put(world, &two.spec);
    world_commit(world);
}

static void assert_unchanged(world_t *world, const uint8_t *before, size_t size)
{
    size_t size_now;
    uint8_t *now = read_bytes(world->path, &size_now);
    assert_int_equal(size, size_now);
    assert_memory_equal(before, now, size);
    free(now);
}

static void test_what_belongs_to_another_is_refused_and_nothing_changes(void **state)
{
    world_t *world = *state;
    static const tn_str_t former_slug = {"t1", 2};
    numbered_tenant_t two, three;
    char text[64];
    put_owners(world);
    size_t size;
    uint8_t *before = read_bytes(world->path, &size);
    for (int i = 0; i < 5; i++) {
        numbered_tenant(&two, 2, 1);
        numbered_tenant(&three, 3, 1);
        const char *taken = "t1";
        if (i == 0) {
            two.hosts[0] = numbered_host(text, 1, 0);
            taken = "www0.t1.example";
        } else if (i == 1) {
            two.spec.slug = TN_STR("t1");
        } else if (i == 2) {
            two.spec.slug = TN_STR("was-t1");
            taken = "was-t1";
        } else if (i == 3) {
            two.spec.former_slugs = &former_slug;
            two.spec.former_slug_count = 1;
        } else {
            /* neither has it yet: they collide with each other */
            two.hosts[0] = three.hosts[0];
            taken = "www0.t3.example";
        }
        world_begin(world, 2);
        world_put(world, &three.spec);
        world_put(world, &two.spec);
        tn_err_t err = {0};
        assert_int_equal(tn_directory_commit(world->writer, &err), TN_ECONFLICT);
        assert_non_null(strstr(err.detail, taken));
        assert_string_equal(err.field, i == 0 || i == 4 ? "hosts" : "slug");
        assert_unchanged(world, before, size);
    }
    free(before);
    assert_host_owner(world, "www0.t1.example", 1);
    assert_slug_owner(world, "t3", -1);

    /* and it does not stand in the way of the next change */
    numbered_tenant(&two, 2, 1);
    numbered_tenant_t one;
    numbered_tenant(&one, 1, 0);
    two.hosts[0] = numbered_host(text, 1, 0);
    world_begin(world, 2);
    world_put(world, &two.spec);
    world_put(world, &one.spec);
    world_commit(world);
    assert_host_owner(world, "www0.t1.example", 2);
}

static void test_a_removed_tenants_names_are_free_in_the_same_change(void **state)
{
    world_t *world = *state;
    numbered_tenant_t two;
    uint8_t id[16];
    char text[64];
    put_owners(world);
    numbered_id(id, 1);
    numbered_tenant(&two, 2, 1);
    two.hosts[0] = numbered_host(text, 1, 0);
    two.spec.slug = TN_STR("was-t1");
    world_begin(world, 2);
    world_put(world, &two.spec);
    assert_int_equal(tn_directory_remove_tenant(world->writer, id, &world->err), TN_OK);
    world_commit(world);
    assert_host_owner(world, "www0.t1.example", 2);
    assert_slug_owner(world, "was-t1", 2);
    assert_slug_owner(world, "t1", -1);
}

/* What makes a spec one that may not be written; and the code and field that say so. */
typedef struct {
    const char *name;
    int code;
    const char *field;
} refusal_t;

static const refusal_t refusals[] = {
    {"no slug", TN_EINVAL, "slug"},
    {"long slug", TN_ETOOBIG, "slug"},
    {"upper-case slug", TN_EINVAL, "slug"},
    {"NUL in a host", TN_EINVAL, "hosts"},
    {"empty host", TN_EINVAL, "hosts"},
    {"long host", TN_ETOOBIG, "hosts"},
    {"host twice", TN_EINVAL, "hosts"},
    {"former slug twice", TN_EINVAL, "former_slugs"},
    {"no status", TN_EINVAL, "status"},
    {"no such primary host", TN_EINVAL, "primary_host"},
    {"long name", TN_ETOOBIG, "name"},
    {"long plan", TN_ETOOBIG, "plan"},
    {"long upstream", TN_ETOOBIG, "upstream"},
    {"empty flag key", TN_EINVAL, "flags"},
    {"long setting key", TN_ETOOBIG, "settings"},
    {"long setting value", TN_ETOOBIG, "settings"},
    {"space in a setting key", TN_EINVAL, "settings"},
    {"many hosts", TN_ETOOBIG, "hosts"},
    {"many former slugs", TN_ETOOBIG, "former_slugs"},
    {"many flags", TN_ETOOBIG, "flags"},
    {"many settings", TN_ETOOBIG, "settings"},
};

static void spoil(numbered_tenant_t *tenant, const char *how)
{
    static char long_text[TN_TEXT_MAX + 1];
    static tn_str_t former[] = {{"f", 1}, {"f", 1}};
    memset(long_text, 'a', sizeof(long_text));
    tn_tenant_spec_t *spec = &tenant->spec;
    const struct {
        const char *how;
        tn_str_t *text, value;
        size_t *count, number;
    } spoilers[] = {
        {"no slug", &spec->slug, {"", 0}, NULL, 0},
        {"long slug", &spec->slug, {long_text, TN_SLUG_MAX + 1}, NULL, 0},
        {"upper-case slug", &spec->slug, {"Acme", 4}, NULL, 0},
        {"NUL in a host", &tenant->hosts[0], {"a\0b", 3}, NULL, 0},
        {"empty host", &tenant->hosts[0], {"", 0}, NULL, 0},
        {"long host", &tenant->hosts[0], {long_text, TN_HOST_MAX + 1}, NULL, 0},
        {"host twice", &tenant->hosts[0], tenant->hosts[1], NULL, 0},
        {"former slug twice", NULL, {NULL, 0}, &spec->former_slug_count, 2},
        {"no such primary host", NULL, {NULL, 0}, &spec->primary_host, 3},
        {"long name", &spec->name, {long_text, TN_TEXT_MAX + 1}, NULL, 0},
        {"long plan", &spec->plan, {long_text, TN_TEXT_MAX + 1}, NULL, 0},
        {"long upstream", &spec->upstream, {long_text, TN_TEXT_MAX + 1}, NULL, 0},
        {"empty flag key", &tenant->flags[0].key, {"", 0}, &spec->flag_count, 1},
        {"long setting key",
         &tenant->settings[0].key,
         {long_text, TN_KEY_MAX + 1},
         &spec->setting_count,
         1},
        {"long setting value",
         &tenant->settings[1].value,
         {long_text, TN_TEXT_MAX + 1},
         &spec->setting_count,
         2},
        {"space in a setting key", &tenant->settings[1].key, {"a b", 3}, &spec->setting_count, 2},
        {"many hosts", NULL, {NULL, 0}, &spec->host_count, TN_TENANT_HOSTS_MAX + 1},
        {"many flags", NULL, {NULL, 0}, &spec->flag_count, TN_TENANT_FLAGS_MAX + 1},
        {"many settings", NULL, {NULL, 0}, &spec->setting_count, TN_TENANT_SETTINGS_MAX + 1},
    };
    tenant->settings[0] = (struct tn_tenant_spec_setting){TN_STR("k"), TN_STR("v")};
    tenant->settings[1] = (struct tn_tenant_spec_setting){TN_STR("l"), TN_STR("v")};
    spec->former_slugs = former;
    for (size_t i = 0; i < sizeof(spoilers) / sizeof(spoilers[0]); i++) {
        if (strcmp(spoilers[i].how, how) != 0) {
            continue;
        }
        if (spoilers[i].text != NULL) {
            *spoilers[i].text = spoilers[i].value;
        }
        if (spoilers[i].count != NULL) {
            *spoilers[i].count = spoilers[i].number;
        }
    }
    if (strcmp(how, "no status") == 0) {
        spec->status = (tn_tenant_status_t)0;
    }
    if (strcmp(how, "many former slugs") == 0) {
        static char texts[TN_TENANT_FORMER_SLUGS_MAX + 1][8];
        static tn_str_t many[TN_TENANT_FORMER_SLUGS_MAX + 1];
        for (size_t i = 0; i <= TN_TENANT_FORMER_SLUGS_MAX; i++) {
            many[i] = numbered_slug(texts[i], (unsigned)(100 + i));
        }
        spec->former_slugs = many;
        spec->former_slug_count = TN_TENANT_FORMER_SLUGS_MAX + 1;
    }
}

static void test_what_is_not_of_its_form_is_refused_and_so_is_its_change(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 1, 1);
    size_t size;
    uint8_t *before = read_bytes(world->path, &size);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const refusal_t *refusal = &refusals[i];
        numbered_tenant_t good, bad;
        tn_err_t put_err = {0};
        tn_err_t commit_err = {0};
        numbered_tenant(&good, 2, 1);
        numbered_tenant(&bad, 3, 2);
        spoil(&bad, refusal->name);
        world_begin(world, 2);
        world_put(world, &good.spec);
        int code = tn_directory_put_tenant(world->writer, &bad.spec, &put_err);
        /* names that are there twice are found when the change is put together */
        bool is_late = strstr(refusal->name, "twice") != NULL;
        if (code != (is_late ? TN_OK : refusal->code)) {
            fail_msg("%s: %s", refusal->name, tn_error_text(code));
        }
        assert_true(is_late || strcmp(put_err.field, refusal->field) == 0);
        assert_int_equal(tn_directory_commit(world->writer, &commit_err), refusal->code);
        assert_string_equal(commit_err.field, refusal->field);
        assert_true(is_late || strcmp(commit_err.detail, put_err.detail) == 0);
        assert_unchanged(world, before, size);
    }
    free(before);
    assert_slug_owner(world, "t2", -1);
}

static void test_the_platform_and_flags_have_limits_too(void **state)
{
    world_t *world = *state;
    tn_platform_t platform = {.base_domain_count = TN_BASE_DOMAINS_MAX + 1};
    char key[TN_KEY_MAX + 2];
    memset(key, 'k', sizeof(key));
    world_begin(world, 1);
    assert_int_equal(tn_directory_put_platform(world->writer, &platform, &world->err), TN_ETOOBIG);
    assert_string_equal(world->err.field, "base_domains");
    platform = (tn_platform_t){.key_count = TN_PUBLIC_KEYS_MAX + 1};
    assert_int_equal(tn_directory_put_platform(world->writer, &platform, &world->err), TN_ETOOBIG);
    assert_string_equal(world->err.field, "keys");
    platform = (tn_platform_t){.key_count = 1}; /* a key without an id */
    assert_int_equal(tn_directory_put_platform(world->writer, &platform, &world->err), TN_EINVAL);
    platform = (tn_platform_t){.base_domain_count = 1, .base_domains = {TN_STR("Example.com")}};
    assert_int_equal(tn_directory_put_platform(world->writer, &platform, &world->err), TN_EINVAL);
    assert_int_equal(
        tn_directory_put_flag(world->writer, (tn_str_t){key, sizeof(key)}, true, &world->err),
        TN_ETOOBIG);
    assert_int_equal(tn_directory_remove_flag(world->writer, (tn_str_t){key, 0}, &world->err),
                     TN_EINVAL);
    /* the first of them is what the commit reports */
    assert_int_equal(tn_directory_commit(world->writer, &world->err), TN_ETOOBIG);
    assert_string_equal(world->err.field, "base_domains");
}

static void test_generations_rise_and_changes_are_begun_once(void **state)
{
    world_t *world = *state;
    numbered_tenant_t one;
    numbered_tenant(&one, 1, 0);
    tn_directory_writer_t *writer = world->writer;
    assert_int_equal(tn_directory_put_tenant(writer, &one.spec, NULL), TN_EINVAL);
    assert_int_equal(tn_directory_commit(writer, NULL), TN_EINVAL);
    tn_directory_abort(writer); /* of nothing: nothing */
    assert_int_equal(tn_directory_begin(writer, 0, NULL), TN_EINVAL);
    assert_int_equal(tn_directory_begin(writer, TN_GENERATION_MAX + 1, NULL), TN_EINVAL);
    world_begin(world, 10);
    assert_int_equal(tn_directory_begin(writer, 11, NULL), TN_EINVAL);
    world_put(world, &one.spec);
    world_commit(world);
    assert_int_equal(tn_directory_begin(writer, 10, NULL), TN_EINVAL);
    assert_int_equal(tn_directory_begin(writer, 9, NULL), TN_EINVAL);
    world_begin(world, TN_GENERATION_MAX);
    world_commit(world); /* a change of nothing moves the generation all the same */
    tn_directory_info_t info;
    tn_directory_info(&info, world_look(world));
    assert_int_equal(info.generation, TN_GENERATION_MAX);
    assert_slug_owner(world, "t1", 1);
}

static void test_an_aborted_change_leaves_nothing(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 1, 1);
    size_t size;
    uint8_t *before = read_bytes(world->path, &size);
    numbered_tenant_t one, two;
    numbered_tenant(&one, 1, 0);
    numbered_tenant(&two, 2, 2);
    world_begin(world, 2);
    world_put(world, &one.spec);
    world_put(world, &two.spec);
    tn_directory_abort(world->writer);
    assert_unchanged(world, before, size);
    free(before);
    world_begin(world, 2);
    world_commit(world);
    assert_host_owner(world, "www0.t1.example", 1);
    assert_slug_owner(world, "t2", -1);
}

/* ---- the largest there may be ------------------------------------------------------------------
 */

typedef struct {
    tn_tenant_spec_t spec;
    char hosts[TN_TENANT_HOSTS_MAX][TN_HOST_MAX + 1];
    char slugs[TN_TENANT_FORMER_SLUGS_MAX][TN_SLUG_MAX + 1];
    char flag_keys[TN_TENANT_FLAGS_MAX][TN_KEY_MAX + 1];
    char setting_keys[TN_TENANT_SETTINGS_MAX][TN_KEY_MAX + 1];
    char text[TN_TEXT_MAX];
    tn_str_t host_refs[TN_TENANT_HOSTS_MAX];
    tn_str_t slug_refs[TN_TENANT_FORMER_SLUGS_MAX];
    struct tn_tenant_spec_flag flags[TN_TENANT_FLAGS_MAX];
    struct tn_tenant_spec_setting settings[TN_TENANT_SETTINGS_MAX];
} giant_t;

/* A name of exactly `length` bytes that is another for every number. */
static tn_str_t stretch(char *text, unsigned number, size_t length)
{
    memset(text, 'x', length);
    char digits[16];
    int count = snprintf(digits, sizeof(digits), "%u", number);
    memcpy(text + length - (size_t)count, digits, (size_t)count);
    text[0] = 'n';
    return (tn_str_t){text, length};
}

static giant_t *make_giant(void)
{
    giant_t *giant = calloc(1, sizeof(*giant));
    assert_non_null(giant);
    memset(giant->text, 't', sizeof(giant->text));
    tn_str_t text = {giant->text, sizeof(giant->text)};
    giant->spec = (tn_tenant_spec_t){
        .slug = TN_STR("giant"),
        .name = text,
        .plan = text,
        .upstream = text,
        .status = TN_STATUS_ACTIVE,
        .hosts = giant->host_refs,
        .host_count = TN_TENANT_HOSTS_MAX,
        .primary_host = TN_TENANT_HOSTS_MAX - 1,
        .former_slugs = giant->slug_refs,
        .former_slug_count = TN_TENANT_FORMER_SLUGS_MAX,
        .flags = giant->flags,
        .flag_count = TN_TENANT_FLAGS_MAX,
        .settings = giant->settings,
        .setting_count = TN_TENANT_SETTINGS_MAX,
    };
    numbered_id(giant->spec.id, 1);
    for (unsigned i = 0; i < TN_TENANT_HOSTS_MAX; i++) {
        giant->host_refs[i] = stretch(giant->hosts[i], i, TN_HOST_MAX);
    }
    for (unsigned i = 0; i < TN_TENANT_FORMER_SLUGS_MAX; i++) {
        giant->slug_refs[i] = stretch(giant->slugs[i], i, TN_SLUG_MAX);
    }
    for (unsigned i = 0; i < TN_TENANT_FLAGS_MAX; i++) {
        giant->flags[i].key = stretch(giant->flag_keys[i], i, TN_KEY_MAX);
        giant->flags[i].is_on = i % 3 == 0;
    }
    for (unsigned i = 0; i < TN_TENANT_SETTINGS_MAX; i++) {
        giant->settings[i].key = stretch(giant->setting_keys[i], i, TN_KEY_MAX);
        giant->settings[i].value = text;
    }
    return giant;
}

static void test_the_largest_tenant_is_held_whole(void **state)
{
    world_t *world = *state;
    giant_t *giant = make_giant();
    tn_tenant_t tenant;
    tn_str_t text, value;
    bool is_set;
    world_begin(world, 1);
    world_put(world, &giant->spec);
    world_commit(world);
    const tn_directory_t *directory = world_look(world);
    for (size_t i = 0; i < TN_TENANT_HOSTS_MAX; i++) {
        assert_int_equal(tn_directory_by_host(&tenant, directory, giant->host_refs[i]), TN_OK);
    }
    for (size_t i = 0; i < TN_TENANT_FORMER_SLUGS_MAX; i++) {
        assert_int_equal(tn_directory_by_slug(&tenant, directory, giant->slug_refs[i]), TN_OK);
    }
    for (size_t i = 0; i < TN_TENANT_HOSTS_MAX; i++) {
        assert_true(tn_tenant_host_at(&text, &is_set, &tenant, i));
        assert_true(tn_str_equal(text, giant->host_refs[i]));
        assert_int_equal(is_set, i == TN_TENANT_HOSTS_MAX - 1);
    }
    assert_true(tn_str_equal(tenant.primary_host, giant->host_refs[TN_TENANT_HOSTS_MAX - 1]));
    for (size_t i = 0; i < TN_TENANT_FLAGS_MAX; i++) {
        assert_true(tn_tenant_flag_at(&text, &is_set, &tenant, i));
        assert_true(tn_str_equal(text, giant->flags[i].key));
        assert_int_equal(is_set, giant->flags[i].is_on);
    }
    for (size_t i = 0; i < TN_TENANT_SETTINGS_MAX; i++) {
        assert_true(tn_tenant_setting_at(&text, &value, &tenant, i));
        assert_true(tn_str_equal(text, giant->settings[i].key));
        assert_int_equal(value.length, TN_TEXT_MAX);
    }
    assert_true(tn_str_equal(tenant.upstream, giant->spec.upstream));

    /* and it can be taken down again */
    giant->spec.host_count = 1;
    giant->spec.primary_host = 1;
    world_begin(world, 2);
    world_put(world, &giant->spec);
    world_commit(world);
    directory = world_look(world);
    assert_int_equal(tn_directory_by_host(&tenant, directory, giant->host_refs[0]), TN_OK);
    assert_int_equal(tenant.primary_host.length, 0);
    for (size_t i = 1; i < TN_TENANT_HOSTS_MAX; i++) {
        assert_int_equal(tn_directory_by_host(&tenant, directory, giant->host_refs[i]),
                         TN_ENOTFOUND);
    }
    free(giant);
}

/* ---- keys that look alike ----------------------------------------------------------------------
 */

/*
 * Two hosts whose slots cannot be told apart: the same tag, and the second's slot on the first's
 * way. Of the 20 bits of the tag and the place in the table, only the seed decides: so they are
 * searched.
 */
static void find_twins(tn_str_t twins[2], char texts[2][64], const uint8_t seed[16],
                       uint64_t slot_count)
{
    enum { NAMES = 200000 };
    uint64_t *first_hash = calloc(1 << 20, sizeof(*first_hash));
    unsigned *first_name = calloc(1 << 20, sizeof(*first_name));
    assert_non_null(first_hash);
    assert_non_null(first_name);
    bool is_found = false;
    for (unsigned i = 1; i < NAMES && !is_found; i++) {
        char text[64];
        tn_str_t host = numbered_host(text, i, 0);
        uint64_t hash = tn_key_hash(seed, TN_KEY_HOST, host.data, host.length);
        uint64_t tag = tn_hash_tag(hash);
        if (first_name[tag] != 0 &&
            tn_hash_index(hash, slot_count) == tn_hash_index(first_hash[tag], slot_count)) {
            twins[0] = numbered_host(texts[0], first_name[tag], 0);
            twins[1] = numbered_host(texts[1], i, 0);
            is_found = true;
        }
        first_name[tag] = i;
        first_hash[tag] = hash;
    }
    free(first_hash);
    free(first_name);
    assert_true(
        is_found); /* 200,000 names make some 19,000 pairs of a tag, a 256th of them in line */
}

static void test_keys_that_share_tag_and_place_are_kept_apart(void **state)
{
    world_t *world = *state;
    size_t size;
    uint8_t *bytes = read_bytes(world->path, &size);
    tn_str_t twins[2];
    char texts[2][64];
    find_twins(twins, texts, bytes + TN_HEADER_SEED, tn_load_u64(bytes + TN_HEADER_SLOT_COUNT));
    free(bytes);
    uint64_t generation = 1;
    for (int round = 0; round < 8; round++) {
        numbered_tenant_t one, two;
        /* both at one tenant, one of them gone, one at each, exchanged */
        const int owners[8][2] = {{1, 1}, {1, -1}, {1, 1}, {-1, 1}, {2, 1}, {1, 2}, {2, 2}, {1, 1}};
        numbered_tenant(&one, 1, 0);
        numbered_tenant(&two, 2, 0);
        for (int i = 0; i < 2; i++) {
            if (owners[round][i] == 1) {
                one.hosts[one.spec.host_count++] = twins[i];
            } else if (owners[round][i] == 2) {
                two.hosts[two.spec.host_count++] = twins[i];
            }
        }
        one.spec.primary_host = one.spec.host_count;
        two.spec.primary_host = two.spec.host_count;
        world_begin(world, generation++);
        world_put(world, &one.spec);
        world_put(world, &two.spec);
        world_commit(world);
        assert_host_owner(world, texts[0], owners[round][0]);
        assert_host_owner(world, texts[1], owners[round][1]);
    }
}

static const struct CMUnitTest tests[] = {
    UNIT(test_everything_that_is_put_is_found),
    UNIT(test_a_host_moves_between_tenants_in_one_change),
    UNIT(test_two_tenants_swap_hosts_and_slugs),
    UNIT(test_a_renamed_slug_keeps_the_former_ones),
    UNIT(test_a_removed_tenant_is_gone_and_may_come_back),
    UNIT(test_removing_what_is_not_there_is_no_error),
    UNIT(test_the_last_word_on_an_entry_counts),
    UNIT(test_flags_have_defaults_and_tenants_their_own_values),
    UNIT(test_the_platform_says_which_base_a_host_lies_under),
    UNIT(test_what_belongs_to_another_is_refused_and_nothing_changes),
    UNIT(test_a_removed_tenants_names_are_free_in_the_same_change),
    UNIT(test_what_is_not_of_its_form_is_refused_and_so_is_its_change),
    UNIT(test_the_platform_and_flags_have_limits_too),
    UNIT(test_generations_rise_and_changes_are_begun_once),
    UNIT(test_an_aborted_change_leaves_nothing),
    UNIT(test_the_largest_tenant_is_held_whole),
    UNIT(test_keys_that_share_tag_and_place_are_kept_apart),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
