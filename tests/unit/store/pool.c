/*
 * The pool: as many readers as there are connections, one writer, and waiting that ends.
 */
#include "store/pool.h"

#include "base/clock.h"
#include "database.h"

#include <pthread.h>
#include <time.h>

static void test_readers_fill_the_pool(void **state)
{
    tn_test_database_t *database = *state;
    tn_tx_t *readers[TN_POOL_SIZE], *late = NULL;
    tn_err_t err = {0};
    for (int i = 0; i < TN_POOL_SIZE; i++) {
        readers[i] = tn_test_begin_read(database);
    }
    int64_t start_ms = tn_clock_steady_ms();
    assert_int_equal(tn_tx_begin(&late, database->store, TN_TX_READ, NULL, &err), TN_EBUSY);
    int64_t waited_ms = tn_clock_steady_ms() - start_ms;
    assert_true(waited_ms >= TN_POOL_WAIT_MS - 10 && waited_ms < TN_POOL_WAIT_MS + 2000);
    for (int i = 0; i < TN_POOL_SIZE; i++) {
        tn_tx_abort(readers[i]);
    }
    tn_tx_abort(tn_test_begin_read(database));
}

typedef struct {
    tn_test_database_t *database;
    int rounds;
    int64_t inside; /* how many hold the write lock; more than one is the fault looked for */
} turns_t;

static char no_turn[] = "no turn", two_writers[] = "two writers";

/* Returns the fault, or NULL. */
static void *take_turns(void *context)
{
    turns_t *turns = context;
    for (int i = 0; i < turns->rounds; i++) {
        tn_tx_t *tx = NULL;
        if (tn_tx_begin(&tx, turns->database->store, TN_TX_WRITE, &tn_test_actor, NULL) != TN_OK) {
            return no_turn;
        }
        int64_t others = __atomic_fetch_add(&turns->inside, 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_sub(&turns->inside, 1, __ATOMIC_SEQ_CST);
        tn_tx_abort(tx);
        if (others != 0) {
            return two_writers;
        }
    }
    return NULL;
}

/* More threads than connections, so that some wait for each of the two. */
static void test_writers_take_turns(void **state)
{
    pthread_t threads[TN_POOL_SIZE + 4];
    turns_t turns = {.database = *state, .rounds = 50};
    for (size_t i = 0; i < TN_POOL_SIZE + 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &turns), 0);
    }
    for (size_t i = 0; i < TN_POOL_SIZE + 4; i++) {
        void *fault = NULL;
        assert_int_equal(pthread_join(threads[i], &fault), 0);
        assert_null(fault);
    }
}

static void *end_later(void *context)
{
    const struct timespec pause = {.tv_nsec = 100 * 1000000L};
    (void)nanosleep(&pause, NULL);
    tn_tx_abort(context);
    return NULL;
}

static void test_a_writer_waits_for_its_turn(void **state)
{
    pthread_t thread;
    tn_tx_t *first = tn_test_begin(*state);
    assert_int_equal(pthread_create(&thread, NULL, end_later, first), 0);
    tn_tx_abort(tn_test_begin(*state));
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
#define WITH_DATABASE(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, tn_test_database_setup, tn_test_database_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DATABASE(test_readers_fill_the_pool),
        WITH_DATABASE(test_writers_take_turns),
        WITH_DATABASE(test_a_writer_waits_for_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
