/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who somebody is, by a certificate. */
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/tls.h"

static const char *const kind_names[] = {
	[TLS_KIND_NONE] = "none",
	[TLS_KIND_GATEWAY] = "gateway",
	[TLS_KIND_CONTROLLER] = "controller",
	[TLS_KIND_OPERATOR] = "operator",
};

const char *tls_kind_text(enum tls_kind kind)
{
	return kind_names[kind];
}

int tls_identity_parse(const char *uri, struct tls_identity *ret_identity)
{
	static const char scheme[] = "holdfast:";
	struct tls_identity identity = {0};
	const char *colon;

	if (strncmp(uri, scheme, sizeof scheme - 1) != 0)
		return -EINVAL;
	uri += sizeof scheme - 1;
	colon = strchr(uri, ':');
	if (!colon || !text_is_name(colon + 1, TLS_NAME_MAX - 1))
		return -EINVAL;
	for (enum tls_kind kind = TLS_KIND_GATEWAY; kind <= TLS_KIND_OPERATOR; kind++)
		if (strlen(kind_names[kind]) == (size_t)(colon - uri) &&
			strncmp(kind_names[kind], uri, (size_t)(colon - uri)) == 0)
			identity.kind = kind;
	if (identity.kind == TLS_KIND_NONE)
		return -EINVAL;
	text_copy(identity.name, sizeof identity.name, colon + 1);
	*ret_identity = identity;
	return 0;
}

static int parse_uri(const GENERAL_NAME *name, struct tls_identity *ret_identity)
{
	const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
	int length = ASN1_STRING_length(uri);
	char text[128] = "";

	if (length < 0 || (size_t)length >= sizeof text ||
		memchr(ASN1_STRING_get0_data(uri), '\0', (size_t)length))
		return -ENOENT;
	memcpy(text, ASN1_STRING_get0_data(uri), (size_t)length);
	return tls_identity_parse(text, ret_identity) < 0 ? -ENOENT : 0;
}

int tls_identity_of(const X509 *certificate, struct tls_identity *ret_identity)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int r = -ENOENT;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_URI)
			continue;
		r = parse_uri(name, ret_identity);
		break;
	}
	GENERAL_NAMES_free(names);
	return r;
}

int tls_peer_identity(const SSL *ssl, struct tls_identity *ret_identity)
{
	const X509 *certificate = SSL_get0_peer_certificate(ssl);

	if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK)
		return -ENOENT;
	return tls_identity_of(certificate, ret_identity);
}
