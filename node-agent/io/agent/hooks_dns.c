/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/worker.h"
#include "node-agent/io/agent/hooks_int.h"
#include "node-agent/io/quick/fleet_dns.h"

/*
 * Name servers of tunnels, set and taken back in a thread: a resolvconf that hangs must not delay beats. One after the other,
 * those that somebody waits for first. Of a tunnel at most one job is not begun, and says what was asked for last.
 */
enum { WAIT_MS = 10000 }; /* for all before it as well; a program that hangs is ended sooner */

struct dns_job {
	struct dns_job *next;
	char run[PROTO_PATH_MAX + 1], name[PROTO_INTERFACE_MAX + 1];
	struct texts dns;
	int cancel_fd;
	struct hooks_dns *owner;
	struct hooked *waits; /* for its end; NULL: nobody */
	struct event *late;   /* when that has taken too long; NULL: until somebody waits */
	int result;
	struct err err;
};

struct hooks_dns {
	struct agent *agent;
	struct worker *worker; /* NULL: until there is something to do */
	struct event *done;
	int cancel_fd;         /* an eventfd; -1: none yet */
	struct dns_job *first; /* it is the worker's, the others are not begun */
};

static void work(void *job)
{
	struct dns_job *mine = job;

	mine->result = quick_fleet_dns_set(mine->run, mine->name, &mine->dns, mine->cancel_fd, &mine->err);
}

static void job_free(struct dns_job *job)
{
	if (job->late)
		event_free(job->late);
	texts_clear(&job->dns);
	free(job);
}

/* ---- those not begun ---- */

/* Where it is linked, or would be. */
static struct dns_job **place_of(struct hooks_dns *dns, const char *name)
{
	struct dns_job **at = dns->first ? &dns->first->next : &dns->first;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static void put_in(struct hooks_dns *dns, struct dns_job *job)
{
	struct dns_job **at = dns->first ? &dns->first->next : &dns->first;

	while (*at && (!job->waits || (*at)->waits))
		at = &(*at)->next;
	job->next = *at;
	*at = job;
}

static void give_next(struct hooks_dns *dns)
{
	if (dns->first)
		(void)worker_give(dns->worker, dns->first);
}

static void tell(struct agent *agent, const struct dns_job *job)
{
	char why[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	if (job->result < 0)
		journal_add(&agent->journal, "dns-failed", NULL, "%s: its name servers are not %s: %.140s",
			job->name, job->dns.count ? "set" : "taken back",
			err_format(&job->err, why, sizeof(why)));
}

static void on_done(evutil_socket_t fd, short what, void *context)
{
	struct hooks_dns *dns = context;
	struct dns_job *job;

	(void)fd;
	(void)what;
	if (!worker_take(dns->worker))
		return;
	job = dns->first;
	dns->first = job->next;
	give_next(dns);
	tell(dns->agent, job);
	if (job->waits)
		hooks_dns_ended(job->waits);
	job_free(job);
}

/* ---- asking ---- */

/* It is done sooner or later, but neither a tunnel's making nor its removing waits for that any longer. */
static void on_late(evutil_socket_t fd, short what, void *context)
{
	struct dns_job *job = context;
	struct hooked *waits = job->waits;

	(void)fd;
	(void)what;
	job->waits = NULL;
	journal_add(&job->owner->agent->journal, "dns-failed", NULL,
		"%s: its name servers are not %s after %d s: it goes on without", job->name,
		job->dns.count ? "set" : "taken back", WAIT_MS / 1000);
	hooks_dns_ended(waits);
}

static void wait_for(struct dns_job *job, struct hooked *hooked)
{
	struct timeval wait = {.tv_sec = WAIT_MS / 1000};

	job->waits = hooked;
	if (!job->late)
		job->late = event_new(job->owner->agent->base, -1, 0, on_late, job);
	event_add(job->late, &wait);
}

static int need_worker(struct hooks_dns *dns, struct err *err)
{
	int r;

	if (dns->cancel_fd < 0)
		dns->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dns->cancel_fd < 0)
		return err_set(err, -errno, "eventfd: %s", strerror(errno));
	r = dns->worker ? 0 : worker_new(work, &dns->worker, err);
	if (r < 0 || dns->done)
		return r;
	dns->done = event_new(dns->agent->base, worker_fd(dns->worker), EV_READ | EV_PERSIST, on_done, dns);
	event_add(dns->done, NULL);
	return 0;
}

static struct dns_job *job_new(const struct hooked *hooked)
{
	struct dns_job *job = mem_new(1, sizeof(*job));

	job->owner = hooked->agent->hooks->dns;
	job->cancel_fd = job->owner->cancel_fd;
	(void)text_copy(job->run, sizeof(job->run), hooked->agent->config->run);
	(void)text_copy(job->name, sizeof(job->name), hooked->name);
	return job;
}

bool hooks_dns_set(struct hooked *hooked, const struct texts *servers, bool waits)
{
	struct hooks_dns *dns = hooked->agent->hooks->dns;
	struct dns_job **at, *job;
	struct err err = {0};
	bool moves;

	if (need_worker(dns, &err) < 0) {
		log_error("dns", "no-thread", log_text("tunnel", hooked->name), log_err(&err));
		return false;
	}
	at = place_of(dns, hooked->name);
	job = *at ? *at : job_new(hooked);
	moves = !*at ||
		(waits && !job->waits); /* a look leaves it where it is, or its turn would never come */
	if (*at && moves)
		*at = job->next;
	texts_clear(&job->dns);
	texts_copy(&job->dns, servers);
	if (waits)
		wait_for(job, hooked);
	if (moves)
		put_in(dns, job);
	if (dns->first == job)
		give_next(dns);
	return true;
}

struct hooks_dns *hooks_dns_new(struct agent *agent)
{
	struct hooks_dns *dns = mem_new(1, sizeof(*dns));

	dns->agent = agent;
	dns->cancel_fd = -1;
	return dns;
}

/* Stops what is under way, which a program that hangs delays by less than a second; all of it is the next agent's. */
void hooks_dns_free(struct hooks_dns *dns)
{
	if (dns->done)
		event_free(dns->done);
	if (dns->cancel_fd >= 0)
		(void)eventfd_write(dns->cancel_fd, 1);
	(void)worker_free(dns->worker);
	if (dns->cancel_fd >= 0)
		close(dns->cancel_fd);
	while (dns->first) {
		struct dns_job *job = dns->first;

		dns->first = job->next;
		job_free(job);
	}
	free(dns);
}
