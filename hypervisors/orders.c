/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/libvirt_core.h"

#include <errno.h>

#include "hypervisors/qemu_process.h"
#include "mom/mem.h"

/* A QEMU that another call has held for so long is not waited for. */
#define OCCUPIED_MS 1000

/* How often the statistics period is set in one run of a guest: when it comes, and once
 * more where somebody took it away. A third time would be a fight. */
#define PERIOD_SETS_MAX 2

enum change_what { CHANGE_TARGET, CHANGE_PERIOD, CHANGE_ASK };

/* One change to one guest. */
struct change {
	struct core *core;
	struct guest *guest;
	enum change_what what;
	struct handle handle;
	int64_t begun_ms;
	uint64_t target_kib; /* as sent; set when it leaves, under the lock */
	int period_s;
	int result;
};

/* ---- in the worker ---- */

/* A guest with a job, or whose QEMU is held, would make the call wait. */
static int is_free(const struct change *change, virDomainPtr domain)
{
	virDomainControlInfo info;
	if (qemu_process_state(change->core->proc_root, change->handle.pid) ==
		QEMU_STOPPED)
		return -EBUSY;
	if (virDomainGetControlInfo(domain, &info, 0) < 0)
		return 0; /* a driver without it has no jobs either */
	if (info.state == VIR_DOMAIN_CONTROL_JOB)
		return -EBUSY;
	if (info.state == VIR_DOMAIN_CONTROL_OCCUPIED && info.stateTime > OCCUPIED_MS)
		return -EBUSY;
	if (info.state == VIR_DOMAIN_CONTROL_ERROR)
		return -EIO;
	return domain_has_job(domain) ? -EBUSY : 0;
}

/* The latest target that was asked for: this one leaves now. */
static uint64_t leave_with_target(struct change *change)
{
	core_lock(change->core);
	struct guest_order *order = &change->guest->order;
	order->queued = false;
	order->running = true;
	change->target_kib = order->target_kib;
	core_unlock(change->core);
	return change->target_kib;
}

static int set_target(struct change *change, virDomainPtr domain)
{
	if (virDomainSetMemoryFlags(domain, (unsigned long)change->target_kib,
		    VIR_DOMAIN_AFFECT_LIVE) == 0)
		return 0;
	int result = link_errno();
	if (result == -ENODEV && virDomainIsActive(domain) != 1)
		return -ENOENT;
	return result == -EINVAL || result == -ENOTSUP ? -EIO : result;
}

static int set_period(virDomainPtr domain, int period_s)
{
	int done =
		virDomainSetMemoryStatsPeriod(domain, period_s, VIR_DOMAIN_AFFECT_LIVE);
	return done == 0 ? 0 : link_errno();
}

static int carry_out(struct change *change, virDomainPtr domain)
{
	int result = is_free(change, domain);
	if (result < 0)
		return result;
	if (change->what == CHANGE_TARGET)
		return set_target(change, domain);
	/* A period that comes back from 0 makes QEMU ask the guest at once. */
	if (change->what == CHANGE_ASK)
		result = set_period(domain, 0);
	return result < 0 ? result : set_period(domain, change->period_s);
}

static void change_run(void *work, unsigned slot)
{
	struct change *change = work;
	if (change->what == CHANGE_TARGET)
		leave_with_target(change);
	change->result = -EIO;
	virConnectPtr connection = link_of_slot(change->core, slot);
	if (!connection)
		return;
	virDomainPtr domain = link_domain(change->core, slot, &change->handle);
	change->result = domain ? carry_out(change, domain) : link_errno();
}

static void change_free(void *work)
{
	struct change *change = work;
	core_lock(change->core);
	guest_unref(change->guest);
	core_unlock(change->core);
	free(change);
}

/* ---- with the lock ---- */

static const struct pool_kind target_kind, period_kind;

static void submit(struct core *core, struct guest *guest, enum change_what what)
{
	struct change *change = mem_alloc(sizeof(*change));
	*change = (struct change){
		.core = core,
		.guest = guest_ref(guest),
		.what = what,
		.handle = guest_handle(guest),
		.begun_ms = core_now_ms(),
		.period_s = (int)(guest->stats_period_s ? guest->stats_period_s
							: core->stats_period_s),
	};
	core_submit(core, LANE_ORDERS,
		what == CHANGE_TARGET ? &target_kind : &period_kind, change,
		guest->serial, 0);
}

static void denied(struct core *core)
{
	core->status.read_only = true;
	core_note(core, NOTE_READ_ONLY,
		"libvirt: orders to '%s' are not allowed: guests are watched, no more "
		"are "
		"sent",
		core->uri);
}

static void next_order(struct core *core, struct guest *guest)
{
	bool again = guest->order.again && !guest->gone && !core->closing;
	guest->order.running = guest->order.again = false;
	if (!again)
		return;
	guest->order.queued = true;
	submit(core, guest, CHANGE_TARGET);
}

static void target_done(void *work)
{
	struct change *change = work;
	struct core *core = change->core;
	struct guest *guest = change->guest;
	if (change->result == -EPERM)
		denied(core);
	if (change->result == -ENODEV) { /* its XML said otherwise before */
		guest->stale_xml = true;
		survey_want(core);
	}
	core_tell_order(core, guest, change->target_kib, change->result);
	next_order(core, guest);
}

static void target_late(void *work, bool started)
{
	struct change *change = work;
	struct guest *guest = change->guest;
	if (!started) { /* it has never left */
		guest->order.queued = false;
		core_tell_order(change->core, guest, guest->order.target_kib, -EBUSY);
		return;
	}
	core_tell_order(change->core, guest, change->target_kib, -ETIMEDOUT);
	guest->order.late = true;
	if (guest->order.again) /* the newer one that waits behind it */
		core_tell_order(change->core, guest, guest->order.target_kib, -EBUSY);
	guest->order.again = false;
	change->core->status.calls_late++;
	if (core_blames(change->core, change->begun_ms))
		core_set_hung(change->core, guest, true);
}

static void target_back(void *work)
{
	struct change *change = work;
	change->guest->order.running = change->guest->order.late = false;
	change->guest->probe_ms = 0;
}

static const struct pool_kind target_kind = {
	.run = change_run,
	.done = target_done,
	.late = target_late,
	.back = target_back,
	.free = change_free,
};

int order_set_target(
	struct core *core, struct guest *guest, uint64_t target_kib, struct err *err)
{
	struct guest_order *order = &guest->order;
	if (guest->facts.hung || order->late)
		return err_set(
			err, -EBUSY, "guest '%s' doesn't answer", guest->facts.name);
	order->target_kib = target_kib;
	if (order->queued)
		return 0;
	if (order->running) {
		order->again = true;
		return 0;
	}
	order->queued = true;
	submit(core, guest, CHANGE_TARGET);
	return 0;
}

static void period_done(void *work)
{
	struct change *change = work;
	struct guest *guest = change->guest;
	guest->period_job = false;
	if (change->result == -EPERM)
		denied(change->core);
	if (change->result == 0)
		guest->stats_period_s = (uint64_t)change->period_s;
	else if (change->what == CHANGE_ASK)
		guest->stale_xml = true; /* it may stand at 0 now */
}

static void period_late(void *work, bool started)
{
	struct change *change = work;
	change->guest->period_job = started;
	change->core->status.calls_late += started;
}

static void period_back(void *work)
{
	struct change *change = work;
	change->guest->period_job = false;
	change->guest->stale_xml = true;
}

static const struct pool_kind period_kind = {
	.run = change_run,
	.done = period_done,
	.late = period_late,
	.back = period_back,
	.free = change_free,
};

static bool may_change_period(const struct core *core, const struct guest *guest)
{
	return core->set_stats_period && core->status.connected &&
	       !core->status.read_only && !guest->period_job && !guest->gone &&
	       !guest->facts.hung;
}

void order_set_period(struct core *core, struct guest *guest)
{
	if (!guest->facts.has_balloon || guest->stats_period_s)
		return;
	if (!core->set_stats_period)
		core_note(core, NOTE_NO_PERIOD,
			"guest '%.100s' sends no statistics and they may not be set; it "
			"is "
			"only watched",
			guest->facts.name);
	if (!may_change_period(core, guest) || guest->period_sets >= PERIOD_SETS_MAX)
		return;
	guest->period_sets++;
	guest->period_job = true;
	submit(core, guest, CHANGE_PERIOD);
}

void order_ask_statistics(struct core *core, struct guest *guest)
{
	if (!guest->facts.has_balloon || !guest->stats_period_s || guest->order.queued ||
		guest->order.running || !may_change_period(core, guest))
		return;
	guest->period_job = true;
	submit(core, guest, CHANGE_ASK);
}
