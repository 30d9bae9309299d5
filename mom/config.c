/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/config.h"

#include <errno.h>
#include <libconfig.h>
#include <string.h>

#include "mom/config_read.h"
#include "mom/config_text.h"
#include "mom/config_value.h"
#include "mom/mem.h"
#include "mom/units.h"

const struct config_key *config_table(
	const struct config *config, size_t index, const void **base)
{
	if (index == 0) {
		*base = config;
		return config_keys;
	}
	if (index > config->part_count)
		return NULL;
	*base = config->parts[index - 1].settings;
	return config->parts[index - 1].keys;
}

/* The fallbacks of a table; a bad one is a mistake in the table, not in a file. */
static void set_fallbacks(const struct config_key *keys, void *base)
{
	struct err err;
	for (; keys->name; keys++)
		if (keys->fallback && config_value_set(keys, base, keys->fallback, &err))
			abort();
}

static void let_go(const struct config_key *keys, void *base)
{
	for (; keys->name; keys++)
		config_value_done(keys, base);
}

static void config_init_defaults(
	struct config *config, const struct config_part_keys *parts, size_t part_count)
{
	*config = (struct config){0};
	set_fallbacks(config_keys, config);
	config->parts = mem_array(part_count, sizeof(*config->parts));
	for (size_t i = 0; i < part_count; i++) {
		if (!parts[i].keys)
			continue;
		struct config_part *part = &config->parts[config->part_count++];
		*part = (struct config_part){
			parts[i].section, parts[i].keys, mem_alloc(parts[i].size)};
		set_fallbacks(part->keys, part->settings);
	}
}

/* Where libconfig stopped. Of the file itself it knows no name, as it got a text. */
static int fail_syntax(const config_t *tree, const char *path, struct err *err)
{
	const char *file = config_error_file(tree);
	return err_set(err, -EINVAL,
		"%s:%d: %s; expected key = value; as in momd.conf(5)", file ? file : path,
		config_error_line(tree), config_error_text(tree));
}

static int read_text(struct config *config, const char *path, const char *folder,
	const char *text, struct err *err)
{
	config_t tree;
	config_init(&tree);
	if (folder)
		config_set_include_dir(&tree, folder);
	int r = config_read_string(&tree, text)
			? config_read_tree(config, &tree, path, err)
			: fail_syntax(&tree, path, err);
	config_destroy(&tree);
	return r;
}

static int read_file(struct config *config, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *folder =
		slash ? mem_ndup(path, (size_t)(slash - path) + 1) : mem_dup(".");
	auto_free char *text = NULL;
	int r = config_text_read(&text, path, folder, err);
	return r < 0 ? r : read_text(config, path, folder, text, err);
}

/* What all that was read has to fit in with. */
static void settle(struct config *config)
{
	config->sampling.tight_period_ms =
		min_u64(config->sampling.tight_period_ms, config->sampling.period_ms);
}

int config_load(struct config *config, const char *path,
	const struct config_part_keys *parts, size_t part_count, struct err *err)
{
	struct config loaded;
	config_init_defaults(&loaded, parts, part_count);
	loaded.path = mem_dup(path);
	int r = path ? read_file(&loaded, path, err) : 0;
	if (r < 0) {
		config_done(&loaded);
		return r;
	}
	settle(&loaded);
	*config = loaded;
	return 0;
}

/* A text from elsewhere doesn't get at files. */
static bool includes(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, " \t\r\n");
		if (strncmp(line, "@include", 8) == 0)
			return true;
	}
	return false;
}

int config_load_text(
	struct config *config, const char *name, const char *text, struct err *err)
{
	struct config loaded;
	config_init_defaults(&loaded, NULL, 0);
	loaded.path = mem_dup(name);
	int r = includes(text) ? err_set(err, -EINVAL, "%s: it includes a file", name)
			       : read_text(&loaded, name, NULL, text, err);
	if (r < 0) {
		config_done(&loaded);
		return r;
	}
	settle(&loaded);
	*config = loaded;
	return 0;
}

static bool is_called(const struct config_key *key, const char *name)
{
	size_t length = strlen(key->section);
	if (length && (strncmp(name, key->section, length) || name[length] != '.'))
		return false;
	return strcmp(name + (length ? length + 1 : 0), key->name) == 0;
}

int config_set(struct config *config, const char *key, const char *value, struct err *err)
{
	for (const struct config_key *row = config_keys; row->name; row++) {
		if (!is_called(row, key))
			continue;
		int r = config_value_set(row, config, value, err);
		if (r < 0)
			return err_prefix(err, "%s", key);
		settle(config);
		return 0;
	}
	return err_set(err, -ENOENT, "unknown key '%s'", key);
}

void config_done(struct config *config)
{
	let_go(config_keys, config);
	for (size_t i = 0; i < config->part_count; i++) {
		let_go(config->parts[i].keys, config->parts[i].settings);
		free(config->parts[i].settings);
	}
	for (size_t i = 0; i < config->tunable_count; i++) {
		free(config->tunables[i].name);
		free(config->tunables[i].text);
		free(config->tunables[i].where);
	}
	for (size_t i = 0; i < config->rule_count; i++)
		free(config->rules[i].match);
	free(config->parts);
	free(config->tunables);
	free(config->rules);
	free(config->path);
	*config = (struct config){0};
}

const void *config_part(const struct config *config, const char *section)
{
	for (size_t i = 0; i < config->part_count; i++)
		if (strcmp(config->parts[i].section, section) == 0)
			return config->parts[i].settings;
	return NULL;
}
