/*
 * tests/pg_cluster.c - the server of our own runs as somebody without rights,
 * listens on a socket in its own directory alone, and doesn't sync: what a power
 * cut would do isn't tested here.
 *
 * It is started by a keeper, a process that does nothing but wait until the
 * program and all its children are gone, however they went, and then ends the
 * server and removes the directory.
 */
#include "tests/pg_cluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATHS = 512, SOCKET_DIR_MAX = 80 };

static struct {
	char conninfo[2 * PATHS]; /* "" until there is a server */
	char dir[PATHS];          /* "" if it isn't ours */
	char bin[PATHS];
	pid_t owner, keeper;
	int leash; /* the keeper has the other end */
} cluster;

static void
give_up(const char *what)
{
	fprintf(stderr,
	        "tests: no PostgreSQL to test against: %s (packaging/install-deps --test)\n", what);
	exit(1);
}

/* That something is there already, or goes with something else, is no news. */
static void
hear_nothing(void *ctx, const PGresult *notice)
{
	(void)ctx;
	(void)notice;
}

/* ---- a server of our own ---- */

static void
find_programs(void)
{
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0 || found.gl_pathc == 0)
		give_up("there is no /usr/lib/postgresql/*/bin/initdb");
	snprintf(cluster.bin, sizeof cluster.bin, "%s", found.gl_pathv[found.gl_pathc - 1]);
	*strrchr(cluster.bin, '/') = 0;
	globfree(&found);
}

/* A socket's path is short; and root's own folder may be closed to nobody. */
static void
make_dir(void)
{
	const char *parent = getenv("TMPDIR");

	if (parent == NULL || geteuid() == 0 || strlen(parent) > SOCKET_DIR_MAX)
		parent = "/tmp";
	snprintf(cluster.dir, sizeof cluster.dir, "%s/yizhan-pg-XXXXXX", parent);
	if (mkdtemp(cluster.dir) == NULL)
		give_up("its directory can't be made");
}

/* The server refuses to be root. */
static void
become_nobody(void)
{
	const struct passwd *nobody = getpwnam("nobody");

	if (geteuid() != 0)
		return;
	if (nobody == NULL || setgroups(0, NULL) != 0 || setgid(nobody->pw_gid) != 0 ||
	    setuid(nobody->pw_uid) != 0)
		_exit(126);
}

static void
give_away_dir(void)
{
	const struct passwd *nobody = getpwnam("nobody");

	if (geteuid() == 0 &&
	    (nobody == NULL || chown(cluster.dir, nobody->pw_uid, nobody->pw_gid) != 0))
		give_up("there is no user nobody");
}

/* Run a program of PostgreSQL's, which looks for the others where its own name says that it is; its
 * words go to DIR/log. */
static pid_t
run(char *argv[])
{
	char program[2 * PATHS], log[2 * PATHS];
	pid_t pid = fork();
	int out;

	if (pid != 0)
		return pid;
	become_nobody();
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	snprintf(program, sizeof program, "%s/%s", cluster.bin, argv[0]);
	snprintf(log, sizeof log, "%s/log", cluster.dir);
	out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir("/") != 0)
		_exit(126);
	setpgid(0, 0); /* the terminal's Ctrl-C is ours to hand on */
	argv[0] = program;
	execv(program, argv);
	_exit(127);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void
remove_dir(void)
{
	if (nftw(cluster.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		fprintf(stderr, "tests: %s stays behind\n", cluster.dir);
}

/* In a server that was there before and stays, nothing of ours does. */
static void
drop_namespaces(void)
{
	PGconn *conn = PQconnectdb(cluster.conninfo);
	char sql[PATHS];
	PGresult *found;

	PQsetNoticeReceiver(conn, hear_nothing, NULL);
	snprintf(sql, sizeof sql,
	         "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'yz\\_%%\\_%d'",
	         (int)cluster.owner);
	found = PQexec(conn, sql);
	for (int i = 0; i < PQntuples(found); i++) {
		snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", PQgetvalue(found, i, 0));
		PQclear(PQexec(conn, sql));
	}
	PQclear(found);
	PQfinish(conn);
}

/* Tests are children: they have nothing to end. */
static void
stop(void)
{
	if (getpid() != cluster.owner)
		return;
	if (cluster.dir[0] == 0) {
		drop_namespaces();
		return;
	}
	if (cluster.keeper > 0) {
		close(cluster.leash);
		waitpid(cluster.keeper, NULL, 0);
	}
}

/* The keeper: ends when nobody holds the leash any more. */
static void
keep(char *postgres[], int leash)
{
	pid_t server;
	char c;

	setpgid(0, 0); /* what is sent to the program and its group isn't meant for it */
	server = run(postgres);
	while (read(leash, &c, 1) > 0)
		continue;
	if (server > 0) {
		kill(server, SIGQUIT);
		waitpid(server, NULL, 0);
	}
	remove_dir();
	_exit(0);
}

static void
start_keeper(char *postgres[])
{
	int ends[2];

	if (pipe(ends) != 0 || (cluster.keeper = fork()) < 0)
		give_up("there is no pipe, or no process more");
	if (cluster.keeper == 0) {
		close(ends[1]);
		keep(postgres, ends[0]);
	}
	close(ends[0]);
	cluster.leash = ends[1];
}

static void
start(void)
{
	char data[PATHS + 8], fsync_off[] = "-F";
	char *initdb[] = { "initdb", "-D", data,   "-U",         "yizhan",    "-A",
		           "trust",  "-E", "UTF8", "--locale=C", "--no-sync", NULL };
	char *postgres[] = { "postgres", "-D", data,      "-k", cluster.dir,
		             "-h",       "",   fsync_off, "-c", "max_connections=60",
		             NULL };
	int status;

	find_programs();
	make_dir();
	give_away_dir();
	snprintf(data, sizeof data, "%s/data", cluster.dir);
	if (waitpid(run(initdb), &status, 0) < 0 || status != 0) {
		remove_dir();
		give_up("initdb failed");
	}
	start_keeper(postgres);
	snprintf(cluster.conninfo, sizeof cluster.conninfo, "host='%s' user=yizhan dbname=postgres",
	         cluster.dir);
}

/* It takes a moment, and so does one that somebody else has just started. */
static void
wait_for_it(void)
{
	const struct timespec pause = { .tv_nsec = 50000000 };

	for (int i = 0; PQping(cluster.conninfo) != PQPING_OK; i++) {
		if (i == 1200)
			give_up("it doesn't answer");
		nanosleep(&pause, NULL);
	}
}

void
pg_cluster_begin(void)
{
	const char *given = getenv("YIZHAN_TEST_PG");

	if (cluster.conninfo[0] != 0)
		return;
	cluster.owner = getpid();
	atexit(stop);
	if (given != NULL)
		snprintf(cluster.conninfo, sizeof cluster.conninfo, "%s", given);
	else
		start();
	wait_for_it();
}

/* ---- using it ---- */

PGconn *
pg_cluster_connect(const char *conninfo)
{
	PGconn *conn = PQconnectdb(conninfo);

	if (PQstatus(conn) != CONNECTION_OK) {
		fprintf(stderr, "tests: %s\n", PQerrorMessage(conn));
		abort();
	}
	PQsetNoticeReceiver(conn, hear_nothing, NULL);
	return conn;
}

void
pg_cluster_exec(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK &&
	    PQresultStatus(result) != PGRES_TUPLES_OK) {
		fprintf(stderr, "tests: %s: %s\n", sql, PQerrorMessage(conn));
		abort();
	}
	PQclear(result);
}

static void
say(const char *format, const char *name)
{
	PGconn *conn = pg_cluster_connect(cluster.conninfo);
	char sql[PATHS];

	snprintf(sql, sizeof sql, format, name, (int)cluster.owner);
	pg_cluster_exec(conn, sql);
	PQfinish(conn);
}

const char *
pg_cluster_namespace(const char *name)
{
	static char conninfo[3 * PATHS];

	say("CREATE SCHEMA IF NOT EXISTS yz_%s_%d", name);
	snprintf(conninfo, sizeof conninfo, "%s options='-c search_path=yz_%s_%d'",
	         cluster.conninfo, name, (int)cluster.owner);
	return conninfo;
}

void
pg_cluster_drop(const char *name)
{
	say("DROP SCHEMA IF EXISTS yz_%s_%d CASCADE", name);
}
