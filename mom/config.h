/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Settings: /etc/mom/momd.conf by libconfig, one table row per key (mom/config_keys.c). A
 * configuration is read into a fresh struct and is whole or refused; nothing here is
 * changed after it was read, but for live overrides that the engine keeps on its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "mom/err.h"
#include "mom/model.h"

#define CONFIG_PATH MOM_SYSCONFDIR "/momd.conf"

enum config_type {
	CONFIG_BOOL,
	CONFIG_SIZE,      /* uint64_t KiB */
	CONFIG_DURATION,  /* uint64_t ms */
	CONFIG_RATIO,     /* double 0..1 */
	CONFIG_COUNT,     /* uint64_t */
	CONFIG_STRING,    /* char *, owned */
	CONFIG_URI,       /* char *, owned: scheme:… */
	CONFIG_SOCKET,    /* char *, owned: a path that a Unix socket can have */
	CONFIG_LISTEN,    /* char *, owned: "", or as loopback_parse() */
	CONFIG_PROGRAM,   /* char *, owned: "", or a program's absolute path */
	CONFIG_STRINGS,   /* struct config_strings */
	CONFIG_BUDGET,    /* struct config_budget */
	CONFIG_AUTO_SIZE, /* struct config_auto_size: "auto" or a size */
	CONFIG_CHOICE,    /* int: index into `choices` */
	CONFIG_FLOOR, /* struct memory_floor: a size, a ratio, or the larger of both */
};

/*
 * One key. Its value stands at `offset` of `struct config`, or of the part's own settings
 * where a collector or a controller brings the table. Shown by `momd --check-config`,
 * etc/momd.conf and momd.conf(5), which are tested against it.
 */
struct config_key {
	const char *section; /* "host", …; the part's name where a part brings it */
	const char *name;
	enum config_type type;
	size_t offset;
	const char *fallback;   /* default, as written in the file but for the quotes */
	const char *low, *high; /* bounds, as written; NULL none */
	const char *choices;    /* "keep|release" for CONFIG_CHOICE */
	const char *help;
};

struct config_strings {
	char **items;
	size_t count;
};

struct config_auto_size {
	bool automatic;
	uint64_t kib;
};

enum budget_kind { BUDGET_AUTO, BUDGET_SIZE, BUDGET_CGROUP };

struct config_budget {
	enum budget_kind kind;
	uint64_t kib; /* BUDGET_SIZE */
	char *cgroup; /* BUDGET_CGROUP: path below the memory hierarchy; owned */
};

/* One entry of `guests = ( … )`; a key it doesn't give is left to the next match. */
struct guest_rule {
	char *match;    /* shell pattern on the guest's name, or its UUID */
	uint32_t given; /* bit i: row i of `guest_keys` is given */
	struct guest_settings values;
};

/* How far a guest's own metadata may go; beyond it is clamped and said once. */
struct metadata_ceilings {
	bool allow;             /* metadata is read at all */
	uint64_t min_kib;       /* largest `min` a guest may claim */
	uint64_t shares;        /* largest `shares` */
	double buffer_ratio;    /* largest `buffer` */
	uint64_t boot_grace_ms; /* longest `boot_grace` */
	bool opt_out;           /* may say manage="no" */
};

struct tunable {
	char *name;
	char *text;  /* as written: a number, true/false, or a string */
	bool number; /* text is a number */
	bool quoted; /* text was a string */
	char *where; /* "FILE:LINE", for who checks it against a policy */
};

enum exit_action { EXIT_KEEP, EXIT_RELEASE };

/* The settings of one collector or controller. */
struct config_part {
	const char *section;
	const struct config_key *keys;
	void *settings; /* laid out by `keys`; owned */
};

struct config {
	char *path; /* where it was read, NULL with defaults only */
	bool dry_run;
	bool lock_memory;
	int on_exit;                    /* enum exit_action */
	char *on_state;                 /* program to run when the state changes */
	uint64_t on_state_limit_ms;
	struct config_strings policies; /* names of shipped ones, or paths */

	struct {
		char *uri;
		uint64_t call_deadline_ms;
		uint64_t resync_period_ms;
		uint64_t stats_period_ms;
		bool set_stats_period;
		uint64_t workers;
	} hypervisor;

	struct {
		uint64_t period_ms;       /* while the host is roomy or snug */
		uint64_t tight_period_ms; /* while it is tight or worse */
		uint64_t watch_period_ms; /* the fast look at the host's memory between
					     ticks */
	} sampling;

	struct {
		struct config_budget budget;
		struct config_auto_size reserve;
	} host;

	struct {
		char *directory; /* every *.policy in it, by name */
		char *shipped;   /* where shipped policies are */
		uint64_t max_steps;
		uint64_t max_depth;
		uint64_t max_list;
		uint64_t max_string;
		uint64_t max_memory_kib;
	} policy;

	struct {
		char *socket;
		char *group;       /* may read; "" root only */
		char *admin_group; /* may change; "" root only */
	} control;

	struct {
		char *listen; /* "" off */
	} http;

	struct {
		char *path; /* "" none */
		uint64_t keep_ms, size_kib, period_ms;
	} history;

	struct {
		uint64_t settle_ms;   /* no order against one given less than this ago */
		double shrink_ratio;  /* largest shrink a tick, of actual */
		uint64_t safety_kib;  /* never below used + safety but in critical */
		uint64_t hold_off_ms; /* after somebody else set the balloon */
		uint64_t stuck_ms;    /* standing short of its target so long is stuck */
		uint64_t stuck_pause_ms; /* longest pause before it is tried again */
		uint64_t step_kib;       /* smallest order */
		double step_ratio;       /* smallest order, of actual */
	} balloon;

	struct metadata_ceilings metadata;

	struct tunable *tunables;
	size_t tunable_count;

	struct guest_rule *rules;
	size_t rule_count;

	struct config_part *parts;
	size_t part_count;
};

/*
 * A key table that a part brings; given to config_load() by the mains. A section of two
 * parts, or of a part and the table here, is fine while they don't share a key.
 */
struct config_part_keys {
	const char *section;           /* the part's name */
	const struct config_key *keys; /* ends with a NULL name */
	size_t size;                   /* of the part's settings struct */
};

extern const struct config_key config_keys[]; /* ends with a NULL name */
extern const struct config_key guest_keys[];  /* of struct guest_settings; so does it */

/*
 * Read a configuration file; NULL for the defaults alone.
 *
 * Errors: -ENOENT no such file, or another errno from reading it; -EINVAL or -ERANGE
 *         "FILE:LINE: what, and what was expected" for syntax, an unknown section or key,
 *         a value of another type or out of bounds. Nothing is written to `config` then.
 */
int config_load(struct config *config, const char *path,
	const struct config_part_keys *parts, size_t part_count, struct err *err);

/*
 * The same from a text that config_print() wrote; `name` is what messages call it. There
 * are no parts in it, and no files are included.
 */
int config_load_text(
	struct config *config, const char *name, const char *text, struct err *err);

void config_done(struct config *config);

/*
 * Set one key of the daemon's own table ("sampling.period") from text, over what was
 * read.
 *
 * Errors: -ENOENT no such key; -EINVAL, -ERANGE a bad value. The configuration is kept
 * then.
 */
int config_set(
	struct config *config, const char *key, const char *value, struct err *err);

/*
 * Write every key with its help and the value in force, as a file that config_load()
 * reads back; the guests end with a rule for "*" that holds the built-in settings.
 */
void config_print(const struct config *config, FILE *out);

/* A part's settings as laid out by its own keys, or NULL where it brought none. */
const void *config_part(const struct config *config, const char *section);

/*
 * Settings of one guest: for each key the first rule whose pattern matches the name (or
 * equals the UUID) and that gives it, then the built-in default; then its metadata within
 * the ceilings.
 *
 * Shape:  `metadata` is the domain's <mom:guest …/> element as XML text, or NULL.
 * Errors: the result is always usable; what was refused or clamped is told in `err` and
 *         given as a negative errno (-EINVAL, -ERANGE), to be said once by the caller.
 */
int config_guest(const struct config *config, const char *name, const char *uuid,
	const char *metadata, struct guest_settings *settings, struct err *err);

/*
 * Where a key of a guest's settings comes from: "metadata", the pattern of the rule that
 * gives it (guests "win2003-*"), or "default"; a new string, owned by the caller.
 */
char *config_guest_origin(const struct config *config, const char *name, const char *uuid,
	const char *metadata, const char *key);

/* What holds for a guest that nothing is said about. */
void guest_settings_init(struct guest_settings *settings);

/*
 * Set one key of a guest's settings from text: the same reader for the file, the metadata
 * and `momctl set`. Keys: min max shares buffer manage boot_grace.
 *
 * Errors: -ENOENT no such key (the text names them); -EINVAL, -ERANGE a bad value.
 */
int guest_settings_set(struct guest_settings *settings, const char *key,
	const char *value, struct err *err);
