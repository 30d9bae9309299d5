# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The lab's guests. A guest is named by a short word of its test ("g1"); in libvirt
# its name also has the lab's number.

LAB_STEPS=100,150,250,500,300,150

lab_name() {
	echo "momlab$LAB_ID-$1"
}

lab_console() {
	echo "$LAB_DIR/guests/$1.console"
}

# The load of the benchmark: lab_load PHASE
lab_load() {
	echo "20:$LAB_STEPS:$1:2000"
}

# lab_guest NAME [KEY=VALUE...]: start a guest; it is not waited for. Keys:
#   memory=800     maximum, MiB              current=MIB   size at boot
#   load=SPEC      a load (guest_load.c)     order=ORDER   an order at boot
#   driver=no      no balloon driver         balloon=none  no balloon device
#   stats=no       no statistics period      autodeflate=on
#   mom='shares="2000"'   attributes of the guest's metadata for momd
#   os=URL         the system that its metadata says it has
#   cache=none     cache mode of its disk
#   words="loglevel=7"  more for its kernel
#   panic=SECONDS  what the kernel does after a panic (-1: reboots)
lab_guest() {
	local name=$1 memory=800 current='' load='' order='' driver=yes balloon=virtio
	local stats=yes autodeflate=off mom='' os='' cache=none panic=-1 words='' pair
	for pair in "${@:2}"; do
		[[ $pair =~ ^(memory|current|load|order|driver|balloon|stats|autodeflate|mom|os|cache|panic|words)= ]] ||
			lab_die "no such setting of a guest: '$pair'"
		local "$pair"
	done
	truncate -s 512M "$LAB_DIR/guests/$name.swap"
	mkfifo "$LAB_DIR/guests/$name.order.in" "$LAB_DIR/guests/$name.order.out"
	lab_guest_xml >"$LAB_DIR/guests/$name.xml"
	lab_virsh create "$LAB_DIR/guests/$name.xml" >/dev/null
}

# Prints from the variables of lab_guest.
lab_guest_xml() {
	local line="console=ttyS0 quiet panic=$panic $words"
	[[ -z $load ]] || line+=" mom.load=$load"
	[[ -z $order ]] || line+=" mom.order=${order// /_}"
	[[ $driver == yes ]] || line+=" mom.nodriver"
	cat <<-END
		<domain type='$(lab_domain_type)'>
		  <name>$(lab_name "$name")</name>
		  <metadata>$(lab_guest_metadata)</metadata>
		  <memory unit='MiB'>$memory</memory>
		  <currentMemory unit='MiB'>${current:-$memory}</currentMemory>
		  <vcpu>1</vcpu>
		  <resource><partition>/$(lab_partition)</partition></resource>
		  <os>
		    <type arch='x86_64' machine='q35'>hvm</type>
		    <kernel>$LAB_IMAGE/vmlinuz</kernel>
		    <initrd>$LAB_IMAGE/initrd</initrd>
		    <cmdline>$line</cmdline>
		  </os>
		  <features><acpi/></features>
		  <on_poweroff>destroy</on_poweroff>
		  <on_crash>destroy</on_crash>
		  <devices>
		    <emulator>$(command -v qemu-system-x86_64)</emulator>
		    <disk type='file' device='disk'>
		      <driver name='qemu' type='raw' cache='$cache'/>
		      <source file='$LAB_DIR/guests/$name.swap'/>
		      <target dev='vda' bus='virtio'/>
		    </disk>
		    <controller type='usb' model='none'/>
		    <serial type='file'>
		      <source path='$(lab_console "$name")'/>
		      <target port='0'/>
		    </serial>
		    <serial type='pipe'>
		      <source path='$LAB_DIR/guests/$name.order'/>
		      <target port='1'/>
		    </serial>
		    $(lab_guest_balloon)
		  </devices>
		</domain>
	END
}

lab_guest_metadata() {
	[[ -z $mom ]] ||
		echo "<mom:guest xmlns:mom='https://mom-project.org/xmlns/guest/1' $mom/>"
	[[ -z $os ]] || cat <<-END
		<os:libosinfo xmlns:os='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
		  <os:os id='$os'/>
		</os:libosinfo>
	END
}

lab_guest_balloon() {
	if [[ $balloon == none ]]; then
		echo "<memballoon model='none'/>"
	elif [[ $stats == no ]]; then
		echo "<memballoon model='$balloon' autodeflate='$autodeflate'/>"
	else
		echo "<memballoon model='$balloon' autodeflate='$autodeflate'>" \
			"<stats period='1'/></memballoon>"
	fi
}

# Whether hardware virtualisation truly boots a guest is tried once for each boot of
# the machine: a /dev/kvm that opens but runs no kernel is common inside guests.
lab_domain_type() {
	local verdict
	verdict="$(dirname "$LAB_IMAGE")/domain-type-$(</proc/sys/kernel/random/boot_id)"
	[[ -s $verdict ]] || lab_try_kvm >"$verdict"
	cat "$verdict"
}

lab_try_kvm() {
	local console=$LAB_DIR/try-kvm.console pid type=qemu
	if [[ -c /dev/kvm ]]; then
		qemu-system-x86_64 -accel kvm -machine q35 -m 256 -display none -no-reboot \
			-nodefaults -serial "file:$console" -kernel "$LAB_IMAGE/vmlinuz" \
			-initrd "$LAB_IMAGE/initrd" -append "console=ttyS0 quiet panic=-1" \
			</dev/null >"$LAB_DIR/try-kvm.log" 2>&1 &
		pid=$!
		! lab_until 15 lab_try_kvm_over "$pid" "$console" || type=kvm
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
	grep -qs GUEST-READY "$console" || type=qemu
	echo "$type"
}

lab_try_kvm_over() {
	grep -qs GUEST-READY "$2" || ! kill -0 "$1" 2>/dev/null
}

lab_boots() {
	grep -acs GUEST-READY "$(lab_console "$1")" || true
}

lab_booted() {
	(($(lab_boots "$1") >= $2))
}

# Whether a guest has come as far as it will: booted, broken or dead.
lab_settled() {
	grep -aqs GUEST- "$(lab_console "$1")" || ! lab_runs "$1"
}

# lab_ready NAME...: wait until each has booted.
lab_ready() {
	local name
	for name in "$@"; do
		if ! lab_until 120 lab_settled "$name" || ! lab_booted "$name" 1; then
			cat "$(lab_console "$name")" >&2 || true
			lab_die "guest '$name' does not boot"
		fi
	done
}

# lab_order NAME ORDER...: hand a guest an order; lab_done waits for its answer.
lab_order() {
	echo "${*:2}" >"$LAB_DIR/guests/$1.order.in"
}

# lab_done NAME SECONDS ORDER...
lab_done() {
	lab_until "$2" grep -aqs "DONE ${*:3}" "$(lab_console "$1")"
}

# Its QEMU is there; asking libvirt again and again would keep the machine busy.
lab_runs() {
	kill -0 "$(lab_guest_pid "$1")" 2>/dev/null
}

lab_alive() {
	[[ $(lab_virsh domstate "$(lab_name "$1")" 2>/dev/null) == running ]]
}

lab_all_alive() {
	local name
	for name in "$@"; do
		lab_alive "$name" || return 1
	done
}

# A guest whose console has been silent for so long does nothing for anybody.
lab_hung() {
	local age
	age=$(($(date +%s) - $(stat -c %Y "$(lab_console "$1")")))
	((age > 10))
}

lab_guest_pid() {
	cat "/run/libvirt/qemu/$(lab_name "$1").pid" 2>/dev/null
}

lab_actual_kib() {
	lab_virsh dommemstat "$(lab_name "$1")" | awk '$1 == "actual" { print $2 }'
}

lab_end_guests() {
	local name
	for name in $(lab_virsh list --name 2>/dev/null); do
		lab_virsh destroy "$name" >/dev/null 2>&1 || true
	done
	rm -rf "$LAB_DIR/guests"
	mkdir -p "$LAB_DIR/guests"
}
