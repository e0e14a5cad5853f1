/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static int check(const char *ca, const char *name, struct tls_identity *ret_own)
{
	struct pki_files paths;
	SSL_CTX *tls = NULL;
	struct err err;
	int r = tls_client_new(
		&pki_files(&paths, dir, ca, name)->files, TLS_KIND_CONTROLLER, &tls, ret_own, &err);

	ck_assert_int_eq(r == 0, tls != NULL);
	SSL_CTX_free(tls);
	return r;
}

static void append(const char *name, const char *to)
{
	char from_path[128], to_path[128], *text;
	size_t size, old_size;
	char *old;

	snprintf(from_path, sizeof from_path, "%s/%s.pem", dir, name);
	snprintf(to_path, sizeof to_path, "%s/%s.pem", dir, to);
	ck_assert_int_eq(file_read(from_path, 1 << 16, &text, &size, NULL), 0);
	ck_assert_int_eq(file_read(to_path, 1 << 16, &old, &old_size, NULL), 0);
	old = realloc(old, old_size + size);
	memcpy(old + old_size, text, size);
	ck_assert_int_eq(file_write(to_path, old, old_size + size, 0644, NULL), 0);
	free(old);
	free(text);
}

/* Whose it is is known all the same; what else is wrong comes first. */
START_TEST(a_date_alone_is_told_apart)
{
	struct tls_identity own = {0};

	pki_issue(dir, "ca", "old", "holdfast:gateway:old", -3600, -60);
	pki_issue(dir, "ca", "early", "holdfast:gateway:early", 3600, 7200);
	pki_issue(dir, "other", "stranger", "holdfast:gateway:x", -3600, -60);
	pki_issue(dir, "ca", "nobody", NULL, -3600, -60);
	ck_assert_int_eq(check("ca", "gw-a", &own), 0);
	ck_assert_int_eq(check("ca", "old", &own), -EKEYEXPIRED);
	ck_assert_str_eq(own.name, "old");
	ck_assert_int_eq(check("ca", "early", &own), -EKEYEXPIRED);
	ck_assert_str_eq(own.name, "early");
	ck_assert_int_eq(check("ca", "stranger", &own), -EINVAL);
	ck_assert_int_eq(check("ca", "nobody", &own), -EINVAL);
	ck_assert_ptr_nonnull(strstr(load("ca", "old", "old"), "'holdfast invite old' on the controller"));
}
END_TEST

/* While one authority follows another, both are in the file, and the old one ends. */
START_TEST(the_authority_that_counts_is_the_one_that_signed)
{
	struct pki_files paths;
	struct tls_identity own;
	int64_t start_ms, end_ms, other_ms;
	struct err err;

	pki_authority_dated(dir, "ended", -7200, -60);
	pki_issue(dir, "ended", "gw-b", "holdfast:gateway:gw-b", -3600, 3600);
	ck_assert_int_eq(check("ended", "gw-b", &own), -EKEYEXPIRED);
	ck_assert_str_eq(own.name, "gw-b");
	ck_assert_ptr_nonnull(
		strstr(load("ended", "gw-b", "gw-b"), "/ended.pem: an authority's certificate"));
	pki_files(&paths, dir, "ended", "gw-b");
	ck_assert_int_eq(tls_authority_dates(&paths.files, &start_ms, &end_ms, &err), 0);
	ck_assert_int_eq((end_ms - start_ms) / 1000, 7140);
	append("ca", "ended");
	pki_files(&paths, dir, "ended", "gw-a");
	ck_assert_int_eq(check("ended", "gw-a", &own), 0);
	ck_assert_int_eq(tls_authority_dates(&paths.files, &start_ms, &other_ms, &err), 0);
	ck_assert_int_gt(other_ms, end_ms + 300LL * 86400 * 1000);
	pki_files(&paths, dir, "other", "gw-a");
	ck_assert_int_eq(tls_authority_dates(&paths.files, &start_ms, &end_ms, &err), -EINVAL);
}
END_TEST

/* What a dated server would show, by its file; "": it is not made. */
static const char *load_dated(const char *name, struct err *dated)
{
	struct pki_files paths;
	struct tls_identity own = {0};
	SSL_CTX *tls = NULL;
	struct err err;
	int r = tls_server_new_dated(&pki_files(&paths, dir, "ca", name)->files, &tls, &own, dated, &err);

	ck_assert_int_eq(r == 0, tls != NULL);
	ck_assert(!tls || tls_file_has(paths.files.certificate, SSL_CTX_get0_certificate(tls), &err) == 0);
	SSL_CTX_free(tls);
	return r < 0 ? "" : own.name[0] == name[0] ? name : "another";
}

START_TEST(a_dated_server_can_be_made)
{
	struct err dated;

	pki_issue(dir, "ca", "old", "holdfast:controller:old", -3600, -60);
	pki_issue(dir, "ca", "early", "holdfast:controller:early", 3600, 7200);
	pki_issue(dir, "other", "stranger", "holdfast:controller:x", -3600, -60);
	ck_assert_str_eq(load_dated("gw-a", &dated), "gw-a");
	ck_assert_str_eq(dated.text, "");
	ck_assert_str_eq(load_dated("old", &dated), "old");
	ck_assert_ptr_nonnull(strstr(dated.text, "expired on "));
	ck_assert_str_eq(load_dated("early", &dated), "early");
	ck_assert_ptr_nonnull(strstr(dated.text, "not valid before "));
	ck_assert_str_eq(load_dated("stranger", &dated), "");
	ck_assert_str_eq(dated.text, "");
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
	/* Where the clock stood at 1970 */
	pki_issue(dir, "ca", "dawn", "holdfast:gateway:dawn", -(long)time(NULL), 3600);
	pki_files(&paths, dir, "ca", "dawn");
	ck_assert_int_eq(tls_certificate_dates(paths.certificate, &start_ms, &end_ms, &err), 0);
	ck_assert_int_lt(start_ms, 60000);
}
END_TEST

static struct tls_pin pin_of(const char *authority, enum tls_kind server_kind)
{
	struct tls_pin pin = {.server_kind = server_kind};
	char path[128];
	X509 *certificate;
	FILE *file;

	snprintf(path, sizeof path, "%s/%s.pem", dir, authority);
	file = fopen(path, "r");
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_int_eq(X509_digest(certificate, EVP_sha256(), pin.authority, NULL), 1);
	X509_free(certificate);
	return pin;
}

/* One file of two: what a server that an intermediate authority has signed trusts. */
static void join_files(const char *first, const char *second, const char *name)
{
	char path[128], text[8192];
	size_t size = 0;
	FILE *file;

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s.pem", dir, i ? second : first);
		file = fopen(path, "r");
		size += fread(text + size, 1, sizeof text - size, file);
		fclose(file);
	}
	snprintf(path, sizeof path, "%s/%s.pem", dir, name);
	ck_assert_int_eq(file_write(path, text, size, 0600, NULL), 0);
}

/* Does a newcomer who knows that much take this server for the controller? */
static bool takes(SSL_CTX *server_tls, const struct tls_pin *pin)
{
	SSL_CTX *client_tls = SSL_CTX_new(TLS_client_method());
	SSL *server, *client;
	BIO *ours, *theirs;
	bool taken;

	ck_assert_int_eq(tls_client_pin(client_tls, pin, NULL), 0);
	server = SSL_new(server_tls);
	client = SSL_new(client_tls);
	ck_assert_int_eq(BIO_new_bio_pair(&ours, 0, &theirs, 0), 1);
	SSL_set_bio(server, ours, ours);
	SSL_set_bio(client, theirs, theirs);
	tls_welcome(server);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int flight = 0; flight < 3; flight++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	taken = SSL_is_init_finished(client) && SSL_is_init_finished(server);
	ck_assert(!taken || tls_peer_is_newcomer(server));
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(client_tls);
	return taken;
}

START_TEST(a_newcomer_trusts_the_authority_that_was_named)
{
	struct tls_pin root, issuing, other, of_gateways;
	struct pki_files paths;
	struct err err;
	SSL_CTX *tls;

	pki_intermediate(dir, "ca", "issuing");
	pki_issue(dir, "issuing", "ctl", "holdfast:controller:ctl", -60, 3600);
	join_files("ca", "issuing", "both");
	ck_assert_int_eq(tls_server_new(&pki_files(&paths, dir, "both", "ctl")->files, &tls, NULL, &err), 0);
	root = pin_of("ca", TLS_KIND_CONTROLLER);
	issuing = pin_of("issuing", TLS_KIND_CONTROLLER);
	other = pin_of("other", TLS_KIND_CONTROLLER);
	of_gateways = pin_of("issuing", TLS_KIND_GATEWAY);
	ck_assert(takes(tls, &root));
	ck_assert(takes(tls, &issuing));
	ck_assert(!takes(tls, &other));
	ck_assert(!takes(tls, &of_gateways));
	SSL_CTX_free(tls);
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
	tcase_add_test(tcase, a_date_alone_is_told_apart);
	tcase_add_test(tcase, the_authority_that_counts_is_the_one_that_signed);
	tcase_add_test(tcase, a_dated_server_can_be_made);
	tcase_add_test(tcase, an_encrypted_key_is_not_asked_for);
	tcase_add_test(tcase, our_own_identity_and_its_dates_are_known);
	tcase_add_test(tcase, a_newcomer_trusts_the_authority_that_was_named);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
