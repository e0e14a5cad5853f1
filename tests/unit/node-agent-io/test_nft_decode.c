/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/firewall/permit.h"
#include "node-agent/io/nft/decode.h"
#include "node-agent/io/nft/listing.h"
#include "node-agent/io/nft/shape.h"
#include "node-agent/io/nft/udata.h"

static uint8_t buffer[1024];

static struct nlmsghdr *start(uint16_t type, uint8_t family)
{
	struct nlmsghdr *message;
	struct nfgenmsg *header;

	memset(buffer, 0, sizeof buffer);
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->nfgen_family = family;
	return message;
}

/* Attribute 1 is the table of every object. */
static struct nlmsghdr *named(uint16_t type, const char *table, uint16_t name_type, const char *name)
{
	struct nlmsghdr *message = start(type, NFPROTO_INET);

	if (table)
		mnl_attr_put_strz(message, NFTA_TABLE_NAME, table);
	if (name)
		mnl_attr_put_strz(message, name_type, name);
	return message;
}

static int decode_set(const char *table, const char *name)
{
	struct nftnl_set *set;
	int r = nft_decode_set(named(NFT_MSG_NEWSET, table, NFTA_SET_NAME, name), &set);

	if (r == 0)
		nftnl_set_free(set);
	return r;
}

static int decode_chain(const char *table, const char *name)
{
	struct nftnl_chain *chain;
	int r = nft_decode_chain(named(NFT_MSG_NEWCHAIN, table, NFTA_CHAIN_NAME, name), &chain);

	if (r == 0)
		nftnl_chain_free(chain);
	return r;
}

static int decode_rule(const char *table, const char *name)
{
	struct nftnl_rule *rule;
	int r = nft_decode_rule(named(NFT_MSG_NEWRULE, table, NFTA_RULE_CHAIN, name), &rule);

	if (r == 0)
		nftnl_rule_free(rule);
	return r;
}

START_TEST(test_objects_without_names_are_refused)
{
	struct nftnl_table *table;

	ck_assert_int_eq(decode_set("t", "s"), 0);
	ck_assert_int_eq(decode_set(NULL, "s"), -EBADMSG);
	ck_assert_int_eq(decode_set("t", NULL), -EBADMSG);
	ck_assert_int_eq(decode_chain("t", "c"), 0);
	ck_assert_int_eq(decode_chain(NULL, "c"), -EBADMSG);
	ck_assert_int_eq(decode_chain("t", NULL), -EBADMSG);
	ck_assert_int_eq(decode_rule("t", "c"), 0);
	ck_assert_int_eq(decode_rule(NULL, "c"), -EBADMSG);
	ck_assert_int_eq(decode_rule("t", NULL), -EBADMSG);
	ck_assert_int_eq(nft_decode_table(start(NFT_MSG_NEWTABLE, NFPROTO_INET), &table), -EBADMSG);
}
END_TEST

START_TEST(test_a_message_shorter_than_its_header_is_refused)
{
	struct nlmsghdr *message = start(NFT_MSG_NEWTABLE, NFPROTO_INET);
	struct nftnl_table *table;
	struct nftnl_set *set;
	struct nftnl_chain *chain;
	struct nftnl_rule *rule;

	message->nlmsg_len--;
	message = mem_copy(message, message->nlmsg_len);
	ck_assert_int_eq(nft_decode_table(message, &table), -EBADMSG);
	ck_assert_int_eq(nft_decode_set(message, &set), -EBADMSG);
	ck_assert_int_eq(nft_decode_chain(message, &chain), -EBADMSG);
	ck_assert_int_eq(nft_decode_rule(message, &rule), -EBADMSG);
	ck_assert_int_eq(nft_decode_news(message), NFT_NEWS_NONE);
	ck_assert_int_eq(nft_decode_expiration_ms(message), 0);
	free(message);
}
END_TEST

static const char *text_in(const void *data, size_t size_bytes)
{
	void *exact = mem_copy(data, size_bytes);
	const char *text = nft_udata_text(exact, size_bytes, 7);
	bool right = text && strcmp(text, "ab") == 0;

	free(exact);
	return right ? "ab" : text ? "something else" : "nothing";
}

START_TEST(test_user_data_lies_about_lengths)
{
	static const uint8_t data[] = {1, 2, 'x', 'y', 7, 3, 'a', 'b', 0};

	ck_assert_str_eq(text_in(data, sizeof data), "ab");
	ck_assert_str_eq(text_in(data, sizeof data - 1), "nothing");
	ck_assert_str_eq(text_in(data, 5), "nothing");
	ck_assert_str_eq(text_in("\x07\x02"
				 "ab",
				 4),
		"nothing"); /* no end */
	ck_assert_str_eq(text_in("\x07\x00", 2), "nothing");
	ck_assert_str_eq(text_in("\x07\xff"
				 "ab",
				 5),
		"nothing");
	ck_assert_str_eq(text_in("\x07\x03"
				 "ab\0\x01\xff",
				 7),
		"ab");
}
END_TEST

static enum nft_news news(uint16_t type, uint8_t family, const char *table)
{
	struct nlmsghdr *message = start(type, family);

	mnl_attr_put_strz(message, NFTA_TABLE_NAME, table);
	return nft_decode_news(message);
}

START_TEST(test_news)
{
	ck_assert_int_eq(news(NFT_MSG_NEWRULE, NFPROTO_INET, FW_TABLE), NFT_NEWS_CHANGED);
	ck_assert_int_eq(news(NFT_MSG_DELTABLE, NFPROTO_ARP, FW_TABLE), NFT_NEWS_GONE);
	ck_assert_int_eq(news(NFT_MSG_DELTABLE, NFPROTO_IPV6, "wg-quick-wg0"), NFT_NEWS_GONE);
	ck_assert_int_eq(news(NFT_MSG_DELTABLE, NFPROTO_NETDEV, "holdfast-steer-eth0"), NFT_NEWS_GONE);
	ck_assert_int_eq(news(NFT_MSG_DELTABLE, NFPROTO_NETDEV, "filter"), NFT_NEWS_OTHERS);
	ck_assert_int_eq(news(NFT_MSG_NEWRULE, NFPROTO_IPV4, "filter"), NFT_NEWS_OTHERS);
	ck_assert_int_eq(news(NFT_MSG_NEWGEN, NFPROTO_INET, FW_TABLE), NFT_NEWS_NONE);
	ck_assert_int_eq(nft_decode_news(start(NFT_MSG_DELTABLE, NFPROTO_INET)), NFT_NEWS_OTHERS);
}
END_TEST

static int64_t expiration(size_t bytes, uint64_t left_ms)
{
	struct nlmsghdr *message = start(NFT_MSG_NEWSETELEM, NFPROTO_INET);
	uint64_t value = htobe64(left_ms);
	struct nlattr *list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *element = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	mnl_attr_put(message, NFTA_SET_ELEM_EXPIRATION, bytes, &value);
	mnl_attr_nest_end(message, element);
	mnl_attr_nest_end(message, list);
	return nft_decode_expiration_ms(message);
}

START_TEST(test_expiration)
{
	ck_assert_int_eq(expiration(8, 700), 700);
	ck_assert_int_eq(expiration(7, 700), 0);
	ck_assert_int_eq(expiration(8, INT64_MAX), INT64_MAX);
	ck_assert_int_eq(expiration(8, (uint64_t)INT64_MAX + 1), INT64_MAX);
	ck_assert_int_eq(nft_decode_expiration_ms(start(NFT_MSG_NEWSETELEM, NFPROTO_INET)), 0);
}
END_TEST

START_TEST(test_tables_have_a_limit)
{
	struct nlmsghdr *message = named(NFT_MSG_NEWTABLE, "t", 0, NULL);
	struct listing listing = {0};
	unsigned i, taken = 0;

	for (i = 0; i < NFT_TABLES_MAX; i++)
		taken += nft_take_table(message, &listing) == 0;
	ck_assert_uint_eq(taken, NFT_TABLES_MAX);
	ck_assert_int_eq(nft_take_table(message, &listing), -E2BIG);
	nft_listing_clear(&listing);
}
END_TEST

static void take(struct listed_table *table, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		ck_assert_int_eq(nft_take_set(named(NFT_MSG_NEWSET, "t", NFTA_SET_NAME, "s"), table), 0);
		ck_assert_int_eq(
			nft_take_chain(named(NFT_MSG_NEWCHAIN, "t", NFTA_CHAIN_NAME, "c"), table), 0);
		ck_assert_int_eq(nft_take_rule(named(NFT_MSG_NEWRULE, "t", NFTA_RULE_CHAIN, "c"), table), 0);
	}
}

static void assert_counts(const struct listed_table *table, size_t count)
{
	struct nftnl_rule_list_iter *iter = nftnl_rule_list_iter_create(table->rules);
	size_t rules = 0;

	while (nftnl_rule_list_iter_next(iter))
		rules++;
	nftnl_rule_list_iter_destroy(iter);
	ck_assert_uint_eq(rules, count);
	ck_assert_uint_eq(table->rule_count, count);
	ck_assert_uint_eq(table->set_count, count);
	ck_assert_uint_eq(table->chain_count, count);
}

START_TEST(test_what_a_table_holds_has_a_limit)
{
	struct listing listing = {0};
	struct listed_table *table;

	ck_assert_int_eq(nft_take_table(named(NFT_MSG_NEWTABLE, "t", 0, NULL), &listing), 0);
	table = &listing.tables[0];
	nft_listed_start(table);
	take(table, NFT_LISTED_MAX);
	assert_counts(table, NFT_LISTED_MAX);
	take(table, 1);
	assert_counts(table, NFT_LISTED_MAX);
	nft_listed_start(table);
	assert_counts(table, 0);
	ck_assert_int_eq(nft_take_chain(named(NFT_MSG_NEWCHAIN, "other", NFTA_CHAIN_NAME, "c"), table), 0);
	ck_assert_uint_eq(table->chain_count, 0);
	nft_listing_clear(&listing);
}
END_TEST

/* libnftnl would end the process. */
START_TEST(test_an_attribute_of_a_wrong_size_is_refused)
{
	struct nlmsghdr *message = named(NFT_MSG_NEWCHAIN, "t", NFTA_CHAIN_NAME, "c");
	struct nftnl_chain *chain;
	struct nftnl_set *set;

	mnl_attr_put_u32(message, NFTA_CHAIN_HANDLE, 1);
	ck_assert_int_eq(nft_decode_chain(message, &chain), -EBADMSG);
	message = named(NFT_MSG_NEWCHAIN, "t", NFTA_CHAIN_NAME, "c");
	mnl_attr_put(message, NFTA_CHAIN_TYPE, 3, "nat"); /* no end */
	ck_assert_int_eq(nft_decode_chain(message, &chain), -EBADMSG);
	message = named(NFT_MSG_NEWSET, "t", NFTA_SET_NAME, "s");
	mnl_attr_put_u8(message, NFTA_SET_KEY_LEN, 4);
	ck_assert_int_eq(nft_decode_set(message, &set), -EBADMSG);
}
END_TEST

static int decode_fields(unsigned count)
{
	struct nlmsghdr *message = named(NFT_MSG_NEWSET, "t", NFTA_SET_NAME, "s");
	struct nlattr *desc = mnl_attr_nest_start(message, NFTA_SET_DESC);
	struct nlattr *fields = mnl_attr_nest_start(message, NFTA_SET_DESC_CONCAT);
	struct nftnl_set *set;

	for (unsigned i = 0; i < count; i++) {
		struct nlattr *field = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

		mnl_attr_put_u32(message, NFTA_SET_FIELD_LEN, htobe32(4));
		mnl_attr_nest_end(message, field);
	}
	mnl_attr_nest_end(message, fields);
	mnl_attr_nest_end(message, desc);
	int r = nft_decode_set(message, &set);
	if (r == 0)
		nftnl_set_free(set);
	return r;
}

/* An expression whose data is another's. */
static void put_nested(struct nlmsghdr *message, uint16_t type, unsigned levels)
{
	struct nlattr *expression = mnl_attr_nest_start(message, type);
	struct nlattr *data;

	mnl_attr_put_strz(message, NFTA_EXPR_NAME, "dynset");
	data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
	if (levels > 1)
		put_nested(message, NFTA_DYNSET_EXPR, levels - 1);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, expression);
}

static bool nested_is_ok(unsigned levels)
{
	struct nlmsghdr *message = named(NFT_MSG_NEWRULE, "t", NFTA_RULE_CHAIN, "c");
	struct nlattr *list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);

	put_nested(message, NFTA_LIST_ELEM, levels);
	mnl_attr_nest_end(message, list);
	return nft_shape_ok(message);
}

START_TEST(test_nests_have_limits)
{
	ck_assert_int_eq(decode_fields(NFT_REG32_COUNT), 0);
	ck_assert_int_eq(decode_fields(NFT_REG32_COUNT + 1), -EBADMSG);
	ck_assert(nested_is_ok(NFT_SHAPE_DEPTH_MAX - 1)); /* and the list around them */
	ck_assert(!nested_is_ok(NFT_SHAPE_DEPTH_MAX));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft-decode");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 50);
	tcase_add_test(all, test_objects_without_names_are_refused);
	tcase_add_test(all, test_a_message_shorter_than_its_header_is_refused);
	tcase_add_test(all, test_an_attribute_of_a_wrong_size_is_refused);
	tcase_add_test(all, test_nests_have_limits);
	tcase_add_test(all, test_user_data_lies_about_lengths);
	tcase_add_test(all, test_news);
	tcase_add_test(all, test_expiration);
	tcase_add_test(all, test_tables_have_a_limit);
	tcase_add_test(all, test_what_a_table_holds_has_a_limit);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
