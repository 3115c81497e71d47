/*
 * Thousands of random changes, good ones and conflicting ones, against a model that is too simple
 * to be wrong: an array that says who has which name. After each the directory and the model agree
 * on every name there is. The seed is printed, and one that is given as argument runs again.
 */
#include "base/random.h"
#include "base/str.h"
#include "tenants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    CHANGES = 3000,
    TENANTS = 24, /* few, so that names meet often */
    HOSTS = 60,
    SLUGS = 40,
    FLAGS = 5,
    ITEMS_MAX = 5,
    HOSTS_A_TENANT = 6,
    FORMER_A_TENANT = 2,
    NOBODY = -1,
};

/* What the directory should say. */
typedef struct {
    bool is_there[TENANTS];
    int slug[TENANTS];
    int host_owner[HOSTS];
    int slug_owner[SLUGS]; /* of present and former ones */
    int flag[FLAGS];       /* NOBODY: not defined; else its default */
    unsigned stamp[TENANTS];
} model_t;

static uint64_t random_state;
static uint64_t seed_given;

static unsigned draw(unsigned below)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ z >> 31) % below);
}

/* What a change says of one tenant. */
typedef struct {
    int tenant;
    bool is_removal;
    int slug, former[FORMER_A_TENANT], hosts[HOSTS_A_TENANT];
    int former_count, host_count;
    unsigned stamp;
} item_t;

static bool has(const int *values, int count, int value)
{
    for (int i = 0; i < count; i++) {
        if (values[i] == value) {
            return true;
        }
    }
    return false;
}

/* Mostly names that are free or the tenant's own, so that most changes are good. */
static bool may_have(const int *owners, int name, int tenant)
{
    return owners[name] == NOBODY || owners[name] == tenant || draw(40) == 0;
}

static void draw_item(item_t *item, const model_t *model)
{
    memset(item, 0, sizeof(*item));
    item->tenant = (int)draw(TENANTS);
    item->is_removal = draw(6) == 0;
    item->stamp = draw(1000000);
    int tries = 0;
    do {
        item->slug = (int)draw(SLUGS);
    } while (!may_have(model->slug_owner, item->slug, item->tenant) && ++tries < 200);
    for (unsigned i = draw(HOSTS_A_TENANT + 1); i > 0; i--) {
        int host = (int)draw(HOSTS);
        if (may_have(model->host_owner, host, item->tenant) &&
            !has(item->hosts, item->host_count, host)) {
            item->hosts[item->host_count++] = host;
        }
    }
    for (unsigned i = draw(FORMER_A_TENANT + 1); i > 0; i--) {
        int slug = (int)draw(SLUGS);
        if (may_have(model->slug_owner, slug, item->tenant) &&
            !has(item->former, item->former_count, slug)) {
            item->former[item->former_count++] = slug;
        }
    }
}

/* Takes all names from those that the change is about, then gives out the new ones. False: one is
 * given twice. */
static bool apply(model_t *model, const item_t *items, int count)
{
    bool is_good = true;
    bool is_meant[TENANTS] = {false};
    for (int i = 0; i < count; i++) {
        is_meant[items[i].tenant] = true;
        model->is_there[items[i].tenant] = false;
    }
    for (int i = 0; i < HOSTS; i++) {
        bool is_taken = model->host_owner[i] != NOBODY && is_meant[model->host_owner[i]];
        model->host_owner[i] = is_taken ? NOBODY : model->host_owner[i];
    }
    for (int i = 0; i < SLUGS; i++) {
        bool is_taken = model->slug_owner[i] != NOBODY && is_meant[model->slug_owner[i]];
        model->slug_owner[i] = is_taken ? NOBODY : model->slug_owner[i];
    }
    for (int i = count - 1; i >= 0; i--) {
        const item_t *item = &items[i];
        if (!is_meant[item->tenant]) {
            continue; /* a later one counts */
        }
        is_meant[item->tenant] = false;
        if (item->is_removal) {
            continue;
        }
        model->is_there[item->tenant] = true;
        model->slug[item->tenant] = item->slug;
        model->stamp[item->tenant] = item->stamp;
        for (int k = 0; k < item->host_count; k++) {
            is_good &= model->host_owner[item->hosts[k]] == NOBODY;
            model->host_owner[item->hosts[k]] = item->tenant;
        }
        for (int k = -1; k < item->former_count; k++) {
            int slug = k < 0 ? item->slug : item->former[k];
            int owner = model->slug_owner[slug];
            is_good &= owner == NOBODY || owner == item->tenant;
            model->slug_owner[slug] = item->tenant;
        }
    }
    return is_good;
}

static tn_str_t host_name(char text[64], int host)
{
    int length = snprintf(text, 64, "h%d.example", host);
    return (tn_str_t){text, (size_t)length};
}

static tn_str_t slug_name(char text[64], int slug)
{
    int length = snprintf(text, 64, "slug-%d", slug);
    return (tn_str_t){text, (size_t)length};
}

static tn_str_t flag_name(char text[64], int flag)
{
    int length = snprintf(text, 64, "flag-%d", flag);
    return (tn_str_t){text, (size_t)length};
}

static void put(world_t *world, const item_t *item)
{
    numbered_tenant_t tenant;
    char slug[64], stamp[32];
    char hosts[HOSTS_A_TENANT][64], former_texts[FORMER_A_TENANT][64];
    tn_str_t former[FORMER_A_TENANT];
    numbered_tenant(&tenant, (unsigned)item->tenant, 0);
    if (item->is_removal) {
        assert_int_equal(tn_directory_remove_tenant(world->writer, tenant.spec.id, &world->err),
                         TN_OK);
        return;
    }
    tenant.spec.slug = slug_name(slug, item->slug);
    for (int i = 0; i < item->host_count; i++) {
        tenant.hosts[i] = host_name(hosts[i], item->hosts[i]);
    }
    tenant.spec.host_count = (size_t)item->host_count;
    tenant.spec.primary_host = tenant.spec.host_count;
    for (int i = 0; i < item->former_count; i++) {
        former[i] = slug_name(former_texts[i], item->former[i]);
    }
    tenant.spec.former_slugs = former;
    tenant.spec.former_slug_count = (size_t)item->former_count;
    int length = snprintf(stamp, sizeof(stamp), "%u", item->stamp);
    tenant.spec.plan = (tn_str_t){stamp, (size_t)length};
    world_put(world, &tenant.spec);
}

static void assert_names(const model_t *model, const tn_directory_t *directory)
{
    char text[64];
    tn_tenant_t tenant;
    for (int i = 0; i < HOSTS; i++) {
        int owner = model->host_owner[i];
        int code = tn_directory_by_host(&tenant, directory, host_name(text, i));
        assert_int_equal(code, owner == NOBODY ? TN_ENOTFOUND : TN_OK);
        assert_true(owner == NOBODY || numbered_number(tenant.id) == (unsigned)owner);
    }
    for (int i = 0; i < SLUGS; i++) {
        int owner = model->slug_owner[i];
        int code = tn_directory_by_slug(&tenant, directory, slug_name(text, i));
        assert_int_equal(code, owner == NOBODY ? TN_ENOTFOUND : TN_OK);
        assert_true(owner == NOBODY || numbered_number(tenant.id) == (unsigned)owner);
    }
}

static void assert_agrees(const model_t *model, const tn_directory_t *directory)
{
    char text[64], stamp[32];
    unsigned tenants = 0, domains = 0, flags = 0;
    for (int i = 0; i < TENANTS; i++) {
        tn_tenant_t tenant;
        uint8_t id[16];
        numbered_id(id, (unsigned)i);
        int code = tn_directory_by_id(&tenant, directory, id);
        assert_int_equal(code, model->is_there[i] ? TN_OK : TN_ENOTFOUND);
        if (code == TN_OK) {
            (void)snprintf(stamp, sizeof(stamp), "%u", model->stamp[i]);
            assert_text(tenant.plan, stamp);
            assert_text(tenant.slug, slug_name(text, model->slug[i]).data);
            tenants++;
        }
    }
    for (int i = 0; i < HOSTS; i++) {
        domains += model->host_owner[i] != NOBODY ? 1 : 0;
    }
    for (int i = 0; i < FLAGS; i++) {
        bool is_on;
        int code = tn_directory_flag(&is_on, directory, flag_name(text, i));
        assert_int_equal(code, model->flag[i] == NOBODY ? TN_ENOTFOUND : TN_OK);
        assert_true(code != TN_OK || is_on == (model->flag[i] == 1));
        flags += code == TN_OK ? 1 : 0;
    }
    assert_names(model, directory);
    tn_directory_info_t info;
    tn_directory_info(&info, directory);
    assert_int_equal(info.tenants, tenants);
    assert_int_equal(info.domains, domains);
    assert_int_equal(info.flags, flags);
}

static void change_flag(world_t *world, model_t *model)
{
    char text[64];
    int flag = (int)draw(FLAGS);
    int value = (int)draw(3) - 1;
    tn_str_t name = flag_name(text, flag);
    int code = value == NOBODY
                   ? tn_directory_remove_flag(world->writer, name, &world->err)
                   : tn_directory_put_flag(world->writer, name, value == 1, &world->err);
    assert_int_equal(code, TN_OK);
    model->flag[flag] = value;
}

static void test_random_changes_agree_with_a_model(void **state)
{
    world_t *world = *state;
    model_t model = {0};
    unsigned good = 0, refused = 0;
    memset(model.host_owner, 0xff, sizeof(model.host_owner));
    memset(model.slug_owner, 0xff, sizeof(model.slug_owner));
    memset(model.flag, 0xff, sizeof(model.flag));
    random_state = seed_given;
    if (seed_given == 0) {
        tn_random_bytes(&random_state, sizeof(random_state));
    }
    print_message("seed %llu\n", (unsigned long long)random_state);
    for (unsigned i = 0; i < CHANGES; i++) {
        item_t items[ITEMS_MAX];
        model_t next = model;
        int count = (int)draw(ITEMS_MAX + 1);
        world_begin(world, good + refused + 1);
        for (int k = 0; k < count; k++) {
            draw_item(&items[k], &model);
            put(world, &items[k]);
        }
        change_flag(world, &next);
        bool is_good = apply(&next, items, count);
        int code = tn_directory_commit(world->writer, &world->err);
        assert_int_equal(code, is_good ? TN_OK : TN_ECONFLICT);
        good += is_good ? 1 : 0;
        refused += is_good ? 0 : 1;
        model = is_good ? next : model;
        tn_directory_refresh(world->reader, 1000);
        assert_agrees(&model, world->reader);
        if (i % 100 == 99) {
            world_reopen(world);
            assert_agrees(&model, tn_directory_writer_view(world->writer));
        }
        if (i % 10 == 0) {
            assert_int_equal(tn_directory_verify(world->reader, &world->err), TN_OK);
        }
    }
    assert_true(good > CHANGES / 4);
    assert_true(refused > CHANGES / 20);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_random_changes_agree_with_a_model, world_set_up,
                                    world_tear_down),
};

int main(int argc, char **argv)
{
    seed_given = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
