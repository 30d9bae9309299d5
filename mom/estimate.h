/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From facts to figures: how far a guest's statistics can be trusted, how much memory it
 * uses and needs, what it may cost the host, and what the host can give. Functions of
 * their arguments: time is a number, what must be remembered between samples is handed
 * in.
 */

#include "mom/model.h"

#define GROWTH_SAMPLES 8

/* Figures of the law that the engine knows and a guest doesn't. */
struct estimate_terms {
	uint64_t stats_period_ms; /* how often guests are asked for statistics */
	uint64_t
		reaction_ms; /* from a guest's growth to memory given: tick and balloon */
	uint64_t safety_kib; /* never taken from a guest */
};

/* What is remembered to tell a balloon's size while it moves. */
struct size_track {
	bool news;                       /* this sample's statistics are new */
	int64_t news_ms, moved_ms;       /* new statistics, or another size, were seen */
	uint64_t actual_kib, total_kib;  /* as told, in the last sample */
	uint64_t usable_kib, unused_kib; /* the same */
	uint64_t then_kib; /* the balloon's size when these statistics were made … */
	bool still;        /* … and it stood there */
	bool settled;      /* the two below belong together */
	uint64_t settled_actual_kib, settled_total_kib;
};

/* What estimating remembers of one guest from sample to sample. */
struct guest_track {
	bool seen;
	uint32_t boots;
	int64_t last_ms;      /* of the last estimate */
	uint64_t running_ms;  /* the guest's own time since this boot was seen */
	uint64_t last_update; /* statistics' time stamp, only compared for change */
	bool has_last_update;
	uint64_t updated_at; /* in the guest's own time */
	bool updated;        /* the statistics of this sample are new */
	bool doubted;        /* they are from before a time in which QEMU was silent */
	struct size_track size;
	unsigned fresh; /* changes of the statistics since this boot */
	bool proven;    /* the driver has shown that it lives */
	bool valued;    /* the statistics once held values since this boot */
	struct {
		int64_t at_ms;
		uint64_t used_kib;
	} growth[GROWTH_SAMPLES]; /* ring of new statistics */
	size_t growth_next, growth_count;
	uint64_t fetched_kib;     /* seen since … */
	int64_t fetched_ms;       /* … swap_in_kib_per_s was brought up to date */
	double usual_kib_per_s;   /* the same over minutes: noise of a healthy guest */
	uint64_t floor_kib;       /* learned: with less it ran out of memory … */
	int64_t floor_ms;         /* … then; what was learned is forgotten over hours */
	double swap_in_kib_per_s; /* what the guest fetches back, decaying */
	bool has_working_set;
	int64_t working_set_ms; /* when working_set_kib was brought up to date */
	double working_set_kib; /* seen from outside; its falls are slowed down */
};

/*
 * Put the balloon's size in `facts->sample` where the guest says that it is by now, ahead
 * of what QEMU has told, on its way to `target_kib`, the order that stands. Comes before
 * all else that looks at the sample.
 */
void estimate_size(struct guest_track *track, struct guest_facts *facts,
	uint64_t target_kib, int64_t now_ms);

/*
 * Judge one guest and fill the estimated part of `facts->sample`.
 *
 * Shape:  used, demand, growth, cost, distress of the sample; min, limit, shares and
 * buffer are copied from the settings; overhead is filled in where it isn't known.
 *         `target_kib` of the sample must be set by the caller (0: no order stands).
 * Units:  KiB, ms of a monotonic clock.
 * Source: the accounting in doc/control-law.md.
 */
void estimate_guest(struct guest_track *track, struct guest_facts *facts,
	const struct guest_settings *settings, const struct estimate_terms *terms,
	int64_t now_ms, enum guest_quality *quality, enum guest_state *state);

/*
 * The guest took memory back by itself, or ran out: what it has now is what it needs, and
 * a little. The floor counts as demand, within the guest's fair share (G8, G11).
 */
void estimate_learn_floor(
	struct guest_track *track, const struct guest_sample *sample, int64_t now_ms);

/* The statistics changed lately enough, in the guest's own time, to shrink by them (G2).
 */
bool estimate_is_fresh(
	const struct guest_track *track, const struct estimate_terms *terms);

/* What host memory is judged by, beside the sample itself. */
struct host_terms {
	bool reserve_automatic; /* the least reserve is a part of the size */
	uint64_t reserve_kib;   /* the least reserve otherwise */
	uint64_t reaction_ms;
	uint64_t size_kib; /* the host's memory, the pool's limit or the budget set */
	uint64_t available_kib; /* what the kernel would still give */
	uint64_t claim_kib;     /* kept for guests that are to come */
};

/* One guest as the host's books see it. */
struct guest_entry {
	const struct guest_sample *sample;
	bool managed;   /* part of the division */
	bool hugepages; /* its RAM stands in neither side of the books */
};

/*
 * Fill the estimated part of a host's (or pool's) sample but `state`: available, budget,
 * divisible, reserve, exposure, cost.
 */
void estimate_host(struct host_sample *host, const struct host_terms *terms,
	const struct guest_entry *guests, size_t count);

/* The state that the memory left alone calls for. */
enum host_state estimate_state_by_memory(uint64_t available_kib, uint64_t reserve_kib);

/* What judging a host's state remembers. */
struct host_track {
	bool seen;
	enum host_state state;
	enum host_state better;  /* what has held at least … */
	int64_t better_since_ms; /* … since then; 0 nothing better */
};

/*
 * The host's state with hysteresis: down at once, up after a clear margin has held.
 * HOST_EXHAUSTED is the guard's word: it knows whether anything could still be taken.
 */
enum host_state estimate_host_state(
	struct host_track *track, const struct host_sample *host, int64_t now_ms);

/*
 * Make the demands of a host's guests fit, as far as buffers allow: where they don't,
 * each buffer shrinks by the same part, down to a quarter. Used memory is never cut.
 */
void estimate_fit_buffers(struct guest_sample **guests, size_t count,
	uint64_t divisible_kib, uint64_t safety_kib);
