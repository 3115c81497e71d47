/*
 * Tenants by number for the directory's tests: tenant 7 has the slug "t7", the host
 * "www.t7.example", and so on, so that a test can say what it expects of any of them. And the world
 * they live in: a folder with a directory, its writer and a reader.
 */
#pragma once

#include "core/directory_writer.h"

#define TENANT_HOSTS_MAX 8

/* A spec and the storage that it borrows from. Do not copy. */
typedef struct {
    tn_tenant_spec_t spec;
    char slug[TN_SLUG_MAX + 1];
    char name[64];
    char host_texts[TENANT_HOSTS_MAX][64];
    tn_str_t hosts[TENANT_HOSTS_MAX];
    struct tn_tenant_spec_flag flags[2];
    struct tn_tenant_spec_setting settings[2];
} numbered_tenant_t;

void numbered_id(uint8_t id[16], unsigned number);

/* The number of an id that numbered_id made. */
unsigned numbered_number(const char *id_text);

/* Tenant `number` with `host_count` hosts: wwwI.tN.example, the first of them primary. */
void numbered_tenant(numbered_tenant_t *tenant, unsigned number, size_t host_count);

/* The i-th host of tenant `number`. */
tn_str_t numbered_host(char text[64], unsigned number, unsigned i);
tn_str_t numbered_slug(char text[64], unsigned number);

/* One change that puts the tenants first to first + count - 1; asserts success. */
void put_numbered(tn_directory_writer_t *writer, uint64_t generation, unsigned first,
                  unsigned count, size_t host_count);

/* A folder of the test's own below TMPDIR or /tmp, and its removal with all files in it. */
void test_folder_make(char path[256]);
void test_folder_remove(const char *path);

/* The identity of the database that every world's directory comes from. */
extern const uint8_t world_database_id[16];

typedef struct {
    char folder[256];
    char path[300];
    tn_directory_writer_t *writer; /* NULL while a test has it closed */
    tn_directory_t *reader;
    int64_t now_ms; /* moves by ten seconds at each look */
    tn_err_t err;
} world_t;

/* cmocka's set-up and tear-down: a new, empty, installed directory. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* The reader, refreshed. */
const tn_directory_t *world_look(world_t *world);

/* Each asserts success. world_commit also verifies the directory whole. */
void world_begin(world_t *world, uint64_t generation);
void world_put(world_t *world, const tn_tenant_spec_t *spec);
void world_commit(world_t *world);
void world_reopen(world_t *world); /* closes the writer, verifies, and opens another */

/* The host, or slug, is tenant `number`'s; nobody's when number is below 0. */
void assert_host_owner(world_t *world, const char *host, int number);
void assert_slug_owner(world_t *world, const char *slug, int number);

void assert_text(tn_str_t text, const char *expected);

/* The bytes of a file, 8-byte aligned; the caller frees them. */
uint8_t *read_bytes(const char *path, size_t *size_bytes);
void write_bytes(const char *path, const void *data, size_t size_bytes);
