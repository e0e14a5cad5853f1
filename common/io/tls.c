/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/tls_int.h"

char *tls_error_text(char *buffer, size_t size)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	text_copy(buffer, size, reason ? reason : "unknown TLS error");
	return buffer;
}

/* What the other side must be; TLS_KIND_NONE: anybody with an identity. Constant, so that a context can point here. */
static const struct tls_identity wanted_kinds[] = {
	[TLS_KIND_NONE] = {.kind = TLS_KIND_NONE},
	[TLS_KIND_GATEWAY] = {.kind = TLS_KIND_GATEWAY},
	[TLS_KIND_CONTROLLER] = {.kind = TLS_KIND_CONTROLLER},
	[TLS_KIND_OPERATOR] = {.kind = TLS_KIND_OPERATOR},
};

static bool is_wanted(const struct tls_identity *wanted, const struct tls_identity *identity)
{
	return (wanted->kind == TLS_KIND_NONE || wanted->kind == identity->kind) &&
	       (!wanted->name[0] || strcmp(wanted->name, identity->name) == 0);
}

static int verify_peer(X509_STORE_CTX *context, void *wanted)
{
	struct tls_identity identity;

	if (X509_verify_cert(context) != 1)
		return 0;
	if (tls_identity_of(X509_STORE_CTX_get0_cert(context), &identity) == 0 &&
		is_wanted(wanted, &identity))
		return 1;
	X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

void tls_client_expect(SSL_CTX *context, const struct tls_identity *who)
{
	void *wanted;

	memcpy(&wanted, &(const void *){who}, sizeof wanted);
	SSL_CTX_set_cert_verify_callback(context, verify_peer, wanted);
}

/* A store of ours instead of what is there: libcurl's context may trust the public authorities. */
static bool trust(SSL_CTX *context, const struct tls_material *material)
{
	X509_STORE *store = X509_STORE_new();

	for (int i = 0; store && i < sk_X509_num(material->authorities); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(material->authorities, i)) != 1) {
			X509_STORE_free(store);
			return false;
		}
	if (store)
		SSL_CTX_set_cert_store(context, store);
	return store != NULL;
}

static bool present(SSL_CTX *context, const struct tls_material *material)
{
	if (SSL_CTX_use_certificate(context, sk_X509_value(material->certificates, 0)) != 1 ||
		SSL_CTX_use_PrivateKey(context, material->key) != 1)
		return false;
	SSL_CTX_clear_chain_certs(context);
	for (int i = 1; i < sk_X509_num(material->certificates); i++)
		if (SSL_CTX_add1_chain_cert(context, sk_X509_value(material->certificates, i)) != 1)
			return false;
	return true;
}

/* No resumption: every connection shows its certificate anew, so that a revoked or renewed one counts at once. */
static int equip(
	SSL_CTX *context, const struct tls_material *material, enum tls_kind peer_kind, struct err *err)
{
	char reason[128];

	if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 || !trust(context, material) ||
		!present(context, material))
		return err_set(
			err, -EINVAL, "TLS cannot be set up: %s", tls_error_text(reason, sizeof reason));
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	tls_client_expect(context, &wanted_kinds[peer_kind]);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* idle connections give 34 KiB back */
	return 0;
}

/* dated (may be NULL): where a wrong date alone is told instead of being an error. */
static int prepare(SSL_CTX *context, const struct tls_files *files, enum tls_kind peer_kind,
	struct tls_identity *ret_own, struct err *dated, struct err *err)
{
	struct tls_material material = {0};
	struct err why = {0};
	int r = tls_material_load(files, &material, &why);

	if (r == 0)
		r = tls_material_check(&material, files, ret_own, &why);
	if (r == -EKEYEXPIRED && dated) {
		*dated = why;
		r = 0;
	}
	if (r == 0)
		r = equip(context, &material, peer_kind, &why);
	if (r < 0 && err)
		*err = why;
	tls_material_clear(&material);
	return r;
}

int tls_client_prepare(SSL_CTX *context, const struct tls_files *files, enum tls_kind server_kind,
	struct tls_identity *ret_own, struct err *err)
{
	return prepare(context, files, server_kind, ret_own, NULL, err);
}

static int new_context(const SSL_METHOD *method, const struct tls_files *files, enum tls_kind peer_kind,
	SSL_CTX **ret_context, struct tls_identity *ret_own, struct err *dated, struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(method);
	char reason[128];
	int r;

	if (!context)
		return err_set(
			err, -ENOTSUP, "TLS cannot be set up: %s", tls_error_text(reason, sizeof reason));
	r = prepare(context, files, peer_kind, ret_own, dated, err);
	if (r < 0)
		SSL_CTX_free(context);
	else
		*ret_context = context;
	return r;
}

int tls_server_new(
	const struct tls_files *files, SSL_CTX **ret_context, struct tls_identity *ret_own, struct err *err)
{
	return new_context(TLS_server_method(), files, TLS_KIND_NONE, ret_context, ret_own, NULL, err);
}

int tls_server_new_dated(const struct tls_files *files, SSL_CTX **ret_context, struct tls_identity *ret_own,
	struct err *ret_dated, struct err *err)
{
	*ret_dated = (struct err){0};
	return new_context(TLS_server_method(), files, TLS_KIND_NONE, ret_context, ret_own, ret_dated, err);
}

int tls_client_new(const struct tls_files *files, enum tls_kind server_kind, SSL_CTX **ret_context,
	struct tls_identity *ret_own, struct err *err)
{
	return new_context(TLS_client_method(), files, server_kind, ret_context, ret_own, NULL, err);
}
