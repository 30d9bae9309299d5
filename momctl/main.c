/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * momctl: ask a running momd and tell it what to do.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mom/mem.h"
#include "momctl/momctl.h"
#include "momctl/text.h"

/* Options that may stand before the command and behind it. */
enum option {
	OPTION_NONE,
	OPTION_SOCKET,
	OPTION_JSON,
	OPTION_KIB,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct {
	const char *name;
	enum option option;
} options[] = {
	{"-s", OPTION_SOCKET},
	{"--socket", OPTION_SOCKET},
	{"--json", OPTION_JSON},
	{"--kib", OPTION_KIB},
	{"-h", OPTION_HELP},
	{"--help", OPTION_HELP},
	{"-V", OPTION_VERSION},
	{"--version", OPTION_VERSION},
};

struct line {
	char **words; /* the command and its own arguments */
	int count;
	bool help, version;
};

int momctl_fail(int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	auto_free char *raw = mem_vprintf(format, args);
	va_end(args);
	auto_free char *text = text_clean(raw);
	fflush(stdout);
	fprintf(stderr, "momctl: %s\n", text);
	return code;
}

static enum option find_option(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(word, options[i].name) == 0)
			return options[i].option;
	return OPTION_NONE;
}

/* Take a global option at `argv[*at]`; OPTION_NONE where it is none. */
static enum option take_option(
	struct momctl *ctl, struct line *line, int *at, char **argv)
{
	static const char with_value[] = "--socket=";
	enum option option = find_option(argv[*at]);
	if (option == OPTION_SOCKET && argv[*at + 1])
		ctl->socket = argv[++*at];
	else if (option == OPTION_SOCKET)
		ctl->socket = NULL;
	else if (strncmp(argv[*at], with_value, strlen(with_value)) == 0) {
		option = OPTION_SOCKET;
		ctl->socket = argv[*at] + strlen(with_value);
	}
	ctl->json |= option == OPTION_JSON;
	ctl->out.kib |= option == OPTION_KIB;
	line->help |= option == OPTION_HELP;
	line->version |= option == OPTION_VERSION;
	return option;
}

/* Sort the global options out; behind "--" there are none. */
static int read_line(struct momctl *ctl, struct line *line, int argc, char **argv)
{
	bool only_words = false;
	for (int i = 1; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
			continue;
		}
		if (!only_words && take_option(ctl, line, &i, argv) != OPTION_NONE)
			continue;
		if (!only_words && line->count == 0 && argv[i][0] == '-')
			return momctl_fail(MOMCTL_USAGE,
				"there is no option \"%s\"; try \"momctl help\"",
				argv[i]);
		line->words[line->count++] = argv[i];
	}
	if (!ctl->socket || !*ctl->socket)
		return momctl_fail(MOMCTL_USAGE, "--socket needs a path");
	return MOMCTL_OK;
}

/* A full disk or a closed pipe must not look like success. */
static int finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	return errno == EPIPE
		       ? MOMCTL_FAILED
		       : momctl_fail(MOMCTL_FAILED, "cannot write: %s", strerror(errno));
}

static const char *default_socket(void)
{
	const char *path = getenv("MOM_SOCKET");
	return path && *path ? path : MOM_RUNDIR "/momd.sock";
}

int main(int argc, char **argv)
{
	static char help[] = "help";
	struct momctl ctl = {.socket = default_socket()};
	struct line line = {.words = mem_array((size_t)argc + 1, sizeof(*line.words))};
	text_init();
	output_init(&ctl.out, stdout);
	int code = read_line(&ctl, &line, argc, argv);
	if (line.help) {
		line.words[1] = line.count ? line.words[0] : NULL;
		line.words[0] = help;
		line.count = line.count ? 2 : 1;
	}
	if (code == MOMCTL_OK && line.version)
		puts("momctl " PACKAGE_VERSION);
	else if (code == MOMCTL_OK && line.count == 0)
		code = momctl_fail(
			MOMCTL_USAGE, "a command is missing; try \"momctl help\"");
	else if (code == MOMCTL_OK)
		code = momctl_run(&ctl, "", momctl_commands, line.count, line.words);
	free(line.words);
	return finish(code);
}
