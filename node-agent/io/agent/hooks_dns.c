/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/cause.h"
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

/* Those to be taken back that could not be, and those that an agent before us left. */
struct dns_owed {
	char name[PROTO_INTERFACE_MAX + 1];
	int64_t due_ms;
};

/* Of a tunnel, from a failure until it went well. */
struct dns_trouble {
	char name[PROTO_INTERFACE_MAX + 1];
	struct cause cause;
};

struct hooks_dns {
	struct agent *agent;
	struct worker *worker; /* NULL: until there is something to do */
	struct event *done;
	int cancel_fd; /* an eventfd; -1: none yet */
	struct dns_owed *owed;
	size_t owed_count, owed_capacity;
	struct dns_trouble *troubles;
	size_t trouble_count, trouble_capacity;
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

/* ---- what goes wrong ---- */

static struct dns_trouble *trouble_of(struct hooks_dns *dns, const char *name)
{
	struct dns_trouble *trouble;

	for (size_t i = 0; i < dns->trouble_count; i++)
		if (!strcmp(dns->troubles[i].name, name))
			return &dns->troubles[i];
	dns->troubles = mem_grow(
		dns->troubles, &dns->trouble_capacity, dns->trouble_count + 1, sizeof(*dns->troubles));
	trouble = &dns->troubles[dns->trouble_count++];
	*trouble = (struct dns_trouble){0};
	(void)text_copy(trouble->name, sizeof(trouble->name), name);
	return trouble;
}

static void forget_trouble(struct hooks_dns *dns, const char *name)
{
	for (size_t i = dns->trouble_count; i-- > 0;)
		if (!strcmp(dns->troubles[i].name, name))
			dns->troubles[i] = dns->troubles[--dns->trouble_count];
}

/* Each cause once, and as long as it lasts again each hour. */
static void tell(struct hooks_dns *dns, const struct dns_job *job)
{
	char why[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	if (job->result >= 0)
		forget_trouble(dns, job->name);
	else if (cause_is_news(&trouble_of(dns, job->name)->cause, &job->err, clock_now_ms()))
		journal_add(&dns->agent->journal, "dns-failed", NULL,
			"%s: its name servers are not %s: %.140s", job->name,
			job->dns.count ? "set" : "taken back", err_format(&job->err, why, sizeof(why)));
}

/* ---- those owed ---- */

static void owe(struct hooks_dns *dns, const char *name, int64_t due_ms)
{
	struct dns_owed *owed;

	dns->owed = mem_grow(dns->owed, &dns->owed_capacity, dns->owed_count + 1, sizeof(*dns->owed));
	owed = &dns->owed[dns->owed_count++];
	owed->due_ms = due_ms;
	(void)text_copy(owed->name, sizeof(owed->name), name);
}

/* It is asked for anew: what becomes of that counts. */
static void owe_no_more(struct hooks_dns *dns, const char *name)
{
	for (size_t i = dns->owed_count; i-- > 0;)
		if (!strcmp(dns->owed[i].name, name))
			dns->owed[i] = dns->owed[--dns->owed_count];
}

static void settle(struct hooks_dns *dns, const struct dns_job *job)
{
	if (job->result < 0 && !job->dns.count && !*place_of(dns, job->name))
		owe(dns, job->name, clock_now_ms() + AGENT_SLOW_POLL_MS);
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
	settle(dns, job);
	dns->first = job->next;
	give_next(dns);
	tell(dns, job);
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

static struct dns_job *job_new(struct hooks_dns *dns, const char *name)
{
	struct dns_job *job = mem_new(1, sizeof(*job));

	job->owner = dns;
	job->cancel_fd = dns->cancel_fd;
	(void)text_copy(job->run, sizeof(job->run), dns->agent->config->run);
	(void)text_copy(job->name, sizeof(job->name), name);
	return job;
}

static bool ask(struct hooks_dns *dns, const char *name, const struct texts *servers, struct hooked *waits)
{
	struct dns_job **at, *job;
	struct err err = {0};
	bool moves;

	if (need_worker(dns, &err) < 0) {
		log_error("dns", "no-thread", log_text("tunnel", name), log_err(&err));
		return false;
	}
	owe_no_more(dns, name);
	at = place_of(dns, name);
	job = *at ? *at : job_new(dns, name);
	moves = !*at ||
		(waits && !job->waits); /* a look leaves it where it is, or its turn would never come */
	if (*at && moves)
		*at = job->next;
	texts_clear(&job->dns);
	texts_copy(&job->dns, servers);
	if (waits)
		wait_for(job, waits);
	if (moves)
		put_in(dns, job);
	if (dns->first == job)
		give_next(dns);
	return true;
}

bool hooks_dns_set(struct hooked *hooked, const struct texts *servers, bool waits)
{
	return ask(hooked->agent->hooks->dns, hooked->name, servers, waits ? hooked : NULL);
}

/* ---- what was left ---- */

static bool shall_have_some(const struct hooks *hooks, const char *name)
{
	for (size_t i = 0; i < hooks->count; i++)
		if (!strcmp(hooks->items[i]->name, name))
			return hooks->items[i]->course.wanted && hooks->items[i]->dns.count;
	return false;
}

void hooks_dns_look(struct hooks *hooks)
{
	static const struct texts none;
	struct hooks_dns *dns = hooks->dns;

	for (size_t i = dns->owed_count; i-- > 0;) {
		struct dns_owed owed = dns->owed[i];

		if (clock_now_ms() >= owed.due_ms && !shall_have_some(hooks, owed.name))
			(void)ask(dns, owed.name, &none, NULL);
	}
}

/* An agent that was ended in between, or could not take them back. A journal is there as long as they are. */
static void find_left(struct hooks_dns *dns)
{
	char path[PROTO_PATH_MAX + 8], name[PROTO_INTERFACE_MAX + 1];
	struct dirent *entry;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "%s/dns", dns->agent->config->run);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		const char *end = strrchr(entry->d_name, '.');
		size_t length = end ? (size_t)(end - entry->d_name) : 0;

		if (!length || length >= sizeof(name) || strcmp(end, ".json") != 0)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)length, entry->d_name);
		owe(dns, name, 0);
	}
	if (directory)
		closedir(directory);
}

struct hooks_dns *hooks_dns_new(struct agent *agent)
{
	struct hooks_dns *dns = mem_new(1, sizeof(*dns));

	dns->agent = agent;
	dns->cancel_fd = -1;
	find_left(dns);
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
	free(dns->owed);
	free(dns->troubles);
	free(dns);
}
