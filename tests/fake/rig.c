/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fake/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "controllers/list.h"
#include "mom/mem.h"
#include "mom/units.h"

#define SLICE_MS 50

void rig_init(struct rig *rig, uint64_t memory_kib)
{
	*rig = (struct rig){.uri = "fake:"};
	fake_init(&rig->fake, memory_kib);
	made_up_init(&rig->folder);
	rig->sys_root = mem_printf("%s/sys", rig->folder.root);
	fflush(stderr);
	rig->stderr_fd = dup(STDERR_FILENO);
	rig->log_fd = memfd_create("log", MFD_CLOEXEC);
	if (rig->stderr_fd < 0 || rig->log_fd < 0)
		abort();
	dup2(rig->log_fd, STDERR_FILENO);
}

void rig_done(struct rig *rig)
{
	if (rig->opened)
		engine_close(&rig->engine);
	fflush(stderr);
	dup2(rig->stderr_fd, STDERR_FILENO);
	if (getenv("RIG_LOG") && rig_said(rig, "guest") > 0)
		fprintf(stderr, "%s----\n", rig->log);
	close(rig->stderr_fd);
	close(rig->log_fd);
	free(rig->log);
	free(rig->sys_root);
	fake_done(&rig->fake);
	made_up_done(&rig->folder);
}

/* ---- opening ---- */

static int read_config(
	struct rig *rig, const char *text, struct config **config, struct err *err)
{
	struct config_part_keys parts[8];
	size_t count = 0;
	for (size_t i = 0; controllers[i]; i++)
		if (controllers[i]->keys)
			parts[count++] = (struct config_part_keys){
				.section = controllers[i]->name,
				.keys = controllers[i]->keys,
				.size = controllers[i]->settings_size,
			};
	made_up_file(&rig->folder, "momd.conf",
		"hypervisor = { uri = \"%s\"; };\ncontrol = { socket = \"%s/sock\"; };\n"
		"policy = { directory = \"%s/policies.d\"; shipped = \"%s/policies\"; "
		"};\n"
		"%s\n",
		rig->uri, rig->folder.root, rig->folder.root,
		getenv("top_srcdir") ? getenv("top_srcdir") : ".", text);
	auto_free char *path = mem_printf("%s/momd.conf", rig->folder.root);
	*config = mem_alloc(sizeof(**config));
	int result = config_load(*config, path, parts, count, err);
	if (result < 0)
		free(*config);
	return result;
}

int rig_try(struct rig *rig, const char *text, struct err *err)
{
	struct config *config;
	int result = read_config(rig, text, &config, err);
	if (result < 0)
		return result;
	auto_free char *live_path = mem_printf("%s/live", rig->folder.root);
	struct engine_env env = {
		.hypervisor = &fake_hypervisor,
		.hypervisor_context = &rig->fake,
		.collectors = fake_collectors,
		.controllers = controllers,
		.proc_root = "/nowhere",
		.sys_root = rig->sys_root,
		.live_path = live_path,
		.dry_run = rig->dry_run,
	};
	result = engine_open(&rig->engine, config, &env, err);
	rig->opened = result == 0;
	return result;
}

void rig_open(struct rig *rig, const char *text)
{
	struct err err = {0};
	if (rig_try(rig, text, &err) < 0)
		fail_msg("the engine can't be opened: %s", err.text);
}

int rig_reconfigure(struct rig *rig, const char *text, struct err *err)
{
	struct config *config;
	int result = read_config(rig, text, &config, err);
	return result < 0 ? result : engine_reconfigure(&rig->engine, config, err);
}

void rig_restart(struct rig *rig, const char *text)
{
	engine_close(&rig->engine);
	rig->opened = rig->began = false;
	rig->due_ms = 0;
	rig_open(rig, text);
}

/* ---- the loop ---- */

static void tick(struct rig *rig)
{
	engine_tick(&rig->engine, rig->fake.now_ms);
	rig->ticks++;
}

static void drain(struct rig *rig, int64_t began_ms)
{
	struct hypervisor_event event;
	bool due = false;
	while (fake_hypervisor.next_event(&rig->fake, &event) > 0) {
		enum engine_need need = engine_event(&rig->engine, &event);
		due = due || need == NEED_TICK;
		if (need == NEED_ROUND)
			rig->due_ms = 0;
	}
	if (!due)
		return;
	tick(rig);
	rig->due_ms = began_ms + (int64_t)engine_period_ms(&rig->engine);
}

static void round_(struct rig *rig)
{
	int64_t began_ms = rig->fake.now_ms;
	uint64_t wait_ms = engine_begin(&rig->engine);
	if (wait_ms)
		fake_step(&rig->fake, wait_ms);
	engine_sample(&rig->engine);
	drain(rig, began_ms);
	drain(rig, began_ms);
}

static void glance(struct rig *rig)
{
	const struct config *config = rig->engine.config;
	rig->glance_ms = rig->fake.now_ms + (int64_t)config->sampling.watch_period_ms;
	if (pools_state(&rig->engine.pools) == HOST_ROOMY || !engine_glance(&rig->engine))
		return;
	rig->emergencies++;
	tick(rig);
}

void rig_run(struct rig *rig, uint64_t ms)
{
	int64_t end_ms = rig->fake.now_ms + (int64_t)ms;
	while (rig->fake.now_ms < end_ms) {
		drain(rig, rig->fake.now_ms);
		if (rig->fake.now_ms >= rig->due_ms)
			round_(rig);
		else if (rig->fake.now_ms >= rig->glance_ms)
			glance(rig);
		fake_step(&rig->fake, SLICE_MS);
	}
}

/* ---- what came of it ---- */

size_t rig_said(struct rig *rig, const char *text)
{
	off_t size = lseek(rig->log_fd, 0, SEEK_END);
	free(rig->log);
	rig->log = mem_alloc((size_t)size + 1);
	if (pread(rig->log_fd, rig->log, (size_t)size, 0) != size)
		abort();
	size_t count = 0;
	for (const char *at = rig->log; (at = strstr(at, text)); count++) {
		at += strcspn(at, "\n");
		at += *at == '\n'; /* the text may be that very end */
	}
	return count;
}

struct guest *rig_guest(struct rig *rig, size_t index)
{
	struct guest *guest =
		roster_find(&rig->engine.roster, rig->fake.guests[index].uuid);
	if (!guest)
		fail_msg("guest %zu isn't known", index);
	return guest;
}

const struct decision *rig_decision(struct rig *rig, size_t index)
{
	const struct decision *decision = journal_at(&rig_guest(rig, index)->journal, 0);
	if (!decision)
		fail_msg("nothing was decided about guest %zu", index);
	return decision;
}
