/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/api/api.h"

#include "controller/io/api/follow.h"
#include "controller/io/controller.h"

void api_serve(struct controller *controller, struct http_server *server)
{
	status_serve(controller, server);
	fleet_serve(controller, server);
	rollback_serve(controller, server);
	history_serve(controller, server);
	move_serve(controller, server);
	setting_serve(controller, server);
	report_serve(controller, server);
	sessions_serve(controller, server);
	invite_serve(controller, server);
	join_serve(controller, server);
	revoke_serve(controller, server);
	certify_serve(controller, server);
	follow_serve(controller->follow, server);
}
