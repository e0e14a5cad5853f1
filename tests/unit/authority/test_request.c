/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is taken for a request, and what a certificate for it says. */
#include <check.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/authority/authority.h"
#include "common/authority/pem.h"
#include "common/authority/request.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/tls.h"

static int read_text(const char *text, struct err *err)
{
	EVP_PKEY *key = NULL;
	int r = request_read(text, strlen(text), &key, err);

	EVP_PKEY_free(key);
	return r;
}

static char *new_request(void)
{
	char *key, *request;
	struct err err;

	ck_assert_int_eq(request_new(&key, &request, &err), 0);
	pem_wipe(key);
	return request;
}

/* A request for a key of that kind, signed by it, or by another. */
static char *request_of(EVP_PKEY *key, EVP_PKEY *signer, const EVP_MD *digest)
{
	X509_REQ *request = X509_REQ_new();
	char *text;

	ck_assert(X509_REQ_set_pubkey(request, key) == 1 && X509_REQ_sign(request, signer, digest) > 0);
	text = pem_of_request(request);
	X509_REQ_free(request);
	return text;
}

START_TEST(one_of_ours_is_taken)
{
	char *request = new_request();
	struct err err;

	ck_assert_int_eq(read_text(request, &err), 0);
	free(request);
}
END_TEST

START_TEST(nothing_else_is)
{
	char *request = new_request();
	struct text twice = {0}, led = {0};
	struct err err;

	text_add(&twice, "%s%s", request, request);
	text_add(&led, "hello\n%s", request);
	ck_assert_int_eq(read_text("", &err), -EINVAL);
	ck_assert_int_eq(read_text("hello", &err), -EINVAL);
	ck_assert_int_eq(read_text(twice.data, &err), -EINVAL);
	ck_assert_int_eq(read_text(led.data, &err), -EINVAL);
	request[strlen(request) / 2] ^= 1;
	ck_assert_int_eq(read_text(request, &err), -EINVAL);
	text_clear(&twice);
	text_clear(&led);
	free(request);
}
END_TEST

START_TEST(its_size_has_a_limit)
{
	struct text text = {0};
	char *request = new_request();
	struct err err;

	text_add(&text, "%s", request);
	while (text.length < REQUEST_PEM_MAX)
		text_add(&text, "\n");
	ck_assert_int_eq(read_text(text.data, &err), 0);
	text_add(&text, "\n");
	ck_assert_int_eq(read_text(text.data, &err), -E2BIG);
	text_clear(&text);
	free(request);
}
END_TEST

static void check_key(EVP_PKEY *key, const EVP_MD *digest, int expected)
{
	char *request = request_of(key, key, digest);
	struct err err = {0};

	ck_assert_msg(read_text(request, &err) == expected, "%s", err.text);
	free(request);
	EVP_PKEY_free(key);
}

START_TEST(keys_that_nobody_trusts_are_refused)
{
	check_key(EVP_RSA_gen(2048), EVP_sha256(), 0);
	check_key(EVP_RSA_gen(1024), EVP_sha256(), -EINVAL);
	check_key(EVP_EC_gen("P-384"), EVP_sha256(), 0);
	check_key(EVP_EC_gen("secp256k1"), EVP_sha256(), -EINVAL);
	check_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, 0);
}
END_TEST

START_TEST(who_asks_has_the_private_key)
{
	EVP_PKEY *victim = EVP_EC_gen("P-256"), *thief = EVP_EC_gen("P-256");
	char *request = request_of(victim, thief, EVP_sha256());
	struct err err;

	ck_assert_int_eq(read_text(request, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "its own key"));
	free(request);
	EVP_PKEY_free(victim);
	EVP_PKEY_free(thief);
}
END_TEST

static X509 *certify(const char *directory, int64_t after_ms)
{
	struct authority authority;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate;
	struct err err;
	char *pem;
	BIO *bio;

	ck_assert_int_eq(authority_open(directory, &authority, &err), 0);
	ck_assert_int_eq(
		authority_certify(&authority, AUTHORITY_GATEWAY, "gw-a", key, after_ms, 30, &pem, &err), 0);
	bio = BIO_new_mem_buf(pem, -1);
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	ck_assert_int_eq(X509_verify(certificate, X509_get0_pubkey(authority.certificate)), 1);
	BIO_free(bio);
	free(pem);
	EVP_PKEY_free(key);
	authority_clear(&authority);
	return certificate;
}

START_TEST(a_certificate_names_whom_the_authority_says)
{
	char directory[] = "/tmp/holdfast-request-XXXXXX", path[64];
	struct tls_identity identity;
	time_t now = (time_t)(clock_wall_ms() / 1000), before = now - 1;
	X509 *certificate;
	struct err err;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(authority_create(directory, 30, &err), 0);
	certificate = certify(directory, 0);
	ck_assert_int_eq(tls_identity_of(certificate, &identity), 0);
	ck_assert_str_eq(identity.name, "gw-a");
	ck_assert_int_eq(identity.kind, TLS_KIND_GATEWAY);
	ck_assert_int_lt(X509_cmp_time(X509_get0_notBefore(certificate), &before), 0);
	X509_free(certificate);
	certificate = certify(directory, (int64_t)now * 1000); /* after that second */
	ck_assert_int_gt(X509_cmp_time(X509_get0_notBefore(certificate), &now), 0);
	X509_free(certificate);
	snprintf(path, sizeof(path), "%s/ca.key", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/ca.pem", directory);
	unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("authority/request");
	TCase *test = tcase_create("request");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, test);
	tcase_add_test(test, one_of_ours_is_taken);
	tcase_add_test(test, nothing_else_is);
	tcase_add_test(test, its_size_has_a_limit);
	tcase_add_test(test, keys_that_nobody_trusts_are_refused);
	tcase_add_test(test, who_asks_has_the_private_key);
	tcase_add_test(test, a_certificate_names_whom_the_authority_says);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
