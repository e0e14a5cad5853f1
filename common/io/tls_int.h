/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_TLS_INT_H
#define HOLDFAST_IO_TLS_INT_H

#include <openssl/x509.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/io/tls.h"

/* Inside of tls.c, tls_file.c and tls_material.c. path NULL is an error of its own. The caller frees the text. */
int tls_read_pem(const char *path, char **ret_text, size_t *ret_size, struct err *err);
/* All of a file, at least one; the caller frees, with sk_X509_pop_free(). */
int tls_load_certificates(const char *path, STACK_OF(X509) * *ret_list, struct err *err);

/* Everything read from the three files. */
struct tls_material {
	STACK_OF(X509) * authorities, *certificates; /* of the latter the first is ours, the rest its chain */
	EVP_PKEY *key;
};

/* -errno: what is wrong with one of them. Clear it all the same. */
int tls_material_load(const struct tls_files *files, struct tls_material *material, struct err *err);
/* Do they belong together, and are their dates right? ret_own (may be NULL) and -EKEYEXPIRED as in tls.h. */
int tls_material_check(const struct tls_material *material, const struct tls_files *files,
	struct tls_identity *ret_own, struct err *err);
void tls_material_clear(struct tls_material *material);

#endif
