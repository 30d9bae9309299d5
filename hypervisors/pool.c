/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/pool.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "mom/mem.h"

#define NEVER INT64_MAX

struct job {
	struct job *next;
	struct pool_job what;
	uint64_t number;
	int64_t due_ms;  /* when it is late */
	int64_t slow_ms; /* when it is slow, NEVER before it runs */
	bool late;
};

struct worker {
	struct pool *pool;
	unsigned slot, lane;
	pthread_t thread;
	bool started, ended;
	struct job *job; /* under way */
};

struct lane {
	unsigned first, count;    /* its workers */
	unsigned idle, waiting;   /* workers without a job; jobs without a worker */
	struct job *head, **tail; /* jobs in line */
	pthread_cond_t work;
};

struct pool {
	struct pool_options options;
	struct lane lanes[POOL_LANES_MAX];
	struct worker *workers;
	unsigned worker_count, alive;
	uint64_t numbers;
	bool closing, left; /* left: nobody waits for the threads any more */
	pthread_cond_t ended;
};

static void lock(struct pool *pool)
{
	pthread_mutex_lock(pool->options.lock);
}

static void unlock(struct pool *pool)
{
	pthread_mutex_unlock(pool->options.lock);
}

static bool key_runs(const struct pool *pool, const struct lane *lane, uint64_t key)
{
	if (!key)
		return false;
	for (unsigned i = lane->first; i < lane->first + lane->count; i++) {
		const struct job *job = pool->workers[i].job;
		if (job && job->what.key == key)
			return true;
	}
	return false;
}

static struct job *unlink_job(struct lane *lane, struct job **at)
{
	struct job *job = *at;
	*at = job->next;
	if (!job->next)
		lane->tail = at;
	job->next = NULL;
	lane->waiting--;
	return job;
}

/* The first job in line whose key isn't under way. */
static struct job *first_job(struct pool *pool, struct lane *lane)
{
	for (struct job **at = &lane->head; *at; at = &(*at)->next) {
		if (!key_runs(pool, lane, (*at)->what.key))
			return unlink_job(lane, at);
	}
	return NULL;
}

/* Wait for a job; NULL when the pool ends. */
static struct job *next_job(struct worker *worker)
{
	struct pool *pool = worker->pool;
	struct lane *lane = &pool->lanes[worker->lane];
	struct job *job;
	while (!(job = first_job(pool, lane)) && !(pool->closing && !lane->head)) {
		lane->idle++;
		pthread_cond_wait(&lane->work, pool->options.lock);
		lane->idle--;
	}
	return job;
}

static void carry_out(struct worker *worker, struct job *job)
{
	struct pool *pool = worker->pool;
	const struct pool_kind *kind = job->what.kind;
	worker->job = job;
	if (job->what.slow_ms)
		job->slow_ms = pool->options.clock_ms() + (int64_t)job->what.slow_ms;
	pthread_cond_signal(pool->options.due);
	unlock(pool);
	kind->run(job->what.work, worker->slot);
	lock(pool);
	worker->job = NULL;
	if (!job->late)
		kind->done(job->what.work);
	else if (kind->back)
		kind->back(job->what.work);
	if (job->what.key)
		pthread_cond_broadcast(&pool->lanes[worker->lane].work);
	pthread_cond_signal(pool->options.due); /* the owner may want something in time */
	unlock(pool);
	kind->free(job->what.work);
	free(job);
	lock(pool);
}

static void free_jobs(struct job *job)
{
	while (job) {
		struct job *next = job->next;
		job->what.kind->free(job->what.work);
		free(job);
		job = next;
	}
}

static void pool_free(struct pool *pool)
{
	for (unsigned i = 0; i < pool->options.lanes; i++) {
		free_jobs(pool->lanes[i].head);
		pthread_cond_destroy(&pool->lanes[i].work);
	}
	pthread_cond_destroy(&pool->ended);
	free(pool->workers);
	struct pool_options options = pool->options;
	free(pool);
	options.gone(options.owner);
}

static void *work(void *data)
{
	struct worker *worker = data;
	struct pool *pool = worker->pool;
	lock(pool);
	struct job *job;
	while ((job = next_job(worker)))
		carry_out(worker, job);
	unlock(pool);
	pool->options.leave(pool->options.owner, worker->slot);
	lock(pool);
	worker->ended = true;
	pool->alive--;
	bool last = pool->left && pool->alive == 0;
	pthread_cond_signal(&pool->ended);
	unlock(pool);
	if (last)
		pool_free(pool);
	return NULL;
}

/* Signals are the loop's: block them all in the new thread. Where no thread can be had
 * the jobs stay in line, and are late in time. */
static void start_worker(struct pool *pool, struct worker *worker)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	if (pool->options.stack_bytes)
		pthread_attr_setstacksize(&attributes, pool->options.stack_bytes);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&worker->thread, &attributes, work, worker) == 0) {
		worker->started = true;
		pool->alive++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
}

/* An idle worker that was told of an earlier job counts as idle until it wakes up. */
static void find_worker(struct pool *pool, struct lane *lane)
{
	if (lane->waiting <= lane->idle) {
		pthread_cond_signal(&lane->work);
		return;
	}
	for (unsigned i = lane->first; i < lane->first + lane->count; i++) {
		if (!pool->workers[i].started) {
			start_worker(pool, &pool->workers[i]);
			return;
		}
	}
}

uint64_t pool_submit(struct pool *pool, const struct pool_job *what)
{
	struct lane *lane = &pool->lanes[what->lane];
	struct job *job = mem_alloc(sizeof(*job));
	job->what = *what;
	job->number = ++pool->numbers;
	job->due_ms = pool->options.clock_ms() + (int64_t)what->late_ms;
	job->slow_ms = NEVER;
	*lane->tail = job;
	lane->tail = &job->next;
	lane->waiting++;
	find_worker(pool, lane);
	pthread_cond_signal(pool->options.due);
	return job->number;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Jobs that have waited too long are taken out of the line. */
static int64_t tick_line(struct lane *lane, int64_t now_ms, struct job **dead)
{
	int64_t next = NEVER;
	for (struct job **at = &lane->head; *at;) {
		if ((*at)->due_ms > now_ms) {
			next = earlier(next, (*at)->due_ms);
			at = &(*at)->next;
			continue;
		}
		struct job *job = unlink_job(lane, at);
		job->what.kind->late(job->what.work, false);
		job->next = *dead;
		*dead = job;
	}
	return next;
}

static int64_t tick_job(struct job *job, int64_t now_ms)
{
	const struct pool_kind *kind = job->what.kind;
	if (job->late)
		return NEVER;
	if (job->slow_ms <= now_ms) {
		job->slow_ms = NEVER;
		if (kind->slow)
			kind->slow(job->what.work);
	}
	if (job->due_ms <= now_ms) {
		job->late = true;
		kind->late(job->what.work, true);
		return NEVER;
	}
	return earlier(job->slow_ms, job->due_ms);
}

int64_t pool_tick(struct pool *pool, int64_t now_ms)
{
	struct job *dead = NULL;
	int64_t next = NEVER;
	for (unsigned i = 0; i < pool->worker_count; i++) {
		if (pool->workers[i].job)
			next = earlier(next, tick_job(pool->workers[i].job, now_ms));
	}
	for (unsigned i = 0; i < pool->options.lanes; i++)
		next = earlier(next, tick_line(&pool->lanes[i], now_ms, &dead));
	if (dead) {
		unlock(pool);
		free_jobs(dead);
		lock(pool);
	}
	return next;
}

unsigned pool_running(const struct pool *pool)
{
	unsigned running = 0;
	for (unsigned i = 0; i < pool->worker_count; i++)
		running += pool->workers[i].job != NULL;
	return running;
}

unsigned pool_room(const struct pool *pool, unsigned lane)
{
	unsigned room = pool->lanes[lane].count;
	for (unsigned i = 0; i < pool->worker_count; i++) {
		const struct worker *worker = &pool->workers[i];
		room -= worker->lane == lane && worker->job && worker->job->late;
	}
	return room;
}

static void lane_init(struct pool *pool, unsigned number)
{
	struct lane *lane = &pool->lanes[number];
	*lane = (struct lane){
		.first = pool->worker_count,
		.count = pool->options.slots[number],
		.tail = &lane->head,
	};
	pthread_cond_init(&lane->work, NULL);
	for (unsigned i = 0; i < lane->count; i++) {
		unsigned slot = pool->worker_count++;
		pool->workers[slot] =
			(struct worker){.pool = pool, .slot = slot, .lane = number};
	}
}

struct pool *pool_new(const struct pool_options *options)
{
	struct pool *pool = mem_alloc(sizeof(*pool));
	pool->options = *options;
	unsigned total = 0;
	for (unsigned i = 0; i < options->lanes; i++)
		total += options->slots[i];
	pool->workers = mem_array(total, sizeof(*pool->workers));
	for (unsigned i = 0; i < options->lanes; i++)
		lane_init(pool, i);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return pool;
}

static struct timespec in_ms(uint64_t ms)
{
	struct timespec when;
	clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_sec += (time_t)(ms / 1000);
	when.tv_nsec += (long)(ms % 1000) * 1000000;
	if (when.tv_nsec >= 1000000000) {
		when.tv_nsec -= 1000000000;
		when.tv_sec++;
	}
	return when;
}

/* Those that ended are joined, which takes no time; the others are on their own. */
static void part_with_threads(struct pool *pool)
{
	for (unsigned i = 0; i < pool->worker_count; i++) {
		struct worker *worker = &pool->workers[i];
		if (worker->started && worker->ended)
			pthread_join(worker->thread, NULL);
		else if (worker->started)
			pthread_detach(worker->thread);
	}
}

void pool_close(struct pool *pool, uint64_t wait_ms)
{
	struct timespec until = in_ms(wait_ms);
	lock(pool);
	pool->closing = true;
	for (unsigned i = 0; i < pool->options.lanes; i++)
		pthread_cond_broadcast(&pool->lanes[i].work);
	while (pool->alive && pthread_cond_timedwait(&pool->ended, pool->options.lock,
				      &until) != ETIMEDOUT)
		;
	pool->left = true;
	bool last = pool->alive == 0;
	part_with_threads(pool);
	unlock(pool);
	if (last)
		pool_free(pool);
}
