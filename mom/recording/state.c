/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "mom/mem.h"
#include "mom/policy/policy.h"
#include "mom/recording/lists.h"

#define OF(type, member, kind_)                                                          \
	{                                                                                \
		.name = #member, .kind = kind_, .offset = offsetof(struct type, member), \
		.size = sizeof(((struct type *)0)->member)                               \
	}

static const struct field state_fields[] = {
	OF(recorded_state, number, FIELD_U64),
	OF(recorded_state, now_ms, FIELD_I64),
	OF(recorded_state, clock_ms, FIELD_I64),
	OF(recorded_state, moved_ms, FIELD_I64),
	OF(recorded_state, events, FIELD_U64),
	OF(recorded_state, connected, FIELD_FLAG),
	OF(recorded_state, unmet, FIELD_FLAG),
	{0},
};

static const struct field mind_fields[] = {
	OF(recorded_mind, uuid, FIELD_TEXT),
	OF(recorded_mind, name, FIELD_TEXT),
	OF(recorded_mind, history_ms, FIELD_I64),
	{0},
};

static const struct field pool_fields[] = {
	OF(recorded_pool, path, FIELD_TEXT),
	OF(recorded_pool, history_ms, FIELD_I64),
	OF(recorded_pool, exhausted, FIELD_FLAG),
	{0},
};

static const struct field growth_fields[] = {
	{.name = "at_ms",
		.kind = FIELD_I64,
		.offset = offsetof(struct guest_track, growth[0].at_ms)},
	{.name = "used_kib",
		.kind = FIELD_U64,
		.offset = offsetof(struct guest_track, growth[0].used_kib)},
	{0},
};

/* ---- writing ---- */

/* Oldest first. */
static void write_growth(struct json_object *into, const struct guest_track *track)
{
	struct json_object *list = json_object_new_array();
	for (size_t age = track->growth_count; age-- > 0;) {
		size_t i =
			(track->growth_next + GROWTH_SAMPLES - 1 - age) % GROWTH_SAMPLES;
		struct json_object *object = json_object_new_object();
		fields_write(object, growth_fields,
			(const char *)track + i * sizeof(track->growth[0]));
		json_object_array_add(list, object);
	}
	json_object_object_add(into, "growth", list);
}

static struct json_object *write_guest_history(const struct guest_history *history)
{
	struct json_object *list = json_object_new_array();
	for (size_t age = history->count; age-- > 0;) {
		const struct guest_sample *sample = guest_history_at(history, age);
		struct json_object *object = json_object_new_object();
		fields_write(object, guest_sample_fields, sample);
		fields_write(object, guest_estimate_fields, sample);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *write_host_history(const struct host_history *history)
{
	struct json_object *list = json_object_new_array();
	for (size_t age = history->count; age-- > 0;) {
		const struct host_sample *sample = host_history_at(history, age);
		struct json_object *object = json_object_new_object();
		fields_write(object, host_sample_fields, sample);
		fields_write(object, host_estimate_fields, sample);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *write_mind(const struct recorded_mind *mind)
{
	struct json_object *object = json_object_new_object();
	struct json_object *track = json_object_new_object();
	fields_write(object, mind_fields, mind);
	fields_write(track, guest_track_fields, &mind->track);
	write_growth(track, &mind->track);
	object_write(track, "size", size_track_fields, &mind->track.size);
	json_object_object_add(object, "track", track);
	object_write(object, "balloon", balloon_track_fields, &mind->balloon);
	json_object_object_add(object, "history", write_guest_history(&mind->history));
	vars_write(object, "vars", mind->vars);
	return object;
}

static struct json_object *write_pool(const struct recorded_pool *pool)
{
	struct json_object *object = json_object_new_object();
	fields_write(object, pool_fields, pool);
	object_write(object, "track", host_track_fields, &pool->track);
	json_object_object_add(object, "history", write_host_history(&pool->history));
	vars_write(object, "vars", pool->vars);
	return object;
}

struct json_object *recorded_state_write(const struct recorded_state *state)
{
	struct json_object *object = json_object_new_object();
	struct json_object *pools = json_object_new_array();
	struct json_object *guests = json_object_new_array();
	fields_write(object, state_fields, state);
	json_object_object_add(object, "setup", recorded_setup_write(&state->setup));
	object_write(object, "swapping", swapping_fields, &state->swapping);
	for (size_t i = 0; i < state->pool_count; i++)
		json_object_array_add(pools, write_pool(&state->pools[i]));
	for (size_t i = 0; i < state->guest_count; i++)
		json_object_array_add(guests, write_mind(&state->guests[i]));
	json_object_object_add(object, "pools", pools);
	json_object_object_add(object, "guests", guests);
	return object;
}

/* ---- reading ---- */

/* Walk a list of at most `most` elements. */
static int each(struct json_object *json, const char *key, size_t most, void *into,
	int (*read)(struct json_object *json, void *into, struct err *err),
	struct err *err)
{
	struct json_object *list;
	if (!json_object_object_get_ex(json, key, &list))
		return 0;
	if (!json_object_is_type(list, json_type_array) ||
		json_object_array_length(list) > most)
		return err_set(
			err, -EBADMSG, "%s: expected a list of at most %zu", key, most);
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++)
		r = read(json_object_array_get_idx(list, i), into, err);
	return r < 0 ? err_prefix(err, "%s", key) : 0;
}

static int read_growth(struct json_object *json, void *into, struct err *err)
{
	struct guest_track *track = into;
	struct guest_track one = {0};
	int r = fields_read(json, growth_fields, &one, err);
	if (r < 0)
		return r;
	track->growth[track->growth_next] = one.growth[0];
	track->growth_next = (track->growth_next + 1) % GROWTH_SAMPLES;
	track->growth_count++;
	return 0;
}

static int read_guest_sample(struct json_object *json, void *into, struct err *err)
{
	struct guest_sample sample = {0};
	int r = fields_read(json, guest_sample_fields, &sample, err);
	if (r == 0)
		r = fields_read(json, guest_estimate_fields, &sample, err);
	if (r == 0)
		guest_history_put(into, &sample, true);
	return r;
}

static int read_host_sample(struct json_object *json, void *into, struct err *err)
{
	struct host_sample sample = {0};
	int r = fields_read(json, host_sample_fields, &sample, err);
	if (r == 0)
		r = fields_read(json, host_estimate_fields, &sample, err);
	if (r == 0)
		host_history_put(into, &sample, true);
	return r;
}

static int read_track(
	struct json_object *json, struct guest_track *track, struct err *err)
{
	struct json_object *object;
	if (!json_object_object_get_ex(json, "track", &object))
		return 0;
	int r = fields_read(object, guest_track_fields, track, err);
	if (r == 0)
		r = each(object, "growth", GROWTH_SAMPLES, track, read_growth, err);
	if (r == 0)
		r = object_read(object, "size", size_track_fields, &track->size, err);
	return r < 0 ? err_prefix(err, "track") : 0;
}

static int read_mind(struct json_object *json, void *into, struct err *err)
{
	struct recorded_mind *mind = into;
	int r = fields_read(json, mind_fields, mind, err);
	if (r == 0 && !mind->uuid[0])
		r = err_set(err, -EBADMSG, "uuid is missing");
	if (r == 0)
		r = read_track(json, &mind->track, err);
	if (r == 0)
		r = object_read(
			json, "balloon", balloon_track_fields, &mind->balloon, err);
	if (r == 0)
		r = each(json, "history", HISTORY_SAMPLES, &mind->history,
			read_guest_sample, err);
	return r == 0 ? vars_read(json, "vars", &mind->vars, err) : r;
}

static int read_pool(struct json_object *json, void *into, struct err *err)
{
	struct recorded_pool *pool = into;
	int r = fields_read(json, pool_fields, pool, err);
	if (r == 0)
		r = object_read(json, "track", host_track_fields, &pool->track, err);
	if (r == 0)
		r = each(json, "history", HISTORY_SAMPLES, &pool->history,
			read_host_sample, err);
	return r == 0 ? vars_read(json, "vars", &pool->vars, err) : r;
}

static int read_state(
	struct recorded_state *state, struct json_object *json, struct err *err)
{
	struct json_object *setup = NULL;
	int r = fields_read(json, state_fields, state, err);
	if (r == 0) {
		json_object_object_get_ex(json, "setup", &setup);
		r = setup_read(&state->setup, setup, err);
		r = r < 0 ? err_prefix(err, "setup") : 0;
	}
	if (r == 0)
		r = object_read(json, "swapping", swapping_fields, &state->swapping, err);
	if (r == 0)
		r = list_read(json, "pools", &state->pools, &state->pool_count,
			sizeof(*state->pools), read_pool, err);
	if (r == 0)
		r = list_read(json, "guests", &state->guests, &state->guest_count,
			sizeof(*state->guests), read_mind, err);
	return r;
}

int recorded_state_read(
	struct recorded_state *state, struct json_object *json, struct err *err)
{
	*state = (struct recorded_state){0};
	int r = read_state(state, json, err);
	if (r < 0)
		recorded_state_done(state);
	return r;
}

void recorded_state_done(struct recorded_state *state)
{
	recorded_setup_done(&state->setup);
	for (size_t i = 0; i < state->pool_count; i++)
		policy_vars_free(state->pools[i].vars);
	for (size_t i = 0; i < state->guest_count; i++)
		policy_vars_free(state->guests[i].vars);
	free(state->pools);
	free(state->guests);
	*state = (struct recorded_state){0};
}
