/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/mem.h"

#include <string.h>

void *mem_alloc(size_t size)
{
	return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);
	if (!memory)
		abort();
	return memory;
}

void *mem_resize(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count ? count : 1, size);
	if (!memory)
		abort();
	return memory;
}

char *mem_dup(const char *text)
{
	return text ? mem_ndup(text, strlen(text)) : NULL;
}

char *mem_ndup(const char *text, size_t length)
{
	char *copy = mem_alloc(length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = mem_vprintf(format, args);
	va_end(args);
	return text;
}

char *mem_vprintf(const char *format, va_list args)
{
	char *text = NULL;
	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

void *mem_grow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	size_t larger = *capacity ? *capacity * 2 : 8;
	char *memory = mem_resize(array, larger, size);
	memset(memory + *capacity * size, 0, (larger - *capacity) * size);
	*capacity = larger;
	return memory;
}

void mem_replace(char **owned, const char *text)
{
	char *copy = mem_dup(text);
	free(*owned);
	*owned = copy;
}
