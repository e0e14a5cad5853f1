/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libnftnl/expr.h> /* after stdio.h, which it needs */

#include "common/base/text.h"
#include "node-agent/io/nft/listing.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/nft/observe.h"

/*
 * Rules are compared as libnftnl writes them in words, expression by expression: what was asked for, and what the
 * kernel says it has. A fingerprint kept in a comment would not notice a rule that somebody deleted by hand.
 */
enum { EXPR_TEXT_MAX = 512 };

static void __attribute__((format(printf, 2, 3)))
differ(struct nft_difference *difference, const char *format, ...)
{
	if (difference->differs)
		return; /* the first is told */
	difference->differs = true;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(difference->what, sizeof difference->what, format, arguments);
	va_end(arguments);
}

static bool expr_equal(const struct nftnl_expr *a, const struct nftnl_expr *b)
{
	char text_a[EXPR_TEXT_MAX] = "", text_b[EXPR_TEXT_MAX] = "";
	const char *name = nftnl_expr_get_str(a, NFTNL_EXPR_NAME);
	if (strcmp(name, nftnl_expr_get_str(b, NFTNL_EXPR_NAME)) != 0)
		return false;
	if (strcmp(name, "counter") == 0)
		return true; /* it has counted */
	nftnl_expr_snprintf(text_a, sizeof text_a, a, NFTNL_OUTPUT_DEFAULT, 0);
	nftnl_expr_snprintf(text_b, sizeof text_b, b, NFTNL_OUTPUT_DEFAULT, 0);
	return strcmp(text_a, text_b) == 0;
}

static bool rule_equal(const struct nftnl_rule *a, const struct nftnl_rule *b)
{
	struct nftnl_expr_iter *iter_a = nftnl_expr_iter_create(a), *iter_b = nftnl_expr_iter_create(b);
	const struct nftnl_expr *expr_a, *expr_b;
	do {
		expr_a = nftnl_expr_iter_next(iter_a);
		expr_b = nftnl_expr_iter_next(iter_b);
	} while (expr_a && expr_b && expr_equal(expr_a, expr_b));
	nftnl_expr_iter_destroy(iter_a);
	nftnl_expr_iter_destroy(iter_b);
	return !expr_a && !expr_b;
}

static struct nftnl_rule *next_of_chain(struct nftnl_rule_list_iter *iter, const char *chain)
{
	struct nftnl_rule *rule;
	do
		rule = nftnl_rule_list_iter_next(iter);
	while (rule && strcmp(nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN), chain) != 0);
	return rule;
}

static bool rule_is(const struct nftnl_rule *listed, const struct fw_table *table,
	const struct fw_chain *chain, size_t index)
{
	if (!listed)
		return false;
	struct nftnl_rule *wanted = nft_encode_rule(table, chain, &chain->rules[index]);
	bool equal = rule_equal(listed, wanted);
	nftnl_rule_free(wanted);
	return equal;
}

static void compare_rules(const struct listed_table *listed, const struct fw_table *table,
	const struct fw_chain *chain, struct nft_difference *difference)
{
	struct nftnl_rule_list_iter *iter = nftnl_rule_list_iter_create(listed->rules);
	const char *family = fw_family_name(table->family);
	for (size_t i = 0; i < chain->count && !difference->differs; i++)
		if (!rule_is(next_of_chain(iter, chain->name), table, chain, i))
			differ(difference, "%s %s %s: rule %zu", family, table->name, chain->name, i + 1);
	if (!difference->differs && next_of_chain(iter, chain->name))
		differ(difference, "%s %s %s: a rule too many", family, table->name, chain->name);
	nftnl_rule_list_iter_destroy(iter);
}

static void compare_chain(const struct listed_table *listed, const struct fw_table *table,
	const struct fw_chain *chain, struct nft_difference *difference)
{
	const struct nftnl_chain *found = nft_listed_chain(listed, chain->name);
	const char *family = fw_family_name(table->family);
	if (!found)
		differ(difference, "%s %s: no chain %s", family, table->name, chain->name);
	else if (!nft_chain_is(found, table, chain))
		differ(difference, "%s %s: chain %s is hooked in elsewhere", family, table->name,
			chain->name);
	else
		compare_rules(listed, table, chain, difference);
}

static const struct fw_chain *wanted_chain(const struct fw_table *table, const char *name)
{
	for (size_t i = 0; i < table->chain_count; i++)
		if (strcmp(table->chains[i].name, name) == 0)
			return &table->chains[i];
	return NULL;
}

static void compare_extra_chains(
	const struct listed_table *listed, const struct fw_table *table, struct nft_difference *difference)
{
	struct nftnl_chain_list_iter *iter = nftnl_chain_list_iter_create(listed->chains);
	const struct nftnl_chain *chain;
	while ((chain = nftnl_chain_list_iter_next(iter))) {
		const char *name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
		if (!wanted_chain(table, name))
			differ(difference, "%s %s: chain %.80s is not ours", fw_family_name(table->family),
				table->name, name);
	}
	nftnl_chain_list_iter_destroy(iter);
}

static void compare_sets(
	const struct listed_table *listed, const struct fw_table *table, struct nft_difference *difference)
{
	for (size_t i = 0; i < table->set_count; i++) {
		const struct nftnl_set *set = nft_listed_set(listed, table->sets[i].name);
		if (set && nft_set_is(set, &table->sets[i]))
			continue;
		difference->fence_missing = true;
		differ(difference, "%s %s: no set %s", fw_family_name(table->family), table->name,
			table->sets[i].name);
	}
}

void nft_compare_table(const struct listed_table *listed, const struct fw_table *table, const char *scope,
	struct nft_difference *difference)
{
	if (!listed) {
		difference->fence_missing |= table->set_count > 0;
		differ(difference, "%s %s: no such table", fw_family_name(table->family), table->name);
		return;
	}
	if (!table->set_count && strcmp(listed->scope, scope) != 0)
		differ(difference, "%s %s: its comment does not say \"%s\"", fw_family_name(table->family),
			table->name, scope);
	compare_sets(listed, table, difference);
	for (size_t i = 0; i < table->chain_count; i++)
		compare_chain(listed, table, &table->chains[i], difference);
	compare_extra_chains(listed, table, difference);
}

bool nft_is_left_over(const struct listed_table *listed, const struct fw_ruleset *ruleset)
{
	if (!ruleset->scope[0] || strcmp(listed->scope, ruleset->scope) != 0)
		return false;
	for (size_t i = 0; i < ruleset->count; i++)
		if (nft_family(ruleset->tables[i].family) == listed->family &&
			strcmp(ruleset->tables[i].name, listed->name) == 0)
			return false;
	return true;
}

static int list_once(struct nft *nft, const struct fw_ruleset *ruleset, struct listing *listing)
{
	int error = nft_list_tables(nft, listing);
	for (size_t i = 0; i < ruleset->count && !error; i++) {
		struct listed_table *listed = nft_listed(listing, &ruleset->tables[i]);
		if (listed)
			error = nft_list_contents(nft, listed);
	}
	return error;
}

/* A table may go between the list of tables and that of its sets. */
int nft_list_for(struct nft *nft, const struct fw_ruleset *ruleset, struct listing *listing)
{
	int error = -ENOENT;
	for (int attempt = 0; attempt < NFT_ATTEMPTS_MAX && error == -ENOENT; attempt++) {
		nft_listing_clear(listing);
		error = list_once(nft, ruleset, listing);
	}
	return error;
}

/* -EINVAL: no subsystem of that number (nfnetlink_rcv_msg(), net/netfilter/nfnetlink.c). */
int nft_explain_list(int error, struct err *err)
{
	if (error == -EINVAL)
		return err_set(err, -EPROTONOSUPPORT, "the kernel has no nftables (module nf_tables)");
	return err_set(err, error, "cannot list nftables: %s", strerror(-error));
}

int nft_has_table(struct nft *nft, enum fw_family family, const char *name, bool *ret_has, struct err *err)
{
	struct listing listing = {0};
	int error = nft_list_tables(nft, &listing);
	bool has = false;
	for (size_t i = 0; i < listing.count; i++)
		has |= listing.tables[i].family == nft_family(family) &&
		       strcmp(listing.tables[i].name, name) == 0;
	if (error && error != -EINVAL)
		error = nft_explain_list(error, err);
	else
		*ret_has = has; /* without nftables there is none */
	nft_listing_clear(&listing);
	return error == -EINVAL ? 0 : error;
}

void nft_compare(
	const struct listing *listing, const struct fw_ruleset *ruleset, struct nft_difference *difference)
{
	*difference = (struct nft_difference){0};
	for (size_t i = 0; i < ruleset->count; i++)
		nft_compare_table(nft_listed(listing, &ruleset->tables[i]), &ruleset->tables[i],
			ruleset->scope, difference);
	for (size_t i = 0; i < listing->count; i++)
		if (nft_is_left_over(&listing->tables[i], ruleset))
			differ(difference, "table %s is left over", listing->tables[i].name);
}

int nft_observe(struct nft *nft, const struct fw_ruleset *ruleset, struct nft_difference *ret_difference,
	struct err *err)
{
	struct listing listing = {0};
	int error = nft_list_for(nft, ruleset, &listing);
	if (error)
		error = nft_explain_list(error, err);
	else
		nft_compare(&listing, ruleset, ret_difference);
	nft_listing_clear(&listing);
	return error;
}
