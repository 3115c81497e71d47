/*
 * Filling the caller's tn_err_t (declared, with the codes, in include/tenantry.h). The table of
 * texts lives in err.c; nothing here logs, and there is no thread-local last error.
 */
#pragma once

#include "tenantry.h"

#include <stdarg.h>

/*
 * Records code and a formatted detail, and returns code, so that `return tn_err_set(…)` reads in
 * one line. err may be NULL. The field is left empty.
 */
int tn_err_set(tn_err_t *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, naming the field, key or header that is at fault. */
int tn_err_field(tn_err_t *err, int code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Records an errno as TN_EIO (ENOSPC, EDQUOT: TN_EFULL; ENOMEM: TN_ENOMEM): "FORMATTED: reason". */
int tn_err_errno(tn_err_t *err, int error_number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
