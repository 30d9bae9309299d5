/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "collectors/arc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mom/mem.h"
#include "mom/units.h"

#define TEXT_MAX 16384 /* some 150 lines of 40 bytes */

int arc_open(const char *proc_root)
{
	auto_free char *path = mem_printf("%s/spl/kstat/zfs/arcstats", proc_root);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The value of the line of this name. */
static bool find(const char *text, const char *name, uint64_t *value)
{
	size_t length = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ' ')
			return sscanf(line + length, " %*u %" SCNu64, value) == 1;
	}
	return false;
}

static uint64_t evictable(const char *text)
{
	static const char *const names[] = {"mru_evictable_data",
		"mru_evictable_metadata", "mfu_evictable_data", "mfu_evictable_metadata"};
	uint64_t sum = 0, value;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!find(text, names[i], &value))
			return UINT64_MAX;
		sum += min_u64(value, UINT64_MAX / ARRAY_SIZE(names));
	}
	return sum;
}

uint64_t arc_reclaimable_kib(int fd)
{
	char text[TEXT_MAX];
	uint64_t size, least;
	ssize_t length = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	if (!find(text, "size", &size) || !find(text, "c_min", &least))
		return 0;
	uint64_t bytes = min_u64(sub_u64(size, least), evictable(text));
	return kib_from_bytes(bytes) / 4 * 3;
}
