/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fleet/sample.h"

static struct fleet *load(const char *text)
{
	struct fleet *fleet;
	char *found = sample_read_text("fleet.yaml", text, &fleet);

	ck_assert_str_eq(found, "");
	free(found);
	return fleet;
}

static struct fleet *load_file(const char *path)
{
	char *text = sample_text(path);
	struct fleet *fleet = load(text);

	free(text);
	return fleet;
}

/* A key that tells which names it is of. */
static void pair_key(void *context, const char *a, const char *b, struct key *ret_key)
{
	++*(int *)context;
	ret_key->bytes[0] = (uint8_t)a[strlen(a) - 1];
	ret_key->bytes[1] = (uint8_t)b[strlen(b) - 1];
}

START_TEST(pair_keys_are_asked_for_each_partner)
{
	struct fleet *fleet = load(sample_base);
	int asked = 0;
	struct fleet_issue issue = {
		.generation = 7, .store = 9, .controller = "ctl", .pair_key = pair_key, .context = &asked};
	struct desired *desired = fleet_compile(fleet, 1, &issue);

	ck_assert_int_eq(asked, 2);
	ck_assert_uint_eq(desired->generation, 7);
	ck_assert_uint_eq(desired->store, 9);
	ck_assert_str_eq(desired->partners[0].name, "ctl");
	ck_assert(desired->partners[0].is_controller);
	ck_assert_mem_eq(desired->partners[0].pair_key.bytes, "bl", 2);
	ck_assert_str_eq(desired->partners[1].name, "gw-a");
	ck_assert_mem_eq(desired->partners[1].pair_key.bytes, "ba", 2);
	desired_free(desired);
	fleet_free(fleet);
}
END_TEST

START_TEST(without_a_controller_there_are_the_others)
{
	struct fleet *fleet = load(sample_base);
	struct fleet_issue issue = {.generation = 1};
	struct desired *desired = fleet_compile(fleet, 0, &issue);

	ck_assert_uint_eq(desired->partner_count, 1);
	ck_assert(key_is_zero(&desired->partners[0].pair_key));
	desired_free(desired);
	fleet_free(fleet);
}
END_TEST

START_TEST(compiling_twice_gives_the_same)
{
	char *text = sample_with_peers(500), *first_text, *second_text;
	struct fleet *fleet = load(text), *again = load(text);
	struct desired *first = sample_compile(fleet, "gw-a"), *second = sample_compile(again, "gw-a");

	first_text = desired_encode(first);
	second_text = desired_encode(second);
	ck_assert_str_eq(first_text, second_text);
	desired_free(first);
	desired_free(second);
	fleet_free(fleet);
	fleet_free(again);
	free(text);
	free(first_text);
	free(second_text);
}
END_TEST

START_TEST(peers_come_sorted)
{
	struct fleet *fleet = load_file("tests/unit/fleet/right/three-gateways.yaml");
	struct desired *desired = sample_compile(fleet, "gw-b");

	ck_assert_uint_eq(desired->peer_count, 3);
	for (size_t i = 1; i < desired->peer_count; i++)
		ck_assert_int_lt(desired_peer_compare(&desired->peers[i - 1], &desired->peers[i]), 0);
	desired_free(desired);
	fleet_free(fleet);
}
END_TEST

/* A tunnel more does not change the marks of those that are. */
START_TEST(a_fwmark_goes_with_the_name)
{
	struct text text = {0};
	struct fleet *before = load(sample_base), *after;

	text_add(&text, "%s", strstr(sample_base, "gateways:"));
	text_add(&text,
		"  aa: { private_key_file: k, public_key: \"%s\", listen_port: 1, gateways: [gw-a] }\nfleet: "
		"edge\n",
		"gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM/Z7FjOk=");
	after = load(text.data);
	ck_assert_uint_eq(before->tunnels[0].settings.fwmark, after->tunnels[0].settings.fwmark);
	ck_assert_uint_ne(after->tunnels[0].settings.fwmark, after->tunnels[1].settings.fwmark);
	ck_assert_uint_eq(after->tunnels[0].settings.fwmark & 0xffff0000, FLEET_FWMARK_BASE);
	fleet_free(before);
	fleet_free(after);
	text_clear(&text);
}
END_TEST

START_TEST(a_chosen_fwmark_avoids_a_written_one)
{
	struct fleet *free_choice = load(sample_base), *taken;
	struct text text = {0};

	text_add(&text,
		"%s  w: { private_key_file: k, public_key: \"%s\", listen_port: 1, gateways: [gw-a], fwmark: "
		"0x%x }\n",
		sample_base,
		"gbY32PzSxtpjWeaWMROhFw3nleS3JbhNHgtM/Z7FjOk=", free_choice->tunnels[0].settings.fwmark);
	taken = load(text.data);
	ck_assert_uint_eq(taken->tunnels[1].settings.fwmark, free_choice->tunnels[0].settings.fwmark);
	ck_assert_uint_ne(taken->tunnels[0].settings.fwmark, taken->tunnels[1].settings.fwmark);
	fleet_free(free_choice);
	fleet_free(taken);
	text_clear(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compile");
	TCase *tcase = tcase_create("compile");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, pair_keys_are_asked_for_each_partner);
	tcase_add_test(tcase, without_a_controller_there_are_the_others);
	tcase_add_test(tcase, compiling_twice_gives_the_same);
	tcase_add_test(tcase, peers_come_sorted);
	tcase_add_test(tcase, a_fwmark_goes_with_the_name);
	tcase_add_test(tcase, a_chosen_fwmark_avoids_a_written_one);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
