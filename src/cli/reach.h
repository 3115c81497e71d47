/*
 * Whether something answers at an address, and whether an address is free to listen at. Addresses
 * are "unix:PATH", "127.0.0.1:3000", "[::1]:3000" or "name:80".
 */
#pragma once

#include "tenantry.h"

/* Whether a connection is taken there now. */
bool tn_reach_answers(const char *address);

/* TN_OK when it could be listened at; TN_EBUSY when somebody does already, TN_EIO otherwise, each
 * with the reason. For IP addresses with a port. */
TN_CHECK int tn_reach_can_listen(const char *address, tn_err_t *err);
