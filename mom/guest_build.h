/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How a guest is put together, as far as its memory is concerned: what `momctl doctor`
 * looks at, and nobody else. Plain data, read once a run of the guest.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_DISKS_MAX 8 /* further ones aren't kept */
#define GUEST_NICS_MAX  4

/* A disk that the guest writes to: no CD, no floppy. */
struct guest_disk {
	char target[12]; /* "vda" */
	char bus[8];     /* "virtio" is also a SCSI disk at a virtio controller */
	char cache[16];  /* as the XML says; "" the hypervisor's default */
	bool remote; /* over the network by QEMU itself: the host caches nothing of it */
};

struct guest_nic {
	char mac[18];
	char model[16]; /* "" the hypervisor's default */
};

struct guest_build {
	bool known;    /* the domain's XML could be read */
	bool emulated; /* by software, without the processor's help */
	bool acpi;
	bool passthrough; /* a device of the host is the guest's: all its memory is pinned
			   */
	bool shared;      /* RAM is shared memory, which KSM doesn't merge */
	bool free_page_reporting;
	uint64_t stats_period_s;                      /* 0: no statistics */
	uint64_t hard_limit_kib, swap_hard_limit_kib; /* of its own cgroup; 0 none */
	char os[64]; /* libosinfo's name of the system, without "http://"; "" none */
	struct guest_disk disks[GUEST_DISKS_MAX];
	size_t disk_count;
	struct guest_nic nics[GUEST_NICS_MAX];
	size_t nic_count;
};
