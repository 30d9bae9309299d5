/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mom/collector.h"
#include "mom/mem.h"
#include "mom/units.h"

#define NODES_MAX   64
#define LOOK_MS     10000
#define SHORT_PART  32 /* a node is short with less left than this part of it … */
#define ENOUGH_PART 16 /* … and no longer with more than this */

/*
 * The host's NUMA nodes. A guest bound to one can run out of memory there while the host
 * has plenty, which nothing that balloons can do helps the host with: it is told, and
 * nobody is moved for it.
 */
struct numa {
	char *path;
	unsigned nodes[NODES_MAX];
	size_t count;
	bool looked, is_short;
	int64_t looked_ms;
	struct short_node node; /* as last seen */
};

static void numa_close(void *self)
{
	struct numa *numa = self;
	if (!numa)
		return;
	free(numa->path);
	free(numa);
}

static void find_nodes(struct numa *numa)
{
	DIR *directory = opendir(numa->path);
	if (!directory)
		return; /* a kernel without NUMA */
	for (const struct dirent *entry; (entry = readdir(directory));) {
		unsigned node;
		char more;
		if (numa->count < NODES_MAX &&
			sscanf(entry->d_name, "node%u%c", &node, &more) == 1)
			numa->nodes[numa->count++] = node;
	}
	closedir(directory);
}

static int numa_open(void **self, const struct collector_env *env, struct err *err)
{
	(void)err;
	struct numa *numa = mem_alloc(sizeof(*numa));
	numa->path = mem_printf("%s/devices/system/node", env->sys_root);
	find_nodes(numa);
	*self = numa;
	return 0;
}

/* "Node 0 MemFree:   123 kB" of a text of many lines. */
static bool find_kib(const char *text, const char *name, uint64_t *kib)
{
	const char *at = strstr(text, name);
	return at && sscanf(at + strlen(name), ": %" SCNu64, kib) == 1;
}

/*
 * Read what is left on one node: free memory, and the pages of files that wait to be
 * dropped.
 *
 * Source: /sys/devices/system/node/nodeN/meminfo
 */
static bool read_node(const struct numa *numa, unsigned number, struct short_node *node)
{
	char text[4096];
	uint64_t free_kib, file_kib = 0;
	auto_free char *path = mem_printf("%s/node%u/meminfo", numa->path, number);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return false;
	text[length] = '\0';
	if (!find_kib(text, "MemTotal", &node->total_kib) ||
		!find_kib(text, "MemFree", &free_kib) || !node->total_kib)
		return false; /* a node of processors alone has no memory */
	find_kib(text, "Inactive(file)", &file_kib);
	node->number = number;
	node->left_kib = min_u64(free_kib + file_kib, node->total_kib);
	return true;
}

/* The node with the least left of it, where that is too little. */
static void look(struct numa *numa)
{
	struct short_node node, least = {0};
	double least_part = 2;
	for (size_t i = 0; i < numa->count; i++) {
		if (!read_node(numa, numa->nodes[i], &node))
			continue;
		double part = (double)node.left_kib / (double)node.total_kib;
		if (part < least_part)
			least = node;
		least_part = part < least_part ? part : least_part;
	}
	double mark = 1.0 / (numa->is_short ? ENOUGH_PART : SHORT_PART);
	numa->is_short = least_part < mark;
	numa->node = least;
}

static int numa_sample(void *self, struct snapshot *into, struct err *err)
{
	(void)err;
	struct numa *numa = self;
	if (numa->count < 2)
		return 0;
	if (!numa->looked || into->now_ms - numa->looked_ms >= LOOK_MS) {
		numa->looked = true;
		numa->looked_ms = into->now_ms;
		look(numa);
	}
	into->has_short_node = numa->is_short;
	into->short_node = numa->node;
	return 0;
}

const struct collector collector_numa = {
	.name = "numa",
	.help = "NUMA nodes that run short while the host has memory",
	.open = numa_open,
	.sample = numa_sample,
	.close = numa_close,
};
