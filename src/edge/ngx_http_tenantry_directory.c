
/*
 * A worker's view of the directory: opened when the worker starts, and what
 * is logged about it. An outage meets every request; it is told once, then at
 * most once a minute with the number of requests it cost, and its end once.
 */


#include "ngx_http_tenantry_module.h"


#define NGX_HTTP_TENANTRY_REPORT_INTERVAL  60000


static char *ngx_http_tenantry_directory_state(tn_directory_state_t state);


ngx_int_t
ngx_http_tenantry_directory_init(ngx_cycle_t *cycle,
    ngx_http_tenantry_main_conf_t *tmcf)
{
    tn_err_t                     err;
    tn_directory_info_t          info;
    ngx_http_tenantry_worker_t  *worker;

    worker = &tmcf->worker;

    ngx_memzero(worker, sizeof(ngx_http_tenantry_worker_t));
    ngx_memzero(&err, sizeof(tn_err_t));

    if (tn_directory_open(&worker->directory, (char *) tmcf->directory.data,
                          &err)
        != TN_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "tenantry directory \"%V\" could not be opened: %s",
                      &tmcf->directory, err.detail);

        /* requests will be answered 503 */

        worker->directory = NULL;
        return NGX_OK;
    }

    tn_directory_info(&info, worker->directory);

    if (info.state == TN_DIRECTORY_READY) {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                      "tenantry directory \"%V\" read at generation %uL, "
                      "%uL tenants", &tmcf->directory, info.generation,
                      info.tenants);

    } else {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                      "tenantry directory \"%V\" %s yet", &tmcf->directory,
                      ngx_http_tenantry_directory_state(info.state));
    }

    return NGX_OK;
}


void
ngx_http_tenantry_directory_done(ngx_http_tenantry_main_conf_t *tmcf)
{
    tn_directory_close(tmcf->worker.directory);
    tmcf->worker.directory = NULL;
}


void
ngx_http_tenantry_directory_report(ngx_http_tenantry_main_conf_t *tmcf,
    tn_answer_t answer)
{
    char                        *state;
    tn_directory_info_t          info;
    ngx_http_tenantry_worker_t  *worker;

    worker = &tmcf->worker;

    if (answer != TN_ANSWER_UNAVAILABLE) {

        if (worker->down && answer != TN_ANSWER_INVALID_HOST) {
            tn_directory_info(&info, worker->directory);

            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "tenantry directory \"%V\" is back at generation "
                          "%uL, %ui requests were answered 503 since the "
                          "last report",
                          &tmcf->directory, info.generation, worker->refused);

            worker->down = 0;
            worker->reported = 0;
            worker->refused = 0;
        }

        return;
    }

    worker->refused++;

    info.state = TN_DIRECTORY_MISSING;

    if (worker->directory) {
        tn_directory_info(&info, worker->directory);
    }

    /*
     * In a good directory a single damaged entry may be met: one tenant's
     * requests are refused while the others' are served, and nothing is back
     * when one of those is answered.
     */

    if (info.state != TN_DIRECTORY_READY) {
        worker->down = 1;
    }

    if (worker->reported
        && ngx_current_msec - worker->reported_at
           < NGX_HTTP_TENANTRY_REPORT_INTERVAL)
    {
        return;
    }

    state = info.state == TN_DIRECTORY_READY ? "has a damaged entry"
                            : ngx_http_tenantry_directory_state(info.state);

    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                  "tenantry directory \"%V\" %s, %ui requests answered 503 "
                  "since the last report", &tmcf->directory, state,
                  worker->refused);

    worker->reported = 1;
    worker->reported_at = ngx_current_msec;
    worker->refused = 0;
}


static char *
ngx_http_tenantry_directory_state(tn_directory_state_t state)
{
    switch (state) {

    case TN_DIRECTORY_MISSING:
        return "is missing";

    case TN_DIRECTORY_DAMAGED:
        return "is damaged";

    case TN_DIRECTORY_FOREIGN_VERSION:
        return "is of another version";

    default:
        return "is not readable";
    }
}
