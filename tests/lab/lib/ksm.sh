# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# KSM is the one knob that a lab shares with its machine. A test that sets it calls
# ksm_guard "$@" before anything else: that runs the test a second time below itself and
# puts the machine's values back, however the second one ended.

KSM=/sys/kernel/mm/ksm

ksm_obstacle() {
	[[ -w $KSM/run ]] || { echo "KSM can't be set here" && return; }
	[[ $(<"$KSM/run") == 0 && $(<"$KSM/pages_shared") == 0 ]] ||
		{ echo "somebody uses KSM on this machine" && return; }
}

ksm_guard() {
	[[ -z ${KSM_GUARDED:-} ]] || return 0
	local obstacle file
	obstacle=$(ksm_obstacle)
	[[ -z $obstacle ]] || lab_skip "$obstacle"
	for file in run pages_to_scan sleep_millisecs merge_across_nodes; do
		[[ ! -e $KSM/$file ]] || KSM_SAVED+=("$file=$(<"$KSM/$file")")
	done
	trap ksm_put_back EXIT
	trap 'exit 143' INT TERM HUP
	KSM_GUARDED=yes "$0" "$@" &
	KSM_TEST=$!
	wait "$KSM_TEST"
	exit
}

KSM_SAVED=()

ksm_put_back() {
	local pair
	kill "$KSM_TEST" 2>/dev/null && wait "$KSM_TEST" 2>/dev/null
	# Nothing was merged before, so what is now is the test's, or its dead guests'.
	echo 2 >"$KSM/run"
	for pair in "${KSM_SAVED[@]}"; do
		[[ $(<"$KSM/${pair%%=*}") == "${pair#*=}" ]] ||
			echo "${pair#*=}" >"$KSM/${pair%%=*}"
	done
}

ksm_has() { # FILE VALUE
	[[ $(<"$KSM/$1") == "$2" ]]
}
