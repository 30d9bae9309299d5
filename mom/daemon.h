/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon: an engine, the event loop that drives it and the control socket, and the
 * ways in from outside (signals, requests).
 */

#include "mom/control/server.h"
#include "mom/engine.h"
#include "mom/hook.h"
#include "mom/recorder.h"

struct event;
struct http_server;
struct event_base;

#define DAEMON_WAKES_MAX 8

struct daemon {
	const char
		*config_path; /* as asked for; NULL: the usual file where there is one */
	/* of the command line, whatever the configuration says; or NULL */
	const char *socket, *uri, *policies;
	struct engine engine;
	struct control_server *server;
	struct recorder recorder;  /* for who subscribed to snapshots */
	struct occurrences events; /* the latest */
	uint64_t last_event;       /* its number */
	struct history *history;
	struct remembered *remembered; /* rows in the making */
	size_t remembered_count, remembered_capacity;
	int64_t remembered_s; /* when they begin; 0 none */
	uint64_t event_kinds[OCCURRENCE_KIND_COUNT];
	struct hook hook;
	struct http_server *http; /* NULL: none asked for, or not to be had */
	char *http_listen;        /* where it serves; owned, NULL nowhere */
	char *http_trouble;       /* why it can't; owned, NULL it can */

	struct event_base *base;
	struct event *begin, *sample, *hypervisor, *stop_wait;
	struct event *watch;                   /* the glance between ticks */
	struct event *wakes[DAEMON_WAKES_MAX]; /* collectors that want a tick early */
	struct event *signals[3];
	bool in_round;                     /* a sampling round is under way */
	bool again;                        /* and another is wanted as soon as it ends */
	int64_t began_ms;                  /* the latest round */
	int64_t trimmed_ms;                /* memory was given back last */
	int64_t due_ms;                    /* the next one */
	int64_t pinged_ms;                 /* the watchdog heard of us last */
	uint64_t ticks_late;               /* begun more than a period after their time */
	uint64_t emergencies;              /* ticks that couldn't wait */
	uint64_t last_tick_ms;             /* how long the latest tick took, in all */
	struct spread tick_time, lateness; /* of ticks, of rounds' beginnings */
	uint64_t ticked_at_ms;             /* since the epoch */
	int64_t started_at_ms;
	bool stopping;
	size_t releases; /* orders waited for before the end */
	struct reserve_wait *reserve_waits; /* who is owed an answer to "reserve" */
};

int64_t daemon_now_ms(void);
int64_t daemon_clock_ms(void); /* since the epoch, as the wall clock has it */

/* Build the loop around an opened engine. Errors: -ENOMEM libevent can't. */
int daemon_loop_new(struct daemon *daemon, struct err *err);
void daemon_loop_free(struct daemon *daemon);

/* A round at once: somebody waits for what the next tick brings. */
void daemon_hurry(struct daemon *daemon);

/* Run until a signal ends it. */
void daemon_run(struct daemon *daemon);

/*
 * Read the configuration as the command line asks for.
 *
 * Errors: as config_load(). `*config` is written on success only.
 */
int daemon_read_config(
	const struct daemon *daemon, struct config **config, struct err *err);

/* Swap the configuration, or nothing. Errors: as config_load() and engine_reconfigure().
 */
int daemon_reload(struct daemon *daemon, struct err *err);

/* What the control socket answers; the context is a struct daemon. */
extern const struct control_method daemon_methods[];
