/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/fields.h"

#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

static struct value kib(uint64_t amount)
{
	return value_int(amount > INT64_MAX ? INT64_MAX : (int64_t)amount);
}

/* ---- the host -------------------------------------------------------------------------
 */

static struct value host_mem_free(const void *sample)
{
	const struct host_sample *host = sample;
	if (!host->has_meminfo)
		return value_nil();
	return kib(host->mem_free_kib + host->buffers_kib + host->cached_kib);
}

static struct value host_swap_usage(const void *sample)
{
	const struct host_sample *host = sample;
	if (!host->has_meminfo)
		return value_nil();
	return kib(sub_u64(host->swap_total_kib, host->swap_free_kib));
}

static struct value host_ksmd_cpu(const void *sample)
{
	const struct host_sample *host = sample;
	return host->has_ksmd_cpu ? value_float(host->ksmd_cpu_ratio * 100) : value_nil();
}

#define H(member)      .offset = offsetof(struct host_sample, member)
#define HOST_HAS(flag) .has = offsetof(struct host_sample, has_##flag)
#define MEMINFO(name, member, text)                                                      \
	{                                                                                \
		name, FIELD_U64, UNIT_KIB, H(member), HOST_HAS(meminfo), .help = text    \
	}
#define KSM(name, unit, text)                                                            \
	{                                                                                \
#name, FIELD_I64, unit, H(name), HOST_HAS(ksm), .help = text             \
	}
#define DERIVED(name, unit, function, text)                                              \
	{                                                                                \
		name, FIELD_DERIVED, unit, .derived = function, .help = text             \
	}
#define TIME(name, text)                                                                 \
	{                                                                                \
#name, FIELD_I32, UNIT_COUNT, H(name), HOST_HAS(time), .help = text      \
	}
#define ESTIMATE(name, member, text)                                                     \
	{                                                                                \
		name, FIELD_U64, UNIT_KIB, H(member), .has = FIELD_ALWAYS, .help = text  \
	}

const struct field host_fields[] = {
	MEMINFO("mem_available", mem_total_kib, "total RAM (MOM's name for it)"),
	MEMINFO("mem_unused", mem_free_kib, "RAM that holds nothing"),
	DERIVED("mem_free", UNIT_KIB, host_mem_free, "free + buffers + cached"),
	MEMINFO("usable", mem_usable_kib, "what the kernel says can still be given"),
	MEMINFO("buffers", buffers_kib, "block device buffers"),
	MEMINFO("cached", cached_kib, "page cache"),
	MEMINFO("anon_pages", anon_kib, "memory of programs"),
	MEMINFO("swap_total", swap_total_kib, "size of the swap"),
	DERIVED("swap_usage", UNIT_KIB, host_swap_usage, "swap in use"),
	{"swap_in", FIELD_U64, UNIT_PAGES, H(swap_in_pages), HOST_HAS(vmstat),
		.help = "pages read from swap since the last sample"},
	{"swap_out", FIELD_U64, UNIT_PAGES, H(swap_out_pages), HOST_HAS(vmstat),
		.help = "pages written to swap since the last sample"},
	{"swap_in_rate", FIELD_DOUBLE, UNIT_PAGES_PER_S, H(swap_in_pages_per_s),
		HOST_HAS(vmstat), .help = "pages read from swap a second"},
	{"swap_out_rate", FIELD_DOUBLE, UNIT_PAGES_PER_S, H(swap_out_pages_per_s),
		HOST_HAS(vmstat), .help = "pages written to swap a second"},
	{"psi_some", FIELD_DOUBLE, UNIT_RATIO, H(psi_some), HOST_HAS(psi),
		.help = "part of the last 10 s in which some task waited for memory"},
	{"psi_full", FIELD_DOUBLE, UNIT_RATIO, H(psi_full), HOST_HAS(psi),
		.help = "part of the last 10 s in which all tasks waited for memory"},
	KSM(ksm_run, UNIT_COUNT, "0 off, 1 merging, 2 unmerging"),
	KSM(ksm_pages_shared, UNIT_PAGES, "merged pages that are kept"),
	KSM(ksm_pages_sharing, UNIT_PAGES, "pages saved by merging"),
	KSM(ksm_pages_unshared, UNIT_PAGES, "pages looked at that are unlike all others"),
	KSM(ksm_pages_volatile, UNIT_PAGES, "pages that change too fast to merge"),
	KSM(ksm_pages_to_scan, UNIT_PAGES, "pages looked at before each sleep"),
	KSM(ksm_full_scans, UNIT_COUNT, "whole passes over memory"),
	KSM(ksm_sleep_millisecs, UNIT_MS, "sleep between two looks"),
	KSM(ksm_merge_across_nodes, UNIT_COUNT, "1 where NUMA nodes share pages"),
	KSM(ksm_pages_scanned, UNIT_PAGES, "pages looked at since the host's start"),
	KSM(ksm_pages_skipped, UNIT_PAGES, "of those, passed over as unlikely to merge"),
	KSM(ksm_zero_pages, UNIT_PAGES, "pages saved because they hold zeros"),
	{"ksm_general_profit", FIELD_I64, UNIT_KIB, H(ksm_general_profit_kib),
		HOST_HAS(ksm), .help = "memory that merging saves, less what it costs"},
	{"ksm_shareable", FIELD_U64, UNIT_KIB, H(ksm_shareable_kib), HOST_HAS(ksm),
		.help = "memory of guests that may be merged"},
	DERIVED("ksmd_cpu_usage", UNIT_PERCENT, host_ksmd_cpu,
		"processor time that merging takes, of one CPU"),
	{"cpu_count", FIELD_U32, UNIT_COUNT, H(cpu_count), .has = FIELD_ALWAYS,
		.help = "processors"},
	TIME(time_year, "local time: the year"),
	TIME(time_month, "local time: the month, 1..12"),
	TIME(time_day, "local time: the day, 1..31"),
	TIME(time_hour, "local time: the hour, 0..23"),
	TIME(time_minute, "local time: the minute, 0..59"),
	TIME(time_second, "local time: the second, 0..60"),
	ESTIMATE("available", available_kib, "what the host can still give"),
	ESTIMATE("budget", budget_kib, "what all guests may cost"),
	ESTIMATE("divisible", divisible_kib,
		"budget less overheads and guests that aren't managed"),
	ESTIMATE("reserve", reserve_kib, "what is kept free for growth"),
	ESTIMATE("exposure", exposure_kib, "what the guests may take without asking"),
	ESTIMATE("cost", cost_kib, "what the guests may cost now"),
	{"state", FIELD_STATE, UNIT_NONE, H(state), .has = FIELD_ALWAYS,
		.help = "roomy, snug, tight, critical or exhausted"},
	{"worst_state", FIELD_STATE, UNIT_NONE, H(worst_state), .has = FIELD_ALWAYS,
		.help = "the worst state of the host and its pools"},
	{0},
};

/* ---- a guest --------------------------------------------------------------------------
 */

static struct value guest_mem_free(const void *sample)
{
	const struct guest_sample *guest = sample;
	if (!guest->has_unused)
		return value_nil();
	return kib(guest->unused_kib + (guest->has_cache ? guest->cache_kib : 0));
}

static const char *guest_name(const struct policy_guest *guest)
{
	return guest->facts ? guest->facts->name : NULL;
}

static const char *guest_uuid(const struct policy_guest *guest)
{
	return guest->facts ? guest->facts->uuid : NULL;
}

static struct value guest_id(const struct policy_guest *guest)
{
	return guest->facts ? value_int(guest->facts->id) : value_nil();
}

static struct value guest_pid(const struct policy_guest *guest)
{
	bool known = guest->facts && guest->facts->pid > 0;
	return known ? value_int(guest->facts->pid) : value_nil();
}

static const char *guest_state(const struct policy_guest *guest)
{
	return guest->state;
}

static const char *guest_quality(const struct policy_guest *guest)
{
	return guest->quality;
}

static struct value guest_managed(const struct policy_guest *guest)
{
	return guest->has_managed ? value_bool(guest->managed) : value_nil();
}

#define G(member)       .offset = offsetof(struct guest_sample, member)
#define GUEST_HAS(flag) .has = offsetof(struct guest_sample, has_##flag)
#define GUEST(name, member, flag, text)                                                  \
	{                                                                                \
		name, FIELD_U64, UNIT_KIB, G(member), GUEST_HAS(flag), .help = text      \
	}
#define SINCE(name, unit, member, flag, text)                                            \
	{                                                                                \
		name, FIELD_U64, unit, G(member), GUEST_HAS(flag), .help = text          \
	}
#define ALWAYS(name, type, unit, member, text)                                           \
	{                                                                                \
		name, type, unit, G(member), .has = FIELD_ALWAYS, .help = text           \
	}
#define WORD(name, function, is_prop, text)                                              \
	{                                                                                \
		name, FIELD_WORD, UNIT_NONE, .word = function, .prop = is_prop,          \
					     .help = text                                \
	}

const struct field guest_fields[] = {
	WORD("name", guest_name, true, "the guest's name"),
	WORD("uuid", guest_uuid, true, "the guest's UUID"),
	{"id", FIELD_NUMBER, UNIT_NONE, .of_guest = guest_id, .prop = true,
		.help = "the hypervisor's number of this run"},
	{"pid", FIELD_NUMBER, UNIT_NONE, .of_guest = guest_pid, .prop = true,
		.help = "process of the guest on the host"},
	WORD("state", guest_state, false, "where it stands: managed, booting, stuck, …"),
	WORD("quality", guest_quality, false, "how far its statistics are trusted"),
	{"managed", FIELD_TRUTH, UNIT_NONE, .of_guest = guest_managed,
		.help = "its share is in the host's divisible"},
	GUEST("balloon_cur", actual_kib, actual, "its memory now (MOM's name)"),
	ALWAYS("balloon_max", FIELD_U64, UNIT_KIB, max_kib, "configured memory (MOM)"),
	ALWAYS("balloon_min", FIELD_U64, UNIT_KIB, min_kib, "its floor (MOM)"),
	GUEST("actual", actual_kib, actual, "its memory now: the balloon's size"),
	ALWAYS("max", FIELD_U64, UNIT_KIB, max_kib, "configured memory"),
	ALWAYS("min", FIELD_U64, UNIT_KIB, min_kib, "its floor"),
	ALWAYS("limit", FIELD_U64, UNIT_KIB, limit_kib,
		"largest target, by the settings"),
	ALWAYS("target", FIELD_U64, UNIT_KIB, target_kib, "the last order that stands"),
	ALWAYS("shares", FIELD_U64, UNIT_NONE, shares, "its weight among the guests"),
	ALWAYS("buffer", FIELD_DOUBLE, UNIT_RATIO, buffer_ratio,
		"part of `used` kept free in it"),
	GUEST("mem_available", total_kib, total, "memory its kernel manages (MOM)"),
	GUEST("mem_unused", unused_kib, unused, "memory that holds nothing (MOM)"),
	DERIVED("mem_free", UNIT_KIB, guest_mem_free, "unused + cache (MOM)"),
	GUEST("total", total_kib, total, "memory its kernel manages"),
	GUEST("unused", unused_kib, unused, "memory that holds nothing"),
	GUEST("cache", cache_kib, cache, "caches it can drop"),
	GUEST("usable", usable_kib, usable, "what it can still use without swapping"),
	GUEST("swap_total", swap_total_kib, swap_total, "size of its own swap"),
	GUEST("swap_usage", swap_usage_kib, swap_usage, "its own swap in use"),
	SINCE("swap_in", UNIT_KIB, swap_in_kib, swap_in,
		"read from its own swap since the last sample"),
	SINCE("swap_out", UNIT_KIB, swap_out_kib, swap_out,
		"written to its own swap since the last sample"),
	SINCE("major_fault", UNIT_COUNT, major_fault, major_fault,
		"its page faults that needed a disk, since the last sample"),
	SINCE("minor_fault", UNIT_COUNT, minor_fault, minor_fault,
		"its page faults that didn't, since the last sample"),
	SINCE("host_major_faults", UNIT_COUNT, host_major_faults, host_faults,
		"page faults of its process that needed a disk"),
	SINCE("host_minor_faults", UNIT_COUNT, host_minor_faults, host_faults,
		"page faults of its process that didn't"),
	GUEST("rss", rss_kib, rss, "its process in the host's memory"),
	GUEST("rss_anon", rss_anon_kib, rss, "of that: private memory"),
	GUEST("rss_shmem", rss_shmem_kib, rss, "of that: shared memory"),
	GUEST("swap", swap_kib, rss, "its process in the host's swap"),
	GUEST("overhead", overhead_kib, overhead, "what it costs beside its memory"),
	GUEST("working_set", working_set_kib, working_set,
		"memory it touched lately, where its statistics don't tell"),
	GUEST("used", used_kib, used, "memory it can't do without"),
	GUEST("demand", demand_kib, demand, "used + buffer + what it may grow by soon"),
	{"growth", FIELD_U64, UNIT_KIB_PER_S, G(growth_kib_per_s), GUEST_HAS(growth),
		.help = "how fast `used` grows"},
	ALWAYS("cost", FIELD_U64, UNIT_KIB, cost_kib, "what it may cost the host"),
	ALWAYS("distress", FIELD_DOUBLE, UNIT_RATIO, distress,
		"0 at ease … 1 its own memory is gone"),
	{0},
};

/* ---- knobs ----------------------------------------------------------------------------
 */

const struct knob policy_knobs[] = {
	{"balloon_target", true, false, 0, UNIT_KIB, "memory the guest is to have"},
	{"ksm_run", false, false, KNOB_KSM_RUN, UNIT_COUNT, "0 stop merging, 1 merge"},
	{"ksm_pages_to_scan", false, false, KNOB_KSM_PAGES_TO_SCAN, UNIT_PAGES,
		"pages to look at before each sleep"},
	{"ksm_sleep_millisecs", false, false, KNOB_KSM_SLEEP_MILLISECS, UNIT_MS,
		"sleep between two looks"},
	{"ksm_merge_across_nodes", false, false, KNOB_KSM_MERGE_ACROSS_NODES, UNIT_COUNT,
		"0 merge within a NUMA node only, 1 across"},
	{"vcpu_quota", true, true, 0, UNIT_NONE, "MOM's processor quota: no effect"},
	{"vcpu_period", true, true, 0, UNIT_NONE, "MOM's processor period: no effect"},
	{"io_tune", true, true, 0, UNIT_NONE, "MOM's disk limits: no effect"},
	{0},
};

const struct knob *knob_find(const char *name, bool guest)
{
	for (const struct knob *knob = policy_knobs; knob->name; knob++)
		if (knob->guest == guest && !strcmp(knob->name, name))
			return knob;
	return NULL;
}

const char *unit_name(enum unit unit)
{
	static const char *const names[UNIT_COUNT_OF_UNITS] = {
		[UNIT_NONE] = "",
		[UNIT_KIB] = "KiB",
		[UNIT_KIB_PER_S] = "KiB/s",
		[UNIT_PAGES] = "pages",
		[UNIT_PAGES_PER_S] = "pages/s",
		[UNIT_RATIO] = "ratio",
		[UNIT_PERCENT] = "percent",
		[UNIT_MS] = "ms",
		[UNIT_COUNT] = "count",
	};
	return names[unit];
}

const struct field *field_find(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

bool field_has_history(const struct field *field)
{
	return field->type < FIELD_WORD;
}

bool field_is_word(const struct field *field)
{
	return field->type == FIELD_WORD || field->type == FIELD_STATE;
}

bool field_only_mom(const char *name)
{
	static const char *const names[] = {"balloonEnabled", "io_tune",
		"io_tune_current", "ioTune", "libvirt_curmem", "libvirt_maxmem",
		"libvirt_state", "ksmEnabled", "vcpu_count", "vcpu_period", "vcpu_quota",
		"vcpu_user_limit"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

struct value field_sample(const struct field *field, const void *sample)
{
	const char *bytes = sample;
	if (field->type == FIELD_DERIVED)
		return field->derived(sample);
	if (field->has != FIELD_ALWAYS && !*(const bool *)(bytes + field->has))
		return value_nil();
	const void *at = bytes + field->offset;
	switch (field->type) {
	case FIELD_U64:
		return kib(*(const uint64_t *)at);
	case FIELD_I64:
		return value_int(*(const int64_t *)at);
	case FIELD_I32:
		return value_int(*(const int32_t *)at);
	case FIELD_U32:
		return value_int(*(const uint32_t *)at);
	case FIELD_DOUBLE:
		return value_float(*(const double *)at);
	default:
		return value_nil(); /* no number of a sample */
	}
}
