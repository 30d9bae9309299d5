/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * working_set_probe CONFIG SECONDS PID=MIB...: look at the working sets of those QEMU
 * processes, of guests with so much memory, as momd would, and print what that costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mom/collector.h"
#include "mom/config.h"
#include "mom/mem.h"
#include "mom/units.h"

extern const struct collector collector_working_set;

struct cost {
	double cpu_us, wall_us, longest_us;
};

static double clock_us(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1000;
}

static uint64_t rss_kib(int pid)
{
	auto_free char *path = mem_printf("/proc/%d/statm", pid);
	auto_fclose FILE *file = fopen(path, "re");
	unsigned long long pages = 0;
	if (!file || fscanf(file, "%*u %llu", &pages) != 1)
		return 0;
	return kib_from_pages(pages, 4096);
}

static void add_guests(struct snapshot *snapshot, char **guests)
{
	for (; *guests; guests++) {
		int pid;
		unsigned mib;
		if (sscanf(*guests, "%d=%u", &pid, &mib) != 2)
			continue;
		struct guest_facts *guest = snapshot_add_guest(snapshot);
		guest->pid = pid;
		snprintf(guest->name, sizeof(guest->name), "%d", pid);
		snprintf(guest->uuid, sizeof(guest->uuid), "%d", pid);
		guest->sample.max_kib = mib * KIB_PER_MIB;
		guest->sample.rss_kib = rss_kib(pid);
	}
}

/* One tick; true where it brought a new estimate. */
static bool tick(void *self, struct snapshot *snapshot, char **guests, uint64_t *sum_kib,
	struct cost *cost)
{
	struct err err;
	snapshot_reset(snapshot);
	snapshot->now_ms = (int64_t)(clock_us(CLOCK_MONOTONIC) / 1000);
	add_guests(snapshot, guests);
	double cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
	double wall_us = clock_us(CLOCK_MONOTONIC);
	if (collector_working_set.sample(self, snapshot, &err) < 0)
		fprintf(stderr, "working_set: %s\n", err.text);
	cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - cpu_us;
	wall_us = clock_us(CLOCK_MONOTONIC) - wall_us;
	cost->cpu_us += cpu_us;
	cost->wall_us += wall_us;
	cost->longest_us = wall_us > cost->longest_us ? wall_us : cost->longest_us;
	uint64_t before_kib = *sum_kib;
	*sum_kib = 0;
	for (size_t i = 0; i < snapshot->guest_count; i++)
		*sum_kib += snapshot->guests[i].sample.working_set_kib;
	return *sum_kib != before_kib;
}

static void run(void *self, unsigned seconds, char **guests)
{
	struct snapshot snapshot = {0};
	struct cost cost = {0};
	uint64_t sum_kib = 0, held_kib = 0;
	for (unsigned second = 0; second < seconds; second++) {
		if (tick(self, &snapshot, guests, &sum_kib, &cost)) {
			printf("ESTIMATE second=%u mib=%llu\n", second,
				(unsigned long long)(sum_kib / KIB_PER_MIB));
			fflush(stdout);
		}
		nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
	for (size_t i = 0; i < snapshot.guest_count; i++)
		held_kib += snapshot.guests[i].sample.rss_kib;
	printf("COST guests=%zu rss_mib=%llu seconds=%u cpu_us_a_second=%.0f "
	       "wall_us_a_second=%.0f longest_tick_us=%.0f cpu_ratio=%.5f\n",
		snapshot.guest_count, (unsigned long long)(held_kib / KIB_PER_MIB),
		seconds, cost.cpu_us / seconds, cost.wall_us / seconds, cost.longest_us,
		cost.cpu_us / seconds / 1e6);
	snapshot_done(&snapshot);
}

int main(int argc, char **argv)
{
	const struct config_part_keys part = {
		.section = collector_working_set.name,
		.keys = collector_working_set.keys,
		.size = collector_working_set.settings_size,
	};
	struct config config = {0};
	struct collector_env env = {
		.config = &config, .proc_root = "/proc", .sys_root = "/sys"};
	struct err err;
	void *self;
	if (argc < 4) {
		fprintf(stderr, "usage: working_set_probe CONFIG SECONDS PID=MIB...\n");
		return 2;
	}
	if (config_load(&config, argv[1], &part, 1, &err) < 0 ||
		collector_working_set.open(&self, &env, &err) < 0) {
		fprintf(stderr, "working_set_probe: %s\n", err.text);
		return 1;
	}
	run(self, (unsigned)strtoul(argv[2], NULL, 10), argv + 3);
	collector_working_set.close(self);
	config_done(&config);
	return 0;
}
