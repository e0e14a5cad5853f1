/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/names_int.h"

/* Asking the resolver, and what becomes of its answers. */

/* ---- what is done ---- */

/* Where the packets to it leave from is where the name has its meaning, too. */
static int ask_where_it_sends(struct agent *agent, const struct name *name)
{
	const struct tunnel *tunnel = name->of_fleet ? NULL : tunnels_find(agent, name->tunnel);
	struct resolver *resolver = agent->names->resolver;
	struct resolver_place place;

	if (!tunnel || tunnel_sends_from(tunnel, NULL))
		return resolver_ask(resolver, name->id, name->host, NULL);
	if (!tunnel->birth)
		return -ENOENT;
	place = place_of_resolver(tunnel->birth);
	return resolver_ask(resolver, name->id, name->host, &place);
}

static void ask(struct agent *agent, struct name *name)
{
	if (ask_where_it_sends(agent, name) < 0)
		resolve_answer(&name->resolve, NULL, 0, clock_now_ms()); /* too many at once: later */
}

static void told(struct agent *agent, struct name *name, const char *endpoint)
{
	struct text what = {0}, why = {0};
	char key[KEY_TEXT_MAX];
	int64_t took_ms = clock_now_ms() - name->told_ms;

	key_format(&name->public_key, key);
	if (!name->failed && !name->resolved) {
		log_info("agent", "resolved", log_text("name", name->host), log_text("endpoint", endpoint));
		return;
	}
	text_add(&what, "wg set %s peer %s endpoint %s", name->tunnel, key, endpoint);
	text_add(&why, "%s is %s %s", name->host, endpoint, name->resolved ? "now" : "at last");
	log_notice("agent", "repaired", log_text("what", what.data), log_text("why", why.data),
		log_i64("took_ms", took_ms));
	journal_note(&agent->journal, "endpoint", NULL, "peer %s of %s: %s (%lld ms)", name->peer,
		name->tunnel, why.data, (long long)took_ms);
	text_clear(&what);
	text_clear(&why);
	repair_count(&agent->repair, REPAIR_ENDPOINT);
}

static void look_at_way(struct agent *agent, const struct name *name)
{
	const struct tunnel *tunnel = name->of_fleet ? NULL : tunnels_find(agent, name->tunnel);
	struct underlay *underlay = tunnel ? tunnel_underlay(agent, tunnel) : &agent->underlay;

	if (underlay)
		underlay_check_soon(underlay);
	if (name->of_fleet)
		agent_look_soon(agent); /* the MTU of the way there */
	else
		tunnels_look_soon(agent, name->tunnel);
}

static void set(struct agent *agent, struct name *name)
{
	char text[ENDPOINT_TEXT_MAX];
	struct err err = {0};

	if (name_set_endpoint(agent, name, &err) < 0) {
		log_limited(LEVEL_WARNING, "agent", "endpoint-not-set", name->peer,
			log_text("peer", name->peer), log_err(&err));
		return;
	}
	told(agent, name, endpoint_format(&name->resolve.set, text, sizeof(text)));
	look_at_way(agent, name);
}

void name_act(struct agent *agent, struct name *name)
{
	for (;;) {
		switch (resolve_step(&name->resolve, clock_now_ms())) {
		case RESOLVE_NOTHING:
			return;
		case RESOLVE_ASK:
			ask(agent, name);
			break;
		case RESOLVE_SET:
			set(agent, name);
			break;
		}
	}
}

void names_act_all(struct agent *agent)
{
	for (size_t i = 0; i < agent->names->count; i++)
		name_act(agent, &agent->names->items[i]);
}

/* ---- answers ---- */

static struct name *find_id(struct names *names, uint64_t id)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->items[i].id == id)
			return &names->items[i];
	return NULL;
}

static void take_addresses(struct agent *agent, struct name *name, const struct addr *addresses, size_t count)
{
	name->keeps = false;
	resolve_answer(&name->resolve, addresses, count, clock_now_ms());
	name_act(agent, name);
	name->resolved |= count != 0;
}

void names_take_kept(struct agent *agent, const char *tunnel)
{
	for (size_t i = 0; i < agent->names->count; i++) {
		struct name *name = &agent->names->items[i];

		if (name->keeps && name->of_fleet && !strcmp(name->tunnel, tunnel))
			take_addresses(agent, name, name->kept, name->kept_count);
	}
}

static void keep(struct name *name, const struct resolver_answer *answer)
{
	name->keeps = true;
	name->kept_count = answer->count;
	memcpy(name->kept, answer->addresses, sizeof(name->kept));
}

static void take_answer(struct agent *agent, const struct resolver_answer *answer)
{
	struct name *name = find_id(agent->names, answer->id);

	if (!name)
		return; /* it has left the fleet meanwhile */
	if (!answer->count) {
		name->failed = true;
		log_limited(LEVEL_WARNING, "agent", "not-resolved", answer->name,
			log_text("name", answer->name), log_text("error", answer->failure));
	}
	if (name->resolve.observed && clock_now_ms() < name->fresh_until_ms)
		take_addresses(agent, name, answer->addresses, answer->count);
	else if (name_ask_aside(agent, name)) /* it may have roamed since the last second */
		keep(name, answer);
	else {
		name_observe(agent, name);
		take_addresses(agent, name, answer->addresses, answer->count);
	}
}

static void on_answers(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	struct resolver_answer answer;

	(void)fd;
	(void)what;
	while (resolver_next(agent->names->resolver, &answer))
		take_answer(agent, &answer);
}

int names_listen(struct agent *agent, struct err *err)
{
	struct names *names = agent->names;
	int r = resolver_new(&names->resolver, err);

	if (r < 0)
		return r;
	names->answers =
		event_new(agent->base, resolver_fd(names->resolver), EV_READ | EV_PERSIST, on_answers, agent);
	event_add(names->answers, NULL);
	return 0;
}
