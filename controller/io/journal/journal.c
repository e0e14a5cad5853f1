/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/journal/journal.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/json/write.h"

enum {
	FLUSH_MS = 100,
	/* A crash loses at most what was added in FLUSH_MS; a follower must not see their numbers a second time. */
	RESTART_GAP = 1000,
};

struct journal {
	struct store_event ring[STORE_EVENTS_KEPT]; /* seq rises; index first is the oldest */
	size_t first, count;
	uint64_t newest;
	size_t unwritten; /* of the newest ones: not given to the writer yet */
	struct writer *writer;
	struct event *flush;
	void (*added)(void *context);
	void *added_context;
	uint64_t lost;
};

struct batch {
	struct journal *journal;
	size_t count;
	struct store_event *events;
};

static const struct store_event *item(const struct journal *journal, size_t index)
{
	return &journal->ring[(journal->first + index) % STORE_EVENTS_KEPT];
}

static void append(struct journal *journal, uint64_t seq, char *json)
{
	if (journal->count == STORE_EVENTS_KEPT) {
		free(journal->ring[journal->first].json);
		journal->first = (journal->first + 1) % STORE_EVENTS_KEPT;
		journal->count--;
	}
	struct store_event *slot = &journal->ring[(journal->first + journal->count) % STORE_EVENTS_KEPT];
	*slot = (struct store_event){.seq = seq, .json = json};
	journal->count++;
	journal->newest = seq;
}

static int batch_write(struct store *store, void *context, struct err *err)
{
	struct batch *batch = context;
	return store_add_events(store, batch->events, batch->count, err);
}

static void batch_done(void *context, int r, const struct err *err)
{
	struct batch *batch = context;
	if (r < 0) {
		batch->journal->lost += batch->count;
		log_limited(LEVEL_ERROR, "journal", "events-not-stored", "store", log_err(err));
	}
	for (size_t i = 0; i < batch->count; i++)
		free(batch->events[i].json);
	free(batch->events);
	free(batch);
}

static void hand_over(struct journal *journal)
{
	if (!journal->writer || !journal->unwritten)
		return;
	struct batch *batch = mem_new(1, sizeof *batch);
	batch->journal = journal;
	batch->count = journal->unwritten;
	batch->events = mem_new(batch->count, sizeof *batch->events);
	for (size_t i = 0; i < batch->count; i++) {
		const struct store_event *from = item(journal, journal->count - batch->count + i);
		batch->events[i] = (struct store_event){.seq = from->seq, .json = mem_text(from->json)};
	}
	journal->unwritten = 0;
	writer_add(journal->writer,
		&(struct writer_job){.write = batch_write, .done = batch_done, .context = batch});
}

static void on_flush(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	hand_over(context);
}

static void load_one(uint64_t seq, const char *json, void *context)
{
	append(context, seq, mem_text(json));
}

int journal_new(struct event_base *base, struct store *store, struct journal **ret_journal, struct err *err)
{
	struct journal *journal = mem_new(1, sizeof *journal);
	journal->flush = evtimer_new(base, on_flush, journal);
	int r = store_each_event(store, load_one, journal, err);
	if (r < 0) {
		journal_free(journal);
		return r;
	}
	if (journal->newest)
		journal->newest += RESTART_GAP;
	*ret_journal = journal;
	return 0;
}

void journal_set_writer(struct journal *journal, struct writer *writer)
{
	if (!writer)
		hand_over(journal);
	journal->writer = writer;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	for (size_t i = 0; i < journal->count; i++)
		free(item(journal, i)->json);
	event_free(journal->flush);
	free(journal);
}

static void put_text(json_t *json, const char *name, const char *text)
{
	if (text && *text)
		jput_text(json, name, text);
}

static char *encode(uint64_t seq, const struct journal_entry *entry)
{
	char epoch[EPOCH_TEXT_MAX], id[PROTO_NAME_MAX + EPOCH_TEXT_MAX + 2];
	json_t *json = json_object();
	jput_u64(json, "seq", seq);
	jput_i64(json, "time_ms", clock_wall_ms());
	jput_text(json, "event", entry->event);
	put_text(json, "endpoint", entry->endpoint);
	put_text(json, "gateway", entry->gateway);
	if (entry->epoch)
		jput_text(json, "epoch", epoch_format(entry->epoch, epoch));
	if (entry->epoch && entry->endpoint && entry->to) { /* common/timeline/account.h */
		snprintf(id, sizeof id, "%s@%s", entry->endpoint, epoch);
		jput_text(json, "id", id);
	}
	put_text(json, "from", entry->from);
	put_text(json, "to", entry->to);
	put_text(json, "cause", entry->cause);
	if (entry->detected)
		jput_u64(json, "detect_ms", entry->detect_ms);
	if (entry->taken) {
		jput_u64(json, "sessions", entry->sessions);
		jput_u64(json, "back", entry->back);
		jput_u64(json, "took_ms", entry->took_ms);
		jput_u64(json, "first_ms", entry->first_ms);
	}
	if (entry->generation)
		jput_u64(json, "generation", entry->generation);
	jput_text(json, "text", entry->text);
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

void journal_add(struct journal *journal, const struct journal_entry *entry)
{
	uint64_t seq = journal->newest + 1;
	append(journal, seq, encode(seq, entry));
	if (journal->unwritten < STORE_EVENTS_KEPT)
		journal->unwritten++;
	if (!evtimer_pending(journal->flush, NULL))
		evtimer_add(journal->flush, &(struct timeval){.tv_usec = FLUSH_MS * 1000L});
	if (journal->added)
		journal->added(journal->added_context);
}

void journal_watch(struct journal *journal, void (*added)(void *context), void *context)
{
	journal->added = added;
	journal->added_context = context;
}

void journal_each(const struct journal *journal, void (*each)(const char *json, void *context), void *context)
{
	for (size_t i = 0; i < journal->count; i++)
		each(item(journal, i)->json, context);
}

uint64_t journal_oldest(const struct journal *journal)
{
	return journal->count ? item(journal, 0)->seq : 0;
}

uint64_t journal_newest(const struct journal *journal)
{
	return journal->newest;
}

uint64_t journal_lost(const struct journal *journal)
{
	return journal->lost;
}

static size_t index_after(const struct journal *journal, uint64_t after)
{
	size_t low = 0, high = journal->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (item(journal, middle)->seq <= after)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t journal_before_last(const struct journal *journal, uint64_t n)
{
	if (n >= journal->count)
		return 0;
	return item(journal, journal->count - 1 - (size_t)n)->seq;
}

char *journal_answer(const struct journal *journal, uint64_t after, size_t max)
{
	struct text text = {0};
	size_t index = index_after(journal, after);
	uint64_t next = after < journal->newest ? after : journal->newest;
	text_add(&text, "{\"events\":[");
	for (size_t given = 0; index < journal->count && given < max; index++, given++) {
		text_add(&text, "%s%s", given ? "," : "", item(journal, index)->json);
		next = item(journal, index)->seq;
	}
	text_add(&text, "],\"next\":%" PRIu64 ",\"oldest\":%" PRIu64 "}", next, journal_oldest(journal));
	return text_take(&text);
}
