/*
 * The writer's own state, for the three files that share it: directory_writer.c (opening, closing,
 * what is put into a change), directory_commit.c (making a change visible) and directory_rewrite.c
 * (moving what is live into another file).
 */
#pragma once

#include "core/directory_change.h"
#include "core/directory_file.h"
#include "core/directory_writer.h"

/* What the smallest table and the room for changes in the smallest arena are. The room is a hole in
 * the file until it is used. */
#define TN_DIRECTORY_SLOTS_MIN   256
#define TN_DIRECTORY_ARENA_SLACK ((uint64_t)64 * 1024)

/* What the header's words count, in memory. */
typedef struct {
    uint64_t tenants, domains, flags, slots_used;
    uint64_t arena_end; /* bytes */
} tn_directory_counts_t;

struct tn_directory_writer {
    char *path;
    int lock_fd; /* -1 without the lock: not installed yet, or given over */
    bool is_installed;
    bool is_given_over; /* another file has taken its place */
    tn_directory_file_t file;
    tn_directory_t view;
    tn_directory_counts_t counts;
    tn_change_t change;
};

/* Lets the view show what the file is now. */
void tn_directory_writer_show(tn_directory_writer_t *writer);

void tn_directory_counts_store(const tn_directory_file_t *file,
                               const tn_directory_counts_t *counts);

/* Tells the readers of a file that another has taken its place. */
void tn_directory_file_move(const tn_directory_file_t *file);

/*
 * Copies what is live in the present generation into a new file with room for `need` more, and puts
 * that in the old one's place. On any error nothing has changed.
 */
TN_CHECK int tn_directory_rewrite(tn_directory_writer_t *writer, const tn_change_need_t *need,
                                  tn_err_t *err);
