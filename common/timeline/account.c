/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/timeline/account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

enum {
	BEFORE_US = 15000000, /* a lease of 10 s is waited for after the verdict */
	BESIDE_US = 12000000, /* what the old owner does beside it: to settle takes 10 s at most */
};

int account_parse(
	const char *text, char ret_endpoint[PROTO_NAME_MAX + 1], struct epoch *ret_epoch, struct err *err)
{
	const char *sign = strchr(text, '@');
	size_t length = sign ? (size_t)(sign - text) : strlen(text);
	char endpoint[PROTO_NAME_MAX + 1];
	struct epoch epoch = {0};

	if (length > PROTO_NAME_MAX)
		return err_set(
			err, -EINVAL, "an event is ENDPOINT@EPOCH, such as vpn@60000001.2, not \"%s\"", text);
	memcpy(endpoint, text, length);
	endpoint[length] = '\0';
	if ((length && !text_is_name(endpoint, PROTO_NAME_MAX)) ||
		(sign && (!length || epoch_parse(sign + 1, &epoch, NULL) < 0)))
		return err_set(
			err, -EINVAL, "an event is ENDPOINT@EPOCH, such as vpn@60000001.2, not \"%s\"", text);
	memcpy(ret_endpoint, endpoint, sizeof(endpoint));
	*ret_epoch = epoch;
	return 0;
}

/* ---- which event ---- */

struct search {
	const struct account_source *sources;
	size_t count;
	struct account *account;
	int64_t first_us, last_us; /* of its own moments */
	struct epoch before;       /* the highest below its epoch ... */
	int64_t before_us;         /* ... and when somebody came to own it under that */
};

typedef void visit(struct search *search, const char *who, const struct timeline_entry *entry);

static void each(struct search *search, visit *look_at)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct timeline *timeline = search->sources[i].timeline;

		for (size_t j = 0; j < timeline_length(timeline); j++)
			if (timeline_at(timeline, j)->settled)
				look_at(search, search->sources[i].who, timeline_at(timeline, j));
	}
}

/* A moment that only a change of owner has: somebody is to serve under its epoch. */
static bool names_owner(const struct moment *moment)
{
	return moment->kind == MOMENT_DECIDED || moment->kind == MOMENT_ADDRESS;
}

static void find_last(struct search *search, const char *who, const struct timeline_entry *entry)
{
	const struct moment *moment = &entry->moment;
	struct account *account = search->account;

	(void)who;
	if (names_owner(moment) && !strcmp(moment->endpoint, account->endpoint) &&
		epoch_compare(&moment->epoch, &account->epoch) > 0)
		account->epoch = moment->epoch;
}

static void find_endpoint(struct search *search, const char *who, const struct timeline_entry *entry)
{
	(void)who;
	if (names_owner(&entry->moment) && entry->moment.at_us >= search->last_us) {
		search->last_us = entry->moment.at_us;
		text_copy(
			search->account->endpoint, sizeof(search->account->endpoint), entry->moment.endpoint);
	}
}

/* ---- what belongs to it ---- */

/* What a guest does, and what an owner does on its way out, is part of the next change, under the epoch of this one. */
static bool is_of_next(const struct moment *moment)
{
	if (moment->kind == MOMENT_ROLE)
		return strcmp(moment->detail, "serving") != 0;
	return !strcmp(moment->detail, MOMENT_AS_GUEST);
}

static bool is_own(const struct search *search, const struct moment *moment)
{
	return !strcmp(moment->endpoint, search->account->endpoint) && !is_of_next(moment) &&
	       !epoch_compare(&moment->epoch, &search->account->epoch);
}

static void measure(struct search *search, const char *who, const struct timeline_entry *entry)
{
	const struct moment *moment = &entry->moment;

	(void)who;
	if (is_own(search, moment)) {
		search->first_us = moment->at_us < search->first_us ? moment->at_us : search->first_us;
		search->last_us = moment->at_us > search->last_us ? moment->at_us : search->last_us;
	} else if (!strcmp(moment->endpoint, search->account->endpoint) &&
		   epoch_compare(&moment->epoch, &search->account->epoch) < 0 &&
		   epoch_compare(&moment->epoch, &search->before) > 0) {
		search->before = moment->epoch;
	}
}

static void find_before(struct search *search, const char *who, const struct timeline_entry *entry)
{
	const struct moment *moment = &entry->moment;

	(void)who;
	if (names_owner(moment) && !is_of_next(moment) && moment->at_us > search->before_us &&
		!strcmp(moment->endpoint, search->account->endpoint) &&
		!epoch_compare(&moment->epoch, &search->before))
		search->before_us = moment->at_us;
}

static bool is_beside(const struct search *search, const struct moment *moment)
{
	if (!is_of_next(moment) || strcmp(moment->endpoint, search->account->endpoint) ||
		epoch_compare(&moment->epoch, &search->before))
		return false;
	return moment->at_us >= search->first_us - BESIDE_US && moment->at_us <= search->first_us + BESIDE_US;
}

/* Somebody's word on a gateway, since the endpoint came to its owner before. */
static bool is_verdict(const struct search *search, const struct moment *moment)
{
	return !moment->endpoint[0] && moment->at_us > search->before_us &&
	       moment->at_us >= search->first_us - BEFORE_US && moment->at_us <= search->last_us;
}

static void collect(struct search *search, const char *who, const struct timeline_entry *entry)
{
	const struct moment *moment = &entry->moment;
	struct account *account = search->account;

	if (account->row_count == ACCOUNT_ROWS_MAX ||
		!(is_own(search, moment) || is_beside(search, moment) || is_verdict(search, moment)))
		return;
	account->rows[account->row_count++] = (struct account_row){.who = who, .entry = entry};
}

static int in_time(const void *a, const void *b)
{
	const struct account_row *x = a, *y = b;
	int64_t before = x->entry->moment.at_us, after = y->entry->moment.at_us;

	if (before != after)
		return before < after ? -1 : 1;
	if (strcmp(x->who, y->who))
		return strcmp(x->who, y->who);
	return x->entry->moment.seq < y->entry->moment.seq ? -1 : x->entry->moment.seq > y->entry->moment.seq;
}

static int not_found(const struct account *account, struct err *err)
{
	char text[EPOCH_TEXT_MAX];

	if (!account->endpoint[0])
		return err_set(err, -ENOENT, "nothing has moved since this daemon started");
	if (epoch_is_zero(&account->epoch))
		return err_set(err, -ENOENT, "%s has not moved since this daemon started", account->endpoint);
	return err_set(err, -ENOENT, "nobody remembers %s@%s: 'holdfast events' shows what is longer ago",
		account->endpoint, epoch_format(&account->epoch, text));
}

int account_make(const struct account_source *sources, size_t count, const char *endpoint,
	const struct epoch *epoch, struct account *ret_account, struct err *err)
{
	struct account account = {.epoch = *epoch};
	struct search search = {.sources = sources,
		.count = count,
		.account = &account,
		.last_us = INT64_MIN,
		.before_us = INT64_MIN};

	text_copy(account.endpoint, sizeof(account.endpoint), endpoint);
	if (!account.endpoint[0])
		each(&search, find_endpoint);
	if (account.endpoint[0] && epoch_is_zero(&account.epoch))
		each(&search, find_last);
	search.first_us = INT64_MAX;
	search.last_us = INT64_MIN;
	if (!epoch_is_zero(&account.epoch))
		each(&search, measure);
	if (search.first_us == INT64_MAX)
		return not_found(&account, err);
	each(&search, find_before);
	account.rows = mem_new(ACCOUNT_ROWS_MAX, sizeof(*account.rows));
	each(&search, collect);
	qsort(account.rows, account.row_count, sizeof(*account.rows), in_time);
	*ret_account = account;
	return 0;
}

void account_clear(struct account *account)
{
	free(account->rows);
	*account = (struct account){0};
}

/* ---- for people ---- */

static void describe(const struct moment *moment, char *text, size_t size)
{
	const char *subject = moment->subject, *detail = moment->detail;

	switch (moment->kind) {
	case MOMENT_SUSPECTED:
		snprintf(text, size, "notices that %s is silent", subject);
		return;
	case MOMENT_VERDICT:
		snprintf(text, size, "finds %s %s", subject, detail);
		return;
	case MOMENT_VOTE:
		snprintf(text, size, "hears about %s from %s", subject, detail);
		return;
	case MOMENT_DECIDED:
		snprintf(text, size, "decides: to %s (%s)", subject, detail);
		return;
	case MOMENT_ORDERED:
		if (subject[0])
			snprintf(text, size, "hears the order: to %s (%s)", subject, detail);
		else
			snprintf(text, size, "hears the order to release (%s)", detail);
		return;
	case MOMENT_ROLE:
		snprintf(text, size, "is now %s", detail);
		return;
	case MOMENT_PERMIT:
		snprintf(text, size, "has %s in its kernel", detail[0] ? "a guest's permit" : "the permit");
		return;
	case MOMENT_ADDRESS:
		snprintf(text, size, "has the addresses and routes");
		return;
	case MOMENT_ANNOUNCED:
		snprintf(text, size, "announces");
		return;
	case MOMENT_BACK:
		snprintf(text, size, "%s is back%s", subject, detail[0] ? ", by the guest's handshake" : "");
		return;
	case MOMENT_OVER:
		snprintf(text, size, "%s", detail);
		return;
	}
}

static void put_row(json_t *to, const struct account *account, const struct account_row *row, int64_t wall_us)
{
	const struct moment *moment = &row->entry->moment;
	char text[PROTO_NAME_MAX + MOMENT_DETAIL_MAX + 64] = "", epoch[EPOCH_TEXT_MAX];

	describe(moment, text, sizeof(text));
	jput_i64(to, "time_ms", (wall_us + moment->at_us) / 1000);
	jput_i64(to, "after_us", moment->at_us - account->rows[0].entry->moment.at_us);
	jput_u64(to, "uncertain_us", row->entry->uncertain_us);
	jput_text(to, "who", row->who);
	jput_text(to, "kind", moment_kind_name(moment->kind));
	if (moment->subject[0])
		jput_text(to, "subject", moment->subject);
	if (moment->detail[0])
		jput_text(to, "detail", moment->detail);
	if (!epoch_is_zero(&moment->epoch))
		jput_text(to, "epoch", epoch_format(&moment->epoch, epoch));
	jput_text(to, "text", text);
}

void account_put(json_t *to, const struct account *account, int64_t wall_us)
{
	char id[ACCOUNT_ID_MAX], epoch[EPOCH_TEXT_MAX];
	json_t *rows;

	epoch_format(&account->epoch, epoch);
	snprintf(id, sizeof(id), "%s@%s", account->endpoint, epoch);
	jput_text(to, "event", id);
	jput_text(to, "endpoint", account->endpoint);
	jput_text(to, "epoch", epoch);
	rows = jput_array(to, "timeline");
	for (size_t i = 0; i < account->row_count; i++)
		put_row(jput_object(rows, NULL), account, &account->rows[i], wall_us);
}
