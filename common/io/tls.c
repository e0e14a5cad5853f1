/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/tls_int.h"

/* Everything read from the three files. */
struct material {
	STACK_OF(X509) * authorities, *certificates; /* of the latter the first is ours, the rest its chain */
	EVP_PKEY *key;
};

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

char *tls_error_text(char *buffer, size_t size)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	text_copy(buffer, size, reason ? reason : "unknown TLS error");
	return buffer;
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

/* Without a callback OpenSSL asks for a passphrase on the terminal, and a daemon hangs there. */
static int no_passphrase(char *buffer, int size, int writing, void *asked)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int load_key(const char *path, EVP_PKEY **ret_key, struct err *err)
{
	char *text = NULL;
	bool asked = false;
	size_t size;
	BIO *bio;
	int r = tls_read_pem(path, &text, &size, err);

	if (r < 0)
		return r;
	bio = BIO_new_mem_buf(text, (int)size);
	*ret_key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
	BIO_free(bio);
	mem_wipe(text, size);
	free(text);
	ERR_clear_error();
	if (*ret_key)
		return 0;
	if (asked)
		return err_at(err, -EINVAL, path, 0, 0,
			"the key is encrypted: store it without a passphrase, mode 0600");
	return err_at(err, -EINVAL, path, 0, 0, "no private key in PEM form in it");
}

static void material_clear(struct material *material)
{
	sk_X509_pop_free(material->authorities, X509_free);
	sk_X509_pop_free(material->certificates, X509_free);
	EVP_PKEY_free(material->key);
}

static int material_load(const struct tls_files *files, struct material *material, struct err *err)
{
	int r = tls_load_certificates(files->ca, &material->authorities, err);

	if (r == 0)
		r = tls_load_certificates(files->certificate, &material->certificates, err);
	if (r == 0)
		r = load_key(files->key, &material->key, err);
	return r;
}

static void date_text(const ASN1_TIME *time, char *buffer, size_t size)
{
	struct tm tm = {0};

	if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(buffer, size, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		text_copy(buffer, size, "an unreadable date");
}

/* What to do about it: a gateway's is made by its controller, the others' by a person. */
static void fail_ended(const char *path, const char *date, const struct tls_identity *own, struct err *err)
{
	if (own && own->kind == TLS_KIND_GATEWAY)
		err_at(err, -EKEYEXPIRED, path, 0, 0,
			"expired on %s: 'holdfast invite %s' on the controller, and 'holdfast join - "
			"--force' "
			"here, make a new one",
			date, own->name);
	else
		err_at(err, -EKEYEXPIRED, path, 0, 0, "expired on %s: make a new one with holdfast cert",
			date);
}

/* own: whose it is; NULL: an authority's. */
static int check_dates(
	const X509 *certificate, const char *path, const struct tls_identity *own, struct err *err)
{
	char date[40];

	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
		date_text(X509_get0_notBefore(certificate), date, sizeof date);
		return err_at(err, -EKEYEXPIRED, path, 0, 0,
			"not valid before %s: is this host's clock right?", date);
	}
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0)
		return 0;
	date_text(X509_get0_notAfter(certificate), date, sizeof date);
	if (own)
		fail_ended(path, date, own, err);
	else
		err_at(err, -EKEYEXPIRED, path, 0, 0,
			"an authority's certificate in it expired on %s: docs/joining.md tells how to follow "
			"it by "
			"another",
			date);
	return -EKEYEXPIRED;
}

static bool is_about_dates(int problem)
{
	return problem == X509_V_ERR_CERT_HAS_EXPIRED || problem == X509_V_ERR_CERT_NOT_YET_VALID;
}

/* With flags of X509_VERIFY_PARAM_set_flags(3). A date is the last thing that is looked at, and comes with its own text. */
static int check_chain(
	const struct material *material, const struct tls_files *files, unsigned long flags, struct err *err)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	const X509 *certificate = NULL;
	int r = 0, problem;

	X509_STORE_CTX_init(context, NULL, sk_X509_value(material->certificates, 0), material->certificates);
	X509_STORE_CTX_set0_trusted_stack(context, material->authorities);
	X509_STORE_CTX_set_flags(context, flags);
	if (X509_verify_cert(context) != 1) {
		problem = X509_STORE_CTX_get_error(context);
		certificate = is_about_dates(problem) ? X509_STORE_CTX_get_current_cert(context) : NULL;
		r = certificate ? check_dates(certificate, files->ca, NULL, err)
				: err_at(err, -EINVAL, files->certificate, 0, 0,
					  "not signed by the authority in %s (%s)", files->ca,
					  X509_verify_cert_error_string(problem));
	}
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return r;
}

static int material_check(const struct material *material, const struct tls_files *files,
	struct tls_identity *ret_own, struct err *err)
{
	const X509 *certificate = sk_X509_value(material->certificates, 0);
	struct tls_identity own;
	int r;

	if (X509_check_private_key(certificate, material->key) != 1) {
		ERR_clear_error();
		return err_at(err, -EINVAL, files->key, 0, 0, "is not the key of the certificate in %s",
			files->certificate);
	}
	r = check_chain(material, files, X509_V_FLAG_NO_CHECK_TIME, err);
	if (r < 0)
		return r;
	if (tls_identity_of(certificate, &own) < 0)
		return err_at(err, -EINVAL, files->certificate, 0, 0,
			"says no identity: its first URI name must be holdfast:gateway:NAME, "
			"holdfast:controller:NAME or "
			"holdfast:operator:NAME");
	if (ret_own)
		*ret_own = own;
	r = check_dates(certificate, files->certificate, &own, err);
	return r < 0 ? r : check_chain(material, files, 0, err);
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
static bool trust(SSL_CTX *context, const struct material *material)
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

static bool present(SSL_CTX *context, const struct material *material)
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
static int equip(SSL_CTX *context, const struct material *material, enum tls_kind peer_kind, struct err *err)
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
	struct material material = {0};
	struct err why = {0};
	int r = material_load(files, &material, &why);

	if (r == 0)
		r = material_check(&material, files, ret_own, &why);
	if (r == -EKEYEXPIRED && dated) {
		*dated = why;
		r = 0;
	}
	if (r == 0)
		r = equip(context, &material, peer_kind, &why);
	if (r < 0 && err)
		*err = why;
	material_clear(&material);
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
