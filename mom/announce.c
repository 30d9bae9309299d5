/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/announce.h"

#include <string.h>

#include "mom/log.h"
#include "mom/mem.h"
#include "mom/units.h"

#define LINES_MOST 12    /* of one guest's changes, the common ones … */
#define LINES_MS   60000 /* … in this time; the journal has them all */

/* A guest that goes to and fro all the time is told about for a while, and left alone for
 * the rest of the minute. */
static enum log_level voice(struct guest *guest, int64_t now_ms)
{
	if (now_ms - guest->lines_ms >= LINES_MS) {
		guest->lines_ms = now_ms;
		guest->lines = 0;
	}
	if (guest->lines < LINES_MOST && ++guest->lines == LINES_MOST)
		log_info("guest \"%s\": changes often; no more of it for up to a minute",
			guest->facts.name);
	return guest->lines < LINES_MOST ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

void announce_arrived(const struct guest *guest)
{
	char size[SIZE_TEXT_MAX];
	log_info("guest \"%s\": found, %s%s", guest->facts.name,
		units_format_size(size, guest->facts.sample.max_kib),
		guest->facts.has_balloon ? "" : ", without a balloon device");
}

void announce_gone(const struct guest *guest)
{
	log_info("guest \"%s\": gone", guest->facts.name);
}

void announce_rebooted(struct guest *guest, int64_t now_ms)
{
	log_line(voice(guest, now_ms), "guest \"%s\": rebooted", guest->facts.name);
}

void announce_state(struct guest *guest, int64_t now_ms)
{
	if (guest->announced == guest->state)
		return;
	log_line(voice(guest, now_ms), "guest \"%s\": %s (was %s), statistics %s",
		guest->facts.name, guest_state_name(guest->state),
		guest_state_name(guest->announced), guest_quality_name(guest->quality));
	guest->announced = guest->state;
}

/* Other hands, a balloon that stopped, memory that can't be had: one line each. */
void announce_balloon(const struct guest *guest, enum follow_event event,
	uint64_t before_kib, const struct follow_terms *terms)
{
	char from[SIZE_TEXT_MAX], to[SIZE_TEXT_MAX], wait[DURATION_TEXT_MAX];
	const char *name = guest->facts.name;
	if (event == FOLLOW_NOTHING)
		return;
	units_format_size(from, before_kib);
	units_format_size(to, guest->facts.sample.actual_kib);
	switch (event) {
	case FOLLOW_ADOPTED:
		log_notice(
			"guest \"%s\": its balloon was set elsewhere, %s → %s; adopted, "
			"hands off for %s",
			name, from, to, units_format_duration(wait, terms->hold_off_ms));
		break;
	case FOLLOW_STUCK:
		log_notice("guest \"%s\": its balloon stopped at %s short of %s; stays "
			   "there, "
			   "tried again later",
			name, to, from);
		break;
	case FOLLOW_FIXED:
		log_warning(
			"guest \"%s\": obeys, but the host gains nothing (locked memory, "
			"a passed-through device or huge pages?); left at its maximum",
			name);
		break;
	case FOLLOW_RELEASED:
		log_notice(
			"guest \"%s\": took memory back by itself, %s → %s: it ran out",
			name, from, to);
		break;
	case FOLLOW_NOTHING:
		break;
	}
}

void announce_pool(struct pool *pool)
{
	char available[SIZE_TEXT_MAX], reserve[SIZE_TEXT_MAX];
	if (pool->announced == pool->sample.state)
		return;
	log_notice("%s%s: %s (was %s), %s available, reserve %s",
		pool->path[0] ? "cgroup " : "host", pool->path,
		host_state_name(pool->sample.state), host_state_name(pool->announced),
		units_format_size(available, pool->sample.available_kib),
		units_format_size(reserve, pool->sample.reserve_kib));
	pool->announced = pool->sample.state;
}

static bool is_among(
	const struct complaints *complaints, const struct policy_message *message)
{
	for (size_t i = 0; i < complaints->count; i++) {
		const struct policy_message *known = &complaints->items[i];
		if (known->line == message->line && known->column == message->column &&
			!strcmp(known->text, message->text) &&
			!strcmp(known->policy, message->policy))
			return true;
	}
	return false;
}

/* The same complaint is one line, whatever guest it is at and however often it comes. */
static bool is_told(struct engine *engine, const struct policy_message *message)
{
	struct complaints *now = &engine->complaining;
	if (is_among(now, message))
		return true;
	now->items =
		mem_grow(now->items, now->count, &now->capacity, sizeof(*now->items));
	now->items[now->count++] = *message;
	return is_among(&engine->complained, message);
}

void announce_message(struct engine *engine, const struct policy_message *message)
{
	enum log_level level = message->level == POLICY_ERROR     ? LOG_LEVEL_ERROR
			       : message->level == POLICY_WARNING ? LOG_LEVEL_WARNING
								  : LOG_LEVEL_DEBUG;
	if (level != LOG_LEVEL_DEBUG && is_told(engine, message))
		level = LOG_LEVEL_DEBUG;
	log_line(level, "policy \"%s\": %s:%u:%u: %s%s%s", message->policy, message->file,
		message->line, message->column, message->text,
		*message->guest ? "; at guest " : "", message->guest);
}

static bool complains(
	const struct complaints *complaints, size_t count, const char *policy)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(complaints->items[i].policy, policy))
			return true;
	return false;
}

void announce_recovered(struct engine *engine)
{
	const struct complaints before = engine->complained, now = engine->complaining;
	for (size_t i = 0; i < before.count; i++) {
		const char *policy = before.items[i].policy;
		struct policy_info info;
		if (complains(&before, i, policy) || complains(&now, now.count, policy))
			continue;
		if (policy_set_find(engine->policies, policy, &info))
			log_info("policy \"%s\": runs without an error again", policy);
	}
	engine->complained = now;
	engine->complaining = before;
	engine->complaining.count = 0;
}

static void announce_order(
	const struct engine *engine, struct guest *guest, const struct order *order)
{
	char from[SIZE_TEXT_MAX], to[SIZE_TEXT_MAX];
	log_line(voice(guest, engine->now_ms), "guest \"%s\": %s %s → %s: %s",
		order->name, engine_dry_run(engine) ? "would go" : "target",
		units_format_size(from, order->from_kib),
		units_format_size(to, order->to_kib), order->reason);
}

/* In a dry run the same order comes up tick after tick; it is told when it changes. */
void announce_orders(struct engine *engine)
{
	for (size_t i = 0; i < engine->plan.order_count; i++) {
		const struct order *order = &engine->plan.orders[i];
		struct guest *guest = roster_find(&engine->roster, order->uuid);
		bool told = engine_dry_run(engine) && guest->dry_kib == order->to_kib;
		guest->dry_kib = order->to_kib;
		if (!told)
			announce_order(engine, guest, order);
	}
}

/* What the host has of a knob now; false where it has none. */
static bool knob_now(const struct host_sample *host, enum host_knob knob, int64_t *value)
{
	const int64_t now[HOST_KNOB_COUNT] = {
		[KNOB_KSM_RUN] = host->ksm_run,
		[KNOB_KSM_PAGES_TO_SCAN] = host->ksm_pages_to_scan,
		[KNOB_KSM_SLEEP_MILLISECS] = host->ksm_sleep_millisecs,
		[KNOB_KSM_MERGE_ACROSS_NODES] = host->ksm_merge_across_nodes,
	};
	*value = now[knob];
	return host->has_ksm;
}

/* A wish that changes a knob is told when it is new; a pace that is tuned is a detail. */
void announce_knobs(struct engine *engine)
{
	for (int i = 0; i < HOST_KNOB_COUNT; i++) {
		const struct host_wish *wish = &engine->plan.knobs[i];
		struct host_wish *told = &engine->told_knobs[i];
		int64_t now;
		bool same =
			told->has_value == wish->has_value && told->value == wish->value;
		*told = *wish;
		if (same || !wish->has_value ||
			!knob_now(&engine->snapshot.host, i, &now) || now == wish->value)
			continue;
		log_line(i == KNOB_KSM_RUN ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
			"host: %s %s %lld → %lld: policy \"%s\"%s%s", host_knob_name(i),
			engine_dry_run(engine) ? "would go" : "goes", (long long)now,
			(long long)wish->value, wish->policy,
			wish->because[0] ? ": " : "", wish->because);
	}
}
