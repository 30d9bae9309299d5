/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A recording as a file: one JSON object a line, plain or packed by gzip. The first says
 * what it is; each of the others has one member, named by what it holds.
 */

#include <stdbool.h>
#include <stdint.h>

#include "mom/err.h"

#define RECORDING_VERSION   1
#define RECORDING_LINE_MOST ((size_t)64 * 1024 * 1024)

struct json_object;

enum recording_kind {
	RECORDING_END,   /* of the file */
	RECORDING_STATE, /* recorded_state_read() */
	RECORDING_TICK,  /* recorded_tick_read() */
	RECORDING_GAP,   /* {"missed": ticks} */
	RECORDING_OTHER, /* nothing that this version knows: to be passed over */
};

struct recording_line {
	enum recording_kind kind;
	struct json_object *data; /* of the line; freed by the next one */
};

struct recording_file;

/*
 * Open a recording and read its first line.
 *
 * Errors: any of opening a file; -EBADMSG "FILE:1: …" it is none, or of another version.
 */
int recording_open(struct recording_file **file, const char *path, struct err *err);

/* Accepts NULL. */
void recording_close(struct recording_file *file);

/* Whether a file begins as a recording does, whatever its version; false where it can't
 * be read. */
bool recording_is_one(const char *path);

/*
 * The next line that isn't empty.
 *
 * Shape:  a last line that was cut off (the recorder was killed, the disk was full) is
 *         the end; recording_was_cut() tells.
 * Errors: -EBADMSG "FILE:LINE: …" no such line, or one that is too long; -EIO the file
 *         can't be read or unpacked.
 */
int recording_next(
	struct recording_file *file, struct recording_line *line, struct err *err);

bool recording_was_cut(const struct recording_file *file);

/* The version of momd that was recorded, "" not known. */
const char *recording_version(const struct recording_file *file);

/* Put "FILE:LINE: " before what is wrong with the latest line; gives the code. */
int recording_fail(const struct recording_file *file, struct err *err);
