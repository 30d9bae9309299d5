/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A file of JSON lines that grows for hours, packed by gzip where its name ends in ".gz".
 */

#include <stdbool.h>
#include <stdint.h>

#include "mom/err.h"

struct json_object;

struct packed {
	void *file; /* of zlib */
	const char *path;
	bool packs; /* by gzip */
	int64_t flushed_ms;
	uint64_t size; /* when it was closed */
};

/*
 * Make a new file; what is there already and can be lost is left alone.
 *
 * Errors: any of opening a file; -EEXIST there is one.
 */
int packed_open(struct packed *packed, const char *path, struct err *err);

/*
 * Add a line; it is on its way to the disk at once, or packed within some seconds.
 *
 * Errors: any of writing to a file.
 */
int packed_write(struct packed *packed, struct json_object *line, struct err *err);

/* Bytes written so far, but for what is being packed. */
uint64_t packed_size(const struct packed *packed);

/* Accepts a zeroed one. Errors: any of writing to a file. */
int packed_close(struct packed *packed, struct err *err);
