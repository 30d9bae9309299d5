/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "mom/mem.h"

#define TEXT_MAX     (1024 * 1024)
#define INCLUDES_MAX 10   /* libconfig follows no deeper chain */
#define FILES_MAX    100u /* that one may include in all */
#define DIRECTIVE    "@include"

/* Open for reading; a FIFO must not make us wait before it is refused. */
static int open_plain(const char *path, size_t *size, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		return err_errno(err, errno, "%s: cannot be read", path);
	if (!S_ISREG(status.st_mode))
		return err_set(err, -EINVAL, "%s: is not a plain file", path);
	if (status.st_size > TEXT_MAX)
		return err_set(err, -EINVAL, "%s: is larger than 1 MiB", path);
	*size = (size_t)status.st_size;
	int opened = fd;
	fd = -1;
	return opened;
}

static int read_plain(char **text, const char *path, struct err *err)
{
	size_t size = 0, length = 0;
	auto_close int fd = open_plain(path, &size, err);
	if (fd < 0)
		return fd;
	auto_free char *read_text = mem_alloc(size + 1);
	while (length < size) {
		ssize_t got = read(fd, read_text + length, size - length);
		if (got < 0 && errno != EINTR)
			return err_errno(err, errno, "%s: cannot be read", path);
		if (got == 0)
			break;
		length += got > 0 ? (size_t)got : 0;
	}
	if (memchr(read_text, '\0', length))
		return err_set(err, -EINVAL, "%s: is not text", path);
	*text = take(read_text);
	return 0;
}

/* The file that a line includes, or NULL; to be freed. */
static char *included(const char *line)
{
	line += strspn(line, " \t");
	if (strncmp(line, DIRECTIVE, strlen(DIRECTIVE)) != 0)
		return NULL;
	line += strlen(DIRECTIVE);
	line += strspn(line, " \t");
	if (*line != '"')
		return NULL;
	return mem_ndup(line + 1, strcspn(line + 1, "\"\n"));
}

/* What is still to be looked at: a file that includes itself more than once doubles its
 * work with each step. */
struct includes {
	const char *folder;
	unsigned left;
};

static int check_includes(
	const char *text, struct includes *includes, unsigned depth, struct err *err);

/* A missing file is libconfig's to report: it may be named in a comment. */
static int check_included(
	const char *path, struct includes *includes, unsigned depth, struct err *err)
{
	auto_free char *text = NULL;
	int r = read_plain(&text, path, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!includes->left--)
		return err_set(err, -ELOOP,
			"%s: the %uth file to be included, which is too many", path,
			FILES_MAX + 1);
	return check_includes(text, includes, depth - 1, err);
}

/* Where a name begins with "/", libconfig 1.5 looks in the folder and 1.7 at the root. */
static int check_includes(
	const char *text, struct includes *includes, unsigned depth, struct err *err)
{
	int r = 0;
	for (const char *line = text; line && depth && !r; line = strchr(line, '\n')) {
		line += *line == '\n';
		auto_free char *name = included(line);
		if (!name)
			continue;
		auto_free char *path = mem_printf("%s/%s", includes->folder, name);
		r = check_included(path, includes, depth, err);
		if (r == 0 && *name == '/')
			r = check_included(name, includes, depth, err);
	}
	return r;
}

int config_text_read(char **text, const char *path, const char *folder, struct err *err)
{
	struct includes includes = {.folder = folder, .left = FILES_MAX};
	auto_free char *read_text = NULL;
	int r = read_plain(&read_text, path, err);
	if (r == 0)
		r = check_includes(read_text, &includes, INCLUDES_MAX, err);
	if (r == 0)
		*text = take(read_text);
	return r;
}
