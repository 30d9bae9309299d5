/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control server in a process of its own, and clients that mean it well, that don't,
 * and that may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "mom/control/client.h"
#include "mom/control/server.h"
#include "mom/mem.h"

#define PATIENCE_S  120
#define DEADLINE_MS 120000
/* Of the server with slow clients: those who mean it well stay within it on any machine.
 */
#define LIMIT_MS 4000
#define NOBODY   65534
/* Freed memory that the address sanitizer keeps for a while; gcc and clang tell of it
 * each in its own way. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define KEPT_KIB (256 * 1024)
#else
#define KEPT_KIB 0
#endif
#define OTHER_GROUP 54321 /* without a name */

static char directory[64];
static char path[96];
static pid_t server;
static pid_t helper;

/* ---- the server's process ---- */

struct world {
	struct event_base *base;
	struct control_server *server;
	struct control_reply *owed;
	struct event *pay;
	int built;
};

static int echo(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	(void)context, (void)err;
	*result = json_object_get(params);
	return 0;
}

static int never(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	(void)context, (void)params, (void)result;
	return err_set(err, -ENOENT, "there is no such thing");
}

/* An answer of a mebibyte. */
static int big(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	static char text[1024 * 1024];
	(void)context, (void)params, (void)err;
	memset(text, 'x', sizeof(text));
	*result = json_object_new_string_len(text, sizeof(text));
	return 0;
}

static int publish(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	struct world *world = context;
	(void)result, (void)err;
	control_server_publish(world->server, "tick", params);
	return 0;
}

/* One after the other, with no turn of the loop between. */
static int burst(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	const char *topic = control_get_text(params, "topic");
	struct world *world = context;
	(void)result, (void)err;
	for (int i = 0; i < 3; i++)
		control_server_publish(world->server, topic, params);
	return 0;
}

static struct json_object *build(void *context)
{
	struct world *world = context;
	return json_object_new_int(++world->built);
}

static int refresh(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	struct world *world = context;
	(void)params, (void)err;
	control_server_refresh(world->server);
	*result = json_object_new_int(world->built);
	return 0;
}

static void pay(evutil_socket_t fd, short what, void *data)
{
	struct world *world = data;
	(void)fd, (void)what;
	control_reply_send(world->owed, json_object_new_string("paid"), NULL);
	world->owed = NULL;
}

static void owe(void *context, struct json_object *params, struct control_reply *reply)
{
	static const struct timeval soon = {.tv_usec = 100000};
	struct world *world = context;
	(void)params;
	world->owed = reply;
	evtimer_add(world->pay, &soon);
}

static const struct control_method methods[] = {
	{"echo", CONTROL_READ, "gives its parameters back", echo, NULL, NULL},
	{"fail", CONTROL_READ, "never works", never, NULL, NULL},
	{"big", CONTROL_READ, "a long answer", big, NULL, NULL},
	{"publish", CONTROL_READ, "tells subscribers", publish, NULL, NULL},
	{"burst", CONTROL_READ, "tells them much at once", burst, NULL, NULL},
	{"refresh", CONTROL_READ, "tells what is built", refresh, NULL, NULL},
	{"later", CONTROL_READ, "answers a little later", NULL, owe, NULL},
	{"change", CONTROL_CHANGE, "for root and admins", echo, NULL, NULL},
	{0},
};

static void on_term(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

static int serve(const struct control_server_settings *settings, int ready)
{
	struct world world = {.base = event_base_new()};
	struct event *term = evsignal_new(world.base, SIGTERM, on_term, world.base);
	struct err err;
	event_add(term, NULL);
	world.pay = evtimer_new(world.base, pay, &world);
	if (control_server_new(
		    &world.server, world.base, settings, methods, &world, &err)) {
		dprintf(ready, "%s\n", err.text);
		return 1;
	}
	dprintf(ready, "ready\n");
	close(ready);
	event_base_dispatch(world.base);
	control_server_free(world.server);
	if (world.owed)
		control_reply_send(world.owed, NULL, NULL);
	event_free(world.pay);
	event_free(term);
	event_base_free(world.base);
	return 0;
}

/* Start a server; its first words are written to `words`. */
static pid_t start(const struct control_server_settings *settings, char words[256])
{
	int ends[2];
	assert_int_equal(0, pipe(ends));
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		_exit(serve(settings, ends[1]));
	}
	close(ends[1]);
	ssize_t length = read(ends[0], words, 255);
	words[length > 0 ? strcspn(words, "\n") : 0] = '\0';
	close(ends[0]);
	return pid;
}

static struct control_server_settings usual_settings(void)
{
	static const struct control_topic topics[] = {{.name = "tick"},
		{.name = "each", .backlog = 4096}, {.name = "built", .build = build},
		{0}};
	struct control_server_settings settings = {
		.socket = path,
		.version = "1.2.3",
		.topics = topics,
		.limits = CONTROL_LIMITS_DEFAULT,
	};
	settings.limits.line_ms = LIMIT_MS;
	settings.limits.reply_ms = LIMIT_MS;
	return settings;
}

static void start_usual(const struct control_server_settings *settings)
{
	char words[256];
	server = start(settings, words);
	assert_string_equal("ready", words);
}

static int stop(pid_t pid, int signal)
{
	int status;
	kill(pid, signal);
	waitpid(pid, &status, 0);
	return status;
}

static int set_up(void **state)
{
	const struct control_server_settings settings = usual_settings();
	(void)state;
	start_usual(&settings);
	return 0;
}

/* The end is clean, whatever the clients did, and takes the socket away. */
static int tear_down(void **state)
{
	(void)state;
	if (helper)
		stop(helper, SIGKILL);
	helper = 0;
	if (!server)
		return 0;
	int status = stop(server, SIGTERM);
	server = 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 && access(path, F_OK) < 0
		       ? 0
		       : -1;
}

/* ---- clients ---- */

static int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, path, strlen(path) + 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* All bytes up to a newline or the end; false at the end or when patience does. */
static bool hear(int fd, char *line, size_t size)
{
	size_t length = 0;
	while (length + 1 < size && recv(fd, line + length, 1, 0) == 1)
		if (line[length++] == '\n')
			break;
	line[length] = '\0';
	return length > 0;
}

static bool hear_end(int fd)
{
	char bytes[4096];
	ssize_t got;
	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	return got == 0 || errno == ECONNRESET;
}

static bool say(int fd, const char *text)
{
	size_t length = strlen(text);
	return send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static int dial_and_be_greeted(void)
{
	char line[256];
	int fd = dial();
	assert_true(fd >= 0);
	assert_true(hear(fd, line, sizeof(line)));
	assert_string_equal("{\"mom\":\"1.2.3\",\"protocol\":1}\n", line);
	return fd;
}

static void assert_answer(int fd, const char *question, const char *expected)
{
	char line[1024];
	assert_true(say(fd, question));
	assert_true(hear(fd, line, sizeof(line)));
	assert_string_equal(expected, line);
}

/* The server answers a newcomer. */
static void assert_serves(void)
{
	int fd = dial_and_be_greeted();
	assert_answer(fd, "{\"id\":1,\"method\":\"echo\",\"params\":{\"a\":1}}\n",
		"{\"id\":1,\"result\":{\"a\":1}}\n");
	close(fd);
}

static long server_figure(const char *file, const char *key)
{
	auto_free char *name = mem_printf("/proc/%d/%s", (int)server, file);
	auto_fclose FILE *status = fopen(name, "re");
	char line[256];
	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, key, strlen(key)) == 0)
			return strtol(line + strlen(key), NULL, 10);
	return -1;
}

static long server_kib(void)
{
	return server_figure("status", "RssAnon:");
}

/* ---- tests ---- */

static void requests_are_answered_in_order(void **state)
{
	char line[256];
	(void)state;
	int fd = dial_and_be_greeted();
	assert_true(say(fd,
		"{\"id\":1,\"method\":\"echo\"}\n{\"id\":2,\"method\":\"fail\"}\n"
		"{\"id\":3,\"method\":\"later\"}\n{\"id\":4,\"method\":\"nix\"}\n"));
	shutdown(fd, SHUT_WR);
	assert_true(hear(fd, line, sizeof(line)));
	assert_string_equal("{\"id\":1,\"result\":{}}\n", line);
	assert_true(hear(fd, line, sizeof(line)));
	assert_string_equal("{\"id\":2,\"error\":{\"code\":\"not-found\","
			    "\"message\":\"there is no such thing\"}}\n",
		line);
	assert_true(hear(fd, line, sizeof(line)));
	assert_string_equal("{\"id\":3,\"result\":\"paid\"}\n", line);
	assert_true(hear(fd, line, sizeof(line)));
	assert_non_null(strstr(line, "\"no-method\""));
	assert_false(hear(fd, line, sizeof(line)));
	close(fd);
}

static void garbage_is_refused_and_the_client_goes_on(void **state)
{
	char line[256];
	(void)state;
	int fd = dial_and_be_greeted();
	assert_true(say(fd, "\x01\xff{{{ %n%n\r\n"));
	assert_true(hear(fd, line, sizeof(line)));
	assert_non_null(strstr(line, "{\"id\":null,\"error\":{\"code\":\"malformed\""));
	assert_answer(
		fd, "{\"id\":1,\"method\":\"echo\"}\n", "{\"id\":1,\"result\":{}}\n");
	close(fd);
}

/* Each is refused with a line of its own, a hundred times over, and costs nothing. */
static void what_is_no_request_is_refused_each_time(void **state)
{
	static const char *const lines[] = {"", " ", "null", "7", "\"text\"", "[]", "{}",
		"{\"id\":1}", "{\"method\":\"echo\"}", "{\"id\":{},\"method\":\"echo\"}",
		"{\"id\":1.5,\"method\":\"echo\"}", "{\"id\":1,\"method\":7}",
		"{\"id\":1,\"method\":\"echo\",\"params\":[]}",
		"{\"id\":1,\"method\":\"echo\"}{\"id\":2,\"method\":\"echo\"}",
		"{\"id\":1,\"method\":\"echo\"} x",
		"{\"id\":1,\"method\":\"ec\\u0000ho\"}",
		"{\"id\":1,\"method\":\"echo\",\"params\":{\"a\":\"\xff\xfe\"}}",
		"{\"id\":1,\"method\":\"echo\",\"params\":{\"a\":NaN}}",
		"{\"id\":1,\"method\":\"echo\",\"params\":{\"a\":[1,1e999]}}",
		"{\"id\":1,\"method\":\"echo\",\"params\":{\"a\":-Infinity}}",
		"{'id':1,'method':'echo'}", "{\"id\":1,\"method\":\"echo\",}",
		"\xef\xbb\xbf{\"id\":1,\"method\":\"echo\"}",
		"{\"id\":1,\"method\":\"echo\",\"params\":{\"a\":[[[[[[[[[[[[[[[[[[[[[]]]"
		"]"
		"]]]]]]]]]]]]]]]]]}}",
		"{\"id\":1,\"method\":\"\\ud800\"}", "/* */", "{\"id\":"};
	char line[256];
	(void)state;
	assert_serves();
	long before_kib = server_kib();
	int fd = dial_and_be_greeted();
	for (size_t i = 0; i < 100 * ARRAY_SIZE(lines); i++) {
		auto_free char *text = mem_printf("%s\n", lines[i % ARRAY_SIZE(lines)]);
		assert_true(say(fd, text));
		if (!hear(fd, line, sizeof(line)) || !strstr(line, "\"error\":"))
			fail_msg("not refused: %s", text);
	}
	assert_answer(
		fd, "{\"id\":1,\"method\":\"echo\"}\n", "{\"id\":1,\"result\":{}}\n");
	assert_in_range(server_kib(), 1, before_kib + 1024 + KEPT_KIB);
	close(fd);
}

static void a_line_in_pieces_is_one_line(void **state)
{
	static const char text[] = "{\"id\":1,\"method\":\"echo\"}";
	(void)state;
	int fd = dial_and_be_greeted();
	for (size_t i = 0; i < strlen(text); i++)
		assert_int_equal(1, send(fd, text + i, 1, MSG_NOSIGNAL));
	assert_answer(fd, "\n", "{\"id\":1,\"result\":{}}\n");
	close(fd);
}

/* Byte after byte doesn't buy more time. */
static void half_a_line_ends_the_patience(void **state)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	(void)state;
	int fd = dial_and_be_greeted();
	int drops = 0;
	while (drops < 1000 && send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
		nanosleep(&pause, NULL);
		drops++;
	}
	assert_in_range(drops, 1, 999);
	close(fd);
	assert_serves();
}

static void a_client_that_asks_nothing_goes(void **state)
{
	struct control_server_settings settings = usual_settings();
	(void)state;
	settings.limits.idle_ms = 200;
	start_usual(&settings);
	int fd = dial_and_be_greeted();
	assert_true(hear_end(fd));
	close(fd);
}

/* Say ten mebibytes without a newline, or as much as is taken. */
static void say_ten_mebibytes(int fd)
{
	static char bytes[64 * 1024];
	memset(bytes, '[', sizeof(bytes));
	for (int i = 0; i < 160; i++)
		if (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) < 0)
			return;
}

static void a_line_without_end_is_cut_off(void **state)
{
	char line[256];
	(void)state;
	assert_serves();
	long before_kib = server_kib();
	int fd = dial_and_be_greeted();
	say_ten_mebibytes(fd);
	assert_true(hear(fd, line, sizeof(line)));
	assert_string_equal("{\"id\":null,\"error\":{\"code\":\"too-long\",\"message\":"
			    "\"a request of more than 1048576 bytes is not taken\"}}\n",
		line);
	assert_true(hear_end(fd));
	close(fd);
	assert_serves();
	assert_in_range(server_kib(), 1, before_kib + 4 * 1024 + KEPT_KIB);
}

/* As long as it may be, and the next byte is too much. */
static void a_line_of_just_the_limit_is_taken(void **state)
{
	struct control_server_settings settings = usual_settings();
	char line[256];
	(void)state;
	settings.limits.admin_line = 64;
	start_usual(&settings);
	int fd = dial_and_be_greeted();
	auto_free char *fits = mem_printf("{\"id\":1,\"method\":\"echo\"%39s}\n", "");
	assert_int_equal(64, strlen(fits));
	assert_answer(fd, fits, "{\"id\":1,\"result\":{}}\n");
	auto_free char *longer = mem_printf("{\"id\":1,\"method\":\"echo\"%40s}\n", "");
	assert_true(say(fd, longer));
	assert_true(hear(fd, line, sizeof(line)));
	assert_non_null(strstr(line, "\"too-long\""));
	assert_true(hear_end(fd));
	close(fd);
}

static void five_hundred_clients_are_too_many(void **state)
{
	static int fds[500];
	char line[256];
	size_t taken = 0, refused = 0;
	(void)state;
	assert_serves();
	long before_kib = server_kib();
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial();
		assert_true(fds[i] >= 0);
		assert_true(hear(fds[i], line, sizeof(line)));
		taken += strstr(line, "\"protocol\"") ? 1 : 0;
		refused += strstr(line, "\"busy\"") ? 1 : 0;
	}
	assert_int_equal(64, taken);
	assert_int_equal(500 - 64, refused);
	assert_in_range(server_kib(), 1, before_kib + 2 * 1024 + KEPT_KIB);
	assert_answer(
		fds[0], "{\"id\":1,\"method\":\"echo\"}\n", "{\"id\":1,\"result\":{}}\n");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	/* the server learns of the ends in its own time */
	for (int tries = 0; tries < 1000; tries++) {
		int fd = dial();
		bool greeted = hear(fd, line, sizeof(line)) && strstr(line, "protocol");
		close(fd);
		if (greeted)
			return;
	}
	fail_msg("the places of those who left are not free");
}

static long count_descriptors(void)
{
	auto_free char *command = mem_printf("ls /proc/%d/fd | wc -l", (int)server);
	char line[32] = "";
	FILE *pipe = popen(command, "r");
	assert_non_null(fgets(line, sizeof(line), pipe));
	pclose(pipe);
	return strtol(line, NULL, 10);
}

static void coming_and_going_leaves_nothing(void **state)
{
	(void)state;
	assert_serves();
	long before = count_descriptors();
	for (int i = 0; i < 1000; i++) {
		int fd = dial_and_be_greeted();
		assert_true(say(fd, i % 2 ? "half" : "{\"id\":1,\"method\":\"big\"}\n"));
		close(fd);
	}
	/* the server learns of the ends in its own time */
	for (int tries = 0; tries < 1000 && count_descriptors() > before + 2; tries++)
		assert_serves();
	assert_in_range(count_descriptors(), 1, before + 2);
}

/* Who asks for much and reads nothing costs one answer, and its place after a while. */
static void a_slow_reader_costs_one_answer(void **state)
{
	(void)state;
	assert_serves();
	long before_kib = server_kib();
	int fd = dial_and_be_greeted();
	for (int i = 0; i < 1000; i++)
		assert_true(say(fd, "{\"id\":1,\"method\":\"big\"}\n"));
	for (int i = 0; i < 20; i++)
		assert_serves();
	assert_in_range(server_kib(), 1, before_kib + 8 * 1024 + KEPT_KIB);
	while (send(fd, "\n", 1, MSG_NOSIGNAL) == 1 || errno == EAGAIN)
		;
	assert_true(errno == EPIPE || errno == ECONNRESET);
	close(fd);
	assert_serves();
}

/* Of all threads, with what the kernel did for them. */
static long server_cpu_ms(void)
{
	auto_free char *name = mem_printf("/proc/%d/stat", (int)server);
	auto_fclose FILE *stat = fopen(name, "re");
	long user, system;
	assert_non_null(stat);
	assert_int_equal(2, fscanf(stat,
				    "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u "
				    "%*u %*u %ld %ld",
				    &user, &system));
	return (user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

/* Who has asked for more than is taken in at once, and reads nothing, is waited for. */
static void a_full_input_costs_no_time(void **state)
{
	struct control_server_settings settings = usual_settings();
	(void)state;
	settings.limits.admin_line = 4096;
	start_usual(&settings);
	int fd = dial_and_be_greeted();
	auto_free char *much = mem_printf("{\"id\":1,\"method\":\"big\"}\n%8192s", "");
	struct pollfd end = {.fd = fd};
	assert_true(say(fd, much));
	assert_int_equal(1, poll(&end, 1, PATIENCE_S * 1000));
	assert_in_range(server_cpu_ms(), 0, LIMIT_MS / 2);
	close(fd);
	assert_serves();
}

static void assert_event(int fd, const char *expected)
{
	char line[1024];
	assert_true(hear(fd, line, sizeof(line)));
	assert_string_equal(expected, line);
}

static void subscribers_are_told(void **state)
{
	(void)state;
	int listener = dial_and_be_greeted();
	int speaker = dial_and_be_greeted();
	assert_answer(listener,
		"{\"id\":1,\"method\":\"subscribe\",\"params\":{\"topic\":\"tick\"}}\n",
		"{\"id\":1,\"result\":null}\n");
	for (int i = 0; i < 3; i++) {
		assert_answer(speaker,
			"{\"id\":1,\"method\":\"publish\",\"params\":{\"n\":1}}\n",
			"{\"id\":1,\"result\":null}\n");
		assert_event(listener,
			"{\"event\":\"tick\",\"missed\":0,\"data\":{\"n\":1}}\n");
	}
	close(listener);
	assert_answer(speaker, "{\"id\":1,\"method\":\"publish\"}\n",
		"{\"id\":1,\"result\":null}\n");
	close(speaker);
}

static void there_are_only_known_topics(void **state)
{
	(void)state;
	int fd = dial_and_be_greeted();
	assert_answer(fd,
		"{\"id\":1,\"method\":\"subscribe\",\"params\":{\"topic\":\"nix\"}}\n",
		"{\"id\":1,\"error\":{\"code\":\"not-found\","
		"\"message\":\"there is no topic \\\"nix\\\"\"}}\n");
	assert_answer(fd, "{\"id\":2,\"method\":\"subscribe\"}\n",
		"{\"id\":2,\"error\":{\"code\":\"invalid\","
		"\"message\":\"the parameter \\\"topic\\\" is missing\"}}\n");
	close(fd);
}

/* A socket's buffers take some 200 KiB; the rest is missed, and that is told. */
static void a_slow_subscriber_misses_lines(void **state)
{
	static char data[32 * 1024], line[64 * 1024];
	(void)state;
	memset(data, 'x', sizeof(data) - 1);
	auto_free char *question = mem_printf(
		"{\"id\":1,\"method\":\"publish\",\"params\":{\"x\":\"%s\"}}\n", data);
	int listener = dial_and_be_greeted();
	int speaker = dial_and_be_greeted();
	assert_answer(listener,
		"{\"id\":1,\"method\":\"subscribe\",\"params\":{\"topic\":\"tick\"}}\n",
		"{\"id\":1,\"result\":null}\n");
	long before_kib = server_kib();
	for (int i = 0; i < 200; i++)
		assert_answer(speaker, question, "{\"id\":1,\"result\":null}\n");
	assert_in_range(server_kib(), 1, before_kib + 2 * 1024 + KEPT_KIB);
	bool told = false;
	for (int i = 0; i < 200 && !told; i++) {
		assert_true(hear(listener, line, sizeof(line)));
		told = !strstr(line, "\"missed\":0,");
		assert_answer(speaker, question, "{\"id\":1,\"result\":null}\n");
	}
	assert_true(told);
	close(listener);
	close(speaker);
	assert_serves();
}

static void subscribe(int fd, const char *topic)
{
	auto_free char *line = mem_printf(
		"{\"id\":1,\"method\":\"subscribe\",\"params\":{\"topic\":\"%s\"}}\n",
		topic);
	assert_answer(fd, line, "{\"id\":1,\"result\":null}\n");
}

static void of_a_burst_each_line_counts_or_the_first(void **state)
{
	(void)state;
	int every = dial_and_be_greeted();
	int latest = dial_and_be_greeted();
	int speaker = dial_and_be_greeted();
	subscribe(every, "each");
	subscribe(latest, "tick");
	for (int round = 0; round < 2; round++) {
		assert_answer(speaker,
			"{\"id\":1,\"method\":\"burst\",\"params\":{\"topic\":\"each\"}}"
			"\n",
			"{\"id\":1,\"result\":null}\n");
		for (int i = 0; i < 3; i++)
			assert_event(every, "{\"event\":\"each\",\"missed\":0,"
					    "\"data\":{\"topic\":\"each\"}}\n");
		assert_answer(speaker,
			"{\"id\":1,\"method\":\"burst\",\"params\":{\"topic\":\"tick\"}}"
			"\n",
			"{\"id\":1,\"result\":null}\n");
		assert_event(latest, round ? "{\"event\":\"tick\",\"missed\":2,"
					     "\"data\":{\"topic\":\"tick\"}}\n"
					   : "{\"event\":\"tick\",\"missed\":0,"
					     "\"data\":{\"topic\":\"tick\"}}\n");
	}
	close(every);
	close(latest);
	close(speaker);
}

static void what_nobody_hears_is_not_built(void **state)
{
	(void)state;
	int speaker = dial_and_be_greeted();
	assert_answer(speaker, "{\"id\":1,\"method\":\"refresh\"}\n",
		"{\"id\":1,\"result\":0}\n");
	int listener = dial_and_be_greeted();
	subscribe(listener, "built");
	assert_answer(speaker, "{\"id\":1,\"method\":\"refresh\"}\n",
		"{\"id\":1,\"result\":1}\n");
	assert_event(listener, "{\"event\":\"built\",\"missed\":0,\"data\":1}\n");
	close(listener);
	close(speaker);
}

static void an_answer_owed_to_nobody_is_dropped(void **state)
{
	(void)state;
	int fd = dial_and_be_greeted();
	assert_true(say(fd, "{\"id\":1,\"method\":\"later\"}\n"));
	close(fd);
	int other = dial_and_be_greeted();
	assert_answer(
		other, "{\"id\":2,\"method\":\"echo\"}\n", "{\"id\":2,\"result\":{}}\n");
	close(other);
}

static void the_server_may_end_while_it_owes(void **state)
{
	(void)state;
	int fd = dial_and_be_greeted();
	assert_true(say(fd, "{\"id\":1,\"method\":\"later\"}\n"));
	assert_int_equal(0, stop(server, SIGTERM));
	server = 0;
	assert_true(hear_end(fd));
	close(fd);
}

/* ---- one server a socket ---- */

static void a_second_server_is_refused(void **state)
{
	const struct control_server_settings settings = usual_settings();
	char words[256];
	(void)state;
	pid_t second = start(&settings, words);
	auto_free char *expected =
		mem_printf("control: another momd (process %d) already serves \"%s\"",
			(int)server, path);
	assert_string_equal(expected, words);
	stop(second, SIGTERM);
	assert_serves();
}

static void a_killed_server_is_replaced(void **state)
{
	const struct control_server_settings settings = usual_settings();
	(void)state;
	stop(server, SIGKILL);
	assert_int_equal(0, access(path, F_OK));
	assert_int_equal(-ECONNREFUSED, dial());
	start_usual(&settings);
	assert_serves();
}

static void what_is_no_socket_is_left_alone(void **state)
{
	const struct control_server_settings settings = usual_settings();
	char words[256];
	struct stat found;
	(void)state;
	auto_free char *sub = mem_printf("%s/sub", directory);
	mkdir(sub, 0755);
	auto_fclose FILE *file = fopen(path, "we");
	fputs("precious", file);
	fflush(file);
	pid_t pid = start(&settings, words);
	assert_non_null(strstr(words, "is not a socket"));
	stop(pid, SIGTERM);
	assert_int_equal(0, stat(path, &found));
	assert_int_equal(8, found.st_size);
	unlink(path);
}

static void a_group_that_is_not_there_is_said(void **state)
{
	struct control_server_settings settings = usual_settings();
	char words[256];
	(void)state;
	settings.group = "no-such-group";
	pid_t pid = start(&settings, words);
	assert_string_equal("control: there is no group \"no-such-group\"", words);
	stop(pid, SIGTERM);
}

/* ---- who may what ---- */

struct person {
	uid_t uid;
	gid_t gid;
	gid_t other; /* supplementary */
};

static void become(struct person person)
{
	if (setgroups(1, &person.other) < 0 || setgid(person.gid) < 0 ||
		setuid(person.uid) < 0)
		_exit(99);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* another user has it cleared */
}

/* Run as somebody else; gives the code that `act` ends with. */
static int as(struct person person, int (*act)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		become(person);
		_exit(act());
	}
	int status;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

enum { MAY_CHANGE, MAY_READ, NOT_LET_IN, NO_WAY };

/* What the one we are may do, by trying. */
static int try_all(void)
{
	struct control_client *client = NULL;
	struct json_object *result = NULL;
	int found = 97;
	int fd = dial();
	if (fd < 0)
		return NO_WAY;
	close(fd);
	if (control_client_open(&client, path, DEADLINE_MS, NULL) == -EACCES)
		found = NOT_LET_IN;
	else if (control_call(client, "change", NULL, &result, NULL) == 0)
		found = MAY_CHANGE;
	else if (control_call(client, "echo", NULL, &result, NULL) == 0)
		found = MAY_READ;
	json_object_put(result);
	control_client_close(client);
	return found;
}

/* Ask for sixteen mebibytes, read none, and tell the parent. */
static int ask_and_not_read(int told)
{
	for (int i = 0; i < 16; i++)
		if (!say(dial_and_be_greeted(), "{\"id\":1,\"method\":\"big\"}\n"))
			return 1;
	dprintf(told, "asked\n");
	pause();
	return 0;
}

static pid_t start_slow_readers(struct person person)
{
	char words[16];
	int ends[2];
	assert_int_equal(0, pipe(ends));
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		become(person);
		_exit(ask_and_not_read(ends[1]));
	}
	assert_int_equal(6, read(ends[0], words, sizeof(words)));
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static bool need_root(void)
{
	if (geteuid() == 0)
		return true;
	skip();
	return false;
}

static void without_groups_only_root_comes_in(void **state)
{
	struct stat found;
	(void)state;
	if (!need_root())
		return;
	assert_int_equal(0, stat(path, &found));
	assert_int_equal(0600, found.st_mode & 07777);
	assert_int_equal(MAY_CHANGE, try_all());
	const struct person nobody = {NOBODY, NOBODY, NOBODY};
	assert_int_equal(NO_WAY, as(nobody, try_all));
	/* and the file's mode isn't all that keeps them out */
	chmod(path, 0666);
	assert_int_equal(NOT_LET_IN, as(nobody, try_all));
}

/* Two groups that every system has. */
static void groups_read_and_admins_change(void **state)
{
	const struct group *found = getgrnam("daemon");
	gid_t readers = found ? found->gr_gid : 0;
	found = getgrnam("adm");
	gid_t admins = found ? found->gr_gid : 0;
	struct stat file;
	(void)state;
	if (!need_root())
		return;
	if (!readers || !admins) {
		skip();
		return;
	}
	struct control_server_settings settings = usual_settings();
	settings.group = "daemon";
	settings.admin_group = "adm";
	start_usual(&settings);
	assert_int_equal(0, stat(path, &file));
	assert_int_equal(0660, file.st_mode & 07777);
	assert_int_equal(readers, file.st_gid);
	chmod(path, 0666); /* so that it's the server who judges */
	assert_int_equal(
		MAY_READ, as((struct person){NOBODY, readers, OTHER_GROUP}, try_all));
	assert_int_equal(MAY_READ, as((struct person){NOBODY, NOBODY, readers}, try_all));
	assert_int_equal(
		MAY_CHANGE, as((struct person){NOBODY, NOBODY, admins}, try_all));
	assert_int_equal(
		NOT_LET_IN, as((struct person){NOBODY, NOBODY, OTHER_GROUP}, try_all));
}

static void slow_readers_wait_for_each_other(void **state)
{
	const struct group *readers = getgrnam("daemon");
	struct control_server_settings settings = usual_settings();
	(void)state;
	if (!need_root())
		return;
	if (!readers) {
		skip();
		return;
	}
	settings.group = "daemon";
	settings.limits.reply_ms = DEADLINE_MS;
	settings.limits.output = 4 * 1024 * 1024;
	start_usual(&settings);
	chmod(path, 0666);
	assert_serves();
	long before_kib = server_kib();
	helper = start_slow_readers((struct person){NOBODY, readers->gr_gid, NOBODY});
	/* root is not held up */
	for (int i = 0; i < 40 || (i < 1000 && server_kib() < before_kib + 2 * 1024); i++)
		assert_serves();
	assert_in_range(
		server_kib(), before_kib + 2 * 1024, before_kib + 12 * 1024 + KEPT_KIB);
}

/* ---- the client's side ---- */

static void a_client_knows_when_nobody_is_there(void **state)
{
	struct control_client *client = NULL;
	struct err err;
	(void)state;
	assert_int_equal(-ENOENT, control_client_open(&client, path, DEADLINE_MS, &err));
	assert_non_null(strstr(err.text, "momd is not running"));
	assert_null(client);
}

static void a_client_doesnt_wait_for_ever(void **state)
{
	struct control_client *client;
	struct json_object *result = NULL;
	struct err err;
	(void)state;
	assert_int_equal(0, control_client_open(&client, path, LIMIT_MS, &err));
	assert_string_equal("1.2.3", control_client_version(client));
	kill(server, SIGSTOP);
	assert_int_equal(-ETIMEDOUT, control_call(client, "echo", NULL, &result, &err));
	assert_non_null(strstr(err.text, "doesn't answer"));
	kill(server, SIGCONT);
	control_client_close(client);
}

static void a_client_takes_long_answers(void **state)
{
	struct control_client *client;
	struct json_object *result = NULL;
	struct err err;
	(void)state;
	assert_int_equal(0, control_client_open(&client, path, DEADLINE_MS, &err));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(0, control_call(client, "big", NULL, &result, &err));
		assert_int_equal(1024 * 1024, json_object_get_string_len(result));
		json_object_put(result);
	}
	assert_int_equal(-ENOENT, control_call(client, "fail", NULL, &result, &err));
	assert_string_equal("there is no such thing", err.text);
	control_client_close(client);
}

static void a_client_hears_why_it_was_cut_off(void **state)
{
	static char text[2 * 1024 * 1024];
	struct control_client *client;
	struct json_object *result = NULL;
	struct json_object *params = json_object_new_object();
	struct err err;
	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	json_object_object_add(params, "text", json_object_new_string(text));
	assert_int_equal(0, control_client_open(&client, path, DEADLINE_MS, &err));
	assert_int_equal(-EMSGSIZE, control_call(client, "echo", params, &result, &err));
	control_client_close(client);
	json_object_put(params);
}

static void a_client_is_told_of_events(void **state)
{
	struct control_client *client;
	struct json_object *result = NULL, *event = NULL;
	struct json_object *params = json_object_new_object();
	struct err err;
	(void)state;
	json_object_object_add(params, "topic", json_object_new_string("tick"));
	assert_int_equal(0, control_client_open(&client, path, DEADLINE_MS, &err));
	assert_int_equal(0, control_call(client, "subscribe", params, &result, &err));
	int speaker = dial_and_be_greeted();
	assert_int_equal(0, control_client_wait(client, -1, 1, &event, &err));
	assert_true(say(speaker, "{\"id\":1,\"method\":\"publish\"}\n"));
	assert_int_equal(0, control_client_next(client, &event, &err));
	assert_string_equal("tick", control_get_text(event, "event"));
	json_object_put(event);
	assert_true(say(speaker, "{\"id\":1,\"method\":\"publish\"}\n"));
	assert_int_equal(1, control_client_wait(client, -1, -1, &event, &err));
	json_object_put(event);
	/* the answers that wait on the other connection wake it, too */
	assert_int_equal(0, control_client_wait(client, speaker, -1, &event, &err));
	stop(server, SIGTERM);
	server = 0;
	assert_int_equal(-ECONNRESET, control_client_next(client, &event, &err));
	close(speaker);
	json_object_put(params);
	control_client_close(client);
}

/* ---- from inside ---- */

struct told {
	int times, code;
	struct json_object *result;
};

static void be_told(void *asker, struct json_object *result, const struct err *err)
{
	struct told *told = asker;
	told->times++;
	told->code = err ? err->code : 0;
	told->result = json_object_get(result);
}

static void who_asks_from_inside_is_answered_once(void **state)
{
	struct world world = {.base = event_base_new()};
	struct json_object *params = json_object_new_object();
	struct told at_once = {0}, failed = {0}, unknown = {0}, later = {0};
	(void)state;
	world.pay = evtimer_new(world.base, pay, &world);
	control_method_ask(methods, &world, "echo", params, be_told, &at_once);
	assert_int_equal(1, at_once.times);
	assert_int_equal(0, at_once.code);
	assert_ptr_equal(params, at_once.result);
	control_method_ask(methods, &world, "fail", params, be_told, &failed);
	assert_int_equal(1, failed.times);
	assert_int_equal(-ENOENT, failed.code);
	control_method_ask(methods, &world, "nothing", params, be_told, &unknown);
	assert_int_equal(-ENOSYS, unknown.code);
	control_method_ask(methods, &world, "later", params, be_told, &later);
	assert_int_equal(0, later.times);
	event_base_dispatch(world.base);
	assert_int_equal(1, later.times);
	assert_string_equal("paid", json_object_get_string(later.result));
	json_object_put(later.result);
	json_object_put(at_once.result);
	json_object_put(params);
	event_free(world.pay);
	event_base_free(world.base);
}

#define WITH(test)    cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define WITHOUT(test) cmocka_unit_test_teardown(test, tear_down)

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/mom-control.XXXXXX");
	assert_non_null(mkdtemp(directory));
	chmod(directory, 0755); /* other users try the socket */
	snprintf(path, sizeof(path), "%s/sub/momd.sock", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	auto_free char *lock = mem_printf("%s.lock", path);
	auto_free char *sub = mem_printf("%s/sub", directory);
	unlink(path);
	unlink(lock);
	rmdir(sub);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(requests_are_answered_in_order),
		WITH(garbage_is_refused_and_the_client_goes_on),
		WITH(what_is_no_request_is_refused_each_time),
		WITH(a_line_in_pieces_is_one_line),
		WITH(half_a_line_ends_the_patience),
		WITHOUT(a_client_that_asks_nothing_goes),
		WITH(a_line_without_end_is_cut_off),
		WITHOUT(a_line_of_just_the_limit_is_taken),
		WITH(five_hundred_clients_are_too_many),
		WITH(coming_and_going_leaves_nothing),
		WITH(a_slow_reader_costs_one_answer),
		WITHOUT(a_full_input_costs_no_time),
		WITH(subscribers_are_told),
		WITH(there_are_only_known_topics),
		WITH(of_a_burst_each_line_counts_or_the_first),
		WITH(what_nobody_hears_is_not_built),
		WITH(a_slow_subscriber_misses_lines),
		WITH(an_answer_owed_to_nobody_is_dropped),
		WITH(the_server_may_end_while_it_owes),
		WITH(a_second_server_is_refused),
		WITH(a_killed_server_is_replaced),
		WITHOUT(what_is_no_socket_is_left_alone),
		WITHOUT(a_group_that_is_not_there_is_said),
		WITH(without_groups_only_root_comes_in),
		WITHOUT(groups_read_and_admins_change),
		WITHOUT(slow_readers_wait_for_each_other),
		WITHOUT(a_client_knows_when_nobody_is_there),
		WITH(a_client_doesnt_wait_for_ever),
		WITH(a_client_takes_long_answers),
		WITH(a_client_hears_why_it_was_cut_off),
		WITH(a_client_is_told_of_events),
		WITHOUT(who_asks_from_inside_is_answered_once),
	};
	return cmocka_run_group_tests_name(
		"server", tests, make_directory, remove_directory);
}
