/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hand every file named to a fuzz target once: a corpus is a test too, where there is no
 * libFuzzer.
 */
#include <stdint.h>
#include <stdio.h>

#include "mom/mem.h"

#define INPUT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	auto_fclose FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 1;
	}
	auto_free uint8_t *data = mem_alloc(INPUT_MAX);
	size_t size = fread(data, 1, INPUT_MAX, file);
	auto_free uint8_t *exact = mem_alloc(size); /* so that reading on is seen */
	for (size_t i = 0; i < size; i++)
		exact[i] = data[i];
	return LLVMFuzzerTestOneInput(exact, size);
}

int main(int argc, char **argv)
{
	int status = 0;
	for (int i = 1; i < argc; i++)
		status |= replay(argv[i]);
	return status;
}
