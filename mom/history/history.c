/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/history/history.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <json-c/json.h>

#include "mom/mem.h"

#define QUEUE_BYTES  (128 * 1024) /* unsent: the child doesn't keep up */
#define ANSWER_BYTES (8 * 1024 * 1024)
#define ANSWER_S     5
#define QUESTIONS    16 /* under way at once */
#define WAIT_FIRST_S 1  /* before the child is started again, twice as long … */
#define WAIT_MOST_S  60 /* … each time, up to this */
#define ENDING_MOST  5
#define CLOSE_MS     1000 /* to hand on what is left */
#define PLAIN        (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

struct question {
	TAILQ_ENTRY(question) entry;
	struct history *history;
	int64_t id;
	history_answer_fn answer;
	void *context;
	struct event *late;
};

TAILQ_HEAD(questions, question);

struct history {
	struct history_env env;
	char *program, *path; /* no path: switched off */
	struct history_settings settings;
	pid_t child;              /* 0 none; it may be ending still */
	int ending;               /* so often it was waited for */
	struct bufferevent *pipe; /* NULL: it isn't there */
	struct event *again;
	int wait_s;
	struct questions questions;
	size_t question_count;
	int64_t last_id;
	char trouble[480]; /* "" none */
	bool begun;        /* the child is as good as it was: told once if not */
};

static void say(struct history *history, enum log_level level, const char *text)
{
	bool bad = level <= LOG_LEVEL_WARNING;
	snprintf(history->trouble, sizeof(history->trouble), "%s", bad ? text : "");
	history->env.say(history->env.context, level, text);
}

/* ---- questions ---- */

static void question_end(
	struct question *question, struct json_object *answer, const struct err *err)
{
	struct history *history = question->history;
	TAILQ_REMOVE(&history->questions, question, entry);
	history->question_count--;
	event_free(question->late);
	if (question->answer)
		question->answer(question->context, answer, err);
	else
		json_object_put(answer);
	free(question);
}

static void fail_all(struct history *history, int code, const char *text)
{
	struct err err;
	err_set(&err, code, "%s", text);
	while (!TAILQ_EMPTY(&history->questions))
		question_end(TAILQ_FIRST(&history->questions), NULL, &err);
}

static void on_late(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	struct err err;
	err_set(&err, -ETIMEDOUT, "the history doesn't answer: is its disk slow?");
	question_end(context, NULL, &err);
}

static struct question *question_of(struct history *history, int64_t id)
{
	struct question *question;
	TAILQ_FOREACH(question, &history->questions, entry)
	if (question->id == id)
		return question;
	return NULL; /* it came too late */
}

/* The child's text is passed on as it is: to read it would only cost memory. */
static struct json_object *raw_json(const char *text)
{
	struct json_object *object = json_object_new_object();
	json_object_set_serializer(object, json_object_userdata_to_json_string,
		mem_dup(text), json_object_free_userdata);
	return object;
}

/* ---- the child's lines ---- */

static void take_answer(struct history *history, const char *line)
{
	char *text;
	struct question *question = question_of(history, strtoll(line, &text, 10));
	if (question && *text == ' ')
		question_end(question, raw_json(text + 1), NULL);
}

static void take_failure(struct history *history, const char *line)
{
	char *text;
	struct question *question = question_of(history, strtoll(line, &text, 10));
	struct err err;
	long code = strtol(text, &text, 10);
	err_set(&err, -(int)code, "%s", text + (*text == ' '));
	if (question)
		question_end(question, NULL, &err);
}

static void take_word(struct history *history, const char *line)
{
	char *text;
	long level = strtol(line, &text, 10);
	if (level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG && *text == ' ')
		say(history, (enum log_level)level, text + 1);
}

static void take_line(struct history *history, const char *line)
{
	if (strncmp(line, "ok ", 3) == 0)
		take_answer(history, line + 3);
	else if (strncmp(line, "fail ", 5) == 0)
		take_failure(history, line + 5);
	else if (strncmp(line, "say ", 4) == 0)
		take_word(history, line + 4);
}

static void on_read(struct bufferevent *pipe, void *context)
{
	struct history *history = context;
	struct evbuffer *input = bufferevent_get_input(pipe);
	char *line;
	while (history->pipe == pipe &&
		(line = evbuffer_readln(input, NULL, EVBUFFER_EOL_LF))) {
		history->wait_s = WAIT_FIRST_S; /* it works */
		take_line(history, line);
		free(line);
	}
}

/* ---- the child ---- */

static void start(struct history *history);

static void reap(struct history *history)
{
	if (history->child && waitpid(history->child, NULL, WNOHANG) != 0)
		history->child = 0;
	history->ending = history->child ? history->ending + 1 : 0;
}

static void reap_later(struct history *history)
{
	static const struct timeval wait = {.tv_sec = 1};
	evtimer_add(history->again, &wait);
}

static void let_go(struct history *history)
{
	bufferevent_free(history->pipe);
	history->pipe = NULL;
	reap(history);
}

static void start_later(struct history *history)
{
	struct timeval wait = {.tv_sec = history->wait_s};
	history->wait_s =
		history->wait_s * 2 > WAIT_MOST_S ? WAIT_MOST_S : history->wait_s * 2;
	evtimer_add(history->again, &wait);
}

static void on_end(struct bufferevent *pipe, short what, void *context)
{
	struct history *history = context;
	(void)pipe, (void)what;
	let_go(history);
	if (history->begun)
		say(history, LOG_LEVEL_WARNING,
			"its program ended; starting it again, without what it had not "
			"written");
	history->begun = false;
	fail_all(history, -EAGAIN, "the history is being started again; ask again");
	start_later(history);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
	struct history *history = context;
	(void)fd, (void)what;
	reap(history);
	if (history->path && !history->pipe)
		start(history);
	else if (history->child && !history->pipe)
		reap_later(history);
}

/* Between fork and exec nothing is done that other threads could hold a lock of. */
static void become_child(int fd, char *const *argv)
{
	static const char failed[] = "say 1 its program can't be started\n";
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		_exit(127);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	execv(argv[0], argv);
	if (write(STDOUT_FILENO, failed, sizeof(failed) - 1) < 0)
		_exit(126);
	_exit(127);
}

static int spawn(struct history *history)
{
	const struct history_settings *settings = &history->settings;
	auto_free char *keep =
		mem_printf("%llu", (unsigned long long)settings->keep_ms / 1000);
	auto_free char *size = mem_printf("%llu", (unsigned long long)settings->size_kib);
	auto_free char *period =
		mem_printf("%llu", (unsigned long long)settings->period_ms / 1000);
	char *argv[] = {history->program, history->path, keep, size, period, NULL};
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	history->child = fork();
	if (history->child == 0)
		become_child(ends[1], argv);
	int failed = history->child < 0 ? -errno : 0;
	close(ends[1]);
	if (failed) {
		history->child = 0;
		close(ends[0]);
	}
	return failed ? failed : ends[0];
}

/* The one before may be writing still; a disk that hangs isn't waited for. */
static void start(struct history *history)
{
	if (history->child && history->ending < ENDING_MOST) {
		reap_later(history);
		return;
	}
	int fd = access(history->program, X_OK) < 0 ? -errno : spawn(history);
	if (fd < 0) {
		auto_free char *text =
			mem_printf("its program can't be started: %s", strerror(-fd));
		if (!*history->trouble)
			say(history, LOG_LEVEL_WARNING, text);
		start_later(history);
		return;
	}
	evutil_make_socket_nonblocking(fd);
	history->pipe =
		bufferevent_socket_new(history->env.base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!history->pipe)
		abort();
	if (!history->begun && *history->trouble && history->wait_s > WAIT_FIRST_S)
		history->trouble[0] = '\0'; /* it has its own to tell */
	history->begun = true;
	bufferevent_setcb(history->pipe, on_read, NULL, on_end, history);
	bufferevent_setwatermark(history->pipe, EV_READ, 0, ANSWER_BYTES);
	bufferevent_enable(history->pipe, EV_READ | EV_WRITE);
}

/* What isn't sent goes out as far as it does within the time. */
static void hand_on(struct history *history, int wait_ms)
{
	struct evbuffer *output = bufferevent_get_output(history->pipe);
	evutil_socket_t fd = bufferevent_getfd(history->pipe);
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	bufferevent_disable(history->pipe, EV_READ | EV_WRITE);
	while (evbuffer_get_length(output) && poll(&ready, 1, wait_ms) > 0)
		if (evbuffer_write(output, fd) <= 0)
			break;
}

static void stop(struct history *history, int wait_ms)
{
	evtimer_del(history->again);
	if (!history->pipe)
		return;
	hand_on(history, wait_ms);
	let_go(history);
	fail_all(history, -ECANCELED, "the history is being closed");
}

/* ---- from outside ---- */

struct history *history_open(const struct history_env *env)
{
	struct history *history = mem_alloc(sizeof(*history));
	history->env = *env;
	history->program = mem_dup(env->program);
	history->again = evtimer_new(env->base, on_again, history);
	history->wait_s = WAIT_FIRST_S;
	TAILQ_INIT(&history->questions);
	if (!history->again)
		abort();
	return history;
}

void history_close(struct history *history)
{
	if (!history)
		return;
	stop(history, CLOSE_MS);
	event_free(history->again);
	free(history->program);
	free(history->path);
	free(history);
}

static bool is_same(const struct history *history, const struct history_settings *other)
{
	const struct history_settings *own = &history->settings;
	return strcmp(history->path ? history->path : "", other->path) == 0 &&
	       own->keep_ms == other->keep_ms && own->size_kib == other->size_kib &&
	       own->period_ms == other->period_ms;
}

void history_set(struct history *history, const struct history_settings *settings)
{
	if (is_same(history, settings))
		return;
	stop(history, 0);
	history->settings = *settings;
	mem_replace(&history->path, *settings->path ? settings->path : NULL);
	history->settings.path = history->path;
	history->trouble[0] = '\0';
	history->begun = false;
	if (history->path)
		start(history);
	else if (history->child)
		reap_later(history);
}

bool history_is_full(const struct history *history)
{
	return !history->pipe ||
	       evbuffer_get_length(bufferevent_get_output(history->pipe)) > QUEUE_BYTES;
}

static void send_line(struct history *history, struct json_object *line)
{
	size_t length;
	const char *text = json_object_to_json_string_length(line, PLAIN, &length);
	struct evbuffer *output = bufferevent_get_output(history->pipe);
	evbuffer_add(output, text, length);
	evbuffer_add(output, "\n", 1);
}

static void add_text(struct json_object *line, const char *key, const char *text)
{
	if (text)
		json_object_object_add(line, key, json_object_new_string(text));
}

void history_put_series(struct history *history, const char *key, const char *name,
	const struct series *series, const char *why)
{
	if (history_is_full(history))
		return;
	struct json_object *line = json_object_new_object();
	struct json_object *values = json_object_new_object();
	add_text(line, "row", series->kind == SERIES_GUEST ? "guest" : "pool");
	add_text(line, "key", key);
	add_text(line, "name", name);
	json_object_object_add(line, "at", json_object_new_int64(series->at_s));
	json_object_object_add(line, "span", json_object_new_int64(series->span_s));
	add_text(line, "state", series_state_name(series->kind, series->state));
	add_text(line, "why", why);
	for (size_t i = 0; i < series_columns(series->kind); i++) {
		char text[SERIES_TEXT_MAX];
		if (series_has(series, i))
			json_object_object_add(values,
				series_column(series->kind, i)->name,
				json_object_new_double_s(
					series->values[i], series_text(text, series, i)));
	}
	json_object_object_add(line, "values", values);
	send_line(history, line);
	json_object_put(line);
}

void history_put_event(struct history *history, struct json_object *event)
{
	if (!history_is_full(history))
		send_line(history, event);
}

const char *history_trouble(const struct history *history)
{
	return *history->trouble ? history->trouble : NULL;
}

static void refuse(history_answer_fn answer, void *context, int code, const char *text)
{
	struct err err;
	err_set(&err, code, "%s", text);
	answer(context, NULL, &err);
}

/* Hands `line` over. */
static void ask(struct history *history, struct json_object *line,
	history_answer_fn answer, void *context)
{
	static const struct timeval patience = {.tv_sec = ANSWER_S};
	if (!history->path)
		refuse(answer, context, -EOPNOTSUPP,
			"the history is switched off: history.path of momd.conf is "
			"empty");
	else if (!history->pipe)
		refuse(answer, context, -EAGAIN,
			"the history is being started again; ask again");
	else if (history->question_count >= QUESTIONS)
		refuse(answer, context, -EBUSY, "the history is asked much already");
	else {
		struct question *question = mem_alloc(sizeof(*question));
		question->history = history;
		question->id = ++history->last_id;
		question->answer = answer;
		question->context = context;
		question->late = evtimer_new(history->env.base, on_late, question);
		if (!question->late)
			abort();
		evtimer_add(question->late, &patience);
		TAILQ_INSERT_TAIL(&history->questions, question, entry);
		history->question_count++;
		json_object_object_add(line, "id", json_object_new_int64(question->id));
		send_line(history, line);
	}
	json_object_put(line);
}

static struct json_object *question_line(
	const char *what, const char *guest, int64_t since_ms, int64_t until_ms)
{
	struct json_object *line = json_object_new_object();
	add_text(line, "ask", what);
	add_text(line, "guest", guest);
	json_object_object_add(line, "since_ms", json_object_new_int64(since_ms));
	json_object_object_add(line, "until_ms", json_object_new_int64(until_ms));
	return line;
}

void history_ask(struct history *history, const struct history_question *question,
	history_answer_fn answer, void *context)
{
	struct json_object *line = question_line(
		"series", question->guest, question->since_ms, question->until_ms);
	json_object_object_add(
		line, "step_s", json_object_new_int64((int64_t)question->step_s));
	json_object_object_add(
		line, "points", json_object_new_int64((int64_t)question->points));
	json_object_object_add(
		line, "pools_only", json_object_new_boolean(question->pools_only));
	ask(history, line, answer, context);
}

void history_ask_events(struct history *history, const char *guest, int64_t since_ms,
	int64_t until_ms, uint64_t limit, history_answer_fn answer, void *context)
{
	struct json_object *line = question_line("events", guest, since_ms, until_ms);
	json_object_object_add(line, "points", json_object_new_int64((int64_t)limit));
	ask(history, line, answer, context);
}

void history_forget(struct history *history, const void *context)
{
	struct question *question;
	TAILQ_FOREACH(question, &history->questions, entry)
	if (question->context == context)
		question->answer = NULL;
}
