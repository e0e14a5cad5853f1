/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/authority/request.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/authority/pem.h"
#include "common/base/mem.h"
#include "common/io/tls.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192 };

#define BEGIN "-----BEGIN CERTIFICATE REQUEST-----"
#define END "-----END CERTIFICATE REQUEST-----"

static X509_REQ *make_request(EVP_PKEY *key)
{
	X509_REQ *request = X509_REQ_new();

	if (request && X509_REQ_set_version(request, 0) == 1 && X509_REQ_set_pubkey(request, key) == 1 &&
		X509_REQ_sign(request, key, EVP_sha256()) > 0)
		return request;
	X509_REQ_free(request);
	return NULL;
}

int request_new(char **ret_key_pem, char **ret_request_pem, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *request = key ? make_request(key) : NULL;
	char reason[128];
	int r = 0;

	if (request) {
		*ret_key_pem = pem_of_key(key);
		*ret_request_pem = pem_of_request(request);
	} else {
		r = err_set(err, -EIO, "making a key and a request: OpenSSL says %s",
			tls_error_text(reason, sizeof(reason)));
	}
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	return r;
}

/* One block, as the armour's own words say: PEM_read_bio() would pass over anything in front. */
static bool is_one_block(const char *pem, size_t size)
{
	const char *first = memmem(pem, size, "-----BEGIN", 10), *end = memmem(pem, size, END, strlen(END));
	const char *rest = end ? end + strlen(END) : NULL;

	if (!first || !end || strncmp(pem, BEGIN, strlen(BEGIN)) != 0)
		return false;
	return (size_t)(rest - pem) + strspn(rest, " \t\r\n") == size;
}

static bool is_sound_curve(const EVP_PKEY *key)
{
	static const char *const sound[] = {"prime256v1", "secp384r1", "secp521r1"};
	char curve[64];
	size_t length;

	if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), &length) != 1)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(sound); i++)
		if (!strcmp(curve, sound[i]))
			return true;
	return false;
}

/* Parameters that TLS peers would refuse, or that make checking a signature expensive, end here. */
static bool is_sound(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "ED25519"))
		return true;
	if (EVP_PKEY_is_a(key, "EC"))
		return is_sound_curve(key);
	return EVP_PKEY_is_a(key, "RSA") && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
}

/* A block may claim to be encrypted: without a callback OpenSSL would ask for a passphrase on the terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static X509_REQ *parse(const char *pem, size_t size)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);
	X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	ERR_clear_error();
	return request;
}

int request_read(const char *pem, size_t size, EVP_PKEY **ret_key, struct err *err)
{
	X509_REQ *request;
	EVP_PKEY *key;
	int r = 0;

	if (size > REQUEST_PEM_MAX)
		return err_set(err, -E2BIG, "the request has more than %d bytes", REQUEST_PEM_MAX);
	if (memchr(pem, '\0', size) || !is_one_block(pem, size) || !(request = parse(pem, size)))
		return err_set(err, -EINVAL, "expected one request for a certificate (PKCS #10) in PEM form");
	key = X509_REQ_get_pubkey(request);
	if (!key || !is_sound(key))
		r = err_set(err, -EINVAL,
			"the request's key is of no kind that is taken: EC P-256, P-384, P-521, Ed25519, RSA "
			"from 2048 to 8192 bits");
	else if (X509_REQ_verify(request, key) != 1)
		r = err_set(err, -EINVAL, "the request is not signed with its own key");
	ERR_clear_error();
	X509_REQ_free(request);
	if (r < 0)
		EVP_PKEY_free(key);
	else
		*ret_key = key;
	return r;
}
