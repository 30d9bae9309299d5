/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of the libvirt hypervisor share. One lock guards everything here; it is
 * never held over a call to libvirt. Calls are made by the pool's threads alone, in three
 * lanes: one for the connection and the list of guests, one for samples, one for orders.
 * Each thread of the last two has a connection of its own, so that a call that hangs
 * makes nobody deaf but itself.
 */

#include <pthread.h>
#include <stdatomic.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "hypervisors/balloon_stats.h"
#include "hypervisors/pool.h"
#include "mom/hypervisor.h"

#define SLOTS_MIN    3
#define SLOTS_MAX    24
#define GROUP_MAX    8   /* guests in one bulk call */
#define SLOW_MS      500 /* a group not in by then is split */
#define BACKOFF_MS   1000
#define BACKOFF_MAX  30000
#define CALLBACK_MAX 9

/* Keepalive: a libvirtd that was stopped is given up after some eight seconds. */
#define KEEPALIVE_S     2
#define KEEPALIVE_COUNT 3

enum lane { LANE_CONTROL, LANE_SAMPLES, LANE_ORDERS, LANE_COUNT };

/* Causes that are told once. */
enum note { NOTE_READ_ONLY, NOTE_NO_ROOM, NOTE_NO_PERIOD, NOTE_BAD_XML, NOTE_COUNT };

/* An order that is queued or under way; a newer one waits behind it. */
struct guest_order {
	bool queued, running, again, late;
	uint64_t target_kib;
};

/* A guest of one run: another run of the same domain is another guest. */
struct guest {
	unsigned refs; /* the list's and those of jobs; under the lock */
	uint64_t serial;
	unsigned seat; /* its index in every slot's domains */
	bool gone;
	bool known;     /* its XML was read: it has arrived */
	bool stale_xml; /* something changed: read it again */
	struct guest_facts facts;

	uint64_t seen;     /* number of the latest survey that listed it */
	uint64_t asked;    /* number of the sampling job under way for it, 0 none */
	uint64_t answered; /* number of the latest job that brought an answer */
	int64_t held_ms;   /* somebody's call holds its QEMU since, 0 none */
	int64_t probe_ms;  /* a hung guest is asked again then */
	uint64_t probe_wait_ms;

	uint64_t stats_period_s; /* as its XML says */
	unsigned period_sets;    /* how often it was set in this run of the guest */
	bool period_job;         /* setting it, or asking, is under way */
	int64_t update_ms;       /* when last_update was seen to change */
	int64_t period_look_ms;  /* its XML isn't read for a lost period before then */

	int64_t reboot_ms; /* the latest, 0 none */
	bool boot_told;    /* by an event, and no new statistics came since */

	struct guest_order order;
};

/* What a worker needs to reach a guest; copied, so that it needs no lock. */
struct handle {
	char uuid[UUID_TEXT_MAX];
	uint64_t serial;
	unsigned seat;
	int pid;
};

/* One connection of a worker, and its own handles of the guests. */
struct slot {
	virConnectPtr connection;
	uint64_t epoch;
	struct slot_domain {
		uint64_t serial;
		virDomainPtr domain;
	} * domains; /* by seat */
	size_t seats;
};

/* The connection for events and the list. */
struct main_link {
	struct core *core; /* referred to while `connection` is there */
	virConnectPtr connection;
	int callbacks[CALLBACK_MAX]; /* -1 none */
};

struct event_node {
	struct event_node *next;
	struct hypervisor_event event;
};

struct core {
	atomic_uint refs; /* the pool's, and those of libvirt's callbacks */
	pthread_mutex_t lock;
	pthread_cond_t due; /* the keeper has to look earlier */
	pthread_t keeper;
	bool closing;
	struct pool *pool;

	char *uri, *proc_root;
	uint64_t deadline_ms, resync_ms, stats_period_s;
	bool set_stats_period;

	struct main_link main; /* workers of LANE_CONTROL share it */
	uint64_t epoch;   /* counts connections: answers of an older one don't count */
	bool told;        /* that it is connected, or why not */
	bool connecting;  /* the job for it is under way */
	bool in_process;  /* the driver lives in this process: one connection for all */
	bool no_nowait;   /* the driver doesn't know this flag of bulk statistics */
	int64_t heard_ms; /* libvirtd was last known to answer */
	int64_t retry_ms; /* connect then */
	uint64_t backoff_ms;
	struct hypervisor_status status;
	unsigned notes;

	struct slot slots[SLOTS_MAX];

	struct guest **guests;
	size_t guest_count, guest_capacity;
	uint64_t serials;
	bool survey_wanted, survey_running;
	bool survey_stuck; /* one is late and not back */
	int64_t survey_ms; /* the next one */
	uint64_t surveys;

	bool round; /* one is under way */
	uint64_t round_number;
	unsigned round_groups; /* not in yet */
	int64_t round_due_ms;
	unsigned insisting, insisting_max; /* calls for guests that are blocked */

	int event_fd;
	struct event_node *first, **last;
};

int64_t core_now_ms(void);
void core_ref(struct core *core);
void core_unref(void *core);
void core_lock(struct core *core);
void core_unlock(struct core *core);

/* Everything below wants the lock held, but where it says "worker". */

/* Events: about a guest, or about the hypervisor where it is NULL. */
void core_tell(struct core *core, enum hypervisor_event_kind kind,
	const struct guest *guest, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void core_tell_order(
	struct core *core, const struct guest *guest, uint64_t target_kib, int result);
void core_tell_balloon(struct core *core, const struct guest *guest, uint64_t actual_kib);
void core_note(struct core *core, enum note note, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Guests. */
struct guest *core_find(struct core *core, const char *uuid);
struct guest *core_add_guest(
	struct core *core, const char *uuid, const char *name, int id);
void core_remove_guest(struct core *core, struct guest *guest);
enum guest_run core_run_of_state(int state); /* anybody */
struct guest *guest_ref(struct guest *guest);
void guest_unref(struct guest *guest);
struct handle guest_handle(const struct guest *guest);
void core_set_hung(struct core *core, struct guest *guest, bool hung);

/* libvirtd answered something; and whether it did after a call had become slow, so that
 * whoever that call is about is the one who doesn't answer. */
void core_heard(struct core *core);
bool core_blames(const struct core *core, int64_t begun_ms);

/* Line up a job in a lane with the call deadline. */
uint64_t core_submit(struct core *core, enum lane lane, const struct pool_kind *kind,
	void *work, uint64_t key, uint64_t slow_ms);

/* link.c: connections. */
void link_connect(struct core *core);
void link_lost(struct core *core, const char *why);
void link_farewell(struct core *core);
virConnectPtr link_of_slot(struct core *core, unsigned slot); /* worker */
virDomainPtr link_domain(
	struct core *core, unsigned slot, const struct handle *of); /* worker */
void link_leave(void *core, unsigned slot);                         /* worker */
bool domain_has_job(virDomainPtr domain); /* worker: a save, a migration, … */
int link_errno(void);                     /* worker: of libvirt's last error */
bool link_event_loop_start(const pthread_attr_t *attributes);
void link_event_loop_stop(void);

/* events.c: what libvirt reports by itself. */
void events_register(struct main_link *link);   /* worker */
void events_deregister(struct main_link *link); /* worker */

/* survey.c: the list of guests and their XML. */
void survey_want(struct core *core);

/* round.c: samples. */
void round_begin(struct core *core);
void round_tick(struct core *core, int64_t now_ms);

/* orders.c: what changes a guest. */
int order_set_target(
	struct core *core, struct guest *guest, uint64_t target_kib, struct err *err);
void order_set_period(struct core *core, struct guest *guest);
void order_ask_statistics(struct core *core, struct guest *guest);
