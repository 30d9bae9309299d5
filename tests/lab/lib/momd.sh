# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# momd in the lab: one instance, on the lab's guests and the lab's budget.

LAB_SOCKET=${LAB_DIR:-}/momd.sock
LAB_MOMD=

# lab_momd_config LINE...: write the lab's momd.conf, with further lines; a line of
# "guests" or "history" takes the place of the lab's own.
lab_momd_config() {
	{
		echo 'hypervisor = { uri = "qemu:///system"; };'
		echo "host = { budget = \"$(lab_budget)\"; };"
		echo "control = { socket = \"$LAB_SOCKET\"; };"
		[[ " $*" == *" guests = "* ]] ||
			echo 'guests = ( { match = "*"; min = "128MiB"; } );'
		[[ " $*" == *" history = "* ]] ||
			echo "history = { path = \"$LAB_DIR/history.db\"; };"
		printf '%s\n' "$@"
	} >"$LAB_DIR/momd.conf"
}

# lab_momd [OPTION...]: start momd and wait until it answers.
lab_momd() {
	[[ -s $LAB_DIR/momd.conf ]] || lab_momd_config ""
	"$MOMD" -c "$LAB_DIR/momd.conf" --policies "$LAB_TOP/policies" "$@" \
		</dev/null >>"$LAB_DIR/momd.log" 2>&1 &
	LAB_MOMD=$!
	if ! lab_until 30 lab_momd_settled || ! lab_momd_answers; then
		cat "$LAB_DIR/momd.log" >&2
		lab_die "momd does not answer"
	fi
}

lab_momd_answers() {
	lab_momctl --json status >/dev/null 2>&1
}

lab_momd_settled() {
	lab_momd_answers || ! kill -0 "$LAB_MOMD" 2>/dev/null
}

lab_momctl() {
	"$MOMCTL" -s "$LAB_SOCKET" "$@"
}

# lab_momd_end: ask momd to end and wait for that. LAB_MOMD_STATUS is its exit status
# then, LAB_MOMD_MS how many milliseconds it took.
lab_momd_end() {
	local start
	start=$(date +%s%3N)
	LAB_MOMD_STATUS=0
	kill -TERM "$LAB_MOMD" || true
	wait "$LAB_MOMD" || LAB_MOMD_STATUS=$?
	LAB_MOMD_MS=$(($(date +%s%3N) - start))
	LAB_MOMD=
}

# lab_status FILTER: a value of `momctl status --json`, by jq.
lab_status() {
	lab_momctl --json status | jq -r "$1"
}

# lab_status_of NAME KEY: a value of one guest.
lab_status_of() {
	lab_status ".guests[] | select(.name == \"$(lab_name "$1")\") | .$2"
}

lab_guest_is_known() {
	[[ -n $(lab_status_of "$1" name) ]]
}

lab_guest_in_state() {
	[[ $(lab_status_of "$1" state) == "$2" ]]
}

# lab_shows FILTER: a condition on `momctl status --json`, by jq, all of it in one look.
lab_shows() {
	[[ $(lab_status "$1") == true ]]
}

# The log of momd says TEXT.
lab_momd_says() {
	grep -qF -- "$1" "$LAB_DIR/momd.log"
}
