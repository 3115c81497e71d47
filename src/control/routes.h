/*
 * The daemon's routes: the table in routes.c is the whole surface, the handlers are in the file
 * named by what they are about.
 */
#pragma once

#include "control/route.h"

#include <stdio.h>

/* Ends with a NULL method. */
extern const tn_route_t tn_routes[];

/* "METHOD PATTERN RIGHT BODY" a line, as `tenantry serve --routes` prints it; BODY is "-", or the
 * fields in table order with '!' after required ones, in parentheses when the whole is optional. */
void tn_routes_print(FILE *out);

/* routes_tenant.c */
extern const tn_json_field_t tn_fields_tenant_create[], tn_fields_tenant_update[];
int tn_route_tenant_list(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_tenant_create(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_tenant_show(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_tenant_update(tn_exchange_t *exchange, tn_err_t *err);

/* routes_domain.c */
extern const tn_json_field_t tn_fields_domain_add[], tn_fields_domain_primary[];
int tn_route_domain_list(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_domain_list_of_tenant(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_domain_add(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_domain_remove(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_domain_set_primary(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_domain_clear_primary(tn_exchange_t *exchange, tn_err_t *err);

/* routes_flag.c */
extern const tn_json_field_t tn_fields_flag_default[], tn_fields_flag_value[];
int tn_route_flag_list(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_flag_define(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_flag_remove(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_flag_values(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_flag_set(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_flag_unset(tn_exchange_t *exchange, tn_err_t *err);

/* routes_audit.c */
int tn_route_audit_list(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_audit_verify(tn_exchange_t *exchange, tn_err_t *err);

/* routes_cache.c */
extern const tn_json_field_t tn_fields_cache_action[];
int tn_route_cache_show(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_cache_build(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_status(tn_exchange_t *exchange, tn_err_t *err);
int tn_route_health(tn_exchange_t *exchange, tn_err_t *err);

/* routes_current.c */
int tn_route_current(tn_exchange_t *exchange, tn_err_t *err);

/* page_selection.c */
int tn_page_selection(tn_exchange_t *exchange, tn_err_t *err);
