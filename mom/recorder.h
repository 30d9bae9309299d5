/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An engine's ticks as recordings have them. Costs nothing until somebody asks.
 */

#include "mom/engine.h"

struct json_object;

/* What came between two ticks, while somebody listens. Zeroed at first. */
struct recorder {
	struct hypervisor_event *events;
	size_t count, capacity;
	char *setup; /* what was in force at the last tick that was told; NULL none was */
	struct host_sample host;    /* as collected in this tick */
	struct guest_facts *guests; /* the same, without what they point to */
	size_t guest_count, guest_capacity;
};

/* This was collected, and a tick is about to be decided from it. */
void recorder_collected(struct recorder *recorder, const struct snapshot *snapshot);

/* The engine has taken in an event. */
void recorder_event(struct recorder *recorder, const struct hypervisor_event *event);

/* Nobody listens: forget all. */
void recorder_done(struct recorder *recorder);

/* The tick that has just ended (recorded_tick_read()), with the settings in force where
 * they aren't those of the tick before; a new object. */
struct json_object *recorder_tick(
	struct recorder *recorder, const struct engine *engine, int64_t clock_ms);

/* What the next ticks build on (recorded_state_read()); a new object. */
struct json_object *recorder_state(
	const struct recorder *recorder, const struct engine *engine, int64_t clock_ms);
