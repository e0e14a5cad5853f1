/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_COMPOSE_H
#define HOLDFAST_FIREWALL_COMPOSE_H

#include "common/base/addr.h"
#include "node-agent/core/firewall/ruleset.h"

/*
 * Writing rules: each function appends what a phrase of nft(8) compiles to, so that a rule reads as it is listed.
 * Results point into what they were added to and are valid until the next addition there. Names must fit.
 */
struct fw_table *fw_add_table(struct fw_ruleset *ruleset, enum fw_family family, const char *name);
void fw_add_set(struct fw_table *table, const char *name, enum fw_key key);
void fw_add_interval_set(struct fw_table *table, const char *name, enum fw_key key);
struct fw_chain *fw_add_chain(
	struct fw_table *table, const char *name, enum fw_chain_type type, enum fw_hook hook, int priority);
struct fw_rule *fw_add_rule(struct fw_chain *chain);
/* Filled by rules: see struct fw_set. */
void fw_add_learned_set(
	struct fw_table *table, const char *name, enum fw_key key, uint32_t size, uint32_t timeout_ms);
/* Of a netdev table; the device's name must fit. */
struct fw_chain *fw_add_device_chain(
	struct fw_table *table, const char *name, enum fw_hook hook, const char *device, int priority);

enum fw_side { FW_SOURCE, FW_DESTINATION };

void rule_iifname(struct fw_rule *rule, enum fw_compare compare, const char *name);
void rule_oifname(struct fw_rule *rule, enum fw_compare compare, const char *name);
void rule_nfproto(struct fw_rule *rule, uint8_t address_family);
void rule_l4proto(struct fw_rule *rule, uint8_t protocol);
void rule_mark(struct fw_rule *rule, uint32_t mark);
void rule_mark_not_in(struct fw_rule *rule, const char *set);
void rule_udp_sport(struct fw_rule *rule, uint16_t port);
void rule_udp_dport(struct fw_rule *rule, uint16_t port);
void rule_icmpv6_type(struct fw_rule *rule, uint8_t type);

/* An address in the IP header. rule_nfproto() comes first in a table of family inet. */
void rule_ip(struct fw_rule *rule, enum fw_side side, enum fw_compare compare, const struct addr *address);
void rule_ip_not_in(struct fw_rule *rule, enum fw_side side, const struct addr *address, const char *set);
/* The address only says the family. */
void rule_ip_in(struct fw_rule *rule, enum fw_side side, const struct addr *address, const char *set);
void rule_ip_within(struct fw_rule *rule, enum fw_side side, const struct prefix *prefix);
void rule_ip_set(struct fw_rule *rule, enum fw_side side, const struct addr *address);

/* The target of a neighbour solicitation or advertisement (RFC 4861, sections 4.3 and 4.4). */
void rule_nd_target(struct fw_rule *rule, const struct addr *address);
void rule_nd_target_not_in(struct fw_rule *rule, const char *set);

/* A protocol address of ARP for IPv4 over Ethernet (RFC 826). */
void rule_arp(struct fw_rule *rule, enum fw_side side, enum fw_compare compare, const struct addr *address);
void rule_arp_not_in(struct fw_rule *rule, enum fw_side side, const char *set);

/* In a netdev table: the packet's family (before rule_ip), who sent the frame. */
void rule_protocol(struct fw_rule *rule, uint8_t address_family);
void rule_ether_source(struct fw_rule *rule, const uint8_t mac[6]);
/* WireGuard's message type and session indices, after the UDP header; after rule_udp_sport() or rule_udp_dport(). */
void rule_wg_type(struct fw_rule *rule, uint8_t type);
void rule_wg_learn_sender(struct fw_rule *rule, const char *set); /* of types 1 and 2 */
void rule_wg_receiver_not_in(struct fw_rule *rule, uint8_t type, const char *set);
void rule_forward(struct fw_rule *rule, const struct addr *to, uint32_t ifindex, const char *device);

/* Sixteen bytes at an offset into what the transport header begins. */
void rule_token(struct fw_rule *rule, size_t offset, const uint8_t token[16]);

void rule_source_not_local(struct fw_rule *rule);
void rule_established(struct fw_rule *rule);
void rule_clamp_mss(struct fw_rule *rule);
void rule_mark_from_connection(struct fw_rule *rule);
void rule_mark_to_connection(struct fw_rule *rule);
void rule_snat(struct fw_rule *rule, const struct addr *to);
void rule_masquerade(struct fw_rule *rule);
void rule_accept(struct fw_rule *rule);
void rule_drop(struct fw_rule *rule);
void rule_count_and_drop(struct fw_rule *rule);

#endif
