/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <libproc2/meminfo.h>
#include <libproc2/vmstat.h>
#include <time.h>
#include <unistd.h>

#include "collectors/arc.h"
#include "mom/collector.h"
#include "mom/mem.h"
#include "mom/units.h"

struct meminfo {
	struct meminfo_info *memory;
	struct vmstat_info *vm;
	bool knows_available; /* the kernel tells MemAvailable */
	int arc;              /* ZFS's figures; −1 no ZFS */
};

enum {
	TOTAL,
	FREE,
	AVAILABLE,
	BUFFERS,
	CACHED,
	ANON,
	ACTIVE_ANON,
	INACTIVE_ANON,
	SHARED,
	SWAP_CACHED,
	SWAP_TOTAL,
	SWAP_FREE,
	ITEMS
};

static enum meminfo_item items[ITEMS] = {
	[TOTAL] = MEMINFO_MEM_TOTAL,
	[FREE] = MEMINFO_MEM_FREE,
	[AVAILABLE] = MEMINFO_MEM_AVAILABLE,
	[BUFFERS] = MEMINFO_MEM_BUFFERS,
	[CACHED] = MEMINFO_MEM_CACHED,
	[ANON] = MEMINFO_MEM_ANON,
	[ACTIVE_ANON] = MEMINFO_MEM_ACTIVE_ANON,
	[INACTIVE_ANON] = MEMINFO_MEM_INACTIVE_ANON,
	[SHARED] = MEMINFO_MEM_SHARED,
	[SWAP_CACHED] = MEMINFO_SWAP_CACHED,
	[SWAP_TOTAL] = MEMINFO_SWAP_TOTAL,
	[SWAP_FREE] = MEMINFO_SWAP_FREE,
};

static void meminfo_close(void *self)
{
	struct meminfo *meminfo = self;
	if (!meminfo)
		return;
	if (meminfo->memory)
		procps_meminfo_unref(&meminfo->memory);
	if (meminfo->vm)
		procps_vmstat_unref(&meminfo->vm);
	mem_auto_close(&meminfo->arc);
	free(meminfo);
}

static int meminfo_open(void **self, const struct collector_env *env, struct err *err)
{
	/* libproc2 reads the kernel's files at their fixed paths */
	struct meminfo *meminfo = mem_alloc(sizeof(*meminfo));
	meminfo->arc = -1;
	int result = procps_meminfo_new(&meminfo->memory);
	if (result < 0) {
		meminfo_close(meminfo);
		return err_errno(err, -result, "cannot read \"/proc/meminfo\"");
	}
	if (procps_vmstat_new(&meminfo->vm) < 0)
		meminfo->vm = NULL;
	meminfo->arc = arc_open(env->proc_root);
	*self = meminfo;
	return 0;
}

/*
 * What balloons gave back in parts of huge pages is freed when somebody asks for memory:
 * it is on the kernel's lists of anonymous memory, but nobody maps it any more, and
 * MemAvailable doesn't know of it.
 */
static uint64_t split_kib(const uint64_t value[ITEMS])
{
	uint64_t listed = value[ACTIVE_ANON] + value[INACTIVE_ANON];
	return sub_u64(listed, value[ANON] + value[SHARED] + value[SWAP_CACHED]);
}

/*
 * Read the host's memory.
 *
 * Units:  the kernel prints KiB ("kB").
 * Errors: -EIO unreadable; -EBADMSG no total in it, or nothing that is left. Where
 * MemAvailable was never seen (a kernel before 3.14) it is estimated as free, buffers and
 * half of the page cache; once seen, a 0 is a 0. ZFS's cache is no page cache, and is
 * added.
 * Source: /proc/meminfo, kernel Documentation/filesystems/proc.rst
 */
static int sample_memory(
	struct meminfo *meminfo, struct host_sample *host, struct err *err)
{
	struct meminfo_stack *stack =
		procps_meminfo_select(meminfo->memory, items, ITEMS);
	if (!stack)
		return err_errno(
			err, errno ? errno : EIO, "cannot read \"/proc/meminfo\"");
	uint64_t value[ITEMS];
	for (int i = 0; i < ITEMS; i++)
		value[i] = stack->head[i].result.ul_int;
	if (!value[TOTAL])
		return err_set(err, -EBADMSG, "\"/proc/meminfo\" has no MemTotal");
	if (!value[FREE] && !value[AVAILABLE])
		return err_set(err, -EBADMSG,
			"\"/proc/meminfo\" has neither MemAvailable nor MemFree");
	meminfo->knows_available = meminfo->knows_available || value[AVAILABLE];
	host->mem_total_kib = value[TOTAL];
	host->mem_free_kib = value[FREE];
	host->mem_usable_kib = meminfo->knows_available
				       ? value[AVAILABLE]
				       : value[FREE] + value[BUFFERS] + value[CACHED] / 2;
	host->mem_usable_kib += split_kib(value) + arc_reclaimable_kib(meminfo->arc);
	host->mem_usable_kib = min_u64(host->mem_usable_kib, host->mem_total_kib);
	host->buffers_kib = value[BUFFERS];
	host->cached_kib = value[CACHED];
	host->anon_kib = value[ANON];
	host->swap_total_kib = value[SWAP_TOTAL];
	host->swap_free_kib = value[SWAP_FREE];
	host->has_meminfo = true;
	return 0;
}

/* Pages swapped since the host's boot; the engine makes rates of them. */
static void sample_swapping(struct meminfo *meminfo, struct snapshot *into)
{
	if (!meminfo->vm)
		return;
	struct vmstat_result *in = procps_vmstat_get(meminfo->vm, VMSTAT_PSWPIN);
	struct vmstat_result *out = procps_vmstat_get(meminfo->vm, VMSTAT_PSWPOUT);
	if (!in || !out)
		return;
	into->host_swap_in_pages = in->result.ul_int;
	into->host_swap_out_pages = out->result.ul_int;
	into->host.has_vmstat = true;
}

/* The wall clock is a fact for policies that go by the time of day, and for nothing else.
 */
static void sample_time(struct host_sample *host)
{
	time_t now = time(NULL);
	struct tm local;
	if (!localtime_r(&now, &local))
		return;
	host->time_year = local.tm_year + 1900;
	host->time_month = local.tm_mon + 1;
	host->time_day = local.tm_mday;
	host->time_hour = local.tm_hour;
	host->time_minute = local.tm_min;
	host->time_second = local.tm_sec;
	host->has_time = true;
}

static int meminfo_sample(void *self, struct snapshot *into, struct err *err)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	into->host.cpu_count = processors > 0 ? (uint32_t)processors : 1;
	sample_time(&into->host);
	sample_swapping(self, into);
	return sample_memory(self, &into->host, err);
}

static int meminfo_glance(void *self, struct snapshot *into, struct err *err)
{
	return sample_memory(self, &into->host, err);
}

const struct collector collector_meminfo = {
	.name = "meminfo",
	.help = "the host's memory, swap and time (libproc2)",
	.open = meminfo_open,
	.sample = meminfo_sample,
	.glance = meminfo_glance,
	.close = meminfo_close,
};
