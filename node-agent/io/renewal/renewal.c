/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/renewal/renewal.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/base/cause.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/worker.h"
#include "node-agent/io/renewal/ask.h"

/* Files that somebody else replaces are noticed as soon. */
enum { LOOK_MS = 10000 };
/* A controller without an authority may get one some day. */
static const int64_t unsupported_retry_ms = 24 * 3600 * 1000LL;

struct renewal {
	struct event_base *base;
	char *ca, *gateway;
	struct pair pair;
	struct lifetime lifetime, authority;
	int64_t looked_ms, retry_ms; /* monotonic; retry_ms 0: at once */
	char failure[ERR_WHERE_MAX + ERR_TEXT_MAX];
	struct cause unread, unread_authority;
	/* While one is under way: */
	struct worker *worker; /* NULL: none is */
	struct event *done;
	struct renewal_attempt attempt;
};

static void tell(struct renewal *renewal, enum log_level level, const struct err *err)
{
	err_format(err, renewal->failure, sizeof(renewal->failure));
	log_event(level, "renewal", "certificate-not-renewed", log_err(err));
}

int renewal_new(struct event_base *base, const struct tls_files *files, const char *gateway,
	struct renewal **ret_renewal, struct err *err)
{
	struct renewal *renewal = mem_new(1, sizeof(*renewal));
	int r = pair_paths(files->certificate, files->key, &renewal->pair, err);
	struct err failure;

	if (r < 0) {
		free(renewal);
		return r;
	}
	if (pair_recover(&renewal->pair, &failure) < 0) /* what is in force has to do */
		tell(renewal, LEVEL_WARNING, &failure);
	renewal->base = base;
	renewal->ca = mem_text(files->ca);
	renewal->gateway = mem_text(gateway);
	renewal->looked_ms = clock_now_ms() - LOOK_MS;
	*ret_renewal = renewal;
	return 0;
}

static void end_worker(struct renewal *renewal)
{
	if (!renewal->worker)
		return;
	worker_free(renewal->worker);
	event_free(renewal->done);
	renewal->worker = NULL;
}

void renewal_free(struct renewal *renewal)
{
	if (!renewal)
		return;
	end_worker(renewal);
	free(renewal->ca);
	free(renewal->gateway);
	free(renewal);
}

static void look_at_authority(struct renewal *renewal)
{
	const struct tls_files files = {.ca = renewal->ca, .certificate = renewal->pair.certificate};
	struct lifetime authority = {0};
	struct err err = {0};

	if (tls_authority_dates(&files, &authority.start_ms, &authority.end_ms, &err) >= 0)
		cause_is_over(&renewal->unread_authority);
	else if (cause_is_news(&renewal->unread_authority, &err, clock_now_ms()))
		log_warning("renewal", "authority-not-read", log_err(&err));
	renewal->authority = authority;
}

static void look_at_files(struct renewal *renewal)
{
	struct lifetime lifetime = {0};
	struct err err = {0};

	if (tls_certificate_dates(renewal->pair.certificate, &lifetime.start_ms, &lifetime.end_ms, &err) >= 0)
		cause_is_over(&renewal->unread);
	else if (cause_is_news(&renewal->unread, &err, clock_now_ms()))
		log_warning("renewal", "certificate-not-read", log_err(&err));
	if (renewal->lifetime.end_ms && lifetime.end_ms && renewal->lifetime.end_ms != lifetime.end_ms) {
		log_notice("renewal", "certificate-changed", log_text("file", renewal->pair.certificate),
			log_i64("days", lifetime_days_left(&lifetime, clock_wall_ms())));
		renewal->failure[0] = '\0';
		renewal->retry_ms = 0;
	}
	renewal->lifetime = lifetime;
	look_at_authority(renewal);
}

static void failed(struct renewal *renewal, int r, const struct err *err)
{
	bool unsupported = r == -EOPNOTSUPP;

	renewal->retry_ms =
		clock_now_ms() + (unsupported ? unsupported_retry_ms : lifetime_retry_ms(&renewal->lifetime));
	tell(renewal, unsupported ? LEVEL_INFO : LEVEL_WARNING, err);
}

static void on_done(evutil_socket_t fd, short what, void *context)
{
	struct renewal *renewal = context;

	(void)fd;
	(void)what;
	if (!worker_take(renewal->worker))
		return;
	end_worker(renewal);
	if (renewal->attempt.result < 0)
		failed(renewal, renewal->attempt.result, &renewal->attempt.err);
	else
		look_at_files(renewal);
}

static void start(struct renewal *renewal, const char *controller)
{
	struct err err = {0};
	int r = worker_new(renewal_ask, &renewal->worker, &err);

	if (r < 0) {
		failed(renewal, r, &err);
		return;
	}
	renewal->attempt = (struct renewal_attempt){
		.ca = renewal->ca, .gateway = renewal->gateway, .pair = renewal->pair};
	text_copy(renewal->attempt.controller, sizeof(renewal->attempt.controller), controller);
	renewal->done =
		event_new(renewal->base, worker_fd(renewal->worker), EV_READ | EV_PERSIST, on_done, renewal);
	event_add(renewal->done, NULL);
	worker_give(renewal->worker, &renewal->attempt);
}

void renewal_look(struct renewal *renewal, const char *controller)
{
	int64_t now_ms = clock_now_ms();

	if (renewal->worker)
		return;
	if (now_ms - renewal->looked_ms >= LOOK_MS) {
		renewal->looked_ms = now_ms;
		look_at_files(renewal);
	}
	if (controller && renewal->lifetime.end_ms && now_ms >= renewal->retry_ms &&
		lifetime_is_due(&renewal->lifetime, clock_wall_ms()))
		start(renewal, controller);
}

const struct lifetime *renewal_lifetime(const struct renewal *renewal)
{
	return &renewal->lifetime;
}

const struct lifetime *renewal_authority(const struct renewal *renewal)
{
	return &renewal->authority;
}

const char *renewal_failure(const struct renewal *renewal)
{
	return renewal->failure;
}
