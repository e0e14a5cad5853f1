/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_PRINT_H
#define HOLDFAST_FIREWALL_PRINT_H

#include "common/base/text.h"
#include "node-agent/core/firewall/ruleset.h"

/*
 * Inside fw_ruleset_print() only. nft(8) lists the expression of a rule as phrases "what [!=] value". `loaded` is what was
 * loaded last; `protocol` and `family` are what the rule has compared before, since they decide what a payload is called
 * and since nft leaves them out where a later phrase implies them.
 */
struct printer {
	struct text *text;
	const struct fw_rule *rule;
	enum fw_family family; /* of the table; in inet of the packet, once compared */
	uint8_t protocol;
	const struct fw_expr *loaded; /* the last load */
	struct fw_value mask;         /* since then; length 0: none */
	struct fw_value constant;     /* loaded by FW_OP_LOAD */
};

/* print_rule.c: one line of a chain, of a table of this family. */
void fw_rule_print(const struct fw_rule *rule, enum fw_family family, struct text *text);

/* print_phrase.c: what a phrase is about: "iifname", "udp dport", and its value. */
const char *printer_meta_name(enum fw_meta meta);
const char *printer_payload_name(const struct printer *printer, const struct fw_payload *payload);
const char *printer_loaded_name(const struct printer *printer);
void printer_value(struct printer *printer, const struct fw_value *value);
void printer_address(struct printer *printer, uint8_t family, const struct fw_value *value); /* AF_... */
/* Of FW_META_PROTOCOL's two: ETH_P_IP is 0x0800, ETH_P_IPV6 0x86dd. */
bool printer_is_ip4(const struct fw_value *value);

#endif
