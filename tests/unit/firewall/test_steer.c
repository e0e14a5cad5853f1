/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "node-agent/core/firewall/steer.h"
#include "tests/unit/firewall/sample.h"

static const uint16_t ports[] = {51820};

static char *build(size_t way_count, const struct steer_way *ways)
{
	const struct steer steer = {.device = "eth0",
		.ifindex = 7,
		.complete_ms = 12345,
		.port_count = 1,
		.ports = ports,
		.way_count = way_count,
		.ways = ways};
	struct fw_ruleset *ruleset = steer_build(&steer);
	char *text = fw_ruleset_print(ruleset);

	fw_ruleset_free(ruleset);
	return text;
}

static struct steer_way sample_way(bool back)
{
	return (struct steer_way){.back = back,
		.port_count = 1,
		.ports = {51820},
		.address_count = 2,
		.addresses = {sample_addr("10.9.0.100"), sample_addr("2001:db8::100")},
		.to4 = sample_addr("10.9.0.12"),
		.to6 = sample_addr("2001:db8::12"),
		.mac = {0x02, 0, 0, 0, 0, 0x0b}};
}

static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		found++;
	return found;
}

START_TEST(test_at_rest_it_learns_and_steers_nothing)
{
	char *text = build(0, NULL);

	ck_assert_str_eq(text, "table netdev holdfast-steer-eth0 {\n"
			       "\tcomment \"holdfast steer eth0\"\n"
			       "\tset own {\n"
			       "\t\ttypeof @th,96,32\n"
			       "\t\tsize 262144\n"
			       "\t\tflags dynamic,timeout\n"
			       "\t\ttimeout 10m\n"
			       "\t\tcomment \"complete at 12345\"\n"
			       "\t}\n\n"
			       "\tchain egress {\n"
			       "\t\ttype filter hook egress device \"eth0\" priority raw; policy accept;\n"
			       "\t\tudp sport 51820 @th,64,8 1 update @own { @th,96,32 }\n"
			       "\t\tudp sport 51820 @th,64,8 2 update @own { @th,96,32 }\n"
			       "\t}\n\n"
			       "\tchain ingress {\n"
			       "\t\ttype filter hook ingress device \"eth0\" priority raw; policy accept;\n"
			       "\t}\n"
			       "}\n");
	free(text);
}
END_TEST

START_TEST(test_away_hands_on_what_is_new_or_not_ours)
{
	struct steer_way way = sample_way(false);
	char *text = build(1, &way);
	const char *ingress = strstr(text, "chain ingress"), *accept = strstr(text, "accept\n");

	ck_assert_ptr_nonnull(strstr(text, "ether saddr 02:00:00:00:00:0b accept"));
	ck_assert_ptr_nonnull(accept);
	ck_assert(accept < strstr(ingress, "fwd")); /* or packets would go to and fro */
	ck_assert_ptr_nonnull(
		strstr(text, "ip daddr 10.9.0.100 udp dport 51820 @th,64,8 1 fwd ip to 10.9.0.12 "
			     "device \"eth0\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "@th,64,8 2 @th,128,32 != @own fwd ip to 10.9.0.12"));
	ck_assert_ptr_nonnull(strstr(text, "@th,64,8 3 @th,96,32 != @own fwd ip to 10.9.0.12"));
	ck_assert_ptr_nonnull(
		strstr(text, "ip6 daddr 2001:db8::100 udp dport 51820 @th,64,8 4 @th,96,32 != @own "
			     "fwd ip6 to 2001:db8::12 device \"eth0\"\n"));
	ck_assert_uint_eq(count(text, "fwd"), 8);
	ck_assert_uint_eq(count(text, "drop"), 2); /* it makes no new sessions */
	ck_assert(strstr(text, "drop") < strstr(text, "update"));
	free(text);
}
END_TEST

START_TEST(test_back_keeps_what_is_new)
{
	struct steer_way way = sample_way(true);
	char *text = build(1, &way);

	ck_assert_uint_eq(count(text, "fwd"), 6);
	ck_assert_uint_eq(count(text, "drop"), 0);
	ck_assert_ptr_null(strstr(text, "@th,64,8 1 fwd"));
	free(text);
}
END_TEST

START_TEST(test_a_family_without_a_neighbour_is_not_steered)
{
	struct steer_way way = sample_way(false);

	way.to6 = (struct addr){0};
	char *text = build(1, &way);
	ck_assert_uint_eq(count(text, "fwd"), 4);
	ck_assert_ptr_null(strstr(text, "ip6"));
	free(text);
}
END_TEST

START_TEST(test_the_longest_name_fits)
{
	char table[FW_NAME_MAX + 1], scope[FW_SCOPE_MAX + 1];

	steer_table("abcdefghijklmno", table, sizeof table);
	steer_scope("abcdefghijklmno", scope, sizeof scope);
	ck_assert_str_eq(table, "holdfast-steer-abcdefghijklmno");
	ck_assert_str_eq(scope, "steer abcdefghijklmno");
}
END_TEST

START_TEST(test_when_it_is_complete)
{
	char comment[FW_COMMENT_MAX + 1];

	steer_complete_format(INT64_MAX, comment, sizeof comment);
	ck_assert_int_eq(steer_complete_parse(comment), INT64_MAX);
	steer_complete_format(0, comment, sizeof comment);
	ck_assert_int_eq(steer_complete_parse(comment), 0);
	ck_assert_int_eq(steer_complete_parse("complete at 12x"), INT64_MAX);
	ck_assert_int_eq(steer_complete_parse("complete at -1"), INT64_MAX);
	ck_assert_int_eq(steer_complete_parse(""), INT64_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("steer");
	TCase *all = tcase_create("all");

	tcase_add_test(all, test_at_rest_it_learns_and_steers_nothing);
	tcase_add_test(all, test_away_hands_on_what_is_new_or_not_ours);
	tcase_add_test(all, test_back_keeps_what_is_new);
	tcase_add_test(all, test_a_family_without_a_neighbour_is_not_steered);
	tcase_add_test(all, test_the_longest_name_fits);
	tcase_add_test(all, test_when_it_is_complete);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
