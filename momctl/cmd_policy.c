/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/show.h"

#define POLICY_MAX (512u * 1024) /* bytes; escaped it has to fit into a request */

static struct json_object *params_of(const char *key, const char *value)
{
	struct json_object *params = json_object_new_object();
	json_object_object_add(params, key, control_json_text(value));
	return params;
}

/* Ask, and print the answer as JSON, or with `print`. */
static int ask(const struct momctl *ctl, const char *method, struct json_object *params,
	void (*print)(const struct momctl *, struct json_object *))
{
	struct json_object *result = NULL;
	int code = momctl_call(ctl, method, params, &result);
	if (code)
		return code;
	if (ctl->json)
		json_print(ctl->out.file, result);
	else
		print(ctl, result);
	json_object_put(result);
	return MOMCTL_OK;
}

/* ---- list, show, diff, params ---- */

static const struct column policy_columns[] = {
	{"NAME", false, 0},
	{"LOADED", true, 1},
	{"FILE", false, 0},
	{"NOTES", false, 0},
};

static void add_policy(struct table *table, struct json_object *policy)
{
	uint64_t warnings = 0;
	const char *error = json_get_text(policy, "error");
	auto_free char *age = show_age(policy, "loaded_s");
	json_get_count(policy, "warnings", &warnings);
	auto_free char *notes = *error     ? mem_printf("failing: %s", error)
				: warnings ? mem_printf("%d warnings", (int)warnings)
					   : mem_dup("");
	show_text(table, policy, "name");
	table_add(table, STYLE_PLAIN, age);
	show_text(table, policy, "file");
	table_add(table, *error ? STYLE_BAD : STYLE_PLAIN, notes);
}

static void print_list(const struct momctl *ctl, struct json_object *list)
{
	struct table table;
	if (json_count(list) == 0) {
		output_line(&ctl->out, "", "no policy is loaded, so no guest is moved");
		return;
	}
	table_init(&table, policy_columns, ARRAY_SIZE(policy_columns));
	for (size_t i = 0; i < json_count(list); i++)
		add_policy(&table, json_object_array_get_idx(list, i));
	table_print(&table, &ctl->out);
	table_done(&table);
}

static int list(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return ask(ctl, "policy.list", NULL, print_list);
}

static void print_source(const struct momctl *ctl, struct json_object *policy)
{
	output_text(&ctl->out, json_get_text(policy, "text"));
}

static int show(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return ask(ctl, "policy.show", params_of("name", argv[1]), print_source);
}

static const struct column param_columns[] = {
	{"NAME", false, 0},
	{"VALUE", true, 0},
	{"FROM", false, 0},
	{"DEFAULT", true, 2},
	{"LOW", true, 3},
	{"HIGH", true, 3},
	{"POLICY", false, 1},
	{"WHAT IT IS", false, 0},
};

static void add_value(const struct momctl *ctl, struct table *table,
	struct json_object *object, const char *key)
{
	auto_free char *text = json_get(object, key)
				       ? show_value(ctl, "", json_get(object, key))
				       : mem_dup("-");
	table_add(table, STYLE_PLAIN, text);
}

static void add_param(
	const struct momctl *ctl, struct table *table, struct json_object *param)
{
	show_text(table, param, "name");
	add_value(ctl, table, param, "value");
	show_text(table, param, "from");
	add_value(ctl, table, param, "default");
	add_value(ctl, table, param, "low");
	add_value(ctl, table, param, "high");
	show_text(table, param, "policy");
	show_text(table, param, "help");
}

static void print_params(const struct momctl *ctl, struct json_object *list)
{
	struct table table;
	if (json_count(list) == 0) {
		output_line(&ctl->out, "", "no loaded policy has a tunable");
		return;
	}
	table_init(&table, param_columns, ARRAY_SIZE(param_columns));
	for (size_t i = 0; i < json_count(list); i++)
		add_param(ctl, &table, json_object_array_get_idx(list, i));
	table_print(&table, &ctl->out);
	table_done(&table);
}

static int params(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return ask(ctl, "policy.params", NULL, print_params);
}

static void print_diff(const struct momctl *ctl, struct json_object *diff)
{
	struct json_object *policies = json_get(diff, "policies");
	struct json_object *tunables = json_get(diff, "params");
	for (size_t i = 0; i < json_count(policies); i++) {
		struct json_object *policy = json_object_array_get_idx(policies, i);
		output_line(&ctl->out, "policy ", "%s: %s", json_get_text(policy, "name"),
			json_get_text(policy, "change"));
	}
	for (size_t i = 0; i < json_count(tunables); i++) {
		struct json_object *param = json_object_array_get_idx(tunables, i);
		auto_free char *value = show_value(ctl, "", json_get(param, "value"));
		auto_free char *was = show_value(ctl, "", json_get(param, "was"));
		output_line(&ctl->out, "tunable ", "%s: %s, configured %s",
			json_get_text(param, "name"), value, was);
	}
	if (json_count(policies) + json_count(tunables) == 0)
		output_line(&ctl->out, "", "nothing differs from momd.conf");
}

static int diff(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return ask(ctl, "policy.diff", NULL, print_diff);
}

/* ---- load, unload ---- */

/* The whole of a file, or of standard input for "-". */
static char *read_file(const char *path)
{
	auto_fclose FILE *file =
		strcmp(path, "-") == 0 ? fdopen(dup(0), "r") : fopen(path, "re");
	auto_free char *text = mem_alloc(POLICY_MAX + 2);
	size_t length = file ? fread(text, 1, POLICY_MAX + 1, file) : 0;
	if (!file || ferror(file)) {
		momctl_fail(0, "cannot read \"%s\": %s", path, strerror(errno));
		return NULL;
	}
	if (length > POLICY_MAX || strlen(text) != length) {
		momctl_fail(0, "\"%s\" is not a policy: %s", path,
			length > POLICY_MAX ? "it is too long" : "it holds a NUL");
		return NULL;
	}
	return take(text);
}

/* "fair-share" of "/usr/share/mom/policies/fair-share.policy" */
static char *policy_name(const char *path)
{
	static const char ending[] = ".policy";
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strlen(name);
	size_t tail = strlen(ending);
	if (length > tail && strcmp(name + length - tail, ending) == 0)
		length -= tail;
	return mem_ndup(name, length);
}

static void print_loaded(const struct momctl *ctl, struct json_object *result)
{
	output_line(&ctl->out, "", "%s is loaded and in force from the next tick on",
		json_get_text(result, "name"));
	show_notes(ctl, json_get(result, "notes"));
}

static int load(const struct momctl *ctl, int argc, char **argv)
{
	if (argc < 3 && strcmp(argv[1], "-") == 0)
		return momctl_fail(
			MOMCTL_USAGE, "a policy from standard input needs a name");
	auto_free char *text = read_file(argv[1]);
	if (!text)
		return MOMCTL_FAILED;
	auto_free char *name = argc > 2 ? mem_dup(argv[2]) : policy_name(argv[1]);
	struct json_object *params = params_of("name", name);
	json_object_object_add(params, "text", control_json_text(text));
	json_object_object_add(params, "file", control_json_text(argv[1]));
	return ask(ctl, "policy.load", params, print_loaded);
}

static int unload(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return momctl_do(ctl, "policy.unload", params_of("name", argv[1]),
		"%s is unloaded", argv[1]);
}

/* ---- tunables ---- */

static void print_set(const struct momctl *ctl, struct json_object *param)
{
	auto_free char *value = show_value(ctl, "", json_get(param, "value"));
	output_line(&ctl->out, "", "%s is %s", json_get_text(param, "name"), value);
}

static int set(const struct momctl *ctl, int argc, char **argv)
{
	bool persist = argc == 4;
	if (persist && strcmp(argv[3], "--persist") != 0)
		return momctl_fail(
			MOMCTL_USAGE, "usage: momctl policy set NAME VALUE [--persist]");
	struct json_object *params = params_of("name", argv[1]);
	json_object_object_add(params, "value", control_json_text(argv[2]));
	json_object_object_add(params, "persist", json_object_new_boolean(persist));
	return ask(ctl, "policy.set", params, print_set);
}

static int unset(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return momctl_do(ctl, "policy.unset", params_of("name", argv[1]),
		"%s is as configured again", argv[1]);
}

static int reset(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return momctl_do(ctl, "policy.reset", NULL,
		"policies and tunables are as configured again");
}

/* ---- which of them ---- */

const struct command policy_commands[] = {
	{"list", "", 0, 0, "the policies in force, in their order", list},
	{"show", "NAME", 1, 1, "a policy's text", show},
	{"load", "FILE|- [NAME]", 1, 2, "check a policy and put it in force", load},
	{"unload", "NAME", 1, 1, "take a policy out of force", unload},
	{"params", "", 0, 0, "the tunables of the policies", params},
	{"set", "NAME VALUE [--persist]", 2, 3, "set a tunable", set},
	{"unset", "NAME", 1, 1, "set a tunable back to what is configured", unset},
	{"reset", "", 0, 0, "set policies and tunables back to what is configured",
		reset},
	{"diff", "", 0, 0, "what differs from the configuration", diff},
	{0},
};

int cmd_policy(const struct momctl *ctl, int argc, char **argv)
{
	return momctl_run(ctl, "policy ", policy_commands, argc - 1, argv + 1);
}
