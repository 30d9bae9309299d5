# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A cgroup partition of the lab's own in every hierarchy, for its guests to live in
# and to be limited by. libvirt puts ".partition" behind the name; without systemd
# it expects to find the directories made.

lab_cgroup_roots() {
	awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts 2>/dev/null || true
}

# The mount point that has the memory controller, of whichever version.
lab_cgroup_memory_root() {
	local root
	while read -r root; do
		if [[ -e $root/memory.limit_in_bytes ]] ||
			grep -qsw memory "$root/cgroup.controllers"; then
			echo "$root"
			return
		fi
	done < <(lab_cgroup_roots)
}

lab_partition() {
	echo "momlab-$LAB_ID"
}

lab_cgroup_name() {
	echo "$(lab_partition).partition"
}

# The budget as momd.conf names it.
lab_budget() {
	echo "cgroup:/$(lab_cgroup_name)"
}

lab_cgroup_memory() {
	echo "$(lab_cgroup_memory_root)/$(lab_cgroup_name)"
}

lab_cgroup_make() {
	local root
	while read -r root; do
		lab_cgroup_make_in "$root" "$root/$(lab_cgroup_name)"
	done < <(lab_cgroup_roots)
}

lab_cgroup_make_in() {
	local root=$1 partition=$2 controller file
	if [[ -e $root/cgroup.controllers ]]; then
		for controller in $(<"$root/cgroup.controllers"); do
			echo "+$controller" >"$root/cgroup.subtree_control" || true
		done
		mkdir "$partition"
		for controller in $(<"$partition/cgroup.controllers"); do
			echo "+$controller" >"$partition/cgroup.subtree_control" || true
		done
		return
	fi
	mkdir "$partition"
	# In the cpuset hierarchy a group with nothing in these admits nobody.
	for file in cpuset.cpus cpuset.mems; do
		[[ ! -e $root/$file ]] || cat "$root/$file" >"$partition/$file"
	done
}

lab_cgroup_remove() {
	local root failed=0
	while read -r root; do
		[[ -d $root/$(lab_cgroup_name) ]] || continue
		lab_until 20 lab_cgroup_remove_tree "$root/$(lab_cgroup_name)" || failed=1
	done < <(lab_cgroup_roots)
	return "$failed"
}

# Groups go leaf first, and a moment after their last process.
lab_cgroup_remove_tree() {
	find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null
	[[ ! -d $1 ]]
}

# lab_limit MIB: make the lab's host that small. Swap of the real host is taken
# away too, else guests would be slow there instead of dead.
lab_limit() {
	local group bytes=$(($1 << 20))
	group=$(lab_cgroup_memory)
	if [[ -e $group/memory.max ]]; then
		echo "$bytes" >"$group/memory.max"
		[[ ! -e $group/memory.swap.max ]] || echo 0 >"$group/memory.swap.max"
	else
		# with swap counted in it is never less than without: raise it first
		{ echo "$bytes" >"$group/memory.memsw.limit_in_bytes"; } 2>/dev/null || true
		echo "$bytes" >"$group/memory.limit_in_bytes"
		[[ ! -e $group/memory.memsw.limit_in_bytes ]] ||
			echo "$bytes" >"$group/memory.memsw.limit_in_bytes"
	fi
}

lab_unlimit() {
	local group
	group=$(lab_cgroup_memory)
	if [[ -e $group/memory.max ]]; then
		echo max >"$group/memory.max"
	else
		[[ ! -e $group/memory.memsw.limit_in_bytes ]] ||
			echo -1 >"$group/memory.memsw.limit_in_bytes"
		echo -1 >"$group/memory.limit_in_bytes"
	fi
}

# lab_slow PERCENT: all guests together get so much of one processor; 0 all there is.
lab_slow() {
	local root quota_us=$(($1 ? $1 * 1000 : -1))
	while read -r root; do
		root+=/$(lab_cgroup_name)
		if [[ -e $root/cpu.cfs_quota_us ]]; then
			echo 100000 >"$root/cpu.cfs_period_us"
			echo "$quota_us" >"$root/cpu.cfs_quota_us"
		elif [[ -e $root/cpu.max ]]; then
			echo "${quota_us/-1/max} 100000" >"$root/cpu.max"
		fi
	done < <(lab_cgroup_roots)
}

# A host as new: unlimited, and its peak forgotten. Only without guests.
lab_cgroup_renew() {
	lab_cgroup_remove
	lab_cgroup_make
}

# lab_cgroup_mib FILE...: print the first of the files that is there, in MiB.
lab_cgroup_mib() {
	local group file
	group=$(lab_cgroup_memory)
	for file in "$@"; do
		[[ ! -e $group/$file ]] || { echo $(($(<"$group/$file") >> 20)) && return; }
	done
}

lab_used_mib() {
	lab_cgroup_mib memory.current memory.usage_in_bytes
}

# Nothing where the kernel doesn't keep it (cgroup v2 before Linux 5.19).
lab_peak_mib() {
	lab_cgroup_mib memory.peak memory.max_usage_in_bytes
}
