/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/firewall/catch.h"

#include <limits.h>

#include "common/base/mem.h"
#include "node-agent/core/firewall/compose.h"

enum {
	PRIORITY_LAST = INT_MAX - 1,
	/* An ICMP error quotes the packet after 8 bytes of its own (RFC 792, RFC 4443). */
	QUOTED4_OFFSET = 8 + 20 + FW_CATCH_TOKEN_OFFSET,
	QUOTED6_OFFSET = 8 + 40 + FW_CATCH_TOKEN_OFFSET,
};

static void add_catch(struct fw_chain *chain, const struct fw_catch *catch, size_t offset, const char *device)
{
	struct fw_rule *rule = fw_add_rule(chain);

	rule_token(rule, offset, catch->token);
	if (device)
		rule_oifname(rule, FW_EQUAL, device);
	rule_count_and_drop(rule);
}

/* First what it is about; then whatever else has the token: it leaves by another interface, is an echo, or an error. */
struct fw_ruleset *firewall_catch(const struct fw_catch *catches, size_t count)
{
	struct fw_ruleset *ruleset = mem_new(1, sizeof *ruleset);
	struct fw_table *table = fw_add_table(ruleset, FW_INET, FW_CATCH_TABLE);
	struct fw_chain *chain =
		fw_add_chain(table, FW_CATCH_CHAIN, FW_FILTER, FW_POSTROUTING, PRIORITY_LAST);

	for (size_t i = 0; i < count; i++) {
		add_catch(chain, &catches[i], FW_CATCH_TOKEN_OFFSET, catches[i].device);
		add_catch(chain, &catches[i], FW_CATCH_TOKEN_OFFSET, NULL);
		add_catch(chain, &catches[i], QUOTED4_OFFSET, NULL);
		add_catch(chain, &catches[i], QUOTED6_OFFSET, NULL);
	}
	return ruleset;
}
