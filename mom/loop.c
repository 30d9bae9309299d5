/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#define notify(text) sd_notify(0, text)
#else
#define notify(text) ((void)(text))
#endif

#include "mom/daemon.h"
#include "mom/events.h"
#include "mom/log.h"
#include "mom/mem.h"
#include "mom/methods_reserve.h"
#include "mom/pages.h"
#include "mom/publish.h"
#include "mom/remember.h"
#include "mom/units.h"

#define RELEASE_WAIT_MS 1000  /* for orders on their way at the end */
#define ROUND_LEAST_MS  50    /* between rounds that events ask for */
#define TRIM_MS         10000 /* memory that a burst of requests left is given back … */
#define TRIM_BYTES      (512 * 1024) /* … where it is worth it */
#define PING_MS         5000 /* the watchdog hears of a loop that waits in good order */

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t daemon_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t daemon_clock_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

static struct timeval timeval_from_ms(uint64_t ms)
{
	return (struct timeval){.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* ---- rounds and ticks ---- */

static void begin_round(struct daemon *daemon)
{
	daemon->in_round = true;
	daemon->again = false;
	daemon->began_ms = daemon_now_ms();
	uint64_t wait_ms = engine_begin(&daemon->engine);
	struct timeval delay = timeval_from_ms(wait_ms);
	if (wait_ms)
		evtimer_add(daemon->sample, &delay);
	else
		engine_sample(&daemon->engine);
}

static void on_sample(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct daemon *daemon = context;
	engine_sample(&daemon->engine);
}

static void on_begin(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct daemon *daemon = context;
	int64_t late_ms = daemon_now_ms() - daemon->due_ms;
	if (daemon->due_ms)
		spread_add(&daemon->lateness, late_ms > 0 ? (double)late_ms / 1000 : 0);
	if (daemon->due_ms && late_ms > (int64_t)engine_period_ms(&daemon->engine))
		daemon->ticks_late++; /* the daemon itself was held up */
	begin_round(daemon);
}

/* At once, but guests that come and go all the time don't keep the daemon busy. */
static void want_round(struct daemon *daemon)
{
	int64_t due_ms = daemon->began_ms + ROUND_LEAST_MS - daemon_now_ms();
	struct timeval soon = timeval_from_ms(due_ms > 0 ? (uint64_t)due_ms : 0);
	if (daemon->in_round)
		daemon->again = true;
	else
		evtimer_add(daemon->begin, &soon);
}

void daemon_hurry(struct daemon *daemon)
{
	want_round(daemon);
}

/* The watchdog barks when neither ticks come nor the loop is in good order. */
static void ping(struct daemon *daemon)
{
	daemon->pinged_ms = daemon_now_ms();
	notify("WATCHDOG=1");
}

/*
 * A period or a call's deadline may be longer than the watchdog's patience: a loop that
 * waits for either, and not for longer, is alive.
 */
static void ping_while_waiting(struct daemon *daemon)
{
	const struct config *config = daemon->engine.config;
	int64_t now_ms = daemon_now_ms();
	uint64_t wait_ms = daemon->in_round ? config->hypervisor.call_deadline_ms
					    : config->sampling.period_ms;
	bool due = now_ms - daemon->pinged_ms >= PING_MS;
	if (due && now_ms - daemon->began_ms < (int64_t)wait_ms + PING_MS)
		ping(daemon);
}

static void schedule(struct daemon *daemon)
{
	int64_t due_ms = daemon->began_ms + (int64_t)engine_period_ms(&daemon->engine) -
			 daemon_now_ms();
	if (due_ms < 0)
		daemon->ticks_late++;
	daemon->due_ms = daemon_now_ms() + (due_ms < 0 ? 0 : due_ms);
	struct timeval delay = timeval_from_ms(due_ms < 0 ? 0 : (uint64_t)due_ms);
	evtimer_add(daemon->begin, &delay);
	if (daemon->again)
		want_round(daemon);
}

/* Who manages memory doesn't sit on what clients had once made it take. */
static void trim(struct daemon *daemon, int64_t now_ms)
{
	if (now_ms - daemon->trimmed_ms < TRIM_MS)
		return;
	daemon->trimmed_ms = now_ms;
	if (mallinfo2().fordblks > TRIM_BYTES)
		malloc_trim(0);
}

static double clock_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_tick(struct daemon *daemon, int64_t now_ms)
{
	double start_s = clock_s();
	engine_tick(&daemon->engine, now_ms);
	spread_add(&daemon->tick_time, clock_s() - start_s);
	daemon->ticked_at_ms = (uint64_t)daemon_clock_ms();
	remember_tick(daemon);
	reserve_waits_follow(daemon);
	publish_tick(daemon);
	hook_tick(daemon);
}

static void tick(struct daemon *daemon)
{
	int64_t start_ms = daemon_now_ms();
	daemon->in_round = false;
	run_tick(daemon, start_ms);
	daemon->last_tick_ms = (uint64_t)(daemon_now_ms() - start_ms);
	trim(daemon, start_ms);
	ping(daemon);
	schedule(daemon);
}

/*
 * Memory fell below a mark between ticks, or a collector cries out: decide at once, on
 * the guests' figures of the last round. The round that is under way goes on.
 */
static void emergency(struct daemon *daemon)
{
	if (daemon->stopping)
		return;
	daemon->emergencies++;
	run_tick(daemon, daemon_now_ms());
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct daemon *daemon = context;
	ping_while_waiting(daemon);
	if (engine_glance(&daemon->engine))
		emergency(daemon);
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	emergency(context);
}

static void free_wakes(struct daemon *daemon)
{
	for (size_t i = 0; i < DAEMON_WAKES_MAX; i++) {
		if (daemon->wakes[i])
			event_free(daemon->wakes[i]);
		daemon->wakes[i] = NULL;
	}
}

static void watch_collectors(struct daemon *daemon)
{
	const struct engine *engine = &daemon->engine;
	struct timeval period = timeval_from_ms(engine->config->sampling.watch_period_ms);
	evtimer_add(daemon->watch, &period);
	free_wakes(daemon);
	for (size_t i = 0, count = 0; i < engine->collector_count; i++) {
		const struct engine_collector *collector = &engine->collectors[i];
		if (!collector->self || !collector->part->wake_fd ||
			count == DAEMON_WAKES_MAX)
			continue;
		int fd = collector->part->wake_fd(collector->self);
		if (fd < 0)
			continue;
		struct event *wake = event_new(
			daemon->base, fd, EV_READ | EV_PERSIST, on_wake, daemon);
		if (wake)
			event_add(wake, NULL);
		daemon->wakes[count++] = wake;
	}
}

static void stop_now(struct daemon *daemon)
{
	event_base_loopbreak(daemon->base);
}

/* At the end only the orders that give memory back are waited for, and not answers to
 * those before. */
static void drain_release(struct daemon *daemon, const struct hypervisor_event *event)
{
	if (event->kind != EVENT_ORDER_DONE || !daemon->releases ||
		!engine_released(&daemon->engine, event))
		return;
	if (--daemon->releases == 0)
		stop_now(daemon);
}

static void on_hypervisor(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct daemon *daemon = context;
	const struct engine *engine = &daemon->engine;
	struct hypervisor_event event;
	bool due = false;
	while (engine->env.hypervisor->next_event(engine->hypervisor_self, &event) > 0) {
		enum engine_need need = engine_event(&daemon->engine, &event);
		publish_input(daemon, &event);
		if (daemon->stopping)
			drain_release(daemon, &event);
		else if (need == NEED_TICK)
			due = true;
		else if (need == NEED_ROUND)
			want_round(daemon);
	}
	if (due)
		tick(daemon);
}

static void unwatch_hypervisor(struct daemon *daemon)
{
	if (daemon->hypervisor)
		event_free(daemon->hypervisor);
	daemon->hypervisor = NULL;
}

static int watch_hypervisor(struct daemon *daemon)
{
	int fd = daemon->engine.env.hypervisor->fd(daemon->engine.hypervisor_self);
	daemon->hypervisor =
		event_new(daemon->base, fd, EV_READ | EV_PERSIST, on_hypervisor, daemon);
	return daemon->hypervisor ? event_add(daemon->hypervisor, NULL) : -1;
}

/* A round of the hypervisor that was left never ends. */
static void forget_round(struct daemon *daemon)
{
	daemon->in_round = false;
	evtimer_del(daemon->sample);
}

/* ---- from outside ---- */

static void tell_what_waits(const struct config *old, const struct config *new)
{
	if (strcmp(old->control.socket, new->control.socket) != 0 ||
		strcmp(old->control.group, new->control.group) != 0 ||
		strcmp(old->control.admin_group, new->control.admin_group) != 0)
		log_warning("control: the socket and its groups stay as they are until "
			    "momd starts anew");
}

static void lock_memory(const struct daemon *daemon)
{
	struct err err;
	if (mem_lock(daemon->engine.config->lock_memory, &err) < 0)
		log_warning("lock_memory: %s; going on without", err.text);
}

int daemon_reload(struct daemon *daemon, struct err *err)
{
	struct config *config;
	int result = daemon_read_config(daemon, &config, err);
	if (result < 0)
		return result;
	tell_what_waits(daemon->engine.config, config);
	notify("RELOADING=1");
	/* their descriptors close with the parts, and their numbers are taken again */
	free_wakes(daemon);
	unwatch_hypervisor(daemon);
	const void *hypervisor = daemon->engine.hypervisor_self;
	result = engine_reconfigure(&daemon->engine, config, err);
	watch_hypervisor(daemon);
	watch_collectors(daemon);
	if (daemon->engine.hypervisor_self != hypervisor)
		forget_round(daemon);
	if (result == 0) {
		lock_memory(daemon);
		remember_follow(daemon);
		pages_follow(daemon);
		want_round(daemon);
	}
	notify("READY=1");
	return result;
}

static void on_reload(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct err err;
	if (daemon_reload(context, &err) < 0)
		log_error("%s; the old configuration stays", err.text);
	else
		events_say(context, LOG_LEVEL_NOTICE, OCCURRENCE_CONTROL,
			"configuration read anew");
}

static void on_stop_wait(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct daemon *daemon = context;
	log_warning("%zu orders to give memory back were not answered in time",
		daemon->releases);
	stop_now(daemon);
}

static void on_stop(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct daemon *daemon = context;
	if (daemon->stopping)
		return;
	daemon->stopping = true;
	notify("STOPPING=1");
	reserve_waits_end(daemon);
	bool release = daemon->engine.config->on_exit == EXIT_RELEASE;
	daemon->releases = release ? engine_release(&daemon->engine) : 0;
	events_say(daemon, LOG_LEVEL_NOTICE, OCCURRENCE_ENDING, "ending; balloons %s",
		daemon->releases ? "are released" : "stay as they are");
	if (!daemon->releases) {
		stop_now(daemon);
		return;
	}
	struct timeval wait = timeval_from_ms(RELEASE_WAIT_MS);
	evtimer_del(daemon->begin);
	evtimer_del(daemon->sample);
	evtimer_add(daemon->stop_wait, &wait);
}

/* ---- the loop ---- */

int daemon_loop_new(struct daemon *daemon, struct err *err)
{
	static const struct {
		int number;
		event_callback_fn handler;
	} signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};
	daemon->base = event_base_new();
	if (!daemon->base)
		return err_set(err, -ENOMEM, "libevent cannot make an event loop");
	daemon->begin = evtimer_new(daemon->base, on_begin, daemon);
	daemon->sample = evtimer_new(daemon->base, on_sample, daemon);
	daemon->watch = event_new(daemon->base, -1, EV_PERSIST, on_watch, daemon);
	daemon->stop_wait = evtimer_new(daemon->base, on_stop_wait, daemon);
	bool whole = daemon->begin && daemon->sample && daemon->watch &&
		     daemon->stop_wait && watch_hypervisor(daemon) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		daemon->signals[i] = evsignal_new(
			daemon->base, signals[i].number, signals[i].handler, daemon);
		whole = whole && daemon->signals[i] &&
			event_add(daemon->signals[i], NULL) == 0;
	}
	if (!whole)
		return err_set(
			err, -ENOMEM, "libevent cannot watch what the daemon needs");
	signal(SIGPIPE, SIG_IGN);
	watch_collectors(daemon);
	return hook_open(daemon, err);
}

void daemon_loop_free(struct daemon *daemon)
{
	struct event *events[] = {daemon->begin, daemon->sample, daemon->watch,
		daemon->stop_wait, daemon->hypervisor, daemon->signals[0],
		daemon->signals[1], daemon->signals[2]};
	free_wakes(daemon);
	hook_close(daemon);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i])
			event_free(events[i]);
	if (daemon->base)
		event_base_free(daemon->base);
}

void daemon_run(struct daemon *daemon)
{
	lock_memory(daemon);
	daemon->started_at_ms = daemon_clock_ms();
	begin_round(daemon);
	notify("READY=1");
	event_base_dispatch(daemon->base);
}
