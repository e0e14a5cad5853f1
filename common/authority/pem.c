/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/authority/pem.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* BIO_free() leaves what was in a memory BIO in the heap: it is wiped first. */
static char *take(BIO *bio, int written)
{
	struct text text = {0};
	char *bytes;
	long size = BIO_get_mem_data(bio, &bytes);

	if (written == 1 && size > 0)
		text_add_bytes(&text, bytes, (size_t)size);
	if (size > 0)
		OPENSSL_cleanse(bytes, (size_t)size);
	BIO_free(bio);
	return text_take(&text);
}

char *pem_of_certificate(const X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take(bio, PEM_write_bio_X509(bio, certificate));
}

char *pem_of_request(const X509_REQ *request)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take(bio, PEM_write_bio_X509_REQ(bio, request));
}

char *pem_of_key(const EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take(bio, PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
}

void pem_wipe(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}
