/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/cmd_policy_local.h"
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
	{"TUNABLES", true, 1},
	{"RUNS", true, 2},
	{"FAILED", true, 3},
	{"FILE", false, 0},
	{"NOTES", false, 0},
};

/* "shadow, 2 warnings, failing: …" */
static char *policy_notes(struct json_object *policy)
{
	uint64_t warnings = 0;
	const char *trouble = json_get_text(policy, "trouble");
	bool shadow = json_get_bool(policy, "shadow");
	json_get_count(policy, "warnings", &warnings);
	auto_free char *warned =
		warnings ? mem_printf("%s%" PRIu64 " warning%s", shadow ? ", " : "",
				   warnings, warnings == 1 ? "" : "s")
			 : mem_dup("");
	return mem_printf("%s%s%s%s", shadow ? "shadow" : "", warned,
		*trouble && (shadow || warnings) ? ", " : "", trouble);
}

static void add_policy(struct table *table, struct json_object *policy)
{
	auto_free char *notes = policy_notes(policy);
	bool troubled = *json_get_text(policy, "trouble");
	show_text(table, policy, "name");
	show_count(table, policy, "params");
	show_count(table, policy, "runs");
	show_count(table, policy, "failures");
	show_text(table, policy, "file");
	table_add(table, troubled ? STYLE_BAD : STYLE_PLAIN, notes);
}

static void print_list(const struct momctl *ctl, struct json_object *list)
{
	struct table table;
	if (json_count(list) == 0) {
		output_line(&ctl->out, "", "no policy is loaded, so no guest is moved");
		return;
	}
	table_init(&table, policy_columns, ARRAY_SIZE(policy_columns));
	table.wrap = true;
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

/* As it was loaded, so that it can be put into a file; a terminal gets it cleaned. */
static void print_source(const struct momctl *ctl, struct json_object *policy)
{
	const char *text = json_get_text(policy, "text");
	if (ctl->out.width)
		output_text(&ctl->out, text);
	else
		fputs(text, ctl->out.file);
}

static int show(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return ask(ctl, "policy.show", params_of("name", argv[1]), print_source);
}

static const struct column param_columns[] = {
	{"NAME", false, 0},
	{"VALUE", true, 0},
	{"DEFAULT", true, 2},
	{"LOW", true, 3},
	{"HIGH", true, 3},
	{"POLICY", false, 1},
	{"WHAT IT IS", false, 0},
};

/* A value that was set stands out from one that wasn't. */
static void add_param(struct table *table, struct json_object *param)
{
	bool tuned = json_get_bool(param, "tuned");
	show_text(table, param, "name");
	table_add(table, tuned ? STYLE_CARE : STYLE_PLAIN, json_get_text(param, "value"));
	show_text(table, param, "default");
	show_text(table, param, "low");
	show_text(table, param, "high");
	show_text(table, param, "policy");
	table_add(table, STYLE_PLAIN, json_get_text(param, "help"));
}

static void print_params(const struct momctl *ctl, struct json_object *list)
{
	struct table table;
	if (json_count(list) == 0) {
		output_line(&ctl->out, "", "no loaded policy has a tunable");
		return;
	}
	table_init(&table, param_columns, ARRAY_SIZE(param_columns));
	table.wrap = true;
	for (size_t i = 0; i < json_count(list); i++)
		add_param(&table, json_object_array_get_idx(list, i));
	table_print(&table, &ctl->out);
	table_done(&table);
}

static int params(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc, (void)argv;
	return ask(ctl, "policy.params", NULL, print_params);
}

static const struct column diff_columns[] = {
	{"GUEST", false, 0},
	{"KNOB", false, 0},
	{"IN FORCE", true, 0},
	{"SHADOW", true, 0},
	{"WHY", false, 0},
};

static void add_difference(struct table *table, struct json_object *difference)
{
	auto_free char *why =
		mem_printf("%s / %s", json_get_text(difference, "active_because"),
			json_get_text(difference, "shadow_because"));
	show_text(table, difference, "guest");
	show_text(table, difference, "knob");
	show_count(table, difference, "active");
	show_count(table, difference, "shadow");
	table_add(table, STYLE_PLAIN, why);
}

static void print_diff(const struct momctl *ctl, struct json_object *list)
{
	struct table table;
	if (json_count(list) == 0) {
		output_line(&ctl->out, "",
			"shadow policies, if there are any, decide as those in force");
		return;
	}
	table_init(&table, diff_columns, ARRAY_SIZE(diff_columns));
	table.wrap = true;
	for (size_t i = 0; i < json_count(list); i++)
		add_difference(&table, json_object_array_get_idx(list, i));
	table_print(&table, &ctl->out);
	table_done(&table);
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
	show_notes(ctl, json_get(result, "notes"));
	output_line(&ctl->out, "", "loaded; it decides from the next tick on");
}

/* All that is wrong with a policy, each with its line; an error tells the first alone. */
static int ask_whether_right(const struct momctl *ctl, struct json_object *params)
{
	struct json_object *result = NULL;
	int code = momctl_call(ctl, "policy.check", json_object_get(params), &result);
	if (code || json_get_bool(result, "accepted")) {
		json_object_put(result);
		return code;
	}
	struct json_object *notes = json_get(result, "notes");
	for (size_t i = 0; i < json_count(notes); i++)
		fputs(json_object_get_string(json_object_array_get_idx(notes, i)),
			stderr);
	json_object_put(result);
	return momctl_fail(
		MOMCTL_FAILED, "the policy is refused; nothing in force has changed");
}

static int send_policy(
	const struct momctl *ctl, const char *path, const char *name, bool shadow)
{
	auto_free char *text = read_file(path);
	if (!text)
		return MOMCTL_FAILED;
	struct json_object *params = params_of("name", name);
	json_object_object_add(params, "text", control_json_text(text));
	json_object_object_add(params, "file", control_json_text(path));
	json_object_object_add(params, "shadow", json_object_new_boolean(shadow));
	int code = ask_whether_right(ctl, params);
	if (code) {
		json_object_put(params);
		return code;
	}
	return ask(ctl, "policy.load", params, print_loaded);
}

/* NAME FILE, or FILE alone, whose name the policy takes. */
static int load(const struct momctl *ctl, int argc, char **argv)
{
	bool shadow = strcmp(argv[1], "--shadow") == 0;
	int count = argc - 1 - shadow;
	char **words = argv + 1 + shadow;
	if (count < 1 || count > 2)
		return momctl_fail(MOMCTL_USAGE,
			"usage: momctl policy load [--shadow] [NAME] FILE|-");
	const char *path = words[count - 1];
	if (count == 1 && strcmp(path, "-") == 0)
		return momctl_fail(
			MOMCTL_USAGE, "a policy from standard input needs a name");
	auto_free char *name = count == 2 ? mem_dup(words[0]) : policy_name(path);
	return send_policy(ctl, path, name, shadow);
}

static int unload(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	return momctl_do(ctl, "policy.unload", params_of("name", argv[1]),
		"%s is unloaded", argv[1]);
}

/* ---- tunables ---- */

static void print_set(const struct momctl *ctl, const char *name, const char *value,
	struct json_object *result)
{
	if (ctl->json)
		json_print(ctl->out.file, result);
	else
		output_line(&ctl->out, "", "%s is %s%s", name, value,
			json_get_bool(result, "known") ? " from the next tick on"
						       : ", but no policy asks for it");
}

static int set(const struct momctl *ctl, int argc, char **argv)
{
	bool persist = strcmp(argv[1], "--persist") == 0;
	const char *name = argv[1 + persist];
	const char *value = argc > 2 + persist ? argv[2 + persist] : NULL;
	if (!persist && argc == 4 && strcmp(argv[3], "--persist") == 0)
		persist = true;
	else if (!value || argc != 3 + persist)
		return momctl_fail(
			MOMCTL_USAGE, "usage: momctl policy set [--persist] NAME VALUE");
	struct json_object *result = NULL;
	struct json_object *params = params_of("name", name);
	json_object_object_add(params, "value", control_json_text(value));
	json_object_object_add(params, "persist", json_object_new_boolean(persist));
	int code = momctl_call(ctl, "policy.set", params, &result);
	if (code)
		return code;
	print_set(ctl, name, value, result);
	json_object_put(result);
	return MOMCTL_OK;
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

/* ---- what needs no daemon ---- */

static char *live_facts(void *context, struct err *err)
{
	struct json_object *facts = NULL;
	if (momctl_call(context, "facts", NULL, &facts) != MOMCTL_OK) {
		err_set(err, -ENOTCONN, "there are no live facts without momd");
		return NULL;
	}
	char *text = mem_dup(json_object_to_json_string(facts));
	json_object_put(facts);
	return text;
}

static struct policy_local local_of(const struct momctl *ctl)
{
	return (struct policy_local){.in = stdin,
		.out = ctl->out.file,
		.errors = stderr,
		.json = ctl->json,
		.live_facts = live_facts,
		.context = (void *)ctl};
}

static int eval(const struct momctl *ctl, int argc, char **argv)
{
	struct policy_local local = local_of(ctl);
	return policy_local_eval(&local, argc, argv);
}

static int check(const struct momctl *ctl, int argc, char **argv)
{
	struct policy_local local = local_of(ctl);
	return policy_local_check(&local, argc, argv);
}

static int fmt(const struct momctl *ctl, int argc, char **argv)
{
	struct policy_local local = local_of(ctl);
	return policy_local_fmt(&local, argc, argv);
}

static int fields(const struct momctl *ctl, int argc, char **argv)
{
	struct policy_local local = local_of(ctl);
	return policy_local_fields(&local, argc, argv);
}

/* ---- which of them ---- */

const struct command policy_commands[] = {
	{"list", "", 0, 0, "the policies in force, in their order", list},
	{"show", "NAME", 1, 1, "a policy's text", show},
	{"load", "[--shadow] [NAME] FILE|-", 1, 3,
		"check a policy and put it in force, or run it beside without effect",
		load},
	{"unload", "NAME", 1, 1, "take a policy out of force", unload},
	{"params", "", 0, 0, "the tunables of the policies", params},
	{"set", "[--persist] NAME VALUE", 2, 3,
		"set a tunable, and keep it over a reload", set},
	{"unset", "NAME", 1, 1, "set a tunable back to what is configured", unset},
	{"reset", "", 0, 0, "set policies and tunables back to what is configured",
		reset},
	{"diff", "", 0, 0, "where shadow policies would decide otherwise", diff},
	{"eval", "[--facts FILE | --live] [--controls] FILE|-", 1, -1,
		"run a policy here and print what it gives", eval},
	{"check", "FILE|- ...", 1, -1, "say what is wrong with a policy", check},
	{"fmt", "[--write | --check] FILE|- ...", 1, -1,
		"print a policy in its canonical layout", fmt},
	{"fields", "", 0, 0, "what policies can read and set, with units", fields},
	{0},
};

int cmd_policy(const struct momctl *ctl, int argc, char **argv)
{
	return momctl_run(ctl, "policy ", policy_commands, argc - 1, argv + 1);
}
