/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/libvirt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

#include <libxml/parser.h>
#include <libxml/uri.h>

#include "hypervisors/libvirt_core.h"
#include "mom/mem.h"
#include "mom/units.h"

/* Calls into libvirt need little stack; the system's 8 MiB a thread add up. */
#define STACK_BYTES ((size_t)256 * 1024)

#define CLOSE_WAIT_MS 700
#define NEVER         INT64_MAX

/* ---- the keeper: what has to happen in time, in a thread that never makes a call ----
 */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* One that hangs is waited for: it asks for the next one when it is back. */
static bool awaits_survey(const struct core *core)
{
	return core->status.connected && !core->survey_running && !core->survey_stuck;
}

/* Do what is due; when to look again. */
static int64_t keep(struct core *core, int64_t now_ms)
{
	round_tick(core, now_ms);
	if (!core->status.connected && !core->connecting && core->retry_ms <= now_ms)
		link_connect(core);
	if (awaits_survey(core) && core->survey_ms <= now_ms)
		survey_want(core);
	int64_t next = pool_tick(core->pool, now_ms);
	if (core->round)
		next = earlier(next, core->round_due_ms);
	if (!core->status.connected && !core->connecting)
		next = earlier(next, core->retry_ms);
	if (awaits_survey(core))
		next = earlier(next, core->survey_ms);
	return next;
}

static void wait_until(struct core *core, int64_t when_ms)
{
	if (when_ms == NEVER) {
		pthread_cond_wait(&core->due, &core->lock);
		return;
	}
	struct timespec when = {
		.tv_sec = (time_t)(when_ms / 1000),
		.tv_nsec = (long)(when_ms % 1000) * 1000000,
	};
	pthread_cond_timedwait(&core->due, &core->lock, &when);
}

static void *keeper_run(void *data)
{
	struct core *core = data;
	core_lock(core);
	while (!core->closing) {
		int64_t next = keep(core, core_now_ms());
		if (!core->closing && next > core_now_ms())
			wait_until(core, next);
	}
	core_unlock(core);
	return NULL;
}

/* ---- opening and closing ---- */

/* Two for the connection, or one where there are few; half of the others for orders. */
static void share_slots(unsigned slots[POOL_LANES_MAX], uint32_t workers)
{
	unsigned total = (unsigned)clamp_u64(workers, SLOTS_MIN, SLOTS_MAX);
	slots[LANE_CONTROL] = total >= 8 ? 2 : 1;
	slots[LANE_ORDERS] = (total - slots[LANE_CONTROL]) / 2;
	slots[LANE_SAMPLES] = total - slots[LANE_CONTROL] - slots[LANE_ORDERS];
}

static struct pool *new_pool(struct core *core, const struct hypervisor_env *env)
{
	struct pool_options options = {
		.lock = &core->lock,
		.due = &core->due,
		.clock_ms = core_now_ms,
		.lanes = LANE_COUNT,
		.stack_bytes = STACK_BYTES,
		.owner = core,
		.leave = link_leave,
		.gone = core_unref,
	};
	share_slots(options.slots, env->workers);
	core->insisting_max = options.slots[LANE_SAMPLES] / 2;
	core_ref(core);
	return pool_new(&options);
}

static void core_init(struct core *core, const struct hypervisor_env *env)
{
	core->refs = 1;
	core->uri = mem_dup(env->uri);
	core->proc_root = mem_dup(env->proc_root ? env->proc_root : "/proc");
	core->deadline_ms = env->call_deadline_ms;
	core->resync_ms = env->resync_period_ms;
	core->stats_period_s = env->stats_period_s ? env->stats_period_s : 1;
	core->set_stats_period = env->set_stats_period;
	core->in_process = strncmp(env->uri, "test:", 5) == 0;
	core->backoff_ms = BACKOFF_MS;
	core->status.since_ms = core_now_ms();
	snprintf(core->status.why, sizeof(core->status.why), "not connected yet");
	core->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	core->last = &core->first;
	pthread_mutex_init(&core->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&core->due, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static int check_uri(const char *text, struct err *err)
{
	xmlURIPtr uri = text ? xmlParseURI(text) : NULL;
	bool good = uri && uri->scheme;
	xmlFreeURI(uri);
	if (good)
		return 0;
	return err_set(err, -EINVAL, "'%s' is not a libvirt URI such as qemu:///system",
		text ? text : "");
}

/* Signals are the loop's: none of the threads takes any. */
static int start_threads(struct core *core, struct err *err)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	bool looping = link_event_loop_start(&attributes);
	int failed =
		looping ? pthread_create(&core->keeper, &attributes, keeper_run, core)
			: EAGAIN;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	if (!failed)
		return 0;
	if (looping)
		link_event_loop_stop();
	return err_errno(err, failed, "libvirt: can't start a thread");
}

static int libvirt_open(void **self, const struct hypervisor_env *env, struct err *err)
{
	int code = check_uri(env->uri, err);
	if (code < 0)
		return code;
	xmlInitParser();
	struct core *core = mem_alloc(sizeof(*core));
	core_init(core, env);
	core->pool = new_pool(core, env);
	code = start_threads(core, err);
	if (code < 0) {
		pool_close(core->pool, 0);
		core_unref(core);
		return code;
	}
	*self = core;
	return 0;
}

static void libvirt_close(void *self)
{
	struct core *core = self;
	if (!core)
		return;
	core_lock(core);
	core->closing = true;
	link_farewell(core);
	pthread_cond_signal(&core->due);
	core_unlock(core);
	pthread_join(core->keeper, NULL);
	pool_close(core->pool, CLOSE_WAIT_MS);
	link_event_loop_stop();
	core_unref(core);
}

/* ---- the interface ---- */

static int libvirt_fd(void *self)
{
	struct core *core = self;
	return core->event_fd;
}

static void libvirt_refresh(void *self)
{
	struct core *core = self;
	core_lock(core);
	round_begin(core);
	core_unlock(core);
}

static int libvirt_next_event(void *self, struct hypervisor_event *event)
{
	struct core *core = self;
	eventfd_t count;
	core_lock(core);
	struct event_node *node = core->first;
	if (node) {
		core->first = node->next;
		if (!core->first)
			core->last = &core->first;
		*event = node->event;
	} else {
		eventfd_read(core->event_fd, &count);
	}
	core_unlock(core);
	free(node);
	return node != NULL;
}

static void libvirt_sample(void *self, struct snapshot *into)
{
	struct core *core = self;
	core_lock(core);
	into->connected = core->status.connected;
	for (size_t i = 0; i < core->guest_count; i++) {
		struct guest *guest = core->guests[i];
		if (!guest->known)
			continue;
		struct guest_facts *facts = snapshot_add_guest(into);
		*facts = guest->facts;
		facts->metadata = mem_dup(guest->facts.metadata);
		facts->build.stats_period_s = guest->stats_period_s;
		balloon_stats_taken(&guest->facts);
	}
	core_unlock(core);
}

static int libvirt_set_target(
	void *self, const char *uuid, uint64_t target_kib, struct err *err)
{
	struct core *core = self;
	core_lock(core);
	struct guest *guest = core_find(core, uuid);
	int code = 0;
	if (!guest || !guest->known)
		code = err_set(err, -ENOENT, "no guest has the UUID %s", uuid);
	else if (!core->status.connected)
		code = err_set(err, -ENOTCONN, "no connection to '%s'", core->uri);
	else if (core->status.read_only)
		core_tell_order(core, guest, target_kib, -EPERM);
	else
		code = order_set_target(core, guest, target_kib, err);
	core_unlock(core);
	return code;
}

static void libvirt_ask_statistics(void *self, const char *uuid)
{
	struct core *core = self;
	core_lock(core);
	struct guest *guest = core_find(core, uuid);
	if (guest)
		order_ask_statistics(core, guest);
	core_unlock(core);
}

static void libvirt_status(void *self, struct hypervisor_status *status)
{
	struct core *core = self;
	core_lock(core);
	*status = core->status;
	status->calls = pool_running(core->pool);
	core_unlock(core);
}

const struct hypervisor hypervisor_libvirt = {
	.name = "libvirt",
	.open = libvirt_open,
	.fd = libvirt_fd,
	.refresh = libvirt_refresh,
	.next_event = libvirt_next_event,
	.sample = libvirt_sample,
	.set_target = libvirt_set_target,
	.ask_statistics = libvirt_ask_statistics,
	.status = libvirt_status,
	.close = libvirt_close,
};
