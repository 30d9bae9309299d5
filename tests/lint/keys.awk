# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every key of a momd.conf, or of momd.conf(5) with -v man=1, as "section.name = value".
# A key behind a "#" counts: so stand the defaults in the sample.

!man && /^[a-z_]+ = [{(]/ {
	section = $1 "."
	next
}
!man && /^[})];/ { section = "" }
!man && section != "tunables." && /^[\t]*#?[a-z_]+ = .*;$/ {
	sub(/^[\t]*#?/, "")
	sub(/;$/, "")
	if ($1 != "match")
		print section $0
}

man && /^\.Ss / { section = $2 ~ /^\\&/ ? "" : $2 "." }
man && /^\.It Ic [a-z_]+ No = / {
	sub(/^\.It Ic /, "")
	sub(/ No = /, " = ")
	# Qq puts quotes around what follows, up to a closing bracket
	if (/ Qq/) {
		sub(/ Qq ?/, " \"")
		if (!sub(/ \]$/, "\" ]"))
			$0 = $0 "\""
	}
	print section $0
}
