/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/methods_history.h"

#include <errno.h>
#include <json-c/json.h>

#include "mom/control/put.h"
#include "mom/daemon.h"
#include "mom/events.h"
#include "mom/units.h"

#define EVENTS_USUAL 200
#define EVENTS_MOST  1000
#define SPAN_USUAL_S 86400.0

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

int answer_events(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	const struct daemon *daemon = context;
	struct span span = {0};
	int bad = read_span(params, SPAN_USUAL_S, &span, err);
	if (bad < 0)
		return bad;
	double limit = param_number(params, "limit", EVENTS_USUAL);
	if (!(limit >= 1 && limit <= EVENTS_MOST))
		return err_set(err, -ERANGE, "\"limit\" is 1 to %d", EVENTS_MOST);
	bool more;
	struct json_object *events = events_latest(daemon, param_text(params, "guest"),
		span.since_ms, span.until_ms, (size_t)limit, &more);
	*result = json_object_new_object();
	put(*result, "events", events);
	put_bool(*result, "more", more);
	put_text(*result, "from", "memory");
	return 0;
}
