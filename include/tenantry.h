/*
 * Tenantry's C API: from a Host header to the tenant it belongs to, without a database, a lock or
 * a global. Every function takes the directory and the domain it is asked about; nothing remembers
 * a "current tenant".
 *
 * Strings are tn_str_t (pointer and length, not terminated) where they are borrowed from the
 * directory, and arrays inside structs (terminated) where they are copied. Functions that can fail
 * return 0 or a negative TN_E… code; an out parameter is written only on success.
 *
 * Threads: a tn_directory_t may be read by many threads at once (every function that takes it
 * `const`). tn_directory_refresh and tn_directory_close need it for themselves: give each thread
 * its own handle (opening one is a mapping, no copy), or lock around refresh.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TN_API   __attribute__((visibility("default")))
#define TN_CHECK __attribute__((warn_unused_result))

/* ---- errors ------------------------------------------------------------------------------- */

enum tn_error {
    TN_OK = 0,
    TN_ENOMEM = -1,       /* memory could not be had */
    TN_EINVAL = -2,       /* a value is not of the form it must have; the detail names the field */
    TN_EHOST = -3,        /* not a host name */
    TN_ENOTFOUND = -4,    /* the thing asked for does not exist, and that is known for certain */
    TN_EUNAVAILABLE = -5, /* cannot tell now: no readable directory, or no database */
    TN_EDAMAGED = -6,     /* a file or record fails its checksum or its form */
    TN_EVERSION = -7,     /* written by a version that this one does not read */
    TN_EFOREIGN = -8,     /* belongs to another database, or is older than what is served */
    TN_ECONFLICT = -9,    /* a name is taken, or a state does not allow the change */
    TN_EPRECONDITION = -10, /* the caller's expected version is not the current one */
    TN_EAUTH = -11,         /* the caller did not say who it is */
    TN_EPERM = -12,         /* the caller may not do this */
    TN_ETOKEN = -13,        /* a token is malformed, forged, expired, or for somebody else */
    TN_EIO = -14,           /* the operating system refused; the detail has its reason */
    TN_EFULL = -15,         /* no space left for it */
    TN_ETOOBIG = -16,       /* larger than its documented limit */
    TN_EBUSY = -17,         /* held by somebody else; trying again may help */
};

/* What went wrong, for a person. The caller provides it; it may be NULL everywhere. */
typedef struct {
    int code;         /* the same TN_E… that was returned */
    char field[64];   /* the field, key or header at fault, "" where none is */
    char detail[320]; /* one sentence, lower case, no full stop, nothing secret */
} tn_err_t;

/* The fixed English text of a code. Never NULL; a static string. */
TN_API const char *tn_error_text(int code);

/* ---- strings and hosts -------------------------------------------------------------------- */

typedef struct {
    const char *data; /* never NULL when it came from this library */
    size_t length;    /* bytes */
} tn_str_t;

#define TN_HOST_MAX    253 /* bytes of a name without its trailing dot, RFC 1035 section 3.1 */
#define TN_SLUG_MAX    63  /* a slug is one DNS label */
#define TN_UUID_LENGTH 36

typedef struct {
    char name[TN_HOST_MAX + 1]; /* ASCII lower case, no port, no trailing dot, terminated */
    size_t length;
    bool is_ip;    /* an IPv4 address or a bracketed IPv6 literal: never a tenant */
    bool has_port; /* a port was given; `port` holds it */
    uint16_t port;
} tn_host_t;

/*
 * Reads a Host header or an :authority (RFC 9110 section 7.2). TN_EHOST: empty, too long, a label
 * that is empty, over 63 bytes, or begins or ends with a hyphen, a byte outside letters, digits,
 * hyphen and dot, or a port that is not one. Raw UTF-8 and percent-encoding are such bytes.
 */
TN_API TN_CHECK int tn_host_parse(tn_host_t *out, const char *text, size_t length);

/* ---- the directory ------------------------------------------------------------------------ */

typedef struct tn_directory tn_directory_t;

typedef enum {
    TN_DIRECTORY_READY,
    TN_DIRECTORY_MISSING, /* there is no file */
    TN_DIRECTORY_DAMAGED, /* there is one, and it cannot be trusted */
    TN_DIRECTORY_FOREIGN_VERSION,
} tn_directory_state_t;

typedef struct {
    tn_directory_state_t state;
    uint64_t generation; /* the change-log version it stands at; 0 when not ready */
    uint64_t tenants;
    uint64_t domains; /* custom domains; sub-domains follow from the slugs */
    uint64_t flags;
    uint64_t size_bytes;     /* of the file */
    uint64_t used_bytes;     /* of its arena, live and superseded records */
    uint8_t database_id[16]; /* identity of the database it was built from */
} tn_directory_info_t;

/*
 * Opens the directory at path. A missing or unreadable file is not an error here: the handle is
 * then in the state that tn_directory_info tells, answers TN_EUNAVAILABLE, and looks again on
 * refresh. Fails with TN_ENOMEM or TN_EINVAL only. The caller closes it.
 */
TN_API TN_CHECK int tn_directory_open(tn_directory_t **out, const char *path, tn_err_t *err);

/* The same over a buffer that the caller keeps, unchanged, until close. 8-byte aligned. */
TN_API TN_CHECK int tn_directory_open_buffer(tn_directory_t **out, const void *data, size_t size,
                                             tn_err_t *err);

/*
 * Follows the file when its writer has moved on to a new one, and opens one that has appeared.
 * Everything borrowed from this handle ends here. One atomic load when there is nothing to do; the
 * file system is asked at most once a second (now_ms is any steady clock, in milliseconds).
 */
TN_API void tn_directory_refresh(tn_directory_t *directory, int64_t now_ms);

/* NULL is allowed. */
TN_API void tn_directory_close(tn_directory_t *directory);

TN_API void tn_directory_info(tn_directory_info_t *out, const tn_directory_t *directory);

/* ---- domains and tenants ------------------------------------------------------------------ */

typedef enum {
    TN_STATUS_ACTIVE = 1,
    TN_STATUS_MAINTENANCE = 2,
    TN_STATUS_SUSPENDED = 3,
    TN_STATUS_ARCHIVED = 4,
} tn_tenant_status_t;

/* "active", "maintenance", "suspended", "archived"; "unknown" for anything else. */
TN_API const char *tn_tenant_status_name(tn_tenant_status_t status);

/*
 * A tenant as the directory has it. The strings are borrowed from the directory until its next
 * refresh or close.
 */
typedef struct {
    char id[TN_UUID_LENGTH + 1]; /* lower-case UUID text */
    tn_str_t slug;
    tn_str_t name;
    tn_str_t plan;
    tn_str_t upstream;     /* where its requests go, "" for the operator's default */
    tn_str_t primary_host; /* its primary custom domain, "" when it has none */
    tn_tenant_status_t status;
    bool is_listed;            /* shown on the tenant-selection page */
    bool redirects_to_primary; /* requests at its other domains answer 308 to primary_host */
    uint64_t generation;       /* the change that wrote this version */
    const void *record;        /* the directory's own bytes, for flags and settings */
    size_t record_size;
} tn_tenant_t;

typedef enum {
    TN_DOMAIN_PLATFORM = 1,  /* a base domain itself: nobody's */
    TN_DOMAIN_SUBDOMAIN = 2, /* SLUG.BASE */
    TN_DOMAIN_CUSTOM = 3,
} tn_domain_kind_t;

/* A host that is served here, and whose it is. A plain value: it borrows nothing. */
typedef struct {
    tn_host_t host;
    tn_domain_kind_t kind;
    char tenant_id[TN_UUID_LENGTH + 1]; /* "" for the platform's own */
    char slug[TN_SLUG_MAX + 1];         /* the tenant's current slug */
    bool is_former_slug; /* the sub-domain carries a slug that the tenant had before */
    size_t base_length;  /* for sub-domains: the length of the base domain, at the host's end */
} tn_domain_t;

/*
 * The domain that a Host header names. TN_EHOST: no host name. TN_ENOTFOUND: the directory is good
 * and has no such host (an IP literal among them). TN_EUNAVAILABLE: there is no directory to ask,
 * or the place to look at is damaged; never read this as "no such tenant".
 */
TN_API TN_CHECK int tn_domain_from_host(tn_domain_t *out, const tn_directory_t *directory,
                                        const char *host, size_t length);

/* The tenant of a domain. TN_ENOTFOUND for the platform's own domains and tenants gone since. */
TN_API TN_CHECK int tn_tenant_from_domain(tn_tenant_t *out, const tn_directory_t *directory,
                                          const tn_domain_t *domain);

/* The tenant of an id (UUID text). */
TN_API TN_CHECK int tn_tenant_from_id(tn_tenant_t *out, const tn_directory_t *directory,
                                      const char *id, size_t length);

/* A setting that the operator publishes to the edge. TN_ENOTFOUND when the tenant has none. */
TN_API TN_CHECK int tn_tenant_setting(tn_str_t *out, const tn_tenant_t *tenant, const char *key);

/* Whether a flag is on for a tenant: its own value, else the flag's default. TN_ENOTFOUND when no
 * such flag is defined. */
TN_API TN_CHECK int tn_flag_is_on(bool *out, const tn_directory_t *directory,
                                  const tn_tenant_t *tenant, const char *key);

/* ---- the edge's word ---------------------------------------------------------------------- */

typedef struct {
    char tenant_id[TN_UUID_LENGTH + 1];
    char slug[TN_SLUG_MAX + 1];
    char host[TN_HOST_MAX + 1];
    int64_t issued_at_s; /* seconds since the epoch */
    int64_t expires_at_s;
} tn_token_t;

/*
 * Checks an X-Tenant-Token (a JWT, RFC 7519, signed EdDSA, RFC 8037) with the public keys that the
 * directory carries, against the domain it came in by. TN_ETOKEN: anything but a good signature by
 * a known key, over this domain's tenant and host, in its time (clock_skew_s seconds either way).
 * TN_EUNAVAILABLE: no directory, so no keys. Never trust X-Tenant-* headers without it where
 * anything but the edge can reach the application.
 */
TN_API TN_CHECK int tn_token_verify(tn_token_t *out, const tn_directory_t *directory,
                                    const tn_domain_t *domain, const char *token, size_t length,
                                    int64_t now_s, int64_t clock_skew_s, tn_err_t *err);

/* ---- pages -------------------------------------------------------------------------------- */

/* What a page handler is given, and all it needs to know. Borrowed for the call. */
typedef struct {
    const tn_directory_t *directory;
    const tn_domain_t *domain;
    const tn_tenant_t *tenant; /* its settings: tn_tenant_setting(page->tenant, …) */
} tn_page_t;

typedef int (*tn_page_handler_t)(const tn_page_t *page, void *context);

/*
 * Resolves the host and calls the handler with tenant, settings and domain; returns what the
 * handler returns, or the TN_E… code of the resolution without calling it. TN_EPERM: the tenant is
 * there and is not active.
 */
TN_API TN_CHECK int tn_page_serve(const tn_directory_t *directory, const char *host, size_t length,
                                  tn_page_handler_t handler, void *context);

#ifdef __cplusplus
}
#endif
