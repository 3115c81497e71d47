/*
 * "/whoami": everything that this application was told, as JSON.
 */
#pragma once

#include "tenantry.h"

/* A page handler; the context is the visit. */
int whoami(const tn_page_t *page, void *context);
