/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where the facts of `momctl doctor` come from: momd's answers, and the host's own files.
 */

#include "momctl/doctor.h"

struct json_object;

/*
 * Take over what momd answered to "status" and to "doctor".
 *
 * Shape:  doc/control-protocol.md. Texts of the facts live as long as the answers; guests
 *         and pools are freed by doctor_done().
 */
void doctor_take_status(struct doctor *all, struct json_object *status);
void doctor_take_guests(struct doctor *all, struct json_object *guests);
void doctor_done(struct doctor *all);

/*
 * Read what the host tells: memory, swap, KSM; programs that are in the way; and what it
 * holds for one guest. What can't be read isn't known.
 *
 * Source: /proc/meminfo, /proc/swaps, /proc/sys/vm, /proc/PID; /sys/kernel/mm/ksm,
 *         /sys/module/zswap, memory.stat of the guest's cgroup
 */
void doctor_read_host(struct doctor_host *host, const char *proc, const char *sys);
void doctor_read_rivals(struct doctor_host *host, const char *proc);
void doctor_read_guest(struct doctor_guest *guest, const char *proc, const char *sys);
