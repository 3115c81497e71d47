/*
 * Unit tests of growth and compaction: the directory grows by itself under a reader that follows,
 * does not grow under changes that cancel out, and the next writer goes on where the last one
 * stopped.
 */
#include "base/str.h"
#include "core/directory_format.h"
#include "tenants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

/* All keys of the tenants first to last are theirs, in the state that put_numbered gave them. */
static void assert_all(const tn_directory_t *directory, unsigned first, unsigned last,
                       unsigned host_count)
{
    for (unsigned number = first; number <= last; number++) {
        tn_tenant_t tenant;
        char text[64];
        uint8_t id[16];
        numbered_id(id, number);
        assert_int_equal(tn_directory_by_id(&tenant, directory, id), TN_OK);
        assert_int_equal(numbered_number(tenant.id), number);
        assert_int_equal(tn_directory_by_slug(&tenant, directory, numbered_slug(text, number)),
                         TN_OK);
        assert_int_equal(numbered_number(tenant.id), number);
        for (unsigned i = 0; i < host_count; i++) {
            assert_int_equal(
                tn_directory_by_host(&tenant, directory, numbered_host(text, number, i)), TN_OK);
            assert_int_equal(numbered_number(tenant.id), number);
        }
    }
}

static void test_it_grows_under_twenty_thousand_tenants_and_a_reader(void **state)
{
    world_t *world = *state;
    enum { TENANTS = 20000, STEP = 500 };
    unsigned moves = 0;
    uint64_t size_before = 0;
    for (unsigned done = 0; done < TENANTS; done += STEP) {
        put_numbered(world->writer, 1 + done / STEP, 1 + done, STEP, 2);
        tn_directory_info_t info;
        /* the same moment: only a file that says it moved is followed */
        tn_directory_refresh(world->reader, 1000);
        tn_directory_info(&info, world->reader);
        assert_int_equal(info.generation, 1 + done / STEP);
        assert_int_equal(info.tenants, done + STEP);
        assert_int_equal(info.domains, 2 * (done + STEP));
        moves += info.size_bytes != size_before ? 1 : 0;
        size_before = info.size_bytes;
        assert_all(world->reader, 1 + done, done + STEP, 2);
        assert_all(world->reader, 1, 50, 2);
    }
    assert_in_range(moves, 5, TENANTS / STEP);
    assert_all(world->reader, 1, TENANTS, 2);
    assert_int_equal(tn_directory_verify(world->reader, &world->err), TN_OK);
    assert_host_owner(world, "www0.t20001.example", -1);
}

static void test_a_reader_that_does_not_follow_keeps_what_it_has(void **state)
{
    world_t *world = *state;
    put_numbered(world->writer, 1, 1, 50, 2);
    assert_all(world_look(world), 1, 50, 2);
    put_numbered(world->writer, 2, 51, 5000, 2);
    /* it reads a file that has no name any more */
    assert_all(world->reader, 1, 50, 2);
    tn_directory_info_t info;
    tn_directory_info(&info, world->reader);
    assert_int_equal(info.generation, 1);
    assert_int_equal(tn_directory_verify(world->reader, &world->err), TN_OK);
    assert_all(world_look(world), 1, 5050, 2);
}

static void test_one_tenant_that_changes_for_ever_takes_bounded_room(void **state)
{
    world_t *world = *state;
    enum { CHANGES = 5000 };
    put_numbered(world->writer, 1, 1, 20, 2);
    for (unsigned i = 0; i < CHANGES; i++) {
        numbered_tenant_t tenant;
        numbered_tenant(&tenant, 1 + i % 3, 2);
        tenant.spec.status = i % 2 == 0 ? TN_STATUS_SUSPENDED : TN_STATUS_ACTIVE;
        world_begin(world, 2 + i);
        world_put(world, &tenant.spec);
        assert_int_equal(tn_directory_commit(world->writer, &world->err), TN_OK);
    }
    tn_directory_info_t info;
    tn_directory_info(&info, world_look(world));
    assert_in_range(info.size_bytes, 1, 128 * 1024);
    assert_int_equal(info.generation, CHANGES + 1);
    assert_all(world->reader, 1, 20, 2);
    assert_int_equal(tn_directory_verify(world->reader, &world->err), TN_OK);
}

static void test_names_that_come_and_go_take_bounded_room(void **state)
{
    world_t *world = *state;
    enum { CHANGES = 5000 };
    for (unsigned i = 0; i < CHANGES; i++) {
        /* tenant i comes, tenant i - 10 goes; no name ever comes back */
        numbered_tenant_t tenant;
        numbered_tenant(&tenant, i + 100, 2);
        world_begin(world, 1 + i);
        world_put(world, &tenant.spec);
        if (i >= 10) {
            uint8_t id[16];
            numbered_id(id, i + 90);
            assert_int_equal(tn_directory_remove_tenant(world->writer, id, &world->err), TN_OK);
        }
        assert_int_equal(tn_directory_commit(world->writer, &world->err), TN_OK);
    }
    tn_directory_info_t info;
    tn_directory_info(&info, world_look(world));
    assert_int_equal(info.tenants, 10);
    assert_int_equal(info.domains, 20);
    assert_in_range(info.size_bytes, 1, 128 * 1024);
    assert_all(world->reader, CHANGES + 90, CHANGES + 99, 2);
    assert_host_owner(world, "www0.t100.example", -1);
    assert_int_equal(tn_directory_verify(world->reader, &world->err), TN_OK);
}

static void test_the_next_writer_goes_on(void **state)
{
    world_t *world = *state;
    tn_platform_t platform = {.base_domains = {TN_STR("localhost")}, .base_domain_count = 1};
    world_begin(world, 1);
    assert_int_equal(tn_directory_put_platform(world->writer, &platform, &world->err), TN_OK);
    assert_int_equal(tn_directory_put_flag(world->writer, TN_STR("f"), true, &world->err), TN_OK);
    world_commit(world);
    for (unsigned i = 0; i < 20; i++) {
        put_numbered(world->writer, 2 + i, 1 + 30 * i, 30, 1);
        world_reopen(world);
        tn_directory_info_t info;
        tn_directory_info(&info, tn_directory_writer_view(world->writer));
        assert_int_equal(info.generation, 2 + i);
        assert_int_equal(info.tenants, 30 * (i + 1));
        assert_int_equal(info.flags, 1);
        assert_all(tn_directory_writer_view(world->writer), 1, 30 * (i + 1), 1);
    }
    size_t base, label;
    bool is_on;
    assert_int_equal(
        tn_directory_split_host(&base, &label, world_look(world), TN_STR("a.localhost")), TN_OK);
    assert_int_equal(tn_directory_flag(&is_on, world->reader, TN_STR("f")), TN_OK);
    assert_true(is_on);
}

/* Bytes of the file that are not tenants' own text, for each of them. */
static double overhead(world_t *world, unsigned tenants, unsigned host_count)
{
    numbered_tenant_t tenant;
    char text[64];
    double own = 0;
    for (unsigned number = 1; number <= tenants; number++) {
        numbered_tenant(&tenant, number, host_count);
        own += (double)(tenant.spec.slug.length + tenant.spec.name.length +
                        tenant.spec.plan.length + tenant.spec.upstream.length);
        for (unsigned i = 0; i < host_count; i++) {
            own += (double)numbered_host(text, number, i).length;
        }
    }
    tn_directory_info_t info;
    tn_directory_info(&info, world_look(world));
    return ((double)info.size_bytes - own) / tenants;
}

static void test_a_tenant_costs_at_most_150_bytes_beyond_its_text(void **state)
{
    world_t *world = *state;
    enum { TENANTS = 50000 };
    for (unsigned host_count = 1; host_count <= 2; host_count++) {
        tn_directory_writer_t *writer;
        assert_int_equal(tn_directory_writer_create(&writer, world->path, world_database_id,
                                                    TENANTS, &world->err),
                         TN_OK);
        put_numbered(writer, 1, 1, TENANTS, host_count);
        assert_int_equal(tn_directory_writer_install(writer, world->writer, &world->err), TN_OK);
        tn_directory_writer_close(world->writer);
        world->writer = writer;
        double bytes = overhead(world, TENANTS, host_count);
        if (bytes > 150) {
            fail_msg("%u hosts: %.1f bytes", host_count, bytes);
        }
    }
}

static const struct CMUnitTest tests[] = {
    UNIT(test_it_grows_under_twenty_thousand_tenants_and_a_reader),
    UNIT(test_a_reader_that_does_not_follow_keeps_what_it_has),
    UNIT(test_one_tenant_that_changes_for_ever_takes_bounded_room),
    UNIT(test_names_that_come_and_go_take_bounded_room),
    UNIT(test_the_next_writer_goes_on),
    UNIT(test_a_tenant_costs_at_most_150_bytes_beyond_its_text),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
