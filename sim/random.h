/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Numbers that look random and are the same in every run with the same seed. Each guest
 * has a stream of its own, so that one more guest doesn't change the others' luck.
 */

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline struct random random_of(uint64_t seed, uint64_t stream)
{
	return (struct random){seed * 0x9e3779b97f4a7c15u ^ (stream + 1) << 32};
}

/* Source: G. Steele, D. Lea, C. Flood, Fast splittable pseudorandom number generators,
 * OOPSLA 2014 (SplitMix64). */
static inline uint64_t random_next(struct random *random)
{
	random->state += 0x9e3779b97f4a7c15u;
	uint64_t z = random->state;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 … 1, 1 excluded. */
static inline double random_ratio(struct random *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}
