/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A momd without a host: the real control server, whose answers stand in a file. For
 * tests of momctl alone.
 *
 * Use:   stub_momd SOCKET ANSWERS.json; prints "ready" when it listens, ends by SIGTERM.
 *        stub_momd SOCKET --say LINE greets everybody with LINE instead, and no more.
 * Shape: {"METHOD": RESULT, …}; a RESULT {"error": −ERRNO, "message": TEXT} is a failure,
 *        "echo" gives the parameters back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "mom/control/server.h"
#include "mom/mem.h"

#define METHODS(X)                                                                       \
	X(version, "version", READ)                                                      \
	X(status, "status", READ)                                                        \
	X(guests, "guests", READ)                                                        \
	X(explain, "explain", READ)                                                      \
	X(collectors, "collectors", READ)                                                \
	X(facts, "facts", READ)                                                          \
	X(set, "set", CHANGE)                                                            \
	X(pause, "pause", CHANGE)                                                        \
	X(resume, "resume", CHANGE)                                                      \
	X(reload, "reload", CHANGE)                                                      \
	X(reserve, "reserve", CHANGE)                                                    \
	X(reserve_list, "reserve.list", READ)                                            \
	X(reserve_check, "reserve.check", READ)                                          \
	X(reserve_cancel, "reserve.cancel", CHANGE)                                      \
	X(policy_list, "policy.list", READ)                                              \
	X(policy_show, "policy.show", READ)                                              \
	X(policy_params, "policy.params", READ)                                          \
	X(policy_diff, "policy.diff", READ)                                              \
	X(policy_check, "policy.check", CHANGE)                                          \
	X(policy_load, "policy.load", CHANGE)                                            \
	X(policy_unload, "policy.unload", CHANGE)                                        \
	X(policy_set, "policy.set", CHANGE)                                              \
	X(policy_unset, "policy.unset", CHANGE)                                          \
	X(policy_reset, "policy.reset", CHANGE)

static int answer(struct json_object *answers, const char *method,
	struct json_object *params, struct json_object **result, struct err *err)
{
	struct json_object *value;
	if (!json_object_object_get_ex(answers, method, &value))
		return err_set(err, -ENOENT, "the stub has no answer to %s", method);
	const char *text = control_get_text(value, "message");
	if (text)
		return err_set(err,
			json_object_get_int(json_object_object_get(value, "error")), "%s",
			text);
	bool echo = json_object_is_type(value, json_type_string);
	*result = json_object_get(echo ? params : value);
	return 0;
}

#define DEFINE(id, name, access)                                                         \
	static int call_##id(void *context, struct json_object *params,                  \
		struct json_object **result, struct err *err)                            \
	{                                                                                \
		return answer(context, name, params, result, err);                       \
	}
METHODS(DEFINE)
#undef DEFINE

#define ROW(id, name, need) {name, CONTROL_##need, "a stub", call_##id, NULL, NULL},
static const struct control_method methods[] = {METHODS(ROW){0}};
#undef ROW

static void on_signal(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

static int serve(const char *path, struct json_object *answers)
{
	struct err err;
	struct control_server *server;
	struct event_base *base = event_base_new();
	struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
	event_add(term, NULL);
	const struct control_server_settings settings = {
		.socket = path,
		.version = PACKAGE_VERSION,
		.limits = CONTROL_LIMITS_DEFAULT,
	};
	int rc = control_server_new(&server, base, &settings, methods, answers, &err);
	if (rc) {
		fprintf(stderr, "stub_momd: %s\n", err.text);
	} else {
		puts("ready");
		fflush(stdout);
		event_base_dispatch(base);
		control_server_free(server);
	}
	event_free(term);
	event_base_free(base);
	return rc ? 1 : 0;
}

/* Something that isn't momd, or one of another time; ends by SIGTERM. */
static int say(const char *path, const char *line)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(listener, 8) < 0) {
		perror(path);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		dprintf(fd, "%s\n", line);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[2], "--say") == 0)
		return say(argv[1], argv[3]);
	struct json_object *answers = argc == 3 ? json_object_from_file(argv[2]) : NULL;
	if (!answers) {
		fprintf(stderr, "usage: stub_momd SOCKET ANSWERS.json\n");
		return 2;
	}
	int status = serve(argv[1], answers);
	json_object_put(answers);
	return status;
}
