/*
 * node/http/peer.h - who is at the other end of a connection.
 */
#ifndef NODE_PEER_H
#define NODE_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

enum { PEER_TEXT_SIZE = 46 };

struct peer {
	/* For counting: an IPv4 address, or an IPv6 one without its last 64 bits, which a client
	 * draws as it likes. */
	uint8_t group[16];
	char text[PEER_TEXT_SIZE]; /* "192.168.1.7", "fe80::1", "unix" */
	bool loopback;             /* on this machine: 127/8, ::1 or a Unix socket */
};

/* Read an address of any family; an IPv4 address mapped into IPv6 is the IPv4 one. */
struct peer peer_from(const struct sockaddr *addr);

#endif /* NODE_PEER_H */
