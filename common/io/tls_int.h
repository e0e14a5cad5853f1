/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_TLS_INT_H
#define HOLDFAST_IO_TLS_INT_H

#include <openssl/x509.h>
#include <stddef.h>

#include "common/base/err.h"

/* Inside of tls.c and tls_file.c. path NULL is an error of its own. The caller frees the text. */
int tls_read_pem(const char *path, char **ret_text, size_t *ret_size, struct err *err);
/* All of a file, at least one; the caller frees, with sk_X509_pop_free(). */
int tls_load_certificates(const char *path, STACK_OF(X509) * *ret_list, struct err *err);

#endif
