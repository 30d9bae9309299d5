/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/doctor_checks.h"

#include <string.h>

#include "mom/units.h"

#define SWAPPED_KIB       (64 * KIB_PER_MIB)
#define WINDOWS_LEAST     (256 * KIB_PER_MIB)
#define OVERHEAD_SPARE    (64 * KIB_PER_MIB)
#define IN_DISTRESS       0.5
#define NEARLY_ALL(whole) ((whole) / 10 * 9)

static bool is(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

static struct fact known(uint64_t value)
{
	return (struct fact){true, value};
}

/* ---- a guest: what it does ---- */

static bool has_size(struct finding *finding)
{
	finding->size = finding->guest->max;
	finding->other = finding->guest->used;
	return true;
}

bool check_no_balloon(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && is(finding->guest->quality, "none");
}

bool check_no_driver(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && is(finding->guest->state, "nodriver");
}

bool check_no_service(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && is(finding->guest->quality, "noservice");
}

/* momd reads the definition seldom; who reports has been told to meanwhile. */
bool check_no_period(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	return has_size(finding) && guest->built && guest->balloon &&
	       guest->stats_period.known && !guest->stats_period.value &&
	       !is(guest->quality, "good") && !is(guest->quality, "partial");
}

/* Without a period it couldn't be otherwise, nor where the guest stands still. */
bool check_stale(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	return is(guest->quality, "stale") && is(guest->run, "running") &&
	       !is(guest->state, "hung") && !is(guest->state, "busy") &&
	       (!guest->built || guest->stats_period.value);
}

bool check_partial(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return is(finding->guest->quality, "partial");
}

bool check_values_refused(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->size = finding->guest->refused;
	return finding->guest->refused.value > 0;
}

bool check_stuck(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->size = finding->guest->actual;
	finding->other = finding->guest->min;
	finding->seconds = finding->guest->stuck_for_s;
	return is(finding->guest->state, "stuck");
}

bool check_yields_nothing(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && finding->guest->yields_nothing;
}

bool check_held(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->size = finding->guest->actual;
	finding->seconds = finding->guest->held_for_s;
	return is(finding->guest->state, "held");
}

static bool hung(struct finding *finding)
{
	finding->size = finding->guest->cost;
	return is(finding->guest->state, "hung");
}

bool check_hung_stopped(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return hung(finding) && finding->guest->process == 'T';
}

bool check_hung_otherwise(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return hung(finding) && finding->guest->process != 'T';
}

bool check_disk_failed(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && finding->guest->io_error;
}

bool check_stands_still(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && is(finding->guest->run, "paused") &&
	       !finding->guest->io_error;
}

bool check_asleep(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && is(finding->guest->run, "suspended");
}

bool check_crashed(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && is(finding->guest->run, "crashed");
}

bool check_busy(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return is(finding->guest->state, "busy");
}

bool check_orders_refused(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->size = finding->guest->orders_refused;
	return finding->guest->orders_refused.value > 0;
}

bool check_unmanaged(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && !finding->guest->managed;
}

bool check_one_paused(const struct doctor *all, struct finding *finding)
{
	return has_size(finding) && !all->paused && is(finding->guest->state, "paused");
}

bool check_booting(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && is(finding->guest->state, "booting");
}

bool check_settings_trouble(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->word = finding->guest->settings_trouble;
	return finding->word && *finding->word;
}

bool check_min_too_high(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	finding->size = guest->min;
	finding->other = guest->limit;
	return guest->managed && (guest->balloon || !guest->built) && guest->min.known &&
	       guest->limit.known && guest->min.value > NEARLY_ALL(guest->limit.value);
}

bool check_min_too_low(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	finding->size = guest->min;
	finding->other = known(WINDOWS_LEAST);
	return guest->managed && guest->min.known &&
	       guest->min.value < min_u64(WINDOWS_LEAST, guest->max.value);
}

/* It uses up all that it may have, so the balloon isn't what it lacks. */
static bool needs_more(const struct doctor_guest *guest)
{
	return guest->used.known && guest->limit.value && guest->actual.known &&
	       guest->used.value > NEARLY_ALL(guest->limit.value) &&
	       guest->actual.value > NEARLY_ALL(guest->limit.value);
}

bool check_max_too_low(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	finding->size = guest->limit;
	finding->other = guest->max;
	return needs_more(guest) && guest->limit.value < guest->max.value;
}

bool check_too_small(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	finding->size = guest->max;
	finding->other = known(guest->max.value + guest->max.value / 2);
	return needs_more(guest) && guest->limit.value >= guest->max.value;
}

bool check_squeezed(const struct doctor *all, struct finding *finding)
{
	const struct doctor_guest *guest = finding->guest;
	(void)all;
	finding->size = guest->actual;
	finding->other = guest->demand;
	return guest->distress >= IN_DISTRESS && !needs_more(guest);
}

bool check_ran_out(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->size = finding->guest->floor;
	finding->seconds = finding->guest->floor_age_s;
	return finding->guest->floor.value > finding->guest->min.value;
}

bool check_swapped_out(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->size = finding->guest->swap;
	return finding->guest->swap.value >= SWAPPED_KIB;
}

/* ---- a guest: how it is built ---- */

bool check_passthrough(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && finding->guest->passthrough;
}

bool check_locked(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && finding->guest->locked &&
	       !finding->guest->passthrough;
}

bool check_on_huge_pages(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_size(finding) && finding->guest->hugepages;
}

bool check_limit_too_low(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	uint64_t need = guest->max.value + guest->overhead.value;
	finding->size = guest->hard_limit;
	finding->other = known(need);
	return guest->hard_limit.known && guest->hard_limit.value < need + OVERHEAD_SPARE;
}

bool check_emulated(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return finding->guest->built && finding->guest->emulated;
}

bool check_no_acpi(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return finding->guest->built && !finding->guest->acpi;
}

/* Free memory that the guest has touched once stays with it. */
bool check_keeps_free_pages(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	uint64_t idle =
		sub_u64(guest->rss.value, guest->overhead.value + guest->used.value);
	finding->size =
		(struct fact){guest->rss.known && guest->used.known && idle, idle};
	return guest->built && guest->balloon && !guest->free_page_reporting &&
	       !guest->locked && !guest->hugepages;
}

bool check_no_autodeflate(const struct doctor *all, struct finding *finding)
{
	(void)all;
	const struct doctor_guest *guest = finding->guest;
	return guest->built && guest->balloon && !guest->autodeflate && !guest->locked &&
	       !guest->hugepages;
}

bool check_unmergeable(const struct doctor *all, struct finding *finding)
{
	const struct doctor_guest *guest = finding->guest;
	finding->size = guest->rss;
	finding->word =
		guest->nosharepages ? "<nosharepages/>" : "<access mode='shared'/>";
	return all->host.ksm_run.value == 1 && guest->built && !guest->hugepages &&
	       (guest->shared || guest->nosharepages);
}

/* ---- its disks and networks ---- */

static bool has_cache(struct finding *finding, const char *mode)
{
	finding->size = finding->guest->host_cache;
	return !finding->disk->remote && is(finding->disk->cache, mode);
}

bool check_writethrough(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_cache(finding, "writethrough");
}

bool check_directsync(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->word = finding->guest->windows ? "writeback" : "none";
	return has_cache(finding, "directsync");
}

bool check_cached_twice(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->word = *finding->disk->cache ? "writeback" : "writeback by default";
	return !finding->guest->windows &&
	       (has_cache(finding, "writeback") || has_cache(finding, "") ||
		       has_cache(finding, "default"));
}

bool check_cached_nowhere(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return has_cache(finding, "none");
}

bool check_unsafe_disk(const struct doctor *all, struct finding *finding)
{
	(void)all;
	finding->word = finding->guest->windows ? "writeback" : "none";
	return has_cache(finding, "unsafe");
}

bool check_slow_disk(const struct doctor *all, struct finding *finding)
{
	(void)all;
	return *finding->disk->bus && !is(finding->disk->bus, "virtio") &&
	       !is(finding->disk->bus, "xen");
}

bool check_slow_nic(const struct doctor *all, struct finding *finding)
{
	const char *model = finding->nic->model;
	(void)all;
	return *model && strncmp(model, "virtio", strlen("virtio")) != 0;
}
