/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/metrics_process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mom/mem.h"

static bool read_resident(double *bytes)
{
	auto_fclose FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long resident;
	if (!file || fscanf(file, "%*u %llu", &resident) != 1)
		return false;
	*bytes = (double)resident * (double)sysconf(_SC_PAGESIZE);
	return true;
}

static bool read_cpu(double *seconds)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return false;
	*seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	return true;
}

static bool count_open(double *count)
{
	DIR *folder = opendir("/proc/self/fd");
	if (!folder)
		return false;
	*count = -1; /* the folder itself */
	for (const struct dirent *entry; (entry = readdir(folder));)
		*count += entry->d_name[0] != '.';
	closedir(folder);
	return true;
}

bool metrics_process(const char *name, int64_t started_at_ms, double *value)
{
	if (strcmp(name, "process_resident_memory_bytes") == 0)
		return read_resident(value);
	if (strcmp(name, "process_cpu_seconds_total") == 0)
		return read_cpu(value);
	if (strcmp(name, "process_open_fds") == 0)
		return count_open(value);
	*value = (double)started_at_ms / 1000;
	return started_at_ms > 0;
}
