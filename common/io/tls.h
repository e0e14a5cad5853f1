/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_TLS_H
#define HOLDFAST_IO_TLS_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * TLS 1.3 (OpenSSL 3) with certificates on both sides. Who somebody is stands in the first URI of the subject's
 * alternative names (RFC 5280 4.2.1.6): holdfast:gateway:gw-a, holdfast:controller:ctl, holdfast:operator:alice. It is
 * believed if the chain ends at our CA. Host names and common names are not looked at.
 */
enum tls_kind { TLS_KIND_NONE, TLS_KIND_GATEWAY, TLS_KIND_CONTROLLER, TLS_KIND_OPERATOR };
enum { TLS_NAME_MAX = 64 }; /* with the NUL */

struct tls_identity {
	enum tls_kind kind;
	char name[TLS_NAME_MAX];
};

struct tls_files {
	const char *ca, *certificate, *key; /* paths, PEM */
};

/* "gateway", "controller", "operator"; "none" */
const char *tls_kind_text(enum tls_kind kind);
/* "holdfast:KIND:NAME", nothing before or after. -EINVAL. */
int tls_identity_parse(const char *uri, struct tls_identity *ret_identity);
/* The identity in a certificate. -ENOENT if it has no URI of that form as its first URI. */
int tls_identity_of(const X509 *certificate, struct tls_identity *ret_identity);
/* The verified identity of the other side of a finished handshake. -ENOENT. */
int tls_peer_identity(const SSL *ssl, struct tls_identity *ret_identity);

/* Load the three files, check them against each other (missing, not PEM, key of another certificate, expired or not yet
 * valid, not signed by the CA, no identity: each its own text, with the path), and make a context.
 * Server: clients must show a certificate signed by the CA with an identity. Client: the server must, of server_kind.
 * Free with SSL_CTX_free(). ret_own (may be NULL): the identity in our own certificate. -EKEYEXPIRED: nothing is wrong but
 * a date, of our certificate or of its authority's: it has passed, or has not come; *ret_own is there all the same. */
int tls_server_new(
	const struct tls_files *files, SSL_CTX **ret_context, struct tls_identity *ret_own, struct err *err);
/* The same, also where nothing is wrong but a date: *ret_dated says which then, and has no text otherwise. Clients refuse
 * such a server, which can still tell others why. */
int tls_server_new_dated(const struct tls_files *files, SSL_CTX **ret_context, struct tls_identity *ret_own,
	struct err *ret_dated, struct err *err);
int tls_client_new(const struct tls_files *files, enum tls_kind server_kind, SSL_CTX **ret_context,
	struct tls_identity *ret_own, struct err *err);
/* The same on a context that somebody else made (libcurl's CURLOPT_SSL_CTX_FUNCTION). */
int tls_client_prepare(SSL_CTX *context, const struct tls_files *files, enum tls_kind server_kind,
	struct tls_identity *ret_own, struct err *err);

/* The server must be exactly that one. Borrowed, for as long as connections are made with the context. */
void tls_client_expect(SSL_CTX *context, const struct tls_identity *who);

/* Who has no certificate yet knows the other side by the SHA-256 of its authority's certificate (DER). */
struct tls_pin {
	uint8_t authority[32];
	enum tls_kind server_kind;
};
/* The server must be of that kind, and the chain that it shows must end at that authority. Borrowed, for as long as
 * connections are made with the context. */
int tls_client_pin(SSL_CTX *context, const struct tls_pin *pin, struct err *err);
/* The client of this connection, which has not begun, may come without a certificate; it is shown the authority's, too. */
void tls_welcome(SSL *ssl);
/* From when to when the certificate of the other side is valid, in ms since 1970. -ENOENT: it showed none; -EINVAL: a date
 * cannot be read, and is 0. */
int tls_peer_dates(const SSL *ssl, int64_t *ret_start_ms, int64_t *ret_end_ms);
/* Did the client of a finished handshake come without one? */
bool tls_peer_is_newcomer(const SSL *ssl);

/* Is this certificate among those of the file? -ENOENT says that it is not. */
int tls_file_has(const char *path, const X509 *certificate, struct err *err);

/* Was the first certificate of a file signed by that authority? -ENOENT says that it was not. */
int tls_file_is_issued_by(const char *path, const X509 *authority, struct err *err);

/* From when to when the certificate of the authority is valid that ours ends at: one of those in files->ca. -EINVAL: none. */
int tls_authority_dates(
	const struct tls_files *files, int64_t *ret_start_ms, int64_t *ret_end_ms, struct err *err);

/* From when to when the certificate in a file is valid, in ms since 1970. */
int tls_certificate_dates(const char *path, int64_t *ret_start_ms, int64_t *ret_end_ms, struct err *err);

/* Drain OpenSSL's error queue into one line of text. Returns buffer. */
char *tls_error_text(char *buffer, size_t size);

#endif
