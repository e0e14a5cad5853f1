/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pki.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(int good)
{
	if (!good)
		abort();
}

static FILE *open_file(const char *dir, const char *name, const char *end, const char *mode)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s.%s", dir, name, end);
	file = fopen(path, mode);
	must(file != NULL);
	return file;
}

static void write_key(const char *dir, const char *name, EVP_PKEY *key)
{
	FILE *file = open_file(dir, name, "key", "w");

	must(fchmod(fileno(file), 0600) == 0);
	must(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
	fclose(file);
}

static void write_certificate(const char *dir, const char *name, X509 *certificate)
{
	FILE *file = open_file(dir, name, "pem", "w");

	must(PEM_write_X509(file, certificate) == 1);
	fclose(file);
}

static X509 *new_certificate(const char *name, EVP_PKEY *key, long from, long to)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	unsigned char serial[8];

	must(RAND_bytes(serial, sizeof serial) == 1);
	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and no leading zero */
	X509_set_version(certificate, X509_VERSION_3);
	must(ASN1_STRING_set(X509_get_serialNumber(certificate), serial, sizeof serial) == 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), from);
	X509_gmtime_adj(X509_getm_notAfter(certificate), to);
	must(X509_NAME_add_entry_by_txt(
		     subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) == 1);
	must(X509_set_pubkey(certificate, key) == 1);
	return certificate;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	must(extension && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

void pki_authority(const char *dir, const char *name)
{
	pki_authority_dated(dir, name, -3600, 365 * 86400);
}

void pki_authority_dated(const char *dir, const char *name, long from, long to)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = new_certificate(name, key, from, to);

	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
	must(X509_sign(certificate, key, EVP_sha256()) > 0);
	write_key(dir, name, key);
	write_certificate(dir, name, certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void issue(const char *dir, const char *authority, const char *name, const char *uri, long from,
	long to, const char *constraints)
{
	FILE *file = open_file(dir, authority, "pem", "r");
	X509 *issuer = PEM_read_X509(file, NULL, NULL, NULL), *certificate;
	EVP_PKEY *issuer_key, *key = EVP_EC_gen("P-256");
	char names[256];

	fclose(file);
	file = open_file(dir, authority, "key", "r");
	issuer_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	must(issuer && issuer_key && key);
	certificate = new_certificate(name, key, from, to);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	add_extension(certificate, issuer, NID_basic_constraints, constraints);
	if (uri) {
		snprintf(names, sizeof names, "DNS:ignored.example,URI:%s", uri);
		add_extension(certificate, issuer, NID_subject_alt_name, names);
	}
	must(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
	write_key(dir, name, key);
	write_certificate(dir, name, certificate);
	X509_free(certificate);
	X509_free(issuer);
	EVP_PKEY_free(key);
	EVP_PKEY_free(issuer_key);
}

void pki_issue(const char *dir, const char *authority, const char *name, const char *uri, long from, long to)
{
	issue(dir, authority, name, uri, from, to, "critical,CA:FALSE");
}

void pki_intermediate(const char *dir, const char *authority, const char *name)
{
	issue(dir, authority, name, NULL, -3600, 365 * 86400, "critical,CA:TRUE");
}

struct pki_files *pki_files(struct pki_files *to, const char *dir, const char *authority, const char *name)
{
	snprintf(to->ca, sizeof to->ca, "%s/%s.pem", dir, authority);
	snprintf(to->certificate, sizeof to->certificate, "%s/%s.pem", dir, name);
	snprintf(to->key, sizeof to->key, "%s/%s.key", dir, name);
	to->files = (struct tls_files){.ca = to->ca, .certificate = to->certificate, .key = to->key};
	return to;
}

void pki_directory(char *buffer, unsigned long size)
{
	snprintf(buffer, size, "/tmp/holdfast-test-XXXXXX");
	must(mkdtemp(buffer) != NULL);
}

void pki_remove(const char *dir)
{
	DIR *directory = opendir(dir);
	const struct dirent *entry;
	char path[512];

	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlink(path);
	}
	if (directory)
		closedir(directory);
	rmdir(dir);
}
