# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The files of the page as C, each an array named after its file (page.html: web_page_html)
# that mom/web.h declares. Comments, and the air between the words of a style, stay here.

BEGIN {
	print "#include \"mom/web.h\"\n"
	print "#pragma GCC diagnostic ignored \"-Woverlength-strings\""
}
FNR == 1 {
	if (NR > 1)
		print "\t;"
	name = FILENAME
	sub(/.*\//, "", name)
	style = name ~ /\.css$/
	plain = name ~ /\.(js|css)$/
	gsub(/[^a-z]/, "_", name)
	printf "\nconst char web_%s[] =\n", name
}
{
	sub(/^\t+/, "")
	if (plain && /^\/\*/)
		comment = 1
	skip = comment || (plain && (/^\/\// || !NF))
	if (/\*\/$/)
		comment = 0
	if (skip)
		next
	if (plain)
		sub(/ *\/\* [^*]* \*\/$/, "")
	if (style) {
		gsub(/ \{ ?/, "{")
		gsub(/;? \}/, "}")
		gsub(/: /, ":")
		gsub(/; /, ";")
		gsub(/, /, ",")
	}
	gsub(/[\\"?]/, "\\\\&")
	printf "\t\"%s\\n\"\n", $0
}
END { print "\t;" }
