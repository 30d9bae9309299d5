/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "momctl/doctor_facts.h"

/* ---- files ---- */

/* A file's beginning as text; NULL where it can't be read. Freed by the caller. */
static char *read_file(const char *root, const char *file)
{
	auto_free char *path = mem_printf("%s/%s", root, file);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 16384, length = 0;
	auto_free char *text = mem_alloc(size);
	ssize_t got = -1;
	while (fd >= 0 && (got = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	return got < 0 ? NULL : take(text);
}

static struct fact number_in(const char *root, const char *file)
{
	auto_free char *text = read_file(root, file);
	struct fact fact = {0};
	fact.known = text && sscanf(text, "%" SCNu64, &fact.value) == 1;
	return fact;
}

/* The number behind a name at the beginning of a line. */
static struct fact number_behind(const char *text, const char *name)
{
	size_t length = strlen(name);
	struct fact fact = {0};
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 &&
			sscanf(line + length, "%" SCNu64, &fact.value) == 1) {
			fact.known = true;
			return fact;
		}
	}
	return fact;
}

/* ---- memory and KSM ---- */

static void read_memory(struct doctor_host *host, const char *proc)
{
	auto_free char *text = read_file(proc, "meminfo");
	if (!text)
		return;
	host->mem_total = number_behind(text, "MemTotal:");
	host->mem_available = number_behind(text, "MemAvailable:");
	host->swap_total = number_behind(text, "SwapTotal:");
	host->swap_free = number_behind(text, "SwapFree:");
	struct fact free_pages = number_behind(text, "HugePages_Free:");
	uint64_t promised = number_behind(text, "HugePages_Rsvd:").value;
	uint64_t size = number_behind(text, "Hugepagesize:").value;
	host->huge_free = (struct fact){
		free_pages.known, sub_u64(free_pages.value, promised) * size};
}

void doctor_read_host(struct doctor_host *host, const char *proc, const char *sys)
{
	auto_free char *swaps = read_file(proc, "swaps");
	auto_free char *zswap = read_file(sys, "module/zswap/parameters/enabled");
	auto_free char *v1 = mem_printf("%s/fs/cgroup/memory/memory.usage_in_bytes", sys);
	read_memory(host, proc);
	host->zram = swaps && strstr(swaps, "/zram");
	host->has_zswap = zswap != NULL;
	host->zswap = zswap && (*zswap == 'Y' || *zswap == '1');
	host->overcommit = number_in(proc, "sys/vm/overcommit_memory");
	host->ksm_run = number_in(sys, "kernel/mm/ksm/run");
	host->ksm_sharing_pages = number_in(sys, "kernel/mm/ksm/pages_sharing");
	host->cgroup_v1 = access(v1, F_OK) == 0;
}

/* ---- programs ---- */

enum trouble { MOVES_BALLOONS, SETS_KSM, KILLS };

/* By the name of the process; what an interpreter runs, by that, too. */
static const struct program {
	const char *process, *interpreter;
	enum trouble trouble;
	struct doctor_rival rival;
} programs[] = {
	{"momd", "python", MOVES_BALLOONS,
		{"MOM of oVirt (a momd in Python)",
			"systemctl disable --now mom-vdsm, or whatever unit starts it"}},
	{"momd", "python", SETS_KSM,
		{"MOM of oVirt (a momd in Python)",
			"systemctl disable --now mom-vdsm, or whatever unit starts it"}},
	{"pvestatd", NULL, MOVES_BALLOONS,
		{"Proxmox (pvestatd)",
			"qm set VMID --balloon 0 for each guest that momd is to have"}},
	{"ksmtuned", NULL, SETS_KSM, {"ksmtuned", "systemctl disable --now ksmtuned"}},
	{"virt-handler", NULL, SETS_KSM,
		{"KubeVirt (virt-handler)",
			"take ksmConfiguration out of the KubeVirt resource"}},
	{"earlyoom", NULL, KILLS,
		{"earlyoom",
			"EARLYOOM_ARGS=\"--avoid '^qemu'\" in /etc/default/earlyoom\n"
			"systemctl restart earlyoom"}},
	{"nohang", NULL, KILLS,
		{"nohang", "spare qemu in /etc/nohang/nohang.conf\n"
			   "systemctl restart nohang"}},
};

static const struct doctor_rival second_momd = {
	"a second momd", "pgrep -a momd; end one of them"};

/* A command line has NULs between its words. */
static bool has_word(const char *proc, const char *pid, const char *word)
{
	char line[512];
	auto_free char *path = mem_printf("%s/%s/cmdline", proc, pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line));
	return length > 0 && memmem(line, (size_t)length, word, strlen(word));
}

static void add_manager(struct doctor_host *host, const struct doctor_rival *rival)
{
	for (size_t i = 0; i < host->manager_count; i++)
		if (host->managers[i].program == rival->program)
			return;
	if (host->manager_count < DOCTOR_RIVALS_MAX)
		host->managers[host->manager_count++] = *rival;
}

static void note_program(struct doctor_host *host, const struct program *program)
{
	if (program->trouble == MOVES_BALLOONS)
		add_manager(host, &program->rival);
	else if (program->trouble == SETS_KSM)
		host->tuner = program->rival;
	else
		host->killer = program->rival;
}

/* Counts the managers of our own kind that give orders. */
static unsigned look_at(struct doctor_host *host, const char *proc, const char *pid)
{
	auto_free char *file = mem_printf("%s/comm", pid);
	auto_free char *name = read_file(proc, file);
	if (!name)
		return 0;
	name[strcspn(name, "\n")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct program *program = &programs[i];
		if (strcmp(name, program->process) == 0 &&
			(!program->interpreter ||
				has_word(proc, pid, program->interpreter)))
			note_program(host, program);
	}
	return strcmp(name, "momd") == 0 && !has_word(proc, pid, "python") &&
	       !has_word(proc, pid, "--dry-run");
}

void doctor_read_rivals(struct doctor_host *host, const char *proc)
{
	unsigned ours = 0;
	DIR *directory = opendir(proc);
	if (!directory)
		return;
	for (const struct dirent *entry; (entry = readdir(directory));)
		if (isdigit((unsigned char)entry->d_name[0]))
			ours += look_at(host, proc, entry->d_name);
	closedir(directory);
	if (ours > 1)
		add_manager(host, &second_momd);
}

/* ---- a guest, from outside ---- */

/* Within the cgroups that libvirt made for one domain; what is above them others share.
 */
static bool is_in_domains_own(const char *path)
{
	return strstr(path, ".libvirt-qemu") || strstr(path, "/machine-qemu");
}

/* Files that this cgroup is charged for. */
static struct fact files_of(const char *root, const char *path, bool v1)
{
	auto_free char *file = mem_printf("%s/memory.stat", path + 1);
	auto_free char *text = read_file(root, file);
	struct fact active =
		number_behind(text, v1 ? "total_active_file " : "active_file ");
	struct fact inactive =
		number_behind(text, v1 ? "total_inactive_file " : "inactive_file ");
	return (struct fact){active.known && inactive.known,
		kib_from_bytes(active.value + inactive.value)};
}

/* Files that the host caches for it, its disks: where QEMU is, or above it in the
 * domain's own, as far as the kernel counts there. */
static struct fact cache_of(const struct doctor_guest *guest, const char *sys)
{
	auto_free char *old = mem_printf("%s/fs/cgroup/memory", sys);
	bool v1 = access(old, F_OK) == 0;
	auto_free char *root = mem_printf("%s/fs/cgroup%s", sys, v1 ? "/memory" : "");
	auto_free char *path = mem_dup(guest->cgroup);
	struct fact files = {0};
	while (path[0] == '/' && path[1] && !files.known) {
		files = files_of(root, path, v1);
		*strrchr(path, '/') = '\0';
		if (!is_in_domains_own(path))
			break;
	}
	return files;
}

void doctor_read_guest(struct doctor_guest *guest, const char *proc, const char *sys)
{
	guest->host_cache = cache_of(guest, sys);
	if (!guest->pid.value)
		return;
	auto_free char *file = mem_printf("%" PRIu64 "/stat", guest->pid.value);
	auto_free char *text = read_file(proc, file);
	const char *behind = text ? strrchr(text, ')') : NULL;
	if (behind)
		sscanf(behind + 1, " %c", &guest->process);
}
