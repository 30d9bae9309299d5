/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/announce.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mom/log.h"
#include "mom/mem.h"
#include "mom/units.h"

#define TEXT_MOST  800
#define LINES_MOST 12    /* of one guest's changes, the common ones … */
#define LINES_MS   60000 /* … in this time; the journal has them all */

/* One line, and what it is about for who listens: a guest's even where the log is spared
 * them, so that what moved it can be found afterwards. */
void announce(const struct engine *engine, const struct occurrence *about,
	const char *format, ...)
{
	char text[TEXT_MOST];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (about->guest)
		log_line(about->level, "guest \"%s\": %s", about->guest, text);
	else if (about->pool)
		log_line(about->level, "%s%s: %s", *about->pool ? "cgroup " : "host",
			about->pool, text);
	else
		log_line(about->level, "%s", text);
	struct occurrence occurrence = *about;
	occurrence.text = text;
	bool matters = about->guest || about->level < LOG_LEVEL_DEBUG;
	if (engine->env.occurred && matters)
		engine->env.occurred(engine->env.occurred_context, &occurrence);
}

static struct occurrence of_guest(
	const struct guest *guest, enum log_level level, enum occurrence_kind kind)
{
	return (struct occurrence){
		.level = level,
		.kind = kind,
		.guest = guest->facts.name,
		.uuid = guest->facts.uuid,
	};
}

/* A guest that goes to and fro all the time is told about for a while, and left alone for
 * the rest of the minute. */
static enum log_level voice(const struct engine *engine, struct guest *guest)
{
	if (engine->now_ms - guest->lines_ms >= LINES_MS) {
		guest->lines_ms = engine->now_ms;
		guest->lines = 0;
	}
	if (guest->lines < LINES_MOST && ++guest->lines == LINES_MOST) {
		struct occurrence about =
			of_guest(guest, LOG_LEVEL_INFO, OCCURRENCE_RESTLESS);
		announce(engine, &about,
			"changes often; no more of it for up to a minute");
	}
	return guest->lines < LINES_MOST ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

void announce_arrived(const struct engine *engine, const struct guest *guest)
{
	char size[SIZE_TEXT_MAX];
	struct occurrence about = of_guest(guest, LOG_LEVEL_INFO, OCCURRENCE_FOUND);
	announce(engine, &about, "found, %s%s",
		units_format_size(size, guest->facts.sample.max_kib),
		guest->facts.has_balloon ? "" : ", without a balloon device");
}

void announce_gone(const struct engine *engine, const struct guest *guest)
{
	struct occurrence about = of_guest(guest, LOG_LEVEL_INFO, OCCURRENCE_GONE);
	announce(engine, &about, "gone");
}

void announce_rebooted(const struct engine *engine, struct guest *guest)
{
	struct occurrence about =
		of_guest(guest, voice(engine, guest), OCCURRENCE_REBOOTED);
	announce(engine, &about, "rebooted");
}

static const char *whom(const struct reservation *reservation)
{
	return reservation->name[0] ? reservation->name : "the next guest";
}

void announce_reserved(const struct engine *engine, const struct reservation *reservation)
{
	char size[SIZE_TEXT_MAX], left[DURATION_TEXT_MAX];
	uint64_t left_ms = (uint64_t)(reservation->expires_ms - engine->now_ms);
	struct occurrence about = {
		.level = LOG_LEVEL_NOTICE,
		.kind = OCCURRENCE_RESERVED,
		.pool = reservation->pool,
	};
	announce(engine, &about, "%s is reserved for %s, for %s at most",
		units_format_size(size, reservation->size_kib), whom(reservation),
		units_format_duration(left, left_ms));
}

void announce_unreserved(const struct engine *engine,
	const struct reservation *reservation, const struct guest *guest)
{
	char size[SIZE_TEXT_MAX];
	struct occurrence about = {
		.level = LOG_LEVEL_NOTICE,
		.kind = OCCURRENCE_UNRESERVED,
		.pool = reservation->pool,
	};
	units_format_size(size, reservation->size_kib);
	if (guest)
		announce(engine, &about,
			"%s isn't reserved for %s any more: guest \"%s\" is there", size,
			whom(reservation), guest->facts.name);
	else
		announce(engine, &about,
			"%s isn't reserved for %s any more: nobody came in time", size,
			whom(reservation));
}

void announce_settings(
	const struct engine *engine, const struct guest *guest, const char *trouble)
{
	struct occurrence about = of_guest(guest, LOG_LEVEL_WARNING, OCCURRENCE_SETTINGS);
	announce(engine, &about, "%s", trouble);
}

void announce_refused(const struct engine *engine, const struct guest *guest,
	enum log_level level, const char *outcome, const char *what_now)
{
	struct occurrence about = of_guest(guest, level, OCCURRENCE_REFUSED);
	announce(engine, &about, "order %s; %s", outcome, what_now);
}

void announce_state(const struct engine *engine, struct guest *guest)
{
	if (guest->announced == guest->state)
		return;
	struct occurrence about = of_guest(guest, voice(engine, guest), OCCURRENCE_STATE);
	about.was = guest_state_name(guest->announced);
	about.is = guest_state_name(guest->state);
	announce(engine, &about, "%s (was %s), statistics %s", about.is, about.was,
		guest_quality_name(guest->quality));
	guest->announced = guest->state;
}

static const struct {
	enum occurrence_kind kind;
	enum log_level level;
} balloon_events[] = {
	[FOLLOW_ADOPTED] = {OCCURRENCE_ADOPTED, LOG_LEVEL_NOTICE},
	[FOLLOW_STUCK] = {OCCURRENCE_STUCK, LOG_LEVEL_NOTICE},
	[FOLLOW_FIXED] = {OCCURRENCE_FIXED, LOG_LEVEL_WARNING},
	[FOLLOW_RELEASED] = {OCCURRENCE_RELEASED, LOG_LEVEL_NOTICE},
};

/* Other hands, a balloon that stopped, memory that can't be had: one line each. */
void announce_balloon(const struct engine *engine, const struct guest *guest,
	uint64_t before_kib, const struct follow_terms *terms)
{
	char from[SIZE_TEXT_MAX], to[SIZE_TEXT_MAX], wait[DURATION_TEXT_MAX];
	enum follow_event event = guest->followed;
	if (event == FOLLOW_NOTHING)
		return;
	struct occurrence about =
		of_guest(guest, balloon_events[event].level, balloon_events[event].kind);
	about.has_move = true;
	about.from_kib = before_kib;
	about.to_kib = guest->facts.sample.actual_kib;
	units_format_size(from, about.from_kib);
	units_format_size(to, about.to_kib);
	switch (event) {
	case FOLLOW_ADOPTED:
		announce(engine, &about,
			"its balloon was set elsewhere, %s → %s; adopted, hands off for "
			"%s",
			from, to, units_format_duration(wait, terms->hold_off_ms));
		break;
	case FOLLOW_STUCK:
		announce(engine, &about,
			"its balloon stopped at %s short of %s; stays there, tried again "
			"later",
			to, from);
		break;
	case FOLLOW_FIXED:
		announce(engine, &about,
			"obeys, but the host gains nothing (locked memory, a "
			"passed-through device or huge pages?); left at its maximum");
		break;
	case FOLLOW_RELEASED:
		announce(engine, &about,
			"took memory back by itself, %s → %s: it ran out", from, to);
		break;
	case FOLLOW_NOTHING:
		break;
	}
}

static void announce_reserve(const struct engine *engine, struct pool *pool)
{
	char set[SIZE_TEXT_MAX], limit[SIZE_TEXT_MAX], kept[SIZE_TEXT_MAX];
	bool news = pool->reserve_cut && !pool->cut_told;
	pool->cut_told = pool->reserve_cut;
	if (!news)
		return;
	struct occurrence about = {
		.level = LOG_LEVEL_WARNING,
		.kind = OCCURRENCE_POOL,
		.pool = pool->path,
	};
	announce(engine, &about,
		"host.reserve is %s, and its limit %s; no more than a quarter of that, "
		"%s, is kept free in it",
		units_format_size(set, engine->config->host.reserve.kib),
		units_format_size(limit, pool->sample.mem_total_kib),
		units_format_size(kept, pool->sample.mem_total_kib / 4));
}

void announce_pool(const struct engine *engine, struct pool *pool)
{
	announce_reserve(engine, pool);
	char available[SIZE_TEXT_MAX], reserve[SIZE_TEXT_MAX];
	bool exhausted = pool->sample.state == HOST_EXHAUSTED;
	if (pool->announced == pool->sample.state)
		return;
	struct occurrence about = {
		.level = exhausted ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
		.kind = OCCURRENCE_POOL,
		.pool = pool->path,
		.was = host_state_name(pool->announced),
		.is = host_state_name(pool->sample.state),
		.has_room = true,
		.available_kib = pool->sample.available_kib,
		.reserve_kib = pool->sample.reserve_kib,
	};
	announce(engine, &about, "%s (was %s), %s available, reserve %s%s", about.is,
		about.was, units_format_size(available, about.available_kib),
		units_format_size(reserve, about.reserve_kib),
		exhausted ? "; nothing is left to take: lower a guest's min, or stop one"
			  : "");
	pool->announced = pool->sample.state;
}

void announce_part(const struct engine *engine, enum log_level level, const char *name,
	const char *text, const char *now_what)
{
	struct occurrence about = {.level = level, .kind = OCCURRENCE_PART};
	announce(engine, &about, "%s: %s%s", name, text, now_what);
}

void announce_hypervisor(const struct engine *engine, enum occurrence_kind kind,
	const char *what, const char *text)
{
	bool lost = kind == OCCURRENCE_DISCONNECTED;
	struct occurrence about = {
		.level = lost ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, .kind = kind};
	announce(engine, &about, "%s: %s%s%s", engine->env.hypervisor->name, what, text,
		lost ? "; targets stay as they are" : "");
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
	struct occurrence about = {.level = level, .kind = OCCURRENCE_POLICY};
	announce(engine, &about, "policy \"%s\": %s:%u:%u: %s%s%s", message->policy,
		message->file, message->line, message->column, message->text,
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
		struct occurrence about = {
			.level = LOG_LEVEL_INFO, .kind = OCCURRENCE_POLICY};
		if (policy_set_find(engine->policies, policy, &info))
			announce(engine, &about,
				"policy \"%s\": runs without an error again", policy);
	}
	engine->complained = now;
	engine->complaining = before;
	engine->complaining.count = 0;
}

static void announce_order(
	const struct engine *engine, struct guest *guest, const struct order *order)
{
	char from[SIZE_TEXT_MAX], to[SIZE_TEXT_MAX];
	struct occurrence about = of_guest(guest, voice(engine, guest), OCCURRENCE_ORDER);
	about.why = order->reason;
	about.has_move = true;
	about.from_kib = order->from_kib;
	about.to_kib = order->to_kib;
	announce(engine, &about, "%s %s → %s: %s",
		engine_dry_run(engine) ? "would go" : "target",
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
		struct occurrence about = {
			.level = i == KNOB_KSM_RUN ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
			.kind = OCCURRENCE_KNOB,
			.pool = "",
			.why = wish->because,
		};
		announce(engine, &about, "%s %s %lld → %lld: policy \"%s\"%s%s",
			host_knob_name(i), engine_dry_run(engine) ? "would go" : "goes",
			(long long)now, (long long)wish->value, wish->policy,
			wish->because[0] ? ": " : "", wish->because);
	}
}
