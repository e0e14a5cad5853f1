/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "node-agent/io/config/config.h"

#define MINIMAL                                   \
	"gateway: gw-a\n"                         \
	"controllers: [https://10.8.0.20:7443]\n" \
	"tls: { ca: ca.pem, certificate: gw-a.pem, key: /etc/gw-a.key }\n"

static char directory[] = "/tmp/hf-config-XXXXXX";
static char path[64];
static struct config *config;
static struct err err;

static void setup(void)
{
	strcpy(directory, "/tmp/hf-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/agent.yaml", directory);
	config = NULL;
	err = (struct err){0};
}

static void teardown(void)
{
	config_free(config);
	unlink(path);
	rmdir(directory);
}

static int load(const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
	return config_load(path, &config, &err);
}

static void expect_error(const char *text, const char *needle)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX];

	ck_assert_int_lt(load(text), 0);
	err_format(&err, line, sizeof(line));
	ck_assert_msg(strstr(line, needle), "%s", line);
}

START_TEST(minimal)
{
	char expected[96];

	ck_assert_int_eq(load(MINIMAL), 0);
	ck_assert_str_eq(config->gateway, "gw-a");
	ck_assert_uint_eq(config->controller_count, 1);
	ck_assert_str_eq(config->controllers[0], "https://10.8.0.20:7443");
	snprintf(expected, sizeof(expected), "%s/ca.pem", directory);
	ck_assert_str_eq(config->ca, expected);
	ck_assert_str_eq(config->key, "/etc/gw-a.key");
	ck_assert_str_eq(config->health_listen, "127.0.0.1:9581");
	ck_assert_str_eq(config->implementation, "auto");
	ck_assert_str_eq(config->state, "/var/lib/holdfast");
	ck_assert_int_eq(config->programs, PROGRAMS_DENY);
	ck_assert(!config_allows_program(config, "/bin/true"));
}
END_TEST

START_TEST(alone)
{
	ck_assert_int_eq(load("log: debug\n"), 0);
	ck_assert(config_is_alone(config));
	ck_assert_str_eq(config->health_listen, "127.0.0.1:9581");
	config_free(config);
	config = NULL;
	ck_assert_int_eq(load(""), 0);
	ck_assert(config_is_alone(config));
	config_free(config);
	config = NULL;
	ck_assert_int_eq(load(MINIMAL), 0);
	ck_assert(!config_is_alone(config));
}
END_TEST

START_TEST(everything)
{
	ck_assert_int_eq(load(MINIMAL "health: { listen: '[::1]:9000' }\n"
				      "wireguard: { implementation: wireguard-go }\n"
				      "programs: [/bin/true, /bin/false]\n"
				      "state: st\nrun: /tmp/run\nlog: debug\nx-note: hello\n"),
		0);
	ck_assert_str_eq(config->health_listen, "[::1]:9000");
	ck_assert_str_eq(config->implementation, "wireguard-go");
	ck_assert_int_eq(config->programs, PROGRAMS_LISTED);
	ck_assert(config_allows_program(config, "/bin/true"));
	ck_assert(config_allows_program(config, "/bin/false"));
	ck_assert(!config_allows_program(config, "/bin/tru"));
	ck_assert(!config_allows_program(config, "/bin/../bin/true"));
	ck_assert_uint_eq(config->program_count, 2);
	ck_assert_str_eq(config->run, "/tmp/run");
	ck_assert_str_eq(config->log, "debug");
}
END_TEST

START_TEST(programs_in_words)
{
	ck_assert_int_eq(load(MINIMAL "programs: allow\n"), 0);
	ck_assert_int_eq(config->programs, PROGRAMS_ALLOW);
	ck_assert(config_allows_program(config, "/bin/true"));
}
END_TEST

static void expect_port(const char *url, uint16_t expected)
{
	uint16_t port = 0;
	ck_assert_int_eq(config_controller_port(url, &port), 0);
	ck_assert_uint_eq(port, expected);
}

START_TEST(a_controller_has_one_port)
{
	expect_port("https://10.8.0.20:7443", 7443);
	expect_port("https://[2001:db8::20]:7445", 7445);
	expect_port("https://[2001:db8::20]", 443);
	expect_port("https://ctl.example.net:65535", 65535);
	expect_port("https://ctl.example.net", 443);
}
END_TEST

START_TEST(mistakes_are_named)
{
	expect_error("controllers: https://10.0.0.1:1\n", "gateway");
	expect_error("tls: { ca: a, certificate: b, key: c }\n", "gateway");
	expect_error("gateway: gw-a\n", "controllers");
	expect_error("gateway: gw-a\ncontrollers: https://10.0.0.1:1\n", "tls");
	expect_error(MINIMAL "helth: {}\n", "health");
	expect_error(MINIMAL "programs: sometimes\n", "deny, allow");
	expect_error("gateway: gw-a\ncontrollers: [http://10.0.0.1]\n", "agent.yaml:2:");
	expect_error("gateway: gw-a\ncontrollers: [https://10.0.0.1/v1]\n", "without a path");
	expect_error("gateway: gw-a\ncontrollers: [https://10.0.0.1:65536]\n", "a port from 1 to 65535");
	expect_error("gateway: gw-a\ncontrollers: [\"https://[2001:db8::1]:\"]\n", "a port from 1 to 65535");
	expect_error("gateway: gw-a\ncontrollers: []\n", "1 to 8");
	expect_error(
		"gateway: gw-a\ncontrollers: [https://a,https://b,https://c,https://d,https://e,https://f,"
		"https://g,https://h,https://i]\n",
		"1 to 8");
}
END_TEST

START_TEST(a_missing_file_is_named)
{
	ck_assert_int_eq(config_load("/nosuch/agent.yaml", &config, &err), -ENOENT);
	ck_assert_str_eq(err.where, "/nosuch/agent.yaml");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, minimal);
	tcase_add_test(tc, alone);
	tcase_add_test(tc, everything);
	tcase_add_test(tc, programs_in_words);
	tcase_add_test(tc, a_controller_has_one_port);
	tcase_add_test(tc, mistakes_are_named);
	tcase_add_test(tc, a_missing_file_is_named);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
