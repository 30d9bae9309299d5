/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "mom/control/codec.h"
#include "mom/mem.h"
#include "mom/recording/lists.h"

#define PAIR(member)                                                                     \
	{                                                                                \
		.name = #member, .kind = FIELD_TEXT,                                     \
		.offset = offsetof(struct recorded_pair, member),                        \
		.size = sizeof(((struct recorded_pair *)0)->member)                      \
	}

static const struct field pair_fields[] = {PAIR(uuid), PAIR(key), PAIR(value), {0}};

/* ---- writing ---- */

static struct json_object *write_policies(const struct recorded_setup *setup)
{
	struct json_object *list = json_object_new_array();
	for (size_t i = 0; i < setup->policy_count; i++) {
		const struct recorded_policy *policy = &setup->policies[i];
		struct json_object *object = json_object_new_object();
		json_object_object_add(object, "name", control_json_text(policy->name));
		json_object_object_add(object, "text", control_json_text(policy->text));
		flag_write(object, "shadow", policy->shadow);
		json_object_array_add(list, object);
	}
	return list;
}

static void write_paused(struct json_object *into, const struct recorded_setup *setup)
{
	if (!setup->paused_count)
		return;
	struct json_object *list = json_object_new_array();
	for (size_t i = 0; i < setup->paused_count; i++)
		json_object_array_add(list, control_json_text(setup->paused_guests[i]));
	json_object_object_add(into, "paused_guests", list);
}

struct json_object *recorded_setup_write(const struct recorded_setup *setup)
{
	struct json_object *object = json_object_new_object();
	json_object_object_add(object, "config", control_json_text(setup->config));
	flag_write(object, "dry_run", setup->dry_run);
	flag_write(object, "paused", setup->paused);
	json_object_object_add(object, "policies", write_policies(setup));
	list_write(object, "tunables", pair_fields, setup->tunables, setup->tunable_count,
		sizeof(*setup->tunables));
	list_write(object, "live", pair_fields, setup->live, setup->live_count,
		sizeof(*setup->live));
	write_paused(object, setup);
	list_write(object, "reservations", reservation_fields, setup->reservations,
		setup->reservation_count, sizeof(*setup->reservations));
	return object;
}

/* ---- reading ---- */

static int read_policy(struct json_object *json, void *into, struct err *err)
{
	struct recorded_policy *policy = into;
	policy->name = text_read(json, "name");
	policy->text = text_read(json, "text");
	policy->shadow = flag_read(json, "shadow");
	if (!policy->name || !policy->text)
		return err_set(err, -EBADMSG, "expected a name and a text");
	return 0;
}

static int read_pair(struct json_object *json, void *into, struct err *err)
{
	return fields_read(json, pair_fields, into, err);
}

static int read_reservation(struct json_object *json, void *into, struct err *err)
{
	return fields_read(json, reservation_fields, into, err);
}

static int read_uuid(struct json_object *json, void *into, struct err *err)
{
	const char *text = json_object_is_type(json, json_type_string)
				   ? json_object_get_string(json)
				   : NULL;
	if (!text || strlen(text) >= UUID_TEXT_MAX)
		return err_set(err, -EBADMSG, "expected a UUID");
	memcpy(into, text, strlen(text) + 1);
	return 0;
}

int setup_read(struct recorded_setup *setup, struct json_object *json, struct err *err)
{
	setup->config = text_read(json, "config");
	setup->dry_run = flag_read(json, "dry_run");
	setup->paused = flag_read(json, "paused");
	if (!setup->config)
		return err_set(err, -EBADMSG, "config: expected a text");
	int r = list_read(json, "policies", &setup->policies, &setup->policy_count,
		sizeof(*setup->policies), read_policy, err);
	if (r == 0)
		r = list_read(json, "tunables", &setup->tunables, &setup->tunable_count,
			sizeof(*setup->tunables), read_pair, err);
	if (r == 0)
		r = list_read(json, "live", &setup->live, &setup->live_count,
			sizeof(*setup->live), read_pair, err);
	if (r == 0)
		r = list_read(json, "paused_guests", &setup->paused_guests,
			&setup->paused_count, sizeof(*setup->paused_guests), read_uuid,
			err);
	if (r == 0)
		r = list_read(json, "reservations", &setup->reservations,
			&setup->reservation_count, sizeof(*setup->reservations),
			read_reservation, err);
	return r;
}

void recorded_setup_done(struct recorded_setup *setup)
{
	for (size_t i = 0; i < setup->policy_count; i++) {
		free(setup->policies[i].name);
		free(setup->policies[i].text);
	}
	free(setup->config);
	free(setup->policies);
	free(setup->tunables);
	free(setup->live);
	free(setup->paused_guests);
	free(setup->reservations);
	*setup = (struct recorded_setup){0};
}
