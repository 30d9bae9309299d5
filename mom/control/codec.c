/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/codec.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json_visit.h>

#include "mom/control/utf8.h"
#include "mom/mem.h"

#define LINE_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static const struct {
	int code;
	const char *name;
} codes[] = {
	{-EINVAL, "invalid"}, {-ERANGE, "out-of-range"}, {-ENOENT, "not-found"},
	{-EEXIST, "exists"}, {-EACCES, "not-allowed"}, {-EBUSY, "busy"},
	{-EAGAIN, "not-ready"}, {-ENOTSUP, "unsupported"}, {-ENOSYS, "no-method"},
	{-EBADMSG, "malformed"}, {-EMSGSIZE, "too-long"}, {-ETIMEDOUT, "timeout"},
	{-EIO, "failed"}, /* last: stands for every other one */
};

const char *control_code_name(int code)
{
	size_t i = 0;
	while (i < ARRAY_SIZE(codes) - 1 && codes[i].code != code)
		i++;
	return codes[i].name;
}

static int code_from_name(const char *name)
{
	size_t i = 0;
	while (i < ARRAY_SIZE(codes) - 1 && strcmp(codes[i].name, name) != 0)
		i++;
	return codes[i].code;
}

/* One JSON value that fills the line, or NULL. */
static struct json_object *parse_line(const char *line, size_t length, int flags)
{
	struct json_tokener *tokener = json_tokener_new_ex(CONTROL_DEPTH_MAX);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | flags);
	struct json_object *root = json_tokener_parse_ex(tokener, line, (int)length);
	bool whole = json_tokener_get_error(tokener) == json_tokener_success &&
		     json_tokener_get_parse_end(tokener) == length;
	json_tokener_free(tokener);
	if (!whole) {
		json_object_put(root);
		return NULL;
	}
	return root;
}

/* A text with a NUL inside would be another text to everybody who reads it in C; NaN and
 * what overflows are numbers that JSON doesn't have. */
static int find_odd(struct json_object *value, int flags, struct json_object *parent,
	const char *key, size_t *index, void *found)
{
	(void)flags, (void)parent, (void)key, (void)index;
	const char *odd = NULL;
	if (json_object_is_type(value, json_type_string) &&
		strlen(json_object_get_string(value)) !=
			(size_t)json_object_get_string_len(value))
		odd = "a text holds a NUL";
	if (json_object_is_type(value, json_type_double) &&
		!isfinite(json_object_get_double(value)))
		odd = "a number isn't one";
	*(const char **)found = odd;
	return odd ? JSON_C_VISIT_RETURN_STOP : JSON_C_VISIT_RETURN_CONTINUE;
}

/* What is wrong with a value that is JSON all the same, or NULL. */
static const char *oddity(struct json_object *root)
{
	const char *found = NULL;
	json_c_visit(root, 0, find_odd, &found);
	return found;
}

static bool good_id(struct json_object *id)
{
	return json_object_is_type(id, json_type_int) ||
	       json_object_is_type(id, json_type_string);
}

static int bad_request(struct err *err, const char *why)
{
	return err_set(err, -EBADMSG, "not a request: %s", why);
}

int control_parse_request(
	struct control_request *request, const char *line, size_t length, struct err *err)
{
	*request = (struct control_request){0};
	request->root = parse_line(line, length, JSON_TOKENER_VALIDATE_UTF8);
	if (!json_object_is_type(request->root, json_type_object))
		return bad_request(err, "the line isn't one JSON object");
	const char *odd = oddity(request->root);
	if (odd)
		return bad_request(err, odd);
	struct json_object *id = json_object_object_get(request->root, "id");
	if (!good_id(id))
		return bad_request(err, "\"id\" is neither a number nor a text");
	request->id = id;
	request->method = control_get_text(request->root, "method");
	if (!request->method)
		return bad_request(err, "\"method\" is missing");
	if (!json_object_object_get_ex(request->root, "params", &request->params)) {
		request->params = json_object_new_object();
		json_object_object_add(request->root, "params", request->params);
	}
	if (!json_object_is_type(request->params, json_type_object))
		return bad_request(err, "\"params\" isn't an object");
	return 0;
}

void control_request_done(struct control_request *request)
{
	json_object_put(request->root);
	*request = (struct control_request){0};
}

/* The text of `root` and a newline; `root` is used up. */
static char *line_of(struct json_object *root)
{
	size_t length;
	const char *text = json_object_to_json_string_length(root, LINE_FLAGS, &length);
	char *line = mem_alloc(length + 2);
	memcpy(line, text, length);
	line[length] = '\n';
	json_object_put(root);
	return line;
}

char *control_request_line(int64_t id, const char *method, struct json_object *params)
{
	struct json_object *root = json_object_new_object();
	json_object_object_add(root, "id", json_object_new_int64(id));
	json_object_object_add(root, "method", control_json_text(method));
	if (params)
		json_object_object_add(root, "params", json_object_get(params));
	return line_of(root);
}

char *control_result_line(struct json_object *id, struct json_object *result)
{
	struct json_object *root = json_object_new_object();
	json_object_object_add(root, "id", json_object_get(id));
	json_object_object_add(root, "result", json_object_get(result));
	return line_of(root);
}

char *control_error_line(struct json_object *id, const struct err *err)
{
	struct json_object *error = json_object_new_object();
	json_object_object_add(
		error, "code", control_json_text(control_code_name(err->code)));
	json_object_object_add(error, "message", control_json_text(err->text));
	struct json_object *root = json_object_new_object();
	json_object_object_add(root, "id", json_object_get(id));
	json_object_object_add(root, "error", error);
	return line_of(root);
}

char *control_event_line(const char *topic, struct json_object *data, uint64_t missed)
{
	struct json_object *root = json_object_new_object();
	json_object_object_add(root, "event", control_json_text(topic));
	json_object_object_add(root, "missed", json_object_new_uint64(missed));
	json_object_object_add(root, "data", json_object_get(data));
	return line_of(root);
}

char *control_greeting_line(const char *version)
{
	struct json_object *root = json_object_new_object();
	json_object_object_add(root, "mom", control_json_text(version));
	json_object_object_add(root, "protocol", json_object_new_int(CONTROL_PROTOCOL));
	return line_of(root);
}

/* What an {"error": …} says; -EBADMSG where `root` holds none. */
static int read_error(struct json_object *root, struct err *err)
{
	struct json_object *error = json_object_object_get(root, "error");
	const char *code = control_get_text(error, "code");
	const char *message = control_get_text(error, "message");
	if (!code || !message)
		return err_set(err, -EBADMSG, "the answer is not of the protocol");
	return err_set(err, code_from_name(code), "%s", message);
}

static int greet(
	struct control_greeting *greeting, struct json_object *root, struct err *err)
{
	const char *version = control_get_text(root, "mom");
	struct json_object *protocol = json_object_object_get(root, "protocol");
	if (!version || !json_object_is_type(protocol, json_type_int))
		return read_error(root, err);
	greeting->protocol = json_object_get_int64(protocol);
	snprintf(greeting->version, sizeof(greeting->version), "%s", version);
	return 0;
}

int control_parse_greeting(struct control_greeting *greeting, const char *line,
	size_t length, struct err *err)
{
	struct json_object *root = parse_line(line, length, 0);
	int rc = greet(greeting, root, err);
	json_object_put(root);
	return rc;
}

/* A request that couldn't be read is answered with a null id: that is ours too. */
static bool answers(struct json_object *root, int64_t id)
{
	struct json_object *value;
	if (!json_object_object_get_ex(root, "id", &value))
		return false;
	return !value || (json_object_is_type(value, json_type_int) &&
				 json_object_get_int64(value) == id);
}

int control_parse_reply(const char *line, size_t length, int64_t id,
	struct json_object **result, struct err *err)
{
	struct json_object *root = parse_line(line, length, 0);
	struct json_object *value;
	int rc = 0;
	if (!answers(root, id))
		rc = err_set(err, -EBADMSG, "the answer is not of the protocol");
	else if (json_object_object_get_ex(root, "result", &value))
		*result = json_object_get(value);
	else
		rc = read_error(root, err);
	json_object_put(root);
	return rc;
}

int control_parse_event(
	const char *line, size_t length, struct json_object **event, struct err *err)
{
	struct json_object *root = parse_line(line, length, 0);
	if (!control_get_text(root, "event")) {
		json_object_put(root);
		return err_set(err, -EBADMSG, "the line is not of the protocol");
	}
	*event = root;
	return 0;
}

struct json_object *control_json_text(const char *text)
{
	if (!text)
		return NULL;
	auto_free char *clean = utf8_repair(text);
	return json_object_new_string(clean);
}

/* json-c would print seventeen digits, and "NaN", which isn't JSON. */
struct json_object *control_json_number(double number)
{
	char text[32];
	if (!isfinite(number))
		return NULL;
	snprintf(text, sizeof(text), "%.9g", number);
	return json_object_new_double_s(number, text);
}

const char *control_get_text(struct json_object *object, const char *key)
{
	struct json_object *value;
	if (!json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

int control_need_text(
	struct json_object *params, const char *key, const char **text, struct err *err)
{
	const char *found = control_get_text(params, key);
	if (!found)
		return err_set(err, -EINVAL, "the parameter \"%s\" is missing", key);
	*text = found;
	return 0;
}
