/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/methods_policy.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "mom/control/facts_json.h"
#include "mom/control/put.h"
#include "mom/daemon.h"
#include "mom/mem.h"
#include "mom/policies.h"

static struct engine *engine_of(void *context)
{
	return &((struct daemon *)context)->engine;
}

static const char *needed(struct json_object *params, const char *key, struct err *err)
{
	const char *text = param_text(params, key);
	if (!text)
		err_set(err, -EINVAL, "the request has no \"%s\"", key);
	return text;
}

static struct json_object *describe(const struct policy_info *info)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "name", info->name);
	put_text(object, "file", info->file);
	put_bool(object, "shadow", info->shadow);
	put_kib(object, "params", info->params);
	put_kib(object, "warnings", info->warnings);
	put_kib(object, "runs", info->runs);
	put_kib(object, "failures", info->failures);
	put_text(object, "trouble", *info->trouble ? info->trouble : NULL);
	return object;
}

int answer_policy_list(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	(void)err;
	const struct policy_set *set = engine_of(context)->policies;
	*result = json_object_new_array();
	for (size_t i = 0; i < policy_set_count(set); i++) {
		struct policy_info info = policy_set_at(set, i);
		json_object_array_add(*result, describe(&info));
	}
	return 0;
}

int answer_policy_show(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	const char *name = needed(params, "name", err);
	struct policy_info info;
	if (!name)
		return err->code;
	if (!policy_set_find(engine_of(context)->policies, name, &info))
		return err_set(err, -ENOENT, "there is no policy \"%s\"", name);
	*result = describe(&info);
	put(*result, "text", json_object_new_string_len(info.text, (int)info.length));
	return 0;
}

int answer_policy_params(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	(void)err;
	size_t count;
	auto_free struct policy_param *items =
		policy_set_params(engine_of(context)->policies, &count);
	*result = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		const struct policy_param *param = &items[i];
		struct json_object *object = json_object_new_object();
		put_text(object, "name", param->name);
		put_text(object, "policy", param->policy);
		put_text(object, "value", param->value);
		put_text(object, "default", param->fallback);
		put_text(object, "low", *param->low ? param->low : NULL);
		put_text(object, "high", *param->high ? param->high : NULL);
		put_text(object, "help", param->help);
		put_bool(object, "tuned", param->tuned);
		json_object_array_add(*result, object);
	}
	return 0;
}

/* Keep a tunable's value over a reload and a restart; NULL: no longer. */
static int keep_tunable(
	struct engine *engine, const char *name, const char *value, struct err *err)
{
	if (!value && !live_get(&engine->live, LIVE_TUNABLES, name))
		return 0;
	const struct live_setting *room = NULL;
	if (value && (strlen(name) >= sizeof(room->key) || strpbrk(name, " \t\n") ||
			     strlen(value) >= sizeof(room->value) || strchr(value, '\n')))
		return err_set(err, -EINVAL, "too long to be kept");
	live_set(&engine->live, LIVE_TUNABLES, name, value);
	return live_save(&engine->live, err);
}

int answer_policy_set(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	struct engine *engine = engine_of(context);
	const char *name = needed(params, "name", err);
	const char *value = name ? needed(params, "value", err) : NULL;
	if (!value)
		return err->code;
	bool known;
	int failed = policy_set_tune(engine->policies, name, value, &known, err);
	if (failed == 0 && param_bool(params, "persist"))
		failed = keep_tunable(engine, name, value, err);
	if (failed < 0)
		return failed;
	*result = json_object_new_object();
	put_bool(*result, "known", known);
	return 0;
}

int answer_policy_unset(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)result;
	struct engine *engine = engine_of(context);
	const char *name = needed(params, "name", err);
	if (!name)
		return err->code;
	int failed = policy_set_untune(engine->policies, name, err);
	int kept = keep_tunable(engine, name, NULL, failed < 0 ? NULL : err);
	return failed < 0 ? failed : kept;
}

static struct json_object *describe_notes(
	const struct policy_notes *notes, const struct policy_source *source)
{
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < notes->count; i++) {
		auto_free char *text = policy_note_format(&notes->items[i], source);
		json_object_array_add(array, json_object_new_string(text));
	}
	return array;
}

static int read_source(
	struct json_object *params, struct policy_source *source, struct err *err)
{
	const char *name = needed(params, "name", err);
	const char *text = name ? needed(params, "text", err) : NULL;
	if (!text)
		return err->code;
	*source = (struct policy_source){
		.name = name,
		.file = param_text(params, "file"),
		.text = text,
		.length = strlen(text),
		.shadow = param_bool(params, "shadow"),
	};
	return 0;
}

int answer_policy_check(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	struct policy_source source;
	if (read_source(params, &source, err) < 0)
		return err->code;
	struct policy_notes notes = {0};
	struct policy_set *set = engine_of(context)->policies;
	int failed = policy_set_check(set, &source, &notes, err);
	if (failed == 0 || notes.errors) {
		*result = json_object_new_object();
		put_bool(*result, "accepted", failed == 0);
		put(*result, "notes", describe_notes(&notes, &source));
		failed = 0;
	}
	policy_notes_done(&notes);
	return failed;
}

int answer_policy_load(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	struct policy_source source;
	if (read_source(params, &source, err) < 0)
		return err->code;
	struct policy_notes notes = {0};
	int failed = policy_set_load(engine_of(context)->policies, &source, &notes, err);
	if (failed == 0) {
		*result = json_object_new_object();
		put(*result, "notes", describe_notes(&notes, &source));
	}
	policy_notes_done(&notes);
	return failed;
}

int answer_policy_unload(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)result;
	const char *name = needed(params, "name", err);
	return name ? policy_set_unload(engine_of(context)->policies, name, err)
		    : err->code;
}

int answer_policy_reset(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	(void)result;
	struct engine *engine = engine_of(context);
	struct policy_set *fresh;
	int failed = policies_load(engine->config, NULL, &fresh, err);
	if (failed < 0)
		return failed;
	policy_set_free(engine->policies);
	engine->policies = fresh;
	return live_forget(&engine->live, LIVE_TUNABLES) ? live_save(&engine->live, err)
							 : 0;
}

static struct json_object *describe_difference(const struct policy_difference *difference)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "guest", *difference->guest ? difference->guest : NULL);
	put_text(object, "knob", difference->knob);
	put(object, "active",
		difference->has_active ? json_object_new_int64(difference->active)
				       : NULL);
	put(object, "shadow",
		difference->has_shadow ? json_object_new_int64(difference->shadow)
				       : NULL);
	put_text(object, "active_because", difference->active_because);
	put_text(object, "shadow_because", difference->shadow_because);
	return object;
}

int answer_policy_diff(void *context, struct json_object *params,
	struct json_object **result, struct err *err)
{
	(void)params;
	(void)err;
	const struct engine *engine = engine_of(context);
	*result = json_object_new_array();
	for (size_t i = 0; i < engine->difference_count; i++)
		json_object_array_add(
			*result, describe_difference(&engine->differences[i]));
	return 0;
}

int answer_facts(void *context, struct json_object *params, struct json_object **result,
	struct err *err)
{
	(void)params;
	struct engine *engine = engine_of(context);
	if (!engine->pools.count)
		return err_set(err, -EAGAIN, "nothing is known yet");
	size_t pool = pools_busiest(&engine->pools);
	auto_free struct policy_guest *members =
		mem_array(engine->roster.count, sizeof(*members));
	struct policy_facts facts;
	engine_facts(engine, pool, members, &facts);
	*result = facts_json_write(&facts);
	return 0;
}
