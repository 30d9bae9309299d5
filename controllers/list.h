/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All controllers there are; only the mains know this list. */

#include "mom/controller.h"

extern const struct controller *const controllers[]; /* ends with NULL */
