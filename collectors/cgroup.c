/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mom/collector.h"
#include "mom/mem.h"
#include "mom/units.h"

#define UNLIMITED_KIB                                                                    \
	(1ull << 50) /* v1 writes a number near 2^63 bytes for "no limit"                \
		      */

/*
 * The memory cgroups that limit guests. Each guest's own cgroup is asked upward: the
 * nearest one with a limit, above the domain's own, is its pool.
 */
struct cgroup {
	char *root; /* of the memory hierarchy */
	bool v1;
	char *configured;               /* host.budget = "cgroup:…", or NULL */
	char (*known)[CGROUP_PATH_MAX]; /* pools of the last sample, for a glance */
	size_t known_count, known_capacity;
};

static bool exists(const char *directory, const char *file)
{
	auto_free char *path = mem_printf("%s/%s", directory, file);
	return access(path, F_OK) == 0;
}

/* Find the hierarchy that has the memory controller: v1, v2 alone, or v2 beside v1. */
static int find_hierarchy(struct cgroup *cgroup, const char *sys_root, struct err *err)
{
	static const struct {
		const char *directory, *witness;
		bool v1;
	} places[] = {
		{"fs/cgroup/memory", "memory.usage_in_bytes", true},
		{"fs/cgroup", "cgroup.controllers", false},
		{"fs/cgroup/unified", "cgroup.controllers", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		auto_free char *root = mem_printf("%s/%s", sys_root, places[i].directory);
		if (!exists(root, places[i].witness))
			continue;
		cgroup->root = take(root);
		cgroup->v1 = places[i].v1;
		return 0;
	}
	return err_set(
		err, -ENOENT, "no memory cgroups under \"%s/fs/cgroup\"", sys_root);
}

static void cgroup_close(void *self)
{
	struct cgroup *cgroup = self;
	if (!cgroup)
		return;
	free(cgroup->root);
	free(cgroup->configured);
	free(cgroup->known);
	free(cgroup);
}

static int cgroup_open(void **self, const struct collector_env *env, struct err *err)
{
	struct cgroup *cgroup = mem_alloc(sizeof(*cgroup));
	int result = find_hierarchy(cgroup, env->sys_root, err);
	if (result < 0) {
		cgroup_close(cgroup);
		return result;
	}
	if (env->config->host.budget.kind == BUDGET_CGROUP)
		cgroup->configured = mem_dup(env->config->host.budget.cgroup);
	*self = cgroup;
	return 0;
}

static ssize_t read_file(const struct cgroup *cgroup, const char *path, const char *name,
	char *text, size_t size)
{
	auto_free char *file = mem_printf("%s%s/%s", cgroup->root, path, name);
	auto_close int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
	if (length >= 0)
		text[length] = '\0';
	return length;
}

static bool read_kib(
	const struct cgroup *cgroup, const char *path, const char *name, uint64_t *kib)
{
	char text[64];
	unsigned long long bytes;
	if (read_file(cgroup, path, name, text, sizeof(text)) <= 0 ||
		sscanf(text, "%llu", &bytes) != 1)
		return false;
	*kib = kib_from_bytes(bytes);
	return true;
}

static bool read_limit(const struct cgroup *cgroup, const char *path, uint64_t *kib)
{
	uint64_t high_kib;
	const char *limit = cgroup->v1 ? "memory.limit_in_bytes" : "memory.max";
	if (!read_kib(cgroup, path, limit, kib))
		*kib = UNLIMITED_KIB;
	if (!cgroup->v1 && read_kib(cgroup, path, "memory.high", &high_kib))
		*kib = min_u64(*kib, high_kib);
	return *kib < UNLIMITED_KIB;
}

/* The value of one line of memory.stat, which holds "name bytes" lines. */
static uint64_t stat_kib(const char *text, const char *name)
{
	size_t length = strlen(name);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		unsigned long long bytes;
		if (!strncmp(line, name, length) &&
			sscanf(line + length, " %llu", &bytes) == 1)
			return kib_from_bytes(bytes);
	}
	return 0;
}

/*
 * What a balloon gave back in parts of huge pages stays charged until somebody asks for
 * memory: it is on the kernel's lists of anonymous memory, but nobody maps it any more.
 */
static uint64_t split_kib(const char *text, bool v1)
{
	uint64_t listed = stat_kib(text, v1 ? "total_active_anon" : "active_anon") +
			  stat_kib(text, v1 ? "total_inactive_anon" : "inactive_anon");
	uint64_t mapped = stat_kib(text, v1 ? "total_rss" : "anon") +
			  stat_kib(text, v1 ? "total_shmem" : "shmem") +
			  stat_kib(text, v1 ? "total_swapcached" : "swapcached");
	return sub_u64(listed, mapped);
}

/*
 * Read one cgroup.
 *
 * Shape:  v1: memory.limit_in_bytes, memory.usage_in_bytes, total_inactive_file of
 *         memory.stat; v2: memory.max or memory.high, whichever is less ("max" for none),
 *         memory.current, inactive_file; beyond memory.high guests aren't killed, but
 *         made to wait until memory is theirs again, which is no better;
 *         both: what split_kib() works out.
 * Units:  bytes; kept as KiB.
 * Returns true where it exists and has a limit.
 * Source: kernel Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst
 */
static bool read_pool(
	const struct cgroup *cgroup, const char *path, struct pool_facts *pool)
{
	const char *use = cgroup->v1 ? "memory.usage_in_bytes" : "memory.current";
	const char *inactive = cgroup->v1 ? "total_inactive_file" : "inactive_file";
	if (!read_limit(cgroup, path, &pool->limit_kib))
		return false;
	pool->has_use = read_kib(cgroup, path, use, &pool->use_kib);
	char text[8192];
	if (read_file(cgroup, path, "memory.stat", text, sizeof(text)) > 0) {
		pool->inactive_file_kib = stat_kib(text, inactive);
		pool->split_kib = split_kib(text, cgroup->v1);
	}
	snprintf(pool->path, sizeof(pool->path), "%s", path);
	return true;
}

/* Limits above bind as well: what guests take here is charged to each of them. */
static void read_above(const struct cgroup *cgroup, struct pool_facts *pool)
{
	auto_free char *path = mem_dup(pool->path);
	char *name;
	while ((name = strrchr(path, '/')) && name != path) {
		*name = '\0';
		struct pool_facts above = {0};
		if (!read_pool(cgroup, path, &above) || !above.has_use)
			continue;
		uint64_t left_kib = pool_left_kib(&above);
		pool->above_kib =
			pool->has_above ? min_u64(pool->above_kib, left_kib) : left_kib;
		pool->has_above = true;
	}
}

static bool has_pool(const struct snapshot *snapshot, const char *path)
{
	for (size_t i = 0; i < snapshot->pool_count; i++)
		if (!strcmp(snapshot->pools[i].path, path))
			return true;
	return false;
}

static bool add_pool(const struct cgroup *cgroup, struct snapshot *into, const char *path)
{
	if (has_pool(into, path))
		return true;
	struct pool_facts pool = {0};
	if (!read_pool(cgroup, path, &pool))
		return false;
	read_above(cgroup, &pool);
	*snapshot_add_pool(into) = pool;
	return true;
}

/* libvirt's own cgroup of one domain, and what it keeps below that. */
static bool is_domain_part(const char *name)
{
	size_t length = strlen(name);
	return strstr(name, ".libvirt-qemu") || !strncmp(name, "machine-qemu", 12) ||
	       !strcmp(name, "libvirt") || !strcmp(name, "emulator") ||
	       !strncmp(name, "vcpu", 4) || (length > 8 && strstr(name, "iothread"));
}

/* Go up from the guest's cgroup to the first limited one that isn't the domain's own. */
static void add_pool_of(
	const struct cgroup *cgroup, struct snapshot *into, const char *guest_path)
{
	auto_free char *path = mem_dup(guest_path);
	char *name;
	bool above_domain = false;
	while ((name = strrchr(path, '/')) && name[1]) {
		above_domain = above_domain || !is_domain_part(name + 1);
		if (above_domain && add_pool(cgroup, into, path))
			return;
		*name = '\0';
	}
}

/* The pools of this sample are those that a glance looks at. */
static void remember_pools(struct cgroup *cgroup, const struct snapshot *snapshot)
{
	cgroup->known_count = 0;
	for (size_t i = 0; i < snapshot->pool_count; i++) {
		cgroup->known = mem_grow(cgroup->known, cgroup->known_count,
			&cgroup->known_capacity, sizeof(*cgroup->known));
		memcpy(cgroup->known[cgroup->known_count++], snapshot->pools[i].path,
			CGROUP_PATH_MAX);
	}
}

static int cgroup_glance(void *self, struct snapshot *into, struct err *err)
{
	(void)err;
	struct cgroup *cgroup = self;
	for (size_t i = 0; i < cgroup->known_count; i++)
		add_pool(cgroup, into, cgroup->known[i]);
	return 0;
}

static int cgroup_sample(void *self, struct snapshot *into, struct err *err)
{
	struct cgroup *cgroup = self;
	if (cgroup->configured) {
		if (!add_pool(cgroup, into, cgroup->configured))
			return err_set(err, -ENOENT,
				"cgroup \"%s\" of host.budget isn't there or has no "
				"limit",
				cgroup->configured);
		remember_pools(cgroup, into);
		return 0;
	}
	for (size_t i = 0; i < into->guest_count; i++)
		if (into->guests[i].cgroup[0])
			add_pool_of(cgroup, into, into->guests[i].cgroup);
	remember_pools(cgroup, into);
	return 0;
}

const struct collector collector_cgroup = {
	.name = "cgroup",
	.help = "memory cgroups that limit guests (v1 and v2)",
	.open = cgroup_open,
	.sample = cgroup_sample,
	.glance = cgroup_glance,
	.close = cgroup_close,
};
