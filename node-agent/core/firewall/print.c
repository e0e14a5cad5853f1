/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "node-agent/core/firewall/print.h"

/* The names nft has for priorities; it prints others as numbers. */
static void print_priority(int priority, struct text *text)
{
	static const struct {
		int priority;
		const char *name;
	} names[] = {{-300, "raw"}, {-150, "mangle"}, {0, "filter"}, {100, "srcnat"}};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (names[i].priority == priority) {
			text_add(text, "%s", names[i].name);
			return;
		}
	}
	text_add(text, "%d", priority);
}

static void print_chain(const struct fw_chain *chain, enum fw_family family, struct text *text)
{
	text_add(text, "\tchain %s {\n\t\ttype %s hook %s ", chain->name, fw_type_name(chain->type),
		fw_hook_name(chain->hook));
	if (chain->device[0])
		text_add(text, "device \"%s\" ", chain->device);
	text_add(text, "priority ");
	print_priority(chain->priority, text);
	text_add(text, "; policy accept;\n");
	for (size_t i = 0; i < chain->count; i++)
		fw_rule_print(&chain->rules[i], family, text);
	text_add(text, "\t}\n");
}

static const char *key_text(enum fw_key key)
{
	switch (key) {
	case FW_KEY_IPV4:
		return "type ipv4_addr";
	case FW_KEY_IPV6:
		return "type ipv6_addr";
	case FW_KEY_MARK:
		return "type mark";
	case FW_KEY_ND_TARGET:
		return "typeof @th,64,128";
	case FW_KEY_INDEX:
		return "typeof @th,96,32";
	}
	abort();
}

static void print_set(const struct fw_set *set, struct text *text)
{
	text_add(text, "\tset %s {\n\t\t%s\n", set->name, key_text(set->key));
	if (set->size)
		text_add(text,
			"\t\tsize %u\n\t\tflags dynamic,timeout\n\t\ttimeout %um\n\t\tcomment \"%s\"\n\t}\n",
			set->size, set->timeout_ms / 60000, set->comment);
	else if (set->interval)
		text_add(text, "\t\tflags interval\n\t}\n");
	else
		text_add(text, "\t\tflags timeout\n\t}\n");
}

static void print_table(const struct fw_table *table, const char *scope, struct text *text)
{
	text_add(text, "table %s %s {\n", fw_family_name(table->family), table->name);
	if (scope[0])
		text_add(text, "\tcomment \"holdfast %s\"\n", scope);
	for (size_t i = 0; i < table->set_count; i++) {
		text_add(text, "%s", i ? "\n" : "");
		print_set(&table->sets[i], text);
	}
	for (size_t i = 0; i < table->chain_count; i++) {
		text_add(text, "%s", table->set_count || i ? "\n" : "");
		print_chain(&table->chains[i], table->family, text);
	}
	text_add(text, "}\n");
}

char *fw_ruleset_print(const struct fw_ruleset *ruleset)
{
	struct text text = {0};
	for (size_t i = 0; i < ruleset->count; i++)
		print_table(&ruleset->tables[i], ruleset->scope, &text);
	return text_take(&text);
}
