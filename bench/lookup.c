/*
 * bench_lookup: what a look-up in the directory costs beside the least that any table in memory can
 * cost on the same machine, in the same run: two dependent random reads, in files of the same sizes
 * as table and arena and mapped alike, and one SipHash of the name. Also what publishing one
 * change, opening the directory and building it cost, and how large it is.
 *
 *     bench_lookup [--json] [--sizes N,N,…] [--rounds N] [--lookups N] [--folder DIR]
 *
 * Each look-up waits for the one before it (the name's address depends on its result), as requests
 * do: the floor likewise. Every round draws new names, times every kind in turn, and the report has
 * medians over the rounds, and the ratio of medians of rounds that lie side by side.
 */
#include "base/random.h"
#include "base/str.h"
#include "core/directory_format.h"
#include "core/directory_writer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SIZES_MAX      16
#define ROUNDS_MAX     1001
#define HOT_TENANTS    1000
#define BATCH          10000
#define PUBLISHES      20000
#define OPENS          301
#define NAME_MAX_BYTES 64
#define TENANTS_MAX    10000000

/* ---- time and numbers ---------------------------------------------------------------------- */

static uint64_t read_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now); /* cannot fail for these clocks */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

/* For what never waits but for memory: without the time in which another process had the core. */
static uint64_t cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* SplitMix64: names have to be drawn quickly and evenly, not secretly. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which `share` (0 to 1) of the values lie. Sorts them. */
static double quantile(double *values, size_t count, double share)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    size_t at = (size_t)(share * (double)(count - 1) + 0.5);
    return values[at];
}

static void die(const char *what, const tn_err_t *err)
{
    (void)fprintf(stderr, "bench_lookup: %s: %s\n", what, err != NULL ? err->detail : "failed");
    exit(1);
}

/* ---- what is measured on ------------------------------------------------------------------- */

typedef struct {
    bool is_json;
    size_t sizes[SIZES_MAX];
    size_t size_count;
    size_t rounds, lookups;
    const char *folder;
} options_t;

/* The floor: two files mapped as the directory is; a word of the first leads into the second. */
typedef struct {
    uint64_t *table;
    size_t table_words;
    uint8_t *arena;
    size_t arena_size;
} floor_t;

/* The names of one round, one after the other, each NAME_MAX_BYTES apart: reading them is a stream
 * that the processor sees coming. */
typedef struct {
    char *texts;
    uint8_t *lengths;
    size_t count;
} names_t;

enum kind {
    UNIFORM,
    HOT,
    MISS,
    KIND_COUNT,
};

static const char *const kind_names[KIND_COUNT] = {"uniform", "hot", "miss"};

typedef struct {
    double *floor, *lookup; /* ns, one a round */
} series_t;

typedef struct {
    size_t tenants;
    double build_s, file_bytes, disk_bytes, text_bytes;
    double table_bytes, arena_bytes;
    double publish_us[3]; /* median, p99, worst */
    double open_us[2];    /* median, p99 */
    double floor_ns[KIND_COUNT], lookup_ns[KIND_COUNT], ratio[KIND_COUNT];
    double ratio_low[KIND_COUNT], ratio_high[KIND_COUNT];
} result_t;

typedef struct {
    options_t options;
    char path[512];
    tn_directory_t *directory;
    floor_t floor;
    names_t names;
    uint64_t random;
    result_t result;
} bench_t;

typedef struct {
    char slug[32], name[48], host[NAME_MAX_BYTES];
    tn_str_t hosts[1];
    tn_tenant_spec_t spec;
} tenant_t;

static void make_tenant(tenant_t *out, uint64_t number)
{
    (void)snprintf(out->slug, sizeof(out->slug), "tenant-%07" PRIu64, number);
    (void)snprintf(out->name, sizeof(out->name), "Tenant number %" PRIu64, number);
    (void)snprintf(out->host, sizeof(out->host), "www.customer-%07" PRIu64 ".example", number);
    out->hosts[0] = tn_str(out->host);
    out->spec = (tn_tenant_spec_t){
        .slug = tn_str(out->slug),
        .name = tn_str(out->name),
        .plan = TN_STR("team"),
        .upstream = TN_STR(""),
        .status = TN_STATUS_ACTIVE,
        .hosts = out->hosts,
        .host_count = 1,
    };
    uint64_t spread = number;
    uint64_t id[2] = {draw(&spread), draw(&spread)};
    memcpy(out->spec.id, id, sizeof(id));
}

static size_t text_bytes(const tn_tenant_spec_t *spec)
{
    return spec->slug.length + spec->name.length + spec->plan.length + spec->upstream.length +
           spec->hosts[0].length;
}

/* ---- building ------------------------------------------------------------------------------ */

static void put_batch(bench_t *bench, tn_directory_writer_t *writer, size_t first)
{
    tn_err_t err = {0};
    size_t last = first + BATCH;
    last = last < bench->result.tenants ? last : bench->result.tenants;
    int code = tn_directory_begin(writer, 1 + first / BATCH, &err);
    if (code == TN_OK && first == 0) {
        tn_platform_t platform = {.base_domains = {TN_STR("example.com")},
                                  .base_domain_count = 1,
                                  .keys = {{.id = "a-key-as-long-as-a-thumbprint-would-be-here"}},
                                  .key_count = 1};
        code = tn_directory_put_platform(writer, &platform, &err);
    }
    for (size_t i = first; code == TN_OK && i < last; i++) {
        tenant_t tenant;
        make_tenant(&tenant, i);
        bench->result.text_bytes += (double)text_bytes(&tenant.spec);
        code = tn_directory_put_tenant(writer, &tenant.spec, &err);
    }
    if (code != TN_OK || tn_directory_commit(writer, &err) != TN_OK) {
        die("building", &err);
    }
}

static void build(bench_t *bench)
{
    tn_err_t err = {0};
    uint8_t database_id[16];
    struct stat status;
    tn_directory_writer_t *writer;
    tn_random_bytes(database_id, sizeof(database_id));
    uint64_t before = now_ns();
    if (tn_directory_writer_create(&writer, bench->path, database_id, bench->result.tenants,
                                   &err) != TN_OK) {
        die("creating", &err);
    }
    for (size_t first = 0; first < bench->result.tenants; first += BATCH) {
        put_batch(bench, writer, first);
    }
    if (tn_directory_writer_install(writer, NULL, &err) != TN_OK) {
        die("installing", &err);
    }
    bench->result.build_s = (double)(now_ns() - before) / 1e9;
    tn_directory_writer_close(writer);
    if (stat(bench->path, &status) < 0 ||
        tn_directory_open(&bench->directory, bench->path, &err) != TN_OK) {
        die("opening", &err);
    }
    tn_directory_info_t info;
    tn_directory_info(&info, bench->directory);
    if (info.state != TN_DIRECTORY_READY || info.tenants != bench->result.tenants) {
        die("the directory that was built is not as it should be", NULL);
    }
    bench->result.file_bytes = (double)status.st_size;
    bench->result.disk_bytes = (double)status.st_blocks * 512;
    bench->result.arena_bytes = (double)info.used_bytes;
}

/* A file of its own, filled, so that its pages are the page cache's as the directory's are. */
static void *map_file(const bench_t *bench, const char *suffix, size_t size)
{
    char path[600];
    (void)snprintf(path, sizeof(path), "%s%s", bench->path, suffix);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)size) != 0) {
        die("a file for the floor cannot be made", NULL);
    }
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)unlink(path);
    (void)close(fd);
    if (data == MAP_FAILED) {
        die("a file for the floor cannot be mapped", NULL);
    }
    return data;
}

static size_t read_slot_count(const bench_t *bench)
{
    uint8_t bytes[8];
    int fd = open(bench->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || pread(fd, bytes, sizeof(bytes), TN_HEADER_SLOT_COUNT) != sizeof(bytes)) {
        die("the directory cannot be read", NULL);
    }
    (void)close(fd);
    return (size_t)tn_load_u64(bytes);
}

static void make_floor(bench_t *bench)
{
    floor_t *floor = &bench->floor;
    tn_directory_info_t info;
    tn_directory_info(&info, bench->directory);
    floor->arena_size = (size_t)info.used_bytes;
    floor->table_words = read_slot_count(bench);
    bench->result.table_bytes = (double)floor->table_words * 8;
    floor->table = map_file(bench, ".table", floor->table_words * 8);
    floor->arena = map_file(bench, ".arena", floor->arena_size);
    for (size_t i = 0; i < floor->table_words; i++) {
        floor->table[i] = draw(&bench->random) % (floor->arena_size / 16) * 16;
    }
    for (size_t i = 0; i + 8 <= floor->arena_size; i += 64) {
        uint64_t value = draw(&bench->random) | 1;
        memcpy(floor->arena + i, &value, sizeof(value));
    }
}

static void drop(bench_t *bench)
{
    char lock[600];
    (void)munmap(bench->floor.table, bench->floor.table_words * 8);
    (void)munmap(bench->floor.arena, bench->floor.arena_size);
    tn_directory_close(bench->directory);
    (void)snprintf(lock, sizeof(lock), "%s.lock", bench->path);
    (void)unlink(bench->path);
    (void)unlink(lock);
}

/* ---- look-ups ------------------------------------------------------------------------------ */

/* Half sub-domains, half custom domains. */
static void draw_names(bench_t *bench, enum kind kind)
{
    names_t *names = &bench->names;
    size_t tenants = bench->result.tenants;
    size_t range = kind == HOT && tenants > HOT_TENANTS ? HOT_TENANTS : tenants;
    uint64_t first = kind == HOT ? draw(&bench->random) % (tenants - range + 1) : 0;
    for (size_t i = 0; i < names->count; i++) {
        char *text = names->texts + i * NAME_MAX_BYTES;
        uint64_t number = first + draw(&bench->random) % range;
        const char *format = draw(&bench->random) % 2 == 0 ? "tenant-%07" PRIu64 "%s.example.com"
                                                           : "www.customer-%07" PRIu64 "%s.example";
        /* the format is one of the two above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        int length = snprintf(text, NAME_MAX_BYTES, format, number, kind == MISS ? "x" : "");
#pragma GCC diagnostic pop
        names->lengths[i] = (uint8_t)length;
    }
}

/*
 * A zero that the compiler cannot know: what a look-up yields, and-ed with it, is added to the next
 * name's address, so that no look-up begins before the one before it has ended.
 */
static volatile uint64_t opaque_zero;

static double time_floor(bench_t *bench, enum kind kind)
{
    const floor_t *floor = &bench->floor;
    const names_t *names = &bench->names;
    static const uint8_t seed[16] = "a floor's seed..";
    uint64_t zero = opaque_zero;
    uint64_t carried = 0;
    uint64_t before = cpu_ns();
    for (size_t i = 0; i < names->count; i++) {
        uint8_t hash_bytes[8];
        uint64_t hash, value;
        size_t at = i + (size_t)(carried & zero);
        (void)crypto_shorthash(hash_bytes, (const uint8_t *)names->texts + at * NAME_MAX_BYTES,
                               names->lengths[at], seed);
        memcpy(&hash, hash_bytes, sizeof(hash));
        if (kind == HOT) {
            hash = hash % HOT_TENANTS * 0x9e3779b97f4a7c15u;
        }
        carried = floor->table[(hash >> 32) * floor->table_words >> 32];
        if (kind != MISS) {
            memcpy(&value, floor->arena + carried, sizeof(value));
            carried = value;
        }
    }
    opaque_zero = carried & zero;
    return (double)(cpu_ns() - before) / (double)names->count;
}

/* What a resolver does: is it under a base domain, and whose is it. */
static int resolve(tn_tenant_t *tenant, const tn_directory_t *directory, tn_str_t host)
{
    size_t base_length, label_length;
    int code = tn_directory_split_host(&base_length, &label_length, directory, host);
    if (code == TN_OK) {
        return tn_directory_by_slug(tenant, directory, (tn_str_t){host.data, label_length});
    }
    return code == TN_ENOTFOUND ? tn_directory_by_host(tenant, directory, host) : code;
}

static double time_lookup(bench_t *bench, enum kind kind)
{
    const names_t *names = &bench->names;
    int expected = kind == MISS ? TN_ENOTFOUND : TN_OK;
    uint64_t zero = opaque_zero;
    uint64_t carried = 0;
    uint64_t wrong = 0;
    uint64_t before = cpu_ns();
    for (size_t i = 0; i < names->count; i++) {
        tn_tenant_t tenant;
        size_t at = i + (size_t)(carried & zero);
        tn_str_t host = {names->texts + at * NAME_MAX_BYTES, names->lengths[at]};
        int code = resolve(&tenant, bench->directory, host);
        wrong += code != expected;
        carried = code == TN_OK ? tenant.generation + (uint64_t)tenant.id[0] : (uint64_t)code;
    }
    double took = (double)(cpu_ns() - before) / (double)names->count;
    opaque_zero = carried & zero;
    if (wrong != 0) {
        die("a look-up gave a wrong answer", NULL);
    }
    return took;
}

static void measure_lookups(bench_t *bench)
{
    static series_t series[KIND_COUNT];
    static double storage[KIND_COUNT][3][ROUNDS_MAX];
    size_t rounds = bench->options.rounds;
    for (size_t round = 0; round < rounds; round++) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            series[kind].floor = storage[kind][0];
            series[kind].lookup = storage[kind][1];
            draw_names(bench, (enum kind)kind);
            /* who comes first changes from round to round */
            if (round % 2 == 0) {
                series[kind].floor[round] = time_floor(bench, (enum kind)kind);
                draw_names(bench, (enum kind)kind);
                series[kind].lookup[round] = time_lookup(bench, (enum kind)kind);
            } else {
                series[kind].lookup[round] = time_lookup(bench, (enum kind)kind);
                draw_names(bench, (enum kind)kind);
                series[kind].floor[round] = time_floor(bench, (enum kind)kind);
            }
            storage[kind][2][round] = series[kind].lookup[round] / series[kind].floor[round];
        }
    }
    result_t *result = &bench->result;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        double *ratios = storage[kind][2];
        result->ratio[kind] = quantile(ratios, rounds, 0.5);
        result->ratio_low[kind] = quantile(ratios, rounds, 0.1);
        result->ratio_high[kind] = quantile(ratios, rounds, 0.9);
        result->floor_ns[kind] = quantile(series[kind].floor, rounds, 0.5);
        result->lookup_ns[kind] = quantile(series[kind].lookup, rounds, 0.5);
    }
}

/* ---- opening and publishing ---------------------------------------------------------------- */

static void measure_open(bench_t *bench)
{
    double times[OPENS];
    tn_err_t err = {0};
    for (size_t i = 0; i < OPENS; i++) {
        tn_directory_t *directory;
        tn_tenant_t tenant;
        draw_names(bench, UNIFORM);
        tn_str_t host = {bench->names.texts, bench->names.lengths[0]};
        uint64_t before = now_ns();
        if (tn_directory_open(&directory, bench->path, &err) != TN_OK ||
            resolve(&tenant, directory, host) != TN_OK) {
            die("opening", &err);
        }
        times[i] = (double)(now_ns() - before) / 1e3;
        tn_directory_close(directory);
    }
    bench->result.open_us[0] = quantile(times, OPENS, 0.5);
    bench->result.open_us[1] = quantile(times, OPENS, 0.99);
}

/* Random tenants in turn: another plan, suspended, another host. */
static void publish_one(bench_t *bench, tn_directory_writer_t *writer, uint64_t generation)
{
    tn_err_t err = {0};
    tenant_t tenant;
    make_tenant(&tenant, draw(&bench->random) % bench->result.tenants);
    if (generation % 3 == 0) {
        tenant.spec.plan = TN_STR("business");
    } else if (generation % 3 == 1) {
        tenant.spec.status = TN_STATUS_SUSPENDED;
    } else {
        tenant.host[0] = 'v';
    }
    if (tn_directory_begin(writer, generation, &err) != TN_OK ||
        tn_directory_put_tenant(writer, &tenant.spec, &err) != TN_OK ||
        tn_directory_commit(writer, &err) != TN_OK) {
        die("publishing", &err);
    }
}

static void measure_publish(bench_t *bench)
{
    static double times[PUBLISHES];
    tn_err_t err = {0};
    tn_directory_writer_t *writer;
    tn_directory_info_t info;
    if (tn_directory_writer_open(&writer, bench->path, &err) != TN_OK) {
        die("opening for writing", &err);
    }
    tn_directory_info(&info, tn_directory_writer_view(writer));
    for (size_t i = 0; i < PUBLISHES; i++) {
        uint64_t before = now_ns();
        publish_one(bench, writer, info.generation + 1 + i);
        times[i] = (double)(now_ns() - before) / 1e3;
    }
    bench->result.publish_us[0] = quantile(times, PUBLISHES, 0.5);
    bench->result.publish_us[1] = quantile(times, PUBLISHES, 0.99);
    bench->result.publish_us[2] = times[PUBLISHES - 1];
    tn_directory_writer_close(writer);
}

/* ---- telling ------------------------------------------------------------------------------- */

static void print_table(const result_t *result)
{
    double tenants = (double)result->tenants;
    (void)printf("%zu tenants, two hosts each\n", result->tenants);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        (void)printf("  look-up %-8s %7.1f ns   floor %7.1f ns   ratio %.2f (%.2f to %.2f)\n",
                     kind_names[kind], result->lookup_ns[kind], result->floor_ns[kind],
                     result->ratio[kind], result->ratio_low[kind], result->ratio_high[kind]);
    }
    (void)printf("  publish a change %.1f µs, p99 %.1f, worst %.1f\n", result->publish_us[0],
                 result->publish_us[1], result->publish_us[2]);
    (void)printf("  open and look up %.0f µs, p99 %.0f\n", result->open_us[0], result->open_us[1]);
    (void)printf("  build %.2f s\n", result->build_s);
    (void)printf("  bytes a tenant %.1f of file, %.1f of disk, beyond %.1f of its own text\n",
                 (result->file_bytes - result->text_bytes) / tenants,
                 (result->disk_bytes - result->text_bytes) / tenants, result->text_bytes / tenants);
}

static void print_json(const result_t *result, bool is_first)
{
    double tenants = (double)result->tenants;
    (void)printf("%s\n  {\"tenants\": %zu,", is_first ? "" : ",", result->tenants);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        (void)printf("\n   \"%s\": {\"lookup_ns\": %.1f, \"floor_ns\": %.1f, \"ratio\": %.3f, "
                     "\"ratio_p10\": %.3f, \"ratio_p90\": %.3f},",
                     kind_names[kind], result->lookup_ns[kind], result->floor_ns[kind],
                     result->ratio[kind], result->ratio_low[kind], result->ratio_high[kind]);
    }
    (void)printf("\n   \"publish_us\": {\"median\": %.2f, \"p99\": %.2f, \"worst\": %.2f},",
                 result->publish_us[0], result->publish_us[1], result->publish_us[2]);
    (void)printf("\n   \"open_us\": {\"median\": %.1f, \"p99\": %.1f},", result->open_us[0],
                 result->open_us[1]);
    (void)printf("\n   \"build_s\": %.3f, \"file_bytes\": %.0f, \"disk_bytes\": %.0f, "
                 "\"table_bytes\": %.0f, \"arena_bytes\": %.0f, "
                 "\"own_text_bytes\": %.0f, \"bytes_beyond_text\": %.1f}",
                 result->build_s, result->file_bytes, result->disk_bytes, result->table_bytes,
                 result->arena_bytes, result->text_bytes,
                 (result->file_bytes - result->text_bytes) / tenants);
}

/* ---- the command --------------------------------------------------------------------------- */

static size_t read_number(const char *text, size_t length, size_t max)
{
    uint64_t value;
    if (tn_str_number(&value, (tn_str_t){text, length}, max) != TN_OK || value == 0) {
        (void)fprintf(stderr, "bench_lookup: '%.*s' is not a number from 1 to %zu\n", (int)length,
                      text, max);
        exit(2);
    }
    return (size_t)value;
}

static void read_sizes(options_t *options, const char *text)
{
    options->size_count = 0;
    while (*text != '\0' && options->size_count < SIZES_MAX) {
        size_t length = strcspn(text, ",");
        options->sizes[options->size_count++] = read_number(text, length, TENANTS_MAX);
        text += length + (text[length] == ',' ? 1 : 0);
    }
}

static void read_options(options_t *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--json") == 0) {
            options->is_json = true;
            continue;
        }
        if (value == NULL) {
            (void)fputs("usage: bench_lookup [--json] [--sizes N,N,...] [--rounds N] "
                        "[--lookups N] [--folder DIR]\n",
                        stderr);
            exit(2);
        }
        if (strcmp(argv[i], "--sizes") == 0) {
            read_sizes(options, value);
        } else if (strcmp(argv[i], "--rounds") == 0) {
            options->rounds = read_number(value, strlen(value), ROUNDS_MAX);
        } else if (strcmp(argv[i], "--lookups") == 0) {
            options->lookups = read_number(value, strlen(value), 100000000);
        } else if (strcmp(argv[i], "--folder") == 0) {
            options->folder = value;
        } else {
            (void)fprintf(stderr, "bench_lookup: unknown option '%s'\n", argv[i]);
            exit(2);
        }
        i++;
    }
}

static void run(bench_t *bench, size_t tenants)
{
    bench->result = (result_t){.tenants = tenants};
    build(bench);
    make_floor(bench);
    measure_lookups(bench);
    measure_open(bench);
    measure_publish(bench);
    drop(bench);
}

int main(int argc, char **argv)
{
    const char *parent = getenv("TMPDIR");
    char folder[256];
    bench_t bench = {.options = {.sizes = {1000, 100000, 1000000},
                                 .size_count = 3,
                                 .rounds = 21,
                                 .lookups = 200000,
                                 .folder = parent != NULL ? parent : "/tmp"}};
    read_options(&bench.options, argc, argv);
    (void)snprintf(folder, sizeof(folder), "%s/tenantry-bench-XXXXXX", bench.options.folder);
    if (mkdtemp(folder) == NULL) {
        die("a folder cannot be made", NULL);
    }
    (void)snprintf(bench.path, sizeof(bench.path), "%s/directory", folder);
    tn_random_bytes(&bench.random, sizeof(bench.random));
    bench.names.count = bench.options.lookups;
    bench.names.texts = malloc(bench.names.count * NAME_MAX_BYTES);
    bench.names.lengths = malloc(bench.names.count);
    if (bench.names.texts == NULL || bench.names.lengths == NULL) {
        die("no memory for names", NULL);
    }
    for (size_t i = 0; i < bench.options.size_count; i++) {
        run(&bench, bench.options.sizes[i]);
        if (bench.options.is_json) {
            (void)fputs(i == 0 ? "[" : "", stdout);
            print_json(&bench.result, i == 0);
        } else {
            print_table(&bench.result);
        }
        (void)fflush(stdout);
    }
    (void)fputs(bench.options.is_json ? "\n]\n" : "", stdout);
    free(bench.names.texts);
    free(bench.names.lengths);
    return rmdir(folder) == 0 ? 0 : 1;
}
