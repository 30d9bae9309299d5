/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/record.h"

#include "mom/mem.h"

void record_begin(struct record *record, const struct sim_world *world, int64_t length_ms)
{
	*record = (struct record){
		.guest_count = world->count,
		.every_ms = length_ms / RECORD_MOMENTS + 1,
		.moments = mem_array(RECORD_MOMENTS, sizeof(struct record_moment)),
		.guests = mem_array(
			RECORD_MOMENTS * world->count, sizeof(struct record_guest)),
	};
}

void record_step(
	struct record *record, const struct sim_world *world, enum host_state state)
{
	if (!record->moments || world->now_ms < record->due_ms ||
		record->count == RECORD_MOMENTS)
		return;
	record->due_ms += record->every_ms;
	record->moments[record->count] = (struct record_moment){
		.at_ms = world->now_ms,
		.used_kib = (float)world->host.used,
		.cache_kib = (float)world->host.cache,
		.swapped_kib = (float)world->host.swapped,
		.available_kib = (float)world_available(world),
		.state = state,
	};
	for (size_t i = 0; i < record->guest_count; i++) {
		const struct sim_guest *guest = &world->guests[i];
		if (!guest->present)
			continue;
		record->guests[record->count * record->guest_count + i] =
			(struct record_guest){
				.actual_kib = (float)guest->actual,
				.need_kib = (float)sim_guest_need(guest),
				.rss_kib = (float)sim_guest_rss(guest),
				.swapped_kib = (float)guest->swapped,
			};
	}
	record->count++;
}

void record_done(struct record *record)
{
	free(record->moments);
	free(record->guests);
	*record = (struct record){0};
}
