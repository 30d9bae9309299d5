/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/doctor_facts.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "momctl/json.h"

/* ---- members of a guest, by the object that they are in ---- */

enum kind { TEXT, COUNT, NUMBER, BOOL };

struct member {
	const char *key;
	enum kind kind;
	size_t offset;
};

#define AT(field) offsetof(struct doctor_guest, field)

static const struct member of_guest[] = {
	{"name", TEXT, AT(name)},
	{"state", TEXT, AT(state)},
	{"quality", TEXT, AT(quality)},
	{"run", TEXT, AT(run)},
	{"cgroup", TEXT, AT(cgroup)},
	{"settings_trouble", TEXT, AT(settings_trouble)},
	{"max_kib", COUNT, AT(max)},
	{"limit_kib", COUNT, AT(limit)},
	{"min_kib", COUNT, AT(min)},
	{"actual_kib", COUNT, AT(actual)},
	{"used_kib", COUNT, AT(used)},
	{"demand_kib", COUNT, AT(demand)},
	{"rss_kib", COUNT, AT(rss)},
	{"swap_kib", COUNT, AT(swap)},
	{"overhead_kib", COUNT, AT(overhead)},
	{"cost_kib", COUNT, AT(cost)},
	{"pid", COUNT, AT(pid)},
	{"distress", NUMBER, AT(distress)},
	{"managed", BOOL, AT(managed)},
	{"io_error", BOOL, AT(io_error)},
};

static const struct member of_statistics[] = {
	{"refused", COUNT, AT(refused)},
};

static const struct member of_learned[] = {
	{"floor_kib", COUNT, AT(floor)},
	{"floor_age_s", NUMBER, AT(floor_age_s)},
	{"held_for_s", NUMBER, AT(held_for_s)},
	{"stuck_for_s", NUMBER, AT(stuck_for_s)},
	{"orders_refused", COUNT, AT(orders_refused)},
	{"yields_nothing", BOOL, AT(yields_nothing)},
};

static const struct member of_build[] = {
	{"emulated", BOOL, AT(emulated)},
	{"acpi", BOOL, AT(acpi)},
	{"balloon", BOOL, AT(balloon)},
	{"autodeflate", BOOL, AT(autodeflate)},
	{"free_page_reporting", BOOL, AT(free_page_reporting)},
	{"stats_period_s", COUNT, AT(stats_period)},
	{"passthrough", BOOL, AT(passthrough)},
	{"locked", BOOL, AT(locked)},
	{"hugepages", BOOL, AT(hugepages)},
	{"shared", BOOL, AT(shared)},
	{"nosharepages", BOOL, AT(nosharepages)},
	{"windows", BOOL, AT(windows)},
	{"os", TEXT, AT(os)},
	{"hard_limit_kib", COUNT, AT(hard_limit)},
};

static void take_member(
	struct doctor_guest *guest, const struct member *member, struct json_object *from)
{
	void *place = (char *)guest + member->offset;
	double number;
	switch (member->kind) {
	case TEXT:
		*(const char **)place = json_get_text(from, member->key);
		break;
	case COUNT:
		if (json_get_number(from, member->key, &number) && number >= 0 &&
			number < 1e18)
			*(struct fact *)place = (struct fact){true, (uint64_t)number};
		break;
	case NUMBER:
		json_get_number(from, member->key, place);
		break;
	case BOOL:
		*(bool *)place = json_get_bool(from, member->key);
		break;
	}
}

static void take_members(struct doctor_guest *guest, const struct member *members,
	size_t count, struct json_object *from)
{
	for (size_t i = 0; i < count; i++)
		take_member(guest, &members[i], from);
}

static void take_disks(struct doctor_guest *guest, struct json_object *disks)
{
	for (size_t i = 0; i < json_count(disks) && i < DOCTOR_DISKS_MAX; i++) {
		struct json_object *disk = json_object_array_get_idx(disks, i);
		guest->disks[guest->disk_count++] = (struct doctor_disk){
			.target = json_get_text(disk, "target"),
			.bus = json_get_text(disk, "bus"),
			.cache = json_get_text(disk, "cache"),
			.remote = json_get_bool(disk, "remote"),
		};
	}
}

static void take_nics(struct doctor_guest *guest, struct json_object *nics)
{
	for (size_t i = 0; i < json_count(nics) && i < DOCTOR_NICS_MAX; i++) {
		struct json_object *nic = json_object_array_get_idx(nics, i);
		guest->nics[guest->nic_count++] = (struct doctor_nic){
			.mac = json_get_text(nic, "mac"),
			.model = json_get_text(nic, "model"),
		};
	}
}

static void take_guest(struct doctor_guest *guest, struct json_object *from)
{
	struct json_object *build = json_get(from, "build");
	take_members(guest, of_guest, ARRAY_SIZE(of_guest), from);
	take_members(guest, of_statistics, ARRAY_SIZE(of_statistics),
		json_get(from, "statistics"));
	take_members(
		guest, of_learned, ARRAY_SIZE(of_learned), json_get(from, "learned"));
	take_members(guest, of_build, ARRAY_SIZE(of_build), build);
	guest->built = build != NULL;
	take_disks(guest, json_get(build, "disks"));
	take_nics(guest, json_get(build, "interfaces"));
}

/* ---- pools ---- */

static bool is_inside(const char *cgroup, const char *path)
{
	size_t length = strlen(path);
	return strncmp(cgroup, path, length) == 0 &&
	       (cgroup[length] == '/' || !cgroup[length]);
}

/* What the guests of each pool may need, where both are known. */
static void fill_pools(struct doctor *all)
{
	for (size_t p = 0; p < all->pool_count; p++) {
		struct doctor_pool *pool = &all->pools[p];
		for (size_t i = 0; i < all->guest_count; i++) {
			const struct doctor_guest *guest = &all->guests[i];
			if (is_inside(guest->cgroup, pool->path))
				pool->may_need +=
					guest->max.value + guest->overhead.value;
		}
	}
}

void doctor_take_guests(struct doctor *all, struct json_object *guests)
{
	all->guest_count = json_count(guests);
	all->guests = mem_array(all->guest_count, sizeof(*all->guests));
	for (size_t i = 0; i < all->guest_count; i++)
		take_guest(&all->guests[i], json_object_array_get_idx(guests, i));
	fill_pools(all);
}

static void take_pools(struct doctor *all, struct json_object *pools)
{
	all->pool_count = json_count(pools);
	all->pools = mem_array(all->pool_count, sizeof(*all->pools));
	for (size_t i = 0; i < all->pool_count; i++) {
		struct json_object *pool = json_object_array_get_idx(pools, i);
		struct fact *budget = &all->pools[i].budget;
		all->pools[i].path = json_get_text(pool, "name");
		budget->known = json_get_count(pool, "budget_kib", &budget->value);
	}
}

/* ---- the daemon ---- */

static bool sets_ksm(struct json_object *policies)
{
	for (size_t i = 0; i < json_count(policies); i++) {
		struct json_object *name = json_object_array_get_idx(policies, i);
		if (strstr(json_object_get_string(name), "ksm"))
			return true;
	}
	return false;
}

static struct fact count_of(struct json_object *array)
{
	return (struct fact){
		json_object_is_type(array, json_type_array), json_count(array)};
}

void doctor_take_status(struct doctor *all, struct json_object *status)
{
	struct json_object *hypervisor = json_get(status, "hypervisor");
	struct json_object *warnings = json_get(status, "warnings");
	all->has_momd = true;
	all->state = json_get_text(json_get(status, "host"), "state");
	all->uri = json_get_text(hypervisor, "uri");
	all->connected = json_get_bool(hypervisor, "connected");
	all->read_only = json_get_bool(hypervisor, "read_only");
	all->hypervisor_why = json_get_text(hypervisor, "why");
	json_get_number(hypervisor, "since_s", &all->disconnected_s);
	all->dry_run = json_get_bool(status, "dry_run");
	all->paused = json_get_bool(status, "paused");
	all->policies = count_of(json_get(status, "policies"));
	all->ksm_policy = sets_ksm(json_get(status, "policies"));
	all->warnings = count_of(warnings);
	if (all->warnings.value)
		all->warning =
			json_object_get_string(json_object_array_get_idx(warnings, 0));
	take_pools(all, json_get(status, "pools"));
}

void doctor_done(struct doctor *all)
{
	free(all->guests);
	free(all->pools);
	*all = (struct doctor){0};
}
