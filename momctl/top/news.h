/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What happened lately, in the daemon's words.
 */

#include <stdbool.h>
#include <stddef.h>

#define TOP_NEWS_MOST 64

struct json_object;

struct top_event {
	double at;      /* seconds since the epoch */
	char *text;     /* clean: "web-1: target 800 MiB → 408 MiB: …" */
	bool care, bad; /* it is a warning, an error */
};

struct top_news {
	struct top_event events[TOP_NEWS_MOST]; /* ring */
	size_t next, count;
};

/* Add an EVENT of the protocol; what isn't one is left out. */
void top_news_add(struct top_news *news, struct json_object *event);
void top_news_done(struct top_news *news);

/* Event number `age` counted back from the latest (0), or NULL past the oldest. */
const struct top_event *top_news_at(const struct top_news *news, size_t age);
