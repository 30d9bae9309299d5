/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "collectors/qemu_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"

/*
 * libproc2 gives most of the status and stat values, too, but at a fixed /proc, and
 * neither the mappings one by one nor the page tables. One reader of our own does for
 * all, and for made-up roots.
 */

/* Guest RAM may be a little larger than the configured memory by alignment. */
#define RAM_SLACK_KIB (2 * KIB_PER_MIB)

/* Mappings smaller than this part of the guest are never its RAM. */
#define RAM_PART_MIN 64

static int open_failed(struct err *err, const char *name)
{
	int code = errno == ENOENT || errno == ENOTDIR ? ESRCH : errno;
	return err_errno(err, code, "can't open '%s' of the process", name);
}

static FILE *open_file(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

/* A small file whole, ended by a NUL; its length or a negative errno. */
static ssize_t read_text(int directory, const char *name, char *text, size_t size)
{
	auto_close int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
	if (length < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	text[length] = '\0';
	return length;
}

/* "Name:   123 kB" of a text of many lines. */
static bool find_kib(const char *text, const char *name, uint64_t *value)
{
	size_t length = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return sscanf(line + length + 1, "%" SCNu64, value) == 1;
	}
	return false;
}

int qemu_proc_memory(int fd, struct qemu_memory *memory, struct err *err)
{
	char text[8192];
	ssize_t length = read_text(fd, "status", text, sizeof(text));
	if (length < 0)
		return err_errno(err, (int)-length, "can't read 'status' of the process");
	struct qemu_memory found = {0};
	if (!find_kib(text, "VmRSS", &found.rss_kib))
		return err_set(err, -EBADMSG, "'status' of the process has no VmRSS");
	find_kib(text, "RssAnon", &found.rss_anon_kib);
	find_kib(text, "RssShmem", &found.rss_shmem_kib);
	find_kib(text, "VmSwap", &found.swap_kib);
	find_kib(text, "VmPTE", &found.page_table_kib);
	*memory = found;
	return 0;
}

int qemu_proc_faults(int fd, struct qemu_faults *faults, struct err *err)
{
	char text[1024];
	ssize_t length = read_text(fd, "stat", text, sizeof(text));
	if (length < 0)
		return err_errno(err, (int)-length, "can't read 'stat' of the process");
	const char *name_end = strrchr(text, ')'); /* the name may hold anything */
	struct qemu_faults found;
	if (!name_end || sscanf(name_end + 1,
				 " %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64,
				 &found.minor, &found.major) != 2)
		return err_set(err, -EBADMSG, "'stat' of the process has another shape");
	*faults = found;
	return 0;
}

/* One mapping of smaps. */
struct mapping {
	uint64_t from;
	uint64_t size_kib, private_kib, referenced_kib;
	bool ram_like; /* can be written, and not executed */
};

/* The largest mappings that may be guest RAM, largest first; RAM in more pieces counts as
 * private in its smallest ones. */
struct ram {
	struct mapping pieces[QEMU_RAM_PIECES];
	size_t count;
};

static void ram_add(struct ram *ram, const struct mapping *mapping)
{
	size_t at = ram->count;
	while (at > 0 && ram->pieces[at - 1].size_kib < mapping->size_kib)
		at--;
	if (at == QEMU_RAM_PIECES)
		return;
	if (ram->count < QEMU_RAM_PIECES)
		ram->count++;
	memmove(&ram->pieces[at + 1], &ram->pieces[at],
		(ram->count - at - 1) * sizeof(*mapping));
	ram->pieces[at] = *mapping;
}

/* Keep the mappings that are guest RAM: the largest that fit into its size. */
static void ram_settle(struct ram *ram, uint64_t guest_kib)
{
	uint64_t size = 0;
	size_t kept = 0;
	for (size_t i = 0; i < ram->count; i++) {
		if (size + ram->pieces[i].size_kib > guest_kib + RAM_SLACK_KIB)
			continue;
		size += ram->pieces[i].size_kib;
		ram->pieces[kept++] = ram->pieces[i];
	}
	ram->count = kept;
}

/* "7f12-7f34 rw-p 00000000 00:00 0  NAME" begins a mapping. */
static bool read_head(const char *line, struct mapping *mapping)
{
	uint64_t from, to;
	char may[5];
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s ", &from, &to, may) != 3 ||
		to < from || strlen(may) != 4)
		return false;
	*mapping = (struct mapping){
		.from = from,
		.size_kib = kib_from_bytes(to - from),
		.ram_like = may[1] == 'w' && may[2] != 'x',
	};
	return true;
}

static void read_amount(const char *line, struct mapping *mapping)
{
	static const struct {
		const char *name;
		size_t at;
	} amounts[] = {
		{"Private_Clean:", offsetof(struct mapping, private_kib)},
		{"Private_Dirty:", offsetof(struct mapping, private_kib)},
		{"Swap:", offsetof(struct mapping, private_kib)},
		{"Referenced:", offsetof(struct mapping, referenced_kib)},
	};
	uint64_t value;
	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
		size_t length = strlen(amounts[i].name);
		if (strncmp(line, amounts[i].name, length) == 0 &&
			sscanf(line + length, "%" SCNu64, &value) == 1)
			*(uint64_t *)((char *)mapping + amounts[i].at) += value;
	}
}

static void mapping_over(const struct mapping *mapping, uint64_t guest_kib,
	struct ram *ram, uint64_t *total_kib)
{
	*total_kib += mapping->private_kib;
	if (mapping->ram_like && mapping->size_kib >= guest_kib / RAM_PART_MIN)
		ram_add(ram, mapping);
}

/* Go through the mappings: which are guest RAM, and what is private in all of them. */
static int read_mappings(int fd, const char *name, uint64_t guest_kib, struct ram *ram,
	uint64_t *total_kib, struct err *err)
{
	auto_fclose FILE *file = open_file(fd, name);
	if (!file)
		return open_failed(err, name);
	struct mapping mapping = {0}, next;
	bool any = false;
	char line[512];
	*ram = (struct ram){.count = 0};
	*total_kib = 0;
	while (fgets(line, sizeof(line), file)) {
		if (!read_head(line, &next)) {
			read_amount(line, &mapping);
			continue;
		}
		mapping_over(&mapping, guest_kib, ram, total_kib);
		mapping = next;
		any = true;
	}
	if (!any)
		return err_set(err, -EBADMSG, "'%s' of the process has no mapping", name);
	mapping_over(&mapping, guest_kib, ram, total_kib);
	ram_settle(ram, guest_kib);
	return 0;
}

int qemu_proc_private(int fd, uint64_t guest_kib, uint64_t *private_kib, struct err *err)
{
	struct ram ram;
	uint64_t total_kib, ram_kib = 0;
	int result = read_mappings(fd, "smaps", guest_kib, &ram, &total_kib, err);
	if (result < 0)
		return result;
	for (size_t i = 0; i < ram.count; i++)
		ram_kib += ram.pieces[i].private_kib;
	*private_kib = sub_u64(total_kib, ram_kib);
	return 0;
}

int qemu_proc_ram(
	int fd, uint64_t guest_kib, bool walk, struct qemu_ram *ram, struct err *err)
{
	struct ram found;
	uint64_t total_kib;
	int result = read_mappings(
		fd, walk ? "smaps" : "maps", guest_kib, &found, &total_kib, err);
	if (result < 0)
		return result;
	if (!found.count)
		return err_set(err, -ENODATA, "no mapping looks like guest RAM");
	*ram = (struct qemu_ram){.count = found.count};
	for (size_t i = 0; i < found.count; i++) {
		const struct mapping *piece = &found.pieces[i];
		ram->pieces[i].from = piece->from;
		ram->pieces[i].to = piece->from + piece->size_kib * 1024;
		ram->size_kib += piece->size_kib;
		ram->referenced_kib += piece->referenced_kib;
	}
	return 0;
}

/* The path of "7:memory:/path" or "0::/path", whichever is asked for; NULL another line.
 */
static char *hierarchy_path(char *line, bool unified)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!path)
		return NULL;
	*controllers++ = '\0';
	*path++ = '\0';
	if (unified)
		return strcmp(line, "0") == 0 && !*controllers ? path : NULL;
	char *rest = NULL;
	for (char *name = strtok_r(controllers, ",", &rest); name;
		name = strtok_r(NULL, ",", &rest))
		if (strcmp(name, "memory") == 0)
			return path;
	return NULL;
}

/* The path of the first line that fits; the text is left as it is. */
static bool find_hierarchy(const char *text, bool unified, char *path, size_t size)
{
	char line[1024];
	for (const char *at = text; *at;) {
		size_t length = strcspn(at, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, at);
		const char *found = hierarchy_path(line, unified);
		if (found)
			return snprintf(path, size, "%s", found) < (int)size;
		at += length + (at[length] == '\n');
	}
	return false;
}

int qemu_proc_cgroup(int fd, char *path, size_t size, struct err *err)
{
	char text[8192];
	ssize_t length = read_text(fd, "cgroup", text, sizeof(text));
	if (length < 0)
		return err_errno(err, (int)-length, "can't read 'cgroup' of the process");
	if (find_hierarchy(text, false, path, size) ||
		find_hierarchy(text, true, path, size))
		return 0;
	path[0] = '\0';
	return err_set(err, -ENOENT, "'cgroup' of the process has no memory hierarchy");
}
