/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/history/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mom/mem.h"
#include "mom/model.h"

static const struct series_column pool_columns[POOL_COLUMNS] = {
	[POOL_BUDGET] = {"budget_kib", SERIES_LAST, false},
	[POOL_COST] = {"cost_kib", SERIES_MEAN, false},
	[POOL_AVAILABLE] = {"available_kib", SERIES_MEAN, false},
	[POOL_AVAILABLE_LEAST] = {"available_least_kib", SERIES_LEAST, false},
	[POOL_RESERVE] = {"reserve_kib", SERIES_MEAN, false},
	[POOL_MEM_TOTAL] = {"mem_total_kib", SERIES_LAST, false},
	[POOL_MEM_USABLE] = {"mem_usable_kib", SERIES_MEAN, false},
	[POOL_SWAP_TOTAL] = {"swap_total_kib", SERIES_LAST, false},
	[POOL_SWAP_FREE] = {"swap_free_kib", SERIES_MEAN, false},
	[POOL_PSI_SOME] = {"psi_some", SERIES_MOST, true},
	[POOL_PSI_FULL] = {"psi_full", SERIES_MOST, true},
	[POOL_KSM_SAVING] = {"ksm_saving_kib", SERIES_MEAN, false},
	[POOL_GUESTS] = {"guests", SERIES_LAST, false},
};

static const struct series_column guest_columns[GUEST_COLUMNS] = {
	[GUEST_MAX] = {"max_kib", SERIES_LAST, false},
	[GUEST_ACTUAL] = {"actual_kib", SERIES_MEAN, false},
	[GUEST_TARGET] = {"target_kib", SERIES_LAST, false},
	[GUEST_USED] = {"used_kib", SERIES_MEAN, false},
	[GUEST_USED_MOST] = {"used_most_kib", SERIES_MOST, false},
	[GUEST_DEMAND] = {"demand_kib", SERIES_MEAN, false},
	[GUEST_COST] = {"cost_kib", SERIES_MEAN, false},
	[GUEST_RSS] = {"rss_kib", SERIES_MEAN, false},
	[GUEST_SWAP] = {"swap_kib", SERIES_MEAN, false},
	[GUEST_SWAP_IN] = {"swap_in_kib", SERIES_SUM, false},
	[GUEST_SWAP_OUT] = {"swap_out_kib", SERIES_SUM, false},
	[GUEST_MAJOR_FAULTS] = {"major_faults", SERIES_SUM, false},
	[GUEST_DISTRESS] = {"distress", SERIES_MOST, true},
};

_Static_assert((int)POOL_COLUMNS <= SERIES_COLUMNS_MAX &&
		       (int)GUEST_COLUMNS <= SERIES_COLUMNS_MAX,
	"a row holds every column");

size_t series_columns(enum series_kind kind)
{
	return kind == SERIES_POOL ? (size_t)POOL_COLUMNS : (size_t)GUEST_COLUMNS;
}

const struct series_column *series_column(enum series_kind kind, size_t column)
{
	return kind == SERIES_POOL ? &pool_columns[column] : &guest_columns[column];
}

static int states(enum series_kind kind)
{
	return kind == SERIES_POOL ? (int)HOST_STATE_COUNT : (int)GUEST_STATE_COUNT;
}

const char *series_state_name(enum series_kind kind, int state)
{
	if (state < 0 || state >= states(kind))
		return NULL;
	return kind == SERIES_POOL ? host_state_name((enum host_state)state)
				   : guest_state_name((enum guest_state)state);
}

int series_state(enum series_kind kind, const char *name)
{
	for (int state = 0; name && state < states(kind); state++)
		if (strcmp(series_state_name(kind, state), name) == 0)
			return state;
	return -1;
}

void series_set(struct series *series, size_t column, bool known, double value)
{
	if (!known)
		return;
	series->known |= 1u << column;
	series->values[column] = value;
}

static double merged(enum series_merge how, double before, double before_s, double value,
	double value_s)
{
	switch (how) {
	case SERIES_MEAN:
		return (before * before_s + value * value_s) / (before_s + value_s);
	case SERIES_MOST:
		return fmax(before, value);
	case SERIES_LEAST:
		return fmin(before, value);
	case SERIES_SUM:
		return before + value;
	case SERIES_LAST:
		break;
	}
	return value;
}

void series_merge(struct series *into, const struct series *from)
{
	if (!into->span_s) {
		*into = *from;
		return;
	}
	for (size_t i = 0; i < series_columns(into->kind); i++) {
		if (!series_has(from, i))
			continue;
		double value = from->values[i];
		if (series_has(into, i))
			value = merged(series_column(into->kind, i)->merge,
				into->values[i], into->span_s, value, from->span_s);
		series_set(into, i, true, value);
	}
	into->span_s += from->span_s;
	if (into->kind == SERIES_GUEST || from->state > into->state)
		into->state = from->state;
}

const char *series_text(
	char text[SERIES_TEXT_MAX], const struct series *series, size_t column)
{
	bool fraction = series_column(series->kind, column)->fraction;
	snprintf(text, SERIES_TEXT_MAX, "%.*f", fraction ? 4 : 0, series->values[column]);
	return text;
}
