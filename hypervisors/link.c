/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/libvirt_core.h"

#include <errno.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

/* ---- libvirt's own event loop: one for the process, in a thread of its own ---- */

/*
 * libvirt knows one event loop in a process and never lets go of it, so this state is the
 * process's, too: the thread runs while anybody has a connection.
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	pthread_t thread;
	unsigned users;
	bool registered;
	int timer; /* fires to wake the thread */
	atomic_bool stop;
} event_loop = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.ready = PTHREAD_COND_INITIALIZER,
};

static void wake(int timer, void *data)
{
	(void)data;
	virEventUpdateTimeout(timer, -1);
}

/* Errors are asked for where they matter; libvirt isn't to print them. */
static void silent(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static void event_loop_register(void)
{
	pthread_mutex_lock(&event_loop.lock);
	if (!event_loop.registered) {
		virInitialize();
		virSetErrorFunc(NULL, silent);
		virEventRegisterDefaultImpl();
		event_loop.timer = virEventAddTimeout(-1, wake, NULL, NULL);
		event_loop.registered = true;
	}
	pthread_cond_broadcast(&event_loop.ready);
	pthread_mutex_unlock(&event_loop.lock);
}

static void *event_loop_run(void *data)
{
	(void)data;
	event_loop_register();
	while (!atomic_load(&event_loop.stop))
		virEventRunDefaultImpl();
	return NULL;
}

/* No connection may be opened before. */
static void event_loop_wait(void)
{
	pthread_mutex_lock(&event_loop.lock);
	while (!event_loop.registered)
		pthread_cond_wait(&event_loop.ready, &event_loop.lock);
	pthread_mutex_unlock(&event_loop.lock);
}

bool link_event_loop_start(const pthread_attr_t *attributes)
{
	pthread_mutex_lock(&event_loop.lock);
	bool running = event_loop.users > 0;
	if (!running) {
		atomic_store(&event_loop.stop, false);
		running = pthread_create(&event_loop.thread, attributes, event_loop_run,
				  NULL) == 0;
	}
	event_loop.users += running;
	pthread_mutex_unlock(&event_loop.lock);
	return running;
}

void link_event_loop_stop(void)
{
	pthread_mutex_lock(&event_loop.lock);
	bool last = --event_loop.users == 0;
	while (last && !event_loop.registered)
		pthread_cond_wait(&event_loop.ready, &event_loop.lock);
	if (last) {
		atomic_store(&event_loop.stop, true);
		virEventUpdateTimeout(event_loop.timer, 0);
	}
	pthread_mutex_unlock(&event_loop.lock);
	if (last)
		pthread_join(event_loop.thread, NULL);
}

/* ---- errors ---- */

static bool is_denied(const virError *error)
{
	switch (error ? error->code : VIR_ERR_OK) {
	case VIR_ERR_AUTH_FAILED:
	case VIR_ERR_AUTH_CANCELLED:
	case VIR_ERR_AUTH_UNAVAILABLE:
	case VIR_ERR_ACCESS_DENIED:
	case VIR_ERR_OPERATION_DENIED:
		return true;
	case VIR_ERR_SYSTEM_ERROR:
		return error->int1 == EACCES || error->int1 == EPERM;
	default:
		return false;
	}
}

int link_errno(void)
{
	const virError *error = virGetLastError();
	if (is_denied(error))
		return -EPERM;
	switch (error ? error->code : VIR_ERR_OK) {
	case VIR_ERR_NO_DOMAIN:
		return -ENOENT;
	case VIR_ERR_OPERATION_TIMEOUT:
		return -EBUSY;
	case VIR_ERR_OPERATION_INVALID:
		return -ENODEV;
	case VIR_ERR_NO_SUPPORT:
	case VIR_ERR_OPERATION_UNSUPPORTED:
	case VIR_ERR_ARGUMENT_UNSUPPORTED:
		return -ENOTSUP;
	case VIR_ERR_INVALID_ARG:
		return -EINVAL;
	default:
		return -EIO;
	}
}

/* virDomainGetControlInfo() tells of a job only in the moments when QEMU is asked about
 * it, so this is asked for, too. */
bool domain_has_job(virDomainPtr domain)
{
	virDomainJobInfo info;
	return virDomainGetJobInfo(domain, &info) == 0 &&
	       (info.type == VIR_DOMAIN_JOB_BOUNDED ||
		       info.type == VIR_DOMAIN_JOB_UNBOUNDED);
}

/* ---- the main connection ---- */

struct connect {
	struct core *core;
	struct main_link link;
	bool read_only;
	char why[200];
};

static void close_main(struct main_link *link)
{
	if (!link->connection)
		return;
	events_deregister(link);
	virConnectClose(link->connection);
	link->connection = NULL;
	core_unref(link->core);
}

static void connect_run(void *work, unsigned slot)
{
	struct connect *connect = work;
	struct main_link *link = &connect->link;
	(void)slot;
	event_loop_wait();
	link->connection = virConnectOpen(connect->core->uri);
	if (!link->connection && is_denied(virGetLastError())) {
		link->connection = virConnectOpenReadOnly(connect->core->uri);
		connect->read_only = true;
	}
	if (!link->connection) {
		snprintf(connect->why, sizeof(connect->why), "%s",
			virGetLastErrorMessage());
		return;
	}
	virConnectSetKeepAlive(link->connection, KEEPALIVE_S, KEEPALIVE_COUNT);
	link->core = connect->core;
	core_ref(link->core);
	events_register(link);
}

static void wait_longer(struct core *core)
{
	core->retry_ms = core_now_ms() + (int64_t)core->backoff_ms;
	core->backoff_ms = min_u64(core->backoff_ms * 2, BACKOFF_MAX);
}

static void not_connected(struct core *core, const char *why)
{
	bool news = core->status.connected || !core->told;
	if (news)
		core->status.since_ms = core_now_ms();
	core->status.connected = false;
	core->told = true;
	snprintf(core->status.why, sizeof(core->status.why), "%s", why);
	if (news)
		core_tell(core, EVENT_DISCONNECTED, NULL, "%s", why);
	wait_longer(core);
}

static void connect_done(void *work)
{
	struct connect *connect = work;
	struct core *core = connect->core;
	core->connecting = false;
	if (core->closing)
		return;
	if (!connect->link.connection) {
		not_connected(core, connect->why);
		return;
	}
	core->main = connect->link;
	connect->link.connection = NULL;
	core->epoch++;
	core->backoff_ms = BACKOFF_MS;
	for (size_t i = 0; i < core->guest_count; i++)
		core->guests[i]->probe_ms = 0;
	core->told = true;
	core->status.connected = true;
	core->status.read_only = connect->read_only;
	core->status.since_ms = core_now_ms();
	core->status.why[0] = '\0';
	core_tell(core, EVENT_CONNECTED, NULL, "%s", core->uri);
	if (connect->read_only)
		core_note(core, NOTE_READ_ONLY,
			"libvirt: '%s' may only be read: "
			"guests are watched, no orders are sent",
			core->uri);
	survey_want(core);
}

/* It hangs on: another try would only hang beside it. */
static void connect_late(void *work, bool started)
{
	struct connect *connect = work;
	struct core *core = connect->core;
	core->connecting = started;
	if (started)
		core->status.calls_late++;
	not_connected(core, "libvirtd takes the connection but doesn't answer");
}

static void connect_back(void *work)
{
	struct connect *connect = work;
	connect->core->connecting = false;
	connect->core->retry_ms = core_now_ms();
}

static void connect_free(void *work)
{
	struct connect *connect = work;
	close_main(&connect->link);
	free(connect);
}

static const struct pool_kind connect_kind = {
	.run = connect_run,
	.done = connect_done,
	.late = connect_late,
	.back = connect_back,
	.free = connect_free,
};

void link_connect(struct core *core)
{
	struct connect *connect = mem_alloc(sizeof(*connect));
	connect->core = core;
	core->connecting = true;
	core_submit(core, LANE_CONTROL, &connect_kind, connect, 0, 0);
}

/* ---- letting go of a main connection ---- */

static void bury_run(void *work, unsigned slot)
{
	(void)slot;
	close_main(work);
}

static void bury_done(void *work)
{
	(void)work;
}

static void bury_late(void *work, bool started)
{
	(void)work;
	(void)started;
}

static const struct pool_kind bury_kind = {
	.run = bury_run,
	.done = bury_done,
	.late = bury_late,
	.free = free,
};

void link_farewell(struct core *core)
{
	if (!core->main.connection)
		return;
	struct main_link *link = mem_alloc(sizeof(*link));
	*link = core->main;
	core->main.connection = NULL;
	core->epoch++;
	core_submit(core, LANE_CONTROL, &bury_kind, link, 0, 0);
}

void link_lost(struct core *core, const char *why)
{
	if (!core->main.connection || core->closing)
		return;
	link_farewell(core);
	not_connected(core, why);
}

/* ---- the workers' connections ---- */

static void slot_clear(struct slot *slot)
{
	for (size_t i = 0; i < slot->seats; i++)
		if (slot->domains[i].domain)
			virDomainFree(slot->domains[i].domain);
	free(slot->domains);
	if (slot->connection)
		virConnectClose(slot->connection);
	*slot = (struct slot){0};
}

void link_leave(void *data, unsigned number)
{
	struct core *core = data;
	slot_clear(&core->slots[number]);
}

static virConnectPtr open_like_main(struct core *core, bool read_only)
{
	virConnectPtr connection =
		read_only ? virConnectOpenReadOnly(core->uri) : virConnectOpen(core->uri);
	if (connection)
		virConnectSetKeepAlive(connection, KEEPALIVE_S, KEEPALIVE_COUNT);
	return connection;
}

virConnectPtr link_of_slot(struct core *core, unsigned number)
{
	struct slot *slot = &core->slots[number];
	core_lock(core);
	uint64_t epoch = core->epoch;
	bool connected = core->status.connected && core->main.connection;
	bool read_only = core->status.read_only;
	virConnectPtr shared =
		connected && core->in_process ? core->main.connection : NULL;
	if (shared)
		virConnectRef(shared);
	core_unlock(core);
	bool alive = slot->connection && slot->epoch == epoch &&
		     virConnectIsAlive(slot->connection) == 1;
	if (alive) {
		if (shared)
			virConnectClose(shared);
		return slot->connection;
	}
	slot_clear(slot);
	slot->epoch = epoch;
	if (connected)
		slot->connection = shared ? shared : open_like_main(core, read_only);
	return slot->connection;
}

virDomainPtr link_domain(struct core *core, unsigned number, const struct handle *of)
{
	struct slot *slot = &core->slots[number];
	if (of->seat >= slot->seats) {
		size_t seats = of->seat + GROUP_MAX;
		slot->domains = mem_resize(slot->domains, seats, sizeof(*slot->domains));
		memset(&slot->domains[slot->seats], 0,
			(seats - slot->seats) * sizeof(*slot->domains));
		slot->seats = seats;
	}
	struct slot_domain *entry = &slot->domains[of->seat];
	if (entry->domain && entry->serial == of->serial)
		return entry->domain;
	if (entry->domain)
		virDomainFree(entry->domain);
	entry->serial = of->serial;
	entry->domain = virDomainLookupByUUIDString(slot->connection, of->uuid);
	return entry->domain;
}
