/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the three files, and whether it belongs together. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/tls_int.h"

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

void tls_material_clear(struct tls_material *material)
{
	sk_X509_pop_free(material->authorities, X509_free);
	sk_X509_pop_free(material->certificates, X509_free);
	EVP_PKEY_free(material->key);
}

int tls_material_load(const struct tls_files *files, struct tls_material *material, struct err *err)
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
static int check_chain(const struct tls_material *material, const struct tls_files *files,
	unsigned long flags, struct err *err)
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

int tls_material_check(const struct tls_material *material, const struct tls_files *files,
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
