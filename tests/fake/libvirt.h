/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A made-up libvirt: the functions of libvirt that the hypervisor calls, with guests
 * whose monitors hang as long as a test says. A program that links this in place of the
 * library runs hypervisors/ as it is, with its threads and deadlines, and no libvirtd.
 *
 * As seen with libvirt 9.0: a call that needs a hung monitor hangs for as long as the
 * monitor does; the next bulk call with NOWAIT goes by that guest; the next order to it
 * waits for the job and fails; whatever needs no monitor answers at once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long an order waits for a job before it is refused; libvirt has 30 s. */
#define FAKEVIR_JOB_MS 3000

/* Forget everything; no connection may be open. */
void fakevir_reset(void);

/* A guest that runs, of 256 MiB, with a statistics period; its number. */
unsigned fakevir_start(const char *name);
void fakevir_stop(unsigned guest);

/* It boots anew, and nobody is told. */
void fakevir_reboot(unsigned guest);
const char *fakevir_uuid(unsigned guest);
uint64_t fakevir_actual_kib(unsigned guest);

/* Its monitor doesn't answer until it is told to again. */
void fakevir_hang(unsigned guest, bool hangs);

/* libvirtd itself: no call is answered until it goes on, or until break. */
void fakevir_hang_daemon(bool hangs);

/* The connections break: calls that hang on libvirtd fail, and who listens is told. */
void fakevir_break(void);

/* Calls that hang on a monitor or on libvirtd now, and the most there ever were. */
unsigned fakevir_hanging(void);
unsigned fakevir_hanging_most(void);

/* Connections, and references to guests, that were not let go. */
unsigned fakevir_open(void);
