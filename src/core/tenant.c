/*
 * What a tenant found in the directory holds: hosts, former slugs, flags, settings. All of it is
 * read from the record that the look-up checked; nothing here looks anything up but a flag's
 * definition.
 */
#include "core/directory.h"

#include "base/str.h"
#include "core/directory_record.h"

const char *tn_tenant_status_name(tn_tenant_status_t status)
{
    switch (status) {
    case TN_STATUS_ACTIVE:
        return "active";
    case TN_STATUS_MAINTENANCE:
        return "maintenance";
    case TN_STATUS_SUSPENDED:
        return "suspended";
    case TN_STATUS_ARCHIVED:
        return "archived";
    }
    return "unknown";
}

static bool read_parts(tn_tenant_parts_t *out, const tn_tenant_t *tenant)
{
    return tn_tenant_parts_read(out, tenant->record, tenant->record_size);
}

bool tn_tenant_host_at(tn_str_t *host, bool *is_primary, const tn_tenant_t *tenant, size_t index)
{
    tn_tenant_parts_t parts;
    if (!read_parts(&parts, tenant) || index >= parts.host_count) {
        return false;
    }
    tn_str_t text;
    if (!tn_tenant_parts_host(&text, &parts, index)) {
        return false;
    }
    *host = text;
    *is_primary = index == parts.primary_host;
    return true;
}

bool tn_tenant_former_slug_at(tn_str_t *slug, const tn_tenant_t *tenant, size_t index)
{
    tn_tenant_parts_t parts;
    if (!read_parts(&parts, tenant) || index >= parts.former_slug_count) {
        return false;
    }
    size_t at = 0;
    for (size_t i = 0; i < index; i++) {
        at += parts.former_slug_lengths[i];
    }
    *slug = (tn_str_t){parts.former_slugs + at, parts.former_slug_lengths[index]};
    return true;
}

bool tn_tenant_flag_at(tn_str_t *key, bool *is_on, const tn_tenant_t *tenant, size_t index)
{
    tn_tenant_parts_t parts;
    if (!read_parts(&parts, tenant) || index >= parts.flag_count) {
        return false;
    }
    size_t at = 0;
    for (size_t i = 0; i < index; i++) {
        at += parts.flags[i] & TN_FLAG_KEY_LENGTH;
    }
    *key = (tn_str_t){parts.flag_keys + at, parts.flags[index] & TN_FLAG_KEY_LENGTH};
    *is_on = (parts.flags[index] & TN_FLAG_ON) != 0;
    return true;
}

bool tn_tenant_setting_at(tn_str_t *key, tn_str_t *value, const tn_tenant_t *tenant, size_t index)
{
    tn_tenant_parts_t parts;
    if (!read_parts(&parts, tenant) || index >= parts.setting_count) {
        return false;
    }
    const char *at = parts.settings;
    for (size_t i = 0; i < index; i++) {
        at += parts.key_lengths[i] + tn_load_u16(parts.value_lengths + 2 * i);
    }
    *key = (tn_str_t){at, parts.key_lengths[index]};
    *value = (tn_str_t){at + key->length, tn_load_u16(parts.value_lengths + 2 * index)};
    return true;
}

int tn_tenant_setting(tn_str_t *out, const tn_tenant_t *tenant, const char *key)
{
    tn_tenant_parts_t parts;
    tn_str_t wanted = tn_str(key);
    if (!read_parts(&parts, tenant)) {
        return TN_EUNAVAILABLE;
    }
    const char *at = parts.settings;
    for (size_t i = 0; i < parts.setting_count; i++) {
        tn_str_t value = {at + parts.key_lengths[i], tn_load_u16(parts.value_lengths + 2 * i)};
        if (tn_str_equal((tn_str_t){at, parts.key_lengths[i]}, wanted)) {
            *out = value;
            return TN_OK;
        }
        at = value.data + value.length;
    }
    return TN_ENOTFOUND;
}

int tn_flag_is_on(bool *out, const tn_directory_t *directory, const tn_tenant_t *tenant,
                  const char *key)
{
    tn_tenant_parts_t parts;
    tn_str_t wanted = tn_str(key);
    bool is_on = false;
    int code = tn_directory_flag(&is_on, directory, wanted);
    if (code != TN_OK) {
        return code;
    }
    if (!read_parts(&parts, tenant)) {
        return TN_EUNAVAILABLE;
    }
    const char *at = parts.flag_keys;
    for (size_t i = 0; i < parts.flag_count; i++) {
        tn_str_t own = {at, parts.flags[i] & TN_FLAG_KEY_LENGTH};
        if (tn_str_equal(own, wanted)) {
            is_on = (parts.flags[i] & TN_FLAG_ON) != 0;
            break;
        }
        at += own.length;
    }
    *out = is_on;
    return TN_OK;
}

void tn_tenant_rebase(tn_tenant_t *out, const tn_tenant_t *tenant, const void *mine)
{
    tn_tenant_t copy = *tenant;
    const char *from = tenant->record;
    tn_str_t *borrowed[] = {&copy.slug, &copy.name, &copy.plan, &copy.upstream, &copy.primary_host};
    for (size_t i = 0; i < sizeof(borrowed) / sizeof(borrowed[0]); i++) {
        /* the absent primary host is a literal, not part of the record */
        if (borrowed[i]->length > 0) {
            borrowed[i]->data = (const char *)mine + (borrowed[i]->data - from);
        } else {
            borrowed[i]->data = "";
        }
    }
    copy.record = mine;
    *out = copy;
}
