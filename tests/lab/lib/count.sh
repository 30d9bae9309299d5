# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What guests say of themselves on their consoles, counted. Their numbers start anew
# when a guest reboots, so sums are made of the rises.

# lab_mark NAME: print the place on the console from which to count.
lab_mark() {
	stat -c %s "$(lab_console "$1")"
}

# lab_count NAME FIELD MARK: print how much a counter of the guest rose since then.
lab_count() {
	LC_ALL=C awk -v field="$2" -v mark="$3" '
		{ place += length($0) + 1 }
		/^STAT .* end\r?$/ {
			for (i = 2; i < NF; i++) {
				split($i, pair, "=")
				if (pair[1] == field)
					now = pair[2]
			}
			if (place > mark)
				sum += now >= last ? now - last : now
			last = now
		}
		END { printf "%d\n", sum }' "$(lab_console "$1")"
}

# lab_last NAME FIELD: print the newest value of it.
lab_last() {
	grep -a '^STAT .* end' "$(lab_console "$1")" | tail -n 1 | tr -d '\r' |
		tr ' ' '\n' | sed -n "s/^$2=//p"
}
