/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/authority/certificate.h"

#include <errno.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <time.h>

#include "common/io/tls.h"

enum { SERIAL_BYTES = 16 };

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

static int set_validity(X509 *certificate, int64_t from_s, unsigned days)
{
	bool set = ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)from_s) &&
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

/* Everything but the issuer, what depends on it, and the signature. */
static int describe(X509 *certificate, const struct certificate_plan *plan)
{
	int r = X509_set_version(certificate, 2) == 1 ? set_serial(certificate) : -EIO;

	if (!r)
		r = set_name(certificate, plan->common_name);
	if (!r)
		r = set_validity(certificate, plan->from_s, plan->days);
	return !r && X509_set_pubkey(certificate, plan->key) == 1 ? 0 : -EIO;
}

static int sign(X509 *certificate, const struct certificate_plan *plan, X509 *issuer, EVP_PKEY *issuer_key)
{
	if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1)
		return -EIO;
	for (size_t i = 0; i < plan->extension_count; i++)
		if (add_extension(certificate, issuer, plan->extensions[i].nid, plan->extensions[i].value) <
			0)
			return -EIO;
	return X509_sign(certificate, issuer_key, EVP_sha256()) > 0 ? 0 : -EIO;
}

X509 *certificate_make(
	const struct certificate_plan *plan, X509 *issuer, EVP_PKEY *issuer_key, struct err *err)
{
	X509 *certificate = X509_new();
	char reason[128];

	if (certificate && !describe(certificate, plan) &&
		!sign(certificate, plan, issuer ? issuer : certificate, issuer_key))
		return certificate;
	err_set(err, -EIO, "making a certificate: OpenSSL says %s", tls_error_text(reason, sizeof(reason)));
	X509_free(certificate);
	return NULL;
}
