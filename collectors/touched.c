/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "collectors/touched.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "mom/mem.h"

void touched_done(struct touched *touched)
{
	free(touched->idle);
	*touched = (struct touched){0};
}

static bool is_kvm(int folder, const char *name)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(folder, name, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	return !strcmp(target, "/dev/kvm") || !strncmp(target, "anon_inode:kvm-", 15);
}

static int is_accelerated(
	const struct touched_roots *roots, int pid, bool *accelerated, struct err *err)
{
	auto_free char *path = mem_printf("%s/%d/fd", roots->proc, pid);
	DIR *folder = opendir(path);
	if (!folder)
		return err_errno(err, errno, "cannot open \"%s\"", path);
	for (const struct dirent *entry; (entry = readdir(folder));)
		*accelerated = *accelerated || is_kvm(dirfd(folder), entry->d_name);
	closedir(folder);
	return 0;
}

int touched_choose(struct touched *touched, const struct touched_roots *roots, int pid,
	struct err *err)
{
	bool accelerated = false;
	touched->by = TOUCHED_NONE;
	int result = is_accelerated(roots, pid, &accelerated, err);
	if (result < 0)
		return result;
	if (accelerated && !idle_pages_available(roots->sys))
		return err_set(err, -EOPNOTSUPP,
			"it runs under KVM, and this kernel has no idle page tracking "
			"(\"%s/kernel/mm/page_idle/bitmap\")",
			roots->sys);
	touched->by = accelerated ? TOUCHED_MARKS : TOUCHED_BITS;
	return 0;
}

static int clear_bits(int process, struct err *err)
{
	auto_close int fd = openat(process, "clear_refs", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		return err_errno(err, errno, "cannot write its clear_refs");
	return 0;
}

static int look_at_bits(const struct touched *touched, int process, uint64_t guest_kib,
	uint64_t *kib, struct err *err)
{
	struct qemu_ram ram = {0};
	int result =
		touched->begun ? qemu_proc_ram(process, guest_kib, true, &ram, err) : 0;
	if (result == 0)
		result = clear_bits(process, err);
	*kib = ram.referenced_kib;
	return result;
}

static int look_at_marks(struct touched *touched, const struct touched_roots *roots,
	int pid, int process, uint64_t guest_kib, uint64_t seed, uint64_t *kib,
	struct err *err)
{
	struct qemu_ram ram;
	int result = 0;
	*kib = 0;
	if (touched->begun)
		result = idle_pages_end(
			touched->idle, roots->proc, roots->sys, pid, kib, err);
	if (!touched->idle)
		touched->idle = mem_alloc(sizeof(*touched->idle));
	if (result == 0)
		result = qemu_proc_ram(process, guest_kib, false, &ram, err);
	if (result == 0)
		result = idle_pages_begin(
			touched->idle, roots->proc, roots->sys, pid, &ram, seed, err);
	return result;
}

int touched_look(struct touched *touched, const struct touched_roots *roots, int pid,
	uint64_t guest_kib, uint64_t seed, uint64_t *kib, struct err *err)
{
	auto_free char *path = mem_printf("%s/%d", roots->proc, pid);
	auto_close int process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0)
		return err_errno(err, errno, "cannot open \"%s\"", path);
	int result = touched->by == TOUCHED_BITS
			     ? look_at_bits(touched, process, guest_kib, kib, err)
			     : look_at_marks(touched, roots, pid, process, guest_kib,
				       seed, kib, err);
	touched->begun = result == 0;
	return result;
}
