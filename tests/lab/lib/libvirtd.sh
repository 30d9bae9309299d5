# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The lab's private libvirtd, at qemu:///system inside the lab's namespace.

# Without a terminal of its own, for there virsh looks for somebody to authorise it.
lab_virsh() {
	setsid --wait virsh -q -c qemu:///system "$@"
}

# Lay empty file systems over everything that the machine's own libvirt uses, and
# over the system bus: without it libvirt makes the guests' cgroups itself.
lab_libvirtd_hide() {
	local directory
	for directory in /run/libvirt /var/lib/libvirt /var/log/libvirt \
		/var/cache/libvirt /etc/libvirt; do
		mkdir -p "$directory"
		mount -t tmpfs -o mode=755 momlab "$directory"
	done
	[[ ! -d /run/dbus ]] || mount -t tmpfs -o mode=755 momlab /run/dbus
	lab_kvm_open
}

# libvirt asks QEMU for its abilities again and again while there is a /dev/kvm that
# guests are not allowed to use, so this namespace gets one that they are.
lab_kvm_open() {
	[[ -c /dev/kvm ]] || return 0
	mkdir "$LAB_DIR/dev"
	mount -t tmpfs -o mode=755 momlab "$LAB_DIR/dev"
	mknod -m 666 "$LAB_DIR/dev/kvm" c 10 232 &&
		mount --bind "$LAB_DIR/dev/kvm" /dev/kvm
}

lab_libvirtd_start() {
	cat >/etc/libvirt/libvirtd.conf <<-END
		listen_tls = 0
		listen_tcp = 0
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		log_outputs = "2:stderr"
	END
	cat >/etc/libvirt/qemu.conf <<-END
		user = "root"
		group = "root"
		dynamic_ownership = 0
		security_driver = "none"
		stdio_handler = "file"
		namespaces = [ ]
		max_core = 0
	END
	libvirtd -f /etc/libvirt/libvirtd.conf -p "$LAB_DIR/libvirtd.pid" \
		>>"$LAB_DIR/libvirtd.log" 2>&1 </dev/null &
	LAB_LIBVIRTD=$!
	lab_until 60 lab_libvirtd_answers || {
		cat "$LAB_DIR/libvirtd.log" >&2
		lab_die "the private libvirtd does not answer"
	}
}

lab_libvirtd_answers() {
	lab_virsh list >/dev/null 2>&1
}

lab_libvirtd_stop() {
	kill "${1:--TERM}" "$LAB_LIBVIRTD"
	wait "$LAB_LIBVIRTD" || true
}
