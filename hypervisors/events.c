/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/libvirt_core.h"

#include <string.h>

#include "mom/mem.h"

/* QEMU reports one reset several times over. */
#define SAME_REBOOT_MS 1000

/*
 * All of these run in the thread of libvirt's event loop and make no calls. Each looks
 * its guest up again, for it may be gone by then.
 */

/* The guest of an event, with the lock held; NULL with the lock free where it isn't one
 * of ours. */
static struct guest *lock_guest(struct core *core, virDomainPtr domain)
{
	char uuid[UUID_TEXT_MAX];
	if (virDomainGetUUIDString(domain, uuid) < 0)
		return NULL;
	core_lock(core);
	struct guest *guest = core->closing ? NULL : core_find(core, uuid);
	if (!guest)
		core_unlock(core);
	return guest;
}

static void look_again(struct core *core, struct guest *guest)
{
	guest->stale_xml = true;
	survey_want(core);
}

static void changed(
	struct core *core, struct guest *guest, enum guest_run run, const char *what)
{
	guest->facts.run = run;
	if (guest->known)
		core_tell(core, EVENT_GUEST_CHANGED, guest, "%s", what);
}

/* It started, or went on from other memory (a revert, a wake-up from S3). */
static void started(struct core *core, virDomainPtr domain)
{
	struct guest *guest = lock_guest(core, domain);
	int id = (int)virDomainGetID(domain);
	if (!guest) {
		core_lock(core);
		if (!core->closing)
			survey_want(core);
		core_unlock(core);
		return;
	}
	if (guest->facts.id != id) {
		core_remove_guest(core, guest);
		survey_want(core);
	} else {
		guest->facts.boots++;
		guest->boot_told = true;
		look_again(core, guest);
	}
	core_unlock(core);
}

static void stopped(struct core *core, virDomainPtr domain)
{
	struct guest *guest = lock_guest(core, domain);
	if (!guest)
		return;
	core_remove_guest(core, guest);
	core_unlock(core);
}

struct run_change {
	enum guest_run run;
	const char *what;
};

static int on_lifecycle(
	virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
	static const struct run_change changes[] = {
		[VIR_DOMAIN_EVENT_SUSPENDED] = {GUEST_PAUSED, "paused"},
		[VIR_DOMAIN_EVENT_RESUMED] = {GUEST_RUNNING, "resumed"},
		[VIR_DOMAIN_EVENT_SHUTDOWN] = {GUEST_SHUTDOWN, "shutting down"},
		[VIR_DOMAIN_EVENT_PMSUSPENDED] = {GUEST_PMSUSPENDED, "suspended"},
		[VIR_DOMAIN_EVENT_CRASHED] = {GUEST_CRASHED, "crashed"},
	};
	struct core *core = data;
	(void)connection;
	(void)detail;
	if (event == VIR_DOMAIN_EVENT_STARTED)
		started(core, domain);
	if (event == VIR_DOMAIN_EVENT_STOPPED)
		stopped(core, domain);
	if (event < 0 || event >= (int)ARRAY_SIZE(changes) || !changes[event].what)
		return 0;
	struct guest *guest = lock_guest(core, domain);
	if (!guest)
		return 0;
	changed(core, guest, changes[event].run, changes[event].what);
	core_unlock(core);
	return 0;
}

static void on_reboot(virConnectPtr connection, virDomainPtr domain, void *data)
{
	struct core *core = data;
	struct guest *guest = lock_guest(core, domain);
	(void)connection;
	if (!guest)
		return;
	int64_t before_ms = guest->reboot_ms;
	guest->reboot_ms = core_now_ms();
	if (before_ms && guest->reboot_ms - before_ms < SAME_REBOOT_MS) {
		core_unlock(core);
		return;
	}
	guest->facts.boots++;
	guest->boot_told = true;
	if (guest->known)
		core_tell(core, EVENT_GUEST_REBOOTED, guest, "%s", guest->facts.name);
	core_unlock(core);
}

static void on_balloon(virConnectPtr connection, virDomainPtr domain,
	unsigned long long actual_kib, void *data)
{
	struct core *core = data;
	struct guest *guest = lock_guest(core, domain);
	(void)connection;
	if (!guest)
		return;
	struct balloon_report report = {
		.has[BALLOON_CURRENT] = true, .values[BALLOON_CURRENT] = actual_kib};
	balloon_stats_apply(&guest->facts, &report);
	if (guest->known)
		core_tell_balloon(core, guest, actual_kib);
	core_unlock(core);
}

static void on_wakeup(
	virConnectPtr connection, virDomainPtr domain, int reason, void *data)
{
	struct core *core = data;
	struct guest *guest = lock_guest(core, domain);
	(void)connection;
	(void)reason;
	if (!guest)
		return;
	changed(core, guest, GUEST_RUNNING, "woken");
	core_unlock(core);
}

static void on_device(
	virConnectPtr connection, virDomainPtr domain, const char *alias, void *data)
{
	struct guest *guest = lock_guest(data, domain);
	(void)connection;
	(void)alias;
	if (!guest)
		return;
	look_again(data, guest);
	core_unlock(data);
}

static void on_metadata(virConnectPtr connection, virDomainPtr domain, int type,
	const char *namespace, void *data)
{
	(void)type;
	on_device(connection, domain, namespace, data);
}

static void on_job_completed(virConnectPtr connection, virDomainPtr domain,
	virTypedParameterPtr params, int count, void *data)
{
	struct core *core = data;
	struct guest *guest = lock_guest(core, domain);
	(void)connection;
	(void)params;
	(void)count;
	if (!guest)
		return;
	guest->facts.busy = false;
	changed(core, guest, guest->facts.run, "its job is done");
	core_unlock(core);
}

static void on_close(virConnectPtr connection, int reason, void *data)
{
	static const char *const reasons[] = {
		[VIR_CONNECT_CLOSE_REASON_ERROR] = "the connection broke",
		[VIR_CONNECT_CLOSE_REASON_EOF] = "libvirtd closed the connection",
		[VIR_CONNECT_CLOSE_REASON_KEEPALIVE] = "libvirtd doesn't answer",
		[VIR_CONNECT_CLOSE_REASON_CLIENT] = "closed",
	};
	struct core *core = data;
	bool named = reason >= 0 && reason < (int)ARRAY_SIZE(reasons);
	core_lock(core);
	if (connection == core->main.connection)
		link_lost(core, named ? reasons[reason] : "closed");
	core_unlock(core);
}

struct subscription {
	int id;
	virConnectDomainEventGenericCallback callback;
};

/* A driver that lacks one of these does without it: the list is read again in time. */
static const struct subscription subscriptions[] = {
	{VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle)},
	{VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot)},
	{VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_balloon)},
	{VIR_DOMAIN_EVENT_ID_PMWAKEUP, VIR_DOMAIN_EVENT_CALLBACK(on_wakeup)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
	{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device)},
	{VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata)},
	{VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_job_completed)},
};
_Static_assert(ARRAY_SIZE(subscriptions) <= CALLBACK_MAX, "room for all callbacks");

/* libvirt gives nothing back for a close callback that a driver doesn't take, so this one
 * lives on the link's own reference. */
void events_register(struct main_link *link)
{
	for (size_t i = 0; i < CALLBACK_MAX; i++)
		link->callbacks[i] = -1;
	for (size_t i = 0; i < ARRAY_SIZE(subscriptions); i++) {
		core_ref(link->core);
		link->callbacks[i] = virConnectDomainEventRegisterAny(link->connection,
			NULL, subscriptions[i].id, subscriptions[i].callback, link->core,
			core_unref);
		if (link->callbacks[i] < 0)
			core_unref(link->core);
	}
	virConnectRegisterCloseCallback(link->connection, on_close, link->core, NULL);
}

void events_deregister(struct main_link *link)
{
	virConnectUnregisterCloseCallback(link->connection, on_close);
	for (size_t i = 0; i < CALLBACK_MAX; i++)
		if (link->callbacks[i] >= 0)
			virConnectDomainEventDeregisterAny(
				link->connection, link->callbacks[i]);
}
