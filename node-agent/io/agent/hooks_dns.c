/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/worker.h"
#include "node-agent/io/agent/hooks_int.h"
#include "node-agent/io/quick/fleet_dns.h"

/* Name servers of tunnels, set and taken back in a thread: a resolvconf that hangs must not delay beats. One after the other. */

struct dns_job {
	struct dns_job *next;
	char run[PROTO_PATH_MAX + 1], name[PROTO_INTERFACE_MAX + 1];
	struct texts dns;
	struct hooked *waits; /* for its end; NULL: nobody */
	int result;
	struct err err;
};

struct hooks_dns {
	struct agent *agent;
	struct worker *worker; /* NULL: until there is something to do */
	struct event *done;
	struct dns_job *first, **last; /* the first is the worker's */
};

static void work(void *job)
{
	struct dns_job *mine = job;

	mine->result = quick_fleet_dns_set(mine->run, mine->name, &mine->dns, &mine->err);
}

static void job_free(struct dns_job *job)
{
	texts_clear(&job->dns);
	free(job);
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
	if (!dns->first)
		dns->last = &dns->first;
	give_next(dns);
	tell(dns->agent, job);
	if (job->waits)
		hooks_dns_ended(job->waits);
	job_free(job);
}

static int need_worker(struct hooks_dns *dns, struct err *err)
{
	int r = dns->worker ? 0 : worker_new(work, &dns->worker, err);

	if (r < 0 || dns->done)
		return r;
	dns->done = event_new(dns->agent->base, worker_fd(dns->worker), EV_READ | EV_PERSIST, on_done, dns);
	event_add(dns->done, NULL);
	return 0;
}

bool hooks_dns_set(struct hooked *hooked, const struct texts *servers, bool waits)
{
	struct hooks_dns *dns = hooked->agent->hooks->dns;
	struct dns_job *job;
	struct err err = {0};

	if (need_worker(dns, &err) < 0) {
		log_error("dns", "no-thread", log_text("tunnel", hooked->name), log_err(&err));
		return false;
	}
	job = mem_new(1, sizeof(*job));
	(void)text_copy(job->run, sizeof(job->run), hooked->agent->config->run);
	(void)text_copy(job->name, sizeof(job->name), hooked->name);
	texts_copy(&job->dns, servers);
	job->waits = waits ? hooked : NULL;
	*dns->last = job;
	dns->last = &job->next;
	if (dns->first == job)
		give_next(dns);
	return true;
}

struct hooks_dns *hooks_dns_new(struct agent *agent)
{
	struct hooks_dns *dns = mem_new(1, sizeof(*dns));

	dns->agent = agent;
	dns->last = &dns->first;
	return dns;
}

/* Waits for what is under way; the rest is the next agent's. */
void hooks_dns_free(struct hooks_dns *dns)
{
	if (dns->done)
		event_free(dns->done);
	(void)worker_free(dns->worker);
	while (dns->first) {
		struct dns_job *job = dns->first;

		dns->first = job->next;
		job_free(job);
	}
	free(dns);
}
