/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <sys/socket.h>

#include "node-agent/core/firewall/print.h"

static void print_constant(struct printer *printer)
{
	printer_address(printer, printer->constant.length == 4 ? AF_INET : AF_INET6, &printer->constant);
}

/* Does this expression imply what was compared of `meta`? A payload implies its protocol, ICMPv6 implies IPv6. */
static bool implies(const struct fw_expr *expr, enum fw_meta meta)
{
	if (expr->op == FW_OP_PAYLOAD)
		return expr->payload.base ==
		       (meta == FW_META_NFPROTO || meta == FW_META_PROTOCOL ? FW_NETWORK : FW_TRANSPORT);
	return meta == FW_META_NFPROTO && expr->op == FW_OP_COMPARE && expr[-1].op == FW_OP_META &&
	       expr[-1].meta == FW_META_L4PROTO && expr->value.bytes[0] == IPPROTO_ICMPV6;
}

/* Does a later phrase say it too? "meta l4proto udp udp sport 51820" is listed as "udp sport 51820". */
static bool is_implied(const struct printer *printer, const struct fw_expr *compare)
{
	if (printer->loaded->op != FW_OP_META)
		return false;
	enum fw_meta meta = printer->loaded->meta;
	if (meta != FW_META_NFPROTO && meta != FW_META_L4PROTO && meta != FW_META_PROTOCOL)
		return false;
	const struct fw_expr *end = printer->rule->exprs + printer->rule->count;
	for (const struct fw_expr *expr = compare + 1; expr < end; expr++)
		if (implies(expr, meta))
			return true;
	return false;
}

static void learn(struct printer *printer, const struct fw_expr *compare)
{
	if (printer->loaded->op != FW_OP_META)
		return;
	if (printer->loaded->meta == FW_META_NFPROTO)
		printer->family = compare->value.bytes[0] == AF_INET ? FW_IP : FW_IP6;
	if (printer->loaded->meta == FW_META_PROTOCOL)
		printer->family = printer_is_ip4(&compare->value) ? FW_IP : FW_IP6;
	if (printer->loaded->meta == FW_META_L4PROTO)
		printer->protocol = compare->value.bytes[0];
}

static void print_compare(struct printer *printer, const struct fw_expr *expr)
{
	bool negated = expr->compare == FW_NOT_EQUAL && printer->loaded->op != FW_OP_CT_STATE;
	learn(printer, expr);
	if (is_implied(printer, expr))
		return;
	text_add(printer->text, " %s%s ", printer_loaded_name(printer), negated ? " !=" : "");
	printer_value(printer, &expr->value);
}

static void print_lookup(struct printer *printer, const struct fw_expr *expr)
{
	text_add(printer->text, " %s%s @%s", printer_loaded_name(printer),
		expr->compare == FW_NOT_EQUAL ? " !=" : "", expr->set);
}

static void print_payload_set(struct printer *printer, const struct fw_expr *expr)
{
	text_add(printer->text, " %s set ", printer_payload_name(printer, &expr->payload));
	print_constant(printer);
}

static void print_snat(struct printer *printer, const struct fw_expr *expr)
{
	text_add(printer->text, " snat %s to ", fw_family_name(expr->nat));
	print_constant(printer);
}

static void print_forward(struct printer *printer, const struct fw_expr *expr)
{
	uint8_t family = expr->forward.to.length == 4 ? AF_INET : AF_INET6;
	text_add(printer->text, " fwd %s to ", family == AF_INET ? "ip" : "ip6");
	printer_address(printer, family, &expr->forward.to);
	text_add(printer->text, " device \"%s\"", expr->forward.device);
}

static void load(struct printer *printer, const struct fw_expr *expr)
{
	printer->loaded = expr;
	printer->mask.length = 0;
}

static void print_expr(struct printer *printer, const struct fw_expr *expr)
{
	switch (expr->op) {
	case FW_OP_META:
	case FW_OP_PAYLOAD:
	case FW_OP_CT_MARK:
	case FW_OP_CT_STATE:
	case FW_OP_FIB_TYPE:
		load(printer, expr);
		break;
	case FW_OP_LOAD:
		printer->constant = expr->value;
		break;
	case FW_OP_MASK:
		printer->mask = expr->value;
		break;
	case FW_OP_COMPARE:
		print_compare(printer, expr);
		break;
	case FW_OP_LOOKUP:
		print_lookup(printer, expr);
		break;
	case FW_OP_META_SET:
		text_add(printer->text, " %s set %s", printer_meta_name(expr->meta),
			printer_loaded_name(printer));
		break;
	case FW_OP_CT_MARK_SET:
		text_add(printer->text, " ct mark set %s", printer_loaded_name(printer));
		break;
	case FW_OP_PAYLOAD_SET:
		print_payload_set(printer, expr);
		break;
	case FW_OP_ROUTE_TCPMSS:
	case FW_OP_TO_NETWORK:
		break; /* said by what follows */
	case FW_OP_TCPMSS_SET:
		text_add(printer->text, " tcp option maxseg size set rt mtu");
		break;
	case FW_OP_SNAT:
		print_snat(printer, expr);
		break;
	case FW_OP_MASQUERADE:
		text_add(printer->text, " masquerade");
		break;
	case FW_OP_COUNTER:
		text_add(printer->text, " counter");
		break;
	case FW_OP_VERDICT:
		text_add(printer->text, " %s", expr->verdict == FW_ACCEPT ? "accept" : "drop");
		break;
	case FW_OP_LEARN:
		text_add(printer->text, " update @%s { %s }", expr->set, printer_loaded_name(printer));
		break;
	case FW_OP_FORWARD:
		print_forward(printer, expr);
		break;
	}
}

void fw_rule_print(const struct fw_rule *rule, enum fw_family family, struct text *text)
{
	struct text phrases = {0};
	struct printer printer = {.text = &phrases, .rule = rule, .family = family};
	for (size_t i = 0; i < rule->count; i++)
		print_expr(&printer, &rule->exprs[i]);
	text_add(text, "\t\t%s\n", phrases.data ? phrases.data + 1 : ""); /* without the first space */
	text_clear(&phrases);
}
