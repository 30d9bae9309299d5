# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Test points in the Test Anything Protocol. The plan comes last: a test that ends
# half way has none, which counts as an error. Sourced after lab.sh.

TAP_POINTS=0
TAP_FAILED=0

# ok WHAT COMMAND...: one test point; it holds if the command succeeds.
ok() {
	local what=$1
	shift
	((++TAP_POINTS))
	if "$@"; then
		echo "ok $TAP_POINTS - $what"
	else
		echo "not ok $TAP_POINTS - $what"
		note "failed: $*"
		TAP_FAILED=1
	fi
}

not() {
	! "$@"
}

# is WHAT HAVE WANT
is() {
	ok "$1" test "$2" = "$3"
}

# near WHAT HAVE WANT PERCENT: within so many percent of it.
near() {
	ok "$1" awk -v have="$2" -v want="$3" -v percent="$4" 'BEGIN {
		off = have > want ? have - want : want - have
		exit !(off <= want * percent / 100) }'
}

note() {
	local line
	while IFS= read -r line; do
		echo "# $line"
	done <<<"$*"
}

# What a failed test leaves for its reader.
tap_evidence() {
	[[ ! -s $LAB_DIR/momd.log ]] || note "momd.log: $(tail -n 40 "$LAB_DIR/momd.log")"
	[[ -z $LAB_MOMD ]] || note "status: $(lab_momctl status 2>&1)"
}

# The last line of every test.
tap_end() {
	((!TAP_FAILED)) || tap_evidence
	echo "1..$TAP_POINTS"
	exit "$TAP_FAILED"
}

lab_skip() {
	echo "1..0 # SKIP $1"
	exit 77
}
