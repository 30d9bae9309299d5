/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * KVM and QEMU guests by way of libvirt. How many calls and threads there are at most is
 * `workers` of the environment, taken within 3 and 24; nothing that hangs adds to them.
 * Works with every URI that libvirt takes, its test driver included.
 */

#include "mom/hypervisor.h"

extern const struct hypervisor hypervisor_libvirt;
