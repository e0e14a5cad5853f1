/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/shown_certificate.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/io/log.h"

int shown_certificate_load(struct shown_certificate *shown, const struct tls_files *files,
	struct tls_identity *ret_self, struct err *err)
{
	struct err why = {0};
	int r = tls_server_new_dated(files, &shown->tls, ret_self, &why, err);
	if (r < 0)
		return r;
	if (why.text[0])
		log_error("controller", "certificate-ended", log_err(&why),
			log_text("hint", "gateways and people refuse this controller until another is in the "
					 "file, which is noticed"));
	return tls_certificate_dates(
		files->certificate, &shown->lifetime.start_ms, &shown->lifetime.end_ms, err);
}

bool shown_certificate_is_replaced(const struct shown_certificate *shown, const struct tls_files *files)
{
	return tls_file_has(files->certificate, SSL_CTX_get0_certificate(shown->tls), NULL) < 0;
}

static int check_self(const struct tls_files *files, const struct tls_identity *found,
	const struct tls_identity *self, struct err *err)
{
	if (found->kind == self->kind && strcmp(found->name, self->name) == 0)
		return 0;
	return err_at(err, -EPROTO, files->certificate, 0, 0, "it is of %s %s, and this is %s %s",
		tls_kind_text(found->kind), found->name, tls_kind_text(self->kind), self->name);
}

static int load_another(const struct tls_files *files, const struct tls_identity *self,
	struct shown_certificate *another, struct err *err)
{
	struct tls_identity found;
	int r = tls_server_new(files, &another->tls, &found, err);
	if (r < 0 || (r = check_self(files, &found, self, err)) < 0)
		return r;
	return tls_certificate_dates(
		files->certificate, &another->lifetime.start_ms, &another->lifetime.end_ms, err);
}

int shown_certificate_renew(struct shown_certificate *shown, const struct tls_files *files,
	const struct tls_identity *self, struct err *err)
{
	struct shown_certificate another = {0};
	int r = load_another(files, self, &another, err);
	if (r < 0) {
		shown_certificate_clear(&another);
		err_format(err, shown->failure, sizeof shown->failure);
		return r;
	}
	shown_certificate_clear(shown);
	*shown = another;
	return 0;
}

void shown_certificate_clear(struct shown_certificate *shown)
{
	SSL_CTX_free(shown->tls);
	*shown = (struct shown_certificate){0};
}
