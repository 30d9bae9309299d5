/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mom/mem.h"
#include "mom/units.h"
#include "tests/fake/rig.h"

/*
 * The invariants of doc/control-law.md hold in every tick, whatever hosts and guests do:
 * hosts are made up at random, and everything happens to them that the made-up hypervisor
 * knows of. A failure names the seed and the tick, which come out alike again.
 */

#define SEEDS     120
#define SLICES    2400 /* of 50 ms: two minutes a host */
#define GUESTS    8
#define FRESH_MS  3000
#define SETTLE_MS 5000
#define SAFETY    (32 * MIB)
#define STEP      (2 * MIB)

/* What is known of one guest beside what the engine knows. */
struct witness {
	uint64_t last_update;
	int64_t updated_ms; /* its statistics changed */
	int64_t stopped_ms; /* its time stood still last */
	int64_t grown_ms;   /* its last order was one to grow; 0 it wasn't */
	bool hung;
};

struct bench {
	struct rig rig;
	uint64_t random;
	unsigned seed;
	unsigned ticks;
	struct witness witnesses[GUESTS];
};

/* ---- chance ---- */

static uint64_t chance(struct bench *bench, uint64_t below)
{
	bench->random = bench->random * 6364136223846793005ull + 1442695040888963407ull;
	return (bench->random >> 33) % below;
}

static bool once_in(struct bench *bench, uint64_t times)
{
	return chance(bench, times) == 0;
}

static void make_guest(struct bench *bench, size_t i)
{
	char name[8];
	snprintf(name, sizeof(name), "vm%zu", i);
	uint64_t max = (256 + chance(bench, 1800)) * MIB + chance(bench, 3) * 4;
	struct fake_guest *guest =
		fake_add(&bench->rig.fake, name, max, max / 8 + chance(bench, max / 2));
	guest->late_ms = once_in(bench, 3) ? chance(bench, 3000) : 0;
	guest->pace_kib_per_s = (16 + chance(bench, 1000)) * MIB;
	guest->windows = once_in(bench, 5);
	guest->autodeflate = once_in(bench, 4);
	guest->hugepages = once_in(bench, 12);
	guest->locked = once_in(bench, 12);
	guest->no_device = once_in(bench, 15);
	guest->obey =
		once_in(bench, 3) ? (enum fake_obey)chance(bench, OBEY_LIES + 1) : OBEY;
	guest->cgroup[0] = '\0';
	if (bench->rig.fake.cgroup_count && once_in(bench, 2))
		snprintf(guest->cgroup, sizeof(guest->cgroup), "/pool");
	if (once_in(bench, 3)) /* squeezed already when it is found */
		guest->actual_kib = guest->target_kib = guest->touched_kib = max / 2;
}

/* Policies that no guest would like: to take all, or to give and take by turns. */
static const char *const hostile[] = {
	"(with Guests guest (guest.Control \"balloon_target\" 0))\n",
	"(with Guests guest (if (< guest.mem_unused (* 0.4 guest.balloon_cur))\n"
	"    (guest.Control \"balloon_target\" 0)\n"
	"    (guest.Control \"balloon_target\" (* 4 guest.balloon_max))))\n",
};

static void open_host(struct bench *bench)
{
	struct rig *rig = &bench->rig;
	size_t number = chance(bench, ARRAY_SIZE(hostile) + 1);
	auto_free char *policies =
		number < ARRAY_SIZE(hostile)
			? mem_printf("policies = [ \"%s/hostile.policy\" ];",
				  rig->folder.root)
			: mem_dup("");
	if (*policies)
		made_up_file(&rig->folder, "hostile.policy", "%s", hostile[number]);
	auto_free char *config =
		mem_printf("%s guests = ( { match = \"*\"; "
			   "boot_grace = \"10s\"; min = \"128MiB\"; } );",
			policies);
	rig_open(rig, config);
}

static void make_host(struct bench *bench)
{
	struct fake *fake = &bench->rig.fake;
	bench->rig.dry_run = once_in(bench, 10);
	if (once_in(bench, 3))
		fake->cgroups[fake->cgroup_count++] = (struct fake_cgroup){
			.path = "/pool", .limit_kib = (800 + chance(bench, 3000)) * MIB};
	for (size_t i = 0; i < GUESTS; i++)
		make_guest(bench, i);
	open_host(bench);
}

/* ---- what happens ---- */

static void befall_guest(struct bench *bench, struct fake_guest *guest)
{
	struct fake *fake = &bench->rig.fake;
	switch (chance(bench, 14)) {
	case 0:
		guest->run = guest->run == GUEST_RUNNING ? GUEST_PAUSED : GUEST_RUNNING;
		break;
	case 1:
		fake_reboot(fake, guest);
		break;
	case 2:
		fake_hang(fake, guest);
		break;
	case 3:
		guest->call = (enum fake_call[]){
			CALL_TAKEN, CALL_BUSY, CALL_REFUSED}[chance(bench, 3)];
		break;
	case 4:
		guest->busy = !guest->busy;
		break;
	case 5:
		guest->tell = (enum fake_tell)chance(bench, TELL_WRONG + 1);
		break;
	case 6: /* other hands */
		guest->target_kib = guest->max_kib / 4 + chance(bench, guest->max_kib);
		guest->target_kib = min_u64(guest->target_kib, guest->max_kib);
		guest->reached_from_kib = guest->actual_kib;
		break;
	case 7:
		guest->present = !guest->present;
		guest->id += guest->present;
		break;
	case 8:
		guest->swap_in_kib += chance(bench, 100) * MIB;
		break;
	default: /* most of the time all is well */
		guest->run = GUEST_RUNNING;
		guest->call = CALL_TAKEN;
		guest->tell = TELL_ALL;
		guest->busy = false;
		guest->present = true;
	}
}

static void befall(struct bench *bench)
{
	struct fake *fake = &bench->rig.fake;
	struct fake_guest *guest = &fake->guests[chance(bench, fake->count)];
	if (once_in(bench, 8)) {
		uint64_t used = guest->used_kib / 2 + chance(bench, guest->max_kib);
		guest->used_kib = min_u64(used, guest->max_kib - guest->max_kib / 16);
	}
	if (once_in(bench, 20))
		befall_guest(bench, guest);
	if (once_in(bench, 40))
		fake->base_kib = chance(bench, fake->memory_kib / 2);
	if (once_in(bench, 200))
		fake->psi_full = (double)chance(bench, 60) / 100;
	if (once_in(bench, 200))
		fake->swap_out_pages += chance(bench, 10000);
	if (once_in(bench, 200))
		fake->failing[chance(bench, FAKE_SOURCE_COUNT)] ^= true;
	if (once_in(bench, 300))
		fake_disconnect(fake, fake->connected);
	if (once_in(bench, 100))
		fake->lose_events = !fake->lose_events;
}

/* ---- what must hold ---- */

/* The rig keeps stderr for itself, so this is told on stdout, as TAP's comment. */
static void broken(const struct bench *bench, const char *law, const char *who,
	const struct order *order, const char *what)
{
	printf("# seed %u, tick %u, \"%s\": %s broken: %s", bench->seed, bench->ticks,
		who, law, what);
	if (order)
		printf(" (%llu → %llu KiB: %s)", (unsigned long long)order->from_kib,
			(unsigned long long)order->to_kib, order->reason);
	printf("\n");
	fail();
}

#define HOLDS(law, what)                                                                 \
	do {                                                                             \
		if (!(what))                                                             \
			broken(bench, law, guest->facts.name, order, #what);             \
	} while (0)

static size_t index_of(const struct bench *bench, const char *uuid)
{
	size_t i = 0;
	while (strcmp(bench->rig.fake.guests[i].uuid, uuid) != 0)
		i++;
	return i;
}

/* The guard itself orders these: QEMU's target is brought in line with the truth. */
static bool is_own(const struct guest *guest)
{
	return guest->state == GUEST_STATE_BOOTING || guest->state == GUEST_STATE_STUCK ||
	       guest->state == GUEST_STATE_FIXED;
}

static bool somebody_suffers(const struct bench *bench, size_t pool)
{
	const struct roster *roster = &bench->rig.engine.roster;
	for (size_t i = 0; i < roster->count; i++)
		if (roster->guests[i]->pool == pool &&
			roster->guests[i]->facts.sample.distress >= 0.5)
			return true;
	return false;
}

/* What the guest could claim if all of its pool claimed. */
static uint64_t fair_share(const struct bench *bench, const struct guest *guest)
{
	const struct engine *engine = &bench->rig.engine;
	double shares = 0;
	for (size_t i = 0; i < engine->roster.count; i++) {
		const struct guest *other = engine->roster.guests[i];
		if (other->pool == guest->pool && other->fresh &&
			other->state == GUEST_STATE_MANAGED)
			shares += (double)other->facts.sample.shares;
	}
	double divisible = (double)engine->pools.items[guest->pool].sample.divisible_kib;
	return (uint64_t)(divisible * (double)guest->facts.sample.shares / shares);
}

static void check_shrink(struct bench *bench, const struct guest *guest,
	const struct order *order, enum host_state state, const struct witness *seen)
{
	const struct guest_sample *sample = &guest->facts.sample;
	int64_t now_ms = bench->rig.engine.now_ms;
	bool calm = state < HOST_CRITICAL;
	HOLDS("G1", order->to_kib >= sample->min_kib);
	bool fair = somebody_suffers(bench, guest->pool) &&
		    order->to_kib + 1 >= fair_share(bench, guest);
	HOLDS("G1", !calm || fair ||
			    order->to_kib >= min_u64(sample->used_kib + SAFETY,
						     sample->limit_kib));
	HOLDS("G2", guest->fresh);
	HOLDS("G2", now_ms - max_u64((uint64_t)seen->updated_ms,
				     (uint64_t)seen->stopped_ms) <=
			    FRESH_MS + 1100);
	HOLDS("G3", guest->state == GUEST_STATE_MANAGED);
	HOLDS("G5", !calm || order->to_kib + sample->actual_kib / 4 + STEP >=
				     min_u64(sample->actual_kib, order->from_kib));
	bool settled = !seen->grown_ms || now_ms - seen->grown_ms >= SETTLE_MS;
	bool idle = order->to_kib >= sample->demand_kib;
	HOLDS("G6", !calm || settled || fair ||
			    (idle && somebody_suffers(bench, guest->pool)));
}

static void check_order(
	struct bench *bench, const struct guest *guest, const struct order *order)
{
	const struct guest_sample *sample = &guest->facts.sample;
	const struct guest_facts *facts = &guest->facts;
	size_t i = index_of(bench, order->uuid);
	struct witness *seen = &bench->witnesses[i];
	enum host_state state = bench->rig.engine.pools.items[guest->pool].sample.state;
	bool grows = order->to_kib > order->from_kib;
	HOLDS("G1", order->to_kib <= sample->max_kib);
	HOLDS("G1", order->to_kib > 0);
	HOLDS("G3", guest->state == GUEST_STATE_MANAGED || is_own(guest));
	HOLDS("G3", facts->has_balloon);
	HOLDS("G3", facts->run == GUEST_RUNNING && !facts->busy && !facts->hung);
	if (!is_own(guest)) {
		uint64_t moved = grows ? order->to_kib - order->from_kib
				       : order->from_kib - order->to_kib;
		HOLDS("G6", moved >= max_u64(STEP, sample->actual_kib / 200));
	}
	if (order->to_kib < order->from_kib)
		check_shrink(bench, guest, order, state, seen);
	seen->grown_ms = grows && !bench->rig.dry_run ? bench->rig.engine.now_ms : 0;
}

/* What the guests of a pool may cost once their balloons have obeyed. */
static void check_books(struct bench *bench, size_t index)
{
	const struct engine *engine = &bench->rig.engine;
	const struct host_sample *books = &engine->pools.items[index].sample;
	uint64_t after = 0;
	for (size_t i = 0; i < engine->roster.count; i++) {
		const struct guest *guest = engine->roster.guests[i];
		const struct guest_sample *sample = &guest->facts.sample;
		if (index && guest->pool != index)
			continue;
		uint64_t target = 0;
		for (size_t o = 0; o < engine->plan.order_count; o++)
			if (!strcmp(engine->plan.orders[o].uuid, guest->facts.uuid))
				target = engine->plan.orders[o].to_kib;
		after += guest->facts.hugepages ? sample->cost_kib
						: max_u64(sample->cost_kib,
							  guest_cost_kib(sample, target));
	}
	uint64_t most =
		max_u64(books->cost_kib, books->budget_kib + books->reserve_kib / 2);
	if (engine->pools.items[index].blind || after <= most)
		return;
	broken(bench, "G4", engine->pools.items[index].path, NULL, "after <= most");
}

static void bear_witness(struct bench *bench)
{
	const struct engine *engine = &bench->rig.engine;
	for (size_t i = 0; i < engine->roster.count; i++) {
		const struct guest_facts *facts = &engine->roster.guests[i]->facts;
		struct witness *seen = &bench->witnesses[index_of(bench, facts->uuid)];
		if (seen->last_update != facts->last_update)
			seen->updated_ms = engine->now_ms;
		seen->last_update = facts->last_update;
		if (facts->run != GUEST_RUNNING || facts->hung)
			seen->stopped_ms = engine->now_ms;
	}
}

static void check_tick(struct bench *bench)
{
	const struct engine *engine = &bench->rig.engine;
	bear_witness(bench);
	for (size_t i = 0; i < engine->plan.order_count; i++) {
		const struct order *order = &engine->plan.orders[i];
		check_order(bench, roster_find(&engine->roster, order->uuid), order);
	}
	for (size_t i = 0; i < engine->pools.count; i++)
		check_books(bench, i);
	if (bench->rig.dry_run)
		assert_int_equal(bench->rig.fake.orders, 0);
}

static void live_through(struct bench *bench)
{
	for (int i = 0; i < SLICES; i++) {
		unsigned before = bench->rig.ticks;
		befall(bench);
		rig_run(&bench->rig, 50);
		bench->ticks = bench->rig.ticks;
		if (bench->ticks == before + 1) /* two in one slice: the first is lost */
			check_tick(bench);
		else if (bench->ticks > before)
			bear_witness(bench);
	}
	assert_true(bench->ticks > SLICES / 40);
}

static void invariants_hold_whatever_happens(void **state)
{
	(void)state;
	const char *only = getenv("MOM_TEST_SEED");
	unsigned first = only ? (unsigned)atoi(only) : 1;
	for (unsigned seed = first; seed <= (only ? first : SEEDS); seed++) {
		struct bench *bench = mem_alloc(sizeof(*bench));
		bench->seed = seed;
		bench->random = seed;
		rig_init(&bench->rig, (3000 + chance(bench, 6000)) * MIB);
		make_host(bench);
		live_through(bench);
		rig_done(&bench->rig);
		free(bench);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(invariants_hold_whatever_happens),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
