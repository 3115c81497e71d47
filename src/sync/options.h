/*
 * The publisher's options as it keeps them: checked, copied, and with a hash that tells whether a
 * directory was built with the same ones.
 */
#pragma once

#include "sync/publisher.h"

typedef struct {
    char *path;
    char **base_domains;
    size_t base_domain_count;
    char **edge_settings;
    size_t edge_setting_count;
    tn_public_key_t *keys;
    size_t key_count;
    uint64_t hash; /* never 0 */
} tn_options_t;

/* TN_EINVAL with the option's name as field, TN_ENOMEM. */
TN_CHECK int tn_options_copy(tn_options_t *out, const tn_publisher_options_t *from, tn_err_t *err);
void tn_options_deinit(tn_options_t *options); /* takes a zeroed one too */

/* The platform's entry of these options; its strings are borrowed from them. */
void tn_options_platform(tn_platform_t *out, const tn_options_t *options);
