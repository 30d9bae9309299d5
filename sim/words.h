/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words of a scenario's line: KEY=VALUE by a table, and values with their units. */

#include <stddef.h>

#include "mom/err.h"

enum word_type {
	WORD_SIZE,   /* uint64_t KiB */
	WORD_KIB,    /* double KiB */
	WORD_TIME,   /* int64_t ms */
	WORD_MS,     /* double ms */
	WORD_RATE,   /* double KiB/s: "0.95GiB/s" */
	WORD_RATIO,  /* double */
	WORD_NUMBER, /* double */
	WORD_COUNT,  /* uint64_t */
	WORD_YES,    /* bool */
	WORD_FAULT,  /* enum guest_fault */
	WORD_TEXT,   /* const char *, of the line */
};

struct word_key {
	const char *name;
	enum word_type type;
	size_t offset;
};

/*
 * Set a value of this type from text.
 *
 * Errors: -EINVAL not one.
 */
int word_set(enum word_type type, const char *text, void *value, struct err *err);

/*
 * Set what "KEY=VALUE" names in `base`; `word` is cut at its "=".
 *
 * Errors: -ENOENT no such key (the text names those there are); -EINVAL a bad value.
 */
int word_assign(const struct word_key *keys, char *word, void *base, struct err *err);
