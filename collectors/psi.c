/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mom/collector.h"
#include "mom/mem.h"

struct psi {
	int fd;
	char *path;
};

static void psi_close(void *self)
{
	struct psi *psi = self;
	if (!psi)
		return;
	if (psi->fd >= 0)
		close(psi->fd);
	free(psi->path);
	free(psi);
}

static int psi_open(void **self, const struct collector_env *env, struct err *err)
{
	struct psi *psi = mem_alloc(sizeof(*psi));
	psi->path = mem_printf("%s/pressure/memory", env->proc_root);
	psi->fd = open(psi->path, O_RDONLY | O_CLOEXEC);
	if (psi->fd < 0) {
		int result = err_errno(err, errno, "cannot open \"%s\"", psi->path);
		psi_close(psi);
		return result;
	}
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
	.close = psi_close,
};
