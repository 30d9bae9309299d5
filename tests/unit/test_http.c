/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The HTTP server in a process of its own, on a Unix socket and on a port, and clients
 * that mean it well, that don't, and that dawdle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "mom/http/server.h"
#include "mom/mem.h"

#define PLACES     4
#define WAIT_MS    3000 /* who is well on a busy machine is never that slow */
#define PATIENCE_S 120
#define BIG        (2 * 1024 * 1024)

static char directory[64];
static char path[96];
static unsigned port;
static pid_t server;

/* ---- the server's process ---- */

struct world {
	struct event_base *base;
	struct http_request *owed;
	struct event *pay;
};

static void hello(void *context, struct http_request *request)
{
	(void)context;
	http_send(request, NULL, "hello\n", 6);
}

static void echo(void *context, struct http_request *request)
{
	(void)context;
	const char *text = http_param(request, "text");
	http_set_header(request, "Cache-Control", "max-age=60");
	if (text)
		http_send_text(request, "text/x-echo", mem_dup(text));
	else
		http_refuse(request, 400, "there is no \"%s\"", "text");
}

static void big(void *context, struct http_request *request)
{
	(void)context;
	char *text = mem_alloc(BIG + 1);
	memset(text, 'x', BIG);
	http_send_text(request, NULL, text);
}

static void later(void *context, struct http_request *request)
{
	struct world *world = context;
	const struct timeval soon = {.tv_usec = 50000};
	world->owed = request;
	evtimer_add(world->pay, &soon);
}

static void on_pay(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	struct world *world = context;
	http_send(take(world->owed), NULL, "later\n", 6);
}

static const struct http_route routes[] = {
	{"/hello", "text/x-hello", hello},
	{"/echo", "text/plain", echo},
	{"/big", "text/plain", big},
	{"/later", "text/plain", later},
	{0},
};

static void on_signal(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

static struct http_server *serve_at(struct world *world, const char *where)
{
	const struct http_settings settings = {
		.listen = where,
		.limits = {.clients = PLACES, .headers = 4096, .wait_ms = WAIT_MS},
	};
	struct http_server *fresh = NULL;
	struct err err;
	if (http_server_new(&fresh, world->base, &settings, routes, world, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	return fresh;
}

static struct http_server *serve_at_port(struct world *world)
{
	char where[32];
	struct http_server *fresh = NULL;
	for (port = 20000 + (unsigned)getpid() % 20000; !fresh && port < 65000; port++) {
		snprintf(where, sizeof(where), "127.0.0.1:%u", port);
		fresh = serve_at(world, where);
	}
	port--;
	return fresh;
}

static void serve(int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	struct world world = {.base = event_base_new()};
	world.pay = evtimer_new(world.base, on_pay, &world);
	struct event *term = evsignal_new(world.base, SIGTERM, on_signal, world.base);
	event_add(term, NULL);
	struct http_server *local = serve_at(&world, path);
	struct http_server *open = serve_at_port(&world);
	if (!local || !open || write(ready, &port, sizeof(port)) != sizeof(port))
		_exit(1);
	event_base_dispatch(world.base);
	http_server_free(local);
	http_server_free(open);
	event_free(world.pay);
	event_free(term);
	event_base_free(world.base);
	exit(0);
}

/* ---- clients ---- */

static int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const void *)&address, sizeof(address)), 0);
	return fd;
}

static int dial_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const void *)&address, sizeof(address)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(
		send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All that comes until the other end closes; NULL after a while without it. */
static char *hear(int fd)
{
	size_t length = 0;
	char *text = NULL;
	for (;;) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		if (poll(&poller, 1, PATIENCE_S * 1000) <= 0) {
			free(text);
			return NULL;
		}
		text = mem_resize(text, length + 65537, 1);
		ssize_t got = recv(fd, text + length, 65536, 0);
		length += got > 0 ? (size_t)got : 0;
		text[length] = '\0';
		if (got <= 0)
			return text;
	}
}

static char *ask(int fd, const char *request)
{
	say(fd, request);
	char *answer = hear(fd);
	close(fd);
	assert_non_null(answer);
	return answer;
}

#define ENDING " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

static void assert_says(const char *answer, const char *text)
{
	if (!strstr(answer, text))
		fail_msg("no \"%s\" in: %.600s", text, answer);
}

static void assert_status(const char *answer, int status)
{
	char line[32];
	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	if (strncmp(answer, line, strlen(line)) != 0)
		fail_msg("no %d: %.600s", status, answer);
}

/* ---- what a user notices ---- */

static void a_page_comes_with_what_guards_it(void **state)
{
	(void)state;
	auto_free char *answer = ask(dial(), "GET /hello" ENDING);
	assert_status(answer, 200);
	assert_says(answer, "\r\n\r\nhello\n");
	assert_says(answer, "Content-Type: text/x-hello\r\n");
	assert_says(answer, "Content-Security-Policy: default-src 'self';");
	assert_says(answer, "X-Content-Type-Options: nosniff\r\n");
	assert_says(answer, "Cache-Control: no-store\r\n");
	assert_null(strcasestr(answer, "\r\nServer:"));
	assert_null(strcasestr(answer, "libevent"));
}

static void a_head_has_no_body(void **state)
{
	(void)state;
	auto_free char *answer = ask(dial(), "HEAD /hello" ENDING);
	assert_status(answer, 200);
	assert_says(answer, "Content-Type: text/x-hello\r\n");
	assert_says(answer, "Content-Length: 6\r\n");
	assert_null(strstr(answer, "hello\n"));
}

static void nothing_can_be_changed(void **state)
{
	(void)state;
	static const char *const methods[] = {
		"PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "BREW"};
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		auto_free char *request = mem_printf("%s /hello" ENDING, methods[i]);
		auto_free char *answer = ask(dial(), request);
		assert_status(answer, 405);
		assert_says(answer, "Allow: GET, HEAD\r\n");
	}
	auto_free char *answer =
		ask(dial(), "POST /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close"
			    "\r\nContent-Length: 3\r\n\r\na=b");
	assert_null(strstr(answer, "hello\n"));
}

static void other_paths_are_nowhere(void **state)
{
	(void)state;
	static const char *const paths[] = {"/", "/hell", "/hello/", "/hello/../hello",
		"/%68ello", "//hello", "/hello%00"};
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		auto_free char *request = mem_printf("GET %s" ENDING, paths[i]);
		auto_free char *answer = ask(dial(), request);
		assert_status(answer, 404);
	}
}

static void parameters_are_decoded(void **state)
{
	(void)state;
	auto_free char *answer =
		ask(dial(), "GET /echo?other=1&text=a%20b%2Bc%26%C3%BC" ENDING);
	assert_says(answer, "\r\n\r\na b+c&\xc3\xbc");
	assert_says(answer, "Content-Type: text/x-echo\r\n");
	assert_says(answer, "Cache-Control: max-age=60\r\n");
	assert_null(strstr(answer, "no-store"));
	auto_free char *refusal = ask(dial(), "GET /echo?" ENDING);
	assert_status(refusal, 400);
	assert_says(refusal, "\r\n\r\nthere is no \"text\"\n");
}

static void an_answer_may_come_later(void **state)
{
	(void)state;
	auto_free char *answer = ask(dial(), "GET /later" ENDING);
	assert_says(answer, "\r\n\r\nlater\n");
}

static void one_connection_serves_many_requests(void **state)
{
	(void)state;
	auto_free char *answer =
		ask(dial(), "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
			    "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
			    "GET /hello" ENDING);
	const char *second = strstr(answer, "\r\n\r\nlater\n");
	assert_non_null(second);
	assert_says(second, "\r\n\r\nhello\n");
}

static void a_page_from_elsewhere_gets_nothing(void **state)
{
	(void)state;
	static const char *const requests[] = {
		"GET /hello HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
		"GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n",
		"GET http://evil.example/hello" ENDING,
		"GET http://localhost/hello HTTP/1.1\r\nHost: evil.example\r\n"
		"Connection: close\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		auto_free char *answer = ask(dial_port(), requests[i]);
		assert_status(answer, 403);
		assert_null(strstr(answer, "hello\n"));
	}
	auto_free char *answer = ask(dial_port(), "GET /hello" ENDING);
	assert_says(answer, "\r\n\r\nhello\n");
}

static void nonsense_ends_the_connection_alone(void **state)
{
	(void)state;
	char *blanks = mem_alloc(8001);
	memset(blanks, 'x', 8000);
	auto_free char *longest = mem_printf("GET /hello HTTP/1.1\r\nX: %s\r\n", blanks);
	free(blanks);
	const char *const nonsense[] = {"\r\n\r\n", "GET\r\n\r\n",
		"\x16\x03\x01\x02\r\n\r\n", "GET /hello HTTP/9.9\r\n\r\n",
		"GET /hello HTTP/1.1\r\nno colon\r\n\r\n",
		"GET /hello HTTP/1.1\r\nContent-Length: -5\r\n\r\n", longest};
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		int fd = dial();
		say(fd, nonsense[i]);
		shutdown(fd, SHUT_WR);
		auto_free char *answer = hear(fd);
		close(fd);
		assert_non_null(answer);
		assert_null(strstr(answer, "hello\n"));
	}
	auto_free char *answer = ask(dial(), "GET /hello" ENDING);
	assert_says(answer, "hello\n");
}

/* A byte now and then keeps libevent waiting for ever. */
static void who_dawdles_is_ended(void **state)
{
	(void)state;
	int fd = dial();
	int64_t most = PATIENCE_S * 10;
	say(fd, "GET /hello HTTP/1.1\r\nX: ");
	while (--most && send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		if (poll(&poller, 1, 100) > 0)
			break;
	}
	assert_true(most > 0);
	close(fd);
}

static void who_does_not_read_is_ended(void **state)
{
	(void)state;
	int fd = dial();
	say(fd, "GET /big" ENDING);
	struct pollfd poller = {.fd = fd, .events = POLLRDHUP};
	assert_int_equal(poll(&poller, 1, PATIENCE_S * 1000), 1);
	auto_free char *answer = hear(fd);
	assert_true(strlen(answer) < BIG);
	close(fd);
}

static void who_reads_gets_it_all(void **state)
{
	(void)state;
	auto_free char *answer = ask(dial(), "GET /big" ENDING);
	assert_true(strlen(answer) > BIG);
}

/* All places are taken: one more waits, and is served when they are free. */
static void one_too_many_waits(void **state)
{
	(void)state;
	int idle[PLACES];
	for (size_t i = 0; i < PLACES; i++) {
		idle[i] = dial();
		say(idle[i], "GET ");
	}
	auto_free char *answer = ask(dial(), "GET /hello" ENDING);
	assert_says(answer, "hello\n");
	for (size_t i = 0; i < PLACES; i++)
		close(idle[i]);
	auto_free char *again = ask(dial(), "GET /hello" ENDING);
	assert_says(again, "hello\n");
}

static void a_client_may_leave_before_its_answer(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		int fd = dial();
		say(fd, "GET /big" ENDING);
		close(fd);
	}
	auto_free char *answer = ask(dial(), "GET /hello" ENDING);
	assert_says(answer, "hello\n");
}

static void the_socket_is_for_root_alone(void **state)
{
	(void)state;
	struct stat found;
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 0777, 0600);
}

/* In this process: the server ends while it owes answers, here and to one who left. */
static void the_end_may_come_before_the_answer(void **state)
{
	(void)state;
	struct world world = {.base = event_base_new()};
	world.pay = evtimer_new(world.base, on_pay, &world);
	auto_free char *where = mem_printf("%s/other", directory);
	struct http_server *other = serve_at(&world, where);
	assert_non_null(other);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	strcpy(address.sun_path, where);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (const void *)&address, sizeof(address)), 0);
	say(fd, "GET /later" ENDING);
	while (!world.owed)
		event_base_loop(world.base, EVLOOP_ONCE);
	evtimer_del(world.pay);
	http_server_free(other);
	http_send(world.owed, NULL, "late", 4);
	auto_free char *answer = hear(fd);
	assert_string_equal(answer, "");
	close(fd);
	assert_int_equal(access(where, F_OK), -1);
	event_free(world.pay);
	event_base_free(world.base);
}

static void what_is_taken_is_not_served_twice(void **state)
{
	(void)state;
	struct world world = {.base = event_base_new()};
	struct http_settings settings = {.limits = HTTP_LIMITS_DEFAULT};
	auto_free char *where = mem_printf("127.0.0.1:%u", port);
	struct http_server *other;
	struct err err;
	settings.listen = where;
	assert_int_equal(
		http_server_new(&other, world.base, &settings, routes, NULL, &err),
		-EADDRINUSE);
	assert_says(err.text, where);
	settings.listen = path;
	assert_int_equal(
		http_server_new(&other, world.base, &settings, routes, NULL, &err),
		-EBUSY);
	assert_says(err.text, "another momd");
	event_base_free(world.base);
}

static int begin(void **state)
{
	(void)state;
	int ready[2];
	strcpy(directory, "/tmp/mom-http-XXXXXX");
	if (!mkdtemp(directory) || pipe(ready) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/http.sock", directory);
	server = fork();
	if (server == 0)
		serve(ready[1]);
	close(ready[1]);
	ssize_t got = read(ready[0], &port, sizeof(port));
	close(ready[0]);
	return got == sizeof(port) ? 0 : -1;
}

/* It ends with nothing left over, as a sanitizer would tell. */
static int end(void **state)
{
	(void)state;
	int status = -1;
	kill(server, SIGTERM);
	waitpid(server, &status, 0);
	auto_free char *lock = mem_printf("%s.lock", path);
	auto_free char *other = mem_printf("%s/other.lock", directory);
	unlink(lock);
	unlink(other);
	rmdir(directory);
	return status;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_comes_with_what_guards_it),
		cmocka_unit_test(a_head_has_no_body),
		cmocka_unit_test(nothing_can_be_changed),
		cmocka_unit_test(other_paths_are_nowhere),
		cmocka_unit_test(parameters_are_decoded),
		cmocka_unit_test(an_answer_may_come_later),
		cmocka_unit_test(one_connection_serves_many_requests),
		cmocka_unit_test(a_page_from_elsewhere_gets_nothing),
		cmocka_unit_test(nonsense_ends_the_connection_alone),
		cmocka_unit_test(who_dawdles_is_ended),
		cmocka_unit_test(who_does_not_read_is_ended),
		cmocka_unit_test(who_reads_gets_it_all),
		cmocka_unit_test(one_too_many_waits),
		cmocka_unit_test(a_client_may_leave_before_its_answer),
		cmocka_unit_test(the_socket_is_for_root_alone),
		cmocka_unit_test(the_end_may_come_before_the_answer),
		cmocka_unit_test(what_is_taken_is_not_served_twice),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
