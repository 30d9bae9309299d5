/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/show.h"

#define TIMEOUT_MS 30000 /* unless it is given */
#define ANSWER_MS  10000 /* for the daemon to say so */

/* What was asked for on the command line. */
struct request {
	const char *name, *cgroup; /* NULL not given */
	uint64_t size_kib, timeout_ms, expires_ms;
	bool has_size, has_timeout, has_expires, list, cancel;
};

static int wrong(const char *command)
{
	const struct command *c = momctl_commands;
	while (strcmp(c->name, command) != 0)
		c++;
	return momctl_fail(MOMCTL_USAGE, "usage: momctl %s %s", command, c->arguments);
}

static int read_duration(const char *option, const char *text, uint64_t *ms)
{
	struct err err;
	if (units_parse_duration(text, ms, &err) < 0)
		return momctl_fail(MOMCTL_USAGE, "%s: %s", option, err.text);
	return MOMCTL_OK;
}

static int read_size(const char *text, struct request *request)
{
	struct err err;
	if (units_parse_size(text, &request->size_kib, &err) < 0)
		return momctl_fail(MOMCTL_USAGE, "%s", err.text);
	request->has_size = true;
	return MOMCTL_OK;
}

/* An option with a value behind it. */
static int read_option(const char *option, const char *value, struct request *request)
{
	if (strcmp(option, "--for") == 0)
		request->name = value;
	else if (strcmp(option, "--cgroup") == 0)
		request->cgroup = value;
	else if (strcmp(option, "--timeout") == 0) {
		request->has_timeout = true;
		return read_duration(option, value, &request->timeout_ms);
	} else if (strcmp(option, "--expires") == 0) {
		request->has_expires = true;
		return read_duration(option, value, &request->expires_ms);
	} else {
		return momctl_fail(MOMCTL_USAGE, "there is no option \"%s\"", option);
	}
	return MOMCTL_OK;
}

static int read_request(int argc, char **argv, struct request *request)
{
	*request = (struct request){.timeout_ms = TIMEOUT_MS};
	for (int i = 1; i < argc; i++) {
		int code = MOMCTL_OK;
		if (strcmp(argv[i], "--list") == 0)
			request->list = true;
		else if (strcmp(argv[i], "--cancel") == 0)
			request->cancel = true;
		else if (argv[i][0] == '-' && i + 1 == argc)
			return wrong(argv[0]);
		else if (argv[i][0] == '-') {
			code = read_option(argv[i], argv[i + 1], request);
			i++;
		} else if (request->cancel && !request->name)
			request->name = argv[i];
		else if (!request->has_size)
			code = read_size(argv[i], request);
		else
			return wrong(argv[0]);
		if (code)
			return code;
	}
	return MOMCTL_OK;
}

static struct json_object *params_of(const struct request *request)
{
	struct json_object *params = json_object_new_object();
	if (request->name)
		json_object_object_add(params, "for", control_json_text(request->name));
	if (request->cgroup)
		json_object_object_add(
			params, "cgroup", control_json_text(request->cgroup));
	if (request->has_size)
		json_object_object_add(
			params, "size_kib", json_object_new_uint64(request->size_kib));
	if (request->has_timeout)
		json_object_object_add(params, "timeout_ms",
			json_object_new_uint64(request->timeout_ms));
	if (request->has_expires)
		json_object_object_add(params, "expires_ms",
			json_object_new_uint64(request->expires_ms));
	return params;
}

static const char *size_of(const struct momctl *ctl, char text[SIZE_TEXT_MAX],
	struct json_object *answer, const char *key)
{
	uint64_t kib = 0;
	json_get_count(answer, key, &kib);
	return output_size(&ctl->out, text, kib);
}

/* ---- what came of it ---- */

static void print_done(const struct momctl *ctl, struct json_object *answer)
{
	char size[SIZE_TEXT_MAX];
	auto_free char *left = show_age(answer, "expires_s");
	const char *name = json_get_text(answer, "for");
	output_line(&ctl->out, "", "%s is free, and kept for %s for %s",
		size_of(ctl, size, answer, "size_kib"), *name ? name : "the next guest",
		left);
	if (json_get(answer, "kept") && !json_get_bool(answer, "kept"))
		output_line(&ctl->out,
			"note: ", "momd can't write it down: a restart of momd ends it");
}

static void print_partly(const struct momctl *ctl, struct json_object *answer)
{
	char held[SIZE_TEXT_MAX], size[SIZE_TEXT_MAX];
	auto_free char *left = show_age(answer, "expires_s");
	output_line(&ctl->out, "", "%s of %s is free so far: %s; momd goes on for %s",
		size_of(ctl, held, answer, "held_kib"),
		size_of(ctl, size, answer, "size_kib"), json_get_text(answer, "why"),
		left);
}

static void print_ended(const struct momctl *ctl, struct json_object *answer)
{
	char held[SIZE_TEXT_MAX], size[SIZE_TEXT_MAX];
	output_line(&ctl->out, "", "%s of %s is free, and the reservation is over: %s",
		size_of(ctl, held, answer, "held_kib"),
		size_of(ctl, size, answer, "size_kib"), json_get_text(answer, "why"));
}

static void print_impossible(const struct momctl *ctl, struct json_object *answer)
{
	char most[SIZE_TEXT_MAX], held[SIZE_TEXT_MAX], size[SIZE_TEXT_MAX];
	output_line(&ctl->out, "",
		"impossible: %s at most can be made free of the %s; %s is free, %s",
		size_of(ctl, most, answer, "most_kib"),
		size_of(ctl, size, answer, "size_kib"),
		size_of(ctl, held, answer, "held_kib"), json_get_text(answer, "why"));
}

static void print_yes(const struct momctl *ctl, struct json_object *answer)
{
	char size[SIZE_TEXT_MAX];
	output_line(&ctl->out, "", "yes: %s is free now",
		size_of(ctl, size, answer, "size_kib"));
}

static void print_reserve(const struct momctl *ctl, struct json_object *answer)
{
	char held[SIZE_TEXT_MAX];
	output_line(&ctl->out, "",
		"not yet: %s is free, %s; \"momctl reserve\" makes room first",
		size_of(ctl, held, answer, "held_kib"), json_get_text(answer, "why"));
}

static void print_no(const struct momctl *ctl, struct json_object *answer)
{
	char most[SIZE_TEXT_MAX], held[SIZE_TEXT_MAX];
	output_line(&ctl->out, "", "no: %s at most can be made free; %s is free, %s",
		size_of(ctl, most, answer, "most_kib"),
		size_of(ctl, held, answer, "held_kib"), json_get_text(answer, "why"));
}

/* The daemon's words, and what momctl ends with. */
static const struct {
	const char *word;
	int code;
	void (*print)(const struct momctl *ctl, struct json_object *answer);
} outcomes[] = {
	{"done", MOMCTL_OK, print_done},
	{"partly", MOMCTL_PARTLY, print_partly},
	{"ended", MOMCTL_PARTLY, print_ended},
	{"impossible", MOMCTL_IMPOSSIBLE, print_impossible},
	{"yes", MOMCTL_OK, print_yes},
	{"reserve", MOMCTL_PARTLY, print_reserve},
	{"no", MOMCTL_IMPOSSIBLE, print_no},
};

static int tell(const struct momctl *ctl, struct json_object *answer)
{
	const char *word = json_get_text(answer, "outcome");
	size_t i = 0;
	while (i < ARRAY_SIZE(outcomes) && strcmp(outcomes[i].word, word) != 0)
		i++;
	if (i == ARRAY_SIZE(outcomes))
		return momctl_fail(MOMCTL_VERSION, "momd answers \"%s\"", word);
	if (ctl->json)
		json_print(ctl->out.file, answer);
	else
		outcomes[i].print(ctl, answer);
	return outcomes[i].code;
}

static int ask(const struct momctl *ctl, const char *method,
	const struct request *request, uint64_t deadline_ms)
{
	struct json_object *answer = NULL;
	int code =
		momctl_call_within(ctl, method, params_of(request), deadline_ms, &answer);
	if (code == MOMCTL_OK)
		code = tell(ctl, answer);
	json_object_put(answer);
	return code;
}

/* ---- the list ---- */

static const struct column columns[] = {
	{"FOR", false, 0},
	{"SIZE", true, 0},
	{"FREE", true, 0},
	{"ENDS IN", true, 2},
	{"OF", false, 1},
	{"WHY NOT ALL", false, 0},
};

static void add_row(
	const struct momctl *ctl, struct table *table, struct json_object *reservation)
{
	const char *name = json_get_text(reservation, "for");
	auto_free char *left = show_age(reservation, "expires_s");
	table_add(table, STYLE_PLAIN, *name ? name : "the next guest");
	show_size(ctl, table, reservation, "size_kib");
	show_size(ctl, table, reservation, "held_kib");
	table_add(table, STYLE_PLAIN, left);
	show_text(table, reservation, "pool");
	show_text(table, reservation, "why");
}

static void print_list(const struct momctl *ctl, struct json_object *list)
{
	struct table table;
	if (json_count(list) == 0) {
		output_line(&ctl->out, "", "nothing is reserved");
		return;
	}
	table_init(&table, columns, ARRAY_SIZE(columns));
	table.wrap = true;
	for (size_t i = 0; i < json_count(list); i++)
		add_row(ctl, &table, json_object_array_get_idx(list, i));
	table_print(&table, &ctl->out);
	table_done(&table);
}

static int list(const struct momctl *ctl)
{
	struct json_object *result = NULL;
	int code = momctl_call(ctl, "reserve.list", NULL, &result);
	if (code)
		return code;
	if (ctl->json)
		json_print(ctl->out.file, result);
	else
		print_list(ctl, result);
	json_object_put(result);
	return MOMCTL_OK;
}

/* ---- the commands ---- */

int cmd_reserve(const struct momctl *ctl, int argc, char **argv)
{
	struct request request;
	int code = read_request(argc, argv, &request);
	if (code)
		return code;
	if (request.list + request.cancel + request.has_size != 1)
		return wrong(argv[0]);
	if (request.list)
		return list(ctl);
	if (request.cancel)
		return momctl_do(ctl, "reserve.cancel", params_of(&request),
			"nothing is reserved for %s any more",
			request.name ? request.name : "the next guest");
	return ask(ctl, "reserve", &request, request.timeout_ms + ANSWER_MS);
}

int cmd_can_start(const struct momctl *ctl, int argc, char **argv)
{
	struct request request;
	int code = read_request(argc, argv, &request);
	if (code)
		return code;
	if (!request.has_size || request.list || request.cancel || request.has_timeout ||
		request.has_expires)
		return wrong(argv[0]);
	return ask(ctl, "reserve.check", &request, ANSWER_MS);
}
