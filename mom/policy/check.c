/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/policy/check.h"

void check(const struct program *program, size_t index, struct policy_notes *notes)
{
	(void)program;
	(void)index;
	(void)notes;
}
