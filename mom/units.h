/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Quantities at the rim: sizes, durations and ratios as people write them, turned once
 * into the numbers used everywhere inside (KiB, milliseconds, 0..1) and back for showing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mom/err.h"

#define KIB_PER_MIB 1024ull
#define KIB_PER_GIB (1024ull * 1024)

#define SIZE_TEXT_MAX     24
#define DURATION_TEXT_MAX 24

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t clamp_u64(uint64_t value, uint64_t low, uint64_t high)
{
	return value < low ? low : value > high ? high : value;
}

static inline uint64_t distance_u64(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* a − b, or 0 where b is larger: memory that is missing is not there. */
static inline uint64_t sub_u64(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static inline uint64_t kib_from_bytes(uint64_t bytes)
{
	return bytes / 1024;
}

static inline uint64_t kib_from_pages(uint64_t pages, uint64_t page_bytes)
{
	return pages * (page_bytes / 1024);
}

/*
 * Read a size.
 *
 * Shape:  a decimal number, blanks, a unit: B, K KiB, M MiB, G GiB, T TiB (powers of
 * 1024, letters in either case), kB KB MB GB TB (powers of 1000). A unit is required.
 * Units:  result in KiB, rounded down.
 * Errors: -EINVAL not a size, no or unknown unit; -ERANGE more than 2^53 KiB.
 */
int units_parse_size(const char *text, uint64_t *kib, struct err *err);

/*
 * Read a duration.
 *
 * Shape:  numbers with units ms s min h d, one after another ("1h 30min").
 * Units:  result in milliseconds.
 * Errors: -EINVAL not a duration, no or unknown unit; -ERANGE more than 2^53 ms.
 */
int units_parse_duration(const char *text, uint64_t *ms, struct err *err);

/*
 * Read a part of a whole.
 *
 * Shape:  "20%" or "0.2".
 * Errors: -EINVAL not a number, or negative.
 */
int units_parse_ratio(const char *text, double *ratio, struct err *err);

/* A size for people: three digits and a binary unit ("1.46 GiB", "800 MiB", "0"). */
const char *units_format_size(char text[SIZE_TEXT_MAX], uint64_t kib);

/* A duration for people: its two largest units ("2min 5s", "350ms"). */
const char *units_format_duration(char text[DURATION_TEXT_MAX], uint64_t ms);
