/*
 * The directory as the API shows it (/api/tenant/cache), building it anew, and the daemon's own
 * state (/v1/status, /healthz). All of it works without a database.
 */
#include "control/list.h"
#include "control/represent.h"
#include "control/routes.h"
#include "control/transaction.h"

#include "base/err.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdlib.h>

const tn_json_field_t tn_fields_cache_action[] = {
    {"action", TN_JSON_STRING, false},
    {"force", TN_JSON_BOOLEAN, false},
    {0},
};

/* ---- what there is to tell ---------------------------------------------------------------- */

typedef struct {
    tn_directory_info_t directory;
    tn_publisher_status_t publisher;
    bool has_database;
    tn_uuid_t database_id;
    uint64_t database_generation;
} tn_overview_t;

static const char *publisher_state_name(tn_publisher_state_t state)
{
    switch (state) {
    case TN_PUBLISHER_READY:
        return "ready";
    case TN_PUBLISHER_REFUSED:
        return "refused";
    default:
        return "unavailable";
    }
}

static const char *directory_state_name(tn_directory_state_t state)
{
    switch (state) {
    case TN_DIRECTORY_READY:
        return "ready";
    case TN_DIRECTORY_MISSING:
        return "missing";
    case TN_DIRECTORY_FOREIGN_VERSION:
        return "foreign_version";
    default:
        return "damaged";
    }
}

static void look_at_database(tn_overview_t *out, tn_exchange_t *exchange)
{
    tn_transaction_t transaction;
    if (tn_transaction_begin(&transaction, exchange, TN_TX_READ, NULL) != TN_OK) {
        return;
    }
    out->has_database = tn_tx_generation(&out->database_generation, transaction.tx, NULL) == TN_OK;
    out->database_id = tn_store_identity(transaction.store);
    tn_transaction_end(&transaction);
}

/* A handle of this request's own: opening one is a mapping. */
static int overview(tn_overview_t *out, tn_directory_t **directory, tn_exchange_t *exchange,
                    tn_err_t *err)
{
    *out = (tn_overview_t){0};
    int code = tn_directory_open(directory, exchange->control->conf->directory, err);
    if (code == TN_OK) {
        tn_directory_info(&out->directory, *directory);
        tn_publisher_status(&out->publisher, exchange->control->publisher);
        look_at_database(out, exchange);
    }
    return code;
}

/* The directory's own state; when that is good, what keeps it from following, if anything. */
static const char *cache_state(const tn_overview_t *seen)
{
    if (seen->directory.state != TN_DIRECTORY_READY) {
        return directory_state_name(seen->directory.state);
    }
    return publisher_state_name(seen->publisher.state);
}

/* The publisher's reason may name files, which are the operator's business. */
static const char *cache_reason(const tn_overview_t *seen, bool is_operator)
{
    if (seen->publisher.reason[0] == '\0') {
        return NULL;
    }
    if (is_operator) {
        return seen->publisher.reason;
    }
    return seen->publisher.state == TN_PUBLISHER_REFUSED
               ? "the database is another one than the directory was made from, or is older"
               : "there is no database to ask, or the directory cannot be written";
}

static json_t *cache_document(const tn_overview_t *seen, const tn_exchange_t *exchange)
{
    const tn_directory_info_t *info = &seen->directory;
    json_t *generation =
        seen->has_database ? json_integer((json_int_t)seen->database_generation) : json_null();
    json_t *document = json_pack(
        "{s:s, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "state", cache_state(seen), "generation",
        (json_int_t)info->generation, "databaseGeneration", generation, "tenants",
        (json_int_t)info->tenants, "domains", (json_int_t)info->domains, "flags",
        (json_int_t)info->flags, "sizeBytes", (json_int_t)info->size_bytes, "usedBytes",
        (json_int_t)info->used_bytes, "databaseId", tn_represent_id(info->database_id));
    const char *reason = cache_reason(seen, exchange->is_operator);
    if (document != NULL && reason != NULL) {
        (void)json_object_set_new(document, "reason", json_string(reason));
    }
    if (document != NULL && exchange->is_operator) {
        (void)json_object_set_new(document, "path",
                                  json_string(exchange->control->conf->directory));
    }
    return document;
}

/* ---- entries ------------------------------------------------------------------------------ */

/*
 * The directory is walked in no order, so a page is the `limit` smallest slugs behind the cursor: a
 * heap with the largest on top, which gives way to a smaller one. One more than the limit is kept,
 * to know whether there is a next page.
 */
typedef struct {
    tn_tenant_t *tenants;
    size_t count, capacity;
    const char *after;
} tn_entries_t;

static int compare_slugs(tn_str_t a, tn_str_t b)
{
    size_t length = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.data, b.data, length);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare_tenants(const void *a, const void *b)
{
    return compare_slugs(((const tn_tenant_t *)a)->slug, ((const tn_tenant_t *)b)->slug);
}

static void swap_entries(tn_tenant_t *a, tn_tenant_t *b)
{
    tn_tenant_t kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(tn_tenant_t *heap, size_t at)
{
    while (at > 0 && compare_tenants(&heap[at], &heap[(at - 1) / 2]) > 0) {
        swap_entries(&heap[at], &heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sift_down(tn_tenant_t *heap, size_t count)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < count && compare_tenants(&heap[child + 1], &heap[child]) > 0) {
            child++;
        }
        if (child >= count || compare_tenants(&heap[child], &heap[at]) <= 0) {
            return;
        }
        swap_entries(&heap[child], &heap[at]);
        at = child;
    }
}

static int keep_smallest(const tn_tenant_t *tenant, void *context)
{
    tn_entries_t *entries = context;
    if (entries->after != NULL && compare_slugs(tenant->slug, tn_str(entries->after)) <= 0) {
        return TN_OK;
    }
    if (entries->count < entries->capacity) {
        entries->tenants[entries->count] = *tenant;
        sift_up(entries->tenants, entries->count++);
    } else if (compare_tenants(tenant, &entries->tenants[0]) < 0) {
        entries->tenants[0] = *tenant;
        sift_down(entries->tenants, entries->count);
    }
    return TN_OK;
}

/* Every host that leads to the tenant: its sub-domains, then its own domains. */
static json_t *represent_entry(const tn_tenant_t *tenant, const tn_platform_t *platform)
{
    json_t *hosts = json_array();
    tn_str_t host;
    bool is_primary;
    for (size_t i = 0; i < platform->base_domain_count; i++) {
        tn_str_t base = platform->base_domains[i];
        (void)json_array_append_new(hosts,
                                    json_sprintf("%.*s.%.*s", (int)tenant->slug.length,
                                                 tenant->slug.data, (int)base.length, base.data));
    }
    for (size_t i = 0; tn_tenant_host_at(&host, &is_primary, tenant, i); i++) {
        (void)json_array_append_new(hosts, json_stringn(host.data, host.length));
    }
    return json_pack("{s:s%, s:s, s:s, s:o}", "slug", tenant->slug.data, tenant->slug.length, "id",
                     tenant->id, "status", tn_tenant_status_name(tenant->status), "hosts", hosts);
}

static int fill_page(tn_list_t *list, bool *has_more, const tn_entries_t *entries,
                     const tn_directory_t *directory)
{
    tn_platform_t platform;
    int code = tn_directory_platform(&platform, directory);
    for (size_t i = 0; i < entries->count && i < list->limit && code == TN_OK; i++) {
        char slug[TN_SLUG_MAX + 1];
        code = tn_str_copy(slug, sizeof(slug), entries->tenants[i].slug);
        if (code == TN_OK) {
            code = tn_list_add(list, represent_entry(&entries->tenants[i], &platform), slug);
        }
    }
    *has_more = entries->count > list->limit;
    return code;
}

/* Adds "entries" and "nextCursor" to the document. */
static int add_entries(json_t *document, const tn_directory_t *directory,
                       const tn_exchange_t *exchange, tn_err_t *err)
{
    tn_list_t list;
    tn_entries_t entries = {0};
    bool has_more = false;
    int code = tn_list_init(&list, exchange, 'e', err);
    if (code != TN_OK) {
        goto out;
    }
    entries.after = tn_list_after(&list);
    entries.capacity = list.limit + 1;
    entries.tenants = calloc(entries.capacity, sizeof(*entries.tenants));
    if (entries.tenants == NULL) {
        code = TN_ENOMEM;
        goto out;
    }
    code = tn_directory_each_tenant(directory, keep_smallest, &entries);
    if (code == TN_OK) {
        qsort(entries.tenants, entries.count, sizeof(*entries.tenants), compare_tenants);
        code = fill_page(&list, &has_more, &entries, directory);
    }
    if (code == TN_OK) {
        json_t *cursor = tn_list_cursor(&list, has_more);
        int failed = json_object_set(document, "entries", list.items);
        failed |= json_object_set_new(document, "nextCursor", cursor);
        code = failed ? TN_ENOMEM : TN_OK;
    }
out:
    free(entries.tenants);
    tn_list_deinit(&list);
    return code;
}

/* ---- routes ------------------------------------------------------------------------------- */

int tn_route_cache_show(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_overview_t seen;
    tn_directory_t *directory = NULL;
    int code = overview(&seen, &directory, exchange, err);
    if (code != TN_OK) {
        return code;
    }
    json_t *document = cache_document(&seen, exchange);
    if (document != NULL && exchange->is_operator && seen.directory.state == TN_DIRECTORY_READY) {
        code = add_entries(document, directory, exchange, err);
    }
    tn_directory_close(directory);
    if (code != TN_OK) {
        json_decref(document);
        return code;
    }
    return tn_response_json(exchange->response, 200, document, err);
}

/*
 * What an action does to the directory: init makes what is missing and follows what is there,
 * rebuild makes it anew, and with force either takes the database as it is for the truth.
 */
static int build(uint64_t *generation, tn_exchange_t *exchange, bool is_init, bool force,
                 tn_err_t *err)
{
    tn_control_t *control = exchange->control;
    tn_store_t *store = NULL;
    int code = tn_database_acquire(&store, control->database, err);
    if (code != TN_OK) {
        return code;
    }
    code = is_init && !force ? tn_control_publish(generation, control, store, err)
                             : tn_control_rebuild(generation, control, store, force, err);
    tn_database_release(control->database);
    return code;
}

int tn_route_cache_build(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_overview_t seen;
    tn_directory_t *directory = NULL;
    uint64_t generation = 0;
    bool storage = false;
    const char *action = tn_json_text(exchange->body, "action");
    const bool *force = tn_json_boolean(&storage, exchange->body, "force");
    bool is_init = action != NULL && strcmp(action, "init") == 0;
    if (action != NULL && !is_init && strcmp(action, "rebuild") != 0) {
        return tn_err_field(err, TN_EINVAL, "action", "must be init or rebuild");
    }
    int code = build(&generation, exchange, is_init, force != NULL && *force, err);
    if (code == TN_OK) {
        tn_log_write(exchange->control->log, TN_LOG_NOTICE,
                     "directory, %s '%s' (at generation %" PRIu64 "%s)",
                     is_init ? "initialised" : "rebuilt", exchange->control->conf->directory,
                     generation, storage ? ", by force" : "");
        code = overview(&seen, &directory, exchange, err);
    }
    if (code != TN_OK) {
        return code;
    }
    json_t *document = cache_document(&seen, exchange);
    tn_directory_close(directory);
    tn_response_header(exchange->response, "Tenantry-Generation", "%" PRIu64, generation);
    return tn_response_json(exchange->response, 200, document, err);
}

int tn_route_status(tn_exchange_t *exchange, tn_err_t *err)
{
    tn_overview_t seen;
    tn_directory_t *directory = NULL;
    int code = overview(&seen, &directory, exchange, err);
    if (code != TN_OK) {
        return code;
    }
    tn_directory_close(directory);
    const tn_directory_info_t *info = &seen.directory;
    json_t *generation = json_null();
    if (seen.has_database) {
        generation = json_integer((json_int_t)seen.database_generation);
    }
    json_t *document = json_pack(
        "{s:s, s:{s:s, s:o, s:o}, s:{s:s, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:s}, s:{s:s, s:s?}}",
        "version", TN_VERSION, "database", "state", seen.has_database ? "open" : "unavailable",
        "id", tn_represent_id(seen.database_id.bytes), "generation", generation, "directory",
        "state", directory_state_name(info->state), "generation", (json_int_t)info->generation,
        "databaseId", tn_represent_id(info->database_id), "tenants", (json_int_t)info->tenants,
        "domains", (json_int_t)info->domains, "flags", (json_int_t)info->flags, "sizeBytes",
        (json_int_t)info->size_bytes, "usedBytes", (json_int_t)info->used_bytes, "path",
        exchange->control->conf->directory, "publisher", "state",
        publisher_state_name(seen.publisher.state), "reason", cache_reason(&seen, true));
    return tn_response_json(exchange->response, 200, document, err);
}

int tn_route_health(tn_exchange_t *exchange, tn_err_t *err)
{
    return tn_response_json(exchange->response, 200, json_pack("{s:s}", "status", "ok"), err);
}
