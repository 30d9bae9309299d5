/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control socket from both ends: any bytes sent to the server leave it serving, and
 * any line from a daemon is an answer or is refused; what is shown of it is harmless.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <event2/event.h>

#include "mom/control/server.h"
#include "mom/control/utf8.h"
#include "mom/mem.h"
#include "momctl/text.h"
#include "momctl/top/bar.h"
#include "momctl/top/keys.h"

#define ROUNDS 50 /* turns of the loop until everything that was sent is answered */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int echo(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	(void)context, (void)err;
	*result = json_object_get(params);
	return 0;
}

static void refuse(void *context, struct json_object *params, struct control_reply *reply)
{
	struct err err;
	(void)context, (void)params;
	err_set(&err, -1, "not now");
	control_reply_send(reply, NULL, &err);
}

static const struct control_method methods[] = {
	{"e", CONTROL_READ, "echo", echo, NULL, NULL},
	{"c", CONTROL_CHANGE, "echo too", echo, NULL, NULL},
	{"s", CONTROL_READ, "refuse", NULL, refuse, NULL},
	{0},
};

struct world {
	struct event_base *base;
	struct control_server *server;
	char path[64];
};

/* A server of its own for each input, so that one input is the whole story. */
static struct world make_world(void)
{
	static const struct control_topic topics[] = {{.name = "t"}, {0}};
	struct world world = {.base = event_base_new()};
	char directory[] = "/tmp/mom-fuzz.XXXXXX";
	if (!mkdtemp(directory))
		abort();
	snprintf(world.path, sizeof(world.path), "%s/s", directory);
	struct control_server_settings settings = {
		.socket = world.path,
		.version = "1",
		.topics = topics,
		.limits = CONTROL_LIMITS_DEFAULT,
	};
	settings.limits.admin_line = 4096;
	if (control_server_new(&world.server, world.base, &settings, methods, NULL, NULL))
		abort();
	return world;
}

static void remove_world(struct world *world)
{
	auto_free char *lock = mem_printf("%s.lock", world->path);
	control_server_free(world->server);
	event_base_free(world->base);
	unlink(lock);
	*strrchr(world->path, '/') = '\0';
	rmdir(world->path);
}

static int dial(const struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, world->path, strlen(world->path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	return fd;
}

/* Every line that comes back is JSON of the protocol. */
static void check_lines(const char *text, size_t length)
{
	const char *end;
	while ((end = memchr(text, '\n', length))) {
		struct json_object *line = json_tokener_parse(text);
		if (!json_object_is_type(line, json_type_object))
			abort();
		json_object_put(line);
		length -= (size_t)(end + 1 - text);
		text = end + 1;
	}
}

static void attack(struct world *world, const uint8_t *data, size_t size)
{
	static char answers[256 * 1024];
	int fd = dial(world);
	send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	send(fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (int i = 0; i < ROUNDS; i++)
		event_base_loop(world->base, EVLOOP_NONBLOCK);
	ssize_t got = recv(fd, answers, sizeof(answers) - 1, MSG_DONTWAIT);
	if (got < 0)
		abort(); /* there is a greeting at least */
	answers[got] = '\0';
	check_lines(answers, (size_t)got);
	close(fd);
	event_base_loop(world->base, EVLOOP_NONBLOCK);
}

static void check_client(const char *text, size_t size)
{
	struct control_greeting greeting;
	struct json_object *result = NULL;
	struct err err;
	if (control_parse_reply(text, size, 1, &result, &err) == 0)
		json_object_put(result);
	if (control_parse_event(text, size, &result, &err) == 0)
		json_object_put(result);
	control_parse_greeting(&greeting, text, size, &err);
}

/* The parts of a bar fill it, whatever is said of them. */
static void check_bar(const struct top_slice *slices, size_t count, size_t width)
{
	size_t cells = 0;
	uint64_t kib = 0;
	for (size_t i = 0; i < count; i++) {
		cells += slices[i].cells;
		kib |= slices[i].kib;
	}
	if (cells != (kib ? width : 0))
		abort();
}

/* As `momctl top` takes a tick; any JSON may come. */
static void check_view(const char *text)
{
	struct json_object *status = json_tokener_parse(text);
	struct top_view view = {0};
	top_view_feed(&view, status);
	top_news_add(&view.news, status);
	top_keys_press(&view, 's', 10);
	size_t count = view.figures.guest_count + TOP_HOST_SLICES;
	auto_free struct top_slice *slices = mem_array(count, sizeof(*slices));
	check_bar(slices, top_bar_host(&view.figures, slices, 80), 80);
	for (size_t i = 0; i < view.figures.guest_count; i++) {
		struct top_slice parts[TOP_GUEST_SLICES];
		const struct top_guest *guest = &view.figures.guests[i];
		check_bar(parts, top_bar_guest(guest, parts, 24), 24);
		if (top_bar_cell(guest, guest->target.kib, 24) >= 24)
			abort();
	}
	top_view_done(&view);
	json_object_put(status);
}

static void check_text(const char *text)
{
	auto_free char *clean = text_clean(text);
	auto_free char *again = text_clean(clean);
	auto_free char *cut = text_cut(clean, 7);
	auto_free char *repaired = utf8_repair(text);
	uint32_t c;
	for (const char *at = repaired; *at; at += utf8_next(at, &c))
		if (utf8_next(at, &c) == 0)
			abort();
	if (strcmp(clean, again) != 0 || text_width(cut) > 7)
		abort();
	for (const char *at = clean; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = mem_alloc(size + 1);
	memcpy(text, data, size);
	text_init();
	check_client(text, size);
	check_text(text);
	check_view(text);
	struct world world = make_world();
	attack(&world, data, size);
	attack(&world, (const uint8_t *)"{\"id\":1,\"method\":\"e\"}", 21);
	remove_world(&world);
	return 0;
}
