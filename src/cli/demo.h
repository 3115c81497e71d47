/*
 * What `tenantry run --demo` puts into an empty database, and the URLs that a person may open.
 */
#pragma once

#include "cli/command.h"

/* Makes the three tenants when there is none; says so, or why not. */
void tn_demo_fill(tn_cli_t *cli);

/* Prints the page of all tenants and the first of them, by the API. */
void tn_demo_print_urls(tn_cli_t *cli);
