/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One side without a certificate: the newcomer, who knows the hash of an authority, and the server that lets him in. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/io/tls.h"

static X509 *find_pinned(const STACK_OF(X509) * chain, const struct tls_pin *pin)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned size;

	for (int i = 0; i < sk_X509_num(chain); i++)
		if (X509_digest(sk_X509_value(chain, i), EVP_sha256(), hash, &size) == 1 &&
			size == sizeof pin->authority && memcmp(hash, pin->authority, size) == 0)
			return sk_X509_value(chain, i);
	return NULL;
}

/* The authority that was named before, and nothing else that came with the chain, is what the chain may end at; it need
 * not be one that has signed itself. */
static int verify_pinned(X509_STORE_CTX *context, void *argument)
{
	const struct tls_pin *pin = argument;
	X509 *authority = find_pinned(X509_STORE_CTX_get0_untrusted(context), pin);
	STACK_OF(X509) *trusted = sk_X509_new_null();
	struct tls_identity identity;
	int verified = 0;

	if (authority && trusted && sk_X509_push(trusted, authority) > 0) {
		X509_STORE_CTX_set0_trusted_stack(context, trusted);
		X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
		verified = X509_verify_cert(context) == 1;
	}
	if (!verified || tls_identity_of(X509_STORE_CTX_get0_cert(context), &identity) < 0 ||
		identity.kind != pin->server_kind) {
		X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
		verified = 0;
	}
	sk_X509_free(trusted);
	return verified;
}

int tls_client_pin(SSL_CTX *context, const struct tls_pin *pin, struct err *err)
{
	char reason[128];
	void *argument;

	if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1)
		return err_set(
			err, -EINVAL, "TLS cannot be set up: %s", tls_error_text(reason, sizeof reason));
	memcpy(&argument, &(const void *){pin}, sizeof argument);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, verify_pinned, argument);
	return 0;
}

void tls_welcome(SSL *ssl)
{
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	SSL_build_cert_chain(ssl, SSL_BUILD_CHAIN_FLAG_UNTRUSTED);
	ERR_clear_error();
}

bool tls_peer_is_newcomer(const SSL *ssl)
{
	return !SSL_get0_peer_certificate(ssl);
}
