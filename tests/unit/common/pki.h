/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_PKI_H
#define HOLDFAST_TESTS_PKI_H

#include "common/io/tls.h"

/* Authorities and certificates for tests, as PEM files DIR/NAME.pem and DIR/NAME.key. Any failure aborts. */
void pki_authority(const char *dir, const char *name);
void pki_authority_dated(const char *dir, const char *name, long from, long to);
/* Signed by the authority of that name; valid from now + from to now + to, in seconds. uri may be NULL. */
void pki_issue(const char *dir, const char *authority, const char *name, const char *uri, long from, long to);

/* An authority whose certificate another has signed. */
void pki_intermediate(const char *dir, const char *authority, const char *name);

/* Paths DIR/CA.pem, DIR/NAME.pem, DIR/NAME.key in static buffers of the result. */
struct pki_files {
	char ca[256], certificate[256], key[256];
	struct tls_files files;
};
struct pki_files *pki_files(struct pki_files *to, const char *dir, const char *authority, const char *name);

/* A temporary directory, and its end. */
void pki_directory(char *buffer, unsigned long size);
void pki_remove(const char *dir);

#endif
