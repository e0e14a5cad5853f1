/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/session.h"

/*
 * The journals of the other tunnels. What a tunnel changed of what all share (kernel parameters, the loopback, the namespace
 * itself) is not put back while another needs it: that one's journal gets it, under the lock of routes, and with it the duty
 * to put it back.
 */

/* What we changed and another tunnel needs: what, and how it takes it over. */
struct handoff {
	bool (*take)(struct quick_journal *other, const struct handoff *handoff);
	enum quick_parameter parameter;
	const char *before;
	enum quick_space_part part;
};

static bool take_parameter(struct quick_journal *other, const struct handoff *handoff)
{
	struct quick_parameter_note *note = &other->parameters[handoff->parameter];

	if (note->needed)
		text_copy(note->before, sizeof(note->before), handoff->before);
	return note->needed;
}

static bool take_space(struct quick_journal *other, const struct handoff *handoff)
{
	switch (handoff->part) {
	case QUICK_SPACE_LOOPBACK:
		other->loopback = true;
		break;
	case QUICK_SPACE_MADE:
		other->made_target = true;
		break;
	}
	return true;
}

static bool is_same_target(const struct quick_journal *one, const struct quick_journal *other)
{
	struct netns a = {.inode = one->target.inode, .cookie = one->target.cookie};
	struct netns b = {.inode = other->target.inode, .cookie = other->target.cookie};

	return netns_same(&a, &b);
}

static bool visit_one(struct quick *quick, const char *name, quick_journal_visit *visit, void *data)
{
	struct quick_journal other;
	bool done;

	if (quick_journal_read_of(quick, name, &other) < 0)
		return false;
	done = is_same_target(&other, &quick->journal) && visit(quick, &other, data);
	quick_journal_clear(&other);
	return done;
}

bool quick_journal_visit_others(struct quick *quick, quick_journal_visit *visit, void *data)
{
	DIR *directory = opendir(quick->directory);
	struct err before = *quick->err;
	struct dirent *entry;
	bool done = false;
	char name[NAME_MAX + 1];

	while (directory && !done && (entry = readdir(directory))) {
		char *suffix;

		text_copy(name, sizeof(name), entry->d_name);
		suffix = strrchr(name, '.');
		if (!suffix || strcmp(suffix, ".json") != 0)
			continue;
		*suffix = '\0';
		if (strcmp(name, quick->name) != 0)
			done = visit_one(quick, name, visit, data);
	}
	if (directory)
		closedir(directory);
	*quick->err = before;
	return done;
}

static bool hand_to(struct quick *quick, struct quick_journal *other, void *data)
{
	const struct handoff *handoff = data;

	return other->stage == QUICK_STAGE_UP && handoff->take(other, handoff) &&
	       quick_journal_write_of(quick, other) >= 0;
}

static void take_handed(struct quick_journal *journal, const struct quick_journal *written)
{
	for (unsigned i = 0; i < QUICK_PARAMETERS; i++) {
		struct quick_parameter_note *note = &journal->parameters[i];

		if (!note->before[0])
			text_copy(note->before, sizeof(note->before), written->parameters[i].before);
	}
	journal->loopback |= written->loopback;
	journal->made_target |= written->made_target;
}

/* Only one that is up is given something. */
void quick_journal_take_handed(struct quick *quick)
{
	struct err before = *quick->err;
	struct quick_journal written;

	if (quick->journal.stage == QUICK_STAGE_NONE || quick->lock_fd < 0)
		return;
	if (quick_journal_read_of(quick, quick->name, &written) >= 0) {
		if (written.stage == QUICK_STAGE_UP)
			take_handed(&quick->journal, &written);
		quick_journal_clear(&written);
	}
	*quick->err = before;
}

bool quick_journal_hand_over(struct quick *quick, enum quick_parameter parameter, const char *value)
{
	struct handoff handoff = {.take = take_parameter, .parameter = parameter, .before = value};

	return quick_journal_visit_others(quick, hand_to, &handoff);
}

bool quick_journal_hand_over_space(struct quick *quick, enum quick_space_part part)
{
	struct handoff handoff = {.take = take_space, .part = part};

	return quick_journal_visit_others(quick, hand_to, &handoff);
}
