/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Figures over time: the columns that the history keeps of a guest and of a pool, and how
 * rows of them become one coarser row. One table of columns names them everywhere: in the
 * database, in the protocol, in files of comma-separated values.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIES_COLUMNS_MAX 16

enum series_kind { SERIES_POOL, SERIES_GUEST, SERIES_KIND_COUNT };

enum series_merge {
	SERIES_MEAN,
	SERIES_MOST,
	SERIES_LEAST,
	SERIES_SUM,
	SERIES_LAST,
};

struct series_column {
	const char *name; /* with its unit, as everywhere */
	enum series_merge merge;
	bool fraction; /* four digits behind the point, else whole */
};

/* By their number in the tables. */
enum {
	POOL_BUDGET,
	POOL_COST,
	POOL_AVAILABLE,
	POOL_AVAILABLE_LEAST,
	POOL_RESERVE,
	POOL_MEM_TOTAL,
	POOL_MEM_USABLE,
	POOL_SWAP_TOTAL,
	POOL_SWAP_FREE,
	POOL_PSI_SOME,
	POOL_PSI_FULL,
	POOL_KSM_SAVING,
	POOL_GUESTS,
	POOL_COLUMNS,
};

enum {
	GUEST_MAX,
	GUEST_ACTUAL,
	GUEST_TARGET,
	GUEST_USED,
	GUEST_USED_MOST,
	GUEST_DEMAND,
	GUEST_COST,
	GUEST_RSS,
	GUEST_SWAP,
	GUEST_SWAP_IN,
	GUEST_SWAP_OUT,
	GUEST_MAJOR_FAULTS,
	GUEST_DISTRESS,
	GUEST_COLUMNS,
};

/* One row; a value counts where its bit in `known` is set. Begin with zeroes. */
struct series {
	enum series_kind kind;
	int64_t at_s;    /* since the epoch: its beginning */
	uint32_t span_s; /* how long it stands for */
	uint32_t known;
	double values[SERIES_COLUMNS_MAX];
	int state; /* of a guest the last, of a pool the worst */
};

size_t series_columns(enum series_kind kind);
const struct series_column *series_column(enum series_kind kind, size_t column);

/* "managed", "snug"; and back: −1 not known. */
const char *series_state_name(enum series_kind kind, int state);
int series_state(enum series_kind kind, const char *name);

void series_set(struct series *series, size_t column, bool known, double value);
static inline bool series_has(const struct series *series, size_t column)
{
	return series->known >> column & 1;
}

/* Add a later row to an earlier one of its kind; `into` may be all zeroes. */
void series_merge(struct series *into, const struct series *from);

/* A value as text, with as many digits as its column has. */
#define SERIES_TEXT_MAX 32
const char *series_text(
	char text[SERIES_TEXT_MAX], const struct series *series, size_t column);
