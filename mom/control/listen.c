/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mom/mem.h"

#define WAITING_MAX 128 /* connections that the kernel keeps for us */

/* Only the last directory, as for one in /run; it may be there already. */
static void make_directory(const char *path)
{
	auto_free char *copy = mem_dup(path);
	mkdir(dirname(copy), 0755);
}

static int refuse_second(int lock, const char *path, struct err *err)
{
	char pid[16] = "";
	ssize_t length = pread(lock, pid, sizeof(pid) - 1, 0);
	pid[length > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	return err_set(err, -EBUSY, "another momd (process %s) already serves \"%s\"",
		*pid ? pid : "unknown", path);
}

/* The file stays when we end: taking a lock's file away would let two hold one. */
static int take_lock(const char *path, int *lock, struct err *err)
{
	auto_free char *name = mem_printf("%s.lock", path);
	auto_close int fd =
		open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd < 0)
		return err_errno(err, errno, "cannot open \"%s\"", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? refuse_second(fd, path, err)
			       : err_errno(err, errno, "cannot lock \"%s\"", name);
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return err_errno(err, errno, "cannot write \"%s\"", name);
	*lock = fd;
	fd = -1;
	return 0;
}

/* We hold the lock: whoever made this socket has ended. */
static int clear_stale(const char *path, struct err *err)
{
	struct stat found;
	if (lstat(path, &found) < 0)
		return errno == ENOENT
			       ? 0
			       : err_errno(err, errno, "cannot look at \"%s\"", path);
	if (!S_ISSOCK(found.st_mode))
		return err_set(
			err, -EEXIST, "\"%s\" is not a socket; it is left alone", path);
	if (unlink(path) < 0)
		return err_errno(err, errno, "cannot remove the stale \"%s\"", path);
	return 0;
}

static int set_access(
	const char *path, const struct control_rules *rules, struct err *err)
{
	if (!rules->has_group && !rules->has_admin_group)
		return 0;
	gid_t group = rules->has_group ? rules->group : rules->admin_group;
	if (chown(path, (uid_t)-1, group) < 0)
		return err_errno(err, errno, "cannot give \"%s\" to its group", path);
	if (chmod(path, 0660) < 0)
		return err_errno(err, errno, "cannot set the mode of \"%s\"", path);
	return 0;
}

/* The mode of the descriptor is what bind(2) gives the file: no moment is too open. */
static int bind_private(int fd, const struct sockaddr_un *address, struct err *err)
{
	if (fchmod(fd, 0600) < 0 ||
		bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return err_errno(err, errno, "cannot make \"%s\"", address->sun_path);
	return 0;
}

static int start_listening(const char *path, const struct control_rules *rules,
	int *listening, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path));
	auto_close int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(err, errno, "cannot make a socket");
	int rc = bind_private(fd, &address, err);
	if (rc)
		return rc;
	rc = set_access(path, rules, err);
	if (!rc && listen(fd, WAITING_MAX) < 0)
		rc = err_errno(err, errno, "cannot listen on \"%s\"", path);
	if (rc) {
		unlink(path);
		return rc;
	}
	*listening = fd;
	fd = -1;
	return 0;
}

int control_socket_open(struct control_socket *listener, const char *path,
	const struct control_rules *rules, struct err *err)
{
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(err, -ENAMETOOLONG,
			"\"%s\" is too long for a socket's name", path);
	make_directory(path);
	auto_close int lock = -1;
	int fd = -1;
	int rc = take_lock(path, &lock, err);
	if (!rc)
		rc = clear_stale(path, err);
	if (!rc)
		rc = start_listening(path, rules, &fd, err);
	if (rc)
		return rc;
	*listener =
		(struct control_socket){.path = mem_dup(path), .fd = fd, .lock = lock};
	lock = -1;
	return 0;
}

void control_socket_close(struct control_socket *listener)
{
	if (!listener->path)
		return;
	unlink(listener->path);
	close(listener->fd);
	close(listener->lock);
	free(listener->path);
	*listener = (struct control_socket){.fd = -1, .lock = -1};
}
