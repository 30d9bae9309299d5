/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/measure.h"

#include <math.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/share.h"
#include "mom/units.h"

#define JUDGE_MS 10000 /* how often the division is judged */
#define PAGE_KIB 4.0

void measure_begin(struct measure *measure, const struct sim_world *world,
	const struct guest_settings *settings)
{
	*measure = (struct measure){.world = world, .settings = settings};
}

void measure_restart(struct measure *measure, struct sim_world *world)
{
	uint64_t broken = measure->broken;
	enum host_state state = measure->state;
	measure_begin(measure, world, measure->settings);
	measure->broken = broken;
	measure->state = state;
	for (size_t i = 0; i < world->count; i++)
		world->guests[i].tally = (struct guest_tally){0};
	world->tally = (struct host_tally){
		.killed = world->tally.killed,
		.most_kib = world->host.used,
		.most_swapped_kib = world->host.swapped,
	};
}

/* How much memory lies with other guests than the exact division would have it. */
static void judge_division(struct measure *measure, double seconds)
{
	const struct sim_world *world = measure->world;
	auto_free struct claim *claims = mem_array(world->count, sizeof(*claims));
	auto_free uint64_t *entitled = mem_array(world->count, sizeof(*entitled));
	auto_free const struct sim_guest **whose =
		mem_array(world->count, sizeof(struct sim_guest *));
	size_t count = 0;
	double all = 0;
	for (size_t i = 0; i < world->count; i++) {
		const struct sim_guest *guest = &world->guests[i];
		if (!guest->present || !guest->driver)
			continue;
		whose[count] = guest;
		claims[count++] = (struct claim){
			.floor_kib = guest_floor_kib(
				&measure->settings[i], guest->make.max_kib),
			.want_kib = (uint64_t)sim_guest_need(guest),
			.ceiling_kib = guest_limit_kib(
				&measure->settings[i], guest->make.max_kib),
			.shares = (double)measure->settings[i].shares,
		};
		all += guest->actual;
	}
	share_divide(claims, count, (uint64_t)all, 0, entitled);
	for (size_t i = 0; i < count; i++)
		measure->unfair_kib_s +=
			fmax((double)entitled[i] - whose[i]->actual, 0) * seconds;
	measure->fair_kib_s += all * seconds;
}

void measure_step(struct measure *measure, enum host_state state, int64_t ms)
{
	measure->measured_ms += (double)ms;
	measure->state_ms[state] += (double)ms;
	measure->state_changes += state != measure->state;
	measure->state = state;
	int64_t now_ms = measure->world->now_ms;
	if (now_ms - measure->judged_ms < JUDGE_MS)
		return;
	judge_division(measure, (double)(now_ms - measure->judged_ms) / 1000);
	measure->judged_ms = now_ms;
}

/* ---- the table ---- */

static double part(double of, double whole)
{
	return whole > 0 ? of / whole : 0;
}

static double hours(const struct measure *measure)
{
	return fmax(measure->measured_ms / 3600000, 1e-9);
}

#define SUM(id, member, scale)                                                           \
	static double id##_of(                                                           \
		const struct measure *measure, const struct sim_guest *guest)            \
	{                                                                                \
		(void)measure;                                                           \
		return guest->tally.member / (scale);                                    \
	}                                                                                \
	static double id(const struct measure *measure)                                  \
	{                                                                                \
		double sum = 0;                                                          \
		for (size_t i = 0; i < measure->world->count; i++)                       \
			sum += id##_of(measure, &measure->world->guests[i]);             \
		return sum;                                                              \
	}

SUM(swap_in, swap_in_kib, PAGE_KIB)
SUM(swap_out, swap_out_kib, PAGE_KIB)
SUM(unmet_gib_s, unmet_kib_s, (double)KIB_PER_GIB)
SUM(need_gib_s, need_kib_s, (double)KIB_PER_GIB)
SUM(moved, moved_kib, (double)KIB_PER_GIB)
SUM(wanted, work_wanted, 1.0)
SUM(done, work_done, 1.0)
SUM(host_swap_in, host_swap_in_kib, PAGE_KIB)

static double ooms_of(const struct measure *measure, const struct sim_guest *guest)
{
	(void)measure;
	return (double)guest->tally.ooms;
}

static double ooms(const struct measure *measure)
{
	double sum = 0;
	for (size_t i = 0; i < measure->world->count; i++)
		sum += ooms_of(measure, &measure->world->guests[i]);
	return sum;
}

static double orders_of(const struct measure *measure, const struct sim_guest *guest)
{
	(void)measure;
	return (double)guest->tally.orders;
}

static double orders(const struct measure *measure)
{
	double sum = 0;
	for (size_t i = 0; i < measure->world->count; i++)
		sum += orders_of(measure, &measure->world->guests[i]);
	return sum;
}

static double reversals_of(const struct measure *measure, const struct sim_guest *guest)
{
	return (double)guest->tally.reversals / hours(measure);
}

static double reversals(const struct measure *measure)
{
	double sum = 0;
	for (size_t i = 0; i < measure->world->count; i++)
		sum += reversals_of(measure, &measure->world->guests[i]);
	return part(sum, (double)measure->world->count);
}

static double unmet_of(const struct measure *measure, const struct sim_guest *guest)
{
	return part(unmet_gib_s_of(measure, guest), need_gib_s_of(measure, guest));
}

static double unmet(const struct measure *measure)
{
	return part(unmet_gib_s(measure), need_gib_s(measure));
}

static double work_of(const struct measure *measure, const struct sim_guest *guest)
{
	return part(done_of(measure, guest), wanted_of(measure, guest));
}

static double work(const struct measure *measure)
{
	return part(done(measure), wanted(measure));
}

static double longest_unmet_of(
	const struct measure *measure, const struct sim_guest *guest)
{
	(void)measure;
	return guest->tally.longest_unmet_ms;
}

static double longest_unmet(const struct measure *measure)
{
	double longest = 0;
	for (size_t i = 0; i < measure->world->count; i++)
		longest = fmax(longest, measure->world->guests[i].tally.longest_unmet_ms);
	return longest;
}

static double killed_of(const struct measure *measure, const struct sim_guest *guest)
{
	(void)measure;
	return guest->killed;
}

static double killed(const struct measure *measure)
{
	return (double)measure->world->tally.killed;
}

static double fairness(const struct measure *measure)
{
	return 1 - part(measure->unfair_kib_s, measure->fair_kib_s);
}

static double broken(const struct measure *measure)
{
	return (double)measure->broken;
}

static double changes(const struct measure *measure)
{
	return (double)measure->state_changes / hours(measure);
}

static double stalled(const struct measure *measure)
{
	return part(measure->world->tally.stalled_ms, measure->measured_ms);
}

static double host_swapped(const struct measure *measure)
{
	return part(measure->world->tally.most_swapped_kib,
		(double)measure->world->make.memory_kib);
}

static double most_used(const struct measure *measure)
{
	return part(
		measure->world->tally.most_kib, (double)measure->world->make.memory_kib);
}

#define STATE(id, state)                                                                 \
	static double id(const struct measure *measure)                                  \
	{                                                                                \
		return part(measure->state_ms[state], measure->measured_ms);             \
	}
STATE(roomy, HOST_ROOMY)
STATE(snug, HOST_SNUG)
STATE(tight, HOST_TIGHT)
STATE(critical, HOST_CRITICAL)
STATE(exhausted, HOST_EXHAUSTED)

#define NOW(id, value)                                                                   \
	static double id(const struct measure *measure, const struct sim_guest *guest)   \
	{                                                                                \
		(void)measure;                                                           \
		return value;                                                            \
	}
NOW(actual_now, guest->actual)
NOW(target_now, guest->target)
NOW(need_now, sim_guest_need(guest))
NOW(rss_now, sim_guest_rss(guest))
NOW(missing_now, guest->present ? sim_guest_missing(guest)
		 : guest->lost  ? guest->want.need_kib
				: 0)

static double missing_sum(const struct measure *measure)
{
	double sum = 0;
	for (size_t i = 0; i < measure->world->count; i++)
		sum += missing_now(measure, &measure->world->guests[i]);
	return sum;
}

static double actual_sum(const struct measure *measure)
{
	double sum = 0;
	for (size_t i = 0; i < measure->world->count; i++)
		if (measure->world->guests[i].present)
			sum += measure->world->guests[i].actual;
	return sum;
}

static double available_now(const struct measure *measure)
{
	return world_available(measure->world);
}

const struct metric metrics[] = {
	{"killed", WORD_NUMBER, "", "guests that the host killed", killed, killed_of},
	{"ooms", WORD_NUMBER, "", "kills by guests' own kernels", ooms, ooms_of},
	{"work", WORD_RATIO, "%", "page touches done, of those wanted", work, work_of},
	{"unmet", WORD_RATIO, "%", "needed memory that wasn't there, of all needed",
		unmet, unmet_of},
	{"unmet_gib_s", WORD_NUMBER, "GiB s", "the same, in all", unmet_gib_s,
		unmet_gib_s_of},
	{"longest_unmet", WORD_MS, "s", "longest time that a guest went short",
		longest_unmet, longest_unmet_of},
	{"swap_in", WORD_NUMBER, "pages", "from the guests' own swap", swap_in,
		swap_in_of},
	{"swap_out", WORD_NUMBER, "pages", "to it", swap_out, swap_out_of},
	{"host_swapped", WORD_RATIO, "%", "most of the host's memory in its swap",
		host_swapped, NULL},
	{"host_swap_in", WORD_NUMBER, "pages", "from the host's swap", host_swap_in,
		host_swap_in_of},
	{"stalled", WORD_RATIO, "%", "time lost to the host's reclaim", stalled, NULL},
	{"moved", WORD_NUMBER, "GiB", "moved by balloons", moved, moved_of},
	{"orders", WORD_NUMBER, "", "orders that changed a target", orders, orders_of},
	{"reversals", WORD_NUMBER, "/h", "orders that turned back, a guest-hour",
		reversals, reversals_of},
	{"fairness", WORD_RATIO, "%", "memory where the exact division has it", fairness,
		NULL},
	{"roomy", WORD_RATIO, "%", "time in this state", roomy, NULL},
	{"snug", WORD_RATIO, "%", "time in this state", snug, NULL},
	{"tight", WORD_RATIO, "%", "time in this state", tight, NULL},
	{"critical", WORD_RATIO, "%", "time in this state", critical, NULL},
	{"exhausted", WORD_RATIO, "%", "time in this state", exhausted, NULL},
	{"changes", WORD_NUMBER, "/h", "changes of the host's state", changes, NULL},
	{"most_used", WORD_RATIO, "%", "highest use of the host", most_used, NULL},
	{"broken", WORD_NUMBER, "", "promises broken", broken, NULL},
	{"actual", WORD_KIB, "MiB", "what the balloon leaves, now", actual_sum,
		actual_now},
	{"target", WORD_KIB, "MiB", "the order that stands, now", NULL, target_now},
	{"need", WORD_KIB, "MiB", "what it needs, now", NULL, need_now},
	{"missing", WORD_KIB, "MiB", "what it needs and doesn't have, now", missing_sum,
		missing_now},
	{"rss", WORD_KIB, "MiB", "what its QEMU holds, now", NULL, rss_now},
	{"available", WORD_KIB, "MiB", "what the host could give, now", available_now,
		NULL},
	{0},
};

const struct metric *metric_find(const char *name)
{
	for (const struct metric *metric = metrics; metric->name; metric++)
		if (strcmp(metric->name, name) == 0)
			return metric;
	return NULL;
}
