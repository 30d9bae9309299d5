/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "mom/mem.h"
#include "momctl/momctl.h"

/*
 * A recording is decided again by the engine, which momctl doesn't know: momsim does, as
 * the program that has the engine without a hypervisor.
 */

#define PROGRAM "momsim"

/* What $MOM_SIM says, else beside ourselves, else wherever the shell finds it. */
static char *find_program(void)
{
	const char *given = getenv("MOM_SIM");
	if (given && *given)
		return mem_dup(given);
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = length > 0 ? memrchr(self, '/', (size_t)length) : NULL;
	if (!slash)
		return mem_dup(PROGRAM);
	auto_free char *beside = mem_printf("%.*s/" PROGRAM, (int)(slash - self), self);
	return mem_dup(access(beside, X_OK) == 0 ? beside : PROGRAM);
}

int cmd_replay(const struct momctl *ctl, int argc, char **argv)
{
	static char replay[] = "replay", json[] = "--json";
	auto_free char *program = find_program();
	auto_free char **words = mem_array((size_t)argc + 3, sizeof(*words));
	size_t count = 0;
	words[count++] = program;
	words[count++] = replay;
	if (ctl->json)
		words[count++] = json;
	for (int i = 1; i < argc; i++)
		words[count++] = argv[i];
	execvp(program, words);
	return momctl_fail(MOMCTL_FAILED,
		"cannot run \"%s\", which decides it again: %s%s", program,
		strerror(errno),
		errno == ENOENT ? "; install the Debian package mom-sim" : "");
}
