/*
 * The nginx configuration that `tenantry run` starts nginx with, and `tenantry nginx-config`
 * prints: written to be read, and to be taken as the start of one's own.
 */
#pragma once

#include "base/buf.h"
#include "conf/conf.h"

/* What depends on the machine and not on the configuration. */
typedef struct {
    bool is_root;  /* nginx's master would give up the rights that its workers need here */
    bool has_ipv6; /* [::1] can be listened at */
} tn_nginx_machine_t;

/* Looks at this machine. */
tn_nginx_machine_t tn_nginx_machine(void);

/* Appends the configuration. TN_EINVAL: a path that nginx's syntax cannot express. */
TN_CHECK int tn_nginx_config_write(tn_buf_t *out, const tn_conf_t *conf,
                                   const tn_nginx_machine_t *machine, tn_err_t *err);

/* Where nginx is to listen: "127.0.0.1:3000", "[::1]:3000". Returns how many there are, at most 2.
 */
#define TN_NGINX_LISTEN_MAX  2
#define TN_NGINX_LISTEN_SIZE 64
size_t tn_nginx_listen(char out[TN_NGINX_LISTEN_MAX][TN_NGINX_LISTEN_SIZE], const tn_conf_t *conf,
                       const tn_nginx_machine_t *machine);
