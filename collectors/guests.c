/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "collectors/qemu_proc.h"
#include "mom/collector.h"
#include "mom/hypervisor.h"
#include "mom/mem.h"
#include "mom/units.h"

/*
 * The guests: what the hypervisor says of them, and what their processes cost the host.
 * What QEMU takes beside guest RAM is read rarely: its mappings are walked for it, which
 * takes longer the more of them is resident.
 */

#define OVERHEAD_PERIOD_MS 60000

/* It grows while a guest boots, so a new one is walked soon, and then ever more rarely. */
#define OVERHEAD_FIRST_MS 2000

/* Walking the mappings may take this part of the time at most. */
#define OVERHEAD_TIME_PART 1000

/* So many processes are walked in one tick. */
#define OVERHEADS_A_TICK 1

/* What is kept of a guest's process from tick to tick. */
struct process {
	char uuid[UUID_TEXT_MAX];
	int pid;
	bool seen; /* in this tick */
	bool has_faults;
	struct qemu_faults faults;
	bool has_overhead;
	uint64_t private_kib;
	uint64_t overhead_wait_ms; /* between the last walk and the next */
	int64_t overhead_due_ms;
	char cgroup[CGROUP_PATH_MAX];
};

struct guests {
	const struct hypervisor *hypervisor;
	void *hypervisor_self;
	char *proc_root;
	struct process *processes;
	size_t count, capacity;
};

static int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is known of this guest's process; made anew where it is another one. Guests come
 * in the same order each tick, so the search begins where the last one ended. */
static struct process *process_of(
	struct guests *guests, const struct guest_facts *facts, size_t hint)
{
	for (size_t i = 0; i < guests->count; i++) {
		struct process *process = &guests->processes[(hint + i) % guests->count];
		if (process->pid == facts->pid && strcmp(process->uuid, facts->uuid) == 0)
			return process;
	}
	guests->processes = mem_grow(guests->processes, guests->count, &guests->capacity,
		sizeof(*guests->processes));
	struct process *process = &guests->processes[guests->count++];
	*process = (struct process){
		.pid = facts->pid,
		.overhead_wait_ms = OVERHEAD_FIRST_MS,
	};
	memcpy(process->uuid, facts->uuid, sizeof(process->uuid));
	return process;
}

static void forget_unseen(struct guests *guests)
{
	size_t kept = 0;
	for (size_t i = 0; i < guests->count; i++) {
		if (!guests->processes[i].seen)
			continue;
		guests->processes[i].seen = false;
		guests->processes[kept++] = guests->processes[i];
	}
	guests->count = kept;
}

/* A process that went in between is the hypervisor's to tell. */
static bool take_memory(int fd, struct guest_sample *sample, uint64_t *page_table_kib)
{
	struct qemu_memory memory;
	if (qemu_proc_memory(fd, &memory, NULL) < 0)
		return false;
	sample->has_rss = true;
	sample->rss_kib = memory.rss_kib;
	sample->rss_anon_kib = memory.rss_anon_kib;
	sample->rss_shmem_kib = memory.rss_shmem_kib;
	sample->swap_kib = memory.swap_kib;
	*page_table_kib = memory.page_table_kib;
	return true;
}

static void take_faults(int fd, struct process *process, struct guest_facts *facts)
{
	struct qemu_faults now;
	struct guest_sample *sample = &facts->sample;
	sample->has_host_faults = false;
	if (qemu_proc_faults(fd, &now, NULL) < 0)
		return;
	sample->has_host_faults = process->has_faults;
	sample->host_minor_faults = sub_u64(now.minor, process->faults.minor);
	sample->host_major_faults = sub_u64(now.major, process->faults.major);
	facts->counters.has_host_faults = true;
	facts->counters.host_minor_faults = now.minor;
	facts->counters.host_major_faults = now.major;
	process->has_faults = true;
	process->faults = now;
}

/* Large guests take long to walk, so they wait longer for the next time. */
static void walk(int fd, struct process *process, const struct guest_facts *facts)
{
	int64_t begun_ms = clock_ms();
	process->has_overhead = qemu_proc_private(fd, facts->sample.max_kib,
					&process->private_kib, NULL) == 0;
	int64_t now_ms = clock_ms();
	uint64_t wait_ms = max_u64(process->overhead_wait_ms,
		(uint64_t)(now_ms - begun_ms) * OVERHEAD_TIME_PART);
	process->overhead_due_ms = now_ms + (int64_t)wait_ms;
	process->overhead_wait_ms =
		min_u64(2 * process->overhead_wait_ms, OVERHEAD_PERIOD_MS);
	if (qemu_proc_cgroup(fd, process->cgroup, sizeof(process->cgroup), NULL) < 0)
		process->cgroup[0] = '\0';
}

/* Until it has been walked for a minute, a guest isn't believed to cost less than one
 * that nothing is known of. */
static uint64_t overhead_kib(const struct process *process)
{
	bool young = process->overhead_wait_ms < OVERHEAD_PERIOD_MS;
	return young ? max_u64(process->private_kib, OVERHEAD_UNKNOWN)
		     : process->private_kib;
}

static void take_process(struct guests *guests, struct process *process,
	struct guest_facts *facts, unsigned *walks)
{
	char path[PATH_MAX];
	uint64_t page_table_kib = 0;
	snprintf(path, sizeof(path), "%s/%d", guests->proc_root, facts->pid);
	auto_close int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !take_memory(fd, &facts->sample, &page_table_kib))
		return;
	take_faults(fd, process, facts);
	if (*walks && process->overhead_due_ms <= clock_ms()) {
		walk(fd, process, facts);
		--*walks;
	}
	if (!process->cgroup[0])
		qemu_proc_cgroup(fd, process->cgroup, sizeof(process->cgroup), NULL);
	memcpy(facts->cgroup, process->cgroup, sizeof(facts->cgroup));
	facts->sample.has_overhead = process->has_overhead;
	facts->sample.overhead_kib = overhead_kib(process) + page_table_kib;
}

static int guests_sample(void *self, struct snapshot *into, struct err *err)
{
	struct guests *guests = self;
	unsigned walks = OVERHEADS_A_TICK;
	(void)err;
	guests->hypervisor->sample(guests->hypervisor_self, into);
	for (size_t i = 0; i < into->guest_count; i++) {
		struct guest_facts *facts = &into->guests[i];
		if (!facts->pid)
			continue;
		struct process *process = process_of(guests, facts, i);
		process->seen = true;
		take_process(guests, process, facts, &walks);
	}
	forget_unseen(guests);
	return 0;
}

static int guests_open(void **self, const struct collector_env *env, struct err *err)
{
	(void)err;
	struct guests *guests = mem_alloc(sizeof(*guests));
	guests->hypervisor = env->hypervisor;
	guests->hypervisor_self = env->hypervisor_self;
	guests->proc_root = mem_dup(env->proc_root);
	*self = guests;
	return 0;
}

static void guests_close(void *self)
{
	struct guests *guests = self;
	if (!guests)
		return;
	free(guests->processes);
	free(guests->proc_root);
	free(guests);
}

const struct collector collector_guests = {
	.name = "guests",
	.help = "guests by the hypervisor, and what their processes cost the host",
	.open = guests_open,
	.sample = guests_sample,
	.close = guests_close,
};
