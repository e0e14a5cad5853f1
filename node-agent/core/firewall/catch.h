/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_CATCH_H
#define HOLDFAST_FIREWALL_CATCH_H

#include <stddef.h>
#include <stdint.h>

#include "node-agent/core/firewall/ruleset.h"

/*
 * A table that catches packets by a token they carry, after everybody else's rules and before they leave: forwarded ones, and
 * this host's answers to them (ICMP errors; an echo, should a rule have sent the request to this host itself). It comes before
 * connections are confirmed (priority INT_MAX), so none is left behind.
 */
#define FW_CATCH_TABLE "holdfast_catch"
#define FW_CATCH_CHAIN "leaving"

enum {
	FW_CATCH_TOKEN_BYTES = 16, /* behind a transport header of FW_CATCH_TOKEN_OFFSET bytes */
	FW_CATCH_TOKEN_OFFSET = 8,
	FW_CATCHES_MAX = 64,
	FW_CATCH_RULES = 4, /* of each */
};

struct fw_catch {
	uint8_t token[FW_CATCH_TOKEN_BYTES];
	const char *device; /* that it should leave by */
};

/* FW_CATCH_CHAIN has FW_CATCH_RULES rules for each catch, in order; the first of them counts what leaves by its device. Free with
 * fw_ruleset_free(). */
struct fw_ruleset *firewall_catch(const struct fw_catch *catches, size_t count);

#endif
