/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fake/fake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

#define PACE_KIB_PER_S KIB_PER_GIB
#define CHUNK_KIB      (2 * KIB_PER_MIB)

void fake_init(struct fake *fake, uint64_t memory_kib)
{
	*fake = (struct fake){
		.now_ms = 1000000,
		.wall_ms = 1700000000000,
		.call_deadline_ms = 5000,
		.memory_kib = memory_kib,
		.least_kib = UINT64_MAX,
		.connected = true,
	};
}

void fake_done(struct fake *fake)
{
	free(fake->guests);
	free(fake->events);
	*fake = (struct fake){0};
}

struct fake_guest *fake_add(
	struct fake *fake, const char *name, uint64_t max_kib, uint64_t used_kib)
{
	fake->guests = mem_grow(
		fake->guests, fake->count, &fake->capacity, sizeof(*fake->guests));
	size_t index = fake->count++;
	struct fake_guest *guest = &fake->guests[index];
	*guest = (struct fake_guest){
		.present = true,
		.run = GUEST_RUNNING,
		.pace_kib_per_s = PACE_KIB_PER_S,
		.max_kib = max_kib,
		.used_kib = used_kib,
		.touched_kib = max_kib,
		.actual_kib = max_kib,
		.target_kib = max_kib,
		.lowest_kib = UINT64_MAX,
		.id = (int)index + 1,
		.boots = 1,
	};
	snprintf(guest->name, sizeof(guest->name), "%s", name);
	snprintf(guest->uuid, sizeof(guest->uuid), "%08zx-0000-4000-8000-000000000000",
		index);
	return guest;
}

/* ---- what happens ---- */

static void queue(struct fake *fake, const struct hypervisor_event *event)
{
	fake->events = mem_grow(fake->events, fake->event_count, &fake->event_capacity,
		sizeof(*fake->events));
	fake->events[fake->event_count++] = *event;
}

void fake_tell(struct fake *fake, enum hypervisor_event_kind kind,
	const struct fake_guest *guest, int result)
{
	struct hypervisor_event event = {.kind = kind, .result = result};
	if (guest) {
		memcpy(event.uuid, guest->uuid, sizeof(event.uuid));
		event.value_kib = guest->target_kib;
	}
	bool news = kind >= EVENT_GUEST_ARRIVED && kind <= EVENT_BALLOON_MOVED;
	if (news && fake->lose_events)
		return;
	queue(fake, &event);
	if (news && fake->double_events)
		queue(fake, &event);
}

void fake_reboot(struct fake *fake, struct fake_guest *guest)
{
	guest->boots++;
	guest->touched_kib = guest->used_kib;
	guest->told_swap_in_kib = guest->swap_in_kib = 0;
	fake_tell(fake, EVENT_GUEST_REBOOTED, guest, 0);
}

void fake_stop(struct fake *fake, struct fake_guest *guest)
{
	guest->present = false;
	fake_tell(fake, EVENT_GUEST_GONE, guest, 0);
}

void fake_hang(struct fake *fake, struct fake_guest *guest)
{
	guest->call = CALL_HANGS;
	guest->hung_ms = fake->now_ms;
}

void fake_disconnect(struct fake *fake, bool gone)
{
	fake->connected = !gone;
	fake_tell(fake, gone ? EVENT_DISCONNECTED : EVENT_CONNECTED, NULL, 0);
}

/* ---- time ---- */

/* The nearest this balloon ever comes to its target. */
static uint64_t reachable(const struct fake_guest *guest)
{
	uint64_t from = guest->reached_from_kib;
	bool shrinks = guest->target_kib < from;
	switch (guest->obey) {
	case OBEY_NEVER:
		return guest->actual_kib;
	case OBEY_HALF:
		return shrinks ? from - (from - guest->target_kib) / 2
			       : guest->target_kib;
	case OBEY_CHUNKS:
		return from > guest->target_kib
			       ? from - (from - guest->target_kib) / CHUNK_KIB * CHUNK_KIB
			       : from + (guest->target_kib - from) / CHUNK_KIB *
						 CHUNK_KIB;
	case OBEY:
	case OBEY_LIES:
		break;
	}
	return guest->target_kib;
}

static void move_balloon(const struct fake *fake, struct fake_guest *guest, uint64_t ms)
{
	if (guest->no_device || guest->tell == TELL_NOTHING ||
		fake->now_ms < guest->ordered_ms + (int64_t)guest->late_ms)
		return;
	uint64_t goal = reachable(guest);
	uint64_t step = guest->pace_kib_per_s * ms / 1000;
	if (guest->actual_kib > goal)
		guest->actual_kib -= min_u64(step, guest->actual_kib - goal);
	else
		guest->actual_kib += min_u64(step, goal - guest->actual_kib);
}

/* What the guest needs it touches; what the balloon took the host gets back. */
static void move_memory(struct fake_guest *guest)
{
	bool yields = guest->obey != OBEY_LIES && !guest->locked && !guest->hugepages;
	uint64_t held = min_u64(guest->used_kib + guest->cache_kib, guest->actual_kib);
	guest->touched_kib = max_u64(guest->touched_kib, held);
	if (yields && guest->tell != TELL_NOTHING)
		guest->touched_kib = min_u64(guest->touched_kib, guest->actual_kib);
}

void fake_step(struct fake *fake, uint64_t ms)
{
	fake->now_ms += (int64_t)ms;
	for (size_t i = 0; i < fake->count; i++) {
		struct fake_guest *guest = &fake->guests[i];
		if (!guest->present || guest->run != GUEST_RUNNING ||
			guest->call == CALL_HANGS)
			continue;
		move_balloon(fake, guest, ms);
		move_memory(guest);
		if (guest->actual_kib < guest->used_kib)
			guest->starved_ms += ms;
		if (guest->tell != TELL_FROZEN)
			guest->reports = (uint64_t)(fake->now_ms + fake->wall_ms) / 1000;
	}
	fake->least_kib = min_u64(fake->least_kib, fake_available(fake));
}

/* What all want of the host; what of it is guests' own memory. */
static uint64_t taken_kib(const struct fake *fake, uint64_t *touched_kib)
{
	uint64_t taken = fake->base_kib;
	*touched_kib = 0;
	for (size_t i = 0; i < fake->count; i++) {
		const struct fake_guest *guest = &fake->guests[i];
		taken += guest->present ? guest->touched_kib + FAKE_OVERHEAD_KIB : 0;
		*touched_kib += guest->present ? guest->touched_kib : 0;
	}
	return taken;
}

uint64_t fake_available(const struct fake *fake)
{
	uint64_t touched_kib;
	return sub_u64(fake->memory_kib, taken_kib(fake, &touched_kib));
}

double fake_swapped_part(const struct fake *fake)
{
	uint64_t touched_kib;
	uint64_t overdrawn = sub_u64(taken_kib(fake, &touched_kib), fake->memory_kib);
	double part = (double)overdrawn / (double)max_u64(touched_kib, 1);
	return part < 1 ? part : 1;
}
