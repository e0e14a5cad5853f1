/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_FLEET_DNS_H
#define HOLDFAST_AGENT_QUICK_FLEET_DNS_H

#include "common/base/err.h"
#include "common/base/texts.h"

/*
 * Name servers of a fleet's tunnel, in the network namespace of the caller: set and taken back as `up` and `down` do it for one
 * of theirs, by a journal of the same form, RUN/dns/NAME.json. Blocks for programs and for locks, some seconds if they hang: not for a loop.
 */

/* Servers and domains to search; what was set before for this tunnel, and says something else, is taken back. Nothing is done
 * if they are set. None of them: taken back; the journal stays until
 * that was done. Once cancel_fd is readable it stops as soon as it can, with -ECANCELED; -1: it does not. */
int quick_fleet_dns_set(const char *run_directory, const char *tunnel, const struct texts *dns, int cancel_fd,
	struct err *err);

#endif
