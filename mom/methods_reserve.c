/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/methods_reserve.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "mom/control/put.h"
#include "mom/daemon.h"
#include "mom/describe.h"
#include "mom/log.h"
#include "mom/mem.h"

#define TIMEOUT_MS        30000
#define TIMEOUT_MOST_MS   (60 * 60 * 1000)
#define EXPIRES_MS        (5 * 60 * 1000)
#define EXPIRES_MOST_MS   (24 * 60 * 60 * 1000)
#define SIZE_MOST_KIB     (1ull << 50)
#define RESERVATIONS_MOST 64

/* Somebody who waits for the memory to be there. */
struct reserve_wait {
	struct daemon *daemon;
	struct control_reply *reply;
	struct reservation wanted;
	bool kept; /* it will outlive a restart */
	struct event *deadline;
	struct reserve_wait *next;
};

/* ---- what is asked for ---- */

static int number_param(struct json_object *params, const char *key, uint64_t least,
	uint64_t most, uint64_t *number, struct err *err)
{
	struct json_object *value;
	if (!json_object_object_get_ex(params, key, &value) || !value)
		return *number ? 0 : err_set(err, -EINVAL, "%s is missing", key);
	if (!json_object_is_type(value, json_type_int))
		return err_set(err, -EINVAL, "%s isn't a whole number", key);
	uint64_t given = json_object_get_uint64(value);
	if (given < least || given > most)
		return err_set(err, -ERANGE, "%s has to be from %llu to %llu", key,
			(unsigned long long)least, (unsigned long long)most);
	*number = given;
	return 0;
}

/* Names go into a file of lines and tabs. */
static int name_param(
	struct json_object *params, char name[GUEST_NAME_MAX], struct err *err)
{
	const char *given = param_text(params, "for");
	if (!given)
		return 0;
	for (const char *at = given; *at; at++)
		if ((unsigned char)*at < ' ')
			return err_set(err, -EINVAL, "this is no guest's name");
	if (!*given || strlen(given) >= GUEST_NAME_MAX)
		return err_set(err, -EINVAL, "this is no guest's name");
	snprintf(name, GUEST_NAME_MAX, "%s", given);
	return 0;
}

static int read_wanted(
	struct json_object *params, struct reservation *wanted, struct err *err)
{
	*wanted = (struct reservation){0};
	int result = name_param(params, wanted->name, err);
	return result < 0 ? result
			  : number_param(params, "size_kib", 1, SIZE_MOST_KIB,
				    &wanted->size_kib, err);
}

/* ---- what is answered ---- */

static struct json_object *describe_outcome(const struct engine *engine,
	const char *outcome, const struct reservation *wanted,
	const struct reserve_look *look)
{
	struct json_object *object =
		describe_reservation(engine, wanted, look, engine->now_ms);
	put_text(object, "outcome", outcome);
	return object;
}

static void wait_free(struct reserve_wait *wait)
{
	if (wait->deadline)
		event_free(wait->deadline);
	free(wait);
}

static void unlink_wait(struct reserve_wait *wait)
{
	struct reserve_wait **at = &wait->daemon->reserve_waits;
	while (*at != wait)
		at = &(*at)->next;
	*at = wait->next;
}

static void finish(struct reserve_wait *wait, const char *outcome, const char *why)
{
	const struct engine *engine = &wait->daemon->engine;
	struct reserve_look look;
	engine_reserve_look(engine, &wait->wanted, &look);
	struct json_object *answer =
		describe_outcome(engine, outcome, &wait->wanted, &look);
	if (why)
		put_text(answer, "why", why);
	put_bool(answer, "kept", wait->kept);
	control_reply_send(wait->reply, answer, NULL);
	unlink_wait(wait);
	wait_free(wait);
}

/* Answer, where it is time to. */
static void follow(struct reserve_wait *wait)
{
	const struct engine *engine = &wait->daemon->engine;
	const struct reservation *reservation =
		reservations_find(&engine->live.reservations, wait->wanted.number);
	struct reserve_look look;
	if (!reservation) {
		finish(wait, "ended", "its guest came, or it was cancelled or replaced");
		return;
	}
	engine_reserve_look(engine, reservation, &look);
	if (reserve_held_kib(reservation, &look) >= reservation->size_kib)
		finish(wait, "done", NULL);
}

void reserve_waits_follow(struct daemon *daemon)
{
	for (struct reserve_wait *wait = daemon->reserve_waits, *next; wait;
		wait = next) {
		next = wait->next;
		follow(wait);
	}
}

void reserve_waits_end(struct daemon *daemon)
{
	while (daemon->reserve_waits)
		finish(daemon->reserve_waits, "partly",
			"momd ends; its next run goes on with this");
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	finish(context, "partly", NULL);
}

/* ---- reserve ---- */

static void begin_waiting(struct daemon *daemon, const struct reservation *wanted,
	bool kept, uint64_t timeout_ms, struct control_reply *reply)
{
	struct reserve_wait *wait = mem_alloc(sizeof(*wait));
	*wait = (struct reserve_wait){
		.daemon = daemon,
		.reply = reply,
		.wanted = *wanted,
		.kept = kept,
		.deadline = evtimer_new(daemon->base, on_deadline, wait),
		.next = daemon->reserve_waits,
	};
	struct timeval within = {.tv_sec = (time_t)(timeout_ms / 1000),
		.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000)};
	daemon->reserve_waits = wait;
	if (wait->deadline)
		evtimer_add(wait->deadline, &within);
	daemon_hurry(daemon);
	follow(wait);
}

static bool keep(struct engine *engine)
{
	struct err err;
	bool kept = live_save(&engine->live, &err) == 0;
	if (!kept)
		log_warning("%s; it holds until the daemon ends", err.text);
	return kept;
}

static int reserve(struct daemon *daemon, struct json_object *params,
	struct control_reply *reply, struct err *err)
{
	struct engine *engine = &daemon->engine;
	struct reservation wanted;
	struct reserve_look look;
	uint64_t timeout_ms = TIMEOUT_MS, expires_ms = EXPIRES_MS;
	int result = read_wanted(params, &wanted, err);
	if (result == 0)
		result = number_param(
			params, "timeout_ms", 0, TIMEOUT_MOST_MS, &timeout_ms, err);
	if (result == 0)
		result = number_param(
			params, "expires_ms", 1, EXPIRES_MOST_MS, &expires_ms, err);
	if (result < 0)
		return result;
	if (engine->live.reservations.count >= RESERVATIONS_MOST)
		return err_set(err, -EBUSY, "there are %d reservations already",
			RESERVATIONS_MOST);
	/* it has to be there when the answer says that it is */
	wanted.expires_ms = daemon_now_ms() +
			    (int64_t)(timeout_ms > expires_ms ? timeout_ms : expires_ms);
	result =
		engine_reserve(engine, &wanted, param_text(params, "cgroup"), &look, err);
	if (result > 0)
		begin_waiting(daemon, &wanted, keep(engine), timeout_ms, reply);
	else if (result == 0)
		control_reply_send(reply,
			describe_outcome(engine, "impossible", &wanted, &look), NULL);
	return result;
}

void start_reserve(void *context, struct json_object *params, struct control_reply *reply)
{
	struct err err;
	int result = reserve(context, params, reply, &err);
	if (result < 0)
		control_reply_send(reply, NULL, &err);
}

/* ---- and the others ---- */

int answer_reserve_list(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params, (void)err;
	*result = describe_reservations(&((struct daemon *)context)->engine);
	return 0;
}

int answer_reserve_check(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	const struct engine *engine = &((struct daemon *)context)->engine;
	struct reservation wanted;
	struct reserve_look look;
	int bad = read_wanted(params, &wanted, err);
	if (bad == 0)
		bad = engine_reserve_pool(
			engine, param_text(params, "cgroup"), &wanted, err);
	if (bad < 0)
		return bad;
	engine_reserve_look(engine, &wanted, &look);
	if (!engine->connected || !look.known)
		return err_set(err, -EAGAIN, "what memory is left isn't known");
	const char *outcome = "no";
	if (look.free_kib >= (int64_t)wanted.size_kib)
		outcome = "yes";
	else if (look.most_kib >= (int64_t)wanted.size_kib)
		outcome = "reserve";
	*result = describe_outcome(engine, outcome, &wanted, &look);
	return 0;
}

int answer_reserve_cancel(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	struct daemon *daemon = context;
	struct engine *engine = &daemon->engine;
	char name[GUEST_NAME_MAX] = "";
	int bad = name_param(params, name, err);
	if (bad < 0)
		return bad;
	size_t count = reservations_cancel(&engine->live.reservations, name);
	if (!count)
		return err_set(err, -ENOENT, "nothing is reserved for %s%s%s",
			*name ? "\"" : "", *name ? name : "whoever comes next",
			*name ? "\"" : "");
	*result = json_object_new_object();
	put_kib(*result, "cancelled", count);
	put_bool(*result, "kept", keep(engine));
	reserve_waits_follow(daemon);
	return 0;
}
