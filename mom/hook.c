/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/hook.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mom/daemon.h"
#include "mom/log.h"
#include "mom/mem.h"
#include "mom/units.h"

#define VARIABLES_MAX 12
#define PROGRAM_PATH  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- what it is told ---- */

struct environment {
	char *texts[VARIABLES_MAX + 1]; /* "NAME=value"; ends with NULL */
	size_t count;
};

__attribute__((format(printf, 2, 3))) static void put(
	struct environment *environment, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	environment->texts[environment->count++] = mem_vprintf(format, args);
	va_end(args);
}

static void environment_done(struct environment *environment)
{
	for (size_t i = 0; i < environment->count; i++)
		free(environment->texts[i]);
}

static const struct pool *worst_pool(const struct pools *pools, enum host_state state)
{
	for (size_t i = 0; i < pools->count; i++)
		if (pools->items[i].sample.state == state &&
			(i == 0 || pools->items[i].guest_count))
			return &pools->items[i];
	return &pools->items[0];
}

static void describe(struct environment *environment, const struct daemon *daemon)
{
	const struct hook *hook = &daemon->hook;
	const struct pool *pool = worst_pool(&daemon->engine.pools, hook->state);
	const struct host_sample *sample = &pool->sample;
	put(environment, PROGRAM_PATH);
	put(environment, "MOM_STATE=%s", host_state_name(hook->state));
	put(environment, "MOM_FORMER_STATE=%s",
		hook->had_former ? host_state_name(hook->former) : "unknown");
	put(environment, "MOM_POOL=%s", *pool->path ? pool->path : "host");
	put(environment, "MOM_AVAILABLE_KIB=%" PRIu64, sample->available_kib);
	put(environment, "MOM_RESERVE_KIB=%" PRIu64, sample->reserve_kib);
	put(environment, "MOM_BUDGET_KIB=%" PRIu64, sample->budget_kib);
	put(environment, "MOM_COST_KIB=%" PRIu64, sample->cost_kib);
	put(environment, "MOM_GUESTS=%zu", daemon->engine.roster.count);
	put(environment, "MOM_SOCKET=%s", daemon->engine.config->control.socket);
}

/* ---- running it ---- */

/* Between fork and exec nothing is done that other threads could hold a lock of. */
static void become(const char *program, char *const *environment, int failure)
{
	char *const arguments[] = {(char *)program, NULL};
	sigset_t none;
	/* it may eat memory, and be killed for it, as anybody else */
	int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (score >= 0 && write(score, "0", 1) < 0)
		close(score);
	setpgid(0, 0);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool ready = nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
		     dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 && chdir("/") == 0 &&
		     dup3(failure, STDERR_FILENO + 1, O_CLOEXEC) >= 0;
	if (ready) {
		failure = STDERR_FILENO + 1;
		close_range((unsigned)failure + 1, ~0u, 0);
		execve(program, arguments, environment);
	}
	int error = errno;
	if (write(failure, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

static pid_t run(const char *program, char *const *environment, int *failure)
{
	int ends[2];
	sigset_t all, before;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	/* a handler of ours must not run in the child: it would write to our own pipe */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t child = fork();
	if (child == 0)
		become(program, environment, ends[1]);
	int error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (child > 0) {
		setpgid(child, child); /* whoever of both comes first */
		*failure = ends[0];
	} else {
		close(ends[0]);
	}
	errno = error;
	return child;
}

static void begin(struct daemon *daemon, const char *program)
{
	struct hook *hook = &daemon->hook;
	uint64_t limit_ms = daemon->engine.config->on_state_limit_ms;
	struct timeval limit = {.tv_sec = (time_t)(limit_ms / 1000),
		.tv_usec = (suseconds_t)(limit_ms % 1000 * 1000)};
	struct environment environment = {0};
	describe(&environment, daemon);
	pid_t child = run(program, environment.texts, &hook->failure);
	if (child < 0) {
		hook->failures++;
		log_warning("on_state: \"%s\" can't be run: %s; the state is %s", program,
			strerror(errno), host_state_name(hook->state));
	} else {
		hook->child = child;
		hook->killed = false;
		evtimer_add(hook->limit, &limit);
		log_debug("on_state: \"%s\" is run (process %d)", program, (int)child);
	}
	environment_done(&environment);
}

void hook_tick(struct daemon *daemon)
{
	struct hook *hook = &daemon->hook;
	const struct engine *engine = &daemon->engine;
	const char *program = engine->config->on_state;
	if (!*program)
		hook->told = false;
	if (!*program || hook->child || daemon->stopping || !engine->pools.count)
		return;
	enum host_state state = pools_state(&engine->pools);
	if (hook->told && hook->state == state)
		return;
	hook->had_former = hook->told;
	hook->former = hook->state;
	hook->state = state;
	hook->told = true;
	hook->runs++;
	begin(daemon, program);
}

/* ---- its end ---- */

static void tell_end(const struct daemon *daemon, int status, int error)
{
	const struct hook *hook = &daemon->hook;
	const char *state = host_state_name(hook->state);
	char limit[DURATION_TEXT_MAX];
	if (error)
		log_warning("on_state: it can't be run: %s; the state is %s",
			strerror(error), state);
	else if (hook->killed)
		log_warning("on_state: it took longer than %s and was killed; the state "
			    "was %s",
			units_format_duration(
				limit, daemon->engine.config->on_state_limit_ms),
			state);
	else if (WIFSIGNALED(status))
		log_warning("on_state: it was ended by signal %d; the state was %s",
			WTERMSIG(status), state);
	else
		log_warning("on_state: it ended with status %d; the state was %s",
			WEXITSTATUS(status), state);
}

static void on_ended(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct daemon *daemon = context;
	struct hook *hook = &daemon->hook;
	int status, error = 0;
	if (!hook->child || waitpid(hook->child, &status, WNOHANG) != hook->child)
		return; /* another child, or another's */
	if (read(hook->failure, &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(hook->failure);
	hook->failure = -1;
	hook->child = 0;
	evtimer_del(hook->limit);
	if (status || error) {
		hook->failures++;
		tell_end(daemon, status, error);
	}
}

/* With all that it started, but for what has left its group. */
static void on_limit(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct hook *hook = &((struct daemon *)context)->hook;
	if (!hook->child)
		return;
	hook->killed = true;
	kill(-hook->child, SIGKILL);
}

int hook_open(struct daemon *daemon, struct err *err)
{
	struct hook *hook = &daemon->hook;
	*hook = (struct hook){.failure = -1};
	hook->limit = evtimer_new(daemon->base, on_limit, daemon);
	hook->ended = evsignal_new(daemon->base, SIGCHLD, on_ended, daemon);
	if (!hook->limit || !hook->ended || event_add(hook->ended, NULL) < 0)
		return err_set(
			err, -ENOMEM, "libevent cannot watch what the daemon needs");
	return 0;
}

void hook_close(struct daemon *daemon)
{
	struct hook *hook = &daemon->hook;
	if (hook->child) {
		kill(-hook->child, SIGKILL);
		close(hook->failure);
	}
	if (hook->limit)
		event_free(hook->limit);
	if (hook->ended)
		event_free(hook->ended);
	*hook = (struct hook){.failure = -1};
}
