/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/methods_history.h"

#include <errno.h>
#include <json-c/json.h>

#include "mom/control/put.h"
#include "mom/daemon.h"
#include "mom/events.h"
#include "mom/history/history.h"
#include "mom/mem.h"

#define EVENTS_USUAL    200
#define EVENTS_MOST     1000
#define EVENTS_USUAL_S  86400
#define HISTORY_USUAL_S 7200
#define STEP_MOST_S     (366 * 86400)

/* What part of the past is asked for. */
struct span {
	int64_t since_ms, until_ms;
};

/* A number among the parameters, or `fallback`. */
static double param_number(struct json_object *params, const char *key, double fallback)
{
	struct json_object *value;
	if (!json_object_object_get_ex(params, key, &value) || !value)
		return fallback;
	return json_object_get_double(value);
}

static int read_span(
	struct json_object *params, double usual_s, struct span *span, struct err *err)
{
	double now_s = (double)daemon_clock_ms() / 1000;
	double until_s = param_number(params, "until", now_s + 1);
	double since_s = param_number(
		params, "since", until_s - param_number(params, "last_s", usual_s));
	if (!(since_s < until_s) || until_s > 1e11 || since_s < -1e11)
		return err_set(err, -EINVAL, "\"since\" is not before \"until\"");
	span->since_ms = (int64_t)(since_s * 1000);
	span->until_ms = (int64_t)(until_s * 1000);
	return 0;
}

static void answer(void *reply, struct json_object *result, const struct err *err)
{
	control_reply_send(reply, result, err);
}

/* A whole number among the parameters, or 0. Errors: -ERANGE. */
static int read_count(struct json_object *params, const char *key, double usual,
	double most, uint64_t *count, struct err *err)
{
	double value = param_number(params, key, usual);
	if (!(value >= 1 && value <= most))
		return err_set(err, -ERANGE, "\"%s\" is 1 to %.0f", key, most);
	*count = (uint64_t)value;
	return 0;
}

void start_history(void *context, struct json_object *params, struct control_reply *reply)
{
	const struct daemon *daemon = context;
	struct history_question question = {
		.guest = param_text(params, "guest"),
		.pools_only = param_bool(params, "pools_only"),
	};
	struct span span = {0};
	struct err err;
	int bad = read_span(params, HISTORY_USUAL_S, &span, &err);
	if (!bad)
		bad = read_count(params, "points", HISTORY_POINTS_USUAL,
			HISTORY_POINTS_MOST, &question.points, &err);
	if (!bad && json_object_object_get(params, "step_s"))
		bad = read_count(
			params, "step_s", 0, STEP_MOST_S, &question.step_s, &err);
	question.since_ms = span.since_ms;
	question.until_ms = span.until_ms;
	if (bad)
		control_reply_send(reply, NULL, &err);
	else
		history_ask(daemon->history, &question, answer, reply);
}

/* ---- events ---- */

struct events_asked {
	const struct daemon *daemon;
	struct control_reply *reply;
	char *guest;
	struct span span;
	uint64_t limit;
};

static void asked_free(struct events_asked *asked)
{
	free(asked->guest);
	free(asked);
}

/* What momd itself has seen, where there is no history to ask. */
static struct json_object *from_memory(const struct events_asked *asked)
{
	bool more;
	struct json_object *result = json_object_new_object();
	put(result, "events",
		events_latest(asked->daemon, asked->guest, asked->span.since_ms,
			asked->span.until_ms, asked->limit, &more));
	put_bool(result, "more", more);
	put_text(result, "from", "memory");
	return result;
}

static void answer_events(
	void *context, struct json_object *result, const struct err *err)
{
	struct events_asked *asked = context;
	bool unknown = err && err->code == -ENOENT && asked->guest &&
		       !roster_find(&asked->daemon->engine.roster, asked->guest);
	if (unknown)
		control_reply_send(asked->reply, NULL, err);
	else
		control_reply_send(asked->reply, err ? from_memory(asked) : result, NULL);
	asked_free(asked);
}

void start_events(void *context, struct json_object *params, struct control_reply *reply)
{
	const struct daemon *daemon = context;
	struct events_asked *asked = mem_alloc(sizeof(*asked));
	*asked = (struct events_asked){
		.daemon = daemon,
		.reply = reply,
		.guest = mem_dup(param_text(params, "guest")),
	};
	struct err err;
	int bad = read_span(params, EVENTS_USUAL_S, &asked->span, &err);
	if (!bad)
		bad = read_count(
			params, "limit", EVENTS_USUAL, EVENTS_MOST, &asked->limit, &err);
	if (bad) {
		control_reply_send(reply, NULL, &err);
		asked_free(asked);
		return;
	}
	history_ask_events(daemon->history, asked->guest, asked->span.since_ms,
		asked->span.until_ms, asked->limit, answer_events, asked);
}
