/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether a rule of `momctl doctor` applies, and to which figures: `size` and `other` of
 * the finding are what the rule's texts tell. Functions of their arguments.
 */

#include "momctl/doctor.h"

/* doctor_host_checks.c */
bool check_no_momd(const struct doctor *all, struct finding *finding);
bool check_no_access(const struct doctor *all, struct finding *finding);
bool check_no_libvirt(const struct doctor *all, struct finding *finding);
bool check_only_reads(const struct doctor *all, struct finding *finding);
bool check_exhausted(const struct doctor *all, struct finding *finding);
bool check_dry_run(const struct doctor *all, struct finding *finding);
bool check_all_paused(const struct doctor *all, struct finding *finding);
bool check_no_policy(const struct doctor *all, struct finding *finding);
bool check_momd_warns(const struct doctor *all, struct finding *finding);
bool check_no_swap(const struct doctor *all, struct finding *finding);
bool check_swap_full(const struct doctor *all, struct finding *finding);
bool check_no_zswap(const struct doctor *all, struct finding *finding);
bool check_restart_short(const struct doctor *all, struct finding *finding);
bool check_restart_swaps(const struct doctor *all, struct finding *finding);
bool check_strict_overcommit(const struct doctor *all, struct finding *finding);
bool check_huge_pages_idle(const struct doctor *all, struct finding *finding);
bool check_ksm_off(const struct doctor *all, struct finding *finding);
bool check_ksm_contested(const struct doctor *all, struct finding *finding);
bool check_killer_at_work(const struct doctor *all, struct finding *finding);
bool check_other_manager(const struct doctor *all, struct finding *finding);
bool check_pool_short_v1(const struct doctor *all, struct finding *finding);
bool check_pool_short_v2(const struct doctor *all, struct finding *finding);

/* doctor_guest_checks.c */
bool check_no_balloon(const struct doctor *all, struct finding *finding);
bool check_no_driver(const struct doctor *all, struct finding *finding);
bool check_no_service(const struct doctor *all, struct finding *finding);
bool check_no_period(const struct doctor *all, struct finding *finding);
bool check_stale(const struct doctor *all, struct finding *finding);
bool check_partial(const struct doctor *all, struct finding *finding);
bool check_values_refused(const struct doctor *all, struct finding *finding);
bool check_stuck(const struct doctor *all, struct finding *finding);
bool check_yields_nothing(const struct doctor *all, struct finding *finding);
bool check_held(const struct doctor *all, struct finding *finding);
bool check_hung_stopped(const struct doctor *all, struct finding *finding);
bool check_hung_otherwise(const struct doctor *all, struct finding *finding);
bool check_disk_failed(const struct doctor *all, struct finding *finding);
bool check_stands_still(const struct doctor *all, struct finding *finding);
bool check_asleep(const struct doctor *all, struct finding *finding);
bool check_crashed(const struct doctor *all, struct finding *finding);
bool check_busy(const struct doctor *all, struct finding *finding);
bool check_orders_refused(const struct doctor *all, struct finding *finding);
bool check_unmanaged(const struct doctor *all, struct finding *finding);
bool check_one_paused(const struct doctor *all, struct finding *finding);
bool check_booting(const struct doctor *all, struct finding *finding);
bool check_settings_trouble(const struct doctor *all, struct finding *finding);
bool check_min_too_high(const struct doctor *all, struct finding *finding);
bool check_min_too_low(const struct doctor *all, struct finding *finding);
bool check_max_too_low(const struct doctor *all, struct finding *finding);
bool check_too_small(const struct doctor *all, struct finding *finding);
bool check_squeezed(const struct doctor *all, struct finding *finding);
bool check_ran_out(const struct doctor *all, struct finding *finding);
bool check_swapped_out(const struct doctor *all, struct finding *finding);
bool check_passthrough(const struct doctor *all, struct finding *finding);
bool check_locked(const struct doctor *all, struct finding *finding);
bool check_on_huge_pages(const struct doctor *all, struct finding *finding);
bool check_limit_too_low(const struct doctor *all, struct finding *finding);
bool check_emulated(const struct doctor *all, struct finding *finding);
bool check_no_acpi(const struct doctor *all, struct finding *finding);
bool check_keeps_free_pages(const struct doctor *all, struct finding *finding);
bool check_no_autodeflate(const struct doctor *all, struct finding *finding);
bool check_unmergeable(const struct doctor *all, struct finding *finding);
bool check_writethrough(const struct doctor *all, struct finding *finding);
bool check_directsync(const struct doctor *all, struct finding *finding);
bool check_cached_twice(const struct doctor *all, struct finding *finding);
bool check_cached_nowhere(const struct doctor *all, struct finding *finding);
bool check_unsafe_disk(const struct doctor *all, struct finding *finding);
bool check_slow_disk(const struct doctor *all, struct finding *finding);
bool check_slow_nic(const struct doctor *all, struct finding *finding);
