/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The daemon's figures for Prometheus and those who speak its language: one table of
 * metrics, written as text. Units are bytes and seconds there, turned here.
 *
 * What there may be of a kind is bounded: guests beyond METRICS_GUESTS_MAX and pools
 * beyond METRICS_POOLS_MAX, by name, are left out and counted.
 */

#include <stddef.h>

struct daemon;

#define METRICS_GUESTS_MAX 1000
#define METRICS_POOLS_MAX  64

enum metrics_format {
	METRICS_PROMETHEUS,  /* text format 0.0.4 */
	METRICS_OPENMETRICS, /* 1.0 */
};

/* The format that an Accept header asks for; NULL: there is none. */
enum metrics_format metrics_accept(const char *accept);

/* What an answer in this format calls itself. */
const char *metrics_type(enum metrics_format format);

/* All figures; a new string, owned by the caller. */
char *metrics_build(const struct daemon *daemon, enum metrics_format format);

/* ---- the table, for its document ---- */

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO };

/* What one sample of it is of: `metric_scope_label()` names it in each. */
enum metric_scope { SCOPE_OWN, SCOPE_HOST, SCOPE_POOL, SCOPE_GUEST };

/* How the value stands in memory; what is turned into what. */
enum metric_form {
	FORM_OTHER, /* `write` writes it, with labels of its own */
	FORM_COUNT, /* uint64_t */
	FORM_SIZE,  /* size_t */
	FORM_KIB,   /* uint64_t, to bytes */
	FORM_MS,    /* uint64_t, to seconds */
	FORM_RATIO, /* double */
	FORM_TRUTH, /* bool, to 0 or 1 */
	FORM_FLAG,  /* int64_t, 0 or not */
};

struct metrics;

struct metric {
	const char *name; /* of its samples, but for a histogram's endings */
	enum metric_type type;
	enum metric_scope scope;
	enum metric_form form;
	size_t at;          /* of the value, in the struct of its scope */
	size_t known;       /* of the flag that says whether there is one; ALWAYS none */
	const char *labels; /* of its own, for the document; NULL none */
	void (*write)(struct metrics *metrics, const struct metric *metric,
		const void *of, const char *labels);
	const char *help;
};

#define ALWAYS ((size_t)-1)

extern const struct metric metrics_table[]; /* ends with a NULL name */

const char *metric_type_name(enum metric_type type);
const char *metric_scope_label(enum metric_scope scope); /* "" none */
