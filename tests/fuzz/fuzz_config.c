/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * momd.conf, a guest's metadata and a live setting: any bytes are read or refused, and
 * what was read can be printed and read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "mom/config.h"
#include "mom/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses the text it has begun to read when a syntax error follows. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

/* A file without a place, and its path. */
static int make_file(const void *data, size_t size, char path[40])
{
	int fd = memfd_create("momd.conf", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, 40, "/proc/self/fd/%d", fd);
	return fd;
}

static int load(struct config *config, const void *data, size_t size)
{
	char path[40];
	struct err err = {0};
	int fd = make_file(data, size, path);
	int r = config_load(config, path, NULL, 0, &err);
	close(fd);
	if (r < 0 && (!err.text[0] || err.code != r))
		abort();
	return r;
}

/* What is printed reads back; it may be longer than a file may be. */
static void check_print(const struct config *config)
{
	auto_free char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		abort();
	config_print(config, out);
	fclose(out);
	struct config again;
	if (length > 1024 * 1024)
		return;
	if (load(&again, text, length) < 0)
		abort();
	config_done(&again);
}

static void check_file(const uint8_t *data, size_t size)
{
	struct config config;
	struct guest_settings settings;
	if (load(&config, data, size) < 0)
		return;
	config_guest(&config, "win2003-a", NULL, NULL, &settings, NULL);
	check_print(&config);
	config_done(&config);
}

/* Whatever a guest brings, its settings stay within the ceilings. */
static void check_metadata(const char *text)
{
	struct config config;
	struct guest_settings settings;
	struct err err = {0};
	if (config_load(&config, NULL, NULL, 0, NULL) < 0)
		abort();
	int r = config_guest(&config, "vm", NULL, text, &settings, &err);
	if (settings.shares < 1 || settings.shares > config.metadata.shares)
		abort();
	if (settings.min.kib > config.metadata.min_kib || strchr(err.text, '\n'))
		abort();
	if ((r < 0) != (err.text[0] != '\0'))
		abort();
	config_done(&config);
}

static void check_settings(const char *text)
{
	struct guest_settings settings;
	guest_settings_init(&settings);
	for (const struct config_key *key = guest_keys; key->name; key++)
		guest_settings_set(&settings, key->name, text, NULL);
	guest_settings_set(&settings, text, "1", NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = mem_alloc(size + 1);
	memcpy(text, data, size);
	if (text[0] == '<')
		check_metadata(text);
	else if (text[0] == '=')
		check_settings(text + 1);
	else
		check_file(data, size);
	return 0;
}
