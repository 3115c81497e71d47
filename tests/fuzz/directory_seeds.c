/*
 * Makes the seeds of the directory's fuzz target with the real writer: run it over
 * tests/fuzz/seeds/directory when the format changes. Each seed is the byte that says what the
 * target repairs, and a directory without the unused end of its arena.
 */
#include "base/str.h"
#include "core/directory_format.h"
#include "core/directory_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static tn_err_t err;

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "directory_seeds: %s: %s\n", what, err.detail);
        exit(1);
    }
}

static void put_acme(tn_directory_writer_t *writer, uint64_t generation, bool has_moved)
{
    static const tn_str_t hosts[] = {{"acme.com", 8}, {"www.acme.com", 12}};
    static const tn_str_t former[] = {{"acme-old", 8}};
    static const struct tn_tenant_spec_flag flags[] = {{{"beta", 4}, true}};
    static const struct tn_tenant_spec_setting settings[] = {{{"color", 5}, {"blue", 4}}};
    tn_tenant_spec_t acme = {
        .id = {1},
        .slug = TN_STR("acme"),
        .name = TN_STR("Acme"),
        .plan = TN_STR("pro"),
        .upstream = TN_STR("http://127.0.0.1:9000"),
        .status = TN_STATUS_ACTIVE,
        .is_listed = true,
        .hosts = hosts,
        .host_count = has_moved ? 1 : 2,
        .former_slugs = former,
        .former_slug_count = 1,
        .flags = flags,
        .flag_count = 1,
        .settings = settings,
        .setting_count = 1,
    };
    tn_tenant_spec_t b = {
        .id = {2},
        .slug = TN_STR("b"),
        .status = TN_STATUS_SUSPENDED,
        .hosts = hosts + 1,
        .host_count = has_moved ? 1 : 0,
        .primary_host = has_moved ? 1 : 0,
    };
    must(tn_directory_begin(writer, generation, &err) == TN_OK, "begin");
    must(tn_directory_put_tenant(writer, &acme, &err) == TN_OK, "put");
    must(tn_directory_put_tenant(writer, &b, &err) == TN_OK, "put");
    must(tn_directory_put_flag(writer, TN_STR("beta"), has_moved, &err) == TN_OK, "put");
    must(tn_directory_commit(writer, &err) == TN_OK, "commit");
}

static void put_platform(tn_directory_writer_t *writer, uint64_t generation)
{
    tn_platform_t platform = {
        .base_domains = {TN_STR("localhost"), TN_STR("example.com")},
        .base_domain_count = 2,
        .keys = {{.id = "key-1", .key = {7}}},
        .key_count = 1,
        .options_hash = 42,
    };
    must(tn_directory_begin(writer, generation, &err) == TN_OK, "begin");
    must(tn_directory_put_platform(writer, &platform, &err) == TN_OK, "put");
    must(tn_directory_commit(writer, &err) == TN_OK, "commit");
}

/* One whose hosts' text is in blocks. */
static void put_many_hosts(tn_directory_writer_t *writer, uint64_t generation)
{
    enum { HOSTS = 100 };
    static char texts[HOSTS][64];
    static tn_str_t hosts[HOSTS];
    for (int i = 0; i < HOSTS; i++) {
        int length = snprintf(texts[i], sizeof(texts[i]), "host-number-%d.of.many.example", i);
        hosts[i] = (tn_str_t){texts[i], (size_t)length};
    }
    tn_tenant_spec_t many = {
        .id = {3},
        .slug = TN_STR("many"),
        .status = TN_STATUS_ACTIVE,
        .hosts = hosts,
        .host_count = HOSTS,
        .primary_host = HOSTS - 1,
    };
    must(tn_directory_begin(writer, generation, &err) == TN_OK, "begin");
    must(tn_directory_put_tenant(writer, &many, &err) == TN_OK, "put");
    must(tn_directory_commit(writer, &err) == TN_OK, "commit");
}

static void remove_all(tn_directory_writer_t *writer, uint64_t generation)
{
    must(tn_directory_begin(writer, generation, &err) == TN_OK, "begin");
    must(tn_directory_remove_tenant(writer, (const uint8_t[16]){2}, &err) == TN_OK, "remove");
    must(tn_directory_remove_flag(writer, TN_STR("beta"), &err) == TN_OK, "remove");
    must(tn_directory_commit(writer, &err) == TN_OK, "commit");
}

/* Writes what the directory is now, cut behind its last record, as the seed `name`. */
static void save(const char *folder, const char *name, const char *path, unsigned repair)
{
    static uint8_t bytes[1024 * 1024];
    char seed[4096];
    FILE *from = fopen(path, "rbe");
    must(from != NULL, "the directory cannot be read");
    size_t size = fread(bytes, 1, sizeof(bytes), from);
    (void)fclose(from); /* only read from */
    uint64_t end;
    must(size > TN_FORMAT_HEADER_SIZE && tn_word_load(&end, bytes + TN_WORD_ARENA_END),
         "the directory is none");
    (void)snprintf(seed, sizeof(seed), "%s/%s", folder, name);
    FILE *to = fopen(seed, "wbe");
    must(to != NULL && fputc((int)repair, to) != EOF &&
             fwrite(bytes, 1, end * TN_FORMAT_UNIT, to) == end * TN_FORMAT_UNIT && fclose(to) == 0,
         "a seed cannot be written");
}

int main(int argc, char **argv)
{
    char path[4096], lock[4200];
    tn_directory_writer_t *writer;
    if (argc != 2) {
        (void)fputs("usage: directory_seeds FOLDER\n", stderr);
        return 2;
    }
    (void)snprintf(path, sizeof(path), "%s/.making", argv[1]);
    (void)snprintf(lock, sizeof(lock), "%s.lock", path);
    must(tn_directory_writer_create(&writer, path, (const uint8_t[16]){9}, 0, &err) == TN_OK,
         "create");
    must(tn_directory_writer_install(writer, NULL, &err) == TN_OK, "install");
    save(argv[1], "empty", path, 1);
    put_platform(writer, 1);
    put_acme(writer, 2, false);
    save(argv[1], "two-tenants", path, 1);
    put_acme(writer, 3, true);
    save(argv[1], "host-moved", path, 1);
    save(argv[1], "repair-all", path, 15);
    remove_all(writer, 4);
    save(argv[1], "removed", path, 1);
    save(argv[1], "unrepaired", path, 0);
    put_many_hosts(writer, 5);
    save(argv[1], "many-hosts", path, 1);
    save(argv[1], "many-hosts-repaired", path, 15);
    tn_directory_writer_close(writer);
    must(unlink(path) == 0 && unlink(lock) == 0, "clean up");
    return 0;
}
