/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/fake.h"

/* ---- the hypervisor ---- */

static int fake_open(void **self, const struct hypervisor_env *env, struct err *err)
{
	struct fake *fake = env->context;
	if (strncmp(env->uri, "fake:", 5))
		return err_set(err, -EINVAL, "\"%s\" is nothing made up", env->uri);
	fake->call_deadline_ms = env->call_deadline_ms;
	*self = fake;
	fake_tell(fake, fake->connected ? EVENT_CONNECTED : EVENT_DISCONNECTED, NULL, 0);
	return 0;
}

static void fake_close(void *self)
{
	struct fake *fake = self;
	fake->event_count = fake->events_told = 0;
}

static int fake_fd(void *self)
{
	(void)self;
	return -1; /* nothing here waits */
}

static void fake_refresh(void *self)
{
	fake_tell(self, EVENT_ROUND_DONE, NULL, 0);
}

static int fake_next_event(void *self, struct hypervisor_event *event)
{
	struct fake *fake = self;
	if (fake->events_told == fake->event_count) {
		fake->events_told = fake->event_count = 0;
		return 0;
	}
	*event = fake->events[fake->events_told++];
	return 1;
}

static bool is_late(const struct fake *fake, const struct fake_guest *guest)
{
	return guest->call == CALL_HANGS &&
	       fake->now_ms - guest->hung_ms >= (int64_t)fake->call_deadline_ms;
}

static void tell_values(struct fake_guest *guest, struct guest_sample *sample)
{
	uint64_t free_kib = sub_u64(guest->actual_kib, guest->used_kib);
	uint64_t cache_kib = min_u64(guest->cache_kib, free_kib);
	sample->has_usable = guest->tell != TELL_PARTIAL;
	sample->usable_kib = free_kib;
	sample->has_unused = sample->has_total = sample->has_cache = true;
	sample->unused_kib = free_kib - cache_kib;
	sample->cache_kib = cache_kib;
	/* without deflate-on-oom a balloon makes the guest look smaller */
	sample->total_kib = guest->autodeflate ? guest->max_kib : guest->actual_kib;
	sample->has_swap_in = true;
	sample->swap_in_kib = sub_u64(guest->swap_in_kib, guest->told_swap_in_kib);
	guest->told_swap_in_kib = guest->swap_in_kib;
}

/* What the layer above libvirt makes of garbage: every value refused and counted. */
static void refuse_values(struct guest_facts *facts)
{
	facts->refused += 4;
	facts->sample.has_usable = facts->sample.has_unused = false;
	facts->sample.has_total = facts->sample.has_cache = false;
}

static void tell_statistics(struct fake_guest *guest, struct guest_facts *facts)
{
	facts->has_last_update = guest->tell != TELL_NOTHING;
	facts->last_update = guest->reports;
	if (guest->tell == TELL_NOTHING || guest->tell == TELL_EMPTY)
		return;
	tell_values(guest, &facts->sample);
	facts->counters.has_swap_in = true;
	facts->counters.swap_in_kib = guest->swap_in_kib;
	if (guest->tell == TELL_WRONG)
		refuse_values(facts);
}

static void tell_guest(const struct fake *fake, struct fake_guest *guest,
	double swapped_part, struct guest_facts *facts)
{
	struct guest_sample *sample = &facts->sample;
	memcpy(facts->uuid, guest->uuid, sizeof(facts->uuid));
	memcpy(facts->name, guest->name, sizeof(facts->name));
	memcpy(facts->cgroup, guest->cgroup, sizeof(facts->cgroup));
	facts->id = facts->pid = guest->id;
	facts->run = guest->run;
	facts->has_balloon = !guest->no_device;
	facts->windows = guest->windows;
	facts->autodeflate = guest->autodeflate;
	facts->locked = guest->locked;
	facts->hugepages = guest->hugepages;
	facts->busy = guest->busy;
	facts->hung = is_late(fake, guest);
	facts->nosharepages = guest->nosharepages;
	facts->keeps_touched = !guest->hugepages && !guest->shared;
	facts->io_error = guest->io_error;
	facts->build = guest->build;
	facts->boots = guest->boots;
	facts->metadata = mem_dup(guest->metadata);
	sample->max_kib = guest->max_kib;
	sample->has_actual = !guest->no_device;
	sample->actual_kib = guest->no_device ? 0 : guest->actual_kib;
	sample->has_rss = sample->has_overhead = true;
	sample->overhead_kib = FAKE_OVERHEAD_KIB;
	uint64_t held = guest->hugepages ? 0 : guest->touched_kib;
	sample->swap_kib = (uint64_t)((double)held * swapped_part);
	uint64_t resident = held - sample->swap_kib;
	sample->rss_shmem_kib = guest->shared ? resident : 0;
	sample->rss_anon_kib = FAKE_OVERHEAD_KIB + (guest->shared ? 0 : resident);
	sample->rss_kib = resident + FAKE_OVERHEAD_KIB;
	tell_statistics(guest, facts);
}

static void fake_sample(void *self, struct snapshot *into)
{
	struct fake *fake = self;
	double swapped_part = fake_swapped_part(fake);
	into->connected = fake->connected;
	for (size_t i = 0; i < fake->count; i++)
		if (fake->guests[i].present)
			tell_guest(fake, &fake->guests[i], swapped_part,
				snapshot_add_guest(into));
}

/* A guest's number is in its UUID. */
static struct fake_guest *find(struct fake *fake, const char *uuid)
{
	size_t index;
	if (sscanf(uuid, "%8zx", &index) != 1 || index >= fake->count ||
		!fake->guests[index].present)
		return NULL;
	return &fake->guests[index];
}

static void note_order(struct fake *fake, struct fake_guest *guest, uint64_t target_kib)
{
	bool shrink = target_kib < guest->target_kib;
	fake->orders++;
	guest->turns += guest->orders && shrink != guest->last_was_shrink;
	guest->orders++;
	guest->shrinks += shrink;
	guest->last_was_shrink = shrink;
	guest->moved_kib +=
		shrink ? guest->target_kib - target_kib : target_kib - guest->target_kib;
	guest->ordered_kib = target_kib;
	guest->lowest_kib = min_u64(guest->lowest_kib, target_kib);
	guest->wrong += !target_kib || target_kib > guest->max_kib || guest->no_device ||
			guest->run != GUEST_RUNNING || !fake->connected;
}

static int fake_set_target(
	void *self, const char *uuid, uint64_t target_kib, struct err *err)
{
	struct fake *fake = self;
	struct fake_guest *guest = find(fake, uuid);
	static const int results[] = {
		[CALL_TAKEN] = 0,
		[CALL_HANGS] = -ETIMEDOUT,
		[CALL_BUSY] = -EBUSY,
		[CALL_REFUSED] = -EPERM,
	};
	if (!guest || guest->call == CALL_GONE)
		return err_set(err, -ENOENT, "there is no such guest");
	if (is_late(fake, guest))
		return err_set(err, -EBUSY, "an earlier call is late");
	note_order(fake, guest, target_kib);
	if (guest->call == CALL_TAKEN) {
		guest->target_kib = target_kib;
		guest->reached_from_kib = guest->actual_kib;
		guest->ordered_ms = fake->now_ms;
	}
	struct hypervisor_event done = {
		.kind = EVENT_ORDER_DONE,
		.value_kib = target_kib,
		.result = guest->no_device ? -ENODEV : results[guest->call],
	};
	memcpy(done.uuid, guest->uuid, sizeof(done.uuid));
	fake->events = mem_grow(fake->events, fake->event_count, &fake->event_capacity,
		sizeof(*fake->events));
	fake->events[fake->event_count++] = done;
	return 0;
}

static void fake_ask(void *self, const char *uuid)
{
	struct fake_guest *guest = find(self, uuid);
	if (guest)
		guest->asked++;
}

static void fake_status(void *self, struct hypervisor_status *status)
{
	const struct fake *fake = self;
	*status = (struct hypervisor_status){
		.connected = fake->connected,
		.read_only = fake->read_only,
	};
}

const struct hypervisor fake_hypervisor = {
	.name = "fake",
	.open = fake_open,
	.fd = fake_fd,
	.refresh = fake_refresh,
	.next_event = fake_next_event,
	.sample = fake_sample,
	.set_target = fake_set_target,
	.ask_statistics = fake_ask,
	.status = fake_status,
	.close = fake_close,
};

/* ---- the collectors ---- */

static int open_source(void **self, const struct collector_env *env,
	enum fake_source source, struct err *err)
{
	struct fake *fake = env->hypervisor_self;
	if (fake->unavailable[source])
		return err_set(err, -ENOENT, "there is no such source");
	*self = fake;
	return 0;
}

static int fails(const struct fake *fake, enum fake_source source, struct err *err)
{
	return fake->failing[source] ? err_set(err, -EIO, "the source is broken") : 0;
}

static void close_nothing(void *self)
{
	(void)self;
}

static int open_memory(void **self, const struct collector_env *env, struct err *err)
{
	return open_source(self, env, SOURCE_MEMORY, err);
}

static int sample_memory(void *self, struct snapshot *into, struct err *err)
{
	const struct fake *fake = self;
	struct host_sample *host = &into->host;
	if (fails(fake, SOURCE_MEMORY, err) < 0)
		return -EIO;
	uint64_t left = fake_available(fake);
	host->has_meminfo = host->has_vmstat = true;
	host->mem_total_kib = fake->memory_kib;
	host->mem_free_kib = host->mem_usable_kib = left;
	host->swap_total_kib = fake->swap_total_kib;
	host->swap_free_kib = fake->swap_free_kib;
	into->has_short_node = fake->has_short_node;
	into->short_node = (struct short_node){1, 100 * KIB_PER_MIB, 10000 * KIB_PER_MIB};
	into->host_swap_in_pages = fake->swap_in_pages;
	into->host_swap_out_pages = fake->swap_out_pages;
	return 0;
}

static int open_pressure(void **self, const struct collector_env *env, struct err *err)
{
	return open_source(self, env, SOURCE_PRESSURE, err);
}

static int sample_pressure(void *self, struct snapshot *into, struct err *err)
{
	const struct fake *fake = self;
	if (fails(fake, SOURCE_PRESSURE, err) < 0)
		return -EIO;
	into->host.has_psi = true;
	into->host.psi_some = into->host.psi_full = fake->psi_full;
	return 0;
}

static int open_guests(void **self, const struct collector_env *env, struct err *err)
{
	(void)err;
	*self = env->hypervisor_self;
	return 0;
}

static int sample_guests(void *self, struct snapshot *into, struct err *err)
{
	(void)err;
	fake_sample(self, into);
	return 0;
}

static int open_cgroups(void **self, const struct collector_env *env, struct err *err)
{
	return open_source(self, env, SOURCE_CGROUPS, err);
}

static bool is_inside(const struct fake_guest *guest, const char *path)
{
	size_t length = strlen(path);
	return guest->present && !strncmp(guest->cgroup, path, length) &&
	       (guest->cgroup[length] == '/' || !guest->cgroup[length]);
}

/* What cgroups above leave; a later one may be above an earlier one. */
static void look_above(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->pool_count; i++)
		for (size_t above = 0; above < snapshot->pool_count; above++) {
			struct pool_facts *pool = &snapshot->pools[i];
			const char *path = snapshot->pools[above].path;
			size_t length = strlen(path);
			if (strncmp(pool->path, path, length) ||
				pool->path[length] != '/')
				continue;
			pool->has_above = true;
			pool->above_kib = pool_left_kib(&snapshot->pools[above]);
		}
}

static int sample_cgroups(void *self, struct snapshot *into, struct err *err)
{
	const struct fake *fake = self;
	if (fails(fake, SOURCE_CGROUPS, err) < 0)
		return -EIO;
	for (size_t i = 0; i < fake->cgroup_count; i++) {
		const struct fake_cgroup *cgroup = &fake->cgroups[i];
		struct pool_facts *pool = snapshot_add_pool(into);
		snprintf(pool->path, sizeof(pool->path), "%s", cgroup->path);
		pool->limit_kib = cgroup->limit_kib;
		pool->use_kib = cgroup->others_kib;
		pool->has_use = !cgroup->blind;
		for (size_t g = 0; g < fake->count; g++)
			if (is_inside(&fake->guests[g], cgroup->path))
				pool->use_kib +=
					fake->guests[g].touched_kib + FAKE_OVERHEAD_KIB;
	}
	look_above(into);
	return 0;
}

static const struct collector collector_memory = {
	.name = "memory",
	.help = "made up",
	.open = open_memory,
	.sample = sample_memory,
	.glance = sample_memory,
	.close = close_nothing,
};

static const struct collector collector_pressure = {
	.name = "pressure",
	.help = "made up",
	.open = open_pressure,
	.sample = sample_pressure,
	.close = close_nothing,
};

static const struct collector collector_guests = {
	.name = "guests",
	.help = "made up",
	.open = open_guests,
	.sample = sample_guests,
	.close = close_nothing,
};

static const struct collector collector_cgroups = {
	.name = "cgroups",
	.help = "made up",
	.open = open_cgroups,
	.sample = sample_cgroups,
	.glance = sample_cgroups,
	.close = close_nothing,
};

const struct collector *const fake_collectors[] = {
	&collector_memory,
	&collector_pressure,
	&collector_guests,
	&collector_cgroups,
	NULL,
};
