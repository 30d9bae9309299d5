/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "collectors/touched.h"
#include "mom/collector.h"
#include "mom/mem.h"
#include "mom/units.h"

/*
 * How much of its memory a guest works with, seen from the host: for guests whose
 * statistics don't tell. A look marks the end of one period and the beginning of the
 * next; what looks may take is bounded.
 */

#define NEVER_WALKED_US_PER_MIB 10   /* what a walk is taken to cost before the first */
#define STALE_PERIODS           6    /* an estimate is good so long without a new one */
#define ALLOWANCE_MS            1000 /* looks may be saved up for so long */

struct working_set_settings {
	bool enabled;
	uint64_t period_ms;
	double cpu_ratio;
	uint64_t guests_a_tick;
	uint64_t longest_look_ms;
};

/* What is kept of one guest from look to look. */
struct watched {
	char uuid[UUID_TEXT_MAX];
	int pid;
	bool seen; /* in this tick */
	struct touched touched;
	int64_t begun_ms; /* the period that is under way */
	uint64_t look_us; /* what the last look cost; 0 none yet */
	bool has_value;
	int64_t value_ms;
	uint64_t value_kib;
};

struct working_set {
	struct working_set_settings settings;
	char *proc_root, *sys_root;
	struct touched_roots roots; /* the same */
	struct watched *guests;
	size_t count, capacity;
	size_t cursor;       /* who is looked at next */
	int64_t last_ms;     /* of the last tick */
	double allowance_us; /* processor time that looks may take by now */
	double spent_us;     /* of it in this tick */
	struct err trouble;  /* why a guest has none; code 0 none */
};

#define KEY(name, type, fallback, low, high, help)                                       \
	{                                                                                \
		"working_set", name, type, offsetof(struct working_set_settings, AT),    \
			fallback, low, high, NULL, help                                  \
	}

static const struct config_key working_set_keys[] = {
#define AT enabled
	KEY("enabled", CONFIG_BOOL, "false", NULL, NULL,
		"Estimate from outside what guests work with whose statistics don't "
		"tell."),
#undef AT
#define AT period_ms
	KEY("period", CONFIG_DURATION, "10s", "1s", "10min",
		"What a guest touches in this time is what it works with."),
#undef AT
#define AT cpu_ratio
	KEY("cpu", CONFIG_RATIO, "1%", "0.01%", "50%",
		"Largest part of one processor that looking may take."),
#undef AT
#define AT guests_a_tick
	KEY("guests_a_tick", CONFIG_COUNT, "4", "1", "1000",
		"Most guests looked at in one round."),
#undef AT
#define AT longest_look_ms
	KEY("longest_look", CONFIG_DURATION, "20ms", "1ms", "10s",
		"Longest that looks may take in one round; a guest whose own is longer "
		"is left out."),
#undef AT
	{0},
};

static void forget(struct watched *guest)
{
	touched_done(&guest->touched);
	*guest = (struct watched){0};
}

static void working_set_close(void *self)
{
	struct working_set *set = self;
	for (size_t i = 0; i < set->count; i++)
		forget(&set->guests[i]);
	free(set->guests);
	free(set->proc_root);
	free(set->sys_root);
	free(set);
}

static int working_set_open(void **self, const struct collector_env *env, struct err *err)
{
	(void)err;
	struct working_set *set = mem_alloc(sizeof(*set));
	set->settings = *(const struct working_set_settings *)config_part(
		env->config, "working_set");
	set->proc_root = mem_dup(env->proc_root);
	set->sys_root = mem_dup(env->sys_root);
	set->roots = (struct touched_roots){set->proc_root, set->sys_root};
	*self = set;
	return 0;
}

/* ---- one look ---- */

static double thread_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1000;
}

static void take_look(struct working_set *set, struct watched *guest,
	const struct guest_sample *sample, int64_t now_ms)
{
	uint64_t touched_kib = 0;
	struct err err;
	bool again = guest->touched.begun;
	double begun_us = thread_us();
	int result = touched_look(&guest->touched, &set->roots, guest->pid,
		sample->max_kib, (uint64_t)now_ms, &touched_kib, &err);
	double took_us = thread_us() - begun_us;
	set->allowance_us -= took_us;
	set->spent_us += took_us;
	guest->look_us = (uint64_t)took_us + 1;
	guest->has_value = again && result == 0;
	guest->value_kib = touched_kib;
	guest->value_ms = guest->begun_ms = now_ms;
	if (result == 0 || result == -ENOENT || result == -ESRCH)
		return;
	guest->touched.by = TOUCHED_NONE;
	set->trouble = err;
}

/* ---- whose turn it is ---- */

/* What a look will cost: as the last one, or by what is to be walked. */
static uint64_t cost_us(const struct watched *guest, const struct guest_sample *sample)
{
	if (guest->look_us || guest->touched.by == TOUCHED_MARKS)
		return guest->look_us;
	return sample->rss_kib / KIB_PER_MIB * NEVER_WALKED_US_PER_MIB;
}

/* The first look of a tick may be as long as it likes, up to the limit of its own. */
static bool fits_tick(const struct working_set *set, const struct watched *guest,
	const struct guest_sample *sample)
{
	return set->spent_us <= 0 || set->spent_us + (double)cost_us(guest, sample) <=
					     (double)set->settings.longest_look_ms * 1000;
}

static bool tells_itself(const struct guest_sample *sample)
{
	return sample->has_usable || sample->has_unused;
}

static bool is_due(
	const struct working_set *set, const struct watched *guest, int64_t now_ms)
{
	return guest->touched.by != TOUCHED_NONE &&
	       (!guest->touched.begun ||
		       now_ms - guest->begun_ms >= (int64_t)set->settings.period_ms);
}

static struct watched *watched_of(
	struct working_set *set, const struct guest_facts *facts)
{
	for (size_t i = 0; i < set->count; i++) {
		struct watched *guest = &set->guests[i];
		if (guest->pid == facts->pid && !strcmp(guest->uuid, facts->uuid))
			return guest;
	}
	set->guests =
		mem_grow(set->guests, set->count, &set->capacity, sizeof(*set->guests));
	struct watched *guest = &set->guests[set->count++];
	*guest = (struct watched){.pid = facts->pid};
	memcpy(guest->uuid, facts->uuid, sizeof(guest->uuid));
	return guest;
}

/* Trouble goes with the last guest that had it. */
static void forget_unseen(struct working_set *set)
{
	size_t kept = 0;
	bool trouble = false;
	for (size_t i = 0; i < set->count; i++) {
		struct watched guest = set->guests[i];
		if (!guest.seen) {
			forget(&guest);
			continue;
		}
		guest.seen = false;
		trouble = trouble || guest.touched.by == TOUCHED_NONE;
		set->guests[kept++] = guest;
	}
	set->count = kept;
	if (!trouble)
		set->trouble = (struct err){0};
}

/* Whether it can be looked at, and looks are cheap enough; the reason is told else. */
static bool can_look(
	struct working_set *set, struct watched *guest, const struct guest_facts *facts)
{
	struct err err;
	uint64_t us = cost_us(guest, &facts->sample);
	if (guest->touched.by == TOUCHED_UNKNOWN &&
		touched_choose(&guest->touched, &set->roots, guest->pid, &err) < 0)
		set->trouble = err;
	if (guest->touched.by == TOUCHED_BITS &&
		us > set->settings.longest_look_ms * 1000) {
		guest->touched.by = TOUCHED_NONE;
		err_set(&set->trouble, -E2BIG,
			"a look at %llu MiB takes %llu ms, longer than "
			"working_set.longest_look",
			(unsigned long long)(facts->sample.rss_kib / KIB_PER_MIB),
			(unsigned long long)us / 1000);
	}
	return guest->touched.by != TOUCHED_NONE;
}

/* True where it was looked at. */
static bool visit(struct working_set *set, struct watched *guest,
	const struct guest_facts *facts, int64_t now_ms)
{
	if (set->allowance_us <= 0 || !is_due(set, guest, now_ms) ||
		facts->run != GUEST_RUNNING || !fits_tick(set, guest, &facts->sample))
		return false;
	bool knew = set->trouble.code != 0;
	bool can = can_look(set, guest, facts);
	if (can)
		take_look(set, guest, &facts->sample, now_ms);
	if (!knew && set->trouble.code)
		err_prefix(&set->trouble, "guest \"%s\"", facts->name);
	return can;
}

static void fill(const struct working_set *set, struct guest_facts *facts,
	const struct watched *guest, int64_t now_ms)
{
	int64_t good_ms = (int64_t)set->settings.period_ms * STALE_PERIODS;
	if (!guest->has_value || now_ms - guest->value_ms > good_ms)
		return;
	facts->sample.has_working_set = true;
	facts->sample.working_set_kib = guest->value_kib;
}

/* Looks are paid out of an allowance that grows with time, up to a small saving. */
static void grow_allowance(struct working_set *set, int64_t now_ms)
{
	double us_a_ms = set->settings.cpu_ratio * 1000;
	if (set->last_ms)
		set->allowance_us += us_a_ms * (double)(now_ms - set->last_ms);
	else
		set->allowance_us = us_a_ms * ALLOWANCE_MS;
	if (set->allowance_us > us_a_ms * ALLOWANCE_MS)
		set->allowance_us = us_a_ms * ALLOWANCE_MS;
	set->last_ms = now_ms;
	set->spent_us = 0;
}

/*
 * Estimate the working sets of guests that don't tell theirs, a few at each tick.
 *
 * Units:  KiB of guest RAM touched in one period; a page of the host counts whole.
 * Errors: why a guest can't be looked at; the others are.
 * Source: collectors/touched.h
 */
static int working_set_sample(void *self, struct snapshot *into, struct err *err)
{
	struct working_set *set = self;
	if (!set->settings.enabled)
		return 0;
	grow_allowance(set, into->now_ms);
	uint64_t looks = set->settings.guests_a_tick;
	size_t first = into->guest_count ? set->cursor % into->guest_count : 0;
	for (size_t i = 0; i < into->guest_count; i++) {
		size_t at = (first + i) % into->guest_count;
		struct guest_facts *facts = &into->guests[at];
		if (!facts->pid || tells_itself(&facts->sample))
			continue;
		struct watched *guest = watched_of(set, facts);
		guest->seen = true;
		if (looks && visit(set, guest, facts, into->now_ms)) {
			set->cursor = at + 1;
			looks--;
		}
		fill(set, facts, guest, into->now_ms);
	}
	forget_unseen(set);
	if (!set->trouble.code)
		return 0;
	*err = set->trouble;
	return err->code;
}

const struct collector collector_working_set = {
	.name = "working_set",
	.help = "what guests work with whose statistics don't tell, seen from outside",
	.keys = working_set_keys,
	.settings_size = sizeof(struct working_set_settings),
	.open = working_set_open,
	.sample = working_set_sample,
	.close = working_set_close,
};
