/*
 * Rows as JSON; see represent.h.
 */
#include "control/represent.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "control/origin.h"

#include <stdlib.h>
#include <string.h>

static json_t *represent_time(int64_t wall_ms)
{
    char text[TN_TIME_TEXT_SIZE];
    return json_string(tn_clock_format(text, wall_ms));
}

/* JSON kept in the database; "" and NULL are null. */
static json_t *represent_json(const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return json_null();
    }
    return json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
}

static json_t *represent_url(const char *slug, const tn_conf_t *conf)
{
    tn_origin_t origin;
    tn_buf_t url;
    tn_buf_init(&url);
    tn_origin_of_conf(&origin, conf);
    tn_origin_link(&url, &origin, slug);
    char *text = tn_buf_take(&url, NULL);
    json_t *value = text == NULL ? NULL : json_string(text);
    free(text);
    return value;
}

json_t *tn_represent_tenant(const tn_tenant_row_t *row, const tn_conf_t *conf)
{
    const char *primary = row->primary_host[0] == '\0' ? NULL : row->primary_host;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:s?, s:b, s:I, s:o, s:o, s:o}",
                     "id", row->id, "slug", row->slug, "name", row->name, "status",
                     tn_tenant_status_name(row->status), "plan", row->plan, "listed",
                     row->is_listed, "upstream", row->upstream, "settings",
                     represent_json(row->settings), "primaryDomain", primary, "redirectToPrimary",
                     row->redirects_to_primary, "version", (json_int_t)row->version, "createdAt",
                     represent_time(row->created_at_ms), "updatedAt",
                     represent_time(row->updated_at_ms), "url", represent_url(row->slug, conf));
}

json_t *tn_represent_domain(const tn_domain_row_t *row, const char *slug)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "id", row->id, "host", row->host, "tenant",
                     slug, "tenantId", row->tenant_id, "primary", row->is_primary, "createdAt",
                     represent_time(row->created_at_ms));
}

json_t *tn_represent_flag(const tn_flag_row_t *row)
{
    return json_pack("{s:s, s:b, s:s, s:o}", "key", row->key, "default", row->default_on,
                     "description", row->description, "updatedAt",
                     represent_time(row->updated_at_ms));
}

json_t *tn_represent_audit(uint64_t id, const tn_audit_entry_t *entry)
{
    return json_pack("{s:I, s:s, s:I, s:o, s:{s:s, s:s, s:s}, s:s, s:s, s:o, s:o, s:I, s:s}", "id",
                     (json_int_t)id, "chain", entry->chain, "sequence", (json_int_t)entry->sequence,
                     "at", represent_time(entry->at_ms), "actor", "kind", entry->actor_kind, "name",
                     entry->actor_name, "address", entry->address, "action", entry->action,
                     "target", entry->target, "before", represent_json(entry->before), "after",
                     represent_json(entry->after), "generation", (json_int_t)entry->generation,
                     "hash", entry->hash);
}

json_t *tn_represent_id(const uint8_t bytes[16])
{
    static const uint8_t none[16];
    char text[TN_UUID_LENGTH + 1];
    if (memcmp(bytes, none, sizeof(none)) == 0) {
        return json_null();
    }
    return json_string(tn_uuid_format(text, bytes));
}
