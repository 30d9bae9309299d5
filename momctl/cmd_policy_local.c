/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/cmd_policy_local.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/control/facts_json.h"
#include "mom/mem.h"
#include "mom/policy/fields.h"
#include "mom/share.h"

#define FILE_MOST ((size_t)64 * 1024 * 1024)

enum { EXIT_FINE, EXIT_FAILED, EXIT_USAGE };

/* ---- files ----------------------------------------------------------------------------
 */

struct input {
	const char *file; /* what messages call it */
	char *text;
	size_t length;
};

static void input_done(struct input *input)
{
	free(input->text);
	input->text = NULL;
}

static int read_stream(FILE *stream, struct input *input)
{
	size_t capacity = 0, got;
	do {
		if (capacity - input->length < 2) {
			capacity = capacity ? capacity * 2 : 4096;
			input->text = mem_resize(input->text, capacity, 1);
		}
		got = fread(input->text + input->length, 1, capacity - input->length - 1,
			stream);
		input->length += got;
	} while (got > 0 && input->length < FILE_MOST);
	input->text[input->length] = '\0';
	return ferror(stream) ? -EIO : 0;
}

/* Read a file, or standard input for "-"; says what is wrong. */
static bool read_input(
	const struct policy_local *local, const char *path, struct input *input)
{
	*input = (struct input){.file = path};
	bool standard = !strcmp(path, "-");
	auto_fclose FILE *opened = standard ? NULL : fopen(path, "re");
	errno = opened || standard ? 0 : errno;
	if (errno || read_stream(standard ? local->in : opened, input) < 0) {
		fprintf(local->errors, "momctl: cannot read '%s': %s\n", path,
			strerror(errno));
		input_done(input);
		return false;
	}
	if (standard)
		input->file = "<stdin>";
	return true;
}

static int usage(const struct policy_local *local, const char *text)
{
	fprintf(local->errors, "usage: momctl policy %s\n", text);
	return EXIT_USAGE;
}

/* As the language's description writes it: a blank behind each comma and colon. */
static void print_value(FILE *out, struct json_object *json)
{
	size_t count = 0;
	if (json_object_is_type(json, json_type_array)) {
		fputc('[', out);
		for (; count < json_object_array_length(json); count++) {
			fputs(count ? ", " : "", out);
			print_value(out, json_object_array_get_idx(json, count));
		}
		fputc(']', out);
	} else if (json_object_is_type(json, json_type_object)) {
		fputc('{', out);
		json_object_object_foreach(json, name, value)
		{
			struct json_object *key = json_object_new_string(name);
			fputs(count++ ? ", " : "", out);
			print_value(out, key);
			fputs(": ", out);
			print_value(out, value);
			json_object_put(key);
		}
		fputc('}', out);
	} else {
		fputs(json_object_to_json_string_ext(
			      json, JSON_C_TO_STRING_NOSLASHESCAPE),
			out);
	}
}

static void print_json(FILE *out, struct json_object *json)
{
	print_value(out, json);
	fputc('\n', out);
}

static void print_notes(const struct policy_local *local,
	const struct policy_notes *notes, const struct policy_source *source)
{
	for (size_t i = 0; i < notes->count; i++) {
		auto_free char *text = policy_note_format(&notes->items[i], source);
		fputs(text, local->errors);
	}
}

/* ---- eval -----------------------------------------------------------------------------
 */

struct eval_options {
	const char *facts, *policy;
	bool live, controls;
};

static bool read_eval_options(int argc, char *const argv[], struct eval_options *options)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--controls"))
			options->controls = true;
		else if (!strcmp(argv[i], "--live"))
			options->live = true;
		else if (!strcmp(argv[i], "--facts") && i + 1 < argc)
			options->facts = argv[++i];
		else if (!strncmp(argv[i], "--facts=", 8))
			options->facts = argv[i] + 8;
		else if ((argv[i][0] == '-' && argv[i][1]) || options->policy)
			return false;
		else
			options->policy = argv[i];
	}
	return options->policy && !(options->live && options->facts);
}

static bool read_eval_facts(const struct policy_local *local,
	const struct eval_options *options, struct facts_json *facts)
{
	struct input input = {.file = "facts of the daemon"};
	struct err err = {.text = "there is no daemon to ask"};
	if (options->facts && !read_input(local, options->facts, &input))
		return false;
	if (options->live) {
		input.text = local->live_facts ? local->live_facts(local->context, &err)
					       : NULL;
		input.length = input.text ? strlen(input.text) : 0;
	}
	bool asked = options->facts || options->live;
	bool read =
		(!asked || input.text) &&
		facts_json_read(facts, input.file, input.text, input.length, &err) == 0;
	if (!read)
		fprintf(local->errors, "momctl: %s\n", err.text);
	input_done(&input);
	return read;
}

static void print_message(const struct policy_local *local,
	const struct policy_message *message, const struct policy_source *source)
{
	if (message->level == POLICY_DEBUG) {
		fprintf(local->errors, "%s:%u:%u: debug: %s\n", source->file,
			message->line, message->column, message->text);
		return;
	}
	struct policy_note note = {.level = message->level,
		.line = message->line,
		.column = message->column};
	snprintf(note.text, sizeof(note.text), "%.120s%s%.120s", message->text,
		*message->guest ? ", at guest " : "", message->guest);
	auto_free char *text = policy_note_format(&note, source);
	fputs(text, local->errors);
}

static struct json_object *because_of(const char *because)
{
	return *because ? control_json_text(because) : NULL;
}

static void print_control(FILE *out, struct json_object *guest, const char *knob,
	int64_t value, const char *because)
{
	struct json_object *line = json_object_new_object();
	if (guest)
		json_object_object_add(line, "guest", guest);
	json_object_object_add(line, "knob", json_object_new_string(knob));
	json_object_object_add(line, "value", json_object_new_int64(value));
	json_object_object_add(line, "because", because_of(because));
	print_json(out, line);
	json_object_put(line);
}

/* A guest's name, or its place in the list where it has none. */
static struct json_object *guest_name(const struct policy_facts *facts, size_t index)
{
	struct value value = {.kind = VALUE_GUEST, .guest = &facts->guests[index]};
	struct json_object *guest = facts_json_value(facts, value), *name = NULL;
	if (json_object_object_get_ex(guest, "name", &name) && name)
		json_object_get(name);
	else
		name = json_object_new_int64((int64_t)index);
	json_object_put(guest);
	return name;
}

static void print_controls(
	FILE *out, const struct policy_facts *facts, const struct policy_outcome *outcome)
{
	for (size_t i = 0; i < outcome->wish_count; i++) {
		const struct wish *wish = &outcome->wishes[i];
		if (wish->has_target)
			print_control(out, guest_name(facts, i), "balloon_target",
				wish->asked, wish->because);
	}
	for (const struct knob *knob = policy_knobs; knob->name; knob++) {
		const struct host_wish *wish = &outcome->knobs[knob->number];
		if (!knob->guest && wish->has_value)
			print_control(out, NULL, knob->name, wish->value, wish->because);
	}
}

static int run_eval(const struct policy_local *local, const struct eval_options *options,
	const struct policy_source *source, const struct policy_facts *facts)
{
	struct policy_set *set = policy_set_new(NULL);
	struct policy_notes notes = {0};
	struct policy_outcome outcome = {.keep_values = true};
	bool fine = policy_set_load(set, source, &notes, NULL) == 0;
	if (!fine) {
		print_notes(local, &notes, source);
	} else {
		policy_run(set, facts, share_divide, &outcome);
		fine = !outcome.failed_policies && !outcome.failed_rounds;
		for (size_t i = 0; i < outcome.value_count; i++) {
			struct json_object *json =
				facts_json_value(facts, outcome.values[i]);
			print_json(local->out, json);
			json_object_put(json);
		}
		if (options->controls)
			print_controls(local->out, facts, &outcome);
		for (size_t i = 0; i < outcome.message_count; i++)
			print_message(local, &outcome.messages[i], source);
	}
	policy_outcome_done(&outcome);
	policy_notes_done(&notes);
	policy_set_free(set);
	return fine ? EXIT_FINE : EXIT_FAILED;
}

int policy_local_eval(const struct policy_local *local, int argc, char *const argv[])
{
	struct eval_options options = {0};
	struct facts_json facts;
	struct input input;
	if (!read_eval_options(argc, argv, &options))
		return usage(
			local, "eval [--facts FILE.json | --live] [--controls] FILE|-");
	if (!read_eval_facts(local, &options, &facts))
		return EXIT_FAILED;
	int status = EXIT_FAILED;
	if (read_input(local, options.policy, &input)) {
		struct policy_source source = {.name = "eval",
			.file = input.file,
			.text = input.text,
			.length = input.length,
			.unchecked = true};
		status = run_eval(local, &options, &source, &facts.facts);
		input_done(&input);
	}
	facts_json_done(&facts);
	return status;
}

/* ---- check ----------------------------------------------------------------------------
 */

/* Names in the order of the command line: that is how the files belong together. */
static struct policy_source check_source(
	const struct input *input, int number, char name[POLICY_NAME_MAX])
{
	snprintf(name, POLICY_NAME_MAX, "%06d", number);
	return (struct policy_source){.name = name,
		.file = input->file,
		.text = input->text,
		.length = input->length};
}

static bool check_one(const struct policy_local *local, struct policy_set *set,
	const struct input *input, int number)
{
	char name[POLICY_NAME_MAX];
	struct policy_notes notes = {0};
	struct policy_source source = check_source(input, number, name);
	bool fine = policy_set_check(set, &source, &notes, NULL) == 0;
	print_notes(local, &notes, &source);
	size_t warnings =
		notes.count - (notes.errors < notes.count ? notes.errors : notes.count);
	fprintf(local->out, "%s: %s, %zu error%s, %zu warning%s\n", input->file,
		fine ? "accepted" : "refused", notes.errors, notes.errors == 1 ? "" : "s",
		warnings, warnings == 1 ? "" : "s");
	policy_notes_done(&notes);
	return fine;
}

int policy_local_check(const struct policy_local *local, int argc, char *const argv[])
{
	if (argc < 2)
		return usage(local, "check FILE|-…");
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1])
			return usage(local, "check FILE|-…");
	int status = EXIT_FINE;
	struct policy_set *set = policy_set_new(NULL);
	struct input *inputs = mem_array((size_t)argc, sizeof(*inputs));
	for (int i = 1; i < argc; i++) {
		char name[POLICY_NAME_MAX];
		if (!read_input(local, argv[i], &inputs[i])) {
			status = EXIT_FAILED;
			continue;
		}
		struct policy_source source = check_source(&inputs[i], i, name);
		source.unchecked = true;
		policy_set_load(set, &source, NULL, NULL);
	}
	for (int i = 1; i < argc; i++)
		if (inputs[i].text && !check_one(local, set, &inputs[i], i))
			status = EXIT_FAILED;
	for (int i = 1; i < argc; i++)
		input_done(&inputs[i]);
	free(inputs);
	policy_set_free(set);
	return status;
}

/* ---- fmt ------------------------------------------------------------------------------
 */

static bool write_file(
	const struct policy_local *local, const char *path, const char *text)
{
	auto_fclose FILE *file = fopen(path, "we");
	if (file && fputs(text, file) >= 0 && fflush(file) == 0)
		return true;
	fprintf(local->errors, "momctl: cannot write '%s': %s\n", path, strerror(errno));
	return false;
}

static bool format_one(
	const struct policy_local *local, const char *path, bool write, bool check)
{
	struct input input;
	if (!read_input(local, path, &input))
		return false;
	struct policy_source source = {.name = path,
		.file = input.file,
		.text = input.text,
		.length = input.length};
	struct policy_notes notes = {0};
	auto_free char *text = policy_format(&source, &notes);
	bool same = text && strlen(text) == input.length && !strcmp(text, input.text);
	bool fine = text && (!check || same);
	print_notes(local, &notes, &source);
	if (text && check && !same)
		fprintf(local->out, "%s\n", input.file);
	else if (text && write && strcmp(path, "-") != 0)
		fine = same || write_file(local, path, text);
	else if (text && !check)
		fputs(text, local->out);
	policy_notes_done(&notes);
	input_done(&input);
	return fine;
}

int policy_local_fmt(const struct policy_local *local, int argc, char *const argv[])
{
	bool write = false, check = false;
	int status = EXIT_FINE, files = 0;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--write"))
			write = true;
		else if (!strcmp(argv[i], "--check"))
			check = true;
		else if (argv[i][0] == '-' && argv[i][1])
			return usage(local, "fmt [--write | --check] FILE|-…");
		else
			files++;
	}
	if (!files || (write && check))
		return usage(local, "fmt [--write | --check] FILE|-…");
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--", 2) != 0 &&
			!format_one(local, argv[i], write, check))
			status = EXIT_FAILED;
	return status;
}

/* ---- fields ---------------------------------------------------------------------------
 */

static void add_row(const struct policy_local *local, struct json_object *rows,
	const char *of, const char *name, enum unit unit, const char *help)
{
	if (!rows) {
		fprintf(local->out, "%-11s %-24s %-8s %s\n", of, name, unit_name(unit),
			help);
		return;
	}
	struct json_object *row = json_object_new_object();
	json_object_object_add(row, "of", json_object_new_string(of));
	json_object_object_add(row, "name", json_object_new_string(name));
	json_object_object_add(row, "unit", json_object_new_string(unit_name(unit)));
	json_object_object_add(row, "meaning", json_object_new_string(help));
	json_object_array_add(rows, row);
}

int policy_local_fields(const struct policy_local *local, int argc, char *const argv[])
{
	if (argc > 1)
		return usage(local, argv[0]);
	struct json_object *rows = local->json ? json_object_new_array() : NULL;
	for (const struct field *field = host_fields; field->name; field++)
		add_row(local, rows, "host", field->name, field->unit, field->help);
	for (const struct field *field = guest_fields; field->name; field++)
		add_row(local, rows, "guest", field->name, field->unit, field->help);
	for (const struct knob *knob = policy_knobs; knob->name; knob++)
		add_row(local, rows, knob->guest ? "guest knob" : "host knob", knob->name,
			knob->unit, knob->help);
	if (rows)
		print_json(local->out, rows);
	json_object_put(rows);
	return EXIT_FINE;
}
