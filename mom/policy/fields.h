/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one table of what policies can read and turn: fields of the host and of a guest,
 * and knobs. The evaluator reads through it, the checker takes names and units from it,
 * `momctl policy fields` and the manual are printed from it.
 */

#include "mom/policy/policy.h"

enum unit {
	UNIT_NONE, /* a bare number: mixes with everything */
	UNIT_KIB,
	UNIT_KIB_PER_S,
	UNIT_PAGES,
	UNIT_PAGES_PER_S,
	UNIT_RATIO,   /* 0..1 */
	UNIT_PERCENT, /* 0..100 */
	UNIT_MS,
	UNIT_COUNT,
	UNIT_COUNT_OF_UNITS,
};

const char *unit_name(enum unit unit); /* "KiB", "pages", …, "" for a bare number */

enum field_type {
	FIELD_U64,
	FIELD_I64,
	FIELD_I32,
	FIELD_U32,
	FIELD_DOUBLE,
	FIELD_DERIVED, /* by a function of the sample */
	FIELD_STATE,   /* the host's state, as a string */
	FIELD_WORD,    /* a string of the guest itself, not of a sample */
	FIELD_NUMBER,  /* a number of the guest itself */
	FIELD_TRUTH,   /* a boolean of the guest itself */
};

#define FIELD_ALWAYS SIZE_MAX /* no flag says whether it is known */

struct field {
	const char *name;
	enum field_type type;
	enum unit unit;
	size_t offset, has; /* in struct host_sample or struct guest_sample */
	union {
		struct value (*derived)(const void *sample);
		const char *(*word)(const struct policy_guest *guest);
		struct value (*of_guest)(const struct policy_guest *guest);
	};
	bool prop; /* MOM reaches it by `Prop` */
	const char *help;
};

extern const struct field host_fields[]; /* both end with a NULL name */
extern const struct field guest_fields[];

const struct field *field_find(const struct field *fields, const char *name);

/* A field of one sample; nil where unknown. Not for those of the guest itself. */
struct value field_sample(const struct field *field, const void *sample);

/* Is it read from a sample, and so has a history? */
bool field_has_history(const struct field *field);

/* Will it be a string? */
bool field_is_word(const struct field *field);

/* Names that MOM's policies may read and that are always nil here. */
bool field_only_mom(const char *name);

struct knob {
	const char *name;
	bool guest;      /* of a guest, not of the host */
	bool only_mom;   /* known, without effect here */
	unsigned number; /* enum host_knob */
	enum unit unit;
	const char *help;
};

extern const struct knob policy_knobs[]; /* ends with a NULL name */

const struct knob *knob_find(const char *name, bool guest); /* or NULL */
