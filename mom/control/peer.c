/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/peer.h"

#include <errno.h>
#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mom/mem.h"

struct groups {
	gid_t *items;
	size_t count;
};

static int find_group(const char *name, bool *has, gid_t *gid, struct err *err)
{
	*has = false;
	if (!name || !*name)
		return 0;
	errno = 0;
	const struct group *found = getgrnam(name);
	if (!found)
		return err_set(err, -ENOENT, "there is no group \"%s\"", name);
	*has = true;
	*gid = found->gr_gid;
	return 0;
}

int control_rules_init(struct control_rules *rules, const char *group,
	const char *admin_group, struct err *err)
{
	struct control_rules fresh = {0};
	int rc = find_group(group, &fresh.has_group, &fresh.group, err);
	if (!rc)
		rc = find_group(
			admin_group, &fresh.has_admin_group, &fresh.admin_group, err);
	if (!rc)
		*rules = fresh;
	return rc;
}

/* The supplementary groups; none where the kernel is too old to tell. */
static struct groups read_groups(int fd)
{
	struct groups groups = {0};
	socklen_t size = 0;
	while (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.items, &size) < 0) {
		if (errno != ERANGE) {
			size = 0;
			break;
		}
		groups.items = mem_resize(groups.items, size, 1);
	}
	groups.count = size / sizeof(*groups.items);
	return groups;
}

static bool is_member(const struct groups *groups, gid_t first, bool has, gid_t wanted)
{
	bool found = first == wanted;
	for (size_t i = 0; i < groups->count && !found; i++)
		found = groups->items[i] == wanted;
	return has && found;
}

static enum control_access judge(const struct ucred *cred, const struct groups *groups,
	const struct control_rules *rules)
{
	if (cred->uid == 0 || cred->uid == geteuid())
		return CONTROL_CHANGE;
	if (is_member(groups, cred->gid, rules->has_admin_group, rules->admin_group))
		return CONTROL_CHANGE;
	if (is_member(groups, cred->gid, rules->has_group, rules->group))
		return CONTROL_READ;
	return CONTROL_NONE;
}

int control_peer_read(struct control_peer *peer, int fd,
	const struct control_rules *rules, struct err *err)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return err_errno(err, errno, "cannot tell who connected");
	struct groups groups = read_groups(fd);
	*peer = (struct control_peer){
		.pid = cred.pid,
		.uid = cred.uid,
		.access = judge(&cred, &groups, rules),
	};
	free(groups.items);
	return 0;
}
