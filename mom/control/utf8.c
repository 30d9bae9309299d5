/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/control/utf8.h"

#include <string.h>

#include "mom/mem.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* Bytes behind the first one, from its high bits; the bits that count go to `first`. */
static size_t tail_length(unsigned char byte, uint32_t *first)
{
	size_t tail = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
	*first = byte & (0x3fu >> tail);
	return tail;
}

size_t utf8_next(const char *text, uint32_t *character)
{
	static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
	unsigned char byte = (unsigned char)text[0];
	if (byte < 0x80) {
		*character = byte;
		return 1;
	}
	if (byte < 0xc2 || byte > 0xf4)
		return 0;
	uint32_t value;
	size_t tail = tail_length(byte, &value);
	for (size_t i = 1; i <= tail; i++) {
		unsigned char next = (unsigned char)text[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (next & 0x3f);
	}
	if (value < smallest[tail] || value > 0x10ffff || (value & ~0x7ffu) == 0xd800)
		return 0;
	*character = value;
	return tail + 1;
}

char *utf8_repair(const char *text)
{
	char *clean = mem_array(strlen(text) + 1, strlen(REPLACEMENT));
	char *end = clean;
	while (*text) {
		uint32_t character;
		size_t length = utf8_next(text, &character);
		memcpy(end, length ? text : REPLACEMENT,
			length ? length : strlen(REPLACEMENT));
		end += length ? length : strlen(REPLACEMENT);
		text += length ? length : 1;
	}
	*end = '\0';
	return clean;
}
