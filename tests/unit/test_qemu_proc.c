/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "collectors/qemu_proc.h"
#include "mom/mem.h"
#include "mom/units.h"

#define MIB (uint64_t) KIB_PER_MIB

/* A made-up /proc/PID, open. */
struct process {
	char path[32];
	int fd;
};

static void process_init(struct process *process)
{
	snprintf(process->path, sizeof(process->path), "test_qemu_proc.XXXXXX");
	if (!mkdtemp(process->path))
		fail_msg("can't make a directory");
	process->fd = open(process->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(process->fd >= 0);
}

static void process_done(struct process *process)
{
	static const char *const files[] = {"status", "stat", "smaps", "cgroup"};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(process->fd, files[i], 0);
	close(process->fd);
	rmdir(process->path);
}

static void put(const struct process *process, const char *name, const char *text)
{
	int fd =
		openat(process->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void memory(void **state)
{
	(void)state;
	struct process process;
	struct qemu_memory found;
	struct err err;
	process_init(&process);
	assert_int_equal(qemu_proc_memory(process.fd, &found, &err), -ESRCH);
	put(&process, "status",
		"Name:\tVmRSS: 5 kB\nVmPeak:\t  9000000 kB\nVmRSS:\t  300000 kB\n"
		"RssAnon:\t  280000 kB\nRssFile:\t   16000 kB\nRssShmem:\t    4000 kB\n"
		"VmPTE:\t    1500 kB\nVmSwap:\t   70000 kB\n");
	assert_int_equal(qemu_proc_memory(process.fd, &found, &err), 0);
	assert_int_equal(found.rss_kib, 300000);
	assert_int_equal(found.rss_anon_kib, 280000);
	assert_int_equal(found.rss_shmem_kib, 4000);
	assert_int_equal(found.swap_kib, 70000);
	assert_int_equal(found.page_table_kib, 1500);
	put(&process, "status", "Name:\tqemu\nState:\tZ (zombie)\n");
	assert_int_equal(qemu_proc_memory(process.fd, &found, &err), -EBADMSG);
	assert_int_equal(found.rss_kib, 300000); /* untouched */
	process_done(&process);
}

/* A process may call itself whatever it likes. */
static void faults(void **state)
{
	(void)state;
	struct process process;
	struct qemu_faults found;
	struct err err;
	process_init(&process);
	put(&process, "stat",
		"42 (a) S 1 (b) 9) S 1 42 42 0 -1 4194560 12345 0 67 0 890 123 0 0\n");
	assert_int_equal(qemu_proc_faults(process.fd, &found, &err), 0);
	assert_int_equal(found.minor, 12345);
	assert_int_equal(found.major, 67);
	put(&process, "stat", "42 (qemu) S 1\n");
	assert_int_equal(qemu_proc_faults(process.fd, &found, &err), -EBADMSG);
	put(&process, "stat", "");
	assert_int_equal(qemu_proc_faults(process.fd, &found, &err), -EBADMSG);
	process_done(&process);
}

/* A mapping of so many MiB, all of it private and there but for a part in swap. */
static char *mapping(
	char *at, uint64_t *from, uint64_t mib, const char *may, uint64_t swap_kib)
{
	uint64_t to = *from + mib * 1024 * 1024;
	uint64_t size_kib = mib * MIB;
	at += sprintf(at,
		"%" PRIx64 "-%" PRIx64 " %s 00000000 00:00 0 \nSize: %" PRIu64 " kB\n"
		"Rss: 4 kB\nShared_Clean: 7777 kB\nPrivate_Clean: 0 kB\n"
		"Private_Dirty: %" PRIu64 " kB\nSwap: %" PRIu64 " kB\nSwapPss: 5 kB\n"
		"VmFlags: rd wr mr\n",
		*from, to, may, size_kib, size_kib - swap_kib, swap_kib);
	*from = to + 0x1000;
	return at;
}

static uint64_t private_of(const struct process *process, uint64_t guest_mib)
{
	uint64_t private_kib = 0;
	struct err err;
	assert_int_equal(
		qemu_proc_private(process->fd, guest_mib * MIB, &private_kib, &err), 0);
	return private_kib;
}

/* The translation cache of software emulation is larger than many a guest, and is
 * executable; heaps and stacks are small. */
static void private_memory(void **state)
{
	(void)state;
	struct process process;
	char text[4096], *at = text;
	uint64_t from = 0x7f0000000000;
	process_init(&process);
	at = mapping(at, &from, 3, "rw-p", 0);
	at = mapping(at, &from, 800, "rw-p", 1024);
	at = mapping(at, &from, 900, "rwxp", 0);
	mapping(at, &from, 8, "rw-p", 4096);
	put(&process, "smaps", text);
	assert_int_equal(private_of(&process, 800), (3 + 900 + 8) * MIB);
	process_done(&process);
}

static void ram_in_pieces(void **state)
{
	(void)state;
	struct process process;
	char text[4096], *at = text;
	uint64_t from = 0x7f0000000000;
	process_init(&process);
	at = mapping(at, &from, 256, "rw-s", 0);
	at = mapping(at, &from, 64, "rw-p", 0);
	at = mapping(at, &from, 512, "rw-s", 0);
	mapping(at, &from, 32, "r--p", 0);
	put(&process, "smaps", text);
	assert_int_equal(private_of(&process, 768), (64 + 32) * MIB);
	process_done(&process);
}

static void no_mappings(void **state)
{
	(void)state;
	struct process process;
	uint64_t private_kib;
	struct err err;
	process_init(&process);
	assert_int_equal(qemu_proc_private(process.fd, MIB, &private_kib, &err), -ESRCH);
	put(&process, "smaps", "");
	assert_int_equal(
		qemu_proc_private(process.fd, MIB, &private_kib, &err), -EBADMSG);
	process_done(&process);
}

static void assert_cgroup(
	const struct process *process, const char *text, const char *wanted)
{
	char path[64];
	struct err err;
	put(process, "cgroup", text);
	assert_int_equal(qemu_proc_cgroup(process->fd, path, sizeof(path), &err), 0);
	assert_string_equal(path, wanted);
}

static void cgroups(void **state)
{
	(void)state;
	struct process process;
	char path[64] = "?";
	struct err err;
	process_init(&process);
	assert_cgroup(
		&process, "0::/machine.slice/vm:1.scope\n", "/machine.slice/vm:1.scope");
	assert_cgroup(&process,
		"9:cpu,memory:/machine/a.libvirt-qemu\n1:name=memory:/no\n0::/unified\n",
		"/machine/a.libvirt-qemu");
	assert_cgroup(&process, "0::/unified\n3:memory:/v1\n", "/v1");
	put(&process, "cgroup", "4:cpu:/x\n1:name=systemd:/y\n");
	assert_int_equal(qemu_proc_cgroup(process.fd, path, sizeof(path), &err), -ENOENT);
	assert_string_equal(path, "");
	process_done(&process);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory),
		cmocka_unit_test(faults),
		cmocka_unit_test(private_memory),
		cmocka_unit_test(ram_in_pieces),
		cmocka_unit_test(no_mappings),
		cmocka_unit_test(cgroups),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
