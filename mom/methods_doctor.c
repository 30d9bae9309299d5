/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/methods_doctor.h"

#include <errno.h>
#include <json-c/json.h>

#include "mom/control/put.h"
#include "mom/daemon.h"
#include "mom/describe.h"

/*
 * What the daemon knows of guests beside their figures: how they are built, and what
 * stands in the way of managing them. Whether that is a fault, and what mends it, is
 * momctl's to say: it sees the host itself.
 */

static struct json_object *describe_disk(const struct guest_disk *disk)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "target", disk->target);
	put_text(object, "bus", disk->bus);
	put_text(object, "cache", disk->cache);
	put_bool(object, "remote", disk->remote);
	return object;
}

static struct json_object *describe_nic(const struct guest_nic *nic)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "mac", nic->mac);
	put_text(object, "model", nic->model);
	return object;
}

static struct json_object *describe_build(const struct guest_facts *facts)
{
	const struct guest_build *build = &facts->build;
	if (!build->known)
		return NULL;
	struct json_object *object = json_object_new_object();
	struct json_object *disks = json_object_new_array();
	struct json_object *nics = json_object_new_array();
	for (size_t i = 0; i < build->disk_count; i++)
		json_object_array_add(disks, describe_disk(&build->disks[i]));
	for (size_t i = 0; i < build->nic_count; i++)
		json_object_array_add(nics, describe_nic(&build->nics[i]));
	put_bool(object, "emulated", build->emulated);
	put_bool(object, "acpi", build->acpi);
	put_bool(object, "balloon", facts->has_balloon);
	put_bool(object, "autodeflate", facts->autodeflate);
	put_bool(object, "free_page_reporting", build->free_page_reporting);
	put_seconds(object, "stats_period_s", (int64_t)build->stats_period_s * 1000);
	put_bool(object, "passthrough", build->passthrough);
	put_bool(object, "locked", facts->locked);
	put_bool(object, "hugepages", facts->hugepages);
	put_bool(object, "shared", build->shared);
	put_bool(object, "nosharepages", facts->nosharepages);
	put_kib_if(
		object, "hard_limit_kib", build->hard_limit_kib, build->hard_limit_kib);
	put_kib_if(object, "swap_hard_limit_kib", build->swap_hard_limit_kib,
		build->swap_hard_limit_kib);
	put_text(object, "os", build->os[0] ? build->os : NULL);
	put_bool(object, "windows", facts->windows);
	put(object, "disks", disks);
	put(object, "interfaces", nics);
	return object;
}

static struct json_object *describe_patient(const struct guest *guest, int64_t now_ms)
{
	const struct guest_facts *facts = &guest->facts;
	struct json_object *object = describe_guest(guest, now_ms);
	put(object, "pid", facts->pid ? json_object_new_int(facts->pid) : NULL);
	put_text(object, "run", guest_run_name(facts->run));
	put_text(object, "cgroup", facts->cgroup[0] ? facts->cgroup : NULL);
	put_bool(object, "io_error", facts->io_error);
	put_text(object, "settings_trouble", guest->settings_trouble);
	put(object, "statistics", describe_statistics(guest));
	put(object, "learned", describe_learned(guest, now_ms));
	put(object, "build", describe_build(facts));
	return object;
}

int answer_doctor(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	const struct engine *engine = &((struct daemon *)context)->engine;
	const char *name = param_text(params, "guest");
	const struct guest *only = name ? roster_find(&engine->roster, name) : NULL;
	if (!engine->pools.count)
		return err_set(err, -EAGAIN, "the daemon has just started; ask again");
	if (name && !only)
		return err_set(err, -ENOENT, "there is no running guest \"%s\"", name);
	int64_t now_ms = daemon_now_ms();
	*result = json_object_new_array();
	for (size_t i = 0; i < engine->roster.count; i++) {
		const struct guest *guest = engine->roster.guests[i];
		if (!only || guest == only)
			json_object_array_add(*result, describe_patient(guest, now_ms));
	}
	return 0;
}
