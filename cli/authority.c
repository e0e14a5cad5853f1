/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"

/* Clocks of gateways differ a little: a certificate made now must be valid on a host that is an hour behind. */
enum { BACKDATE_SECONDS = 3600, SECONDS_PER_DAY = 86400, SERIAL_BYTES = 16 };

static const char *const kind_names[] = {"gateway", "controller", "operator"};

static int openssl_failed(struct err *err, const char *doing)
{
	char reason[256] = "unknown";
	unsigned long code = ERR_peek_last_error();

	if (code)
		ERR_error_string_n(code, reason, sizeof(reason));
	ERR_clear_error();
	return err_set(err, -EIO, "%s: OpenSSL says %s", doing, reason);
}

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

static int set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number;
	bool set;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -EIO;
	bytes[0] &= 0x7f; /* positive: RFC 5280 section 4.1.2.2 */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
	BN_free(number);
	return set ? 0 : -EIO;
}

static int set_name(X509 *certificate, const char *common_name)
{
	const unsigned char *text = (const unsigned char *)common_name;

	return X509_NAME_add_entry_by_txt(
		       X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1
		       ? 0
		       : -EIO;
}

static int set_validity(X509 *certificate, unsigned days)
{
	bool set = X509_gmtime_adj(X509_getm_notBefore(certificate), -BACKDATE_SECONDS) &&
		   X509_time_adj_ex(X509_getm_notAfter(certificate), (int)days, 0, NULL);

	return set ? 0 : -EIO;
}

static int add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int added;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (!extension)
		return -EIO;
	added = X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return added == 1 ? 0 : -EIO;
}

struct extension {
	int nid;
	const char *value;
};

/* A certificate with everything but its issuer and signature. NULL if OpenSSL would not. */
static X509 *certificate_new(EVP_PKEY *key, const char *common_name, unsigned days)
{
	X509 *certificate = X509_new();

	if (certificate && X509_set_version(certificate, 2) == 1 && !set_serial(certificate) &&
		!set_name(certificate, common_name) && !set_validity(certificate, days) &&
		X509_set_pubkey(certificate, key) == 1)
		return certificate;
	X509_free(certificate);
	return NULL;
}

static int certificate_sign(X509 *certificate, X509 *issuer, EVP_PKEY *issuer_key,
	const struct extension *extensions, size_t extension_count)
{
	if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1)
		return -EIO;
	for (size_t i = 0; i < extension_count; i++)
		if (add_extension(certificate, issuer, extensions[i].nid, extensions[i].value) < 0)
			return -EIO;
	return X509_sign(certificate, issuer_key, EVP_sha256()) > 0 ? 0 : -EIO;
}

static int path_in(
	const char *directory, const char *name, const char *suffix, char path[PATH_MAX], struct err *err)
{
	int length = snprintf(path, PATH_MAX, "%s/%s.%s", directory, name, suffix);

	if (length < PATH_MAX)
		return 0;
	return err_set(err, -ENAMETOOLONG, "%s: the path would be too long", directory);
}

/* Exclusive: what is there stays. The file gets its mode before its first byte. */
static FILE *create_file(const char *path, mode_t mode, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	FILE *file;

	if (fd < 0) {
		if (errno == EEXIST)
			err_at(err, -EEXIST, path, 0, 0, "exists already; it is left as it is");
		else
			err_at(err, -errno, path, 0, 0, "cannot be created: %s", strerror(errno));
		return NULL;
	}
	if (fchmod(fd, mode) < 0 || !(file = fdopen(fd, "w"))) {
		err_at(err, -errno, path, 0, 0, "cannot be opened: %s", strerror(errno));
		close(fd);
		unlink(path);
		return NULL;
	}
	return file;
}

static int finish_file(FILE *file, bool written, const char *path, struct err *err)
{
	bool synced = written && !fflush(file) && !fsync(fileno(file));
	int code = errno;

	if (!fclose(file) && synced)
		return 0;
	unlink(path);
	return err_at(err, -EIO, path, 0, 0, "cannot be written: %s", strerror(code));
}

static int write_key(const char *path, EVP_PKEY *key, struct err *err)
{
	FILE *file = create_file(path, 0600, err);

	if (!file)
		return -EEXIST;
	return finish_file(file, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, path, err);
}

static int write_certificate(const char *path, X509 *certificate, struct err *err)
{
	FILE *file = create_file(path, 0644, err);

	if (!file)
		return -EEXIST;
	return finish_file(file, PEM_write_X509(file, certificate) == 1, path, err);
}

/* Both or neither: a key without its certificate would only be in the way of the next try. */
static int write_pair(
	const char *directory, const char *name, EVP_PKEY *key, X509 *certificate, struct err *err)
{
	char key_path[PATH_MAX], certificate_path[PATH_MAX];
	int r;

	if ((r = path_in(directory, name, "key", key_path, err)) < 0 ||
		(r = path_in(directory, name, "pem", certificate_path, err)) < 0 ||
		(r = write_key(key_path, key, err)) < 0)
		return r;
	r = write_certificate(certificate_path, certificate, err);
	if (r < 0)
		unlink(key_path);
	return r;
}

int authority_create(const char *directory, unsigned days, struct err *err)
{
	static const struct extension extensions[] = {
		{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
		{NID_key_usage, "critical,keyCertSign,cRLSign"},
		{NID_subject_key_identifier, "hash"},
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = key ? certificate_new(key, "Holdfast authority", days) : NULL;
	int r;

	if (!certificate ||
		certificate_sign(certificate, certificate, key, extensions, ARRAY_COUNT(extensions)) < 0)
		r = openssl_failed(err, "making the authority");
	else
		r = write_pair(directory, "ca", key, certificate, err);
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

static int load_key(const char *path, EVP_PKEY **ret_key, struct err *err)
{
	FILE *file = open_pem(path, err);
	EVP_PKEY *key;

	if (!file)
		return -ENOENT;
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	if (!key) {
		ERR_clear_error();
		return err_at(err, -EBADMSG, path, 0, 0, "is not a PEM private key");
	}
	*ret_key = key;
	return 0;
}

int authority_open(const char *directory, struct authority *ret_authority, struct err *err)
{
	char key_path[PATH_MAX], certificate_path[PATH_MAX];
	struct authority authority = {0};
	int r;

	if ((r = path_in(directory, "ca", "key", key_path, err)) < 0 ||
		(r = path_in(directory, "ca", "pem", certificate_path, err)) < 0 ||
		(r = load_certificate(certificate_path, &authority.certificate, err)) < 0)
		return r;
	r = load_key(key_path, &authority.key, err);
	if (!r && X509_check_private_key(authority.certificate, authority.key) != 1) {
		ERR_clear_error();
		r = err_at(err, -EBADMSG, key_path, 0, 0, "is not the key of %s", certificate_path);
	}
	if (r < 0)
		authority_clear(&authority);
	else
		*ret_authority = authority;
	return r;
}

void authority_clear(struct authority *authority)
{
	if (!authority)
		return;
	X509_free(authority->certificate);
	EVP_PKEY_free(authority->key);
	*authority = (struct authority){0};
}

/* A controller is a server to agents and people, a gateway to the others of its pool; everybody is a client. */
static const char *extended_usage(enum authority_kind kind)
{
	return kind == AUTHORITY_OPERATOR ? "clientAuth" : "serverAuth,clientAuth";
}

int authority_issue(const struct authority *authority, enum authority_kind kind, const char *name,
	const char *directory, unsigned days, struct err *err)
{
	char identity[256];
	const struct extension extensions[] = {
		{NID_basic_constraints, "critical,CA:FALSE"},
		{NID_key_usage, "critical,digitalSignature"},
		{NID_ext_key_usage, extended_usage(kind)},
		{NID_subject_alt_name, identity},
		{NID_subject_key_identifier, "hash"},
		{NID_authority_key_identifier, "keyid"},
	};
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = key ? certificate_new(key, name, days) : NULL;
	int r;

	snprintf(identity, sizeof(identity), "URI:holdfast:%s:%s", kind_names[kind], name);
	if (!certificate || certificate_sign(certificate, authority->certificate, authority->key, extensions,
				    ARRAY_COUNT(extensions)) < 0)
		r = openssl_failed(err, "making the certificate");
	else
		r = write_pair(directory, name, key, certificate, err);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return r;
}
