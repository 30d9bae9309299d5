/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mom/collector.h"
#include "mom/mem.h"
#include "mom/units.h"

#define KTHREADD        2     /* every kernel thread's parent */
#define CPU_OVER_MS     1000  /* processor time comes in ticks of 10 ms */
#define WALK_EVERY_MS   60000 /* how often all processes are looked through */
#define RMAP_ITEM_BYTES 64    /* what the kernel keeps for each page it looked at */
#define STAT_TEXT       512
#define PAGES_MAX       (INT64_C(1) << 40)

/* Kernel samepage merging: its counters, what ksmd costs, and who else tunes it. */
struct ksm {
	int directory;
	int ksmd; /* its stat file; −1 not seen from here */
	char *path, *proc_root;
	bool walked;
	int64_t walked_ms;
	char rival[16];
	bool has_mark, has_cpu;
	int64_t marked_ms;
	uint64_t marked_ticks;
	double cpu_ratio;
};

/* Files of one number each; those that came with later kernels may be missing. */
static const struct counter {
	const char *file;
	size_t offset;
	bool optional;
} counters[] = {
#define COUNTER(name) #name, offsetof(struct host_sample, ksm_##name)
	{COUNTER(run), false},
	{COUNTER(pages_shared), false},
	{COUNTER(pages_sharing), false},
	{COUNTER(pages_unshared), false},
	{COUNTER(pages_volatile), false},
	{COUNTER(pages_to_scan), false},
	{COUNTER(full_scans), false},
	{COUNTER(sleep_millisecs), false},
	{COUNTER(merge_across_nodes), true},
	{COUNTER(pages_scanned), true},
	{COUNTER(pages_skipped), true},
	{COUNTER(stable_node_chains), true},
	{COUNTER(stable_node_dups), true},
#undef COUNTER
	{"ksm_zero_pages", offsetof(struct host_sample, ksm_zero_pages), true},
};

/* Programs that set KSM on their own; what an interpreter runs goes by its first word. */
static const struct rival {
	const char *process, *interpreter;
} rivals[] = {
	{"ksmtuned", NULL},
	{"virt-handler", NULL},
	{"momd", "python"},
};

static void ksm_close(void *self)
{
	struct ksm *ksm = self;
	if (!ksm)
		return;
	if (ksm->directory >= 0)
		close(ksm->directory);
	if (ksm->ksmd >= 0)
		close(ksm->ksmd);
	free(ksm->path);
	free(ksm->proc_root);
	free(ksm);
}

static int ksm_open(void **self, const struct collector_env *env, struct err *err)
{
	struct ksm *ksm = mem_alloc(sizeof(*ksm));
	ksm->ksmd = -1;
	ksm->proc_root = mem_dup(env->proc_root);
	ksm->path = mem_printf("%s/kernel/mm/ksm", env->sys_root);
	ksm->directory = open(ksm->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ksm->directory < 0) {
		int result = err_errno(err, errno, "cannot open \"%s\"", ksm->path);
		ksm_close(ksm);
		return result;
	}
	*self = ksm;
	return 0;
}

/* ---- the kernel's counters ---- */

/* A short file as text; −1 where it can't be read. */
static ssize_t read_text(int directory, const char *file, char *text, size_t size)
{
	auto_close int fd = openat(directory, file, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
	if (length >= 0)
		text[length] = '\0';
	return length;
}

static int read_counter(const struct ksm *ksm, const struct counter *counter,
	struct host_sample *host, struct err *err)
{
	char text[32];
	int64_t value;
	if (read_text(ksm->directory, counter->file, text, sizeof(text)) < 0)
		return counter->optional ? 0
					 : err_errno(err, errno, "cannot read \"%s/%s\"",
						   ksm->path, counter->file);
	if (sscanf(text, "%" SCNd64, &value) != 1)
		return err_set(err, -EBADMSG, "\"%s/%s\" holds no number", ksm->path,
			counter->file);
	*(int64_t *)((char *)host + counter->offset) = value;
	return 0;
}

/* A number of pages that a machine can have. */
static int64_t pages(int64_t count)
{
	return count < 0 ? 0 : count > PAGES_MAX ? PAGES_MAX : count;
}

/* Memory saved less what the kernel keeps to know it: its own word, or the same sum. */
static int64_t read_profit_kib(const struct ksm *ksm, const struct host_sample *host)
{
	char text[32];
	int64_t bytes;
	if (read_text(ksm->directory, "general_profit", text, sizeof(text)) > 0 &&
		sscanf(text, "%" SCNd64, &bytes) == 1)
		return bytes / 1024;
	int64_t known = pages(host->ksm_pages_shared) + pages(host->ksm_pages_sharing) +
			pages(host->ksm_pages_unshared) + pages(host->ksm_pages_volatile);
	int64_t saved = pages(host->ksm_pages_sharing) + pages(host->ksm_zero_pages);
	return (saved * sysconf(_SC_PAGESIZE) - known * RMAP_ITEM_BYTES) / 1024;
}

/* The word in brackets: "[none] scan-time". */
static void read_advisor(const struct ksm *ksm, struct host_sample *host)
{
	char text[64];
	if (read_text(ksm->directory, "advisor_mode", text, sizeof(text)) <= 0)
		return;
	const char *chosen = strchr(text, '[');
	if (chosen)
		sscanf(chosen, "[%15[^]]", host->ksm_advisor);
}

/* Anonymous memory that isn't pinned or huge: shared guest RAM is none of KSM's. */
static uint64_t shareable_kib(const struct snapshot *snapshot)
{
	uint64_t kib = 0;
	for (size_t i = 0; i < snapshot->guest_count; i++) {
		const struct guest_facts *guest = &snapshot->guests[i];
		if (guest->sample.has_rss && !guest->locked && !guest->hugepages)
			kib += guest->sample.rss_anon_kib;
	}
	return kib;
}

/* ---- processes: ksmd and others who tune KSM ---- */

struct process {
	char name[16];
	int parent;
	uint64_t cpu_ticks;
};

/*
 * Read one line of process statistics.
 *
 * Shape:  "pid (name) state ppid …", user and system time as fields 14 and 15; the name
 *         may hold blanks and brackets, so it ends at the last one.
 * Source: /proc/PID/stat, proc(5)
 */
static bool parse_stat(char *text, struct process *process)
{
	char *open = strchr(text, '('), *shut = strrchr(text, ')');
	unsigned long long user, system;
	if (!open || !shut || shut < open)
		return false;
	*shut = '\0';
	snprintf(process->name, sizeof(process->name), "%s", open + 1);
	if (sscanf(shut + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		    &process->parent, &user, &system) != 3)
		return false;
	process->cpu_ticks = user + system;
	return true;
}

static bool is_rival(int proc, const char *pid, const struct process *process)
{
	for (size_t i = 0; i < ARRAY_SIZE(rivals); i++) {
		const struct rival *rival = &rivals[i];
		if (strcmp(process->name, rival->process) != 0)
			continue;
		char line[128] = "";
		auto_free char *file = mem_printf("%s/cmdline", pid);
		if (!rival->interpreter ||
			(read_text(proc, file, line, sizeof(line)) > 0 &&
				strstr(line, rival->interpreter)))
			return true;
	}
	return false;
}

static void look_at(struct ksm *ksm, int proc, const char *pid)
{
	struct process process;
	char text[STAT_TEXT];
	auto_free char *file = mem_printf("%s/stat", pid);
	if (read_text(proc, file, text, sizeof(text)) <= 0 || !parse_stat(text, &process))
		return;
	if (process.parent == KTHREADD && !strcmp(process.name, "ksmd")) {
		if (ksm->ksmd < 0)
			ksm->ksmd = openat(proc, file, O_RDONLY | O_CLOEXEC);
	} else if (!ksm->rival[0] && is_rival(proc, pid, &process)) {
		snprintf(ksm->rival, sizeof(ksm->rival), "%s", process.name);
	}
}

static void walk_processes(struct ksm *ksm, int64_t now_ms)
{
	if (ksm->walked && now_ms - ksm->walked_ms < WALK_EVERY_MS)
		return;
	ksm->walked = true;
	ksm->walked_ms = now_ms;
	ksm->rival[0] = '\0';
	DIR *proc = opendir(ksm->proc_root);
	if (!proc)
		return;
	for (const struct dirent *entry; (entry = readdir(proc));)
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at(ksm, dirfd(proc), entry->d_name);
	closedir(proc);
}

/* ksmd's processor time as a rate, over a second or more. */
static void follow_ksmd(struct ksm *ksm, int64_t now_ms)
{
	struct process process;
	char text[STAT_TEXT];
	ssize_t length = ksm->ksmd < 0 ? -1 : pread(ksm->ksmd, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return;
	text[length] = '\0';
	if (!parse_stat(text, &process))
		return;
	int64_t elapsed_ms = now_ms - ksm->marked_ms;
	if (ksm->has_mark && elapsed_ms < CPU_OVER_MS)
		return;
	if (ksm->has_mark) {
		double ticks = (double)sub_u64(process.cpu_ticks, ksm->marked_ticks);
		ksm->cpu_ratio =
			ticks * 1000 / (double)sysconf(_SC_CLK_TCK) / (double)elapsed_ms;
		ksm->has_cpu = true;
	}
	ksm->has_mark = true;
	ksm->marked_ms = now_ms;
	ksm->marked_ticks = process.cpu_ticks;
}

/*
 * Read what kernel samepage merging does, saves and costs.
 *
 * Shape:  one number a file; advisor_mode has the chosen word in brackets.
 * Units:  pages, ms, bytes (general_profit); processor time in clock ticks.
 * Errors: -EBADMSG a file holds something else; others from reading it.
 * Source: /sys/kernel/mm/ksm, kernel Documentation/admin-guide/mm/ksm.rst
 */
static int ksm_sample(void *self, struct snapshot *into, struct err *err)
{
	struct ksm *ksm = self;
	struct host_sample *host = &into->host;
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		int result = read_counter(ksm, &counters[i], host, err);
		if (result < 0)
			return result;
	}
	host->ksm_general_profit_kib = read_profit_kib(ksm, host);
	host->ksm_shareable_kib = shareable_kib(into);
	read_advisor(ksm, host);
	walk_processes(ksm, into->now_ms);
	follow_ksmd(ksm, into->now_ms);
	memcpy(host->ksm_rival, ksm->rival, sizeof(host->ksm_rival));
	host->has_ksmd_cpu = ksm->has_cpu;
	host->ksmd_cpu_ratio = ksm->cpu_ratio;
	host->has_ksm = true;
	return 0;
}

const struct collector collector_ksm = {
	.name = "ksm",
	.help = "kernel samepage merging: counters, saving, ksmd's processor time",
	.open = ksm_open,
	.sample = ksm_sample,
	.close = ksm_close,
};
