/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/clock.h"
#include "common/io/file.h"
#include "common/io/tls.h"
#include "pki.h"

static char dir[64];

static void open_dir(void)
{
	pki_directory(dir, sizeof dir);
	pki_authority(dir, "ca");
	pki_authority(dir, "other");
	pki_issue(dir, "ca", "gw-a", "holdfast:gateway:gw-a", -60, 3600);
}

static void close_dir(void)
{
	pki_remove(dir);
}

START_TEST(identities_have_one_form)
{
	static const char *const bad[] = {"", "holdfast:", "holdfast:gateway",
		"holdfast:gateway:", "holdfast:none:x", "holdfast:gate:x", "Holdfast:gateway:x",
		" holdfast:gateway:x", "holdfast:gateway:x y", "holdfast:gateway:x:y",
		"holdfast:gateway:0123456789012345678901234567890123456789012345678901234567890123",
		"spiffe://x"};
	struct tls_identity identity = {0};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(tls_identity_parse(bad[i], &identity) == -EINVAL, "%s", bad[i]);
	ck_assert_int_eq(identity.kind, TLS_KIND_NONE);
	ck_assert_int_eq(
		tls_identity_parse(
			"holdfast:operator:012345678901234567890123456789012345678901234567890123456789012",
			&identity),
		0);
	ck_assert_int_eq(identity.kind, TLS_KIND_OPERATOR);
	ck_assert_uint_eq(strlen(identity.name), TLS_NAME_MAX - 1);
	ck_assert_int_eq(tls_identity_parse("holdfast:controller:ctl", &identity), 0);
	ck_assert_int_eq(identity.kind, TLS_KIND_CONTROLLER);
	ck_assert_str_eq(identity.name, "ctl");
	ck_assert_str_eq(tls_kind_text(identity.kind), "controller");
}
END_TEST

/* Load as a server; what it says, or "". */
static const char *load(const char *ca, const char *certificate, const char *key)
{
	static char text[2048];
	struct pki_files paths, others;
	struct err err;
	SSL_CTX *tls;

	pki_files(&paths, dir, ca, certificate);
	pki_files(&others, dir, ca, key);
	paths.files.key = others.key;
	if (tls_server_new(&paths.files, &tls, NULL, &err) < 0)
		return err_format(&err, text, sizeof text);
	SSL_CTX_free(tls);
	return "";
}

START_TEST(bad_files_say_what_is_wrong)
{
	char path[128];

	pki_issue(dir, "ca", "old", "holdfast:gateway:old", -3600, -60);
	pki_issue(dir, "ca", "early", "holdfast:gateway:early", 3600, 7200);
	pki_issue(dir, "ca", "nobody", NULL, -60, 3600);
	pki_issue(dir, "ca", "web", "https://example.net/", -60, 3600);
	pki_issue(dir, "other", "stranger", "holdfast:gateway:x", -60, 3600);
	snprintf(path, sizeof path, "%s/junk.pem", dir);
	ck_assert_int_eq(file_write(path, "junk\n", 5, 0600, NULL), 0);
	snprintf(path, sizeof path, "%s/junk.key", dir);
	ck_assert_int_eq(file_write(path, "junk\n", 5, 0600, NULL), 0);
	ck_assert_str_eq(load("ca", "gw-a", "gw-a"), "");
	ck_assert_ptr_nonnull(strstr(load("ca", "none", "gw-a"), "/none.pem: cannot open: No such file"));
	ck_assert_ptr_nonnull(
		strstr(load("ca", "junk", "gw-a"), "/junk.pem: no certificate in PEM form in it"));
	ck_assert_ptr_nonnull(
		strstr(load("junk", "gw-a", "gw-a"), "/junk.pem: no certificate in PEM form in it"));
	ck_assert_ptr_nonnull(
		strstr(load("ca", "gw-a", "junk"), "/junk.key: no private key in PEM form in it"));
	ck_assert_ptr_nonnull(
		strstr(load("ca", "gw-a", "old"), "/old.key: is not the key of the certificate in "));
	ck_assert_ptr_nonnull(strstr(load("ca", "old", "old"), "/old.pem: expired on "));
	ck_assert_ptr_nonnull(strstr(load("ca", "early", "early"), "/early.pem: not valid before "));
	ck_assert_ptr_nonnull(
		strstr(load("ca", "stranger", "stranger"), "/stranger.pem: not signed by the authority in "));
	ck_assert_ptr_nonnull(strstr(load("ca", "nobody", "nobody"), "/nobody.pem: says no identity"));
	ck_assert_ptr_nonnull(strstr(load("ca", "web", "web"), "/web.pem: says no identity"));
}
END_TEST

START_TEST(an_encrypted_key_is_not_asked_for)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char path[128], passphrase[] = "secret";
	FILE *file;

	snprintf(path, sizeof path, "%s/locked.key", dir);
	file = fopen(path, "w");
	ck_assert_int_eq(
		PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), passphrase, 6, NULL, NULL), 1);
	fclose(file);
	EVP_PKEY_free(key);
	ck_assert_ptr_nonnull(strstr(load("ca", "gw-a", "locked"), "/locked.key: the key is encrypted"));
}
END_TEST

START_TEST(our_own_identity_and_its_dates_are_known)
{
	struct tls_identity own;
	struct pki_files paths;
	struct err err;
	int64_t start_ms, end_ms;
	SSL_CTX *tls;

	pki_files(&paths, dir, "ca", "gw-a");
	ck_assert_int_eq(tls_client_new(&paths.files, TLS_KIND_CONTROLLER, &tls, &own, &err), 0);
	SSL_CTX_free(tls);
	ck_assert_int_eq(own.kind, TLS_KIND_GATEWAY);
	ck_assert_str_eq(own.name, "gw-a");
	ck_assert_int_eq(tls_certificate_dates(paths.certificate, &start_ms, &end_ms, &err), 0);
	ck_assert_int_lt(llabs(end_ms - clock_wall_ms() - 3600000), 60000);
	ck_assert_int_lt(start_ms, clock_wall_ms());
	ck_assert_int_eq(tls_certificate_dates(paths.key, &start_ms, &end_ms, &err), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, open_dir, close_dir);
	tcase_add_test(tcase, identities_have_one_form);
	tcase_add_test(tcase, bad_files_say_what_is_wrong);
	tcase_add_test(tcase, an_encrypted_key_is_not_asked_for);
	tcase_add_test(tcase, our_own_identity_and_its_dates_are_known);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
