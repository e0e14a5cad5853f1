/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "controller/io/store/statement.h"
#include "controller/io/store/store.h"

int store_put_invitation(struct store *store, const struct store_invitation *invitation, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_PUT_INVITATION);
	sqlite3_bind_text(statement, 1, invitation->gateway, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, invitation->hash, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, invitation->expires_ms);
	sqlite3_bind_text(statement, 4, invitation->who, -1, SQLITE_STATIC);
	int r = statement_step(store, statement, err);
	return r < 0 ? r : 0;
}

int store_remove_invitation(
	struct store *store, const char *gateway, const char *hash, int64_t wall_ms, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_REMOVE_INVITATION);
	sqlite3_bind_text(statement, 1, gateway, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, hash, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, wall_ms);
	int r = statement_step(store, statement, err);
	return r < 0 ? r : 0;
}

static void copy_column(char *to, size_t size, sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	text_copy(to, size, text ? (const char *)text : "");
}

int store_each_invitation(struct store *store,
	void (*each)(const struct store_invitation *invitation, void *context), void *context,
	struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_READ_INVITATIONS);
	int r;
	while ((r = statement_step(store, statement, err)) == 1) {
		struct store_invitation invitation = {.expires_ms = sqlite3_column_int64(statement, 2)};
		copy_column(invitation.gateway, sizeof invitation.gateway, statement, 0);
		copy_column(invitation.hash, sizeof invitation.hash, statement, 1);
		copy_column(invitation.who, sizeof invitation.who, statement, 3);
		each(&invitation, context);
	}
	return r;
}
