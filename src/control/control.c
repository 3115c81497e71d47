/*
 * The daemon's shared state; see control.h.
 */
#include "control/control.h"

static int note(tn_control_t *control, int code)
{
    /* only an answer of the publisher changes what is known: a full disk says nothing about it */
    if (code == TN_OK || code == TN_EFOREIGN) {
        atomic_store(&control->is_refused, code == TN_EFOREIGN);
    }
    return code;
}

int tn_control_publish(uint64_t *generation, tn_control_t *control, tn_store_t *store,
                       tn_err_t *err)
{
    return note(control, tn_publisher_sync(generation, control->publisher, store, err));
}

int tn_control_rebuild(uint64_t *generation, tn_control_t *control, tn_store_t *store, bool force,
                       tn_err_t *err)
{
    return note(control, tn_publisher_rebuild(generation, control->publisher, store, force, err));
}
