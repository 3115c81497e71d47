/*
 * What a configuration value must be: one check a form (path, database URL, host name, upstream …),
 * each of the type tn_conf_check_fn of keys.h. They bring a value to its normal form: paths become
 * absolute, host names lower case.
 */
#pragma once

#include "base/buf.h"

const char *tn_conf_check_path(tn_buf_t *out, tn_str_t value, const char *folder);
const char *tn_conf_check_database(tn_buf_t *out, tn_str_t value, const char *folder);
const char *tn_conf_check_host(tn_buf_t *out, tn_str_t value, const char *folder);
const char *tn_conf_check_setting_key(tn_buf_t *out, tn_str_t value, const char *folder);
const char *tn_conf_check_log_level(tn_buf_t *out, tn_str_t value, const char *folder);
const char *tn_conf_check_listen(tn_buf_t *out, tn_str_t value, const char *folder);
const char *tn_conf_check_url(tn_buf_t *out, tn_str_t value, const char *folder);
const char *tn_conf_check_upstream(tn_buf_t *out, tn_str_t value, const char *folder);
const char *tn_conf_check_rewrite(tn_buf_t *out, tn_str_t value, const char *folder);
