/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new client: its address, its file, its picture. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client_address.h"
#include "cli/client_file.h"
#include "cli/qr.h"
#include "controller/core/fleet/read.h"

#define HEAD                                                                                               \
	"fleet: edge\n"                                                                                    \
	"gateways: { gw-a: { address: 10.9.0.11, interfaces: { wan: eth0 } } }\n"                          \
	"virtual_endpoints:\n"                                                                             \
	"  vpn: { gateways: [gw-a], tunnels: [wg0], dial: { interface: wan, addresses: [10.9.0.100] } }\n" \
	"tunnels:\n"                                                                                       \
	"  wg0: { private_key_file: k, public_key: \"1xND9Cj7Ei2VgT5IAHRHigDQeOuOXxooQ07UJ/OVxHc=\", "     \
	"listen_port: 51820, "
#define KEY(letter) "public_key: \"" letter "GaK3g4Tb/3yFsNWxymBQ2ezeTNUtab/cNlqRMUW3S4=\""

static struct fleet *fleet_of(const char *rest)
{
	char text[8192] = HEAD;
	struct fleet_source source = {"fleet.yaml", text, 0};
	struct diagnostics diagnostics = {0};
	struct fleet *fleet = NULL;
	char line[DIAGNOSTIC_TEXT_MAX];
	int r;

	strcat(text, rest);
	source.size = strlen(text);
	r = fleet_read(&source, 1, &fleet, &diagnostics);
	ck_assert_msg(r == 0, "%s",
		r ? diagnostic_format(&diagnostics.items[diagnostics.count - 1], line, sizeof(line)) : "");
	diagnostics_clear(&diagnostics);
	return fleet;
}

struct sample {
	const char *rest, *expected; /* "": none is free; "-": no network */
};

static const struct sample samples[] = {
	{"address: 10.50.0.1/24 }\n", "10.50.0.2/32"},
	{"address: [10.50.0.1/24, \"fd50::1/64\"] }\n", "10.50.0.2/32 fd50::2/128"},
	{"address: 10.50.0.9/24 }\n", "10.50.0.1/32"},
	{"address: 10.50.0.1/24, overrides: { gw-a: { address: 10.50.0.2/24 } } }\n", "10.50.0.3/32"},
	{"address: 10.50.0.1/24 }\npeers:\n  a: { " KEY(
		 "9") ", allowed_ips: [10.50.0.2/32, 10.50.0.4/30] }\n",
		"10.50.0.3/32"},
	{"address: 10.50.0.1/24 }\npeers:\n  a: { " KEY(
		 "9") ", allowed_ips: [10.50.0.2/31, 10.50.0.4/30] }\n",
		"10.50.0.8/32"},
	{"address: 10.50.0.1/24 }\npeers:\n  a: { " KEY("9") ", allowed_ips: [0.0.0.0/0, 10.50.0.2/32] }\n",
		"10.50.0.3/32"},
	{"address: 10.50.0.1/24 }\npeers:\n  a: { " KEY(
		 "9") ", allowed_ips: [10.50.0.0/24, 10.50.0.2/32] }\n",
		"10.50.0.3/32"},
	{"address: 10.50.0.1/30 }\n", "10.50.0.2/32"},
	{"address: 10.50.0.1/30 }\npeers:\n  a: { " KEY("9") ", allowed_ips: 10.50.0.2 }\n", ""},
	{"address: [10.50.0.1/30, 10.60.0.1/30] }\npeers:\n  a: { " KEY("9") ", allowed_ips: 10.50.0.2 }\n",
		"10.60.0.2/32"},
	{"address: 10.50.0.0/31 }\n", "10.50.0.1/32"},
	{"address: 255.255.255.254/30 }\npeers:\n  a: { " KEY("9") ", allowed_ips: 255.255.255.253 }\n", ""},
	{"address: \"fd50::1/127\" }\n", "fd50::/128"},
	{"address: \"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/126\" }\npeers:\n  a: { " KEY(
		 "9") ", allowed_ips: [\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffd\", "
		      "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\"] }\n",
		""},
	{"address: 10.50.0.1/32 }\n", "-"},
};

START_TEST(the_lowest_free_address_is_taken)
{
	struct fleet *fleet = fleet_of(samples[_i].rest);
	struct prefix addresses[CLIENT_ADDRESSES_MAX];
	char got[256] = "", one[PREFIX_TEXT_MAX];
	size_t count = 0;
	int r = client_address_pick(fleet, &fleet->tunnels[0], addresses, &count, NULL);

	if (r < 0)
		strcpy(got, r == -ENOENT ? "-" : "");
	for (size_t i = 0; r == 0 && i < count; i++) {
		strcat(got, i ? " " : "");
		strcat(got, prefix_format(&addresses[i], one, sizeof(one)));
	}
	ck_assert_str_eq(got, samples[_i].expected);
	fleet_free(fleet);
}
END_TEST

static void check_file(const char *rest, const char *dial, const char *expected)
{
	struct fleet *fleet = fleet_of(rest);
	struct key private_key = {{1}}, preshared_key = {{2}};
	struct client_file file = {.fleet = fleet,
		.tunnel = &fleet->tunnels[0],
		.peer = &fleet->peers[0],
		.name = "alice",
		.private_key = &private_key,
		.preshared_key = dial ? &preshared_key : NULL,
		.dial = dial,
		.address_count = 1};
	struct text text;

	ck_assert_int_eq(prefix_parse("10.50.0.2", &file.addresses[0], NULL), 0);
	ck_assert_int_eq(client_file_make(&file, &text, NULL), 0);
	ck_assert_str_eq(text.data, expected);
	client_file_wipe(&text);
	fleet_free(fleet);
}

#define PEER "peers:\n  alice: { " KEY("9") ", allowed_ips: 10.50.0.2"

START_TEST(the_tunnels_networks_are_routed)
{
	check_file("address: [10.50.0.1/24, \"fd50::1/64\"] }\n" PEER " }\n", NULL,
		"# alice\n[Interface]\nPrivateKey = AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAddress = "
		"10.50.0.2/32\n\n"
		"[Peer]\nPublicKey = 1xND9Cj7Ei2VgT5IAHRHigDQeOuOXxooQ07UJ/OVxHc=\nAllowedIPs = "
		"10.50.0.0/24, fd50::/64\n"
		"Endpoint = 10.9.0.100:51820\n");
}
END_TEST

START_TEST(what_the_tunnel_says_is_in_it)
{
	check_file("address: 10.50.0.1/24, client: { dns: [192.168.1.53, lan], mtu: 1400, routes: [any], "
		   "persistent_keepalive: 25 } }\n" PEER " }\n",
		"vpn.example.net:443",
		"# alice\n[Interface]\nPrivateKey = AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAddress = "
		"10.50.0.2/32\n"
		"DNS = 192.168.1.53, lan\nMTU = 1400\n\n"
		"[Peer]\nPublicKey = 1xND9Cj7Ei2VgT5IAHRHigDQeOuOXxooQ07UJ/OVxHc=\n"
		"PresharedKey = AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAllowedIPs = 0.0.0.0/0, ::/0\n"
		"PersistentKeepalive = 25\nEndpoint = vpn.example.net:443\n");
}
END_TEST

START_TEST(a_code_holds_what_fits)
{
	struct qr *code = malloc(sizeof(*code));
	char *data = malloc(QR_BYTES_MAX + 1);

	memset(data, 'x', QR_BYTES_MAX + 1);
	ck_assert_int_eq(qr_encode(data, QR_BYTES_MAX, code), 0);
	ck_assert_uint_eq(code->width, QR_WIDTH_MAX);
	ck_assert_int_eq(qr_encode(data, QR_BYTES_MAX + 1, code), -E2BIG);
	free(code);
	free(data);
}
END_TEST

START_TEST(a_picture_has_light_margins)
{
	struct qr *code = calloc(1, sizeof(*code));
	struct text text = {0};
	const char *line;

	code->width = 2;
	code->dark[0] = code->dark[3] = true; /* X. over .X */
	qr_draw(code, false, &text);
	line = strchr(strchr(text.data, '\n') + 1, '\n') + 1; /* the third: below the margin of four rows */
	ck_assert_int_eq(strncmp(line, "████▄▀████\n", strlen("████▄▀████\n")), 0);
	text_clear(&text);
	free(code);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client");
	TCase *tests = tcase_create("client");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, the_lowest_free_address_is_taken, 0, sizeof(samples) / sizeof(*samples));
	tcase_add_test(tests, the_tunnels_networks_are_routed);
	tcase_add_test(tests, what_the_tunnel_says_is_in_it);
	tcase_add_test(tests, a_code_holds_what_fits);
	tcase_add_test(tests, a_picture_has_light_margins);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
