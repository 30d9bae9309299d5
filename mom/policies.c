/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policies.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mom/mem.h"

#define LARGEST_FILE (1024 * 1024)
#define ENDING       ".policy"

/* A FIFO must not make the daemon wait before it is refused. */
static int open_plain(const char *path, FILE **file, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		return err_errno(err, errno, "cannot open policy \"%s\"", path);
	if (!S_ISREG(status.st_mode))
		return err_set(err, -EINVAL, "policy \"%s\" is not a plain file", path);
	*file = fdopen(fd, "r");
	if (!*file)
		return err_errno(err, errno, "cannot open policy \"%s\"", path);
	fd = -1;
	return 0;
}

int policies_read_file(const char *path, char **text, size_t *length, struct err *err)
{
	auto_fclose FILE *file = NULL;
	int result = open_plain(path, &file, err);
	if (result < 0)
		return result;
	auto_free char *content = mem_alloc(LARGEST_FILE + 1);
	size_t got = fread(content, 1, LARGEST_FILE + 1, file);
	if (ferror(file))
		return err_errno(
			err, errno ? errno : EIO, "cannot read policy \"%s\"", path);
	if (got > LARGEST_FILE)
		return err_set(err, -EFBIG, "policy \"%s\" is larger than 1 MiB", path);
	*text = mem_ndup(content, got);
	*length = got;
	return 0;
}

/* The name that a policy goes by: its file's, without folder and ending. */
static char *policy_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strlen(name);
	size_t ending = strlen(ENDING);
	if (length > ending && !strcmp(name + length - ending, ENDING))
		length -= ending;
	return mem_ndup(name, length);
}

static int load_file(struct policy_set *set, const char *path,
	void (*said)(const char *note), struct err *err)
{
	auto_free char *text = NULL;
	size_t length;
	int result = policies_read_file(path, &text, &length, err);
	if (result < 0)
		return result;
	auto_free char *name = policy_name(path);
	struct policy_source source = {
		.name = name, .file = path, .text = text, .length = length};
	struct policy_notes notes = {0};
	result = policy_set_load(set, &source, &notes, err);
	for (size_t i = 0; i < notes.count && said; i++) {
		auto_free char *note = policy_note_format(&notes.items[i], &source);
		note[strcspn(note, "\n")] = '\0';
		said(note);
	}
	policy_notes_done(&notes);
	return result;
}

static int load_named(struct policy_set *set, const struct config *config,
	const char *name, void (*said)(const char *note), struct err *err)
{
	if (strchr(name, '/'))
		return load_file(set, name, said, err);
	auto_free char *path = mem_printf("%s/%s" ENDING, config->policy.shipped, name);
	return load_file(set, path, said, err);
}

static int is_policy(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	size_t ending = strlen(ENDING);
	return entry->d_name[0] != '.' && length > ending &&
	       !strcmp(entry->d_name + length - ending, ENDING);
}

/* No directory is no error: it is where an administrator may put policies. */
static int load_directory(struct policy_set *set, const char *directory,
	void (*said)(const char *note), struct err *err)
{
	struct dirent **entries;
	int count = directory && *directory
			    ? scandir(directory, &entries, is_policy, alphasort)
			    : 0;
	if (count < 0)
		return errno == ENOENT
			       ? 0
			       : err_errno(err, errno, "cannot read policies of \"%s\"",
					 directory);
	int result = 0;
	for (int i = 0; i < count; i++) {
		auto_free char *path = mem_printf("%s/%s", directory, entries[i]->d_name);
		if (result == 0)
			result = load_file(set, path, said, err);
		free(entries[i]);
	}
	if (count)
		free(entries);
	return result;
}

static int tune(struct policy_set *set, const struct config *config,
	void (*said)(const char *note), struct err *err)
{
	for (size_t i = 0; i < config->tunable_count; i++) {
		const struct tunable *tunable = &config->tunables[i];
		bool known;
		int result = policy_set_configure(
			set, tunable->name, tunable->text, &known, err);
		if (result < 0) {
			err_prefix(err, "%s", tunable->where);
			return result;
		}
		if (!known && said) {
			auto_free char *note =
				mem_printf("%s: no policy has a tunable \"%s\"",
					tunable->where, tunable->name);
			said(note);
		}
	}
	return 0;
}

struct policy_set *policies_none(const struct config *config)
{
	struct policy_limits limits = {
		.steps = config->policy.max_steps,
		.depth = config->policy.max_depth,
		.list = config->policy.max_list,
		.string = config->policy.max_string,
		.memory_kib = config->policy.max_memory_kib,
	};
	return policy_set_new(&limits);
}

int policies_load(const struct config *config, void (*said)(const char *note),
	struct policy_set **set, struct err *err)
{
	struct policy_set *loaded = policies_none(config);
	int result = 0;
	for (size_t i = 0; result == 0 && i < config->policies.count; i++)
		result = load_named(loaded, config, config->policies.items[i], said, err);
	if (result == 0)
		result = load_directory(loaded, config->policy.directory, said, err);
	if (result == 0)
		result = tune(loaded, config, said, err);
	if (result < 0) {
		policy_set_free(loaded);
		return result;
	}
	*set = loaded;
	return 0;
}
