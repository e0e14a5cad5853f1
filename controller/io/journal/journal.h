/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_JOURNAL_H
#define HOLDFAST_CONTROLLER_IO_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "controller/io/store/writer.h"
#include "proto/epoch.h"

struct event_base;

/*
 * What happened, for people: the last STORE_EVENTS_KEPT events as JSON (docs/api.md), in memory and, a moment later and
 * by the writer's thread, in the store. Adding one touches no disk.
 */
struct journal;

struct journal_entry {
	const char *event; /* "takeover", "apply", ... */
	const char *text;  /* one line for a person */
	/* NULL or "": left out */
	const char *endpoint, *gateway, *from, *to, *cause;
	const struct epoch *epoch;
	bool detected; /* detect_ms means something */
	uint32_t detect_ms;
	bool taken; /* the rest means something */
	uint32_t sessions, back, took_ms, first_ms;
	uint64_t generation; /* 0: left out */
};

/* Loads what the store keeps: call it before there is a writer. */
int journal_new(struct event_base *base, struct store *store, struct journal **ret_journal, struct err *err);
/* From now on entries go to the store by this writer; NULL: no more (hands over what is pending first). */
void journal_set_writer(struct journal *journal, struct writer *writer);
void journal_free(struct journal *journal); /* NULL-safe */

void journal_add(struct journal *journal, const struct journal_entry *entry);
/* Called after each entry that is added. */
void journal_watch(struct journal *journal, void (*added)(void *context), void *context);

/* Each entry's JSON, the oldest first. */
void journal_each(
	const struct journal *journal, void (*each)(const char *json, void *context), void *context);

uint64_t journal_oldest(const struct journal *journal); /* 0: none */
uint64_t journal_newest(const struct journal *journal);
uint64_t journal_lost(const struct journal *journal); /* entries that could not be written to the store */

/* {"events": [...], "next": .., "oldest": ..} with those after a sequence number, at most max. The caller frees. */
char *journal_answer(const struct journal *journal, uint64_t after, size_t max);
/* The sequence number before the last n. */
uint64_t journal_before_last(const struct journal *journal, uint64_t n);

#endif
