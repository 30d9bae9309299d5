/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Findings about a policy's text: gathered by the lexer, the parser and the checker. */

#include <stdarg.h>

#include "mom/policy/policy.h"

/* Add a finding; with `notes` NULL it is forgotten. Floods are cut, errors counted. */
void note_add(struct policy_notes *notes, enum policy_level level, unsigned line,
	unsigned column, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Is a further finding still told? What is costly to word needn't be, if not. */
bool note_wanted(const struct policy_notes *notes);

/* In the order of the text, each once. */
void note_sort(struct policy_notes *notes);

/* The first error as "file:line:column: text" in `err`; gives -EINVAL. */
int note_fail(const struct policy_notes *notes, const struct policy_source *source,
	struct err *err);
