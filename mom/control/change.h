/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What somebody asked for, in words: for the log, and for who looks at what happened.
 */

struct json_object;

/*
 * Shape: "set {key} of {guest|every guest}": a name in braces stands for the parameter of
 *        that name, cut where it is long, and for what is behind the bar where there is
 *        none. The caller frees the text.
 * Units: a name that ends in "_kib" is written as a size.
 */
char *control_change_text(const char *pattern, struct json_object *params);
