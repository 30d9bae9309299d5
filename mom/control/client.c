/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/client.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mom/control/codec.h"
#include "mom/mem.h"

#define ANSWER_MAX (64u * 1024 * 1024)
#define CHUNK      4096

struct control_client {
	int fd;
	char *path;
	uint64_t deadline_ms;
	int64_t next_id;
	struct control_greeting greeting;
	char *input;
	size_t length, capacity;
};

static int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait until `fd` is ready; `until_ms` < 0 waits for ever. */
static int wait_for(
	struct control_client *client, short what, int64_t until_ms, struct err *err)
{
	for (;;) {
		struct pollfd poller = {.fd = client->fd, .events = what};
		int64_t left = until_ms < 0 ? -1 : until_ms - clock_ms();
		int rc = until_ms >= 0 && left <= 0 ? 0 : poll(&poller, 1, (int)left);
		if (rc > 0)
			return 0;
		if (rc == 0)
			return err_set(err, -ETIMEDOUT,
				"momd at \"%s\" doesn't answer within %" PRIu64 " ms",
				client->path, client->deadline_ms);
		if (errno != EINTR)
			return err_errno(err, errno, "poll");
	}
}

static bool again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static int went_away(struct control_client *client, struct err *err)
{
	return err_set(
		err, -ECONNRESET, "momd at \"%s\" closed the connection", client->path);
}

/* A daemon that won't read to the end has said why: that is read afterwards. */
static int send_all(struct control_client *client, const char *line, size_t length,
	int64_t until_ms, struct err *err)
{
	while (length > 0) {
		ssize_t sent =
			send(client->fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (sent < 0 && !again())
			return err_errno(err, errno, "cannot write to momd");
		if (sent > 0) {
			line += sent;
			length -= (size_t)sent;
			continue;
		}
		int rc = wait_for(client, POLLOUT, until_ms, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* Read what is there; 0 nothing yet, 1 something, or an error. */
static int receive(struct control_client *client, struct err *err)
{
	if (client->length > ANSWER_MAX)
		return err_set(err, -EMSGSIZE, "the answer of momd is too long");
	if (client->capacity < client->length + CHUNK) {
		client->capacity = 2 * client->capacity + CHUNK;
		client->input = mem_resize(client->input, client->capacity, 1);
	}
	ssize_t got = recv(client->fd, client->input + client->length,
		client->capacity - client->length, MSG_DONTWAIT);
	if (got < 0 && again())
		return 0;
	if (got <= 0)
		return went_away(client, err);
	client->length += (size_t)got;
	return 1;
}

/* The next line, without its newline; `*length` bytes at the start of the input. */
static int receive_line(
	struct control_client *client, size_t *length, int64_t until_ms, struct err *err)
{
	size_t scanned = 0;
	for (;;) {
		const char *end = client->length == scanned
					  ? NULL
					  : memchr(client->input + scanned, '\n',
						    client->length - scanned);
		if (end) {
			*length = (size_t)(end - client->input);
			return 0;
		}
		scanned = client->length;
		int rc = receive(client, err);
		if (rc == 0)
			rc = wait_for(client, POLLIN, until_ms, err);
		if (rc < 0)
			return rc;
	}
}

static void drop_line(struct control_client *client, size_t length)
{
	client->length -= length + 1;
	memmove(client->input, client->input + length + 1, client->length);
}

static int connect_to(struct control_client *client, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = client->path;
	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, -ENAMETOOLONG,
			"\"%s\" is too long for a socket's name", path);
	memcpy(address.sun_path, path, strlen(path));
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return err_errno(err, errno, "cannot make a socket");
	/* bounds connect(2) too: it blocks while the daemon's queue is full */
	const struct timeval patience = {.tv_sec = (time_t)(client->deadline_ms / 1000),
		.tv_usec = (suseconds_t)(client->deadline_ms % 1000 * 1000)};
	setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		return err_set(
			err, -errno, "momd is not running (nothing serves \"%s\")", path);
	case EACCES:
		return err_set(err, -EACCES,
			"you may not talk to momd: \"%s\" is for root and its group",
			path);
	case EAGAIN:
		return err_set(err, -ETIMEDOUT,
			"momd at \"%s\" takes no connection within %" PRIu64 " ms", path,
			client->deadline_ms);
	default:
		return err_errno(err, errno, "cannot connect to \"%s\"", path);
	}
}

static int other_version(struct control_client *client, struct err *err)
{
	return err_set(err, -EPROTONOSUPPORT,
		"momd is version %s and speaks protocol %" PRId64
		", this program speaks %d; install the same version of both",
		client->greeting.version, client->greeting.protocol, CONTROL_PROTOCOL);
}

static int be_greeted(struct control_client *client, struct err *err)
{
	size_t length;
	int rc = receive_line(
		client, &length, clock_ms() + (int64_t)client->deadline_ms, err);
	if (rc)
		return rc;
	rc = control_parse_greeting(&client->greeting, client->input, length, err);
	drop_line(client, length);
	if (rc == -EBADMSG)
		return err_set(err, -EPROTONOSUPPORT,
			"what serves \"%s\" is not momd, or another version of it",
			client->path);
	if (rc)
		return rc;
	if (client->greeting.protocol != CONTROL_PROTOCOL)
		return other_version(client, err);
	return 0;
}

int control_client_open(struct control_client **client, const char *path,
	uint64_t deadline_ms, struct err *err)
{
	struct control_client *fresh = mem_alloc(sizeof(*fresh));
	*fresh = (struct control_client){
		.fd = -1, .path = mem_dup(path), .deadline_ms = deadline_ms};
	int rc = connect_to(fresh, err);
	if (!rc)
		rc = be_greeted(fresh, err);
	if (rc) {
		control_client_close(fresh);
		return rc;
	}
	*client = fresh;
	return 0;
}

void control_client_close(struct control_client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	free(client->path);
	free(client->input);
	free(client);
}

const char *control_client_version(const struct control_client *client)
{
	return client->greeting.version;
}

int control_call(struct control_client *client, const char *method,
	struct json_object *params, struct json_object **result, struct err *err)
{
	int64_t id = ++client->next_id;
	int64_t until_ms = clock_ms() + (int64_t)client->deadline_ms;
	size_t length;
	auto_free char *line = control_request_line(id, method, params);
	int rc = send_all(client, line, strlen(line), until_ms, err);
	if (!rc)
		rc = receive_line(client, &length, until_ms, err);
	if (rc)
		return rc;
	rc = control_parse_reply(client->input, length, id, result, err);
	drop_line(client, length);
	return rc;
}

int control_client_next(
	struct control_client *client, struct json_object **event, struct err *err)
{
	size_t length;
	int rc = receive_line(client, &length, -1, err);
	if (rc)
		return rc;
	rc = control_parse_event(client->input, length, event, err);
	drop_line(client, length);
	return rc;
}

/* Whether a whole line is here; `*length` bytes at the start of the input. */
static bool has_line(const struct control_client *client, size_t *length)
{
	const char *end =
		client->length ? memchr(client->input, '\n', client->length) : NULL;
	if (end)
		*length = (size_t)(end - client->input);
	return end != NULL;
}

int control_client_wait(struct control_client *client, int other_fd, int64_t wait_ms,
	struct json_object **event, struct err *err)
{
	int64_t until_ms = clock_ms() + wait_ms;
	size_t length;
	while (!has_line(client, &length)) {
		struct pollfd pollers[] = {{.fd = client->fd, .events = POLLIN},
			{.fd = other_fd, .events = POLLIN}};
		int64_t left = wait_ms < 0 ? -1 : until_ms - clock_ms();
		if (wait_ms >= 0 && left < 0)
			left = 0;
		int rc = poll(pollers, 2, left > INT_MAX ? INT_MAX : (int)left);
		if (rc < 0 && errno != EINTR)
			return err_errno(err, errno, "poll");
		if (rc <= 0 || pollers[1].revents)
			return 0;
		rc = receive(client, err);
		if (rc < 0)
			return rc;
	}
	int rc = control_parse_event(client->input, length, event, err);
	drop_line(client, length);
	return rc < 0 ? rc : 1;
}
