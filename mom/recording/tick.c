/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "mom/recording/lists.h"

/* Members of a tick that are numbers. */
#define TICK(member, kind_)                                                              \
	{                                                                                \
		.name = #member, .kind = kind_,                                          \
		.offset = offsetof(struct recorded_tick, member)                         \
	}

static const struct field tick_fields[] = {
	TICK(number, FIELD_U64),
	TICK(now_ms, FIELD_I64),
	TICK(clock_ms, FIELD_I64),
	TICK(connected, FIELD_FLAG),
	TICK(sent, FIELD_FLAG),
	TICK(swap_in_pages, FIELD_U64),
	TICK(swap_out_pages, FIELD_U64),
	{0},
};

/* ---- writing ---- */

static struct json_object *write_guest(const struct recorded_guest *guest)
{
	struct json_object *object = json_object_new_object();
	fields_write(object, guest_facts_fields, &guest->facts);
	if (guest->facts.metadata)
		json_object_object_add(
			object, "metadata", control_json_text(guest->facts.metadata));
	object_write(object, "sample", guest_sample_fields, &guest->facts.sample);
	object_write(object, "estimate", guest_estimate_fields, &guest->estimate);
	if (guest->decided) {
		struct json_object *decision = json_object_new_object();
		fields_write(decision, decision_fields, &guest->decision);
		json_object_object_add(object, "decision", decision);
	}
	return object;
}

static void write_knobs(struct json_object *into, const struct recorded_tick *tick)
{
	struct json_object *knobs = json_object_new_object();
	for (int i = 0; i < HOST_KNOB_COUNT; i++) {
		if (!tick->knobs[i].has_value)
			continue;
		struct json_object *knob = json_object_new_object();
		fields_write(knob, knob_fields, &tick->knobs[i]);
		json_object_object_add(knobs, host_knob_name(i), knob);
	}
	if (json_object_object_length(knobs))
		json_object_object_add(into, "knobs", knobs);
	else
		json_object_put(knobs);
}

struct json_object *recorded_tick_write(const struct recorded_tick *tick)
{
	struct json_object *object = json_object_new_object();
	struct json_object *guests = json_object_new_array();
	fields_write(object, tick_fields, tick);
	if (tick->setup)
		json_object_object_add(
			object, "setup", recorded_setup_write(tick->setup));
	list_write(object, "events", event_fields, tick->events, tick->event_count,
		sizeof(*tick->events));
	object_write(object, "host", host_sample_fields, &tick->host);
	list_write(object, "pools", pool_facts_fields, tick->pools, tick->pool_count,
		sizeof(*tick->pools));
	for (size_t i = 0; i < tick->guest_count; i++)
		json_object_array_add(guests, write_guest(&tick->guests[i]));
	json_object_object_add(object, "guests", guests);
	list_write(object, "orders", order_fields, tick->orders, tick->order_count,
		sizeof(*tick->orders));
	write_knobs(object, tick);
	return object;
}

/* ---- reading ---- */

static int need(bool there, const char *what, struct err *err)
{
	return there ? 0 : err_set(err, -EBADMSG, "%s is missing", what);
}

static int read_guest(struct json_object *json, void *into, struct err *err)
{
	struct recorded_guest *guest = into;
	int r = fields_read(json, guest_facts_fields, &guest->facts, err);
	if (r == 0)
		r = need(guest->facts.uuid[0], "uuid", err);
	if (r == 0)
		r = object_read(
			json, "sample", guest_sample_fields, &guest->facts.sample, err);
	if (r == 0)
		r = object_read(
			json, "estimate", guest_estimate_fields, &guest->estimate, err);
	if (r < 0)
		return r;
	guest->facts.metadata = text_read(json, "metadata");
	guest->decided = json_object_object_get_ex(json, "decision", NULL);
	return object_read(json, "decision", decision_fields, &guest->decision, err);
}

static int read_pool(struct json_object *json, void *into, struct err *err)
{
	struct pool_facts *pool = into;
	int r = fields_read(json, pool_facts_fields, pool, err);
	return r < 0 ? r : need(pool->path[0] == '/', "path", err);
}

static int read_order(struct json_object *json, void *into, struct err *err)
{
	return fields_read(json, order_fields, into, err);
}

static int read_event(struct json_object *json, void *into, struct err *err)
{
	return fields_read(json, event_fields, into, err);
}

static int read_knobs(
	struct json_object *json, struct recorded_tick *tick, struct err *err)
{
	struct json_object *knobs, *knob;
	if (!json_object_object_get_ex(json, "knobs", &knobs))
		return 0;
	if (!json_object_is_type(knobs, json_type_object))
		return err_set(err, -EBADMSG, "knobs: expected an object");
	for (int i = 0; i < HOST_KNOB_COUNT; i++) {
		if (!json_object_object_get_ex(knobs, host_knob_name(i), &knob))
			continue;
		tick->knobs[i].has_value = true;
		int r = fields_read(knob, knob_fields, &tick->knobs[i], err);
		if (r < 0)
			return err_prefix(err, "%s", host_knob_name(i));
	}
	return 0;
}

static int read_setup(
	struct json_object *json, struct recorded_tick *tick, struct err *err)
{
	struct json_object *setup;
	if (!json_object_object_get_ex(json, "setup", &setup))
		return 0;
	tick->setup = mem_alloc(sizeof(*tick->setup));
	int r = setup_read(tick->setup, setup, err);
	return r < 0 ? err_prefix(err, "setup") : 0;
}

static int read_tick(
	struct recorded_tick *tick, struct json_object *json, struct err *err)
{
	int r = fields_read(json, tick_fields, tick, err);
	if (r == 0)
		r = need(tick->number > 0, "number", err);
	if (r == 0)
		r = read_setup(json, tick, err);
	if (r == 0)
		r = list_read(json, "events", &tick->events, &tick->event_count,
			sizeof(*tick->events), read_event, err);
	if (r == 0)
		r = object_read(json, "host", host_sample_fields, &tick->host, err);
	if (r == 0)
		r = list_read(json, "pools", &tick->pools, &tick->pool_count,
			sizeof(*tick->pools), read_pool, err);
	if (r == 0)
		r = list_read(json, "guests", &tick->guests, &tick->guest_count,
			sizeof(*tick->guests), read_guest, err);
	if (r == 0)
		r = list_read(json, "orders", &tick->orders, &tick->order_count,
			sizeof(*tick->orders), read_order, err);
	return r == 0 ? read_knobs(json, tick, err) : r;
}

int recorded_tick_read(
	struct recorded_tick *tick, struct json_object *json, struct err *err)
{
	*tick = (struct recorded_tick){0};
	int r = read_tick(tick, json, err);
	if (r < 0)
		recorded_tick_done(tick);
	return r;
}

void recorded_tick_done(struct recorded_tick *tick)
{
	if (tick->setup)
		recorded_setup_done(tick->setup);
	for (size_t i = 0; i < tick->guest_count; i++)
		free(tick->guests[i].facts.metadata);
	free(tick->setup);
	free(tick->events);
	free(tick->pools);
	free(tick->guests);
	free(tick->orders);
	*tick = (struct recorded_tick){0};
}
