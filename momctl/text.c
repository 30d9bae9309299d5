/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "momctl/text.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "mom/control/utf8.h"
#include "mom/mem.h"

#define ESCAPE_MAX 12 /* bytes of \u{10ffff} and more */
#define ELLIPSIS   "\xe2\x80\xa6"

void text_init(void)
{
	/* Only wcwidth() asks it: output is UTF-8 whatever the user's language is. */
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* Direction marks and overrides, and what is there without being seen. */
static bool deceives(uint32_t c)
{
	return c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
	       c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

static int columns_of(uint32_t c)
{
	return deceives(c) ? -1 : wcwidth((wchar_t)c);
}

/* Write one character at `end`, whole or as an escape; gives the new end. */
static char *put_clean(char *end, const char *text, size_t length, uint32_t c)
{
	if (length && columns_of(c) >= 0) {
		memcpy(end, text, length);
		return end + length;
	}
	if (length > 1)
		return end + snprintf(end, ESCAPE_MAX, "\\u{%x}", (unsigned)c);
	return end + snprintf(end, ESCAPE_MAX, "\\x%02x", (unsigned char)*text);
}

char *text_clean(const char *text)
{
	char *clean = mem_array(strlen(text) + 1, ESCAPE_MAX);
	char *end = clean;
	while (*text) {
		uint32_t c = 0;
		size_t length = utf8_next(text, &c);
		end = put_clean(end, text, length, c);
		text += length ? length : 1;
	}
	*end = '\0';
	return clean;
}

/* Bytes of the longest part within `width` columns; `*used` is its columns. */
static size_t bytes_within(const char *text, size_t width, size_t *used)
{
	const char *at = text;
	*used = 0;
	while (*at) {
		uint32_t c = 0;
		size_t length = utf8_next(at, &c);
		int columns = length ? columns_of(c) : 1;
		size_t wide = columns > 0 ? (size_t)columns : 0;
		if (*used + wide > width)
			break;
		*used += wide;
		at += length ? length : 1;
	}
	return (size_t)(at - text);
}

size_t text_width(const char *text)
{
	size_t used;
	bytes_within(text, SIZE_MAX / 2, &used);
	return used;
}

char *text_cut(const char *text, size_t width)
{
	size_t used;
	if (text_width(text) <= width)
		return mem_dup(text);
	if (width == 0)
		return mem_dup("");
	size_t bytes = bytes_within(text, width - 1, &used);
	return mem_printf("%.*s" ELLIPSIS, (int)bytes, text);
}

/* Bytes of the longest part that ends before a blank, and of that behind a comma. */
static void find_breaks(const char *text, size_t within, size_t *word, size_t *part)
{
	*word = *part = 0;
	for (size_t i = 1; i <= within; i++) {
		if (text[i] != ' ')
			continue;
		*word = i;
		if (strchr(",;", text[i - 1]))
			*part = i;
	}
}

size_t text_break(const char *text, size_t width)
{
	size_t used, word, part;
	size_t within = bytes_within(text, width, &used);
	if (!text[within])
		return within;
	find_breaks(text, within, &word, &part);
	if (2 * part > word)
		return part;
	if (word)
		return word;
	uint32_t c;
	size_t first = utf8_next(text, &c);
	return within ? within : first ? first : 1;
}
