/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/facts_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <json-c/json_visit.h>
#include <math.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/control/value_json.h"
#include "mom/mem.h"
#include "mom/policy/fields.h"

#define NESTING_MOST 32

/* ---- reading --------------------------------------------------------------------------
 */

static int read_history(struct policy_builder *builder, struct policy_object *object,
	struct json_object *history, struct err *err)
{
	if (!json_object_is_type(history, json_type_object))
		return err_set(err, -EINVAL, "'history' is not an object");
	json_object_object_foreach(history, name, values)
	{
		if (!json_object_is_type(values, json_type_array))
			return err_set(err, -EINVAL,
				"the history of '%s' is not an array", name);
		for (size_t i = 0; i < json_object_array_length(values); i++)
			policy_object_add(object, name,
				value_json_read(
					builder, json_object_array_get_idx(values, i)));
	}
	return 0;
}

/* The host or a guest: fields, and their histories. */
static int read_subject(struct policy_builder *builder, struct json_object *json,
	const struct policy_object **into, struct err *err)
{
	if (!json_object_is_type(json, json_type_object))
		return err_set(err, -EINVAL, "not an object");
	struct policy_object *object = policy_build_object(builder);
	json_object_object_foreach(json, name, field)
	{
		int result = 0;
		if (!strcmp(name, "history"))
			result = read_history(builder, object, field, err);
		else
			policy_object_set(object, name, value_json_read(builder, field));
		if (result < 0)
			return result;
	}
	*into = object;
	return 0;
}

static int read_guests(struct facts_json *into, struct json_object *json, struct err *err)
{
	if (!json_object_is_type(json, json_type_array))
		return err_set(err, -EINVAL, "'guests' is not an array");
	size_t count = json_object_array_length(json);
	into->guests = mem_array(count + 1, sizeof(*into->guests));
	into->stores = mem_resize(into->stores, count + 1, sizeof(struct policy_vars *));
	memset(into->stores, 0, (count + 1) * sizeof(struct policy_vars *));
	for (size_t i = 0; i < count; i++) {
		int result = read_subject(into->builder,
			json_object_array_get_idx(json, i), &into->guests[i].extra, err);
		if (result < 0)
			return err_prefix(err, "guest %zu", i + 1);
		into->guests[i].vars = &into->stores[i];
	}
	into->facts.guests = into->guests;
	into->facts.guest_count = count;
	return 0;
}

static int read_facts(struct facts_json *into, struct json_object *json, struct err *err)
{
	struct policy_object *variables = policy_build_object(into->builder);
	if (!json_object_is_type(json, json_type_object))
		return err_set(err, -EINVAL, "facts are a JSON object");
	json_object_object_foreach(json, name, value)
	{
		int result = 0;
		if (!strcmp(name, "host"))
			result = read_subject(
				into->builder, value, &into->facts.host_extra, err);
		else if (!strcmp(name, "guests"))
			result = read_guests(into, value, err);
		else
			policy_object_set(
				variables, name, value_json_read(into->builder, value));
		if (result < 0)
			return !strcmp(name, "host") ? err_prefix(err, "'host'") : result;
	}
	into->facts.variables = variables;
	return 0;
}

static size_t line_at(const char *text, size_t offset)
{
	size_t line = 1;
	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

/* json-c takes NaN and Infinity, which JSON doesn't know, and sums don't survive. */
static int refuse_endless(struct json_object *value, int flags,
	struct json_object *parent, const char *key, size_t *index, void *found)
{
	(void)flags, (void)parent, (void)key, (void)index;
	if (!json_object_is_type(value, json_type_double) ||
		isfinite(json_object_get_double(value)))
		return JSON_C_VISIT_RETURN_CONTINUE;
	*(bool *)found = true;
	return JSON_C_VISIT_RETURN_STOP;
}

static bool has_endless(struct json_object *json)
{
	bool found = false;
	json_c_visit(json, 0, refuse_endless, &found);
	return found;
}

static struct json_object *parse_text(const char *text, size_t length, struct err *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(NESTING_MOST);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *json = json_tokener_parse_ex(tokener, text, (int)length);
	enum json_tokener_error fault = json_tokener_get_error(tokener);
	size_t end = json_tokener_get_parse_end(tokener);
	if (fault == json_tokener_continue) { /* a number may end here */
		json = json_tokener_parse_ex(tokener, "", 1);
		fault = json_tokener_get_error(tokener);
	}
	while (fault == json_tokener_success && end < length &&
		strchr(" \t\r\n", text[end]))
		end++;
	if (fault != json_tokener_success || end < length) {
		err_set(err, -EINVAL, "line %zu: %s",
			line_at(text, end < length ? end : length),
			fault == json_tokener_success ? "more text behind the facts"
						      : json_tokener_error_desc(fault));
		json_object_put(json);
		json = NULL;
	} else if (has_endless(json)) {
		err_set(err, -EINVAL, "a number is none, or without end");
		json_object_put(json);
		json = NULL;
	}
	json_tokener_free(tokener);
	return json;
}

int facts_json_read(struct facts_json *into, const char *file, const char *text,
	size_t length, struct err *err)
{
	*into = (struct facts_json){.builder = policy_builder_new()};
	into->stores = mem_array(1, sizeof(struct policy_vars *));
	struct err inner;
	err = err ? err : &inner;
	if (text) {
		if (length > INT32_MAX - 1)
			return err_set(err, -EINVAL, "%s: too large", file);
		struct json_object *json = parse_text(text, length, err);
		int result = json ? read_facts(into, json, err) : -EINVAL;
		json_object_put(json);
		if (result < 0) {
			facts_json_done(into);
			return err_prefix(err, "%s", file);
		}
	}
	into->facts.host_vars = &into->stores[into->facts.guest_count];
	return 0;
}

void facts_json_done(struct facts_json *facts)
{
	for (size_t i = 0; facts->stores && i <= facts->facts.guest_count; i++)
		policy_vars_free(facts->stores[i]);
	free(facts->stores);
	free(facts->guests);
	policy_builder_free(facts->builder);
	*facts = (struct facts_json){0};
}

static struct json_object *write_word(const char *word)
{
	return word ? control_json_text(word) : NULL;
}

/* ---- writing --------------------------------------------------------------------------
 */

static struct json_object *write_number(struct value number)
{
	if (number.kind == VALUE_INT)
		return json_object_new_int64(number.integer);
	if (!isfinite(number.real))
		return NULL;
	char text[NUMBER_TEXT_MAX];
	return json_object_new_double_s(number.real, value_format_number(text, number));
}

static struct json_object *write_list(
	const struct policy_facts *facts, const struct list *list)
{
	struct json_object *array = json_object_new_array();
	for (size_t i = 0; i < list->count; i++)
		json_object_array_add(array, facts_json_value(facts, list->items[i]));
	return array;
}

/* What a file of facts gave goes before what samples say. */
static void add_made_up(struct json_object *into, const struct policy_facts *facts,
	const struct policy_object *object)
{
	struct value value;
	const char *name;
	for (size_t i = 0; object && (name = policy_object_at(object, i, &value)); i++)
		json_object_object_add(into, name, facts_json_value(facts, value));
}

static struct json_object *host_value(
	const struct policy_facts *facts, const struct field *field, size_t age)
{
	const struct host_sample *sample =
		facts->host ? host_history_at(facts->host, age) : NULL;
	if (!sample)
		return NULL;
	if (field->type == FIELD_STATE)
		return write_word(host_state_name(sample->state));
	return facts_json_value(facts, field_sample(field, sample));
}

static struct json_object *guest_value(const struct policy_facts *facts,
	const struct policy_guest *guest, const struct field *field, size_t age)
{
	if (field->type == FIELD_WORD)
		return write_word(field->word(guest));
	if (!field_has_history(field))
		return facts_json_value(facts, field->of_guest(guest));
	const struct guest_sample *sample =
		guest->history ? guest_history_at(guest->history, age) : NULL;
	return sample ? facts_json_value(facts, field_sample(field, sample)) : NULL;
}

static struct json_object *write_host(const struct policy_facts *facts)
{
	struct json_object *host = json_object_new_object();
	for (const struct field *field = host_fields; facts->host && field->name; field++)
		json_object_object_add(host, field->name, host_value(facts, field, 0));
	add_made_up(host, facts, facts->host_extra);
	return host;
}

static struct json_object *write_guest(
	const struct policy_facts *facts, const struct policy_guest *guest)
{
	struct json_object *json = json_object_new_object();
	bool known = guest->facts || guest->history;
	for (const struct field *field = guest_fields; known && field->name; field++)
		json_object_object_add(
			json, field->name, guest_value(facts, guest, field, 0));
	add_made_up(json, facts, guest->extra);
	return json;
}

struct json_object *facts_json_value(const struct policy_facts *facts, struct value value)
{
	switch (value.kind) {
	case VALUE_BOOL:
		return json_object_new_boolean(value.truth);
	case VALUE_INT:
	case VALUE_FLOAT:
		return write_number(value);
	case VALUE_STRING:
		return control_json_text(value.text->bytes);
	case VALUE_LIST:
		return write_list(facts, value.list);
	case VALUE_HOST:
		return write_host(facts);
	case VALUE_GUEST:
		return write_guest(facts, value.guest);
	case VALUE_OBJECT: {
		struct json_object *object = json_object_new_object();
		add_made_up(object, facts, value.object);
		return object;
	}
	default:
		return NULL;
	}
}

static void write_host_history(struct json_object *host, const struct policy_facts *facts)
{
	struct json_object *histories = json_object_new_object();
	for (const struct field *field = host_fields; field->name; field++) {
		if (!field_has_history(field) || field_is_word(field))
			continue;
		struct json_object *values = json_object_new_array();
		for (size_t age = facts->host->count; age-- > 0;)
			json_object_array_add(values, host_value(facts, field, age));
		json_object_object_add(histories, field->name, values);
	}
	json_object_object_add(host, "history", histories);
}

static void write_guest_history(struct json_object *json,
	const struct policy_facts *facts, const struct policy_guest *guest)
{
	struct json_object *histories = json_object_new_object();
	for (const struct field *field = guest_fields; field->name; field++) {
		if (!field_has_history(field))
			continue;
		struct json_object *values = json_object_new_array();
		for (size_t age = guest->history->count; age-- > 0;)
			json_object_array_add(
				values, guest_value(facts, guest, field, age));
		json_object_object_add(histories, field->name, values);
	}
	json_object_object_add(json, "history", histories);
}

struct json_object *facts_json_write(const struct policy_facts *facts)
{
	struct json_object *json = json_object_new_object();
	struct json_object *host = write_host(facts);
	if (facts->host)
		write_host_history(host, facts);
	json_object_object_add(json, "host", host);
	struct json_object *guests = json_object_new_array();
	for (size_t i = 0; i < facts->guest_count; i++) {
		struct json_object *guest = write_guest(facts, &facts->guests[i]);
		if (facts->guests[i].history)
			write_guest_history(guest, facts, &facts->guests[i]);
		json_object_array_add(guests, guest);
	}
	json_object_object_add(json, "guests", guests);
	return json;
}
