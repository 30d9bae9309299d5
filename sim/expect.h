/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a scenario expects: a metric, how it must stand to a value, when and for whom. */

#include "sim/measure.h"
#include "sim/scenario.h"

/*
 * The words behind "expect":
 *
 *	METRIC[(GUEST)] <=|>=|= VALUE [within TOLERANCE] [at TIME] [for MANAGER,…]
 *
 * Errors: -EINVAL no such metric, relation or value.
 */
int expect_read(struct scenario *scenario, char **words, size_t count, const char *text,
	struct err *err);

/* The expectation is one of this manager. */
bool expect_is_for(const struct expectation *expectation, const char *manager);

/* What the expectation is about, as it stands now. */
double expect_value(const struct expectation *expectation, const struct measure *measure);

bool expect_holds(const struct expectation *expectation, double value);
