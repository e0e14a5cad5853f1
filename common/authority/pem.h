/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AUTHORITY_PEM_H
#define HOLDFAST_AUTHORITY_PEM_H

#include <openssl/x509.h>
#include <stddef.h>

/* What OpenSSL holds as PEM text (RFC 7468), terminated; the caller frees. */
char *pem_of_certificate(const X509 *certificate);
char *pem_of_request(const X509_REQ *request);
/* Secret: pem_wipe() instead of free(). PKCS#8, without a passphrase. */
char *pem_of_key(const EVP_PKEY *key);
void pem_wipe(char *text); /* wipes and frees; NULL-safe */

#endif
