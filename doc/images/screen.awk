# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What `tmux capture-pane -e -p` gives, as a page for a browser.

function level(n) {
	return n ? 55 + 40 * n : 0
}

# Of the 256 colours of terminals.
function colour(n, grey) {
	if (n < 16)
		return basic[n]
	grey = 8 + 10 * (n - 232)
	if (n >= 232)
		return sprintf("rgb(%d,%d,%d)", grey, grey, grey)
	n -= 16
	return sprintf("rgb(%d,%d,%d)", level(int(n / 36)), level(int(n / 6) % 6), level(n % 6))
}

# The numbers between "\033[" and "m".
function set_look(numbers, code, count, i) {
	count = split(numbers == "" ? "0" : numbers, code, ";")
	for (i = 1; i <= count; i++) {
		if (code[i] == 0)
			front = back = bold = ""
		else if (code[i] == 1)
			bold = "font-weight:bold;"
		else if (code[i] == 39)
			front = ""
		else if (code[i] == 49)
			back = ""
		else if (code[i] == 38 || code[i] == 48) {
			if (code[i] == 38)
				front = colour(code[i + 2])
			else
				back = colour(code[i + 2])
			i += 2
		} else if (code[i] >= 30 && code[i] <= 37)
			front = colour(code[i] - 30)
		else if (code[i] >= 40 && code[i] <= 47)
			back = colour(code[i] - 40)
	}
}

function look() {
	return bold (front ? "color:" front ";" : "") (back ? "background:" back ";" : "")
}

function put(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	if (text != "")
		printf "<span style=\"%s\">%s</span>", look(), text
}

BEGIN {
	split("#cc3e44 #5faf5f #d7af5f #3a7bd5 #9a6bb0 #3fa7a7 #d0d0d0", ansi, " ")
	basic[0] = "#16181d"
	for (i = 1; i < 8; i++)
		basic[i] = basic[i + 8] = ansi[i]
	basic[8] = "#808080"
	print "<!DOCTYPE html><meta charset=\"utf-8\"><style>body { margin: 0 }"
	print "pre { display: inline-block; margin: 0; padding: 12px 16px; color: #d6d8dd;"
	print "background: #16181d; font: 15px/19px \"DejaVu Sans Mono\", monospace }</style><pre>"
}

{
	rest = $0
	while (match(rest, /\033\[[0-9;]*m/)) {
		put(substr(rest, 1, RSTART - 1))
		set_look(substr(rest, RSTART + 2, RLENGTH - 3))
		rest = substr(rest, RSTART + RLENGTH)
	}
	put(rest)
	print ""
}

END {
	print "</pre>"
}
