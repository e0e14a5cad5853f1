/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/json/read.h"
#include "common/json/write.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/session.h"

static void put_space(json_t *root, const char *name, const struct quick_journal_space *space)
{
	json_t *object = jput_object(root, name);

	jput_text(object, "where", space->where);
	jput_u64(object, "inode", space->inode);
	jput_u64(object, "cookie", space->cookie);
}

void quick_journal_put_spaces(json_t *root, const struct quick_journal *journal)
{
	put_space(root, "namespace", &journal->target);
	put_space(root, "socket_namespace", &journal->birth);
	jput_bool(root, "made_namespace", journal->made_target);
	jput_bool(root, "loopback", journal->loopback);
	jput_bool(root, "at_socket", journal->in_birth);
	jput_bool(root, "program", journal->program);
}

static int get_space(
	const struct jnode *root, const char *name, struct quick_journal_space *space, struct err *err)
{
	struct jnode object;
	int r = jnode_object(root, name, JSON_REQUIRED, &object, err);

	if (r >= 0)
		r = jnode_text_new(&object, "where", JSON_OPTIONAL, QUICK_NAMESPACE_MAX, &space->where, err);
	if (r >= 0)
		r = jnode_u64(&object, "inode", JSON_REQUIRED, 0, INT64_MAX, &space->inode, err);
	if (r >= 0)
		r = jnode_u64(&object, "cookie", JSON_REQUIRED, 0, INT64_MAX, &space->cookie, err);
	return r;
}

int quick_journal_get_spaces(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	int r = get_space(root, "namespace", &journal->target, err);

	if (r >= 0)
		r = get_space(root, "socket_namespace", &journal->birth, err);
	if (r >= 0)
		r = jnode_bool(root, "made_namespace", JSON_REQUIRED, &journal->made_target, err);
	if (r >= 0)
		r = jnode_bool(root, "loopback", JSON_REQUIRED, &journal->loopback, err);
	if (r >= 0)
		r = jnode_bool(root, "at_socket", JSON_REQUIRED, &journal->in_birth, err);
	if (r >= 0)
		r = jnode_bool(root, "program", JSON_REQUIRED, &journal->program, err);
	return r;
}

void quick_journal_clear_spaces(struct quick_journal *journal)
{
	free(journal->target.where);
	free(journal->birth.where);
}
