/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/guest.h"

#include <math.h>

#include "mom/units.h"

#define PAGE_KIB    4.0  /* a fault brings one: random touches end readahead */
#define HIT_PART    0.1  /* of the time between touches, where the page is there */
#define CACHE_FLOOR 8192 /* KiB: files in use, never dropped */
#define STUCK_PART  0.3  /* a stuck balloon takes no more of the guest */
#define RESTART_MS  5000 /* programs come back after the guest's OOM killer */
#define SPARE_MARKS 2.0  /* low marks that must be free before files are cached */
#define OOM_PART    0.1  /* of the growth wanted: less than that is no progress */
#define HIGH_MARK   1.2  /* low marks: reclaim that has begun goes on to there */
#define TELL_MS     1000 /* QEMU tells of a moving balloon so often */

/* ---- what it is made of ---- */

struct guest_make guest_make_usual(void)
{
	return (struct guest_make){
		.overhead_kib = 64 * KIB_PER_MIB,
		.boot_ms = 10000,
		.inflate_kib_per_s = 0.95 * KIB_PER_GIB,
		.deflate_kib_per_s = 2.3 * KIB_PER_GIB,
		.swap_kib_per_s = 100 * KIB_PER_MIB,
	};
}

static double free_kib(const struct sim_guest *guest)
{
	return guest->touched_free + guest->untouched;
}

static double max_kib(const struct sim_guest *guest)
{
	return (double)guest->make.max_kib;
}

/* As Linux does it: the square root of what the kernel manages; huge pages want more. */
double sim_guest_low_mark(const struct sim_guest *guest)
{
	return guest->make.mark_kib > 0 ? guest->make.mark_kib : 5 * sqrt(max_kib(guest));
}

double sim_guest_touched(const struct sim_guest *guest)
{
	return guest->anon + guest->cache + guest->touched_free + guest->kept;
}

double sim_guest_rss(const struct sim_guest *guest)
{
	return fmax(sim_guest_touched(guest) - guest->host_swapped, 0) +
	       (double)guest->make.overhead_kib;
}

double sim_guest_need(const struct sim_guest *guest)
{
	return guest->want.need_kib + sim_guest_least(guest);
}

double sim_guest_least(const struct sim_guest *guest)
{
	return guest->make.kernel_kib + fmin(guest->cache, CACHE_FLOOR) +
	       sim_guest_low_mark(guest);
}

double sim_guest_most(const struct sim_guest *guest, double actual_kib)
{
	double kept_back = fmin(HIGH_MARK * sim_guest_low_mark(guest), guest->untouched);
	double size = guest->driver ? fmax(guest->target, actual_kib) - kept_back
				    : max_kib(guest);
	return fmax(size, sim_guest_touched(guest)) + (double)guest->make.overhead_kib;
}

/* What the programs hold in memory. */
static double held(const struct sim_guest *guest)
{
	return fmax(guest->anon - guest->make.kernel_kib, 0);
}

/* ---- power ---- */

static bool is_up(const struct sim_guest *guest, int64_t now_ms)
{
	return now_ms - guest->booted_ms >= (int64_t)guest->make.boot_ms;
}

void sim_guest_boot(struct sim_guest *guest, int64_t now_ms)
{
	double touched = sim_guest_touched(guest) - guest->kept;
	if (!guest->present) {
		touched = 0;
		guest->target = guest->actual = guest->told_actual = max_kib(guest);
		guest->host_swapped = guest->merged = 0;
	}
	guest->present = true;
	guest->boots++;
	guest->booted_ms = now_ms;
	guest->driver = guest->silent = false;
	guest->balloon = 0;
	guest->touched_free = touched + guest->kept;
	guest->untouched = max_kib(guest) - guest->touched_free;
	guest->anon = guest->swapped = guest->cache = guest->kept = 0;
	guest->reported = false;
	guest->report_due_ms = now_ms + (int64_t)guest->make.boot_ms;
	guest->told_swap_in = guest->told_swap_out = guest->told_faults = 0;
	guest->place = (struct work_place){0};
}

void sim_guest_end(struct sim_guest *guest)
{
	guest->present = false;
	guest->anon = guest->swapped = guest->cache = guest->kept = 0;
	guest->touched_free = guest->host_swapped = guest->merged = 0;
	guest->untouched = max_kib(guest);
	guest->balloon = 0;
	guest->want = (struct want){0};
}

/* ---- pages ---- */

/* Take free pages: those touched before first, for they are warm. */
static double take_free(struct sim_guest *guest, double kib)
{
	double warm = fmin(kib, guest->touched_free);
	double fresh = fmin(kib - warm, guest->untouched);
	guest->touched_free -= warm;
	guest->untouched -= fresh;
	return warm + fresh;
}

static double drop_cache(struct sim_guest *guest, double kib)
{
	double dropped = fmin(kib, fmax(guest->cache - CACHE_FLOOR, 0));
	guest->cache -= dropped;
	guest->touched_free += dropped;
	return dropped;
}

static double swap_out(struct sim_guest *guest, double kib, double ms)
{
	double room = fmax((double)guest->make.swap_kib - guest->swapped, 0);
	double pace = guest->make.swap_kib_per_s * ms / 1000;
	double out = fmin(fmin(kib, held(guest)), fmin(room, pace));
	guest->anon -= out;
	guest->swapped += out;
	guest->touched_free += out;
	guest->tally.swap_out_kib += out;
	return out;
}

/* Make so much free above the low mark, as far as can be; gives how much there is. Once
 * the kernel swaps it goes on to its high mark. */
static double make_room(struct sim_guest *guest, double kib, double ms)
{
	double low = sim_guest_low_mark(guest);
	double there = free_kib(guest) - low;
	if (there < kib)
		there += drop_cache(guest, kib - there);
	if (there < kib)
		there += swap_out(guest, kib - there + (HIGH_MARK - 1) * low, ms);
	return fmax(fmin(there, kib), 0);
}

/* ---- the balloon ---- */

static void deflate(struct sim_guest *guest, double kib, double ms)
{
	double moved = fmin(kib, guest->make.deflate_kib_per_s * ms / 1000);
	double kept = guest->balloon > 0 ? guest->kept * moved / guest->balloon : 0;
	double backed = guest->make.huge ? moved : kept;
	guest->balloon -= moved;
	guest->kept -= kept;
	guest->touched_free += backed;
	guest->untouched += moved - backed;
	guest->tally.moved_kib += moved;
}

/* The pages that the balloon took leave QEMU, and host swap with them. */
static void give_back(struct sim_guest *guest, double kib)
{
	double touched = sim_guest_touched(guest) + kib;
	double left = touched > 0 ? 1 - kib / touched : 0;
	guest->host_swapped *= left;
	guest->merged *= left;
}

static void inflate(struct sim_guest *guest, double kib, double ms)
{
	double free = fmax(free_kib(guest), 1);
	double warm_part = guest->touched_free / free;
	double ms_per_kib = warm_part * 1000 / guest->make.inflate_kib_per_s +
			    (1 - warm_part) * 1000 / guest->make.deflate_kib_per_s;
	double moved = make_room(guest, fmin(kib, ms / ms_per_kib), ms);
	double warm = moved * guest->touched_free / fmax(free_kib(guest), 1);
	guest->touched_free -= warm;
	guest->untouched -= moved - warm;
	guest->balloon += moved;
	guest->tally.moved_kib += moved;
	if (guest->make.fault == FAULT_FIXED)
		guest->kept += warm;
	else
		give_back(guest, warm);
}

static void move_balloon(struct sim_guest *guest, double ms)
{
	double goal = max_kib(guest) - guest->target;
	if (guest->make.fault == FAULT_STUCK)
		goal = fmin(goal, STUCK_PART * max_kib(guest));
	if (goal > guest->balloon)
		inflate(guest, goal - guest->balloon, ms);
	else if (goal < guest->balloon)
		deflate(guest, guest->balloon - goal, ms);
	guest->actual = max_kib(guest) - guest->balloon;
}

void sim_guest_order(struct sim_guest *guest, double target_kib)
{
	double change = target_kib - guest->target;
	double way = change > 0 ? 1 : -1;
	guest->target = fmin(fmax(target_kib, 0), max_kib(guest));
	if (change == 0)
		return;
	guest->tally.orders++;
	if (guest->last_order != 0 && way != guest->last_order)
		guest->tally.reversals++;
	guest->last_order = way;
}

/* ---- programs ---- */

static void free_memory(struct sim_guest *guest, double kib)
{
	double all = held(guest) + guest->swapped;
	double from_swap = all > 0 ? kib * guest->swapped / all : 0;
	guest->swapped -= from_swap;
	guest->anon -= kib - from_swap;
	guest->touched_free += kib - from_swap;
}

static void kill_programs(struct sim_guest *guest, int64_t now_ms)
{
	guest->tally.ooms++;
	free_memory(guest, held(guest) + guest->swapped);
	guest->dead_ms = now_ms + RESTART_MS;
}

/* Fill new memory; gives the part of the time lost waiting for it. */
static double grow_memory(struct sim_guest *guest, double kib, double ms, int64_t now_ms)
{
	double wanted = fmin(kib, guest->work->grow_kib_per_s * ms / 1000);
	double room = make_room(guest, wanted, ms);
	guest->anon += take_free(guest, room);
	guest->grudged = room < wanted * (1 - 1e-9) ? kib - room : 0;
	bool swap_full = guest->swapped >= (double)guest->make.swap_kib * (1 - 1e-9);
	bool no_hope = swap_full || held(guest) <= 0;
	if (room < wanted * OOM_PART && no_hope)
		kill_programs(guest, now_ms);
	return wanted > 0 ? 1 - room / wanted : 0;
}

/* Programs hold what they want; gives the part of the time lost in growing. */
static double follow_need(struct sim_guest *guest, double ms, int64_t now_ms)
{
	double has = held(guest) + guest->swapped;
	guest->grudged = 0;
	if (guest->want.need_kib < has)
		free_memory(guest, has - guest->want.need_kib);
	else if (guest->want.need_kib > has)
		return grow_memory(guest, guest->want.need_kib - has, ms, now_ms);
	return 0;
}

/* Active memory that lies in the guest's swap: the coldest pages went there first. */
static double missing(const struct sim_guest *guest)
{
	return fmin(guest->swapped, fmax(guest->want.active_kib - held(guest), 0));
}

double sim_guest_missing(const struct sim_guest *guest)
{
	return missing(guest) + guest->grudged;
}

static void fetch(struct sim_guest *guest, double faults, double ms)
{
	double pace = guest->make.swap_kib_per_s * ms / 1000;
	double kib = fmin(fmin(faults * PAGE_KIB, pace), missing(guest));
	double room = make_room(guest, kib, 0);
	double evicted = kib - room; /* one page comes, another goes */
	guest->anon += take_free(guest, room);
	guest->swapped -= room;
	guest->tally.swap_in_kib += kib;
	guest->tally.swap_out_kib += evicted;
	guest->faults += faults;
}

/* Pages of the active memory that the host has swapped: cold ones went first, mostly. */
static double missing_on_host(const struct sim_guest *guest)
{
	double cold = sim_guest_touched(guest) - guest->want.active_kib -
		      guest->make.kernel_kib;
	return fmax(guest->host_swapped - fmax(cold, 0), 0);
}

static void touch(struct sim_guest *guest, const struct guest_step *step, double lost)
{
	double active = fmax(guest->want.active_kib, 1);
	double absent = missing(guest) / active;
	double absent_on_host = fmin(missing_on_host(guest) / active, 1);
	double slot_ms = 1000 / fmax(guest->work->touch_rate, 1e-3);
	double touch_ms = HIT_PART * slot_ms + absent * guest->work->fault_ms +
			  absent_on_host * step->host_fault_ms;
	double ms = step->ms * step->pace;
	double done = ms * (1 - lost) / fmax(slot_ms, touch_ms);
	guest->busy = lost + (1 - lost) * fmin(touch_ms / slot_ms, 1);
	guest->tally.work_wanted += step->ms / slot_ms;
	guest->tally.work_done += done;
	if (absent > 0)
		fetch(guest, done * absent, ms);
	if (absent_on_host > 0) {
		double kib = fmin(done * absent_on_host * 4, missing_on_host(guest));
		guest->host_swapped -= kib;
		guest->tally.host_swap_in_kib += kib;
	}
}

static void read_files(struct sim_guest *guest, double ms)
{
	double spare = free_kib(guest) - SPARE_MARKS * sim_guest_low_mark(guest);
	double wanted = fmin(guest->want.cache_kib - guest->cache,
		guest->work->read_kib_per_s * ms / 1000);
	double kib = fmin(wanted, spare);
	if (kib > 0)
		guest->cache += take_free(guest, kib);
}

/* ---- time ---- */

static void boot_on(struct sim_guest *guest, const struct guest_step *step)
{
	double goal = fmin(guest->make.boot_touch_kib, max_kib(guest));
	double part = step->ms * step->pace / fmax((double)guest->make.boot_ms, 1);
	double kib = fmin(
		fmin(goal * part, goal - sim_guest_touched(guest)), guest->untouched);
	if (kib > 0) {
		guest->untouched -= kib;
		guest->touched_free += kib;
	}
	if (!is_up(guest, step->now_ms))
		return;
	guest->anon += take_free(guest, guest->make.kernel_kib);
	guest->driver = guest->make.fault != FAULT_NO_DEVICE &&
			guest->make.fault != FAULT_NO_DRIVER;
}

static void count_needs(struct sim_guest *guest, double unmet, double ms)
{
	guest->tally.need_kib_s += guest->want.need_kib * ms / 1000;
	guest->tally.unmet_kib_s += unmet * ms / 1000;
	if (unmet > 0.01 * guest->want.need_kib)
		guest->tally.unmet_ms += ms;
	else
		guest->tally.unmet_ms = 0;
	guest->tally.longest_unmet_ms =
		fmax(guest->tally.longest_unmet_ms, guest->tally.unmet_ms);
}

static void follow_course(struct sim_guest *guest, int64_t now_ms)
{
	int64_t up_ms = now_ms - guest->booted_ms - (int64_t)guest->make.boot_ms;
	guest->want = work_want(
		guest->work, &guest->place, up_ms + guest->shift_ms, &guest->random);
}

/* What a killed guest would have done, and needed. */
static void count_loss(struct sim_guest *guest, const struct guest_step *step)
{
	guest->tally.work_wanted += step->ms / 1000 * guest->work->touch_rate;
	follow_course(guest, step->now_ms);
	count_needs(guest, guest->want.need_kib, step->ms);
}

void sim_guest_step(struct sim_guest *guest, const struct guest_step *step)
{
	if (guest->lost)
		count_loss(guest, step);
	guest->busy = guest->present && !guest->paused;
	if (!guest->busy)
		return;
	if (!is_up(guest, step->now_ms - (int64_t)step->ms)) {
		boot_on(guest, step);
		return;
	}
	follow_course(guest, step->now_ms);
	if (step->now_ms < guest->dead_ms)
		guest->want.need_kib = guest->want.active_kib = 0;
	double ms = step->ms * step->pace;
	if (guest->driver)
		move_balloon(guest, ms);
	double lost = follow_need(guest, ms, step->now_ms);
	touch(guest, step, lost);
	read_files(guest, ms);
	count_needs(guest, sim_guest_missing(guest), step->ms);
}

/* ---- what it tells ---- */

void sim_guest_tell_actual(struct sim_guest *guest, int64_t now_ms)
{
	if (guest->told_actual == guest->actual ||
		now_ms - guest->told_actual_ms < TELL_MS)
		return;
	guest->told_actual = guest->actual;
	guest->told_actual_ms = now_ms;
}

void sim_guest_report(struct sim_guest *guest, int64_t now_ms)
{
	if (!guest->driver || guest->paused || guest->silent)
		return;
	double low = sim_guest_low_mark(guest);
	double cache = guest->cache - fmin(guest->cache / 2, low);
	guest->reported = true;
	guest->reported_ms = now_ms;
	guest->told_unused = free_kib(guest);
	guest->told_cache = guest->cache;
	guest->told_usable = fmax(free_kib(guest) + cache - HIGH_MARK * low, 0);
	guest->told_total = max_kib(guest) - (guest->make.windows ? 0 : guest->balloon);
	guest->told_swap_in = guest->tally.swap_in_kib;
	guest->told_swap_out = guest->tally.swap_out_kib;
	guest->told_faults = guest->faults;
}
