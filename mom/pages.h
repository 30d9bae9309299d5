/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What momd serves by HTTP, one row a path, where the configuration says so.
 */

struct daemon;

/*
 * Serve where the configuration in force says: begin, move, or end. What is served there
 * already goes on. An address that can't be had is told; the next reload tries again.
 */
void pages_follow(struct daemon *daemon);

void pages_end(struct daemon *daemon);
