/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a tick takes with so many guests that all have to move: one line a size. */

#include <stdio.h>
#include <time.h>

#include "mom/units.h"
#include "tests/fake/rig.h"

#define TICKS 20

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static void measure(size_t guests)
{
	struct rig rig;
	rig_init(&rig, guests * (KIB_PER_GIB + 64 * MIB));
	for (size_t i = 0; i < guests; i++) {
		char name[32];
		snprintf(name, sizeof(name), "vm%zu", i);
		fake_add(&rig.fake, name, KIB_PER_GIB, 300 * MIB);
	}
	rig_open(&rig, "");
	rig_run(&rig, 5000);
	double all_ms = 0, worst_ms = 0;
	for (int i = 0; i < TICKS; i++) {
		rig.fake.base_kib += guests * 20 * MIB;
		fake_step(&rig.fake, 1000);
		double start_ms = now_ms();
		engine_tick(&rig.engine, rig.fake.now_ms);
		double took_ms = now_ms() - start_ms;
		all_ms += took_ms;
		worst_ms = took_ms > worst_ms ? took_ms : worst_ms;
	}
	unsigned orders = rig.fake.orders;
	rig_done(&rig);
	printf("RESULT guests=%zu tick_ms=%.2f worst_ms=%.2f us_per_guest=%.2f "
	       "orders=%u\n",
		guests, all_ms / TICKS, worst_ms, all_ms / TICKS * 1000 / (double)guests,
		orders);
}

int main(void)
{
	for (size_t guests = 64; guests <= 4096; guests *= 4)
		measure(guests);
	return 0;
}
