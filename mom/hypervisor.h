/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A hypervisor as the engine sees it: it finds guests, samples them, carries out orders
 * and reports what happened. No function here waits: work goes on elsewhere, and `fd()`
 * becomes readable when `next_event()` has something to tell.
 */

#include "mom/err.h"
#include "mom/model.h"

struct hypervisor_env {
	const char *uri;
	uint64_t call_deadline_ms; /* a call that takes longer makes its guest hung */
	uint64_t resync_period_ms; /* the list of guests is read whole so often */
	uint64_t
		stats_period_s; /* balloon statistics period to set where there is none */
	bool set_stats_period;  /* may set it */
	uint32_t workers;       /* calls under way at once, at most */
	const char *proc_root;  /* "/proc" */
	void *context;          /* the main's own word to it; libvirt needs none */
};

enum hypervisor_event_kind {
	EVENT_ROUND_DONE, /* the sampling round asked for has ended: samples are in */
	EVENT_CONNECTED,
	EVENT_DISCONNECTED, /* text: why */
	EVENT_GUEST_ARRIVED,
	EVENT_GUEST_GONE,
	EVENT_GUEST_REBOOTED,
	EVENT_GUEST_CHANGED, /* paused, resumed, woken, device or metadata changed */
	EVENT_BALLOON_MOVED, /* value_kib: new actual size */
	EVENT_ORDER_DONE,    /* value_kib: the target; result: 0 or a negative errno */
	EVENT_NOTE, /* text: one line for the log, said once per cause by the sender */
};

/*
 * Result of an order: 0 taken by the hypervisor; -EBUSY the domain has a job, or no call
 * was free for it; -ETIMEDOUT the call is late and may yet be carried out; -ENODEV no
 * balloon device; -ENOENT the guest is gone; -EPERM not allowed; -EIO anything else.
 */
struct hypervisor_event {
	enum hypervisor_event_kind kind;
	char uuid[UUID_TEXT_MAX]; /* "" where it is about the hypervisor */
	uint64_t value_kib;
	int result;
	char text[200];
};

struct hypervisor_status {
	bool connected;
	bool read_only;      /* orders are refused by the hypervisor's own rules */
	int64_t since_ms;    /* connected or disconnected since, monotonic */
	uint32_t calls;      /* under way now */
	uint64_t calls_late; /* in all */
	char why[200];       /* why it is disconnected */
};

struct hypervisor {
	const char *name;

	/* Starts working; succeeds though nothing answers yet. Errors: -EINVAL a bad URI.
	 */
	int (*open)(void **self, const struct hypervisor_env *env, struct err *err);

	int (*fd)(void *self);

	/* Begin a sampling round; one EVENT_ROUND_DONE follows, within the call deadline.
	 * A second call while a round is under way changes nothing. */
	void (*refresh)(void *self);

	/* The next event into `event`: 1, or 0 when there is none. */
	int (*next_event)(void *self, struct hypervisor_event *event);

	/* Copy the guests as last sampled into the snapshot. */
	void (*sample)(void *self, struct snapshot *into);

	/* Begin to set a guest's balloon target; one EVENT_ORDER_DONE follows. A newer
	 * order for the same guest replaces one that hasn't left: only the newer one is
	 * reported. Errors, without an event: -ENOENT no such guest; -EBUSY a call for
	 * this guest is late; -ENOTCONN there is no connection. */
	int (*set_target)(
		void *self, const char *uuid, uint64_t target_kib, struct err *err);

	/* Ask the guest for new statistics now, ahead of its period. Best effort. */
	void (*ask_statistics)(void *self, const char *uuid);

	void (*status)(void *self, struct hypervisor_status *status);

	/* Ends within a second though calls hang. */
	void (*close)(void *self);
};
