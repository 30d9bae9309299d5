/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/libvirt_core.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "mom/mem.h"
#include "mom/units.h"

int64_t core_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void core_lock(struct core *core)
{
	pthread_mutex_lock(&core->lock);
}

void core_unlock(struct core *core)
{
	pthread_mutex_unlock(&core->lock);
}

void core_ref(struct core *core)
{
	atomic_fetch_add(&core->refs, 1);
}

/* Makes no call to libvirt: connections were closed by their workers. */
static void core_free(struct core *core)
{
	for (size_t i = 0; i < core->guest_count; i++)
		guest_unref(core->guests[i]);
	free(core->guests);
	while (core->first) {
		struct event_node *node = core->first;
		core->first = node->next;
		free(node);
	}
	close(core->event_fd);
	pthread_cond_destroy(&core->due);
	pthread_mutex_destroy(&core->lock);
	free(core->uri);
	free(core->proc_root);
	free(core);
}

void core_unref(void *data)
{
	struct core *core = data;
	if (atomic_fetch_sub(&core->refs, 1) == 1)
		core_free(core);
}

uint64_t core_submit(struct core *core, enum lane lane, const struct pool_kind *kind,
	void *work, uint64_t key, uint64_t slow_ms)
{
	struct pool_job job = {
		.kind = kind,
		.work = work,
		.lane = lane,
		.key = key,
		.slow_ms = slow_ms,
		.late_ms = core->deadline_ms,
	};
	return pool_submit(core->pool, &job);
}

/* ---- events ---- */

static struct hypervisor_event *new_event(
	struct core *core, enum hypervisor_event_kind kind, const struct guest *guest)
{
	struct event_node *node = mem_alloc(sizeof(*node));
	node->event.kind = kind;
	if (guest)
		memcpy(node->event.uuid, guest->facts.uuid, sizeof(node->event.uuid));
	if (!core->first)
		eventfd_write(core->event_fd, 1);
	*core->last = node;
	core->last = &node->next;
	return &node->event;
}

void core_tell(struct core *core, enum hypervisor_event_kind kind,
	const struct guest *guest, const char *format, ...)
{
	struct hypervisor_event *event = new_event(core, kind, guest);
	va_list args;
	va_start(args, format);
	vsnprintf(event->text, sizeof(event->text), format, args);
	va_end(args);
}

void core_tell_order(
	struct core *core, const struct guest *guest, uint64_t target_kib, int result)
{
	struct hypervisor_event *event = new_event(core, EVENT_ORDER_DONE, guest);
	event->value_kib = target_kib;
	event->result = result;
}

void core_tell_balloon(struct core *core, const struct guest *guest, uint64_t actual_kib)
{
	new_event(core, EVENT_BALLOON_MOVED, guest)->value_kib = actual_kib;
}

void core_note(struct core *core, enum note note, const char *format, ...)
{
	if (core->notes & (1u << note))
		return;
	core->notes |= 1u << note;
	struct hypervisor_event *event = new_event(core, EVENT_NOTE, NULL);
	va_list args;
	va_start(args, format);
	vsnprintf(event->text, sizeof(event->text), format, args);
	va_end(args);
}

/* ---- guests: sorted by UUID ---- */

/* Where this UUID stands, or would stand. */
static size_t position(const struct core *core, const char *uuid)
{
	size_t low = 0, high = core->guest_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(core->guests[middle]->facts.uuid, uuid) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool stands_at(const struct core *core, size_t at, const char *uuid)
{
	return at < core->guest_count && strcmp(core->guests[at]->facts.uuid, uuid) == 0;
}

struct guest *core_find(struct core *core, const char *uuid)
{
	size_t at = position(core, uuid);
	return stands_at(core, at, uuid) ? core->guests[at] : NULL;
}

/* The lowest seat nobody has. */
static unsigned free_seat(const struct core *core)
{
	auto_free bool *taken = mem_array(core->guest_count + 1, sizeof(bool));
	for (size_t i = 0; i < core->guest_count; i++)
		if (core->guests[i]->seat < core->guest_count)
			taken[core->guests[i]->seat] = true;
	unsigned seat = 0;
	while (taken[seat])
		seat++;
	return seat;
}

struct guest *core_add_guest(
	struct core *core, const char *uuid, const char *name, int id)
{
	struct guest *guest = mem_alloc(sizeof(*guest));
	guest->refs = 1;
	guest->serial = ++core->serials;
	guest->seat = free_seat(core);
	guest->update_ms = core_now_ms();
	guest->facts = (struct guest_facts){.id = id, .boots = 1};
	snprintf(guest->facts.uuid, sizeof(guest->facts.uuid), "%s", uuid);
	snprintf(guest->facts.name, sizeof(guest->facts.name), "%s", name);
	guest->facts.run = GUEST_RUN_UNKNOWN;
	size_t at = position(core, uuid);
	core->guests = mem_grow(core->guests, core->guest_count, &core->guest_capacity,
		sizeof(struct guest *));
	memmove(&core->guests[at + 1], &core->guests[at],
		(core->guest_count - at) * sizeof(struct guest *));
	core->guests[at] = guest;
	core->guest_count++;
	return guest;
}

void core_remove_guest(struct core *core, struct guest *guest)
{
	size_t at = position(core, guest->facts.uuid);
	if (!stands_at(core, at, guest->facts.uuid) || core->guests[at] != guest)
		return;
	core->guest_count--;
	memmove(&core->guests[at], &core->guests[at + 1],
		(core->guest_count - at) * sizeof(struct guest *));
	guest->gone = true;
	if (guest->known)
		core_tell(core, EVENT_GUEST_GONE, guest, "%s", guest->facts.name);
	guest_unref(guest);
}

struct guest *guest_ref(struct guest *guest)
{
	guest->refs++;
	return guest;
}

void guest_unref(struct guest *guest)
{
	if (--guest->refs)
		return;
	free(guest->facts.metadata);
	free(guest);
}

struct handle guest_handle(const struct guest *guest)
{
	struct handle handle = {
		.serial = guest->serial,
		.seat = guest->seat,
		.pid = guest->facts.pid,
	};
	memcpy(handle.uuid, guest->facts.uuid, sizeof(handle.uuid));
	return handle;
}

void core_set_hung(struct core *core, struct guest *guest, bool hung)
{
	if (!hung)
		guest->held_ms = 0;
	if (guest->facts.hung == hung)
		return;
	guest->facts.hung = hung;
	guest->probe_wait_ms = BACKOFF_MS;
	guest->probe_ms = core_now_ms() + BACKOFF_MS;
	if (guest->known && !guest->gone)
		core_tell(core, EVENT_GUEST_CHANGED, guest, "%s",
			hung ? "it doesn't answer" : "it answers again");
}

void core_heard(struct core *core)
{
	core->heard_ms = core_now_ms();
}

bool core_blames(const struct core *core, int64_t begun_ms)
{
	return core->heard_ms > begun_ms + SLOW_MS;
}

enum guest_run core_run_of_state(int state)
{
	static const enum guest_run runs[] = {
		[VIR_DOMAIN_RUNNING] = GUEST_RUNNING,
		[VIR_DOMAIN_BLOCKED] = GUEST_RUNNING,
		[VIR_DOMAIN_PAUSED] = GUEST_PAUSED,
		[VIR_DOMAIN_SHUTDOWN] = GUEST_SHUTDOWN,
		[VIR_DOMAIN_SHUTOFF] = GUEST_SHUTDOWN,
		[VIR_DOMAIN_CRASHED] = GUEST_CRASHED,
		[VIR_DOMAIN_PMSUSPENDED] = GUEST_PMSUSPENDED,
	};
	if (state <= VIR_DOMAIN_NOSTATE || state >= (int)ARRAY_SIZE(runs))
		return GUEST_RUN_UNKNOWN;
	return runs[state];
}
