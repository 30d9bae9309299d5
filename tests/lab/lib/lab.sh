# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The lab: real guests on a host that is made small, without touching anybody
# else's. A script sources this file and calls
#
#	lab_enter "$@"
#
# which starts the script a second time in a mount and a process namespace of its
# own, with a private libvirtd at qemu:///system there and a cgroup partition for
# the guests. Whatever runs inside ends with the namespace, so the first instance,
# which stays outside, only has the cgroups and one directory to put away, however
# the second one ended.
#
#	LAB_ID    names the cgroups and guests of this lab
#	LAB_DIR   files of this lab, gone with it unless LAB_KEEP=yes

LAB_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TOP=$(cd "$LAB_LIB/../../.." && pwd)
MOMD=${MOMD:-$LAB_TOP/momd}
MOMCTL=${MOMCTL:-$LAB_TOP/momctl/momctl}

# shellcheck source=tests/lab/lib/cgroup.sh
source "$LAB_LIB/cgroup.sh"
# shellcheck source=tests/lab/lib/libvirtd.sh
source "$LAB_LIB/libvirtd.sh"
# shellcheck source=tests/lab/lib/guest.sh
source "$LAB_LIB/guest.sh"
# shellcheck source=tests/lab/lib/count.sh
source "$LAB_LIB/count.sh"
# shellcheck source=tests/lab/lib/momd.sh
source "$LAB_LIB/momd.sh"

lab_say() {
	echo "lab: $*" >&2
}

lab_die() {
	lab_say "$*"
	exit 1
}

# A machine may be slow, and busy with other things: what comes at all is waited for this
# many times as long as is asked for.
LAB_PATIENCE=${LAB_PATIENCE:-4}

# lab_until SECONDS COMMAND...: wait until the command succeeds. It is a function that
# looks anew each time; what is expanded before the call never changes.
lab_until() {
	local end=$((SECONDS + $1 * LAB_PATIENCE))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# lab_never SECONDS COMMAND...: the command doesn't succeed for that long.
lab_never() {
	local end=$((SECONDS + $1))
	shift
	while ((SECONDS < end)); do
		! "$@" || return 1
		sleep 0.2
	done
}

# Print why no machine like this can run real guests; print nothing where it can.
lab_host_obstacle() {
	((EUID == 0)) || { echo "not root" && return; }
	[[ -n $(lab_cgroup_memory_root) ]] ||
		{ echo "no memory cgroup hierarchy is mounted" && return; }
	[[ -w $(lab_cgroup_memory_root) ]] ||
		{ echo "the memory cgroup hierarchy is read-only" && return; }
	unshare --mount --pid --fork --mount-proc true 2>/dev/null ||
		echo "namespaces can't be made"
}

# The same for a program that isn't installed.
lab_missing_program() {
	local program
	for program in libvirtd virsh qemu-system-x86_64 busybox cpio jq gcc; do
		command -v "$program" >/dev/null ||
			{ echo "'$program' is not installed" && return; }
	done
}

# lab_skip WHY: end because the lab can't run. Tests say it in their own way.
lab_skip() {
	lab_say "can't run here: $1"
	exit 77
}

lab_is_inside() {
	[[ $$ == 1 && -n ${LAB_ID:-} ]]
}

lab_enter() {
	if lab_is_inside; then
		lab_inside
		return
	fi
	local obstacle
	obstacle=$(lab_host_obstacle)
	[[ -n $obstacle ]] || obstacle=$(lab_missing_program)
	[[ -z $obstacle ]] || lab_skip "$obstacle"
	lab_supervise "$@"
}

# The outer half: start the inner one, end it when somebody asks for that, and put
# away what a namespace doesn't.
lab_supervise() {
	LAB_IMAGE=$("$LAB_LIB/../build-image") || lab_die "no guest image"
	LAB_ID=$$
	LAB_DIR=$(mktemp -d "${MOM_LAB_DIR:-/var/tmp}/momlab-$LAB_ID.XXXXXX")
	export LAB_ID LAB_DIR LAB_IMAGE
	trap lab_tear_down EXIT
	trap 'echo >&2; exit 130' INT
	trap 'exit 143' TERM HUP
	# A lab that was killed may have left some of the same number.
	lab_cgroup_renew
	setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork \
		--kill-child --mount-proc "$0" "$@" <&0 &
	LAB_UNSHARE=$!
	wait "$LAB_UNSHARE"
	exit
}

lab_tear_down() {
	trap - EXIT
	trap '' INT TERM HUP
	# Takes every process of the lab along, if any is left.
	if [[ -n ${LAB_UNSHARE:-} ]]; then
		kill -KILL "$LAB_UNSHARE" 2>/dev/null || true
		wait "$LAB_UNSHARE" 2>/dev/null || true
	fi
	lab_cgroup_remove || lab_say "a cgroup of lab $LAB_ID is left"
	if [[ ${LAB_KEEP:-} == yes ]]; then
		lab_say "files kept in '$LAB_DIR'"
	else
		rm -rf "$LAB_DIR"
	fi
}

# The inner half: its end takes every process of the lab with it.
lab_inside() {
	mkdir -p "$LAB_DIR/guests"
	lab_libvirtd_hide
	lab_libvirtd_start
}
