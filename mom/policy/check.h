/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What can be known of a policy before it runs: unknown names, fields, methods and knobs,
 * calls with too few or too many arguments, knobs that are set to no number, units that
 * don't mix, functions nobody calls, and names that only a caller may have made.
 */

#include "mom/policy/bind.h"

/* Check policy number `index` of a program, among the others. Findings go to `notes`. */
void check(const struct program *program, size_t index, struct policy_notes *notes);
