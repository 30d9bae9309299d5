/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the engine knows, as JSON in the shapes of doc/control-protocol.md: KiB are
 * integers, parts of a whole 0..1, what isn't known is null. Each gives a new object.
 */

#include "mom/engine.h"

struct daemon;
struct json_object;

struct json_object *describe_pool(const struct pool *pool);
struct json_object *describe_hypervisor(const struct engine *engine);
struct json_object *describe_guest(const struct guest *guest, int64_t now_ms);

/* Why the guest has what it has, in the words of the latest decision; NULL none. */
const char *describe_reason(const struct guest *guest);
struct json_object *describe_guests(const struct engine *engine); /* by name */
struct json_object *describe_warnings(const struct engine *engine);
struct json_object *describe_policies(const struct engine *engine);

/* A reservation, kept or just wanted, and how it stands; the oldest first. */
struct json_object *describe_reservation(const struct engine *engine,
	const struct reservation *reservation, const struct reserve_look *look,
	int64_t now_ms);
struct json_object *describe_reservations(const struct engine *engine);

/* All of it at one time; there has been a tick. */
struct json_object *describe_status(const struct daemon *daemon);

struct json_object *describe_decision(const struct decision *decision, int64_t now_ms);

/* Every setting of a guest with its value and where it comes from. */
struct json_object *describe_settings(
	const struct engine *engine, const struct guest *guest);
struct json_object *describe_statistics(const struct guest *guest);

/* What is kept in mind about a guest; only what there is. */
struct json_object *describe_learned(const struct guest *guest, int64_t now_ms);
