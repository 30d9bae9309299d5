/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The division of a budget among guests: everyone's floor first, then everyone up to what
 * it wants (weighted max-min fair), then what is left by shares with a tax on idle
 * memory.
 */

#include "mom/model.h"

/*
 * Divide `budget_kib` among the claims.
 *
 * Shape:  targets[i] for claims[i], floor ≤ target ≤ ceiling; a want outside
 * floor…ceiling is taken as the nearer bound, a ceiling below its floor as the floor.
 * Where the floors don't fit, everyone gets just its floor. Units:  KiB; shares are
 * relative weights, 0 or less counts as the smallest weight; `tax` 0..0.99 makes idle
 * memory cost 1/(1 − tax) times as much as active memory. Source: C. Waldspurger, Memory
 * Resource Management in VMware ESX Server, OSDI 2002, for the idle tax; the rest is
 * weighted max-min fairness.
 */
void share_divide(const struct claim *claims, size_t count, uint64_t budget_kib,
	double tax, uint64_t *targets);
