/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_mark.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/nft/load_take.h"

static uint8_t buffer[2048];
static struct loaded_ruleset ruleset;

static struct nlmsghdr *start(uint16_t type)
{
	struct nlmsghdr *message;
	struct nfgenmsg *header;

	memset(buffer, 0, sizeof buffer);
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, "t"); /* the same attribute of all objects */
	return message;
}

static void setup(void)
{
	ruleset = (struct loaded_ruleset){0};
	ck_assert_int_eq(nft_load_take_table(start(NFT_MSG_NEWTABLE), &ruleset), 0);
}

static void teardown(void)
{
	loaded_clear(&ruleset);
}

static struct nlmsghdr *named(uint16_t type, uint16_t name_type, const char *name)
{
	struct nlmsghdr *message = start(type);

	mnl_attr_put_strz(message, name_type, name);
	return message;
}

static void put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(message, type, htonl(value));
}

static int take_set_of_key(uint32_t length)
{
	struct nlmsghdr *message = named(NFT_MSG_NEWSET, NFTA_SET_NAME, "s");

	put_u32(message, NFTA_SET_KEY_LEN, length);
	return nft_load_take_set(message, &ruleset);
}

static int take_set_of_fields(size_t count, uint32_t length)
{
	struct nlmsghdr *message = named(NFT_MSG_NEWSET, NFTA_SET_NAME, "s");
	struct nlattr *desc = mnl_attr_nest_start(message, NFTA_SET_DESC);
	struct nlattr *concat = mnl_attr_nest_start(message, NFTA_SET_DESC_CONCAT);

	for (size_t i = 0; i < count; i++) {
		struct nlattr *field = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

		put_u32(message, NFTA_SET_FIELD_LEN, length);
		mnl_attr_nest_end(message, field);
	}
	mnl_attr_nest_end(message, concat);
	mnl_attr_nest_end(message, desc);
	return nft_load_take_set(message, &ruleset);
}

START_TEST(test_a_key_is_no_longer_than_the_registers)
{
	ck_assert_int_eq(take_set_of_key(LOADED_VALUE_MAX), 0);
	ck_assert_uint_eq(ruleset.tables[0].sets[0].key_length, LOADED_VALUE_MAX);
	ck_assert_int_eq(take_set_of_key(LOADED_VALUE_MAX + 1), -EBADMSG);
	ck_assert_int_eq(take_set_of_key(256 + 4), -EBADMSG); /* 4, if it were cut */
}
END_TEST

START_TEST(test_a_field_is_no_longer_than_the_registers)
{
	ck_assert_int_eq(take_set_of_fields(1, LOADED_VALUE_MAX), 0);
	ck_assert_uint_eq(ruleset.tables[0].sets[0].fields[0], LOADED_VALUE_MAX);
	ck_assert_int_eq(take_set_of_fields(1, LOADED_VALUE_MAX + 1), -EBADMSG);
	ck_assert_int_eq(take_set_of_fields(1, 256 + 4), -EBADMSG);
	ck_assert_int_eq(take_set_of_fields(1, 0), -EBADMSG);
}
END_TEST

START_TEST(test_fields_are_as_many_as_registers)
{
	ck_assert_int_eq(take_set_of_fields(LOADED_FIELDS_MAX, 4), 0);
	ck_assert_uint_eq(ruleset.tables[0].sets[0].field_count, LOADED_FIELDS_MAX);
	ck_assert_int_eq(take_set_of_fields(LOADED_FIELDS_MAX + 1, 4), -EBADMSG);
}
END_TEST

START_TEST(test_what_has_no_name_is_refused)
{
	ck_assert_int_eq(nft_load_take_set(start(NFT_MSG_NEWSET), &ruleset), -EBADMSG);
	ck_assert_int_eq(nft_load_take_chain(start(NFT_MSG_NEWCHAIN), &ruleset), -EBADMSG);
	ck_assert_uint_eq(ruleset.tables[0].set_count + ruleset.tables[0].chain_count, 0);
}
END_TEST

START_TEST(test_a_message_shorter_than_its_header)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	for (size_t i = 0; i < sizeof(struct nfgenmsg); i++) {
		struct nlmsghdr *exact;

		message->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + i);
		exact = mem_copy(message, message->nlmsg_len);
		exact->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE;
		ck_assert_int_eq(nft_load_take_table(exact, &ruleset), -EBADMSG);
		ck_assert_int_eq(nft_load_take_chain(exact, &ruleset), -EBADMSG);
		ck_assert_int_eq(nft_load_take_set(exact, &ruleset), -EBADMSG);
		ck_assert_int_eq(nft_load_take_rule(exact, &ruleset), 0); /* of no table */
		free(exact);
	}
	ck_assert_uint_eq(ruleset.rule_count, 0);
}
END_TEST

static struct loaded_rule *take_rule(const char *expression)
{
	struct nlmsghdr *message = named(NFT_MSG_NEWRULE, NFTA_RULE_CHAIN, "c");
	struct nlattr *list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
	struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	mnl_attr_put_strz(message, NFTA_EXPR_NAME, expression);
	mnl_attr_nest_end(message, element);
	mnl_attr_nest_end(message, list);
	ck_assert_int_eq(nft_load_take_rule(message, &ruleset), 0);
	return &ruleset.tables[0].chains[0].rules[ruleset.rule_count - 1];
}

START_TEST(test_an_expression_not_known_may_do_anything)
{
	const struct loaded_rule *rule;

	ck_assert_int_eq(nft_load_take_chain(named(NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, "c"), &ruleset), 0);
	rule = take_rule("notrack");
	ck_assert_uint_eq(rule->count, 1);
	ck_assert_int_eq(rule->exprs[0].op, LOADED_NOTRACK);
	rule = take_rule("of-a-later-kernel");
	ck_assert_uint_eq(rule->count, 2);
	ck_assert_int_eq(rule->exprs[0].op, LOADED_PERHAPS);
	ck_assert_int_eq(rule->exprs[1].op, LOADED_AWAY);
}
END_TEST

static const struct loaded_expr *take_match(
	const char *name, uint32_t revision, const void *info, size_t size)
{
	struct nlmsghdr *message = named(NFT_MSG_NEWRULE, NFTA_RULE_CHAIN, "c");
	struct nlattr *list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
	struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM), *data;

	mnl_attr_put_strz(message, NFTA_EXPR_NAME, "match");
	data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
	mnl_attr_put_strz(message, NFTA_MATCH_NAME, name);
	put_u32(message, NFTA_MATCH_REV, revision);
	mnl_attr_put(message, NFTA_MATCH_INFO, size, info);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, element);
	mnl_attr_nest_end(message, list);
	ck_assert_int_eq(nft_load_take_rule(message, &ruleset), 0);
	return ruleset.tables[0].chains[0].rules[ruleset.rule_count - 1].exprs;
}

/* Its data is a struct of the kernel's, as long as that says; a word shorter and it is something else. */
START_TEST(test_an_extension_of_xtables_is_as_long_as_its_revision_says)
{
	struct xt_mark_mtinfo1 info = {.mark = 0x10, .mask = 0xf0};
	const struct loaded_expr *exprs;

	ck_assert_int_eq(nft_load_take_chain(named(NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME, "c"), &ruleset), 0);
	exprs = take_match("mark", 1, &info, sizeof info);
	ck_assert_int_eq(exprs[0].op, LOADED_META);
	ck_assert_int_eq(exprs[1].op, LOADED_BITWISE);
	ck_assert_int_eq(exprs[2].op, LOADED_COMPARE);
	ck_assert_uint_eq(exprs[2].compare.how, NFT_CMP_EQ);
	ck_assert_int_eq(take_match("mark", 1, &info, sizeof info - sizeof info.mask)->op, LOADED_PERHAPS);
	ck_assert_int_eq(take_match("mark", 2, &info, sizeof info)->op, LOADED_PERHAPS);
	ck_assert_int_eq(take_match("owner", 1, &info, sizeof info)->op, LOADED_PERHAPS);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("nft load");
	TCase *tcase = tcase_create("nft load");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_a_key_is_no_longer_than_the_registers);
	tcase_add_test(tcase, test_a_field_is_no_longer_than_the_registers);
	tcase_add_test(tcase, test_fields_are_as_many_as_registers);
	tcase_add_test(tcase, test_what_has_no_name_is_refused);
	tcase_add_test(tcase, test_a_message_shorter_than_its_header);
	tcase_add_test(tcase, test_an_expression_not_known_may_do_anything);
	tcase_add_test(tcase, test_an_extension_of_xtables_is_as_long_as_its_revision_says);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
