/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All collectors there are; only the mains know this list. */

#include "mom/collector.h"

extern const struct collector *const collectors[]; /* ends with NULL */
