/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/own_certificate.h"

#include <errno.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "common/authority/pair.h"
#include "common/authority/pem.h"
#include "common/authority/request.h"
#include "common/base/cause.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/tls.h"
#include "common/io/worker.h"

/* One attempt: all that the thread needs, its own. */
struct attempt {
	const char *ca;
	struct pair pair;
	struct authority authority;
	unsigned days;
	int result;
	struct err err;
};

struct own_certificate {
	struct event_base *base;
	const struct config *config;
	void (*renewed)(void *context);
	void *context;
	struct lifetime lifetime, authority;
	int64_t retry_ms; /* monotonic; 0: at once */
	char failure[ERR_WHERE_MAX + ERR_TEXT_MAX];
	struct cause unread;
	/* While one is under way: */
	struct worker *worker; /* NULL: none is */
	struct event *done;
	struct attempt attempt;
};

/* ---- one attempt, which blocks ---- */

/* Whose it is, also when it has ended. */
static int whose(const struct tls_files *files, struct tls_identity *ret_own, struct err *err)
{
	SSL_CTX *context = NULL;
	int r = tls_server_new(files, &context, ret_own, err);
	SSL_CTX_free(context);
	return r == -EKEYEXPIRED ? 0 : r;
}

static int certify(const struct attempt *attempt, const char *name, char **ret_key, char **ret_certificate,
	struct err *err)
{
	CLEANUP_FREE char *request = NULL;
	EVP_PKEY *key = NULL;
	int r = request_new(ret_key, &request, err);
	if (!r)
		r = request_read(request, strlen(request), &key, err);
	if (!r)
		r = authority_certify(&attempt->authority, AUTHORITY_CONTROLLER, name, key, 0, attempt->days,
			ret_certificate, err);
	EVP_PKEY_free(key);
	return r;
}

/* They must belong together and be ours before they replace what works. */
static int check(const struct attempt *attempt, const struct tls_identity *own, struct err *err)
{
	const struct tls_files files = {attempt->ca, attempt->pair.next_certificate, attempt->pair.next_key};
	struct tls_identity next;
	SSL_CTX *context = NULL;
	int r = tls_server_new(&files, &context, &next, err);
	SSL_CTX_free(context);
	if (r < 0 || (next.kind == own->kind && !strcmp(next.name, own->name)))
		return r;
	return err_set(err, -EPROTO, "the certificate that was made is of %s %s", tls_kind_text(next.kind),
		next.name);
}

static int replace(const struct attempt *attempt, const struct tls_identity *own, const char *key,
	const char *certificate, struct err *err)
{
	int r = pair_prepare_key(&attempt->pair, key, err);
	if (!r)
		r = pair_prepare_certificate(&attempt->pair, certificate, err);
	if (!r)
		r = check(attempt, own, err);
	if (!r)
		return pair_commit(&attempt->pair, err);
	pair_drop(&attempt->pair);
	return r;
}

static int renew(const struct attempt *attempt, struct err *err)
{
	const struct tls_files files = {attempt->ca, attempt->pair.certificate, attempt->pair.key};
	struct tls_identity own;
	char *key = NULL, *certificate = NULL;
	int r = whose(&files, &own, err);
	if (!r && own.kind != TLS_KIND_CONTROLLER)
		r = err_set(
			err, -EPROTO, "%s is of %s %s", files.certificate, tls_kind_text(own.kind), own.name);
	if (!r)
		r = certify(attempt, own.name, &key, &certificate, err);
	if (!r)
		r = replace(attempt, &own, key, certificate, err);
	pem_wipe(key);
	free(certificate);
	return r;
}

static void run(void *job)
{
	struct attempt *attempt = job;
	attempt->result = renew(attempt, &attempt->err);
}

/* ---- at a start ---- */

static bool is_due(const char *certificate, const struct authority *authority)
{
	struct lifetime lifetime;
	return tls_file_is_issued_by(certificate, authority->certificate, NULL) == 0 &&
	       tls_certificate_dates(certificate, &lifetime.start_ms, &lifetime.end_ms, NULL) == 0 &&
	       lifetime_is_due(&lifetime, clock_wall_ms());
}

static void tell(const struct config *config)
{
	log_notice("controller", "certificate-renewed", log_text("file", config->certificate),
		log_u64("days", config->authority_days));
}

int own_certificate_prepare(const struct config *config, struct err *err)
{
	struct attempt attempt = {.ca = config->ca, .days = config->authority_days};
	struct err failure;
	int r = pair_paths(config->certificate, config->key, &attempt.pair, err);
	if (r < 0)
		return r;
	if (pair_recover(&attempt.pair, &failure) <
		0) /* what is in force has to do, if it still belongs together */
		log_error("controller", "certificate-not-renewed", log_err(&failure));
	if (!config->authority_key)
		return 0;
	r = authority_load(config->authority_certificate, config->authority_key, &attempt.authority, err);
	if (r < 0)
		return r;
	if (is_due(config->certificate, &attempt.authority)) {
		if (renew(&attempt, &failure) < 0)
			log_error("controller", "certificate-not-renewed", log_err(&failure));
		else
			tell(config);
	}
	authority_clear(&attempt.authority);
	return 0;
}

/* ---- while it runs ---- */

void own_certificate_new(struct event_base *base, const struct config *config, void (*renewed)(void *context),
	void *context, struct own_certificate **ret_own)
{
	struct own_certificate *own = mem_new(1, sizeof *own);
	own->base = base;
	own->config = config;
	own->renewed = renewed;
	own->context = context;
	*ret_own = own;
}

static void end_attempt(struct own_certificate *own)
{
	if (!own->worker)
		return;
	worker_free(own->worker);
	event_free(own->done);
	authority_clear(&own->attempt.authority);
	own->worker = NULL;
}

void own_certificate_free(struct own_certificate *own)
{
	if (!own)
		return;
	end_attempt(own);
	free(own);
}

static void look_at_files(struct own_certificate *own)
{
	const struct tls_files files = config_tls(own->config);
	struct lifetime lifetime = {0}, authority = {0};
	struct err err;
	if (tls_certificate_dates(files.certificate, &lifetime.start_ms, &lifetime.end_ms, &err) >= 0 &&
		tls_authority_dates(&files, &authority.start_ms, &authority.end_ms, &err) >= 0)
		cause_is_over(&own->unread);
	else if (cause_is_news(&own->unread, &err, clock_now_ms()))
		log_warning("controller", "certificate-not-read", log_err(&err));
	if (lifetime.end_ms != own->lifetime.end_ms || lifetime.start_ms != own->lifetime.start_ms) {
		own->failure[0] = '\0';
		own->retry_ms = 0;
	}
	own->lifetime = lifetime;
	own->authority = authority;
}

static void failed(struct own_certificate *own, const struct err *err)
{
	err_format(err, own->failure, sizeof own->failure);
	own->retry_ms = clock_now_ms() + lifetime_retry_ms(&own->lifetime);
	log_error("controller", "certificate-not-renewed", log_err(err));
}

static void on_done(evutil_socket_t fd, short what, void *context)
{
	struct own_certificate *own = context;
	(void)fd;
	(void)what;
	if (!worker_take(own->worker))
		return;
	end_attempt(own);
	if (own->attempt.result < 0) {
		failed(own, &own->attempt.err);
		return;
	}
	look_at_files(own);
	tell(own->config);
	own->renewed(own->context);
}

/* The thread has references of its own: SIGHUP may replace the authority meanwhile. */
static void start(struct own_certificate *own, const struct authority *authority)
{
	struct err err;
	if (pair_paths(own->config->certificate, own->config->key, &own->attempt.pair, &err) < 0 ||
		worker_new(run, &own->worker, &err) < 0) {
		failed(own, &err);
		return;
	}
	EVP_PKEY_up_ref(authority->key);
	X509_up_ref(authority->certificate);
	own->attempt.authority = *authority;
	own->attempt.ca = own->config->ca;
	own->attempt.days = own->config->authority_days;
	own->done = event_new(own->base, worker_fd(own->worker), EV_READ | EV_PERSIST, on_done, own);
	event_add(own->done, NULL);
	worker_give(own->worker, &own->attempt);
}

void own_certificate_retry(struct own_certificate *own)
{
	own->retry_ms = 0;
}

void own_certificate_look(struct own_certificate *own, const struct authority *authority)
{
	if (own->worker)
		return;
	look_at_files(own);
	if (authority->key && clock_now_ms() >= own->retry_ms && is_due(own->config->certificate, authority))
		start(own, authority);
}

const struct lifetime *own_certificate_lifetime(const struct own_certificate *own)
{
	return &own->lifetime;
}

const struct lifetime *own_certificate_authority(const struct own_certificate *own)
{
	return &own->authority;
}

const char *own_certificate_failure(const struct own_certificate *own)
{
	return own->failure;
}
