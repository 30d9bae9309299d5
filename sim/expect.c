/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim/expect.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "mom/mem.h"

static int read_metric(struct expectation *expectation, char *word,
	const struct metric **metric, struct err *err)
{
	char *open = strchr(word, '(');
	if (open) {
		size_t length = strlen(open);
		if (open[length - 1] != ')')
			return err_set(err, -EINVAL, "\"%s\" isn't closed", word);
		open[length - 1] = '\0';
		*open++ = '\0';
		expectation->guest = mem_dup(open);
	}
	*metric = metric_find(word);
	if (!*metric)
		return err_set(err, -EINVAL, "\"%s\" is no metric", word);
	if (open ? !(*metric)->guest : !(*metric)->whole)
		return err_set(err, -EINVAL, "%s is a metric of %s", word,
			open ? "the whole alone" : "a guest, as in actual(vm1)");
	expectation->metric = mem_dup(word);
	return 0;
}

static int read_relation(
	enum expect_relation *relation, const char *word, struct err *err)
{
	if (strcmp(word, "<=") == 0)
		*relation = EXPECT_LESS;
	else if (strcmp(word, ">=") == 0)
		*relation = EXPECT_MORE;
	else if (strcmp(word, "=") == 0)
		*relation = EXPECT_EQUAL;
	else
		return err_set(err, -EINVAL, "expected <=, >= or =, not \"%s\"", word);
	return 0;
}

static int read_rest(struct expectation *expectation, const struct metric *metric,
	char **words, size_t count, struct err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i + 1 < count; i += 2) {
		if (strcmp(words[i], "within") == 0)
			r = word_set(
				metric->type, words[i + 1], &expectation->tolerance, err);
		else if (strcmp(words[i], "at") == 0)
			r = word_set(WORD_TIME, words[i + 1], &expectation->at_ms, err);
		else if (strcmp(words[i], "for") == 0)
			mem_replace(&expectation->managers, words[i + 1]);
		else
			r = err_set(err, -EINVAL,
				"expected within, at or for, not \"%s\"", words[i]);
	}
	if (r == 0 && count % 2)
		r = err_set(err, -EINVAL, "\"%s\" lacks its value", words[count - 1]);
	return r;
}

int expect_read(struct scenario *scenario, char **words, size_t count, const char *text,
	struct err *err)
{
	if (count < 3)
		return err_set(err, -EINVAL, "expected expect METRIC <=|>=|= VALUE …");
	scenario->expectations =
		mem_grow(scenario->expectations, scenario->expectation_count,
			&scenario->expectation_capacity, sizeof(struct expectation));
	struct expectation *expectation =
		&scenario->expectations[scenario->expectation_count++];
	*expectation = (struct expectation){.at_ms = -1, .text = mem_dup(text)};
	const struct metric *metric = NULL;
	int r = read_metric(expectation, words[0], &metric, err);
	if (r == 0)
		r = read_relation(&expectation->relation, words[1], err);
	if (r == 0)
		r = word_set(metric->type, words[2], &expectation->value, err);
	if (r == 0)
		r = read_rest(expectation, metric, words + 3, count - 3, err);
	return r;
}

bool expect_is_for(const struct expectation *expectation, const char *manager)
{
	const char *list = expectation->managers;
	size_t length = strlen(manager);
	for (; list && *list; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, manager, length) == 0 &&
			(list[length] == ',' || list[length] == '\0'))
			return true;
	return !expectation->managers;
}

double expect_value(const struct expectation *expectation, const struct measure *measure)
{
	const struct metric *metric = metric_find(expectation->metric);
	if (!expectation->guest)
		return metric->whole(measure);
	for (size_t i = 0; i < measure->world->count; i++) {
		const struct sim_guest *guest = &measure->world->guests[i];
		if (strcmp(guest->name, expectation->guest) == 0)
			return metric->guest(measure, guest);
	}
	return NAN;
}

bool expect_holds(const struct expectation *expectation, double value)
{
	double wanted = expectation->value;
	double slack = expectation->tolerance + 1e-9;
	switch (expectation->relation) {
	case EXPECT_LESS:
		return value <= wanted + slack;
	case EXPECT_MORE:
		return value >= wanted - slack;
	default:
		return fabs(value - wanted) <= slack;
	}
}
