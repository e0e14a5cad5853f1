/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_REDACT_H
#define HOLDFAST_QUICK_REDACT_H

#include <stddef.h>

/*
 * What a file asks of the machine, for whoever keeps it so: addresses, name servers, MTU, table, mark, port, and of
 * the peers public keys, allowed IPs, endpoints and keepalives. Everything else goes: keys, hooks, SaveConfig and
 * comments, which may hold keys too. What is left reads as the file would. The caller frees.
 */
char *quick_redact(const char *text, size_t size);

#endif
