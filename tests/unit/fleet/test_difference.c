/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/difference.h"
#include "tests/unit/fleet/sample.h"

static char *two_gateways(void)
{
	return sample_text("tests/unit/fleet/right/two-gateways.yaml");
}

static struct desired *compile(const char *text, const char *gateway)
{
	struct fleet *fleet;
	char *found = sample_read_text("fleet.yaml", text, &fleet);
	struct desired *desired;

	ck_assert_msg(fleet != NULL, "%s", found);
	desired = sample_compile(fleet, gateway);
	fleet_free(fleet);
	free(found);
	return desired;
}

/* The text with the first `old` replaced. Takes the text over. */
static char *replace(char *text, const char *old, const char *new)
{
	char *at = strstr(text, old);
	struct text result = {0};

	ck_assert_msg(at != NULL, "no %s", old);
	text_add_bytes(&result, text, (size_t)(at - text));
	text_add(&result, "%s%s", new, at + strlen(old));
	free(text);
	return text_take(&result);
}

static void check_between(const struct desired *from, const struct desired *to, const char *expected)
{
	struct text lines = {0};
	size_t count = fleet_difference(from, to, &lines), newlines = 0;

	ck_assert_str_eq(lines.data ? lines.data : "", expected);
	for (size_t i = 0; i < lines.length; i++)
		newlines += lines.data[i] == '\n';
	ck_assert_uint_eq(count, newlines);
	text_clear(&lines);
}

static const struct {
	const char *old, *new, *gateway, *expected;
} changes[] = {
	{"fleet: edge", "fleet: rim", "gw-a", "~ gateway gw-a: fleet edge -> rim\n"},
	{"liveness: 25ms", "liveness: 50ms", "gw-a", "~ gateway gw-a: liveness 25ms -> 50ms\n"},
	{"[10.9.0.11, ", "[10.9.0.21, ", "gw-a",
		"~ gateway gw-a: address [10.9.0.11, 2001:db8::11] -> [10.9.0.21, 2001:db8::11]\n"},
	{"mtu: 1400", "mtu: 1400, pre_up: /a, post_up: [/b %i, /c], pre_down: /d, post_down: /e", "gw-b",
		"~ tunnel wg0: pre_up none -> [/a], post_up none -> [/b %i, /c], pre_down none -> [/d], "
		"post_down none -> [/e]\n"},
	{"mtu: 1400", "mtu: 1400, dns: [10.0.0.1, a.example]", "gw-b",
		"~ tunnel wg0: dns none -> [10.0.0.1, a.example]\n"},
	{"mtu: 1400", "mtu: 1380", "gw-b", "~ tunnel wg0: mtu 1400 -> 1380\n"},
	{"mtu: 1400", "mtu: 1380", "gw-a", ""},
	{"listen_port: 51820", "listen_port: 51821\n    fwmark: 7", "gw-a",
		"~ tunnel wg0: listen_port 51820 -> 51821, fwmark 0x48460c1d -> 0x7\n"},
	{"default: accept, snat: [ { from: 10.50.0.0/24, interface: lan } ]", "default: drop", "gw-a",
		"~ tunnel wg0: forward accept -> drop, snat [10.50.0.0/24 out of eth1] -> none\n"},
	{"default: accept, snat: [ { from: 10.50.0.0/24, interface: lan } ]",
		"masquerade: { from: 0.0.0.0/0, interface: wan }, clamp_mss: true", "gw-b",
		"~ tunnel wg0: snat [10.50.0.0/24 out of ens4] -> none, masquerade none -> [0.0.0.0/0 out of "
		"ens3], clamp_mss false -> true\n"},
	{"listen_port: 51820", "listen_port: 51820\n    multicast: true\n    link_local: yes", "gw-a",
		"~ tunnel wg0: link_local false -> true, multicast false -> true\n"},
	{"lease: 2s", "lease: 2500ms", "gw-a", "~ virtual endpoint vpn: lease 2s -> 2500ms\n"},
	{"gateways: [gw-a, gw-b]", "gateways: [gw-b, gw-a]", "gw-a",
		"~ virtual endpoint vpn: gateways [gw-a, gw-b] -> [gw-b, gw-a]\n"},
	{", \"2001:db8::100\"]", "]", "gw-b",
		"~ virtual endpoint vpn: dial addresses [10.9.0.100, 2001:db8::100] -> [10.9.0.100]\n"},
	{"witness: [10.9.0.1]", "witness: []", "gw-b",
		"~ virtual endpoint vpn: witness [10.9.0.1] -> none\n"},
	{"witness: [10.9.0.1]", "witness: [10.9.0.1]\n    checks: { ping: 192.168.1.10, interface: lan }",
		"gw-b",
		"~ virtual endpoint vpn: checks none -> [ping 192.168.1.10 on ens4 every 1000 ms for 500 ms "
		"fall 3 "
		"rise 5]\n"},
	{"witness: [10.9.0.1]",
		"witness: [10.9.0.1]\n    checks: { program: /bin/check }\n    notify: { program: /bin/told, "
		"when: [owner, unfit] }",
		"gw-b",
		"~ virtual endpoint vpn: checks none -> [program /bin/check every 1000 ms for 500 ms fall 3 "
		"rise 5], notify none -> [/bin/told when owner unfit]\n"},
	{"192.168.1.1/24", "192.168.1.2/24", "gw-b",
		"~ virtual endpoint vpn: inside [192.168.1.1/24 on ens4] -> [192.168.1.2/24 on ens4]\n"},
	{"via: 192.168.1.254", "via: 192.168.1.253, metric: 5", "gw-a",
		"- route 172.30.0.0/16 via 192.168.1.254 dev eth1 of virtual endpoint vpn\n"
		"+ route 172.30.0.0/16 via 192.168.1.253 dev eth1 metric 5 of virtual endpoint vpn\n"},
	{"10.50.0.3/32", "10.50.0.4/32", "gw-a",
		"~ peer bob in wg0: allowed_ips [10.50.0.3/32] -> [10.50.0.4/32]\n"},
	{", preshared_key_file: psk/bob", "", "gw-a",
		"~ peer bob in wg0: preshared_key_file psk/bob -> none\n"},
	{"203.0.113.7:51820, persistent_keepalive: 25", "\"[2001:db8::7]:1\"", "gw-a",
		"~ peer site1 in wg0: endpoint 203.0.113.7:51820 -> [2001:db8::7]:1, persistent_keepalive 25 "
		"-> off\n"},
	{"203.0.113.7:51820,", "site1.example.net:51820,", "gw-a",
		"~ peer site1 in wg0: endpoint 203.0.113.7:51820 -> site1.example.net:51820\n"},
	{"preshared_key_file: psk/bob", "preshared_key_file: psk/bob, route: false", "gw-a",
		"~ peer bob in wg0: route true -> false\n"},
	{"preshared_key_file: psk/bob", "preshared_key_file: psk/bob, route_metric: 50, route_table: 100",
		"gw-a", "~ peer bob in wg0: route_metric default -> 50, route_table the tunnel's -> 100\n"},
	{"preshared_key_file: psk/bob", "preshared_key_file: psk/bob, disabled: true", "gw-a",
		"- peer bob in wg0 [10.50.0.3/32]\n"},
	{"bob: ", "robert: ", "gw-a", "~ peer robert in wg0: name bob -> robert\n"},
	{"alice: {", "x-alice: {", "gw-a", "~ peer x-alice in wg0: name alice -> x-alice\n"},
};

START_TEST(a_change_in_words)
{
	char *before = two_gateways(), *after = replace(two_gateways(), changes[_i].old, changes[_i].new);
	struct desired *from = compile(before, changes[_i].gateway),
		       *to = compile(after, changes[_i].gateway);

	check_between(from, to, changes[_i].expected);
	desired_free(from);
	desired_free(to);
	free(before);
	free(after);
}
END_TEST

START_TEST(what_is_equal_has_no_words)
{
	char *text = two_gateways();
	struct desired *from = compile(text, "gw-a"), *to = compile(text, "gw-a");

	to->generation = 9;
	to->partners[0].pair_key.bytes[0] = 1;
	check_between(from, to, "");
	check_between(NULL, NULL, "");
	desired_free(from);
	desired_free(to);
	free(text);
}
END_TEST

START_TEST(from_nothing_and_to_nothing)
{
	char *text = two_gateways();
	struct desired *desired = compile(text, "gw-a");

	check_between(NULL, desired,
		"+ tunnel wg0\n+ virtual endpoint vpn\n"
		"+ peer alice in wg0 [10.50.0.2/32, fd50::2/128]\n"
		"+ peer bob in wg0 [10.50.0.3/32]\n"
		"+ peer site1 in wg0 [10.50.0.8/32, 192.168.77.0/24]\n");
	check_between(desired, NULL,
		"- tunnel wg0\n- virtual endpoint vpn\n"
		"- peer alice in wg0 [10.50.0.2/32, fd50::2/128]\n"
		"- peer bob in wg0 [10.50.0.3/32]\n"
		"- peer site1 in wg0 [10.50.0.8/32, 192.168.77.0/24]\n");
	desired_free(desired);
	free(text);
}
END_TEST

/* What gw-a would be told if bob's allowed_ips went from one list to another. */
static void check_lists(const char *old, const char *new, const char *expected)
{
	char *before = replace(two_gateways(), "10.50.0.3/32", old),
	     *after = replace(two_gateways(), "10.50.0.3/32", new);
	struct desired *from = compile(before, "gw-a"), *to = compile(after, "gw-a");

	check_between(from, to, expected);
	desired_free(from);
	desired_free(to);
	free(before);
	free(after);
}

#define EIGHT "1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4, 1.1.1.5, 1.1.1.6, 1.1.1.7, 1.1.1.8"
#define TWELVE_MORE                                                                                   \
	"2.2.2.1, 2.2.2.2, 2.2.2.3, 2.2.2.4, 2.2.2.5, 2.2.2.6, 2.2.2.7, 2.2.2.8, 2.2.2.9, 2.2.2.10, " \
	"2.2.2.11, 2.2.2.12"

START_TEST(a_list_of_eight_is_shown_whole)
{
	check_lists("10.50.0.3", EIGHT,
		"~ peer bob in wg0: allowed_ips [10.50.0.3/32] -> [1.1.1.1/32, 1.1.1.2/32, 1.1.1.3/32, "
		"1.1.1.4/32, 1.1.1.5/32, 1.1.1.6/32, 1.1.1.7/32, 1.1.1.8/32]\n");
}
END_TEST

START_TEST(of_a_longer_list_what_differs_is_shown)
{
	check_lists(EIGHT ", 1.1.1.9, 1.1.1.10", EIGHT ", 1.1.1.9, 1.1.1.11",
		"~ peer bob in wg0: allowed_ips + [1.1.1.11/32] - [1.1.1.10/32], 9 stay\n");
	check_lists(EIGHT, EIGHT ", 1.1.1.9", "~ peer bob in wg0: allowed_ips + [1.1.1.9/32], 8 stay\n");
	check_lists(EIGHT ", 1.1.1.9", EIGHT, "~ peer bob in wg0: allowed_ips - [1.1.1.9/32], 8 stay\n");
}
END_TEST

START_TEST(of_much_that_differs_the_rest_is_counted)
{
	check_lists(EIGHT, EIGHT ", " TWELVE_MORE,
		"~ peer bob in wg0: allowed_ips + [2.2.2.1/32, 2.2.2.2/32, 2.2.2.3/32, 2.2.2.4/32, "
		"2.2.2.5/32, 2.2.2.6/32, 2.2.2.7/32, 2.2.2.8/32 and 4 more], 8 stay\n");
}
END_TEST

static struct desired *with_witnesses(const char *witnesses)
{
	char *text = replace(two_gateways(), "[10.9.0.1]", witnesses);
	struct desired *desired = compile(text, "gw-a");

	free(text);
	return desired;
}

START_TEST(another_order_of_a_long_list_is_shown_whole)
{
	struct desired *from = with_witnesses("[" EIGHT ", 1.1.1.9]"),
		       *to = with_witnesses("[1.1.1.9, " EIGHT "]");

	check_between(from, to,
		"~ virtual endpoint vpn: witness [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4, 1.1.1.5, 1.1.1.6, "
		"1.1.1.7, 1.1.1.8, 1.1.1.9] -> [1.1.1.9, 1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4, 1.1.1.5, "
		"1.1.1.6, 1.1.1.7, 1.1.1.8]\n");
	desired_free(from);
	desired_free(to);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("difference");
	TCase *tcase = tcase_create("difference");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, a_change_in_words, 0, ARRAY_COUNT(changes));
	tcase_add_test(tcase, what_is_equal_has_no_words);
	tcase_add_test(tcase, from_nothing_and_to_nothing);
	tcase_add_test(tcase, a_list_of_eight_is_shown_whole);
	tcase_add_test(tcase, of_a_longer_list_what_differs_is_shown);
	tcase_add_test(tcase, of_much_that_differs_the_rest_is_counted);
	tcase_add_test(tcase, another_order_of_a_long_list_is_shown_whole);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
