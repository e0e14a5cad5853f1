/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AUTHORITY_CERTIFICATE_H
#define HOLDFAST_AUTHORITY_CERTIFICATE_H

#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Inside of authority/: an X.509 certificate is made, and nothing is read or written. */
struct certificate_extension {
	int nid;
	const char *value; /* as openssl.cnf has it */
};

struct certificate_plan {
	EVP_PKEY *key; /* the holder's; its public half is enough */
	const char *common_name;
	int64_t from_s; /* valid from here, in seconds since 1970 */
	unsigned days;  /* from now */
	const struct certificate_extension *extensions;
	size_t extension_count;
};

/* Signed with issuer_key. issuer NULL: by itself. NULL, and err, if OpenSSL would not. Free with X509_free(). */
X509 *certificate_make(
	const struct certificate_plan *plan, X509 *issuer, EVP_PKEY *issuer_key, struct err *err);

#endif
