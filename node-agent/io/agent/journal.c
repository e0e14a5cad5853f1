/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/journal.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"

static struct journal_entry *append(struct journal *journal, const char *event, const char *endpoint)
{
	struct journal_entry *entry = &journal->entries[journal->seq % JOURNAL_MAX];

	entry->seq = ++journal->seq;
	entry->wall_ms = clock_wall_ms();
	text_copy(entry->event, sizeof(entry->event), event);
	text_copy(entry->endpoint, sizeof(entry->endpoint), endpoint ? endpoint : "");
	return entry;
}

void journal_note(struct journal *journal, const char *event, const char *endpoint, const char *format, ...)
{
	struct journal_entry *entry = append(journal, event, endpoint);
	va_list list;

	va_start(list, format);
	vsnprintf(entry->text, sizeof(entry->text), format, list);
	va_end(list);
}

void journal_add(struct journal *journal, const char *event, const char *endpoint, const char *format, ...)
{
	struct journal_entry *entry = append(journal, event, endpoint);
	va_list list;

	va_start(list, format);
	vsnprintf(entry->text, sizeof(entry->text), format, list);
	va_end(list);
	if (endpoint)
		log_notice("agent", event, log_text("endpoint", endpoint), log_text("what", entry->text));
	else
		log_notice("agent", event, log_text("what", entry->text));
}

const struct journal_entry *journal_at(const struct journal *journal, uint64_t seq)
{
	const struct journal_entry *entry;

	if (!seq || seq > journal->seq)
		return NULL;
	entry = &journal->entries[(seq - 1) % JOURNAL_MAX];
	return entry->seq == seq ? entry : NULL;
}
