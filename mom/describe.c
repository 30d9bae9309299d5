/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/describe.h"

#include <json-c/json.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/control/put.h"
#include "mom/daemon.h"
#include "mom/history/history.h"
#include "mom/mem.h"
#include "mom/units.h"

#define PAGE_KIB 4

struct json_object *describe_pool(const struct pool *pool)
{
	const struct host_sample *sample = &pool->sample;
	struct json_object *object = json_object_new_object();
	put_text(object, "name", pool->path[0] ? pool->path : "host");
	put_text(object, "state", host_state_name(sample->state));
	put_kib(object, "guests", pool->guest_count);
	put_kib(object, "available_kib", sample->available_kib);
	put_kib(object, "budget_kib", sample->budget_kib);
	put_kib(object, "divisible_kib", sample->divisible_kib);
	put_kib(object, "reserve_kib", sample->reserve_kib);
	put_kib(object, "reserved_kib", sample->claimed_kib);
	put_kib(object, "exposure_kib", sample->exposure_kib);
	put_kib(object, "cost_kib", sample->cost_kib);
	put_kib_if(object, "mem_total_kib", sample->has_meminfo, sample->mem_total_kib);
	put_kib_if(object, "mem_usable_kib", sample->has_meminfo, sample->mem_usable_kib);
	put_kib_if(object, "mem_free_kib", sample->has_meminfo, sample->mem_free_kib);
	put_kib_if(object, "cached_kib", sample->has_meminfo,
		sample->cached_kib + sample->buffers_kib);
	put_kib_if(object, "swap_total_kib", sample->has_meminfo, sample->swap_total_kib);
	put_kib_if(object, "swap_free_kib", sample->has_meminfo, sample->swap_free_kib);
	put_ratio_if(object, "swap_in_kib_per_s", sample->has_vmstat,
		sample->swap_in_pages_per_s * PAGE_KIB);
	put_ratio_if(object, "swap_out_kib_per_s", sample->has_vmstat,
		sample->swap_out_pages_per_s * PAGE_KIB);
	put_ratio_if(object, "psi_some", sample->has_psi, sample->psi_some);
	put_ratio_if(object, "psi_full", sample->has_psi, sample->psi_full);
	put_kib_if(object, "ksm_saving_kib", sample->has_ksm,
		(uint64_t)sample->ksm_pages_sharing * PAGE_KIB);
	put_ratio_if(
		object, "ksmd_cpu_ratio", sample->has_ksmd_cpu, sample->ksmd_cpu_ratio);
	put_text(object, "ksm_rival", sample->ksm_rival[0] ? sample->ksm_rival : NULL);
	return object;
}

struct json_object *describe_hypervisor(const struct engine *engine)
{
	struct hypervisor_status status = {0};
	engine->env.hypervisor->status(engine->hypervisor_self, &status);
	struct json_object *object = json_object_new_object();
	put_text(object, "name", engine->env.hypervisor->name);
	put_text(object, "uri", engine->config->hypervisor.uri);
	put_bool(object, "connected", status.connected);
	put_bool(object, "read_only", status.read_only);
	put_seconds(object, "since_s", daemon_now_ms() - status.since_ms);
	put_kib(object, "calls", status.calls);
	put_kib(object, "calls_late", status.calls_late);
	put_text(object, "why", status.why[0] ? status.why : NULL);
	return object;
}

/* Why the guest has what it has, in the words of the latest decision. */
const char *describe_reason(const struct guest *guest)
{
	const struct decision *latest = journal_at(&guest->journal, 0);
	if (!latest)
		return NULL;
	if (latest->guard[0] && !latest->has_order)
		return latest->guard;
	return latest->because[0] ? latest->because : latest->guard;
}

static void put_rate(struct json_object *object, const char *key, const struct rate *rate)
{
	put_ratio_if(object, key, rate->known, rate->per_s);
}

struct json_object *describe_guest(const struct guest *guest, int64_t now_ms)
{
	const struct guest_facts *facts = &guest->facts;
	const struct guest_sample *sample = &facts->sample;
	const struct decision *latest = journal_at(&guest->journal, 0);
	struct json_object *object = json_object_new_object();
	put_text(object, "name", facts->name);
	put_text(object, "uuid", facts->uuid);
	put(object, "id", json_object_new_int(facts->id));
	put_text(object, "state", guest_state_name(guest->state));
	put_kib(object, "max_kib", sample->max_kib);
	put_kib(object, "limit_kib", sample->limit_kib);
	put_kib(object, "min_kib", sample->min_kib);
	put_kib_if(object, "actual_kib", sample->has_actual, sample->actual_kib);
	put_kib_if(object, "target_kib", sample->has_actual, guest->balloon.target_kib);
	put_kib_if(object, "used_kib", sample->has_used, sample->used_kib);
	put_kib_if(object, "demand_kib", sample->has_demand, sample->demand_kib);
	put_kib_if(object, "unused_kib", sample->has_unused, sample->unused_kib);
	put_kib_if(object, "working_set_kib", sample->has_working_set,
		sample->working_set_kib);
	put_kib_if(object, "rss_kib", sample->has_rss, sample->rss_kib);
	put_kib_if(object, "held_kib", sample->has_rss,
		sample->rss_anon_kib + sample->rss_shmem_kib);
	put_kib_if(object, "swap_kib", sample->has_rss, sample->swap_kib);
	put_kib(object, "overhead_kib", sample->overhead_kib);
	put_kib(object, "cost_kib", sample->cost_kib);
	put_kib(object, "shares", sample->shares);
	put(object, "buffer_ratio", json_object_new_double(sample->buffer_ratio));
	put_text(object, "quality", guest_quality_name(guest->quality));
	put_bool(object, "managed", guest->settings.manage);
	put_text(object, "reason", describe_reason(guest));
	put(object, "reason_age_s",
		latest ? json_object_new_double((double)(now_ms - latest->at_ms) / 1000)
		       : NULL);
	put_kib_if(object, "swap_in_kib", sample->has_swap_in, sample->swap_in_kib);
	put_kib_if(object, "swap_out_kib", sample->has_swap_out, sample->swap_out_kib);
	put_kib_if(object, "major_fault", sample->has_major_fault, sample->major_fault);
	put_rate(object, "swap_in_kib_per_s", &guest->rates.swap_in_kib);
	put_rate(object, "swap_out_kib_per_s", &guest->rates.swap_out_kib);
	put_rate(object, "major_faults_per_s", &guest->rates.major_faults);
	put(object, "distress", json_object_new_double(sample->distress));
	if (guest->pool)
		put_text(object, "cgroup", facts->cgroup);
	return object;
}

static int by_name(const void *a, const void *b)
{
	const struct guest *left = *(struct guest *const *)a;
	const struct guest *right = *(struct guest *const *)b;
	return strverscmp(left->facts.name, right->facts.name);
}

struct json_object *describe_guests(const struct engine *engine)
{
	struct json_object *array = json_object_new_array();
	size_t count = engine->roster.count;
	auto_free struct guest **sorted = mem_array(count, sizeof(struct guest *));
	memcpy(sorted, engine->roster.guests, count * sizeof(struct guest *));
	qsort(sorted, count, sizeof(struct guest *), by_name);
	for (size_t i = 0; i < count; i++)
		json_object_array_add(array, describe_guest(sorted[i], daemon_now_ms()));
	return array;
}

struct json_object *describe_warnings(const struct engine *engine)
{
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < engine->collector_count; i++) {
		const struct engine_collector *collector = &engine->collectors[i];
		if (collector->self && !collector->failing)
			continue;
		auto_free char *line = mem_printf(
			"%s: %s", collector->part->name, collector->trouble.text);
		json_object_array_add(array, json_object_new_string(line));
	}
	char text[NODE_TEXT_MAX];
	if (engine->node_short) {
		auto_free char *line = mem_printf(
			"numa: %s", snapshot_node_text(text, &engine->snapshot));
		json_object_array_add(array, json_object_new_string(line));
	}
	for (size_t i = 0; i < engine->controller_count; i++) {
		const struct engine_controller *controller = &engine->controllers[i];
		if (!controller->failing)
			continue;
		auto_free char *line = mem_printf(
			"%s: %s", controller->part->name, controller->trouble.text);
		json_object_array_add(array, json_object_new_string(line));
	}
	for (size_t i = 0; i < policy_set_count(engine->policies); i++) {
		struct policy_info info = policy_set_at(engine->policies, i);
		if (!*info.trouble)
			continue;
		auto_free char *line =
			mem_printf("policy \"%s\": %s", info.name, info.trouble);
		json_object_array_add(array, json_object_new_string(line));
	}
	return array;
}

struct json_object *describe_policies(const struct engine *engine)
{
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < policy_set_count(engine->policies); i++)
		json_object_array_add(array,
			json_object_new_string(policy_set_at(engine->policies, i).name));
	return array;
}

static struct json_object *describe_ticks(const struct daemon *daemon)
{
	struct json_object *object = json_object_new_object();
	put_kib(object, "count", daemon->engine.ticks);
	put_kib(object, "last_ms", daemon->last_tick_ms);
	put_kib(object, "late", daemon->ticks_late);
	put_kib(object, "emergencies", daemon->emergencies);
	put_kib(object, "period_ms", engine_period_ms(&daemon->engine));
	put_kib(object, "orders", daemon->engine.orders);
	put_kib(object, "orders_failed", daemon->engine.orders_failed);
	return object;
}

struct json_object *describe_reservation(const struct engine *engine,
	const struct reservation *reservation, const struct reserve_look *look,
	int64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	uint64_t held = reserve_held_kib(reservation, look);
	bool whole = look->known && held == reservation->size_kib;
	char why[REASON_MAX];
	reserve_why(look, engine_dry_run(engine), why);
	put_text(object, "for", reservation->name[0] ? reservation->name : NULL);
	put_text(object, "pool", reservation->pool[0] ? reservation->pool : "host");
	put_kib(object, "size_kib", reservation->size_kib);
	put_kib(object, "held_kib", held);
	put_kib_if(object, "most_kib", look->known,
		look->most_kib > 0 ? (uint64_t)look->most_kib : 0);
	put_text(object, "why", whole ? NULL : why);
	if (reservation->number)
		put_seconds(object, "expires_s", reservation->expires_ms - now_ms);
	return object;
}

struct json_object *describe_reservations(const struct engine *engine)
{
	const struct reservations *list = &engine->live.reservations;
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < list->count; i++) {
		struct reserve_look look;
		engine_reserve_look(engine, &list->items[i], &look);
		json_object_array_add(array, describe_reservation(engine, &list->items[i],
						     &look, daemon_now_ms()));
	}
	return array;
}

struct json_object *describe_status(const struct daemon *daemon)
{
	const struct engine *engine = &daemon->engine;
	struct json_object *object = json_object_new_object();
	struct json_object *pools = json_object_new_array();
	for (size_t i = 1; i < engine->pools.count; i++)
		json_object_array_add(pools, describe_pool(&engine->pools.items[i]));
	put_clock(object, "at", daemon_clock_ms());
	put(object, "host",
		describe_pool(&engine->pools.items[pools_busiest(&engine->pools)]));
	put(object, "pools", pools);
	put(object, "hypervisor", describe_hypervisor(engine));
	put(object, "policies", describe_policies(engine));
	put_bool(object, "dry_run", engine_dry_run(engine));
	put_bool(object, "paused", engine->live.paused);
	put(object, "tick", describe_ticks(daemon));
	struct json_object *warnings = describe_warnings(engine);
	const char *trouble = daemon->history ? history_trouble(daemon->history) : NULL;
	if (trouble) {
		auto_free char *line = mem_printf("history: %s", trouble);
		json_object_array_add(warnings, control_json_text(line));
	}
	if (daemon->http_trouble)
		json_object_array_add(warnings, control_json_text(daemon->http_trouble));
	put(object, "warnings", warnings);
	put(object, "reservations", describe_reservations(engine));
	put(object, "guests", describe_guests(engine));
	return object;
}

struct json_object *describe_decision(const struct decision *decision, int64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	put_seconds(object, "age_s", now_ms - decision->at_ms);
	put_seconds(object, "last_age_s", now_ms - decision->until_ms);
	put_kib(object, "tick", decision->tick);
	put_text(object, "state", guest_state_name(decision->state));
	put_text(object, "host_state", host_state_name(decision->host_state));
	put_kib_if(object, "used_kib", decision->has_used, decision->used_kib);
	put_kib_if(object, "demand_kib", decision->has_used, decision->demand_kib);
	put_kib(object, "cost_kib", decision->cost_kib);
	put_kib(object, "actual_kib", decision->actual_kib);
	put_kib_if(object, "wish_kib", decision->has_wish, decision->wish_kib);
	put_text(object, "policy", decision->policy[0] ? decision->policy : NULL);
	put_text(object, "because", decision->because[0] ? decision->because : NULL);
	put_text(object, "guard", decision->guard[0] ? decision->guard : NULL);
	put_bool(object, "ordered", decision->has_order);
	put_kib(object, "target_kib", decision->target_kib);
	put_text(object, "outcome", decision->outcome[0] ? decision->outcome : NULL);
	return object;
}

static struct json_object *describe_setting(struct json_object *value, const char *from)
{
	struct json_object *object = json_object_new_object();
	put(object, "value", value);
	put_text(object, "from", from);
	return object;
}

/* Every setting with its value and where it comes from. */
struct json_object *describe_settings(
	const struct engine *engine, const struct guest *guest)
{
	const struct guest_settings *settings = &guest->settings;
	const struct guest_facts *facts = &guest->facts;
	struct json_object *object = json_object_new_object();
	const struct {
		const char *key;
		struct json_object *value;
	} rows[] = {
		{"min", json_object_new_uint64(facts->sample.min_kib)},
		{"max", json_object_new_uint64(facts->sample.limit_kib)},
		{"shares", json_object_new_uint64(settings->shares)},
		{"buffer", json_object_new_double(settings->buffer_ratio)},
		{"manage", json_object_new_boolean(settings->manage)},
		{"boot_grace",
			json_object_new_double((double)settings->boot_grace_ms / 1000)},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *from = NULL;
		if (live_get(&engine->live, facts->uuid, rows[i].key))
			from = mem_dup("live");
		else
			from = config_guest_origin(engine->config, facts->name,
				facts->uuid, facts->metadata, rows[i].key);
		put(object, rows[i].key, describe_setting(rows[i].value, from));
	}
	return object;
}

struct json_object *describe_statistics(const struct guest *guest)
{
	const struct guest_sample *sample = &guest->facts.sample;
	struct json_object *object = json_object_new_object();
	put_text(object, "quality", guest_quality_name(guest->quality));
	put_bool(object, "fresh", guest->fresh);
	put_kib_if(object, "usable_kib", sample->has_usable, sample->usable_kib);
	put_kib_if(object, "unused_kib", sample->has_unused, sample->unused_kib);
	put_kib_if(object, "total_kib", sample->has_total, sample->total_kib);
	put_kib_if(object, "cache_kib", sample->has_cache, sample->cache_kib);
	put_kib_if(
		object, "growth_kib_per_s", sample->has_growth, sample->growth_kib_per_s);
	put_kib(object, "refused", guest->facts.refused);
	return object;
}

/* A time, where there is one. */
static void put_span(struct json_object *object, const char *key, bool known, int64_t ms)
{
	if (known)
		put_seconds(object, key, ms);
}

static void put_count(struct json_object *object, const char *key, uint64_t count)
{
	if (count)
		put_kib(object, key, count);
}

struct json_object *describe_learned(const struct guest *guest, int64_t now_ms)
{
	const struct guest_track *track = &guest->track;
	const struct balloon_track *balloon = &guest->balloon;
	struct json_object *object = json_object_new_object();
	put_count(object, "floor_kib", track->floor_kib);
	put_span(object, "floor_age_s", track->floor_kib, now_ms - track->floor_ms);
	put_count(object, "answers_in_ms", balloon->answer_ms);
	put_span(object, "held_for_s", balloon->held_until_ms > now_ms,
		balloon->held_until_ms - now_ms);
	put_span(object, "stuck_for_s", balloon->stuck_until_ms > now_ms,
		balloon->stuck_until_ms - now_ms);
	put_count(object, "stuck_times", balloon->stuck_count);
	put_span(object, "spared_for_s", balloon->spared_until_ms > now_ms,
		balloon->spared_until_ms - now_ms);
	put_count(object, "orders_refused", balloon->refused_count);
	if (balloon->fixed)
		put_bool(object, "yields_nothing", true);
	return object;
}
