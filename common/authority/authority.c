/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/authority/authority.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/authority/certificate.h"
#include "common/authority/pem.h"
#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/file.h"
#include "common/io/tls.h"

/* Clocks of gateways differ a little: a certificate made now must be valid on a host that is an hour behind. */
enum { BACKDATE_SECONDS = 3600, MS_PER_SECOND = 1000 };

static const char *const kind_names[] = {"gateway", "controller", "operator"};

int authority_kind_parse(const char *text, enum authority_kind *ret_kind, struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(kind_names); i++)
		if (!strcmp(text, kind_names[i])) {
			*ret_kind = (enum authority_kind)i;
			return 0;
		}
	return err_set(
		err, -EINVAL, "\"%s\" is no kind of certificate: gateway, controller or operator", text);
}

const char *authority_kind_text(enum authority_kind kind)
{
	return kind_names[kind];
}

static int64_t an_hour_ago_s(void)
{
	return clock_wall_ms() / MS_PER_SECOND - BACKDATE_SECONDS;
}

static EVP_PKEY *new_key(struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char reason[128];

	if (!key)
		err_set(err, -EIO, "making a key: OpenSSL says %s", tls_error_text(reason, sizeof(reason)));
	return key;
}

static int path_in(
	const char *directory, const char *name, const char *suffix, char path[PATH_MAX], struct err *err)
{
	int length = snprintf(path, PATH_MAX, "%s/%s.%s", directory, name, suffix);

	if (length < PATH_MAX)
		return 0;
	return err_set(err, -ENAMETOOLONG, "%s: the path would be too long", directory);
}

static int create_key(const char *path, const EVP_PKEY *key, struct err *err)
{
	char *text = pem_of_key(key);
	int r = file_create(path, text, strlen(text), 0600, err);

	pem_wipe(text);
	return r;
}

static int create_certificate(const char *path, const X509 *certificate, struct err *err)
{
	CLEANUP_FREE char *text = pem_of_certificate(certificate);

	return file_create(path, text, strlen(text), 0644, err);
}

/* Both or neither: a key without its certificate would only be in the way of the next try. */
static int write_pair(const char *directory, const char *name, const EVP_PKEY *key, const X509 *certificate,
	struct err *err)
{
	char key_path[PATH_MAX], certificate_path[PATH_MAX];
	int r;

	if ((r = path_in(directory, name, "key", key_path, err)) < 0 ||
		(r = path_in(directory, name, "pem", certificate_path, err)) < 0 ||
		(r = create_key(key_path, key, err)) < 0)
		return r;
	r = create_certificate(certificate_path, certificate, err);
	if (r < 0)
		unlink(key_path);
	return r;
}

int authority_create(const char *directory, unsigned days, struct err *err)
{
	static const struct certificate_extension extensions[] = {
		{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
		{NID_key_usage, "critical,keyCertSign,cRLSign"},
		{NID_subject_key_identifier, "hash"},
	};
	EVP_PKEY *key = new_key(err);
	const struct certificate_plan plan = {.key = key,
		.common_name = "Holdfast authority",
		.from_s = an_hour_ago_s(),
		.days = days,
		.extensions = extensions,
		.extension_count = ARRAY_COUNT(extensions)};
	X509 *certificate = key ? certificate_make(&plan, NULL, key, err) : NULL;
	int r = certificate ? write_pair(directory, "ca", key, certificate, err) : -EIO;

	X509_free(certificate);
	EVP_PKEY_free(key);
	return r;
}

static FILE *open_pem(const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");

	if (!file)
		err_at(err, -errno, path, 0, 0, "%s; 'holdfast init' makes an authority", strerror(errno));
	return file;
}

static int load_certificate(const char *path, X509 **ret_certificate, struct err *err)
{
	FILE *file = open_pem(path, err);
	X509 *certificate;

	if (!file)
		return -ENOENT;
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	if (!certificate) {
		ERR_clear_error();
		return err_at(err, -EBADMSG, path, 0, 0, "is not a PEM certificate");
	}
	*ret_certificate = certificate;
	return 0;
}

/* Without a callback OpenSSL asks for a passphrase on the terminal, and a daemon hangs there. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static int load_key(const char *path, EVP_PKEY **ret_key, struct err *err)
{
	FILE *file = open_pem(path, err);
	EVP_PKEY *key;

	if (!file)
		return -ENOENT;
	setvbuf(file, NULL, _IONBF, 0); /* or a copy of the key would stay in the heap */
	key = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	fclose(file);
	if (!key) {
		ERR_clear_error();
		return err_at(err, -EBADMSG, path, 0, 0, "is not a PEM private key without a passphrase");
	}
	*ret_key = key;
	return 0;
}

int authority_load(const char *certificate, const char *key, struct authority *ret_authority, struct err *err)
{
	struct authority authority = {0};
	int r = load_certificate(certificate, &authority.certificate, err);

	if (r < 0)
		return r;
	r = load_key(key, &authority.key, err);
	if (!r && X509_check_private_key(authority.certificate, authority.key) != 1) {
		ERR_clear_error();
		r = err_at(err, -EBADMSG, key, 0, 0, "is not the key of %s", certificate);
	}
	if (r < 0)
		authority_clear(&authority);
	else
		*ret_authority = authority;
	return r;
}

int authority_open(const char *directory, struct authority *ret_authority, struct err *err)
{
	char key_path[PATH_MAX], certificate_path[PATH_MAX];
	int r;

	if ((r = path_in(directory, "ca", "key", key_path, err)) < 0 ||
		(r = path_in(directory, "ca", "pem", certificate_path, err)) < 0)
		return r;
	return authority_load(certificate_path, key_path, ret_authority, err);
}

void authority_clear(struct authority *authority)
{
	if (!authority)
		return;
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
	*authority = (struct authority){0};
}

int authority_hash(const struct authority *authority, struct key *ret_hash, struct err *err)
{
	unsigned size = 0;
	char reason[128];

	if (X509_digest(authority->certificate, EVP_sha256(), ret_hash->bytes, &size) == 1 &&
		size == sizeof(ret_hash->bytes))
		return 0;
	return err_set(err, -EIO, "hashing the authority's certificate: OpenSSL says %s",
		tls_error_text(reason, sizeof(reason)));
}

/* A controller is a server to agents and people, a gateway to the others of its pool; everybody is a client. */
static const char *extended_usage(enum authority_kind kind)
{
	return kind == AUTHORITY_OPERATOR ? "clientAuth" : "serverAuth,clientAuth";
}

static X509 *make_leaf(const struct authority *authority, enum authority_kind kind, const char *name,
	EVP_PKEY *key, int64_t after_ms, unsigned days, struct err *err)
{
	char identity[256];
	const struct certificate_extension extensions[] = {
		{NID_basic_constraints, "critical,CA:FALSE"},
		{NID_key_usage, "critical,digitalSignature"},
		{NID_ext_key_usage, extended_usage(kind)},
		{NID_subject_alt_name, identity},
		{NID_subject_key_identifier, "hash"},
		{NID_authority_key_identifier, "keyid"},
	};
	struct certificate_plan plan = {.key = key,
		.common_name = name,
		.from_s = an_hour_ago_s(),
		.days = days,
		.extensions = extensions,
		.extension_count = ARRAY_COUNT(extensions)};

	snprintf(identity, sizeof(identity), "URI:holdfast:%s:%s", kind_names[kind], name);
	if (plan.from_s <= after_ms / MS_PER_SECOND)
		plan.from_s = after_ms / MS_PER_SECOND + 1;
	return certificate_make(&plan, authority->certificate, authority->key, err);
}

int authority_issue(const struct authority *authority, enum authority_kind kind, const char *name,
	const char *directory, unsigned days, bool fresh, struct err *err)
{
	EVP_PKEY *key = new_key(err);
	int64_t after_ms = fresh ? clock_wall_ms() - MS_PER_SECOND : 0;
	X509 *certificate = key ? make_leaf(authority, kind, name, key, after_ms, days, err) : NULL;
	int r = certificate ? write_pair(directory, name, key, certificate, err) : -EIO;

	X509_free(certificate);
	EVP_PKEY_free(key);
	return r;
}

int authority_certify(const struct authority *authority, enum authority_kind kind, const char *name,
	EVP_PKEY *key, int64_t after_ms, unsigned days, char **ret_pem, struct err *err)
{
	X509 *certificate = make_leaf(authority, kind, name, key, after_ms, days, err);

	if (!certificate)
		return -EIO;
	*ret_pem = pem_of_certificate(certificate);
	X509_free(certificate);
	return 0;
}
