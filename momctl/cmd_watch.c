/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/follow.h"
#include "momctl/json.h"
#include "momctl/options.h"

static int read_options(struct follow *watch, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *count = option_value("--count", &i, argv);
		const char *topic = count ? NULL : option_value("--topic", &i, argv);
		if (!count && !topic)
			return momctl_fail(MOMCTL_USAGE,
				"usage: momctl watch [--count N] [--topic TOPIC]");
		if (topic)
			watch->topic = topic;
		else if (option_count("--count", count, &watch->count))
			return MOMCTL_USAGE;
	}
	return MOMCTL_OK;
}

static void print_event(
	const struct momctl *ctl, void *context, struct json_object *event)
{
	(void)context;
	struct json_object *data = json_get(event, "data");
	uint64_t missed;
	if (json_get_count(event, "missed", &missed) && missed &&
		json_object_is_type(data, json_type_object))
		json_object_object_add(data, "missed", json_object_new_uint64(missed));
	json_print_line(ctl->out.file, data);
}

int cmd_watch(const struct momctl *ctl, int argc, char **argv)
{
	struct follow watch = {.topic = "tick", .each = print_event};
	int code = read_options(&watch, argc, argv);
	return code ? code : follow_topic(ctl, &watch);
}
