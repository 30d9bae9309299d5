/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "momctl/json.h"
#include "momctl/momctl.h"

#define VOLUME "MOM_GUEST_KIT"

extern char **environ;

/* Start a program whose messages are read from `*messages`; a negative errno. */
static int start(const char *const argv[], pid_t *child, FILE **messages)
{
	posix_spawn_file_actions_t actions;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	int code = posix_spawnp(
		child, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	*messages = code ? NULL : fdopen(ends[0], "r");
	if (!*messages)
		close(ends[0]);
	return -code;
}

/* Whether it ended well; `*said` is the first thing it said, the caller's, or NULL. */
static bool finish(pid_t child, FILE *messages, char **said)
{
	auto_free char *line = NULL;
	size_t size = 0;
	int status = -1;
	*said = NULL;
	while (messages && getline(&line, &size, messages) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line && !*said)
			*said = mem_dup(line);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/*
 * Make a CD image of a folder. Windows reads its Joliet names; the others are for what
 * doesn't know them.
 */
static int make_image(const char *folder, const char *image)
{
	const char *argv[] = {"xorriso", "-report_about", "SORRY", "-as", "mkisofs",
		"-quiet", "-V", VOLUME, "-iso-level", "2", "-J", "-o", image, folder,
		NULL};
	auto_free char *said = NULL;
	auto_fclose FILE *messages = NULL;
	pid_t child;
	int code = start(argv, &child, &messages);
	if (code == -ENOENT)
		return momctl_fail(MOMCTL_FAILED,
			"xorriso is missing: install the Debian package xorriso");
	if (code < 0)
		return momctl_fail(
			MOMCTL_FAILED, "cannot run xorriso: %s", strerror(-code));
	if (!finish(child, messages, &said))
		return momctl_fail(MOMCTL_FAILED, "xorriso failed: %s",
			said ? said : "it doesn't say why");
	return MOMCTL_OK;
}

/* What it is made of: as installed, or where $MOM_GUESTS says. */
static char *kit_folder(void)
{
	const char *guests = getenv("MOM_GUESTS");
	return mem_printf("%s/windows", guests && *guests ? guests : MOM_GUESTSDIR);
}

/*
 * Write beside `file` and put it in its place when it is whole, so that an old kit isn't
 * lost to a full disk.
 */
static int write_kit(const char *folder, const char *file)
{
	auto_free char *draft = mem_printf("%s.XXXXXX", file);
	auto_close int held = mkostemp(draft, O_CLOEXEC);
	if (held < 0)
		return momctl_fail(
			MOMCTL_FAILED, "cannot write '%s': %s", file, strerror(errno));
	int code = make_image(folder, draft);
	/* QEMU reads it as a user of its own. */
	if (!code && (fchmod(held, 0644) < 0 || rename(draft, file) < 0))
		code = momctl_fail(
			MOMCTL_FAILED, "cannot write '%s': %s", file, strerror(errno));
	if (code)
		unlink(draft);
	return code;
}

int cmd_guest_kit(const struct momctl *ctl, int argc, char **argv)
{
	(void)argc;
	auto_free char *folder = kit_folder();
	if (access(folder, R_OK | X_OK) < 0)
		return momctl_fail(
			MOMCTL_FAILED, "cannot read '%s': %s", folder, strerror(errno));
	int code = write_kit(folder, argv[1]);
	if (code)
		return code;
	if (ctl->json) {
		struct json_object *made = json_object_new_object();
		json_object_object_add(made, "file", control_json_text(argv[1]));
		json_print(ctl->out.file, made);
		json_object_put(made);
	} else {
		output_line(&ctl->out, "",
			"made %s; put it into a guest's CD drive: virsh change-media "
			"GUEST hdd --insert %s",
			argv[1], argv[1]);
	}
	return MOMCTL_OK;
}
