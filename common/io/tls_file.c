/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates in files, and their dates. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "common/io/tls.h"
#include "common/io/tls_int.h"

enum { PEM_BYTES_MAX = 1 << 20 };

int tls_read_pem(const char *path, char **ret_text, size_t *ret_size, struct err *err)
{
	if (!path)
		return err_set(err, -EINVAL, "TLS needs ca, certificate and key");
	return file_read(path, PEM_BYTES_MAX, ret_text, ret_size, err);
}

static STACK_OF(X509) * parse_certificates(const char *text, size_t size)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	BIO *bio = BIO_new_mem_buf(text, (int)size);
	X509 *certificate;

	while (list && bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		sk_X509_push(list, certificate);
	BIO_free(bio);
	ERR_clear_error();
	return list;
}

int tls_load_certificates(const char *path, STACK_OF(X509) * *ret_list, struct err *err)
{
	char *text CLEANUP_FREE = NULL;
	size_t size;
	int r = tls_read_pem(path, &text, &size, err);

	if (r < 0)
		return r;
	*ret_list = parse_certificates(text, size);
	if (sk_X509_num(*ret_list) < 1)
		return err_at(err, -EINVAL, path, 0, 0, "no certificate in PEM form in it");
	return 0;
}

int tls_file_has(const char *path, const X509 *certificate, struct err *err)
{
	STACK_OF(X509) *list = NULL;
	int r = tls_load_certificates(path, &list, err);
	bool found = false;

	for (int i = 0; !r && i < sk_X509_num(list); i++)
		found = found || X509_cmp(sk_X509_value(list, i), certificate) == 0;
	sk_X509_pop_free(list, X509_free);
	if (r < 0 || found)
		return r;
	return err_at(err, -ENOENT, path, 0, 0, "that certificate is not among these");
}

static int wall_ms_of(const ASN1_TIME *time, int64_t *ret_ms)
{
	struct tm tm = {0};

	*ret_ms = 0;
	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return -EINVAL;
	*ret_ms = (int64_t)timegm(&tm) * 1000;
	return 0;
}

/* -EINVAL: one cannot be read, and is 0. */
static int dates_of(const X509 *certificate, int64_t *ret_start_ms, int64_t *ret_end_ms)
{
	int start = wall_ms_of(X509_get0_notBefore(certificate), ret_start_ms);
	int end = wall_ms_of(X509_get0_notAfter(certificate), ret_end_ms);

	return start < 0 ? start : end;
}

int tls_peer_dates(const SSL *ssl, int64_t *ret_start_ms, int64_t *ret_end_ms)
{
	const X509 *certificate = SSL_get0_peer_certificate(ssl);

	if (!certificate)
		return -ENOENT;
	return dates_of(certificate, ret_start_ms, ret_end_ms);
}

int tls_certificate_dates(const char *path, int64_t *ret_start_ms, int64_t *ret_end_ms, struct err *err)
{
	STACK_OF(X509) *list = NULL;
	int r = tls_load_certificates(path, &list, err);

	if (r == 0 && dates_of(sk_X509_value(list, 0), ret_start_ms, ret_end_ms) < 0)
		r = err_at(err, -EINVAL, path, 0, 0, "its dates cannot be read");
	sk_X509_pop_free(list, X509_free);
	return r;
}

int tls_file_is_issued_by(const char *path, const X509 *authority, struct err *err)
{
	STACK_OF(X509) *list = NULL;
	int r = tls_load_certificates(path, &list, err);
	bool issued;

	if (r < 0)
		return r;
	issued = X509_check_issued((X509 *)(uintptr_t)authority, sk_X509_value(list, 0)) == X509_V_OK;
	sk_X509_pop_free(list, X509_free);
	return issued ? 0 : err_at(err, -ENOENT, path, 0, 0, "another authority has signed it");
}

/* The last of the chain from the first of `certificates` to one of `authorities`, whatever the date. */
static int dates_of_root(STACK_OF(X509) * certificates, STACK_OF(X509) * authorities, const char *path,
	int64_t *ret_start_ms, int64_t *ret_end_ms, struct err *err)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) * chain;
	int r = -EINVAL;

	X509_STORE_CTX_init(context, NULL, sk_X509_value(certificates, 0), certificates);
	X509_STORE_CTX_set0_trusted_stack(context, authorities);
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME);
	if (X509_verify_cert(context) == 1) {
		chain = X509_STORE_CTX_get0_chain(context);
		r = dates_of(sk_X509_value(chain, sk_X509_num(chain) - 1), ret_start_ms, ret_end_ms);
	}
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return r < 0 ? err_at(err, r, path, 0, 0, "whose authority signed our certificate is not in it") : 0;
}

int tls_authority_dates(
	const struct tls_files *files, int64_t *ret_start_ms, int64_t *ret_end_ms, struct err *err)
{
	STACK_OF(X509) *certificates = NULL, *authorities = NULL;
	int r = tls_load_certificates(files->certificate, &certificates, err);

	if (!r)
		r = tls_load_certificates(files->ca, &authorities, err);
	if (!r)
		r = dates_of_root(certificates, authorities, files->ca, ret_start_ms, ret_end_ms, err);
	sk_X509_pop_free(certificates, X509_free);
	sk_X509_pop_free(authorities, X509_free);
	return r;
}
