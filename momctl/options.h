/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Options of single commands, "--name VALUE" or "--name=VALUE". */

#include <stdint.h>

#include "momctl/momctl.h"

/* The value of the option `name` at `argv[*at]`, or NULL where that is another one. */
const char *option_value(const char *name, int *at, char **argv);

/* A whole number from 1 on; gives an exit code. */
int option_count(const char *name, const char *text, uint64_t *count);

/* A whole number of seconds, written as a duration. */
int option_seconds(const char *name, const char *text, uint64_t *seconds);

/*
 * A moment, in seconds since the epoch.
 *
 * Shape:  a duration is so long ago; "15:04", "15:04:05" of today; "2026-11-23", with a
 *         time behind a blank or a T; "@1795447000"; "now". All in local time.
 */
int option_time(const char *name, const char *text, double *at_s);

/* "2026-11-23 15:04:05", in local time. */
#define OPTION_TIME_TEXT 32
const char *option_time_text(char text[OPTION_TIME_TEXT], double at_s);
