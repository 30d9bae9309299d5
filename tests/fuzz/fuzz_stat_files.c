/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's files, of any content: whatever /proc, /sys and the cgroups hold is read
 * or refused with a reason, and what is made of it stays within sense.
 *
 * An input is cut at its bytes 0xff; each piece is one file, in the order of `files`.
 * Where mounts can be made, /proc/meminfo and /proc/vmstat are among them.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "collectors/arc.h"
#include "collectors/qemu_proc.h"
#include "collectors/touched.h"
#include "hypervisors/qemu_process.h"
#include "mom/collector.h"
#include "mom/config.h"
#include "mom/mem.h"
#include "tests/unit/made_up.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct collector collector_meminfo, collector_psi, collector_cgroup,
	collector_ksm, collector_numa;

#define PID  77
#define UUID "aaaaaaaa-0000-4000-8000-000000000001"

static const char *const files[] = {
	"meminfo",
	"vmstat",
	"pressure/memory",
	"spl/kstat/zfs/arcstats",
	"77/status",
	"77/stat",
	"77/smaps",
	"77/maps",
	"77/cgroup",
	"77/cmdline",
	"fs/cgroup/m/memory.max",
	"fs/cgroup/m/memory.high",
	"fs/cgroup/m/memory.current",
	"fs/cgroup/m/memory.stat",
	"v1/fs/cgroup/memory/m/memory.limit_in_bytes",
	"v1/fs/cgroup/memory/m/memory.usage_in_bytes",
	"v1/fs/cgroup/memory/m/memory.stat",
	"kernel/mm/ksm/run",
	"kernel/mm/ksm/pages_sharing",
	"kernel/mm/ksm/general_profit",
	"kernel/mm/ksm/advisor_mode",
	"devices/system/node/node0/meminfo",
	"devices/system/node/node1/meminfo",
	"78/stat",
	"78/cmdline",
};

/* These are there and never change. */
static const char *const fixed[] = {
	"fs/cgroup/cgroup.controllers",
	"v1/fs/cgroup/memory/memory.usage_in_bytes",
	"kernel/mm/ksm/pages_shared",
	"kernel/mm/ksm/pages_unshared",
	"kernel/mm/ksm/pages_volatile",
	"kernel/mm/ksm/pages_to_scan",
	"kernel/mm/ksm/full_scans",
	"kernel/mm/ksm/sleep_millisecs",
	"77/clear_refs",
};

static struct made_up folder;

static void let_go(void)
{
	umount2("/proc/meminfo", MNT_DETACH);
	umount2("/proc/vmstat", MNT_DETACH);
	made_up_done(&folder);
}

/* In a mount name space of our own, so that nobody else sees them. */
static void mount_over(const char *name)
{
	auto_free char *from = mem_printf("%s/%s", folder.root, name);
	auto_free char *to = mem_printf("/proc/%s", name);
	mount(from, to, NULL, MS_BIND, NULL);
}

static void set_up(void)
{
	made_up_init(&folder);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		made_up_file(&folder, files[i], "%s", "");
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		made_up_file(&folder, fixed[i], "1\n");
	if (unshare(CLONE_NEWNS) == 0 &&
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0) {
		mount_over("meminfo");
		mount_over("vmstat");
	}
	atexit(let_go);
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
	auto_free char *path = mem_printf("%s/%s", folder.root, name);
	auto_close int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
}

static void write_files(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const uint8_t *end = memchr(data, 0xff, size);
		size_t length = end ? (size_t)(end - data) : size;
		write_file(files[i], data, length);
		data += length + (end != NULL);
		size -= length + (end != NULL);
	}
}

static void check_error(int result, const struct err *err)
{
	if (result < 0 && (err->code != result || !err->text[0]))
		abort();
}

/* A collector from its opening on; twice, for some keep what they saw. */
static void collect(const struct collector *part, bool v1, const struct config *config)
{
	auto_free char *v1_root = mem_printf("%s/v1", folder.root);
	struct collector_env env = {
		.config = config,
		.proc_root = folder.root,
		.sys_root = v1 ? v1_root : folder.root,
	};
	struct snapshot snapshot = {0};
	struct err err = {0};
	void *self = NULL;
	int result = part->open(&self, &env, &err);
	check_error(result, &err);
	for (int i = 0; i < 2 && result == 0; i++) {
		snapshot_reset(&snapshot);
		snapshot.now_ms = 1000 + i * 100000;
		struct guest_facts *guest = snapshot_add_guest(&snapshot);
		snprintf(guest->cgroup, sizeof(guest->cgroup), "/m/1-a.libvirt-qemu");
		err = (struct err){0};
		check_error(part->sample(self, &snapshot, &err), &err);
		if (snapshot.host.has_meminfo &&
			snapshot.host.mem_usable_kib > snapshot.host.mem_total_kib)
			abort();
		if (snapshot.has_short_node &&
			snapshot.short_node.left_kib > snapshot.short_node.total_kib)
			abort();
	}
	if (result == 0)
		part->close(self);
	snapshot_done(&snapshot);
}

static void read_process(void)
{
	struct qemu_memory memory;
	struct qemu_faults faults;
	struct qemu_ram ram;
	uint64_t private_kib;
	char cgroup[64];
	struct err err = {0};
	auto_free char *path = mem_printf("%s/%d", folder.root, PID);
	auto_close int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	check_error(qemu_proc_memory(fd, &memory, &err), &err);
	check_error(qemu_proc_faults(fd, &faults, &err), &err);
	check_error(qemu_proc_private(fd, 800 * 1024, &private_kib, &err), &err);
	check_error(qemu_proc_cgroup(fd, cgroup, sizeof(cgroup), &err), &err);
	for (int walk = 0; walk < 2; walk++) {
		int result = qemu_proc_ram(fd, 800 * 1024, walk, &ram, &err);
		check_error(result, &err);
		if (result == 0 && (!ram.count || ram.count > QEMU_RAM_PIECES))
			abort();
	}
}

static void find_process(void)
{
	struct qemu_wanted wanted = {.uuid = UUID};
	struct touched_roots roots = {folder.root, folder.root};
	struct touched touched = {0};
	struct err err = {0};
	uint64_t kib;
	qemu_process_find(folder.root, &wanted, 1);
	if (wanted.pid && wanted.pid != PID && wanted.pid != PID + 1)
		abort();
	qemu_process_state(folder.root, PID);
	if (touched_choose(&touched, &roots, PID, &err) == 0)
		for (int i = 0; i < 2; i++)
			touched_look(&touched, &roots, PID, 800 * 1024, 1, &kib, &err);
	touched_done(&touched);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct collector *const parts[] = {&collector_meminfo,
		&collector_psi, &collector_cgroup, &collector_ksm, &collector_numa};
	static struct config config;
	if (!folder.root[0]) {
		set_up();
		if (config_load(&config, NULL, NULL, 0, NULL) < 0)
			abort();
	}
	write_files(data, size);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		collect(parts[i], false, &config);
	collect(&collector_cgroup, true, &config);
	read_process();
	find_process();
	return 0;
}
