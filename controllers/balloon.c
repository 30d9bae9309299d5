/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mom/controller.h"
#include "mom/hypervisor.h"
#include "mom/mem.h"

struct balloon {
	const struct hypervisor *hypervisor;
	void *hypervisor_self;
};

static int balloon_open(void **self, const struct controller_env *env, struct err *err)
{
	(void)err;
	struct balloon *balloon = mem_alloc(sizeof(*balloon));
	balloon->hypervisor = env->hypervisor;
	balloon->hypervisor_self = env->hypervisor_self;
	*self = balloon;
	return 0;
}

/* Hand every order over; what became of one stands in it, and doesn't keep the others. */
static int balloon_apply(void *self, const struct plan *plan, struct err *err)
{
	(void)err;
	struct balloon *balloon = self;
	for (size_t i = 0; i < plan->order_count; i++) {
		struct order *order = &plan->orders[i];
		order->result = balloon->hypervisor->set_target(
			balloon->hypervisor_self, order->uuid, order->to_kib, NULL);
	}
	return 0;
}

static void balloon_close(void *self)
{
	free(self);
}

const struct controller controller_balloon = {
	.name = "balloon",
	.help = "guests' balloon targets",
	.open = balloon_open,
	.apply = balloon_apply,
	.close = balloon_close,
};
