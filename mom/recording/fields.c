/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/recording/fields.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/recording/recording.h"

/* ---- the tables ---- */

#define KIND(member)                                                                     \
	_Generic(member, bool: FIELD_FLAG, uint64_t: FIELD_U64, int64_t: FIELD_I64,      \
		uint32_t: FIELD_U32, int32_t: FIELD_I32, double: FIELD_REAL,             \
		char *: FIELD_TEXT)
#define SIZE(type, member)   sizeof(((struct type *)0)->member)
#define OFFSET(type, member) offsetof(struct type, member)
#define F(type, member)                                                                  \
	{                                                                                \
		.name = #member, .kind = KIND(((struct type *)0)->member),               \
		.offset = OFFSET(type, member), .size = SIZE(type, member)               \
	}
#define W(type, member, name_of, count)                                                  \
	{                                                                                \
		.name = #member, .kind = FIELD_WORD, .offset = OFFSET(type, member),     \
		.size = SIZE(type, member), .word = name_of, .words = count              \
	}

static const char *run_word(int value)
{
	return guest_run_name((enum guest_run)value);
}

static const char *guest_state_word(int value)
{
	return guest_state_name((enum guest_state)value);
}

static const char *host_state_word(int value)
{
	return host_state_name((enum host_state)value);
}

static const char *event_word(int value)
{
	static const char *const names[] = {
		[EVENT_ROUND_DONE] = "round done",
		[EVENT_CONNECTED] = "connected",
		[EVENT_DISCONNECTED] = "disconnected",
		[EVENT_GUEST_ARRIVED] = "guest arrived",
		[EVENT_GUEST_GONE] = "guest gone",
		[EVENT_GUEST_REBOOTED] = "guest rebooted",
		[EVENT_GUEST_CHANGED] = "guest changed",
		[EVENT_BALLOON_MOVED] = "balloon moved",
		[EVENT_ORDER_DONE] = "order done",
		[EVENT_NOTE] = "note",
	};
	return names[value];
}

#define FACT(member) F(guest_facts, member)
const struct field guest_facts_fields[] = {
	FACT(uuid),
	FACT(name),
	FACT(id),
	FACT(pid),
	W(guest_facts, run, run_word, GUEST_RUN_UNKNOWN + 1),
	FACT(has_balloon),
	FACT(busy),
	FACT(hung),
	FACT(locked),
	FACT(autodeflate),
	FACT(hugepages),
	FACT(nosharepages),
	FACT(keeps_touched),
	FACT(windows),
	FACT(boots),
	FACT(last_update),
	FACT(has_last_update),
	FACT(refused),
	FACT(cgroup),
	{0},
};

#define SAMPLE(member) F(guest_sample, member)
const struct field guest_sample_fields[] = {
	SAMPLE(max_kib),
	SAMPLE(actual_kib),
	SAMPLE(has_actual),
	SAMPLE(has_usable),
	SAMPLE(has_unused),
	SAMPLE(has_total),
	SAMPLE(has_cache),
	SAMPLE(usable_kib),
	SAMPLE(unused_kib),
	SAMPLE(total_kib),
	SAMPLE(cache_kib),
	SAMPLE(has_swap_total),
	SAMPLE(has_swap_usage),
	SAMPLE(swap_total_kib),
	SAMPLE(swap_usage_kib),
	SAMPLE(has_swap_in),
	SAMPLE(has_swap_out),
	SAMPLE(has_major_fault),
	SAMPLE(has_minor_fault),
	SAMPLE(swap_in_kib),
	SAMPLE(swap_out_kib),
	SAMPLE(major_fault),
	SAMPLE(minor_fault),
	SAMPLE(has_rss),
	SAMPLE(rss_kib),
	SAMPLE(rss_anon_kib),
	SAMPLE(rss_shmem_kib),
	SAMPLE(swap_kib),
	SAMPLE(has_host_faults),
	SAMPLE(host_minor_faults),
	SAMPLE(host_major_faults),
	SAMPLE(has_overhead),
	SAMPLE(overhead_kib),
	SAMPLE(has_working_set),
	SAMPLE(working_set_kib),
	{0},
};

const struct field guest_estimate_fields[] = {
	SAMPLE(has_used),
	SAMPLE(has_demand),
	SAMPLE(has_growth),
	SAMPLE(used_kib),
	SAMPLE(demand_kib),
	SAMPLE(growth_kib_per_s),
	SAMPLE(withheld_kib),
	SAMPLE(cost_kib),
	SAMPLE(distress),
	SAMPLE(min_kib),
	SAMPLE(limit_kib),
	SAMPLE(target_kib),
	SAMPLE(shares),
	SAMPLE(buffer_ratio),
	{0},
};

#define TRACK(member) F(guest_track, member)
const struct field guest_track_fields[] = {
	TRACK(seen),
	TRACK(boots),
	TRACK(last_ms),
	TRACK(running_ms),
	TRACK(last_update),
	TRACK(has_last_update),
	TRACK(updated_at),
	TRACK(updated),
	TRACK(doubted),
	TRACK(fresh),
	TRACK(proven),
	TRACK(valued),
	TRACK(fetched_kib),
	TRACK(fetched_ms),
	TRACK(usual_kib_per_s),
	TRACK(floor_kib),
	TRACK(floor_ms),
	TRACK(swap_in_kib_per_s),
	TRACK(has_working_set),
	TRACK(working_set_ms),
	TRACK(working_set_kib),
	{0},
};

#define MEASURE(member) F(size_track, member)
const struct field size_track_fields[] = {
	MEASURE(news),
	MEASURE(news_ms),
	MEASURE(moved_ms),
	MEASURE(actual_kib),
	MEASURE(total_kib),
	MEASURE(usable_kib),
	MEASURE(unused_kib),
	MEASURE(then_kib),
	MEASURE(still),
	MEASURE(settled),
	MEASURE(settled_actual_kib),
	MEASURE(settled_total_kib),
	{0},
};

#define BALLOON(member) F(balloon_track, member)
const struct field balloon_track_fields[] = {
	BALLOON(seen),
	BALLOON(boots),
	BALLOON(max_kib),
	BALLOON(target_kib),
	BALLOON(from_kib),
	BALLOON(taken_kib),
	BALLOON(was_arrived),
	BALLOON(ordered_ms),
	BALLOON(raised),
	BALLOON(arrived),
	BALLOON(arrived_ms),
	BALLOON(answer_ms),
	BALLOON(reset),
	BALLOON(last_actual_kib),
	BALLOON(held_until_ms),
	BALLOON(moved_ms),
	BALLOON(moved_to_kib),
	BALLOON(pull_back),
	BALLOON(stuck_count),
	BALLOON(stuck_until_ms),
	BALLOON(released),
	BALLOON(suffered),
	BALLOON(patience_ms),
	BALLOON(spared_until_ms),
	BALLOON(proof_from_kib),
	BALLOON(proof_kib),
	BALLOON(proof_ms),
	BALLOON(unproved),
	BALLOON(fruitless),
	BALLOON(fixed),
	BALLOON(owed_reset),
	BALLOON(owed_pull_back),
	BALLOON(refused_count),
	BALLOON(refused_until_ms),
	{0},
};

#define HOST(member) F(host_sample, member)
const struct field host_sample_fields[] = {
	HOST(has_meminfo),
	HOST(mem_total_kib),
	HOST(mem_free_kib),
	HOST(mem_usable_kib),
	HOST(buffers_kib),
	HOST(cached_kib),
	HOST(anon_kib),
	HOST(swap_total_kib),
	HOST(swap_free_kib),
	HOST(has_vmstat),
	HOST(has_psi),
	HOST(psi_some),
	HOST(psi_full),
	HOST(has_ksm),
	HOST(ksm_run),
	HOST(ksm_pages_shared),
	HOST(ksm_pages_sharing),
	HOST(ksm_pages_unshared),
	HOST(ksm_pages_volatile),
	HOST(ksm_pages_to_scan),
	HOST(ksm_full_scans),
	HOST(ksm_sleep_millisecs),
	HOST(ksm_merge_across_nodes),
	HOST(ksm_pages_scanned),
	HOST(ksm_pages_skipped),
	HOST(ksm_zero_pages),
	HOST(ksm_stable_node_chains),
	HOST(ksm_stable_node_dups),
	HOST(ksm_general_profit_kib),
	HOST(ksm_shareable_kib),
	HOST(has_ksmd_cpu),
	HOST(ksmd_cpu_ratio),
	HOST(ksm_advisor),
	HOST(ksm_rival),
	HOST(cpu_count),
	HOST(has_time),
	HOST(time_year),
	HOST(time_month),
	HOST(time_day),
	HOST(time_hour),
	HOST(time_minute),
	HOST(time_second),
	{0},
};

const struct field host_estimate_fields[] = {
	HOST(swap_in_pages),
	HOST(swap_out_pages),
	HOST(swap_in_pages_per_s),
	HOST(swap_out_pages_per_s),
	HOST(available_kib),
	HOST(budget_kib),
	HOST(divisible_kib),
	HOST(claimed_kib),
	HOST(reserve_kib),
	HOST(exposure_kib),
	HOST(cost_kib),
	W(host_sample, state, host_state_word, HOST_STATE_COUNT),
	W(host_sample, worst_state, host_state_word, HOST_STATE_COUNT),
	{0},
};

const struct field host_track_fields[] = {
	F(host_track, seen),
	W(host_track, state, host_state_word, HOST_STATE_COUNT),
	W(host_track, better, host_state_word, HOST_STATE_COUNT),
	F(host_track, better_since_ms),
	{0},
};

#define POOL(member) F(pool_facts, member)
const struct field pool_facts_fields[] = {
	POOL(path),
	POOL(limit_kib),
	POOL(use_kib),
	POOL(inactive_file_kib),
	POOL(split_kib),
	POOL(has_use),
	POOL(has_above),
	POOL(above_kib),
	{0},
};

#define DECISION(member) F(recorded_decision, member)
const struct field decision_fields[] = {
	W(recorded_decision, state, guest_state_word, GUEST_STATE_COUNT),
	W(recorded_decision, host_state, host_state_word, HOST_STATE_COUNT),
	DECISION(has_used),
	DECISION(has_wish),
	DECISION(has_order),
	DECISION(used_kib),
	DECISION(demand_kib),
	DECISION(cost_kib),
	DECISION(actual_kib),
	DECISION(wish_kib),
	DECISION(target_kib),
	DECISION(policy),
	DECISION(because),
	DECISION(guard),
	{0},
};

const struct field order_fields[] = {
	F(order, uuid),
	F(order, name),
	F(order, from_kib),
	F(order, to_kib),
	F(order, reason),
	F(order, result),
	{0},
};

const struct field knob_fields[] = {
	F(host_wish, value),
	F(host_wish, policy),
	F(host_wish, because),
	{0},
};

#define SWAPPING(member) F(recorded_swapping, member)
const struct field swapping_fields[] = {
	SWAPPING(seen),
	SWAPPING(since_ms),
	SWAPPING(since_in_pages),
	SWAPPING(since_out_pages),
	SWAPPING(in_pages),
	SWAPPING(out_pages),
	SWAPPING(in_per_s),
	SWAPPING(out_per_s),
	{0},
};

#define RESERVED(member) F(recorded_reservation, member)
const struct field reservation_fields[] = {
	RESERVED(number),
	RESERVED(name),
	RESERVED(pool),
	RESERVED(size_kib),
	RESERVED(expires_ms),
	RESERVED(known_id),
	{0},
};

const struct field event_fields[] = {
	W(hypervisor_event, kind, event_word, EVENT_NOTE + 1),
	F(hypervisor_event, uuid),
	F(hypervisor_event, value_kib),
	F(hypervisor_event, result),
	F(hypervisor_event, text),
	{0},
};

/* ---- writing ---- */

/* Exact: what is read back must give the same decisions. */
static struct json_object *write_real(double number)
{
	if (isfinite(number) && number != 0)
		return json_object_new_double(number);
	return NULL;
}

static struct json_object *write_whole(int64_t number)
{
	return number ? json_object_new_int64(number) : NULL;
}

/* NULL for what is zero. */
static struct json_object *write_value(const struct field *field, const void *at)
{
	switch (field->kind) {
	case FIELD_FLAG:
		return *(const bool *)at ? json_object_new_boolean(true) : NULL;
	case FIELD_U64: {
		uint64_t number = *(const uint64_t *)at;
		return number ? json_object_new_uint64(number) : NULL;
	}
	case FIELD_I64:
		return write_whole(*(const int64_t *)at);
	case FIELD_U32:
		return write_whole(*(const uint32_t *)at);
	case FIELD_I32:
		return write_whole(*(const int32_t *)at);
	case FIELD_REAL:
		return write_real(*(const double *)at);
	case FIELD_TEXT:
		return *(const char *)at ? control_json_text(at) : NULL;
	case FIELD_WORD: {
		int value = (int)*(const unsigned *)at;
		return value ? control_json_text(field->word(value)) : NULL;
	}
	}
	return NULL;
}

void fields_write(
	struct json_object *object, const struct field *fields, const void *from)
{
	for (const struct field *field = fields; field->name; field++) {
		struct json_object *value =
			write_value(field, (const char *)from + field->offset);
		if (value)
			json_object_object_add(object, field->name, value);
	}
}

/* ---- reading ---- */

static int refuse(const struct field *field, const char *expected, struct err *err)
{
	return err_set(err, -EBADMSG, "%s: expected %s", field->name, expected);
}

static int read_whole(const struct field *field, struct json_object *json, void *at,
	int64_t low, int64_t high, struct err *err)
{
	if (!json_object_is_type(json, json_type_int))
		return refuse(field, "a whole number", err);
	int64_t number = json_object_get_int64(json);
	if (number < low || number > high)
		return refuse(field, "a smaller number", err);
	if (field->kind == FIELD_I64)
		*(int64_t *)at = number;
	else if (field->kind == FIELD_U32)
		*(uint32_t *)at = (uint32_t)number;
	else
		*(int32_t *)at = (int32_t)number;
	return 0;
}

static int read_count(const struct field *field, struct json_object *json, uint64_t *at,
	struct err *err)
{
	bool counts = json_object_is_type(json, json_type_int) &&
		      (json_object_get_int64(json) >= 0 ||
			      json_object_get_uint64(json) > INT64_MAX);
	if (!counts)
		return refuse(field, "a whole number that isn't negative", err);
	*at = json_object_get_uint64(json);
	return 0;
}

static int read_real(
	const struct field *field, struct json_object *json, double *at, struct err *err)
{
	bool number = json_object_is_type(json, json_type_double) ||
		      json_object_is_type(json, json_type_int);
	if (!number || !isfinite(json_object_get_double(json)))
		return refuse(field, "a number", err);
	*at = json_object_get_double(json);
	return 0;
}

static int read_text(
	const struct field *field, struct json_object *json, char *at, struct err *err)
{
	const char *text = json_object_is_type(json, json_type_string)
				   ? json_object_get_string(json)
				   : NULL;
	if (!text)
		return refuse(field, "a text", err);
	/* a reason that was cut within a letter is longer than it was */
	snprintf(at, field->size, "%.*s", (int)field->size - 1, text);
	return 0;
}

static int read_word(const struct field *field, struct json_object *json, unsigned *at,
	struct err *err)
{
	const char *text = json_object_is_type(json, json_type_string)
				   ? json_object_get_string(json)
				   : "";
	for (int i = 0; i < field->words; i++) {
		if (strcmp(text, field->word(i)) != 0)
			continue;
		*at = (unsigned)i;
		return 0;
	}
	return refuse(field, "one of the words of doc/recording.md", err);
}

static int read_value(
	const struct field *field, struct json_object *json, void *at, struct err *err)
{
	switch (field->kind) {
	case FIELD_FLAG:
		if (!json_object_is_type(json, json_type_boolean))
			return refuse(field, "true or false", err);
		*(bool *)at = json_object_get_boolean(json);
		return 0;
	case FIELD_U64:
		return read_count(field, json, at, err);
	case FIELD_I64:
		/* times are added and taken from one another */
		return read_whole(field, json, at, INT64_MIN / 4, INT64_MAX / 4, err);
	case FIELD_U32:
		return read_whole(field, json, at, 0, UINT32_MAX, err);
	case FIELD_I32:
		return read_whole(field, json, at, INT32_MIN, INT32_MAX, err);
	case FIELD_REAL:
		return read_real(field, json, at, err);
	case FIELD_TEXT:
		return read_text(field, json, at, err);
	case FIELD_WORD:
		return read_word(field, json, at, err);
	}
	return 0;
}

int fields_read(struct json_object *object, const struct field *fields, void *into,
	struct err *err)
{
	if (!json_object_is_type(object, json_type_object))
		return err_set(err, -EBADMSG, "expected an object");
	for (const struct field *field = fields; field->name; field++) {
		struct json_object *value;
		if (!json_object_object_get_ex(object, field->name, &value))
			continue;
		int r = read_value(field, value, (char *)into + field->offset, err);
		if (r < 0)
			return r;
	}
	return 0;
}
