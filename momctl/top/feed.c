/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/feed.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "mom/control/client.h"
#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/show.h"

#define WAIT_MS     1000
#define DEADLINE_MS 2000 /* keys wait meanwhile */
#define PAST_S      1800
#define PAST_STEP_S 10
#define PERIODS     5    /* without a tick are worth a word … */
#define SILENCE_MS  3000 /* … not before that */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void show(struct top_feed *feed, struct top_view *view, struct json_object *status)
{
	top_view_feed(view, status);
	feed->news_ms = now_ms();
	free(feed->trouble);
	feed->trouble = NULL;
}

static int subscribe(struct control_client *client, const char *topic, struct err *err)
{
	struct json_object *params = json_object_new_object(), *none = NULL;
	json_object_object_add(params, "topic", control_json_text(topic));
	int rc = control_call(client, "subscribe", params, &none, err);
	json_object_put(params);
	json_object_put(none);
	return rc;
}

/* The graph of a guest begins with what was before, where momd keeps that. */
static void begin_tracks(struct top_feed *feed, struct top_view *view)
{
	struct control_client *client = NULL;
	struct json_object *past = NULL, *params = json_object_new_object();
	struct err err;
	json_object_object_add(params, "last_s", json_object_new_int(PAST_S));
	json_object_object_add(
		params, "points", json_object_new_int(PAST_S / PAST_STEP_S));
	if (control_client_open(&client, feed->ctl->socket, DEADLINE_MS, &err) == 0 &&
		control_call(client, "history", params, &past, &err) == 0)
		top_tracks_read(&view->tracks, past);
	control_client_close(client);
	json_object_put(params);
	json_object_put(past);
}

/* What happened before, and a connection that tells what does from now on. */
static void begin_events(struct top_feed *feed, struct top_view *view)
{
	struct json_object *past = NULL, *params = json_object_new_object();
	struct err err;
	json_object_object_add(params, "limit", json_object_new_int(TOP_NEWS_MOST));
	top_news_done(&view->news);
	if (control_client_open(&feed->events, feed->ctl->socket, DEADLINE_MS, &err) == 0)
		control_call(feed->events, "events", params, &past, &err);
	struct json_object *list = json_get(past, "events");
	for (size_t i = 0; i < json_count(list); i++)
		top_news_add(&view->news, json_object_array_get_idx(list, i));
	if (!feed->events || subscribe(feed->events, "event", &err)) {
		control_client_close(feed->events);
		feed->events = NULL;
	}
	json_object_put(params);
	json_object_put(past);
}

static void end(struct top_feed *feed)
{
	control_client_close(feed->client);
	control_client_close(feed->events);
	feed->client = feed->events = NULL;
}

/* A daemon that has just started has no status yet, but ticks to come. */
static int begin(struct top_feed *feed, struct top_view *view, struct err *err)
{
	struct json_object *status = NULL;
	int rc = control_call(feed->client, "status", NULL, &status, err);
	if (!rc) {
		begin_tracks(feed, view);
		show(feed, view, status);
	}
	json_object_put(status);
	if (!rc || rc == -EAGAIN)
		rc = subscribe(feed->client, "tick", err);
	if (!rc)
		begin_events(feed, view);
	return rc;
}

int top_feed_open(struct top_feed *feed, const struct momctl *ctl, struct top_view *view)
{
	*feed = (struct top_feed){.ctl = ctl, .news_ms = now_ms()};
	struct err err;
	int code = momctl_connect(ctl, &feed->client);
	if (!code && begin(feed, view, &err))
		code = momctl_fail(MOMCTL_FAILED, "%s", err.text);
	if (code)
		top_feed_close(feed);
	return code;
}

void top_feed_close(struct top_feed *feed)
{
	end(feed);
	free(feed->trouble);
	*feed = (struct top_feed){0};
}

static void lose(struct top_feed *feed, const struct err *err)
{
	bool gone = err->code == -ECONNRESET || err->code == -ENOENT ||
		    err->code == -ECONNREFUSED;
	end(feed);
	mem_replace(&feed->trouble,
		gone ? "momd has gone; waiting for it to come back" : err->text);
}

static void find_again(struct top_feed *feed, struct top_view *view)
{
	struct err err;
	if (control_client_open(&feed->client, feed->ctl->socket, DEADLINE_MS, &err) ||
		begin(feed, view, &err))
		lose(feed, &err);
}

static void mind_silence(struct top_feed *feed, const struct top_view *view)
{
	double silent_s = (double)(now_ms() - feed->news_ms) / 1000;
	double patience_s = PERIODS * view->figures.period_s;
	if (silent_s < patience_s || silent_s < SILENCE_MS / 1000.0)
		return;
	auto_free char *since = show_seconds(silent_s);
	free(feed->trouble);
	feed->trouble = mem_printf("momd is there, but no tick came for %s", since);
}

/* What the terminal had no time for is skipped. */
static int next_tick(
	struct top_feed *feed, int other_fd, struct json_object **latest, struct err *err)
{
	struct json_object *event;
	int rc = control_client_wait(feed->client, other_fd, WAIT_MS, latest, err);
	if (rc <= 0)
		return rc;
	while (control_client_wait(feed->client, -1, 0, &event, err) > 0) {
		json_object_put(*latest);
		*latest = event;
	}
	return rc;
}

/* They are read once a tick: what happened has happened in one. */
static void take_events(struct top_feed *feed, struct top_view *view)
{
	struct json_object *event;
	struct err err;
	while (feed->events && !view->frozen &&
		control_client_wait(feed->events, -1, 0, &event, &err) > 0) {
		top_news_add(&view->news, json_get(event, "data"));
		json_object_put(event);
	}
}

void top_feed_wait(struct top_feed *feed, struct top_view *view, int other_fd)
{
	struct json_object *event = NULL;
	struct err err;
	if (!feed->client) {
		struct pollfd other = {.fd = other_fd, .events = POLLIN};
		if (poll(&other, 1, WAIT_MS) == 0)
			find_again(feed, view);
		return;
	}
	int rc = next_tick(feed, other_fd, &event, &err);
	if (rc > 0)
		show(feed, view, json_get(event, "data"));
	else if (rc < 0)
		lose(feed, &err);
	else
		mind_silence(feed, view);
	take_events(feed, view);
	json_object_put(event);
}

/* The same lines as `momctl explain` prints. */
static char *print_explanation(
	const struct top_feed *feed, struct json_object *all, size_t width)
{
	struct momctl ctl = *feed->ctl;
	char *text = NULL;
	size_t size;
	ctl.out.file = open_memstream(&text, &size);
	ctl.out.width = width;
	ctl.out.colour = false;
	if (!ctl.out.file)
		abort();
	show_explanation(&ctl, all);
	fclose(ctl.out.file);
	return text;
}

void top_feed_explain(struct top_feed *feed, struct top_view *view, size_t width)
{
	struct control_client *client = NULL;
	struct json_object *all = NULL, *params = json_object_new_object();
	struct err err;
	json_object_object_add(params, "guest", control_json_text(view->chosen));
	int rc = control_client_open(&client, feed->ctl->socket, DEADLINE_MS, &err);
	if (!rc)
		rc = control_call(client, "explain", params, &all, &err);
	view->stale = false;
	free(view->explanation);
	view->explanation = rc ? mem_dup(err.text) : print_explanation(feed, all, width);
	control_client_close(client);
	json_object_put(params);
	json_object_put(all);
}
