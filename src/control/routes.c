/*
 * The table of routes; docs/openapi.yaml is the same for people and programs, and a test holds the
 * two together.
 */
#include "control/routes.h"

static const tn_json_field_t no_fields[] = {{0}};

/* clang-format off */
const tn_route_t tn_routes[] = {
    {"GET",    "/v1/tenants",                       TN_RIGHT_OPERATOR, tn_route_tenant_list,           NULL,                     false},
    {"POST",   "/v1/tenants",                       TN_RIGHT_OPERATOR, tn_route_tenant_create,         tn_fields_tenant_create,  false},
    {"GET",    "/v1/tenants/{ref}",                 TN_RIGHT_OPERATOR, tn_route_tenant_show,           NULL,                     false},
    {"PATCH",  "/v1/tenants/{ref}",                 TN_RIGHT_OPERATOR, tn_route_tenant_update,         tn_fields_tenant_update,  false},
    {"GET",    "/v1/tenants/{ref}/domains",         TN_RIGHT_OPERATOR, tn_route_domain_list_of_tenant, NULL,                     false},
    {"POST",   "/v1/tenants/{ref}/domains",         TN_RIGHT_OPERATOR, tn_route_domain_add,            tn_fields_domain_add,     false},
    {"DELETE", "/v1/tenants/{ref}/domains/{host}",  TN_RIGHT_OPERATOR, tn_route_domain_remove,         NULL,                     false},
    {"PUT",    "/v1/tenants/{ref}/primary-domain",  TN_RIGHT_OPERATOR, tn_route_domain_set_primary,    tn_fields_domain_primary, false},
    {"DELETE", "/v1/tenants/{ref}/primary-domain",  TN_RIGHT_OPERATOR, tn_route_domain_clear_primary,  NULL,                     false},
    {"GET",    "/v1/tenants/{ref}/flags",           TN_RIGHT_OPERATOR, tn_route_flag_values,           NULL,                     false},
    {"PUT",    "/v1/tenants/{ref}/flags/{key}",     TN_RIGHT_OPERATOR, tn_route_flag_set,              tn_fields_flag_value,     false},
    {"DELETE", "/v1/tenants/{ref}/flags/{key}",     TN_RIGHT_OPERATOR, tn_route_flag_unset,            NULL,                     false},
    {"GET",    "/v1/domains",                       TN_RIGHT_OPERATOR, tn_route_domain_list,           NULL,                     false},
    {"GET",    "/v1/flags",                         TN_RIGHT_OPERATOR, tn_route_flag_list,             NULL,                     false},
    {"PUT",    "/v1/flags/{key}",                   TN_RIGHT_OPERATOR, tn_route_flag_define,           tn_fields_flag_default,   false},
    {"DELETE", "/v1/flags/{key}",                   TN_RIGHT_OPERATOR, tn_route_flag_remove,           NULL,                     false},
    {"GET",    "/v1/audit",                         TN_RIGHT_OPERATOR, tn_route_audit_list,            NULL,                     false},
    {"POST",   "/v1/audit/verify",                  TN_RIGHT_OPERATOR, tn_route_audit_verify,          no_fields,                true},
    {"GET",    "/v1/status",                        TN_RIGHT_OPERATOR, tn_route_status,                NULL,                     false},
    {"GET",    "/api/tenant/current",               TN_RIGHT_PUBLIC,   tn_route_current,               NULL,                     false},
    {"GET",    "/api/tenant/cache",                 TN_RIGHT_PUBLIC,   tn_route_cache_show,            NULL,                     false},
    {"POST",   "/api/tenant/cache",                 TN_RIGHT_OPERATOR, tn_route_cache_build,           tn_fields_cache_action,   true},
    {"GET",    "/auth/tenant-selection",            TN_RIGHT_PUBLIC,   tn_page_selection,              NULL,                     false},
    {"GET",    "/healthz",                          TN_RIGHT_PUBLIC,   tn_route_health,                NULL,                     false},
    {0},
};
/* clang-format on */

static void print_fields(FILE *out, const tn_route_t *route)
{
    if (route->fields == NULL || route->fields[0].name == NULL) {
        (void)fputs("-", out);
        return;
    }
    (void)fputs(route->is_body_optional ? "(" : "", out);
    for (const tn_json_field_t *field = route->fields; field->name != NULL; field++) {
        (void)fprintf(out, "%s%s%s", field == route->fields ? "" : ",", field->name,
                      field->is_required ? "!" : "");
    }
    (void)fputs(route->is_body_optional ? ")" : "", out);
}

void tn_routes_print(FILE *out)
{
    for (const tn_route_t *route = tn_routes; route->method != NULL; route++) {
        (void)fprintf(out, "%s %s %s ", route->method, route->pattern,
                      route->right == TN_RIGHT_OPERATOR ? "operator" : "public");
        print_fields(out, route);
        (void)fputc('\n', out);
    }
}
