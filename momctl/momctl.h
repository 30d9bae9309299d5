/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What every command of momctl is given, and what it ends with.
 */

#include <stdbool.h>

#include <json-c/json.h>

#include "momctl/output.h"

/* Exit codes; momctl(1) documents them. */
enum momctl_exit {
	MOMCTL_OK,
	MOMCTL_FAILED,      /* the daemon refused or failed, or a file is wrong */
	MOMCTL_USAGE,       /* bad usage */
	MOMCTL_NO_MOMD,     /* no daemon serves the socket */
	MOMCTL_DENIED,      /* not allowed */
	MOMCTL_VERSION,     /* the daemon is of another version */
	MOMCTL_PARTLY,      /* not all that was asked for; not without making room first */
	MOMCTL_IMPOSSIBLE,  /* there is no room, nor can there be */
	MOMCTL_ADVICE = 10, /* `doctor` found nothing worse than that … */
	MOMCTL_WARNING,
	MOMCTL_SERIOUS,
};

struct momctl {
	const char *socket;
	bool json;
	struct output out; /* standard output */
};

/* One command; `argv[0]` is its name, global options are gone from the rest. */
struct command {
	const char *name;
	const char *arguments; /* "GUEST KEY VALUE", "" none */
	int least, most;       /* how many; `most` −1 any number */
	const char *help;      /* one line */
	int (*run)(const struct momctl *ctl, int argc, char **argv);
};

/* End with a NULL name. */
extern const struct command momctl_commands[];
extern const struct command policy_commands[];

struct control_client;

/*
 * Connect to the daemon, for more than one question.
 *
 * Errors: an exit code that isn't MOMCTL_OK; the reason has been said then.
 */
int momctl_connect(const struct momctl *ctl, struct control_client **client);

/* Ask on such a connection; `params` and `*result` as with momctl_call(). */
int momctl_ask(struct control_client *client, const char *method,
	struct json_object *params, struct json_object **result);

/*
 * Ask the daemon. `params` is used up and may be NULL; `*result` is the caller's.
 *
 * Errors: an exit code that isn't MOMCTL_OK; the reason has been said then.
 */
int momctl_call(const struct momctl *ctl, const char *method, struct json_object *params,
	struct json_object **result);

/* The same for a method that may take its time. */
int momctl_call_within(const struct momctl *ctl, const char *method,
	struct json_object *params, uint64_t deadline_ms, struct json_object **result);

/* The same where nothing but an "ok" is awaited: `done` is printed, or with JSON the
 * result. */
int momctl_do(const struct momctl *ctl, const char *method, struct json_object *params,
	const char *done, ...) __attribute__((format(printf, 4, 5)));

/* Run the command that `argv[0]` names. `prefix` is what stands before it: "policy ". */
int momctl_run(const struct momctl *ctl, const char *prefix,
	const struct command *commands, int argc, char **argv);

/* List the commands of a table, one a line. */
void momctl_list(
	const struct momctl *ctl, const char *prefix, const struct command *commands);

/* Print "momctl: …" on standard error and give `code`. */
int momctl_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

int cmd_can_start(const struct momctl *ctl, int argc, char **argv);
int cmd_collectors(const struct momctl *ctl, int argc, char **argv);
int cmd_doctor(const struct momctl *ctl, int argc, char **argv);
int cmd_events(const struct momctl *ctl, int argc, char **argv);
int cmd_explain(const struct momctl *ctl, int argc, char **argv);
int cmd_guest_kit(const struct momctl *ctl, int argc, char **argv);
int cmd_guests(const struct momctl *ctl, int argc, char **argv);
int cmd_help(const struct momctl *ctl, int argc, char **argv);
int cmd_history(const struct momctl *ctl, int argc, char **argv);
int cmd_pause(const struct momctl *ctl, int argc, char **argv);
int cmd_policy(const struct momctl *ctl, int argc, char **argv);
int cmd_record(const struct momctl *ctl, int argc, char **argv);
int cmd_reload(const struct momctl *ctl, int argc, char **argv);
int cmd_replay(const struct momctl *ctl, int argc, char **argv);
int cmd_reserve(const struct momctl *ctl, int argc, char **argv);
int cmd_resume(const struct momctl *ctl, int argc, char **argv);
int cmd_set(const struct momctl *ctl, int argc, char **argv);
int cmd_status(const struct momctl *ctl, int argc, char **argv);
int cmd_unset(const struct momctl *ctl, int argc, char **argv);
int cmd_top(const struct momctl *ctl, int argc, char **argv);
int cmd_watch(const struct momctl *ctl, int argc, char **argv);
int cmd_version(const struct momctl *ctl, int argc, char **argv);
