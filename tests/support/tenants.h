/*
 * Tenants by number for the directory's tests: tenant 7 has the slug "t7", the host "www.t7.example",
 * and so on, so that a test can say what it expects of any of them. And a folder for their files.
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
