/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "mom/mem.h"

#define FLUSH_MS 5000
#define MODE     0640 /* names of guests, policies */

static int64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A new file, or a pipe or device that is there. */
static int open_new(const char *path)
{
	struct stat status;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	bool special = fd < 0 && errno == EEXIST && stat(path, &status) == 0 &&
		       !S_ISREG(status.st_mode);
	return special ? open(path, O_WRONLY | O_CLOEXEC) : fd;
}

static bool ends_in_gz(const char *path)
{
	size_t length = strlen(path);
	return length >= 3 && strcmp(path + length - 3, ".gz") == 0;
}

int packed_open(struct packed *packed, const char *path, struct err *err)
{
	auto_close int fd = open_new(path);
	if (fd < 0 && errno == EEXIST)
		return err_set(
			err, -EEXIST, "'%s' is there already; choose another name", path);
	if (fd < 0)
		return err_errno(err, errno, "cannot write '%s'", path);
	bool packs = ends_in_gz(path);
	gzFile file = gzdopen(fd, packs ? "w6" : "wT");
	if (!file)
		return err_errno(err, ENOMEM, "cannot write '%s'", path);
	fd = -1;
	*packed = (struct packed){
		.file = file, .path = path, .packs = packs, .flushed_ms = clock_ms()};
	return 0;
}

static int fail_write(const struct packed *packed, struct err *err)
{
	int trouble;
	const char *why = gzerror(packed->file, &trouble);
	if (trouble == Z_ERRNO)
		return err_errno(
			err, errno ? errno : EIO, "cannot write '%s'", packed->path);
	return err_set(err, -EIO, "cannot write '%s': %s", packed->path, why);
}

/* Who is killed loses the last seconds; each flush costs some of what packing gains. */
static int flush_sometimes(struct packed *packed, struct err *err)
{
	int64_t now_ms = clock_ms();
	if (packed->packs && now_ms - packed->flushed_ms < FLUSH_MS)
		return 0;
	packed->flushed_ms = now_ms;
	errno = 0;
	return gzflush(packed->file, Z_SYNC_FLUSH) == Z_OK ? 0 : fail_write(packed, err);
}

int packed_write(struct packed *packed, struct json_object *line, struct err *err)
{
	const char *text = json_object_to_json_string_ext(
		line, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	errno = 0;
	bool written =
		gzputs(packed->file, text) > 0 && gzputc(packed->file, '\n') == '\n';
	return written ? flush_sometimes(packed, err) : fail_write(packed, err);
}

uint64_t packed_size(const struct packed *packed)
{
	z_off_t size = packed->file ? gzoffset(packed->file) : 0;
	return size > 0 ? (uint64_t)size : packed->size;
}

int packed_close(struct packed *packed, struct err *err)
{
	if (!packed->file)
		return 0;
	errno = 0;
	gzflush(packed->file, Z_FINISH);
	packed->size = packed_size(packed);
	int r = gzclose(take(packed->file));
	if (r == Z_ERRNO)
		return err_errno(
			err, errno ? errno : EIO, "cannot write '%s'", packed->path);
	return r == Z_OK
		       ? 0
		       : err_set(err, -EIO, "cannot write '%s' to its end", packed->path);
}
