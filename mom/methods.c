/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/control/put.h"
#include "mom/daemon.h"
#include "mom/describe.h"
#include "mom/log.h"
#include "mom/mem.h"
#include "mom/methods_doctor.h"
#include "mom/methods_history.h"
#include "mom/methods_policy.h"
#include "mom/methods_reserve.h"
#include "mom/units.h"

/*
 * What the control socket answers: the shapes are those of doc/control-protocol.md. KiB
 * are integers, parts of a whole 0..1, what isn't known is null.
 */

static struct guest *guest_param(
	struct engine *engine, struct json_object *params, struct err *err)
{
	const char *name = param_text(params, "guest");
	if (!name) {
		err_set(err, -EINVAL, "the request names no guest");
		return NULL;
	}
	struct guest *guest = roster_find(&engine->roster, name);
	if (!guest)
		err_set(err, -ENOENT, "there is no running guest \"%s\"", name);
	return guest;
}

/* ---- reading ---- */

static int answer_version(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)context;
	(void)params;
	(void)err;
	*result = json_object_new_object();
	put_text(*result, "version", PACKAGE_VERSION);
	put(*result, "protocol", json_object_new_int(CONTROL_PROTOCOL));
	return 0;
}

static int answer_status(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	struct daemon *daemon = context;
	if (!daemon->engine.pools.count)
		return err_set(err, -EAGAIN, "the daemon has just started; ask again");
	*result = describe_status(daemon);
	return 0;
}

static int answer_guests(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	(void)err;
	struct daemon *daemon = context;
	*result = describe_guests(&daemon->engine);
	return 0;
}

static int answer_explain(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	struct daemon *daemon = context;
	struct engine *engine = &daemon->engine;
	const struct guest *guest = guest_param(engine, params, err);
	if (!guest)
		return err->code;
	int64_t now_ms = daemon_now_ms();
	struct json_object *decisions = json_object_new_array();
	const struct decision *decision;
	for (size_t age = 0; (decision = journal_at(&guest->journal, age)); age++)
		json_object_array_add(decisions, describe_decision(decision, now_ms));
	struct json_object *object = json_object_new_object();
	put(object, "guest", describe_guest(guest, now_ms));
	put(object, "settings", describe_settings(engine, guest));
	put_text(object, "settings_trouble", guest->settings_trouble);
	put(object, "statistics", describe_statistics(guest));
	put(object, "decisions", decisions);
	put(object, "learned", describe_learned(guest, now_ms));
	*result = object;
	return 0;
}

static int answer_snapshot(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	const struct daemon *daemon = context;
	if (!daemon->engine.ticks)
		return err_set(err, -EAGAIN, "the daemon has just started; ask again");
	*result = recorder_state(&daemon->recorder, &daemon->engine, daemon_clock_ms());
	return 0;
}

static int answer_collectors(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	(void)err;
	const struct engine *engine = &((struct daemon *)context)->engine;
	*result = json_object_new_array();
	for (size_t i = 0; i < engine->collector_count; i++) {
		const struct engine_collector *collector = &engine->collectors[i];
		bool good = collector->self && !collector->failing;
		struct json_object *object = json_object_new_object();
		put_text(object, "name", collector->part->name);
		put_text(object, "help", collector->part->help);
		put_text(object, "state",
			good              ? "works"
			: collector->self ? "fails"
					  : "off");
		put_text(object, "why", good ? NULL : collector->trouble.text);
		json_object_array_add(*result, object);
	}
	return 0;
}

/* ---- changing ---- */

static int keep_live(struct engine *engine, struct json_object **result)
{
	struct err err;
	*result = json_object_new_object();
	int kept = live_save(&engine->live, &err);
	put_bool(*result, "kept", kept == 0);
	if (kept < 0) {
		put_text(*result, "note", err.text);
		log_warning("%s; it holds until the daemon ends", err.text);
	}
	return 0;
}

static int answer_set(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	struct engine *engine = &((struct daemon *)context)->engine;
	struct guest *guest = guest_param(engine, params, err);
	if (!guest)
		return err->code;
	const char *key = param_text(params, "key");
	const char *value = param_text(params, "value");
	if (!key)
		return err_set(err, -EINVAL, "the request names no setting");
	if (value) {
		struct guest_settings tried = guest->settings;
		int bad = guest_settings_set(&tried, key, value, err);
		if (bad < 0)
			return bad;
	} else if (!live_get(&engine->live, guest->facts.uuid, key)) {
		return err_set(err, -ENOENT, "guest \"%s\" has no live setting \"%s\"",
			guest->facts.name, key);
	}
	live_set(&engine->live, guest->facts.uuid, key, value);
	guest->resolved = false;
	return keep_live(engine, result);
}

static int change_pause(struct engine *engine, struct json_object *params, bool paused,
	struct json_object **result, struct err *err)
{
	const char *name = param_text(params, "guest");
	const struct guest *guest = name ? guest_param(engine, params, err) : NULL;
	if (name && !guest)
		return err->code;
	if (guest && !paused && engine->live.paused)
		return err_set(err, -EINVAL,
			"every guest is paused, not this one alone; resume without a "
			"name ends that");
	live_pause(&engine->live, guest ? guest->facts.uuid : NULL, paused);
	return keep_live(engine, result);
}

static int answer_pause(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	return change_pause(
		&((struct daemon *)context)->engine, params, true, result, err);
}

static int answer_resume(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	return change_pause(
		&((struct daemon *)context)->engine, params, false, result, err);
}

static int answer_reload(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	int failed = daemon_reload(context, err);
	if (failed < 0)
		return failed;
	*result = json_object_new_object();
	put_bool(*result, "changed", true);
	put(*result, "notes", json_object_new_array());
	return 0;
}

const struct control_method daemon_methods[] = {
	{.name = "version",
		.access = CONTROL_READ,
		.help = "the daemon's version",
		.call = answer_version},
	{.name = "status",
		.access = CONTROL_READ,
		.help = "the host's ledger and all guests",
		.call = answer_status},
	{.name = "guests",
		.access = CONTROL_READ,
		.help = "all guests",
		.call = answer_guests},
	{.name = "explain",
		.access = CONTROL_READ,
		.help = "why one guest has what it has",
		.call = answer_explain},
	{.name = "events",
		.access = CONTROL_READ,
		.help = "what happened: orders, changes of state, complaints",
		.start = start_events},
	{.name = "history",
		.access = CONTROL_READ,
		.help = "figures of the host and its guests over time",
		.start = start_history},
	{.name = "doctor",
		.access = CONTROL_READ,
		.help = "how guests are built, and what hinders managing them",
		.call = answer_doctor},
	{.name = "snapshot",
		.access = CONTROL_READ,
		.help = "what the next ticks build on, for a recording",
		.call = answer_snapshot},
	{.name = "collectors",
		.access = CONTROL_READ,
		.help = "where facts come from",
		.call = answer_collectors},
	{.name = "set",
		.access = CONTROL_CHANGE,
		.help = "override one setting of a guest",
		.change = "set {key} of {guest} to {value|what is configured}",
		.call = answer_set},
	{.name = "pause",
		.access = CONTROL_CHANGE,
		.help = "hands off one guest, or all",
		.change = "pause {guest|every guest}",
		.call = answer_pause},
	{.name = "resume",
		.access = CONTROL_CHANGE,
		.help = "take one guest up again, or all",
		.change = "resume {guest|every guest}",
		.call = answer_resume},
	{.name = "reload",
		.access = CONTROL_CHANGE,
		.help = "read the configuration anew",
		.change = "read the configuration anew",
		.call = answer_reload},
	{.name = "reserve",
		.access = CONTROL_CHANGE,
		.help = "make memory free for a guest to come, and keep it",
		.change = "reserve {size_kib} for {for|the next guest}",
		.start = start_reserve},
	{.name = "reserve.list",
		.access = CONTROL_READ,
		.help = "what is reserved, and how much of it is there",
		.call = answer_reserve_list},
	{.name = "reserve.check",
		.access = CONTROL_READ,
		.help = "whether there is room for a guest to come",
		.call = answer_reserve_check},
	{.name = "reserve.cancel",
		.access = CONTROL_CHANGE,
		.help = "end a reservation",
		.change = "end the reservation for {for|anybody}",
		.call = answer_reserve_cancel},
	{.name = "policy.list",
		.access = CONTROL_READ,
		.help = "the policies in force",
		.call = answer_policy_list},
	{.name = "policy.show",
		.access = CONTROL_READ,
		.help = "one policy's text",
		.call = answer_policy_show},
	{.name = "policy.params",
		.access = CONTROL_READ,
		.help = "what policies can be tuned by",
		.call = answer_policy_params},
	{.name = "policy.set",
		.access = CONTROL_CHANGE,
		.help = "tune a policy",
		.change = "set the tunable {name} to {value}",
		.call = answer_policy_set},
	{.name = "policy.unset",
		.access = CONTROL_CHANGE,
		.help = "give a tunable its configured value",
		.change = "set the tunable {name} to what is configured",
		.call = answer_policy_unset},
	{.name = "policy.check",
		.access = CONTROL_CHANGE,
		.help = "check a policy's text beside those in force",
		.call = answer_policy_check},
	{.name = "policy.load",
		.access = CONTROL_CHANGE,
		.help = "load a policy from its text",
		.change = "load the policy {name}",
		.call = answer_policy_load},
	{.name = "policy.unload",
		.access = CONTROL_CHANGE,
		.help = "take a policy out",
		.change = "take out the policy {name}",
		.call = answer_policy_unload},
	{.name = "policy.reset",
		.access = CONTROL_CHANGE,
		.help = "back to the policies of the configuration",
		.change = "go back to the configured policies",
		.call = answer_policy_reset},
	{.name = "policy.diff",
		.access = CONTROL_READ,
		.help = "where shadow policies would have decided otherwise",
		.call = answer_policy_diff},
	{.name = "facts",
		.access = CONTROL_READ,
		.help = "the facts that policies see",
		.call = answer_facts},
	{0},
};
