/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "mom/control/client.h"
#include "mom/control/codec.h"
#include "momctl/json.h"

int follow_end_fd(int flags)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | flags);
}

/*
 * A descriptor that is readable when somebody asks for the end: by a signal, or by
 * leaving the other side of our pipe, which is no reason to die here.
 */
static int open_end(FILE *file)
{
	struct epoll_event pipe = {0}; /* errors come unasked, and a file has none */
	struct epoll_event signal = {.events = EPOLLIN};
	sigaction(SIGPIPE, &(const struct sigaction){.sa_handler = SIG_IGN}, NULL);
	int end = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(end, EPOLL_CTL_ADD, follow_end_fd(0), &signal);
	epoll_ctl(end, EPOLL_CTL_ADD, fileno(file), &pipe);
	return end;
}

static int subscribe(struct control_client *client, const char *topic)
{
	struct json_object *params = json_object_new_object();
	struct json_object *result = NULL;
	json_object_object_add(params, "topic", control_json_text(topic));
	int code = momctl_ask(client, "subscribe", params, &result);
	json_object_put(result);
	return code;
}

static int fail_event(const struct err *err)
{
	return momctl_fail(err->code == -ECONNRESET ? MOMCTL_NO_MOMD : MOMCTL_FAILED,
		"%s", err->text);
}

static int follow_client(const struct momctl *ctl, const struct follow *follow,
	struct control_client *client)
{
	FILE *file = ctl->out.file;
	int end = open_end(file);
	for (uint64_t n = 0; (!follow->count || n < follow->count) && !ferror(file);
		n++) {
		struct json_object *event;
		struct err err;
		int rc = control_client_wait(client, end, -1, &event, &err);
		if (rc < 0)
			return fail_event(&err);
		if (rc == 0)
			break;
		follow->each(ctl, follow->context, event);
		fflush(file); /* the reader may be gone, which is its right */
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

int follow_topic(const struct momctl *ctl, const struct follow *follow)
{
	struct control_client *client = NULL;
	int code = momctl_connect(ctl, &client);
	if (code)
		return code;
	code = subscribe(client, follow->topic);
	if (!code && follow->begin)
		code = follow->begin(ctl, follow->context);
	if (!code)
		code = follow_client(ctl, follow, client);
	control_client_close(client);
	return forgive_closed_pipe(ctl->out.file, code);
}
