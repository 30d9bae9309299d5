/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "mom/collector.h"
#include "mom/mem.h"

/*
 * A stall this long in this time wakes the daemon. The shorter one takes a privilege that
 * even root may lack; the kernel looks at the longer one just once in its window.
 */
static const char *const triggers[] = {"some 100000 1000000", "some 200000 2000000"};

struct psi {
	int fd;
	int trigger; /* -1 none granted */
	int wake;    /* an epoll that is readable when the trigger fires; -1 none */
	char *path;
};

static void psi_close(void *self)
{
	struct psi *psi = self;
	if (!psi)
		return;
	mem_auto_close(&psi->wake);
	mem_auto_close(&psi->trigger);
	mem_auto_close(&psi->fd);
	free(psi->path);
	free(psi);
}

static int open_trigger(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(triggers); i++) {
		int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return -1;
		if (write(fd, triggers[i], strlen(triggers[i]) + 1) > 0)
			return fd;
		close(fd);
	}
	return -1;
}

/* A trigger reports by POLLPRI, which not every event loop watches; an epoll of its own
 * turns that into being readable. */
static void open_wake(struct psi *psi)
{
	psi->trigger = open_trigger(psi->path);
	if (psi->trigger < 0)
		return;
	psi->wake = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLPRI};
	if (psi->wake < 0 ||
		epoll_ctl(psi->wake, EPOLL_CTL_ADD, psi->trigger, &event) == 0)
		return;
	close(psi->wake);
	psi->wake = -1;
}

static int psi_wake_fd(void *self)
{
	return ((struct psi *)self)->wake;
}

static int psi_open(void **self, const struct collector_env *env, struct err *err)
{
	struct psi *psi = mem_alloc(sizeof(*psi));
	psi->trigger = psi->wake = -1;
	psi->path = mem_printf("%s/pressure/memory", env->proc_root);
	psi->fd = open(psi->path, O_RDONLY | O_CLOEXEC);
	if (psi->fd < 0) {
		int result = err_errno(err, errno, "cannot open \"%s\"", psi->path);
		psi_close(psi);
		return result;
	}
	open_wake(psi);
	*self = psi;
	return 0;
}

/* The avg10 of one line, from percent. */
static bool read_average(const char *text, const char *line, double *ratio)
{
	const char *start = strstr(text, line);
	double percent;
	if (!start || sscanf(start + strlen(line), " avg10=%lf", &percent) != 1)
		return false;
	*ratio = percent / 100;
	return true;
}

/*
 * Read the host's memory pressure.
 *
 * Shape:  two lines, "some" and "full", each avg10 avg60 avg300 total; avg10 is kept.
 * Units:  the kernel prints percent; stored as a ratio 0..1.
 * Errors: -EOPNOTSUPP and others PSI is off; -EBADMSG the file has another shape.
 * Source: /proc/pressure/memory, kernel Documentation/accounting/psi.rst
 */
static int psi_sample(void *self, struct snapshot *into, struct err *err)
{
	struct psi *psi = self;
	struct epoll_event woken; /* taken, or it would wake again at once */
	if (psi->wake >= 0)
		epoll_wait(psi->wake, &woken, 1, 0);
	char text[256];
	ssize_t length = pread(psi->fd, text, sizeof(text) - 1, 0);
	if (length < 0)
		return err_errno(err, errno, "cannot read \"%s\"", psi->path);
	text[length] = '\0';
	double some, full;
	if (!read_average(text, "some", &some) || !read_average(text, "full", &full))
		return err_set(err, -EBADMSG, "\"%s\" has another shape than expected",
			psi->path);
	into->host.psi_some = some;
	into->host.psi_full = full;
	into->host.has_psi = true;
	return 0;
}

const struct collector collector_psi = {
	.name = "psi",
	.help = "the host's memory pressure (/proc/pressure/memory)",
	.open = psi_open,
	.sample = psi_sample,
	.wake_fd = psi_wake_fd,
	.close = psi_close,
};
