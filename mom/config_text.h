/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The text of a configuration file. It is read here and not by libconfig, which ends the
 * whole process when a file or an included one can't be read to its end, as a folder
 * can't.
 */

#include "mom/err.h"

/*
 * Read a file whole, and look at the files it includes.
 *
 * Shape:  included files are named relative to `folder`, as libconfig does.
 * Errors: a negative errno "FILE: …"; -EINVAL not a plain file, or larger than 1 MiB;
 *         -ELOOP more than a hundred files included.
 */
int config_text_read(char **text, const char *path, const char *folder, struct err *err);
