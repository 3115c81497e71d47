/*
 * The pages that a visitor sees: the tenant's home, and one for what is not there. Page handlers;
 * the context is the visit.
 */
#pragma once

#include "tenantry.h"

int page_home(const tn_page_t *page, void *context);
int page_missing(const tn_page_t *page, void *context);
