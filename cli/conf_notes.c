/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/conf_notes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/line.h"

enum { NAME_WORDS_MAX = 3 };

#define KEPT "kept, and runs only where agent.yaml allows it (programs:)"

static struct quick_span skip(struct quick_span span, const char *set)
{
	while (span.length && strchr(set, span.at[0])) {
		span.at++;
		span.length--;
	}
	return quick_trim(span);
}

/* "Name = alice", "friendly_name=alice", "Client alice", as known tools write them. */
static struct quick_span without_label(struct quick_span span)
{
	static const char *const labels[] = {"friendly_name", "name", "client", "peer", "user", "BEGIN_PEER"};

	for (size_t i = 0; i < ARRAY_COUNT(labels); i++) {
		size_t length = strlen(labels[i]);

		if (span.length > length && !strncasecmp(span.at, labels[i], length) &&
			strchr(" \t=:", span.at[length]))
			return skip((struct quick_span){span.at + length, span.length - length}, " \t=:");
	}
	return span;
}

/* A setting that somebody commented out is no name: its value may be a key. */
static bool is_setting(struct quick_span span)
{
	return span.length && memchr(span.at, '=', span.length);
}

static size_t count_words(struct quick_span span)
{
	struct quick_span word;
	size_t count = 0;

	while (quick_next_word(&span, &word))
		count++;
	return count;
}

bool conf_notes_name(const char *comment, size_t length, char name[PROTO_NAME_MAX + 1])
{
	struct quick_span span =
		without_label(skip(quick_trim((struct quick_span){comment, length}), "# \t"));
	size_t used = 0, words = is_setting(span) ? 0 : count_words(span);

	for (size_t i = 0; words && words <= NAME_WORDS_MAX && i < span.length && used < PROTO_NAME_MAX;
		i++) {
		unsigned char c = (unsigned char)span.at[i];

		if (isalnum(c) || (used && (c == '.' || c == '_')))
			name[used++] = (char)c;
		else if (used && name[used - 1] != '-')
			name[used++] = '-';
	}
	while (used && name[used - 1] == '-')
		used--;
	name[used] = '\0';
	return used;
}

static void add_peer(struct conf_notes *notes, const char *name)
{
	notes->names = mem_grow(notes->names, &notes->capacity, notes->count + 1, sizeof(*notes->names));
	text_copy(notes->names[notes->count++], sizeof(*notes->names), name);
}

static const char *note_of(enum quick_key key)
{
	switch (key) {
	case QUICK_KEY_DNS:
		return "DNS: kept: they become the name servers of the whole gateway; for clients' files "
		       "there is "
		       "client: { dns }";
	case QUICK_KEY_PRE_UP:
		return "PreUp: " KEPT "; 'forward' and 'routes' say what such ones are mostly for";
	case QUICK_KEY_POST_UP:
		return "PostUp: " KEPT "; 'forward' and 'routes' say what such ones are mostly for";
	case QUICK_KEY_PRE_DOWN:
		return "PreDown: " KEPT;
	case QUICK_KEY_POST_DOWN:
		return "PostDown: " KEPT;
	case QUICK_KEY_SAVE_CONFIG:
		return "SaveConfig: the fleet file is what counts";
	default:
		return NULL;
	}
}

static void take_note(struct conf_notes *notes, const char *file, const struct quick_line *line)
{
	const char *why = note_of(line->key);
	struct text text = {0};

	if (!why)
		return;
	text_add(&text, "%s:%u: %s", file, line->number, why);
	quick_texts_add(&notes->told, text.data, text.length);
	text_clear(&text);
}

static bool begins_peer(const struct quick_line *line, struct quick_span *ret_behind)
{
	static const char head[] = "[Peer]";
	size_t length = strlen(head);

	if (line->text.length < length || strncasecmp(line->text.at, head, length))
		return false;
	*ret_behind = quick_trim((struct quick_span){line->text.at + length, line->text.length - length});
	return true;
}

/* A comment names the peer if it stands on the line of [Peer], on the one before, or on the one behind. */
void conf_notes_read(const char *file, const char *text, size_t size, struct conf_notes *ret_notes)
{
	struct conf_notes notes = {0};
	char before[PROTO_NAME_MAX + 1] = "", name[PROTO_NAME_MAX + 1];
	struct quick_span behind;
	bool unnamed = false;
	struct quick_lines lines;
	struct quick_line line;

	quick_lines_init(&lines, text, size);
	while (quick_lines_next(&lines, &line)) {
		bool is_comment = line.text.length && line.text.at[0] == '#';

		if (begins_peer(&line, &behind)) {
			bool named = behind.length && conf_notes_name(behind.at, behind.length, name);

			add_peer(&notes, named ? name : before);
			unnamed = !notes.names[notes.count - 1][0];
		} else if (is_comment && unnamed) {
			(void)conf_notes_name(line.text.at, line.text.length, notes.names[notes.count - 1]);
			unnamed = false;
		} else if (line.text.length) {
			take_note(&notes, file, &line);
			unnamed = false;
		}
		before[0] = '\0';
		if (is_comment)
			(void)conf_notes_name(line.text.at, line.text.length, before);
	}
	*ret_notes = notes;
}

void conf_notes_clear(struct conf_notes *notes)
{
	free(notes->names);
	quick_texts_clear(&notes->told);
	*notes = (struct conf_notes){0};
}
