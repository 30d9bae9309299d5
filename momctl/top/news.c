/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/top/news.h"

#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/text.h"

void top_news_add(struct top_news *news, struct json_object *event)
{
	const char *about = json_get_text(event, "guest");
	const char *level = json_get_text(event, "level");
	double at;
	if (!*json_get_text(event, "text") || !json_get_number(event, "at", &at))
		return;
	about = *about ? about : json_get_text(event, "pool");
	auto_free char *raw = mem_printf(
		"%s%s%s", about, *about ? ": " : "", json_get_text(event, "text"));
	struct top_event *place = &news->events[news->next];
	free(place->text);
	*place = (struct top_event){
		.at = at,
		.text = text_clean(raw),
		.care = strcmp(level, "warning") == 0,
		.bad = strcmp(level, "error") == 0,
	};
	news->next = (news->next + 1) % TOP_NEWS_MOST;
	if (news->count < TOP_NEWS_MOST)
		news->count++;
}

void top_news_done(struct top_news *news)
{
	for (size_t i = 0; i < TOP_NEWS_MOST; i++)
		free(news->events[i].text);
	*news = (struct top_news){0};
}

const struct top_event *top_news_at(const struct top_news *news, size_t age)
{
	if (age >= news->count)
		return NULL;
	return &news->events[(news->next + TOP_NEWS_MOST - 1 - age) % TOP_NEWS_MOST];
}
