/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_EXPLAIN_GATHER_H
#define HOLDFAST_IO_EXPLAIN_GATHER_H

#include "node-agent/core/explain/facts.h"

/*
 * Look at the kernel, whoever made the tunnel, and ask the agent on its socket, if one answers there. Changes nothing. Needs
 * CAP_NET_ADMIN. Clear *ret_facts with explain_facts_clear().
 *
 * -ENODEV: question->in is no interface. What could not be seen otherwise is an error as well, but for the firewall,
 * which the facts then say.
 */
int explain_gather(const struct explain_question *question, const char *agent_socket,
	struct explain_facts *ret_facts, struct err *err);

#endif
