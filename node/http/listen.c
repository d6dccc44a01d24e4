#include "node/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static bool
is_local(const char *name)
{
	return strncmp(name, "unix:", 5) == 0;
}

static int
bad_address(struct err *err, const char *where)
{
	return err_set(err, ERR_INVALID, "cannot listen on %s: give ADDR:PORT or unix:PATH", where);
}

/* "ADDR:PORT" or "[ADDR]:PORT" to a socket address. */
static int
parse_inet(const char *where, union address *addr, socklen_t *len, struct err *err)
{
	const char *colon = strrchr(where, ':');
	char host[64], *end;
	size_t host_len;
	unsigned long port;

	if (colon == NULL || colon == where || (size_t)(colon - where) >= sizeof host)
		return bad_address(err, where);
	host_len = (size_t)(colon - where);
	port = strtoul(colon + 1, &end, 10);
	if (*end != 0 || end == colon + 1 || colon[1] == '-' || port > 65535)
		return bad_address(err, where);
	memcpy(host, where, host_len);
	host[host_len] = 0;

	memset(addr, 0, sizeof *addr);
	if (host[0] == '[' && host[host_len - 1] == ']') {
		host[host_len - 1] = 0;
		addr->v6.sin6_family = AF_INET6;
		addr->v6.sin6_port = htons((uint16_t)port);
		*len = sizeof addr->v6;
		if (inet_pton(AF_INET6, host + 1, &addr->v6.sin6_addr) == 1)
			return 0;
	} else {
		addr->v4.sin_family = AF_INET;
		addr->v4.sin_port = htons((uint16_t)port);
		*len = sizeof addr->v4;
		if (inet_pton(AF_INET, host, &addr->v4.sin_addr) == 1)
			return 0;
	}
	return bad_address(err, where);
}

static int
parse_local(const char *path, union address *addr, socklen_t *len, struct err *err)
{
	memset(addr, 0, sizeof *addr);
	if (path[0] == 0 || strlen(path) >= sizeof addr->local.sun_path)
		return err_set(err, ERR_INVALID,
		               "cannot listen on %s: a socket's path has 1 to %zu bytes", path,
		               sizeof addr->local.sun_path - 1);
	addr->local.sun_family = AF_UNIX;
	memcpy(addr->local.sun_path, path, strlen(path) + 1);
	*len = sizeof addr->local;
	return 0;
}

static int
parse(const char *where, union address *addr, socklen_t *len, struct err *err)
{
	return is_local(where) ? parse_local(where + 5, addr, len, err)
	                       : parse_inet(where, addr, len, err);
}

int
listen_check(const char *where, struct err *err)
{
	union address addr = { 0 };
	socklen_t len = 0;

	return parse(where, &addr, &len, err);
}

/* A socket file outlives its process; take it away if nobody answers there. */
static int
clear_stale(const union address *addr, socklen_t len, struct err *err)
{
	struct stat st;
	int fd, status;

	if (lstat(addr->local.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return 0; /* bind() will say what is wrong */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_IO, "socket: %s", strerror(errno));
	status = connect(fd, &addr->any, len);
	close(fd);
	if (status == 0)
		return err_set(err, ERR_BUSY, "%s is in use by another process",
		               addr->local.sun_path);
	unlink(addr->local.sun_path);
	return 0;
}

static int
bind_and_listen(int fd, unsigned mode, const union address *addr, socklen_t len)
{
	int on = 1;

	if (addr->any.sa_family != AF_UNIX &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		return -1;
	/* The file takes the mode of the socket over: it holds from the first moment. */
	if (addr->any.sa_family == AF_UNIX && fchmod(fd, mode) < 0)
		return -1;
	if (bind(fd, &addr->any, len) < 0)
		return -1;
	return listen(fd, BACKLOG);
}

static void
print_name(int fd, const char *where, char name[LISTEN_NAME_SIZE])
{
	union address addr = { 0 };
	socklen_t len = sizeof addr;
	char host[INET6_ADDRSTRLEN] = "";

	if (getsockname(fd, &addr.any, &len) < 0)
		addr.any.sa_family = AF_UNIX;
	if (addr.any.sa_family == AF_INET)
		snprintf(name, LISTEN_NAME_SIZE, "%s:%u",
		         inet_ntop(AF_INET, &addr.v4.sin_addr, host, sizeof host),
		         ntohs(addr.v4.sin_port));
	else if (addr.any.sa_family == AF_INET6)
		snprintf(name, LISTEN_NAME_SIZE, "[%s]:%u",
		         inet_ntop(AF_INET6, &addr.v6.sin6_addr, host, sizeof host),
		         ntohs(addr.v6.sin6_port));
	else
		snprintf(name, LISTEN_NAME_SIZE, "%s", where);
}

int
listen_open(const char *where, unsigned mode, int *fd, char name[LISTEN_NAME_SIZE], struct err *err)
{
	union address addr = { 0 };
	socklen_t len = 0;
	int rc = parse(where, &addr, &len, err);

	if (rc == 0 && is_local(where))
		rc = clear_stale(&addr, len, err);
	if (rc < 0)
		return rc;
	*fd = socket(addr.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return err_set(err, ERR_IO, "socket: %s", strerror(errno));
	if (bind_and_listen(*fd, mode, &addr, len) < 0) {
		rc = err_set(err, errno == EADDRINUSE ? ERR_BUSY : ERR_IO,
		             "listen on %.100s: %s; choose another with --listen ADDR:PORT", where,
		             strerror(errno));
		close(*fd);
		*fd = -1;
		return rc;
	}
	print_name(*fd, where, name);
	return 0;
}

unsigned
listen_port(const char *name)
{
	return is_local(name) ? 0 : (unsigned)strtoul(strrchr(name, ':') + 1, NULL, 10);
}

void
listen_hosts(char *out, size_t size, const char *name, const char *further)
{
	size_t len = is_local(name) ? 0 : (size_t)(strrchr(name, ':') - name);
	bool any = strncmp(name, "0.0.0.0:", 8) == 0 || strncmp(name, "[::]:", 5) == 0;

	snprintf(out, size, "%s %.*s %s", any ? "*" : "", (int)len, name,
	         further == NULL ? "" : further);
}
