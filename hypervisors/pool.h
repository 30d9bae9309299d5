/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A bounded number of threads for calls that may hang for ever. A job goes to a lane,
 * which has slots of its own, so that hanging jobs of one lane never hold up another; no
 * more threads run than there are slots. A job whose time is over is given up: its answer
 * is dropped whenever it comes, and its slot stays taken until then.
 *
 * One lock serves the pool and its owner: the owner holds it when it calls, but for
 * pool_new() and pool_close(), and finds it held in every callback that says so. Time is
 * a number from the owner's clock.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_LANES_MAX 4

struct pool;

/* What becomes of the work of one kind of job. */
struct pool_kind {
	/* The call itself: in a thread of the pool, without the lock; may hang. */
	void (*run)(void *work, unsigned slot);

	/* It answered in time; with the lock. */
	void (*done)(void *work);

	/* It has run for `slow_ms` and is still waited for; with the lock. May be NULL.
	 */
	void (*slow)(void *work);

	/* Its time is over: done() will not follow. With the lock; what run() writes must
	 * not be looked at. `started` is false where no slot came free for it. */
	void (*late)(void *work, bool started);

	/* The answer of a late one came and is dropped; with the lock. May be NULL. */
	void (*back)(void *work);

	/* The last thing that happens to it; without the lock. Where run() was called,
	 * in the same thread. */
	void (*free)(void *work);
};

struct pool_job {
	const struct pool_kind *kind;
	void *work;
	unsigned lane;
	uint64_t key;     /* jobs of one key go one after another in a lane; 0 none */
	uint64_t slow_ms; /* counted from its start; 0 never */
	uint64_t late_ms; /* counted from now, waiting for a slot included */
};

struct pool_options {
	pthread_mutex_t *lock;
	pthread_cond_t *due; /* signalled when pool_tick() is wanted earlier than it said,
			      and when a job has ended
			      */
	int64_t (*clock_ms)(void);
	unsigned slots[POOL_LANES_MAX]; /* of each lane */
	unsigned lanes;
	size_t stack_bytes; /* of each thread, 0 the system's */

	void *owner;
	/* A thread ends: let go of what belongs to its slot. Without the lock. */
	void (*leave)(void *owner, unsigned slot);
	/* Nothing of the pool is left; the lock isn't used any more. */
	void (*gone)(void *owner);
};

struct pool *pool_new(const struct pool_options *options);

/* Line up a job; returns its number, which is larger than all before. Slots are numbered
 * through the lanes in their order. */
uint64_t pool_submit(struct pool *pool, const struct pool_job *job);

/* Give up what is due. Lets the lock go for a moment. Returns when to come again. */
int64_t pool_tick(struct pool *pool, int64_t now_ms);

/* Jobs that run now, late ones included. */
unsigned pool_running(const struct pool *pool);

/* Slots of a lane that aren't taken by late jobs. */
unsigned pool_room(const struct pool *pool, unsigned lane);

/*
 * End: jobs in line are still carried out, threads that haven't ended after `wait_ms` are
 * left to themselves and clean up when their calls return. gone() is called by the last.
 */
void pool_close(struct pool *pool, uint64_t wait_ms);
