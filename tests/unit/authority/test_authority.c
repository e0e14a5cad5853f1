/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates made by the command line are what the daemons ask for, and nothing is overwritten. */
#include <check.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/authority/authority.h"
#include "common/io/tls.h"

static char directory[] = "/tmp/holdfast-authority-XXXXXX";

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void make_directory(void)
{
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
	static const char *const names[] = {"ca.pem", "ca.key", "gw-a.pem", "gw-a.key", "ctl.pem", "ctl.key"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(path_of(names[i]));
	ck_assert_int_eq(rmdir(directory), 0);
}

static mode_t mode_of(const char *name)
{
	struct stat status;

	ck_assert_int_eq(stat(path_of(name), &status), 0);
	return status.st_mode & 07777;
}

static void issue(enum authority_kind kind, const char *name)
{
	struct authority authority;
	struct err err;

	ck_assert_int_eq(authority_open(directory, &authority, &err), 0);
	ck_assert_int_eq(authority_issue(&authority, kind, name, directory, 30, false, &err), 0);
	authority_clear(&authority);
}

START_TEST(daemons_accept_what_was_issued)
{
	char ca[128], certificate[128], key[128];
	struct tls_files files = {ca, certificate, key};
	struct tls_identity own;
	SSL_CTX *context = NULL;
	struct err err;

	ck_assert_int_eq(authority_create(directory, 30, &err), 0);
	issue(AUTHORITY_GATEWAY, "gw-a");
	strcpy(ca, path_of("ca.pem"));
	strcpy(certificate, path_of("gw-a.pem"));
	strcpy(key, path_of("gw-a.key"));
	ck_assert_msg(!tls_client_new(&files, TLS_KIND_CONTROLLER, &context, &own, &err), "%s", err.text);
	ck_assert_int_eq(own.kind, TLS_KIND_GATEWAY);
	ck_assert_str_eq(own.name, "gw-a");
	SSL_CTX_free(context);
}
END_TEST

START_TEST(keys_are_for_their_owner_only)
{
	struct err err;

	ck_assert_int_eq(authority_create(directory, 30, &err), 0);
	issue(AUTHORITY_CONTROLLER, "ctl");
	ck_assert_int_eq(mode_of("ca.key"), 0600);
	ck_assert_int_eq(mode_of("ctl.key"), 0600);
	ck_assert_int_eq(mode_of("ca.pem"), 0644);
	ck_assert_int_eq(mode_of("ctl.pem"), 0644);
}
END_TEST

START_TEST(nothing_is_overwritten)
{
	struct authority authority;
	struct err err;

	ck_assert_int_eq(authority_create(directory, 30, &err), 0);
	ck_assert_int_eq(authority_create(directory, 30, &err), -EEXIST);
	ck_assert_str_eq(err.where, path_of("ca.key"));
	issue(AUTHORITY_GATEWAY, "gw-a");
	ck_assert_int_eq(authority_open(directory, &authority, &err), 0);
	ck_assert_int_eq(
		authority_issue(&authority, AUTHORITY_GATEWAY, "gw-a", directory, 30, false, &err), -EEXIST);
	authority_clear(&authority);
}
END_TEST

START_TEST(half_a_pair_is_taken_back)
{
	struct authority authority;
	struct err err;
	FILE *in_the_way;

	ck_assert_int_eq(authority_create(directory, 30, &err), 0);
	in_the_way = fopen(path_of("gw-a.pem"), "w");
	fclose(in_the_way);
	ck_assert_int_eq(authority_open(directory, &authority, &err), 0);
	ck_assert_int_eq(
		authority_issue(&authority, AUTHORITY_GATEWAY, "gw-a", directory, 30, false, &err), -EEXIST);
	authority_clear(&authority);
	ck_assert_int_ne(access(path_of("gw-a.key"), F_OK), 0);
}
END_TEST

START_TEST(an_authority_that_is_not_there_is_named)
{
	struct authority authority;
	struct err err;

	ck_assert_int_eq(authority_open(directory, &authority, &err), -ENOENT);
	ck_assert_str_eq(err.where, path_of("ca.pem"));
	ck_assert_ptr_nonnull(strstr(err.text, "holdfast init"));
}
END_TEST

START_TEST(a_key_of_another_authority_is_refused)
{
	struct authority authority;
	struct err err;

	ck_assert_int_eq(authority_create(directory, 30, &err), 0);
	issue(AUTHORITY_GATEWAY, "gw-a");
	ck_assert_int_eq(unlink(path_of("ca.key")), 0);
	{
		char from[128];

		strcpy(from, path_of("gw-a.key"));
		ck_assert_int_eq(rename(from, path_of("ca.key")), 0);
	}
	ck_assert_int_eq(authority_open(directory, &authority, &err), -EBADMSG);
	ck_assert_str_eq(err.where, path_of("ca.key"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("authority");
	TCase *test = tcase_create("authority");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_checked_fixture(test, make_directory, remove_directory);
	tcase_add_test(test, daemons_accept_what_was_issued);
	tcase_add_test(test, keys_are_for_their_owner_only);
	tcase_add_test(test, nothing_is_overwritten);
	tcase_add_test(test, half_a_pair_is_taken_back);
	tcase_add_test(test, an_authority_that_is_not_there_is_named);
	tcase_add_test(test, a_key_of_another_authority_is_refused);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
