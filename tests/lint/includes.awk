# SPDX-License-Identifier: LGPL-2.1-or-later
#
# awk -f includes.awk rooms SOURCE…: say every include that its room doesn't allow.
# Sources are named from the root of the house.

function regex(pattern)
{
	gsub(/\./, "\\.", pattern)
	gsub(/\*/, ".*", pattern)
	return "^" pattern "$"
}

function matches(path, patterns,    words, n, i)
{
	n = split(patterns, words, " ")
	for (i = 1; i <= n; i++)
		if (path ~ regex(words[i]))
			return 1
	return 0
}

function room_of(path,    i)
{
	for (i = 1; i <= rooms; i++)
		if (matches(path, patterns[i]))
			return i
	return 0
}

function stem(path)
{
	sub(/\.[a-z]*$/, "", path)
	return path
}

function say(what)
{
	print FILENAME ":" FNR ": " what
	wrong = 1
}

function check_ours(path,    theirs)
{
	theirs = room_of(path)
	if (!theirs)
		say("\"" path "\" belongs to no room")
	else if (stem(path) == stem(FILENAME))
		return
	else if (!index(" " known[room] " ", " " name[theirs] " "))
		say("a file of " name[room] " includes \"" path "\" of " name[theirs])
}

function check_system(path)
{
	if (libraries[room] ~ /pure/ && path ~ unclean)
		say("a file of " name[room] " is pure, and includes <" path ">")
	else if (path ~ library && !matches(path, libraries[room]))
		say("a file of " name[room] " includes <" path ">")
}

BEGIN {
	library = "^(libvirt|libxml|libproc2|event2|json-c|systemd)/" \
		"|^(libconfig|sqlite3|pthread|[a-z]*curses)\\.h$"
	unclean = "^sys/|^(fcntl|unistd|time|poll|signal|syslog|pthread|dirent)\\.h$"
}

FILENAME != last {
	last = FILENAME
	room = room_of(FILENAME)
	if (NR != FNR && !room)
		say("belongs to no room of tests/lint/rooms")
}

# The table comes first.
NR == FNR && /^[a-z-]+:/ {
	split($0, parts, "|")
	name[++rooms] = substr(parts[1], 1, index(parts[1], ":") - 1)
	patterns[rooms] = substr(parts[1], index(parts[1], ":") + 1)
	known[rooms] = parts[2]
	libraries[rooms] = parts[3]
}
NR == FNR { next }

room && /^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, parts, "\"")
	check_ours(parts[2])
}
room && /^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, parts, /[<>]/)
	check_system(parts[2])
}

END { exit wrong }
