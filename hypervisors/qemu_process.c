/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisors/qemu_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mom/mem.h"

/* QEMU's name and identity stand at the front of its command line. */
#define COMMAND_LINE_MAX 8192

/* As much of a small file as fits, ended by a NUL; its length, 0 where it can't be read.
 */
static size_t read_start(
	const char *proc_root, int pid, const char *name, char *text, size_t size)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%d/%s", proc_root, pid, name);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, size - 1);
	if (length < 0)
		length = 0;
	text[length] = '\0';
	return (size_t)length;
}

/* The argument behind "-uuid", or NULL. */
static const char *uuid_argument(const char *line, size_t length)
{
	const char *end = line + length;
	for (const char *at = line; at < end; at += strlen(at) + 1)
		if (strcmp(at, "-uuid") == 0 && at + sizeof("-uuid") < end)
			return at + sizeof("-uuid");
	return NULL;
}

static void look_at(
	const char *proc_root, int pid, struct qemu_wanted *wanted, size_t count)
{
	char line[COMMAND_LINE_MAX];
	size_t length = read_start(proc_root, pid, "cmdline", line, sizeof(line));
	const char *uuid = uuid_argument(line, length);
	for (size_t i = 0; uuid && i < count; i++)
		if (!wanted[i].pid && strcasecmp(uuid, wanted[i].uuid) == 0)
			wanted[i].pid = pid;
}

void qemu_process_find(const char *proc_root, struct qemu_wanted *wanted, size_t count)
{
	DIR *proc = count ? opendir(proc_root) : NULL;
	if (!proc)
		return;
	for (struct dirent *entry; (entry = readdir(proc));) {
		int pid = atoi(entry->d_name);
		if (pid > 0)
			look_at(proc_root, pid, wanted, count);
	}
	closedir(proc);
}

enum qemu_process_state qemu_process_state(const char *proc_root, int pid)
{
	char text[512];
	if (pid <= 0 || !read_start(proc_root, pid, "stat", text, sizeof(text)))
		return QEMU_RUNS;
	const char *name_end = strrchr(text, ')'); /* the name may hold anything */
	if (!name_end || name_end[1] != ' ')
		return QEMU_RUNS;
	switch (name_end[2]) {
	case 'T':
	case 't':
		return QEMU_STOPPED;
	case 'D':
		return QEMU_BLOCKED;
	default:
		return QEMU_RUNS;
	}
}
