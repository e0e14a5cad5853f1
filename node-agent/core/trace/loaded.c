/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/trace/loaded.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

static void clear_expr(struct loaded_expr *expr)
{
	if (expr->op == LOADED_VERDICT)
		free(expr->verdict.chain);
	if (expr->op == LOADED_LOOKUP)
		free(expr->lookup.set);
}

static void clear_rules(struct loaded_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		for (size_t j = 0; j < chain->rules[i].count; j++)
			clear_expr(&chain->rules[i].exprs[j]);
		free(chain->rules[i].exprs);
		free(chain->rules[i].comment);
	}
	chain->count = 0;
}

void loaded_clear_rules(struct loaded_ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++)
		for (size_t j = 0; j < ruleset->tables[i].chain_count; j++)
			clear_rules(&ruleset->tables[i].chains[j]);
	ruleset->rule_count = 0;
	ruleset->incomplete = false;
}

void loaded_clear_chains(struct loaded_table *table)
{
	for (size_t i = 0; i < table->chain_count; i++) {
		struct loaded_chain *chain = &table->chains[i];

		clear_rules(chain);
		free(chain->rules);
		free(chain->devices);
		free(chain->name);
	}
	table->chain_count = 0;
}

void loaded_clear_elements(struct loaded_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->elements[i].verdict.chain);
	set->count = 0;
}

void loaded_clear_sets(struct loaded_table *table)
{
	for (size_t i = 0; i < table->set_count; i++) {
		loaded_clear_elements(&table->sets[i]);
		free(table->sets[i].elements);
		free(table->sets[i].name);
	}
	table->set_count = 0;
}

static void clear_table(struct loaded_table *table)
{
	loaded_clear_chains(table);
	loaded_clear_sets(table);
	free(table->chains);
	free(table->sets);
	free(table->name);
}

void loaded_clear(struct loaded_ruleset *ruleset)
{
	if (!ruleset)
		return;
	for (size_t i = 0; i < ruleset->count; i++)
		clear_table(&ruleset->tables[i]);
	free(ruleset->tables);
	*ruleset = (struct loaded_ruleset){0};
}

int loaded_register(uint32_t number, uint8_t *ret_offset)
{
	if (number >= NFT_REG_1 && number <= NFT_REG_4)
		*ret_offset = (uint8_t)((number - NFT_REG_1) * NFT_REG_SIZE);
	else if (number >= NFT_REG32_00 && number <= NFT_REG32_15)
		*ret_offset = (uint8_t)((number - NFT_REG32_00) * NFT_REG32_SIZE);
	else
		return -ERANGE;
	return 0;
}

struct loaded_table *loaded_add_table(struct loaded_ruleset *ruleset, uint32_t family, const char *name)
{
	struct loaded_table *table;

	ruleset->tables =
		mem_grow(ruleset->tables, &ruleset->capacity, ruleset->count + 1, sizeof *ruleset->tables);
	table = &ruleset->tables[ruleset->count++];
	*table = (struct loaded_table){.family = family, .name = mem_text(name)};
	return table;
}

struct loaded_chain *loaded_add_chain(struct loaded_table *table, const char *name)
{
	struct loaded_chain *chain;

	table->chains = mem_grow(
		table->chains, &table->chain_capacity, table->chain_count + 1, sizeof *table->chains);
	chain = &table->chains[table->chain_count++];
	*chain = (struct loaded_chain){.name = mem_text(name), .policy = NF_ACCEPT};
	return chain;
}

struct loaded_set *loaded_add_set(struct loaded_table *table, const char *name)
{
	struct loaded_set *set;

	table->sets = mem_grow(table->sets, &table->set_capacity, table->set_count + 1, sizeof *table->sets);
	set = &table->sets[table->set_count++];
	*set = (struct loaded_set){.name = mem_text(name)};
	return set;
}

struct loaded_rule *loaded_add_rule(struct loaded_ruleset *ruleset, struct loaded_chain *chain)
{
	struct loaded_rule *rule;

	if (ruleset->rule_count == LOADED_RULES_MAX) {
		ruleset->incomplete = true;
		return NULL;
	}
	ruleset->rule_count++;
	chain->rules = mem_grow(chain->rules, &chain->capacity, chain->count + 1, sizeof *chain->rules);
	rule = &chain->rules[chain->count++];
	*rule = (struct loaded_rule){0};
	return rule;
}

struct loaded_element *loaded_add_element(struct loaded_set *set)
{
	struct loaded_element *element;

	if (set->count == LOADED_ELEMENTS_MAX) {
		set->incomplete = true;
		return NULL;
	}
	set->elements = mem_grow(set->elements, &set->capacity, set->count + 1, sizeof *set->elements);
	element = &set->elements[set->count++];
	*element = (struct loaded_element){0};
	return element;
}

struct loaded_expr *loaded_add_expr(struct loaded_rule *rule, enum loaded_op op)
{
	struct loaded_expr *expr;

	if (rule->count == LOADED_EXPRS_MAX)
		return NULL;
	rule->exprs = mem_grow(rule->exprs, &rule->capacity, rule->count + 1, sizeof *rule->exprs);
	expr = &rule->exprs[rule->count++];
	*expr = (struct loaded_expr){.op = op};
	return expr;
}

struct loaded_expr *loaded_add_what(struct loaded_rule *rule, enum loaded_op op, const char *format, ...)
{
	struct loaded_expr *expr = loaded_add_expr(rule, op);
	va_list arguments;

	if (!expr)
		return NULL;
	va_start(arguments, format);
	vsnprintf(expr->what, sizeof expr->what, format, arguments);
	va_end(arguments);
	return expr;
}

void loaded_add_device(struct loaded_chain *chain, const char *name)
{
	chain->devices = mem_grow(
		chain->devices, &chain->device_capacity, chain->device_count + 1, sizeof *chain->devices);
	text_copy(chain->devices[chain->device_count++], IFNAMSIZ, name);
}

struct loaded_chain *loaded_find_chain(const struct loaded_table *table, const char *name)
{
	for (size_t i = 0; name && i < table->chain_count; i++)
		if (strcmp(table->chains[i].name, name) == 0)
			return &table->chains[i];
	return NULL;
}

const struct loaded_set *loaded_find_set(const struct loaded_table *table, const char *name)
{
	for (size_t i = 0; i < table->set_count; i++)
		if (strcmp(table->sets[i].name, name) == 0)
			return &table->sets[i];
	return NULL;
}

const char *loaded_family_name(uint32_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_NETDEV:
		return "netdev";
	case NFPROTO_BRIDGE:
		return "bridge";
	default: /* a number, not an enum */
		return "?";
	}
}
