/*
 * Migrations: bringing a database to the schema that this program works with.
 */
#pragma once

#include "store/driver.h"

/*
 * Applies what is missing, each step in a transaction of its own that records it; several processes
 * may do so at once. TN_EVERSION: the database is ahead of this program, and nothing was done.
 */
TN_CHECK int tn_schema_migrate(const tn_driver_t *driver, tn_connection_t *connection,
                               tn_err_t *err);
