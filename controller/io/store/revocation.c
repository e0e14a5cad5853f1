/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/base/text.h"
#include "controller/io/store/statement.h"
#include "controller/io/store/store.h"

int store_revoke(struct store *store, const struct store_revocation *revocation, struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_REVOKE);
	sqlite3_bind_text(statement, 1, tls_kind_text(revocation->whose.kind), -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, revocation->whose.name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, revocation->wall_ms);
	sqlite3_bind_text(statement, 4, revocation->who, -1, SQLITE_STATIC);
	int r = statement_step(store, statement, err);
	return r < 0 ? r : 0;
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);
	return text ? (const char *)text : "";
}

int store_each_revocation(struct store *store,
	void (*each)(const struct store_revocation *revocation, void *context), void *context,
	struct err *err)
{
	sqlite3_stmt *statement = statement_get(store, STATEMENT_READ_REVOKED);
	struct text uri = {0};
	int r;
	while ((r = statement_step(store, statement, err)) == 1) {
		struct store_revocation revocation = {.wall_ms = sqlite3_column_int64(statement, 2)};
		text_clear(&uri);
		text_add(&uri, "holdfast:%s:%s", column_text(statement, 0), column_text(statement, 1));
		text_copy(revocation.who, sizeof revocation.who, column_text(statement, 3));
		if (tls_identity_parse(uri.data, &revocation.whose) == 0)
			each(&revocation, context);
	}
	text_clear(&uri);
	return r;
}
