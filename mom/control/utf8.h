/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * UTF-8 as it comes from outside: guests' names, files' names, texts that were cut.
 */

#include <stddef.h>
#include <stdint.h>

/*
 * The character at `text` and its length in bytes; `text` ends with a NUL.
 *
 * Shape:  shortest forms only, no surrogates, at most U+10FFFF.
 * Errors: 0 bytes where no character stands there.
 */
size_t utf8_next(const char *text, uint32_t *character);

/* A copy in which every byte that belongs to no character is U+FFFD; freed by the caller.
 */
char *utf8_repair(const char *text);
