/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/recording/file.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "mom/mem.h"

#define CHUNK      (64 * 1024)
#define DEPTH_MOST 32
#define MARK       "mom_recording"

struct recording_file {
	gzFile packed;
	char *path;
	char *text; /* what is read ahead, from `begin` to `end` */
	size_t begin, end, capacity;
	uint64_t line;
	bool over, cut;
	struct json_object *root; /* of the latest line */
	char version[32];
};

int recording_fail(const struct recording_file *file, struct err *err)
{
	return err_prefix(err, "%s:%llu", file->path, (unsigned long long)file->line);
}

bool recording_was_cut(const struct recording_file *file)
{
	return file->cut;
}

const char *recording_version(const struct recording_file *file)
{
	return file->version;
}

/* ---- lines ---- */

static void make_room(struct recording_file *file)
{
	memmove(file->text, file->text + file->begin, file->end - file->begin);
	file->end -= file->begin;
	file->begin = 0;
	if (file->capacity - file->end >= CHUNK)
		return;
	file->capacity = 2 * file->capacity + CHUNK;
	file->text = mem_resize(file->text, file->capacity, 1);
}

/* Packed data that ends too early is a recording that was cut off. */
static int read_ahead(struct recording_file *file, struct err *err)
{
	make_room(file);
	errno = 0;
	int got = gzread(file->packed, file->text + file->end, CHUNK);
	int trouble = Z_OK;
	const char *why = gzerror(file->packed, &trouble);
	if (trouble == Z_BUF_ERROR)
		file->cut = true;
	else if (trouble == Z_ERRNO)
		return err_errno(
			err, errno ? errno : EIO, "cannot read \"%s\"", file->path);
	else if (trouble != Z_OK && trouble != Z_STREAM_END)
		return err_set(err, -EIO, "cannot unpack \"%s\": %s", file->path, why);
	if (got > 0)
		file->end += (size_t)got;
	file->over = got <= 0 || file->cut;
	return 0;
}

/* The next line, without its end: 1, or 0 where there is none. A line without its end is
 * the last one, and cut. */
static int next_text(
	struct recording_file *file, const char **text, size_t *length, struct err *err)
{
	size_t scanned = 0;
	file->line++;
	for (;;) {
		size_t here = file->end - file->begin;
		const char *begin = file->text + file->begin;
		const char *end = memchr(begin + scanned, '\n', here - scanned);
		if (end || file->over) {
			*text = begin;
			*length = end ? (size_t)(end - begin) : here;
			file->begin += *length + (end != NULL);
			file->cut = file->cut || (!end && here);
			return end != NULL;
		}
		scanned = here;
		if (here > RECORDING_LINE_MOST) {
			err_set(err, -EBADMSG, "the line is longer than %zu MiB",
				RECORDING_LINE_MOST / 1024 / 1024);
			return recording_fail(file, err);
		}
		int r = read_ahead(file, err);
		if (r < 0)
			return r;
	}
}

static struct json_object *parse(const char *text, size_t length, struct err *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MOST);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	struct json_object *json = json_tokener_parse_ex(tokener, text, (int)length);
	enum json_tokener_error fault = json_tokener_get_error(tokener);
	if (fault == json_tokener_success &&
		!json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		json = NULL;
	}
	if (!json)
		err_set(err, -EBADMSG, "%s",
			fault == json_tokener_success || fault == json_tokener_continue
				? "not a JSON object"
				: json_tokener_error_desc(fault));
	json_tokener_free(tokener);
	return json;
}

/* The next line's object into `file->root`: 1, or 0 at the end. */
static int next_object(struct recording_file *file, struct err *err)
{
	const char *text = NULL;
	size_t length = 0;
	int r;
	json_object_put(take(file->root));
	while ((r = next_text(file, &text, &length, err)) > 0 && !length)
		continue;
	if (r <= 0)
		return r;
	file->root = parse(text, length, err);
	return file->root ? 1 : recording_fail(file, err);
}

int recording_next(
	struct recording_file *file, struct recording_line *line, struct err *err)
{
	static const struct {
		const char *name;
		enum recording_kind kind;
	} kinds[] = {
		{"tick", RECORDING_TICK},
		{"state", RECORDING_STATE},
		{"gap", RECORDING_GAP},
	};
	*line = (struct recording_line){0};
	int r = next_object(file, err);
	if (r <= 0)
		return r;
	line->kind = RECORDING_OTHER;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct json_object *data;
		if (!json_object_object_get_ex(file->root, kinds[i].name, &data))
			continue;
		line->kind = kinds[i].kind;
		line->data = data;
	}
	return 0;
}

/* ---- the file ---- */

static int read_header(struct recording_file *file, struct err *err)
{
	struct json_object *mark, *version;
	int r = next_object(file, err);
	if (r < 0 && err->code != -EBADMSG)
		return r;
	file->line = 1;
	if (r <= 0 || !json_object_object_get_ex(file->root, MARK, &mark)) {
		err_set(err, -EBADMSG, "not a recording of momctl record");
		return recording_fail(file, err);
	}
	if (json_object_get_int(mark) != RECORDING_VERSION) {
		err_set(err, -EBADMSG,
			"a recording of version %s; this program reads version %d",
			json_object_to_json_string(mark), RECORDING_VERSION);
		return recording_fail(file, err);
	}
	if (json_object_object_get_ex(file->root, "momd", &version))
		snprintf(file->version, sizeof(file->version), "%s",
			json_object_get_string(version));
	return 0;
}

int recording_open(struct recording_file **file, const char *path, struct err *err)
{
	struct err inner;
	err = err ? err : &inner;
	errno = 0;
	gzFile packed = gzopen(path, "re");
	if (!packed)
		return err_errno(err, errno ? errno : ENOMEM, "cannot open \"%s\"", path);
	struct recording_file *fresh = mem_alloc(sizeof(*fresh));
	*fresh = (struct recording_file){
		.packed = packed,
		.path = mem_dup(path),
		.text = mem_alloc(CHUNK),
		.capacity = CHUNK,
	};
	gzbuffer(packed, CHUNK);
	int r = read_header(fresh, err);
	if (r < 0)
		recording_close(fresh);
	else
		*file = fresh;
	return r;
}

void recording_close(struct recording_file *file)
{
	if (!file)
		return;
	gzclose(file->packed);
	json_object_put(file->root);
	free(file->path);
	free(file->text);
	free(file);
}

bool recording_is_one(const char *path)
{
	static const char begin[] = "{\"" MARK "\"";
	char text[sizeof(begin)] = {0};
	struct stat status;
	if (stat(path, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	gzFile packed = gzopen(path, "re");
	if (!packed)
		return false;
	int got = gzread(packed, text, sizeof(text) - 1);
	gzclose(packed);
	return got == (int)sizeof(text) - 1 && strcmp(text, begin) == 0;
}
