/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "mom/control/client.h"
#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/follow.h"
#include "momctl/json.h"
#include "momctl/momctl.h"
#include "momctl/options.h"
#include "momctl/packed.h"

#define FORMAT      1 /* of the file; doc/recording.md */
#define TOPIC       "snapshot"
#define DEADLINE_MS 10000
#define AGAIN_MS    1000 /* between attempts to find momd */
#define USAGE       "usage: momctl record FILE [--for TIME] [--size SIZE]"

struct recording {
	const struct momctl *ctl;
	const char *path;
	uint64_t for_ms, size_kib; /* 0 no end */
	int64_t began_ms;
	int end; /* readable when a signal asks for the end */
	struct packed file;
	struct control_client *client; /* NULL: momd is gone for now */
	bool listens, begun;           /* it subscribed; the state is written */
	uint64_t latest;               /* tick that is written, or part of the state */
	uint64_t ticks, missed, gaps;
	const char *why; /* it ended */
};

static int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is asked for ---- */

static int read_options(struct recording *recording, int argc, char **argv)
{
	struct err err;
	for (int i = 1; i < argc; i++) {
		const char *time = option_value("--for", &i, argv);
		const char *size = time ? NULL : option_value("--size", &i, argv);
		int r = 0;
		if (time)
			r = units_parse_duration(time, &recording->for_ms, &err);
		else if (size)
			r = units_parse_size(size, &recording->size_kib, &err);
		else if (argv[i][0] == '-' || recording->path)
			return momctl_fail(MOMCTL_USAGE, USAGE);
		else
			recording->path = argv[i];
		if (r < 0)
			return momctl_fail(MOMCTL_USAGE, "%s: %s",
				time ? "--for" : "--size", err.text);
	}
	return recording->path ? MOMCTL_OK : momctl_fail(MOMCTL_USAGE, USAGE);
}

/* Until the end that was asked for; -1 there is none. */
static int64_t time_left(const struct recording *recording)
{
	if (!recording->for_ms)
		return -1;
	int64_t left_ms = recording->began_ms + (int64_t)recording->for_ms - clock_ms();
	return left_ms > 0 ? left_ms : 0;
}

/* Whether it is time to end; `why` is set then. */
static bool is_over(struct recording *recording)
{
	struct pollfd end = {.fd = recording->end, .events = POLLIN};
	if (poll(&end, 1, 0) > 0)
		recording->why = "asked to end";
	else if (time_left(recording) == 0)
		recording->why = "its time is over";
	else if (recording->size_kib &&
		 packed_size(&recording->file) >= recording->size_kib * 1024)
		recording->why = "it has its size";
	return recording->why != NULL;
}

/* ---- the file ---- */

/* `{"NAME": DATA}`; `data` is used up. */
static int write_line(struct recording *recording, const char *name,
	struct json_object *data, struct err *err)
{
	struct json_object *line = json_object_new_object();
	json_object_object_add(line, name, data);
	int r = packed_write(&recording->file, line, err);
	json_object_put(line);
	return r;
}

static int write_header(struct recording *recording, struct err *err)
{
	char began[32];
	time_t now = time(NULL);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(began, sizeof(began), "%Y-%m-%dT%H:%M:%SZ", &utc);
	struct json_object *line = json_object_new_object();
	json_object_object_add(line, "mom_recording", json_object_new_int(FORMAT));
	json_object_object_add(line, "momctl", control_json_text(PACKAGE_VERSION));
	json_object_object_add(line, "momd",
		control_json_text(control_client_version(recording->client)));
	json_object_object_add(line, "began", control_json_text(began));
	int r = packed_write(&recording->file, line, err);
	json_object_put(line);
	return r;
}

static int write_gap(struct recording *recording, uint64_t missed, struct err *err)
{
	struct json_object *gap = json_object_new_object();
	json_object_object_add(gap, "missed", json_object_new_uint64(missed));
	recording->missed += missed;
	recording->gaps++;
	return write_line(recording, "gap", gap, err);
}

static int write_end(struct recording *recording, struct err *err)
{
	struct json_object *end = json_object_new_object();
	json_object_object_add(end, "why", control_json_text(recording->why));
	json_object_object_add(end, "ticks", json_object_new_uint64(recording->ticks));
	return write_line(recording, "end", end, err);
}

/* ---- momd ---- */

static int ask(struct control_client *client, const char *method, const char *topic,
	struct json_object **result, struct err *err)
{
	struct json_object *params = json_object_new_object();
	if (topic)
		json_object_object_add(params, "topic", control_json_text(topic));
	int r = control_call(client, method, params, result, err);
	json_object_put(params);
	return r;
}

/* What the next ticks build on; asked on a connection of its own, for on the other one
 * ticks come at any time. */
static int write_state(struct recording *recording, struct err *err)
{
	struct control_client *client;
	struct json_object *state = NULL;
	int r = control_client_open(&client, recording->ctl->socket, DEADLINE_MS, err);
	if (r < 0)
		return r;
	r = ask(client, "snapshot", NULL, &state, err);
	control_client_close(client);
	if (r < 0)
		return r;
	json_get_count(state, "number", &recording->latest);
	recording->begun = true;
	return write_line(recording, "state", state, err);
}

/* Listen, and only then ask for the state: no tick is lost between the two. */
static int begin(struct recording *recording, struct err *err)
{
	struct json_object *nothing = NULL;
	int r = 0;
	if (!recording->client)
		r = control_client_open(
			&recording->client, recording->ctl->socket, DEADLINE_MS, err);
	if (r == 0 && !recording->listens)
		r = ask(recording->client, "subscribe", TOPIC, &nothing, err);
	recording->listens = r == 0;
	return r < 0 ? r : write_state(recording, err);
}

static void leave(struct recording *recording)
{
	control_client_close(recording->client);
	recording->client = NULL;
	recording->listens = recording->begun = false;
}

/* momd may start anew, and has to look once before it can tell. */
static bool may_pass(int code)
{
	return code == -ENOENT || code == -ECONNREFUSED || code == -ECONNRESET ||
	       code == -EAGAIN || code == -ETIMEDOUT || code == -EBUSY;
}

/* Wait a little before momd is asked again; a signal ends it. */
static void wait_again(const struct recording *recording)
{
	struct pollfd end = {.fd = recording->end, .events = POLLIN};
	int64_t left_ms = time_left(recording);
	poll(&end, 1, left_ms >= 0 && left_ms < AGAIN_MS ? (int)left_ms : AGAIN_MS);
}

static int take_tick(
	struct recording *recording, struct json_object *event, struct err *err)
{
	struct json_object *tick = json_get(event, "data");
	uint64_t number = 0;
	json_get_count(tick, "number", &number);
	if (number <= recording->latest)
		return 0; /* the state has it already */
	if (number > recording->latest + 1) {
		int r = write_gap(recording, number - recording->latest, err);
		return r < 0 ? r : write_state(recording, err);
	}
	recording->latest = number;
	recording->ticks++;
	return write_line(recording, "tick", json_object_get(tick), err);
}

/* One tick, or what keeps it from coming. */
static int step(struct recording *recording, struct err *err)
{
	struct json_object *event = NULL;
	if (!recording->begun)
		return begin(recording, err);
	int r = control_client_wait(
		recording->client, recording->end, time_left(recording), &event, err);
	if (r <= 0)
		return r;
	r = take_tick(recording, event, err);
	json_object_put(event);
	return r;
}

/* A connection is lost: what comes behind doesn't join what was written. */
static int part(struct recording *recording, struct err *err)
{
	int r = recording->begun ? write_gap(recording, 0, err) : 0;
	leave(recording);
	wait_again(recording);
	return r;
}

static int follow(struct recording *recording, struct err *err)
{
	int r = write_header(recording, err);
	while (r == 0 && !is_over(recording)) {
		r = step(recording, err);
		if (r < 0 && may_pass(r))
			r = part(recording, err);
	}
	return r < 0 ? r : write_end(recording, err);
}

/* ---- the command ---- */

static void tell(const struct recording *recording, uint64_t bytes)
{
	uint64_t ms = (uint64_t)(clock_ms() - recording->began_ms);
	if (recording->ctl->json) {
		struct json_object *told = json_object_new_object();
		json_object_object_add(told, "file", control_json_text(recording->path));
		json_object_object_add(told, "why", control_json_text(recording->why));
		json_object_object_add(
			told, "ticks", json_object_new_uint64(recording->ticks));
		json_object_object_add(
			told, "missed", json_object_new_uint64(recording->missed));
		json_object_object_add(
			told, "gaps", json_object_new_uint64(recording->gaps));
		json_object_object_add(told, "bytes", json_object_new_uint64(bytes));
		json_print(recording->ctl->out.file, told);
		json_object_put(told);
		return;
	}
	char size[SIZE_TEXT_MAX], time[DURATION_TEXT_MAX];
	output_line(&recording->ctl->out, "",
		"%s: %" PRIu64 " ticks in %s, %s; %" PRIu64 " missed; %s",
		recording->path, recording->ticks, units_format_duration(time, ms),
		output_size(&recording->ctl->out, size, kib_from_bytes(bytes + 1023)),
		recording->missed, recording->why);
}

static int record(struct recording *recording)
{
	struct err err, close_err;
	int r = packed_open(&recording->file, recording->path, &err);
	if (r < 0)
		return momctl_fail(MOMCTL_FAILED, "%s", err.text);
	r = follow(recording, &err);
	int closed = packed_close(&recording->file, &close_err);
	if (r < 0 || closed < 0)
		return momctl_fail(
			MOMCTL_FAILED, "%s", r < 0 ? err.text : close_err.text);
	tell(recording, packed_size(&recording->file));
	return MOMCTL_OK;
}

int cmd_record(const struct momctl *ctl, int argc, char **argv)
{
	struct recording recording = {.ctl = ctl, .began_ms = clock_ms()};
	struct json_object *params = json_object_new_object();
	struct json_object *nothing = NULL;
	int code = read_options(&recording, argc, argv);
	if (!code)
		code = momctl_connect(ctl, &recording.client);
	if (!code) {
		json_object_object_add(params, "topic", control_json_text(TOPIC));
		code = momctl_ask(
			recording.client, "subscribe", json_object_get(params), &nothing);
	}
	json_object_put(params);
	recording.listens = !code;
	recording.end = code ? -1 : follow_end_fd(0);
	if (!code)
		code = record(&recording);
	leave(&recording);
	if (recording.end >= 0)
		close(recording.end);
	return code;
}
