/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes are a recording or are refused in a line that names the file; what is taken
 * from one can be written, and is the same when it is read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <json-c/json.h>

#include "mom/mem.h"
#include "mom/recording/file.h"
#include "mom/recording/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *text_of(struct json_object *json)
{
	char *text =
		mem_dup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
	json_object_put(json);
	return text;
}

static void check_tick(struct json_object *json)
{
	struct recorded_tick tick, again;
	struct err err = {0};
	if (recorded_tick_read(&tick, json, &err) < 0) {
		if (!err.text[0])
			abort();
		return;
	}
	auto_free char *text = text_of(recorded_tick_write(&tick));
	struct json_object *written = json_tokener_parse(text);
	if (recorded_tick_read(&again, written, &err) < 0)
		abort();
	auto_free char *second = text_of(recorded_tick_write(&again));
	if (strcmp(text, second) != 0)
		abort();
	json_object_put(written);
	recorded_tick_done(&tick);
	recorded_tick_done(&again);
}

static void check_state(struct json_object *json)
{
	struct recorded_state state, again;
	struct err err = {0};
	if (recorded_state_read(&state, json, &err) < 0) {
		if (!err.text[0])
			abort();
		return;
	}
	auto_free char *text = text_of(recorded_state_write(&state));
	struct json_object *written = json_tokener_parse(text);
	if (recorded_state_read(&again, written, &err) < 0)
		abort();
	auto_free char *second = text_of(recorded_state_write(&again));
	if (strcmp(text, second) != 0)
		abort();
	json_object_put(written);
	recorded_state_done(&state);
	recorded_state_done(&again);
}

static void check_file(const char *path)
{
	struct recording_file *file;
	struct recording_line line = {0};
	struct err err = {0};
	if (recording_open(&file, path, &err) < 0) {
		if (!strstr(err.text, path))
			abort();
		return;
	}
	for (;;) {
		int r = recording_next(file, &line, &err);
		if (r < 0 && !strstr(err.text, path))
			abort();
		if (r < 0 || line.kind == RECORDING_END)
			break;
		if (line.kind == RECORDING_TICK)
			check_tick(line.data);
		else if (line.kind == RECORDING_STATE)
			check_state(line.data);
	}
	recording_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	auto_close int fd = memfd_create("recording", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check_file(path);
	return 0;
}
