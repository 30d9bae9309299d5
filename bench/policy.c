/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What policies cost: loading and checking each shipped one, and evaluating mom-balloon
 * (or another one) for 10 to 10,000 guests. Figures, not tests.
 *
 *	bench/policy [POLICY-DIRECTORY [NAME]]
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mom/mem.h"
#include "mom/policy/policy.h"
#include "mom/share.h"

#define TEXT_MOST  65536
#define ROUNDS_FOR 200000 /* guests evaluated for one figure */

static const char *const shipped[] = {"esx", "fair-share", "guest-qos", "ksm",
	"mom-balloon", "mom-ksm", "night-shift", "proxmox", "squeezed"};

static double now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* others may be at work */
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static char *read_policy(const char *directory, const char *name)
{
	auto_free char *path = mem_printf("%s/%s.policy", directory, name);
	auto_fclose FILE *file = fopen(path, "r");
	char *text = mem_alloc(TEXT_MOST);
	if (!file || fread(text, 1, TEXT_MOST - 1, file) == 0) {
		fprintf(stderr, "bench/policy: cannot read '%s'\n", path);
		exit(1);
	}
	return text;
}

static void load(struct policy_set *set, const char *name, const char *text)
{
	struct policy_source source = {
		.name = name, .text = text, .length = strlen(text)};
	struct err err;
	if (policy_set_load(set, &source, NULL, &err) < 0) {
		fprintf(stderr, "bench/policy: %s\n", err.text);
		exit(1);
	}
}

static void bench_load(const char *directory, const char *name)
{
	auto_free char *text = read_policy(directory, name);
	double best = 1e18;
	for (int i = 0; i < 20; i++) {
		struct policy_set *set = policy_set_new(NULL);
		double begin = now_ns();
		load(set, name, text);
		double took = now_ns() - begin;
		best = took < best ? took : best;
		policy_set_free(set);
	}
	printf("RESULT load policy=%s us=%.0f\n", name, best / 1000);
}

/* Guests of all sizes and needs on a host that is short of memory. */
static void make_guest(struct guest_history *history, size_t number)
{
	uint64_t actual = 400000 + number % 7 * 50000;
	struct guest_sample sample = {.max_kib = 819200,
		.limit_kib = 819200,
		.min_kib = 102400,
		.actual_kib = actual,
		.unused_kib = actual / (2 + number % 5),
		.used_kib = actual / 2,
		.demand_kib = actual / 2 + 50000,
		.shares = 1000,
		.has_actual = true,
		.has_unused = true,
		.has_used = true,
		.has_demand = true};
	for (int i = 0; i < HISTORY_SAMPLES; i++)
		guest_history_put(history, &sample, true);
}

static void bench_run(struct policy_set *set, const char *name, size_t count)
{
	struct host_history host = {0};
	struct host_sample sample = {.has_meminfo = true,
		.mem_total_kib = count * 500000,
		.mem_free_kib = count * 50000,
		.divisible_kib = count * 450000};
	for (int i = 0; i < HISTORY_SAMPLES; i++)
		host_history_put(&host, &sample, true);
	struct guest_history *histories = mem_array(count, sizeof(*histories));
	struct guest_facts *facts = mem_array(count, sizeof(*facts));
	struct policy_guest *guests = mem_array(count, sizeof(*guests));
	for (size_t i = 0; i < count; i++) {
		make_guest(&histories[i], i);
		guests[i] = (struct policy_guest){.facts = &facts[i],
			.history = &histories[i],
			.state = "managed",
			.quality = "good"};
	}
	struct policy_facts all = {.host = &host, .guests = guests, .guest_count = count};
	struct policy_outcome outcome = {0};
	size_t rounds = ROUNDS_FOR / count;
	double best = 1e18;
	for (int again = 0; again < 5; again++) {
		double begin = now_ns();
		for (size_t i = 0; i < rounds; i++)
			policy_run(set, &all, share_divide, &outcome);
		double took = (now_ns() - begin) / (double)rounds;
		best = took < best ? took : best;
	}
	printf("RESULT eval policy=%s guests=%zu ns_per_guest=%.0f steps_per_guest=%.0f "
	       "errors=%zu\n",
		name, count, best / (double)count, (double)outcome.steps / (double)count,
		outcome.message_count);
	policy_outcome_done(&outcome);
	free(guests);
	free(facts);
	free(histories);
}

int main(int argc, char **argv)
{
	const char *directory = argc > 1 ? argv[1] : "policies";
	const char *name = argc > 2 ? argv[2] : "mom-balloon";
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++)
		bench_load(directory, shipped[i]);
	auto_free char *text = read_policy(directory, name);
	struct policy_limits limits = {.steps = 100000000};
	struct policy_set *set = policy_set_new(&limits);
	load(set, name, text);
	for (size_t count = 10; count <= 10000; count *= 10)
		bench_run(set, name, count);
	policy_set_free(set);
	return 0;
}
