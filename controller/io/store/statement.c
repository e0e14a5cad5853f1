/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/store/statement.h"

#include <errno.h>

#define GENERATION_COLUMNS "number, hash, who, wall_ms, what, added, changed, removed, other"

static const char *const texts[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_READ_IDENTITY] = "SELECT store, term, secret, frozen, floor FROM identity",
	[STATEMENT_WRITE_IDENTITY] =
		"INSERT INTO identity(one, store, term, secret, frozen, floor) VALUES (1, ?, 0, ?, 0, 0)",
	[STATEMENT_WRITE_TERM] = "UPDATE identity SET term = ?",
	[STATEMENT_WRITE_FROZEN] = "UPDATE identity SET frozen = ?",
	[STATEMENT_RAISE_FLOOR] = "UPDATE identity SET floor = ?1 WHERE floor < ?1",
	[STATEMENT_READ_GENERATION] =
		"SELECT " GENERATION_COLUMNS ", bundle FROM generations ORDER BY number DESC LIMIT 1",
	[STATEMENT_READ_GENERATION_BEFORE] =
		"SELECT " GENERATION_COLUMNS ", bundle FROM generations WHERE number < ?"
		" ORDER BY number DESC LIMIT 1",
	[STATEMENT_READ_GENERATION_NUMBER] =
		"SELECT " GENERATION_COLUMNS ", bundle FROM generations WHERE number = ?",
	[STATEMENT_LIST_GENERATIONS] =
		"SELECT " GENERATION_COLUMNS " FROM generations WHERE number > ? ORDER BY number LIMIT ?",
	[STATEMENT_ADD_GENERATION] = "INSERT INTO generations(" GENERATION_COLUMNS
				     ", bundle) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_TRIM_GENERATIONS] =
		("DELETE FROM generations WHERE number <="
		 " (SELECT number FROM generations ORDER BY number DESC LIMIT 1 OFFSET ?)"),
	[STATEMENT_READ_CONFIRMATION] =
		"SELECT generation, back_to, deadline_ms, given_ms, who FROM confirmation",
	[STATEMENT_SET_CONFIRMATION] =
		"INSERT INTO confirmation(one, generation, back_to, deadline_ms, given_ms, who)"
		" VALUES (1, ?, ?, ?, ?, ?)",
	[STATEMENT_CLEAR_CONFIRMATION] = "DELETE FROM confirmation",
	[STATEMENT_READ_DRAINED] = "SELECT gateway FROM drained ORDER BY gateway",
	[STATEMENT_ADD_DRAINED] = "INSERT OR IGNORE INTO drained(gateway) VALUES (?)",
	[STATEMENT_REMOVE_DRAINED] = "DELETE FROM drained WHERE gateway = ?",
	[STATEMENT_READ_EVENTS] = "SELECT seq, json FROM events ORDER BY seq",
	[STATEMENT_ADD_EVENT] = "INSERT INTO events(seq, json) VALUES (?, ?)",
	[STATEMENT_TRIM_EVENTS] =
		"DELETE FROM events WHERE seq <= (SELECT seq FROM events ORDER BY seq DESC LIMIT 1 OFFSET ?)",
	[STATEMENT_READ_INVITATIONS] =
		"SELECT gateway, hash, expires_ms, who FROM invitations ORDER BY gateway",
	[STATEMENT_PUT_INVITATION] =
		"INSERT OR REPLACE INTO invitations(gateway, hash, expires_ms, who) VALUES (?, ?, ?, ?)",
	[STATEMENT_REMOVE_INVITATION] = "DELETE FROM invitations WHERE gateway = ?1 AND (?2 IS NULL OR hash "
					"= ?2) OR expires_ms <= ?3",
	[STATEMENT_LIST_AUDIT] =
		"SELECT seq, wall_ms, who, what, target, generation, status, detail FROM audit WHERE seq > ?"
		" ORDER BY seq LIMIT ?",
	[STATEMENT_ADD_AUDIT] = "INSERT INTO audit(wall_ms, who, what, target, generation, status, detail)"
				" VALUES (?, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_TRIM_AUDIT] =
		"DELETE FROM audit WHERE seq <= (SELECT seq FROM audit ORDER BY seq DESC LIMIT 1 OFFSET ?)",
	[STATEMENT_TRIM_AUDIT_REFUSED] =
		"DELETE FROM audit WHERE status = 403 AND seq <= (SELECT seq FROM audit WHERE status = 403"
		" ORDER BY seq DESC LIMIT 1 OFFSET ?)",
	[STATEMENT_READ_REVOKED] = "SELECT kind, name, wall_ms, who FROM revoked ORDER BY kind, name",
	[STATEMENT_REVOKE] = "INSERT OR REPLACE INTO revoked(kind, name, wall_ms, who) VALUES (?, ?, ?, ?)",
};

int statement_error(struct store *store, struct err *err)
{
	int code = sqlite3_errcode(store->db) & 0xff;
	const char *advice = code == SQLITE_FULL ? ": make room on the disk"
			     : code == SQLITE_NOTADB || code == SQLITE_CORRUPT
				     ? ": not a store of Holdfast, or damaged: restore it, or move it away"
			     : code == SQLITE_READONLY || code == SQLITE_CANTOPEN
				     ? ": must be writable, and its directory too"
				     : "";
	return err_at(err, -EIO, store->path, 0, 0, "%s%s", sqlite3_errmsg(store->db), advice);
}

int statement_prepare_all(struct store *store, struct err *err)
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		if (sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
			    &store->statements[i], NULL) != SQLITE_OK)
			return statement_error(store, err);
	return 0;
}

void statement_finalize_all(struct store *store)
{
	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
}

sqlite3_stmt *statement_get(struct store *store, enum statement which)
{
	sqlite3_stmt *statement = store->statements[which];
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return statement;
}

int statement_step(struct store *store, sqlite3_stmt *statement, struct err *err)
{
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return 1;
	int r = code == SQLITE_DONE ? 0 : statement_error(store, err);
	sqlite3_reset(statement);
	return r;
}

int statement_run(struct store *store, enum statement which, struct err *err)
{
	int r = statement_step(store, statement_get(store, which), err);
	return r < 0 ? r : 0;
}
