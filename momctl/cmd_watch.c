/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "mom/control/client.h"
#include "mom/control/codec.h"
#include "momctl/json.h"
#include "momctl/momctl.h"

struct watch {
	const char *topic;
	uint64_t count; /* lines to print; 0 no end */
	FILE *file;
	struct control_client *client;
};

/*
 * A descriptor that is readable when somebody asks for the end: by a signal, or by
 * leaving the other side of our pipe, which is no reason to die here.
 */
static int open_end(FILE *file)
{
	struct epoll_event pipe = {0}; /* errors come unasked, and a file has none */
	struct epoll_event signal = {.events = EPOLLIN};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGPIPE, &(const struct sigaction){.sa_handler = SIG_IGN}, NULL);
	int end = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(end, EPOLL_CTL_ADD, signalfd(-1, &set, SFD_CLOEXEC), &signal);
	epoll_ctl(end, EPOLL_CTL_ADD, fileno(file), &pipe);
	return end;
}

static int read_count(const char *text, uint64_t *count)
{
	char *end;
	errno = 0;
	*count = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || !*count)
		return momctl_fail(MOMCTL_USAGE,
			"--count wants a number from 1 on, not \"%s\"", text);
	return MOMCTL_OK;
}

/* The value of the option `name` at `argv[*at]`, or NULL where that is another one. */
static const char *option_value(const char *name, int *at, char **argv)
{
	size_t length = strlen(name);
	if (strncmp(argv[*at], name, length) != 0)
		return NULL;
	if (argv[*at][length] == '=')
		return argv[*at] + length + 1;
	return argv[*at][length] || !argv[*at + 1] ? NULL : argv[++*at];
}

static int read_options(struct watch *watch, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *count = option_value("--count", &i, argv);
		const char *topic = count ? NULL : option_value("--topic", &i, argv);
		if (!count && !topic)
			return momctl_fail(MOMCTL_USAGE,
				"usage: momctl watch [--count N] [--topic TOPIC]");
		if (topic)
			watch->topic = topic;
		else if (read_count(count, &watch->count))
			return MOMCTL_USAGE;
	}
	return MOMCTL_OK;
}

static int subscribe(struct watch *watch)
{
	struct json_object *params = json_object_new_object();
	struct json_object *result = NULL;
	json_object_object_add(params, "topic", control_json_text(watch->topic));
	int code = momctl_ask(watch->client, "subscribe", params, &result);
	json_object_put(result);
	return code;
}

static int fail_event(const struct err *err)
{
	return momctl_fail(err->code == -ECONNRESET ? MOMCTL_NO_MOMD : MOMCTL_FAILED,
		"%s", err->text);
}

/* One line, at once; the reader may be gone, which is its right. */
static void print_event(const struct watch *watch, struct json_object *event)
{
	struct json_object *data = json_get(event, "data");
	uint64_t missed;
	if (json_get_count(event, "missed", &missed) && missed &&
		json_object_is_type(data, json_type_object))
		json_object_object_add(data, "missed", json_object_new_uint64(missed));
	json_print_line(watch->file, data);
	fflush(watch->file);
}

static int follow(struct watch *watch)
{
	int end = open_end(watch->file);
	for (uint64_t n = 0; (!watch->count || n < watch->count) && !ferror(watch->file);
		n++) {
		struct json_object *event;
		struct err err;
		int rc = control_client_wait(watch->client, end, -1, &event, &err);
		if (rc < 0)
			return fail_event(&err);
		if (rc == 0)
			break;
		print_event(watch, event);
		json_object_put(event);
	}
	return MOMCTL_OK;
}

/* Who left has read what it wanted; a full disk is told by the main. */
static int forgive_closed_pipe(FILE *file, int code)
{
	struct pollfd out = {.fd = fileno(file)};
	if (ferror(file) && poll(&out, 1, 0) > 0 && out.revents & POLLERR)
		clearerr(file);
	return code;
}

int cmd_watch(const struct momctl *ctl, int argc, char **argv)
{
	struct watch watch = {.topic = "tick", .file = ctl->out.file};
	int code = read_options(&watch, argc, argv);
	if (code)
		return code;
	code = momctl_connect(ctl, &watch.client);
	if (!code)
		code = subscribe(&watch);
	if (!code)
		code = follow(&watch);
	control_client_close(watch.client);
	return forgive_closed_pipe(watch.file, code);
}
