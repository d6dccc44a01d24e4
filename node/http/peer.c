#include "node/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct peer
from_v4(const uint8_t bytes[4])
{
	struct peer peer = { .group = { [10] = 0xff, [11] = 0xff }, .loopback = bytes[0] == 127 };

	memcpy(peer.group + 12, bytes, 4);
	inet_ntop(AF_INET, bytes, peer.text, sizeof peer.text);
	return peer;
}

static struct peer
from_v6(const struct in6_addr *addr)
{
	struct peer peer = { .loopback = IN6_IS_ADDR_LOOPBACK(addr) };

	if (IN6_IS_ADDR_V4MAPPED(addr))
		return from_v4(addr->s6_addr + 12);
	memcpy(peer.group, addr, 8);
	inet_ntop(AF_INET6, addr, peer.text, sizeof peer.text);
	return peer;
}

struct peer
peer_from(const struct sockaddr *addr)
{
	if (addr->sa_family == AF_INET)
		return from_v4((const uint8_t *)&((const struct sockaddr_in *)(const void *)addr)
		                       ->sin_addr);
	if (addr->sa_family == AF_INET6)
		return from_v6(&((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr);
	return (struct peer){ .text = "unix", .loopback = true };
}
