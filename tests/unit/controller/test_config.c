/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/io/config.h"
#include "scratch.h"

static struct scratch scratch;

static void setup(void)
{
	scratch_make(&scratch);
}

static void teardown(void)
{
	scratch_remove(&scratch);
}

#define TLS "tls: { ca: ca.pem, certificate: ctl.pem, key: /keys/ctl.key }\n"

static void expect_path(const char *found, const char *name)
{
	char expected[512];
	snprintf(expected, sizeof expected, "%s/%s", scratch.directory, name);
	ck_assert_str_eq(found, expected);
}

static void expect_error(const char *text, int code, const char *expected)
{
	struct config config;
	struct err err = {0};
	char line[2048], full[2048];
	const char *path = scratch_file(&scratch, "controller.yaml", text);
	snprintf(full, sizeof full, "%s%s", path, expected);
	ck_assert_int_eq(config_load(path, &config, &err), code);
	ck_assert_str_eq(err_format(&err, line, sizeof line), full);
}

START_TEST(defaults_are_those_of_the_documentation)
{
	struct config config;
	const char *path = scratch_file(&scratch, "controller.yaml", TLS);
	ck_assert_int_eq(config_load(path, &config, NULL), 0);
	ck_assert_str_eq(config.listen, ":7443");
	ck_assert_str_eq(config.health_listen, "127.0.0.1:9580");
	ck_assert_str_eq(config.state, "/var/lib/holdfast");
	ck_assert_str_eq(config.store_path, "/var/lib/holdfast/controller.db");
	ck_assert_str_eq(config.run, "/run/holdfast");
	ck_assert_str_eq(config.socket, "/run/holdfast/controller.sock");
	ck_assert_ptr_null(config.fleet);
	ck_assert_int_eq(config_role(&config, "alice"), OPERATOR_NONE);
	config_clear(&config);
}
END_TEST

START_TEST(paths_are_beside_the_file)
{
	struct config config;
	const char *path = scratch_file(&scratch, "controller.yaml",
		TLS
		"listen: 10.8.0.20:7443\nstore: sqlite:db/c.db\nfleet: fleet.yaml\nrun: run\nstate: state\n"
		"health: { listen: 127.0.0.1:1 }\noperators: { alice: admin, dashboard: viewer }\n");
	ck_assert_int_eq(config_load(path, &config, NULL), 0);
	expect_path(config.ca, "ca.pem");
	expect_path(config.certificate, "ctl.pem");
	ck_assert_str_eq(config.key, "/keys/ctl.key");
	expect_path(config.store_path, "db/c.db");
	expect_path(config.fleet, "fleet.yaml");
	expect_path(config.socket, "run/controller.sock");
	ck_assert_int_eq(config_role(&config, "alice"), OPERATOR_ADMIN);
	ck_assert_int_eq(config_role(&config, "dashboard"), OPERATOR_VIEWER);
	ck_assert_int_eq(config_role(&config, "bob"), OPERATOR_NONE);
	config_clear(&config);
}
END_TEST

START_TEST(mistakes_are_told_with_their_place)
{
	expect_error(TLS "lisen: 10.8.0.20:7443\n", -EINVAL,
		":2:1: unknown key \"lisen\"; did you mean \"listen\"?");
	expect_error(TLS "operators: { alice: root }\n", -EINVAL,
		":2:21: expected viewer or admin, found \"root\"");
	expect_error(TLS "store: etcd:https://10.8.0.31:2379\n", -EOPNOTSUPP,
		":2:8: store: etcd is not there yet in this version; use sqlite:PATH");
	expect_error(TLS "store: controller.db\n", -EINVAL,
		":2:8: store: expected sqlite:PATH, found \"controller.db\"");
	expect_error(TLS "listen: localhost:7443\n", -EINVAL,
		":2:9: listen: \"localhost:7443\" is not ADDRESS:PORT such as 192.0.2.1:51820 or "
		"[2001:db8::1]:51820");
	expect_error(TLS "health: { listen: 10.8.0.20 }\n", -EINVAL,
		":2:19: listen: \"10.8.0.20\" is not ADDRESS:PORT such as 192.0.2.1:51820 or "
		"[2001:db8::1]:51820");
	expect_error(TLS "watch: true\n", -EINVAL,
		":2:8: watch: there is nothing to watch without fleet: and the path of a fleet file");
}
END_TEST

START_TEST(certificates_must_be_named)
{
	struct config config;
	struct err err = {0};
	const char *path = scratch_file(&scratch, "controller.yaml", "tls: { ca: ca.pem, key: ctl.key }\n");
	ck_assert_int_lt(config_load(path, &config, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "certificate"));
	ck_assert_int_lt(config_load(scratch_path(&scratch, "none.yaml"), &config, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.where, "none.yaml"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, defaults_are_those_of_the_documentation);
	tcase_add_test(tests, paths_are_beside_the_file);
	tcase_add_test(tests, mistakes_are_told_with_their_place);
	tcase_add_test(tests, certificates_must_be_named);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
