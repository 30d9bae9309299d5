/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controllers/ksm_values.h"
#include "mom/controller.h"
#include "mom/mem.h"
#include "mom/units.h"

#define RUN_UNMERGE 2

/* Merging begins when all the rest is as it should be. */
static const int write_order[] = {KNOB_KSM_MERGE_ACROSS_NODES, KNOB_KSM_PAGES_TO_SCAN,
	KNOB_KSM_SLEEP_MILLISECS, KNOB_KSM_RUN};

/* What stands against one wish; each is told once. */
enum cause {
	CAUSE_ADVISOR,
	CAUSE_UNMERGE,
	CAUSE_SHARED,
	CAUSE_REFUSED,
	CAUSE_STATE,
	CAUSE_COUNT,
};

struct ksm_settings {
	bool manage, unmerge, override_advisor;
};

struct ksm {
	struct ksm_settings settings;
	struct ksm_values values;
	bool begun;       /* an earlier debt was looked for: not in a dry run */
	struct err owner; /* who KSM was left to, for good; code 0 nobody */
	bool told[CAUSE_COUNT];
};

#define KEY(name, fallback, help)                                                        \
	{                                                                                \
		"ksm", #name, CONFIG_BOOL, offsetof(struct ksm_settings, name),          \
			fallback, NULL, NULL, NULL, help                                 \
	}

static const struct config_key ksm_keys[] = {
	KEY(manage, "true",
		"Let policies tune KSM; what they changed is put back when momd ends."),
	KEY(override_advisor, "false",
		"Switch the kernel's own advisor off where a policy sets the pace."),
	KEY(unmerge, "false",
		"Let policies part merged pages (run 2) where the host is roomy."),
	{0},
};

__attribute__((format(printf, 5, 6))) static void tell(struct ksm *ksm, enum cause cause,
	struct err *err, int code, const char *format, ...)
{
	if (ksm->told[cause])
		return;
	ksm->told[cause] = true;
	va_list args;
	va_start(args, format);
	auto_free char *text = mem_vprintf(format, args);
	va_end(args);
	err_also(err, code, "%s", text);
}

/* ---- one knob ---- */

static void set_value(struct ksm *ksm, int item, const char *text, struct err *err)
{
	int result = ksm_values_set(&ksm->values, item, text);
	if (result < 0)
		tell(ksm, CAUSE_REFUSED, err, result,
			"cannot set \"%s/%s\" to %s: %s; leaving it as it is",
			ksm->values.path, ksm_value_name(item), text, strerror(-result));
	if (ksm->values.state_error < 0)
		tell(ksm, CAUSE_STATE, err, ksm->values.state_error,
			"cannot write \"%s\": %s; KSM would stay as it is if momd were "
			"killed",
			ksm->values.state_path, strerror(-ksm->values.state_error));
}

/* Whether the pace is ours to set; switches an advisor off where that was asked for. */
static bool own_pace(struct ksm *ksm, struct err *err)
{
	char advisor[KSM_VALUE_MAX];
	if (!ksm_values_read(&ksm->values, KSM_ADVISOR, advisor) ||
		!strcmp(advisor, "none"))
		return true;
	if (ksm->settings.override_advisor) {
		set_value(ksm, KSM_ADVISOR, "none", err);
		return ksm->values.items[KSM_ADVISOR].known;
	}
	tell(ksm, CAUSE_ADVISOR, err, -EBUSY,
		"the kernel's advisor \"%s\" sets the pace of KSM; leaving that to it",
		advisor);
	return false;
}

/* Parted pages must find room, and memory must not be short anywhere. */
static bool may_unmerge(const struct ksm *ksm, const struct plan *plan)
{
	uint64_t pages = (uint64_t)ksm_values_count(&ksm->values, "pages_sharing");
	uint64_t saved_kib = kib_from_pages(pages, (uint64_t)sysconf(_SC_PAGESIZE));
	return ksm->settings.unmerge && plan->host && plan->state == HOST_ROOMY &&
	       saved_kib < sub_u64(plan->host->available_kib, plan->host->reserve_kib);
}

/* Parting is asked for; where it can't be had, merging no further is the next best. */
static int64_t judge_run(
	struct ksm *ksm, int64_t run, const struct plan *plan, struct err *err)
{
	if (run != RUN_UNMERGE || may_unmerge(ksm, plan))
		return run;
	tell(ksm, CAUSE_UNMERGE, err, -EPERM,
		"a policy wants merged pages parted, which %s; only stopping to merge",
		ksm->settings.unmerge ? "the host has no room for"
				      : "ksm.unmerge of the settings forbids");
	return 0;
}

static bool may_join_nodes(struct ksm *ksm, const char *wanted, struct err *err)
{
	char now[KSM_VALUE_MAX];
	if (!ksm_values_read(&ksm->values, KNOB_KSM_MERGE_ACROSS_NODES, now) ||
		!strcmp(now, wanted) || !ksm_values_count(&ksm->values, "pages_shared"))
		return true;
	tell(ksm, CAUSE_SHARED, err, -EBUSY,
		"merge_across_nodes can only change while no page is shared; leaving it "
		"at %s",
		now);
	return false;
}

static void set_knob(struct ksm *ksm, int knob, const struct plan *plan, struct err *err)
{
	int64_t value = plan->knobs[knob].value;
	bool pace = knob == KNOB_KSM_PAGES_TO_SCAN || knob == KNOB_KSM_SLEEP_MILLISECS;
	if (pace && !own_pace(ksm, err))
		return;
	if (knob == KNOB_KSM_RUN)
		value = judge_run(ksm, value, plan, err);
	char text[KSM_VALUE_MAX];
	snprintf(text, sizeof(text), "%" PRId64, value);
	if (knob == KNOB_KSM_MERGE_ACROSS_NODES && !may_join_nodes(ksm, text, err))
		return;
	set_value(ksm, knob, text, err);
}

/* ---- other owners ---- */

/* What somebody else has set since, is theirs from then on. */
static void look_for_owner(struct ksm *ksm)
{
	char now[KSM_VALUE_MAX];
	int item = ksm_values_taken(&ksm->values, now);
	if (item >= 0)
		err_set(&ksm->owner, -EBUSY,
			"somebody else set %s to %s (it was %s); leaving KSM to them "
			"until momd reloads",
			ksm_value_name(item), now, ksm->values.items[item].value);
}

static int leave_to_others(struct ksm *ksm, const struct plan *plan, struct err *err)
{
	if (plan->host && plan->host->ksm_rival[0])
		return err_set(err, -EBUSY,
			"\"%s\" runs here and tunes KSM; leaving KSM to it",
			plan->host->ksm_rival);
	if (!ksm->owner.code)
		look_for_owner(ksm);
	*err = ksm->owner;
	return err->code;
}

static bool wishes_any(const struct plan *plan)
{
	for (int i = 0; i < HOST_KNOB_COUNT; i++)
		if (plan->knobs[i].has_value)
			return true;
	return false;
}

/* ---- the controller ---- */

/*
 * Set KSM as the policies wish, as far as it is ours. Nothing is written that is so
 * already. What stands against one wish is the error of the call that meets it first;
 * that KSM is somebody else's, of every call.
 */
static int ksm_apply(void *self, const struct plan *plan, struct err *err)
{
	struct ksm *ksm = self;
	*err = (struct err){0};
	if (!ksm->begun) {
		ksm->begun = true;
		ksm_values_adopt(&ksm->values);
		if (!ksm->settings.manage)
			ksm_values_restore(&ksm->values);
	}
	if (!ksm->settings.manage || !wishes_any(plan))
		return 0;
	if (leave_to_others(ksm, plan, err) < 0)
		return err->code;
	for (size_t i = 0; i < ARRAY_SIZE(write_order); i++)
		if (plan->knobs[write_order[i]].has_value)
			set_knob(ksm, write_order[i], plan, err);
	return err->code;
}

static int ksm_open(void **self, const struct controller_env *env, struct err *err)
{
	(void)err;
	struct ksm *ksm = mem_alloc(sizeof(*ksm));
	ksm->settings = *(const struct ksm_settings *)config_part(env->config, "ksm");
	ksm_values_init(&ksm->values, env->sys_root, env->config->control.socket);
	*self = ksm;
	return 0;
}

static void ksm_close(void *self)
{
	struct ksm *ksm = self;
	if (ksm->begun)
		ksm_values_restore(&ksm->values);
	ksm_values_done(&ksm->values);
	free(ksm);
}

const struct controller controller_ksm = {
	.name = "ksm",
	.help = "kernel samepage merging: whether, and how fast",
	.keys = ksm_keys,
	.settings_size = sizeof(struct ksm_settings),
	.open = ksm_open,
	.apply = ksm_apply,
	.close = ksm_close,
};
