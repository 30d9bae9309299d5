/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <cmocka.h>

#include "hypervisors/pool.h"
#include "mom/mem.h"

enum { QUICK, SLOW_LANE };

/* A clock that stands still until a test moves it. */
static atomic_llong now_ms = 1000;

static int64_t test_clock_ms(void)
{
	return atomic_load(&now_ms);
}

/* A pool, and what its jobs did; everything under the lock. */
struct bench {
	pthread_mutex_t lock;
	pthread_cond_t changed, due;
	struct pool *pool;
	unsigned begun, done, slow, late, never, back, freed, left;
	unsigned running, most_running;
	bool gone;
};

/* A call that hangs until it is let go. */
struct call {
	struct bench *bench;
	bool released, finished;
	unsigned slot;
	int order; /* of its end among all */
};

static void bench_wait(struct bench *bench, const unsigned *count, unsigned wanted)
{
	while (*count < wanted)
		pthread_cond_wait(&bench->changed, &bench->lock);
}

static void call_run(void *work, unsigned slot)
{
	struct call *call = work;
	struct bench *bench = call->bench;
	pthread_mutex_lock(&bench->lock);
	call->slot = slot;
	bench->begun++;
	bench->running++;
	if (bench->running > bench->most_running)
		bench->most_running = bench->running;
	pthread_cond_broadcast(&bench->changed);
	while (!call->released)
		pthread_cond_wait(&bench->changed, &bench->lock);
	bench->running--;
	pthread_mutex_unlock(&bench->lock);
}

static void call_done(void *work)
{
	struct call *call = work;
	call->finished = true;
	call->order = (int)call->bench->done++;
	pthread_cond_broadcast(&call->bench->changed);
}

static void call_slow(void *work)
{
	((struct call *)work)->bench->slow++;
}

static void call_late(void *work, bool started)
{
	struct call *call = work;
	call->bench->late += started;
	call->bench->never += !started;
}

static void call_back(void *work)
{
	struct call *call = work;
	call->bench->back++;
	pthread_cond_broadcast(&call->bench->changed);
}

static void call_free(void *work)
{
	struct bench *bench = ((struct call *)work)->bench;
	pthread_mutex_lock(&bench->lock);
	bench->freed++;
	pthread_cond_broadcast(&bench->changed);
	pthread_mutex_unlock(&bench->lock);
}

static const struct pool_kind call_kind = {
	.run = call_run,
	.done = call_done,
	.slow = call_slow,
	.late = call_late,
	.back = call_back,
	.free = call_free,
};

static void bench_leave(void *owner, unsigned slot)
{
	struct bench *bench = owner;
	(void)slot;
	pthread_mutex_lock(&bench->lock);
	bench->left++;
	pthread_mutex_unlock(&bench->lock);
}

static void bench_gone(void *owner)
{
	struct bench *bench = owner;
	pthread_mutex_lock(&bench->lock);
	bench->gone = true;
	pthread_cond_broadcast(&bench->changed);
	pthread_mutex_unlock(&bench->lock);
}

/* Two slots in the first lane, one in the second. Comes with the lock held. */
static void bench_init(struct bench *bench)
{
	*bench = (struct bench){0};
	pthread_mutex_init(&bench->lock, NULL);
	pthread_cond_init(&bench->changed, NULL);
	pthread_cond_init(&bench->due, NULL);
	bench->pool = pool_new(&(struct pool_options){
		.lock = &bench->lock,
		.due = &bench->due,
		.clock_ms = test_clock_ms,
		.slots = {[QUICK] = 2, [SLOW_LANE] = 1},
		.lanes = 2,
		.stack_bytes = 256 * 1024,
		.owner = bench,
		.leave = bench_leave,
		.gone = bench_gone,
	});
	pthread_mutex_lock(&bench->lock);
}

static void bench_done(struct bench *bench)
{
	pthread_mutex_unlock(&bench->lock);
	pool_close(bench->pool, 10000);
	pthread_mutex_lock(&bench->lock);
	while (!bench->gone)
		pthread_cond_wait(&bench->changed, &bench->lock);
	pthread_mutex_unlock(&bench->lock);
	pthread_cond_destroy(&bench->changed);
	pthread_cond_destroy(&bench->due);
	pthread_mutex_destroy(&bench->lock);
}

static uint64_t submit(struct call *call, unsigned lane, uint64_t key)
{
	return pool_submit(call->bench->pool, &(struct pool_job){
						      .kind = &call_kind,
						      .work = call,
						      .lane = lane,
						      .key = key,
						      .slow_ms = 500,
						      .late_ms = 5000,
					      });
}

static void release(struct call *call)
{
	call->released = true;
	pthread_cond_broadcast(&call->bench->changed);
}

static void answers_in_time(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	struct call first = {.bench = &bench, .released = true};
	struct call second = first;
	assert_true(submit(&first, QUICK, 0) < submit(&second, QUICK, 0));
	bench_wait(&bench, &bench.freed, 2);
	assert_true(first.finished && second.finished);
	assert_int_equal(pool_running(bench.pool), 0);
	bench_done(&bench);
	assert_int_equal(bench.late + bench.never + bench.back, 0);
}

/* Two hang, a third waits; the other lane goes on. */
static void a_lane_hangs_alone(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	struct call stuck[3] = {{.bench = &bench}, {.bench = &bench}, {.bench = &bench}};
	struct call other = {.bench = &bench, .released = true};
	for (size_t i = 0; i < 3; i++)
		submit(&stuck[i], QUICK, 0);
	submit(&other, SLOW_LANE, 0);
	bench_wait(&bench, &bench.done, 1);
	bench_wait(&bench, &bench.begun, 3);
	assert_true(other.finished);
	assert_int_equal(other.slot, 2);
	assert_int_equal(pool_running(bench.pool), 2);
	for (size_t i = 0; i < 3; i++)
		release(&stuck[i]);
	bench_wait(&bench, &bench.done, 4);
	assert_true(bench.most_running <= 3);
	bench_done(&bench);
}

/* A second job finds the thread that was told of the first one still asleep. */
static void a_hanging_job_takes_no_other_along(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	struct call warm = {.bench = &bench, .released = true};
	submit(&warm, QUICK, 0);
	bench_wait(&bench, &bench.freed, 1);
	struct call stuck = {.bench = &bench};
	struct call well = {.bench = &bench, .released = true};
	submit(&stuck, QUICK, 0);
	submit(&well, QUICK, 0);
	bench_wait(&bench, &bench.done, 2);
	assert_true(well.finished);
	release(&stuck);
	bench_done(&bench);
}

static void late_answers_are_dropped(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	struct call call = {.bench = &bench};
	submit(&call, QUICK, 0);
	bench_wait(&bench, &bench.begun, 1);
	int64_t start = test_clock_ms();
	assert_int_equal(pool_tick(bench.pool, start + 499), start + 500);
	assert_int_equal(bench.slow, 0);
	assert_int_equal(pool_tick(bench.pool, start + 500), start + 5000);
	assert_int_equal(pool_tick(bench.pool, start + 501), start + 5000);
	assert_int_equal(bench.slow, 1);
	assert_int_equal(pool_room(bench.pool, QUICK), 2);
	assert_true(pool_tick(bench.pool, start + 5000) == INT64_MAX);
	assert_int_equal(bench.late, 1);
	assert_int_equal(pool_room(bench.pool, QUICK), 1);
	assert_int_equal(pool_running(bench.pool), 1);
	pool_tick(bench.pool, start + 90000);
	assert_int_equal(bench.late, 1);
	release(&call);
	bench_wait(&bench, &bench.freed, 1);
	assert_false(call.finished);
	assert_int_equal(bench.back, 1);
	assert_int_equal(pool_room(bench.pool, QUICK), 2);
	bench_done(&bench);
}

/* With all slots taken a job is given up in the line, and is not run afterwards. */
static void waiting_has_an_end(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	struct call stuck = {.bench = &bench},
		    waits = {.bench = &bench, .released = true};
	submit(&stuck, SLOW_LANE, 0);
	submit(&waits, SLOW_LANE, 0);
	bench_wait(&bench, &bench.begun, 1);
	pool_tick(bench.pool, test_clock_ms() + 5000);
	assert_int_equal(bench.late, 1);
	assert_int_equal(bench.never, 1);
	assert_int_equal(bench.freed, 1);
	struct call next = {.bench = &bench, .released = true};
	submit(&next, SLOW_LANE, 0);
	release(&stuck);
	bench_wait(&bench, &bench.done, 1);
	assert_true(next.finished);
	assert_int_equal(bench.begun, 2);
	bench_done(&bench);
}

static void one_key_is_one_after_another(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	struct call first = {.bench = &bench};
	struct call second = {.bench = &bench, .released = true}, other = second;
	submit(&first, QUICK, 7);
	submit(&second, QUICK, 7);
	submit(&other, QUICK, 8);
	bench_wait(&bench, &bench.done, 1);
	assert_true(other.finished);
	assert_false(second.finished);
	release(&first);
	bench_wait(&bench, &bench.done, 3);
	assert_true(first.order < second.order);
	bench_done(&bench);
}

/* The owner goes, the call comes back long after: everything is let go of all the same.
 */
static void ends_without_those_that_hang(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	struct call stuck = {.bench = &bench},
		    queued = {.bench = &bench, .released = true};
	submit(&stuck, SLOW_LANE, 0);
	bench_wait(&bench, &bench.begun, 1);
	submit(&queued, SLOW_LANE, 0);
	pthread_mutex_unlock(&bench.lock);
	pool_close(bench.pool, 1);
	pthread_mutex_lock(&bench.lock);
	assert_false(bench.gone);
	release(&stuck);
	while (!bench.gone)
		pthread_cond_wait(&bench.changed, &bench.lock);
	assert_int_equal(bench.freed, 2);
	assert_int_equal(bench.left, 1);
	pthread_mutex_unlock(&bench.lock);
}

static void carries_out_the_last_jobs(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	struct call calls[20];
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		calls[i] = (struct call){.bench = &bench, .released = true};
		submit(&calls[i], QUICK, i % 3);
	}
	bench_done(&bench);
	assert_int_equal(bench.done, ARRAY_SIZE(calls));
	assert_int_equal(bench.freed, ARRAY_SIZE(calls));
	assert_true(bench.most_running <= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_in_time),
		cmocka_unit_test(a_lane_hangs_alone),
		cmocka_unit_test(a_hanging_job_takes_no_other_along),
		cmocka_unit_test(late_answers_are_dropped),
		cmocka_unit_test(waiting_has_an_end),
		cmocka_unit_test(one_key_is_one_after_another),
		cmocka_unit_test(ends_without_those_that_hang),
		cmocka_unit_test(carries_out_the_last_jobs),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
