/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts the made-up hypervisor into the real momd, in the place of libvirt and of the
 * collectors, on the clock of the wall. momd wants `uri = "fake:"` then; what goes on in
 * the made-up host comes on standard input, a line a change:
 *
 *	host MIB            all its memory (4096)
 *	others MIB          what isn't its guests' (256)
 *	swap MIB MIB        all of its swap, and what is free of it
 *	pressure RATIO      wholly stalled on memory
 *	add MIB MIB NAME    a guest of that memory arrives, and uses so much
 *	use MIB NAME        it uses so much
 *	cache MIB NAME      and holds so much in files
 *	swapin KIB NAME     it read so much back from its swap, in all
 *	obey never|yes NAME its balloon stands still, or moves
 *	reboot NAME         and so does
 *	stop NAME           it ends
 *	connect, disconnect the hypervisor is there, or isn't
 *
 * A name goes to the end of its line and may hold anything else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "hypervisors/libvirt.h"
#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/fake.h"

#define STEP_MS 100

struct live {
	struct fake fake; /* first: the collectors and the made-up hypervisor know it */
	int epoll, timer, news;
	char line[1024];
	size_t length;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what is told ---- */

static struct fake_guest *by_name(struct fake *fake, const char *name)
{
	for (size_t i = 0; i < fake->count; i++)
		if (fake->guests[i].present && strcmp(fake->guests[i].name, name) == 0)
			return &fake->guests[i];
	return NULL;
}

static void obey_host(struct fake *fake, const char *word, const double *numbers)
{
	if (strcmp(word, "host") == 0)
		fake->memory_kib = (uint64_t)(numbers[0] * KIB_PER_MIB);
	else if (strcmp(word, "others") == 0)
		fake->base_kib = (uint64_t)(numbers[0] * KIB_PER_MIB);
	else if (strcmp(word, "pressure") == 0)
		fake->psi_full = numbers[0];
	else if (strcmp(word, "connect") == 0 || strcmp(word, "disconnect") == 0)
		fake_disconnect(fake, word[0] == 'd');
	else if (strcmp(word, "swap") == 0) {
		fake->swap_total_kib = (uint64_t)(numbers[0] * KIB_PER_MIB);
		fake->swap_free_kib = (uint64_t)(numbers[1] * KIB_PER_MIB);
	}
}

static void add(struct fake *fake, const double *numbers, const char *name)
{
	const struct fake_guest *guest =
		fake_add(fake, name, (uint64_t)(numbers[0] * KIB_PER_MIB),
			(uint64_t)(numbers[1] * KIB_PER_MIB));
	fake_tell(fake, EVENT_GUEST_ARRIVED, guest, 0);
}

static void obey_guest(struct fake *fake, const char *word, const double *numbers,
	const char *option, const char *name)
{
	struct fake_guest *guest = by_name(fake, name);
	if (strcmp(word, "add") == 0)
		add(fake, numbers, name);
	else if (!guest)
		fprintf(stderr, "made-up host: there is no guest \"%s\"\n", name);
	else if (strcmp(word, "use") == 0)
		guest->used_kib = (uint64_t)(numbers[0] * KIB_PER_MIB);
	else if (strcmp(word, "cache") == 0)
		guest->cache_kib = (uint64_t)(numbers[0] * KIB_PER_MIB);
	else if (strcmp(word, "swapin") == 0)
		guest->swap_in_kib = (uint64_t)numbers[0];
	else if (strcmp(word, "obey") == 0)
		guest->obey = strcmp(option, "never") == 0 ? OBEY_NEVER : OBEY;
	else if (strcmp(word, "reboot") == 0)
		fake_reboot(fake, guest);
	else if (strcmp(word, "stop") == 0)
		fake_stop(fake, guest);
}

/* How many words stand before the name; and -1: no name follows. */
static int words_before_name(const char *word)
{
	static const struct {
		const char *word;
		int count;
	} known[] = {{"add", 2}, {"use", 1}, {"cache", 1}, {"swapin", 1}, {"obey", 1},
		{"reboot", 0}, {"stop", 0}};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].word, word) == 0)
			return known[i].count;
	return -1;
}

static void obey_line(struct fake *fake, char *line)
{
	char *rest = line;
	const char *options[2] = {"", ""};
	const char *word = strsep(&rest, " ");
	int count = words_before_name(word);
	for (int i = 0; rest && i < (count < 0 ? 2 : count); i++)
		options[i] = strsep(&rest, " ");
	const double numbers[] = {strtod(options[0], NULL), strtod(options[1], NULL)};
	if (count < 0)
		obey_host(fake, word, numbers);
	else if (rest)
		obey_guest(fake, word, numbers, options[0], rest);
}

/* Who tells nothing more leaves the host as it is. */
static void listen_to(struct live *live)
{
	ssize_t got = read(STDIN_FILENO, live->line + live->length,
		sizeof(live->line) - 1 - live->length);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		epoll_ctl(live->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	if (got <= 0)
		return;
	live->length += (size_t)got;
	live->line[live->length] = '\0';
	char *end, *at = live->line;
	for (; (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		obey_line(&live->fake, at);
	}
	live->length = strlen(at);
	if (live->length == sizeof(live->line) - 1)
		live->length = 0; /* no line is so long */
	memmove(live->line, at, live->length);
}

/* ---- in libvirt's place ---- */

static void watch(const struct live *live, int fd)
{
	struct epoll_event wanted = {.events = EPOLLIN};
	epoll_ctl(live->epoll, EPOLL_CTL_ADD, fd, &wanted);
}

static int live_open(void **self, const struct hypervisor_env *env, struct err *err)
{
	struct live *live = mem_alloc(sizeof(*live));
	struct hypervisor_env made_up = *env;
	struct itimerspec step = {.it_interval.tv_nsec = STEP_MS * 1000000l,
		.it_value.tv_nsec = STEP_MS * 1000000l};
	fake_init(&live->fake, 4096 * KIB_PER_MIB);
	live->fake.base_kib = 256 * KIB_PER_MIB;
	live->fake.now_ms = now_ms();
	made_up.context = live;
	int result = fake_hypervisor.open(self, &made_up, err);
	if (result < 0) {
		fake_done(&live->fake);
		free(live);
		return result;
	}
	live->epoll = epoll_create1(EPOLL_CLOEXEC);
	live->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	live->news = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	timerfd_settime(live->timer, 0, &step, NULL);
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	watch(live, live->timer);
	watch(live, live->news);
	watch(live, STDIN_FILENO);
	return 0;
}

static int live_fd(void *self)
{
	return ((struct live *)self)->epoll;
}

static void tell(struct live *live)
{
	eventfd_write(live->news, 1);
}

static void live_refresh(void *self)
{
	fake_hypervisor.refresh(self);
	tell(self);
}

static int live_set_target(
	void *self, const char *uuid, uint64_t target_kib, struct err *err)
{
	tell(self);
	return fake_hypervisor.set_target(self, uuid, target_kib, err);
}

/* The loop asks when the descriptor says so: that is when time passes, too. */
static int live_next_event(void *self, struct hypervisor_event *event)
{
	struct live *live = self;
	uint64_t times;
	eventfd_t news;
	if (read(live->timer, &times, sizeof(times)) > 0)
		fake_step(&live->fake, (uint64_t)(now_ms() - live->fake.now_ms));
	listen_to(live);
	int told = fake_hypervisor.next_event(self, event);
	if (!told)
		(void)eventfd_read(live->news, &news);
	return told;
}

static void live_sample(void *self, struct snapshot *into)
{
	fake_hypervisor.sample(self, into);
}

static void live_ask(void *self, const char *uuid)
{
	fake_hypervisor.ask_statistics(self, uuid);
}

static void live_status(void *self, struct hypervisor_status *status)
{
	fake_hypervisor.status(self, status);
	status->since_ms = now_ms();
}

static void live_close(void *self)
{
	struct live *live = self;
	fake_hypervisor.close(self);
	close(live->epoll);
	close(live->timer);
	close(live->news);
	fake_done(&live->fake);
	free(live);
}

const struct hypervisor hypervisor_libvirt = {
	.name = "fake",
	.open = live_open,
	.fd = live_fd,
	.refresh = live_refresh,
	.next_event = live_next_event,
	.sample = live_sample,
	.set_target = live_set_target,
	.ask_statistics = live_ask,
	.status = live_status,
	.close = live_close,
};
