/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/figures.h"

#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "momctl/json.h"
#include "momctl/text.h"

#define LARGEST_KIB (UINT64_C(1) << 50) /* no machine has more, and sums of it fit */
#define NEAR_PARTS  200 /* of the maximum: less of a difference can't be seen */

static struct top_kib read_kib(struct json_object *object, const char *key)
{
	struct top_kib figure = {0};
	figure.known =
		json_get_count(object, key, &figure.kib) && figure.kib <= LARGEST_KIB;
	return figure.known ? figure : (struct top_kib){0};
}

static struct top_rate read_rate(struct json_object *object, const char *key)
{
	struct top_rate rate = {0};
	rate.known = json_get_number(object, key, &rate.per_s);
	return rate;
}

static double read_number(struct json_object *object, const char *key, double otherwise)
{
	double number;
	return json_get_number(object, key, &number) ? number : otherwise;
}

static char *read_text(struct json_object *object, const char *key)
{
	return text_clean(json_get_text(object, key));
}

static void read_guest(struct top_guest *guest, struct json_object *object)
{
	*guest = (struct top_guest){
		.name = read_text(object, "name"),
		.uuid = read_text(object, "uuid"),
		.state = read_text(object, "state"),
		.quality = read_text(object, "quality"),
		.reason = read_text(object, "reason"),
		.max = read_kib(object, "max_kib"),
		.limit = read_kib(object, "limit_kib"),
		.min = read_kib(object, "min_kib"),
		.actual = read_kib(object, "actual_kib"),
		.target = read_kib(object, "target_kib"),
		.used = read_kib(object, "used_kib"),
		.unused = read_kib(object, "unused_kib"),
		.demand = read_kib(object, "demand_kib"),
		.held = read_kib(object, "held_kib"),
		.swap = read_kib(object, "swap_kib"),
		.cost = read_kib(object, "cost_kib"),
		.swap_in = read_rate(object, "swap_in_kib_per_s"),
		.swap_out = read_rate(object, "swap_out_kib_per_s"),
		.faults = read_rate(object, "major_faults_per_s"),
		.shares = read_kib(object, "shares").kib,
		.distress = read_number(object, "distress", 0),
		.reason_age_s = read_number(object, "reason_age_s", -1),
	};
}

/* Where the ledger is a memory cgroup's, guests outside of it are in other books. */
static bool is_within(struct json_object *object, const char *ledger)
{
	const char *cgroup = json_get_text(object, "cgroup");
	size_t length = strlen(ledger);
	if (ledger[0] != '/')
		return true;
	return strncmp(cgroup, ledger, length) == 0 &&
	       (cgroup[length] == '/' || !cgroup[length]);
}

static void read_host(struct top_host *host, struct json_object *object)
{
	*host = (struct top_host){
		.name = read_text(object, "name"),
		.state = read_text(object, "state"),
		.total = read_kib(object, "mem_total_kib"),
		.usable = read_kib(object, "mem_usable_kib"),
		.cached = read_kib(object, "cached_kib"),
		.reserve = read_kib(object, "reserve_kib"),
		.exposure = read_kib(object, "exposure_kib"),
		.budget = read_kib(object, "budget_kib"),
		.cost = read_kib(object, "cost_kib"),
		.swap_total = read_kib(object, "swap_total_kib"),
		.swap_free = read_kib(object, "swap_free_kib"),
		.ksm_saving = read_kib(object, "ksm_saving_kib"),
		.swap_in = read_rate(object, "swap_in_kib_per_s"),
		.swap_out = read_rate(object, "swap_out_kib_per_s"),
		.ksmd_cpu = read_rate(object, "ksmd_cpu_ratio"),
		.psi_some = read_rate(object, "psi_some"),
		.psi_full = read_rate(object, "psi_full"),
	};
}

/* "a, b": texts of an array, cleaned. */
static char *joined(struct json_object *array)
{
	char *all = mem_dup("");
	for (size_t i = 0; i < json_count(array); i++) {
		struct json_object *item = json_object_array_get_idx(array, i);
		auto_free char *text =
			text_clean(item ? json_object_get_string(item) : "");
		char *longer = mem_printf("%s%s%s", all, i ? ", " : "", text);
		free(all);
		all = longer;
	}
	return all;
}

/* "; /other tight": the ledgers that the bar doesn't show, where guests live in them. */
static char *other_pools(struct json_object *status)
{
	const char *shown = json_get_text(json_get(status, "host"), "name");
	struct json_object *pools = json_get(status, "pools");
	char *all = mem_dup("");
	for (size_t i = 0; i < json_count(pools); i++) {
		struct json_object *pool = json_object_array_get_idx(pools, i);
		const char *name = json_get_text(pool, "name");
		if (strcmp(name, shown) == 0 || !read_number(pool, "guests", 0))
			continue;
		auto_free char *text =
			mem_printf("; %s %s", name, json_get_text(pool, "state"));
		auto_free char *clean = text_clean(text);
		char *longer = mem_printf("%s%s", all, clean);
		free(all);
		all = longer;
	}
	return all;
}

static char *read_manager(struct json_object *status)
{
	struct json_object *hypervisor = json_get(status, "hypervisor");
	auto_free char *policies = joined(json_get(status, "policies"));
	auto_free char *uri = read_text(hypervisor, "uri");
	auto_free char *why = read_text(hypervisor, "why");
	auto_free char *pools = other_pools(status);
	bool connected = json_get_bool(hypervisor, "connected");
	return mem_printf("%s%s%s; %s%s%s%s%s",
		json_get_bool(status, "paused") ? "PAUSED, no guest is moved; " : "",
		json_get_bool(status, "dry_run") ? "dry run, nothing is ordered; " : "",
		*policies ? policies : "no policy", uri,
		connected ? "" : " NOT connected", !connected && *why ? ": " : "",
		connected ? "" : why, pools);
}

static bool is_restrained(struct json_object *status)
{
	return json_get_bool(status, "paused") || json_get_bool(status, "dry_run") ||
	       !json_get_bool(json_get(status, "hypervisor"), "connected");
}

static char *read_warning(struct json_object *status)
{
	struct json_object *warnings = json_get(status, "warnings");
	size_t count = json_count(warnings);
	if (!count)
		return mem_dup("");
	struct json_object *first = json_object_array_get_idx(warnings, 0);
	auto_free char *text = text_clean(first ? json_object_get_string(first) : "");
	if (count == 1)
		return take(text);
	return mem_printf("%s (and %zu more)", text, count - 1);
}

static double read_period(struct json_object *status)
{
	double ms = read_number(json_get(status, "tick"), "period_ms", 1000);
	return ms >= 1 ? ms / 1000 : 1;
}

void top_figures_read(struct top_figures *figures, struct json_object *status)
{
	struct json_object *guests = json_get(status, "guests");
	const char *ledger = json_get_text(json_get(status, "host"), "name");
	*figures = (struct top_figures){
		.at = read_number(status, "at", 0),
		.period_s = read_period(status),
		.tick = read_kib(json_get(status, "tick"), "count").kib,
		.restrained = is_restrained(status),
		.manager = read_manager(status),
		.warning = read_warning(status),
		.guests = mem_array(json_count(guests), sizeof(struct top_guest)),
	};
	read_host(&figures->host, json_get(status, "host"));
	for (size_t i = 0; i < json_count(guests); i++) {
		struct json_object *object = json_object_array_get_idx(guests, i);
		if (!*json_get_text(object, "name") || !*json_get_text(object, "uuid"))
			continue;
		struct top_guest *guest = &figures->guests[figures->guest_count++];
		read_guest(guest, object);
		guest->on_host = is_within(object, ledger);
	}
}

void top_figures_done(struct top_figures *figures)
{
	for (size_t i = 0; i < figures->guest_count; i++) {
		struct top_guest *guest = &figures->guests[i];
		char *texts[] = {guest->name, guest->uuid, guest->state, guest->quality,
			guest->reason};
		for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
			free(texts[t]);
	}
	free(figures->guests);
	free(figures->manager);
	free(figures->warning);
	free(figures->host.name);
	free(figures->host.state);
	*figures = (struct top_figures){0};
}

struct top_kib top_guest_cache(const struct top_guest *guest)
{
	bool known = guest->actual.known && guest->used.known && guest->unused.known;
	uint64_t rest = sub_u64(guest->actual.kib, guest->used.kib);
	return (struct top_kib){known, sub_u64(rest, guest->unused.kib)};
}

struct top_kib top_guest_balloon(const struct top_guest *guest)
{
	return (struct top_kib){guest->max.known && guest->actual.known,
		sub_u64(guest->max.kib, guest->actual.kib)};
}

struct top_rate top_guest_swapping(const struct top_guest *guest)
{
	return (struct top_rate){guest->swap_in.known || guest->swap_out.known,
		guest->swap_in.per_s + guest->swap_out.per_s};
}

int top_course(struct top_kib actual, struct top_kib target, struct top_kib max)
{
	if (!actual.known || !target.known)
		return 0;
	uint64_t near_kib = max.kib / NEAR_PARTS;
	if (target.kib > actual.kib + near_kib)
		return 1;
	return target.kib + near_kib < actual.kib ? -1 : 0;
}
