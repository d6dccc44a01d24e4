/*
 * tests/sync_transport_tls.c - whom the transport talks to over TLS: openssl's
 * own server plays the hub, with certificates made for each case.
 */
#include "tests/suites.h"

#include "store/base/buf.h"
#include "store/base/file.h"
#include "sync/exchange/transport_http.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EC "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
#define HERE "-addext subjectAltName=IP:127.0.0.1"
#define WRONG_PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static char dir[64];
static pid_t server;
static struct err err;

static PRINTF_LIKE(1, 2) void shell(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	ck_assert_msg(system(line) == 0, "%s", line); // NOLINT(cert-env33-c): a test's own words
}

static const char *
in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void
make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/check-tls.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void
remove_dir(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	shell("rm -r %s", dir);
}

/* Run openssl's server, which answers everything with a web page; its port. */
static unsigned
start_server(const char *option)
{
	struct buf said = { 0 };
	const char *at = NULL;
	unsigned port;

	server = fork();
	if (server == 0) {
		char line[512];

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test has no teardown */
		snprintf(line, sizeof line,
		         "cd %s && exec openssl s_server -accept 127.0.0.1:0 -key k -cert c -www "
		         "%s >said 2>&1",
		         dir, option);
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 300 && at == NULL; i++) {
		usleep(10000);
		buf_clear(&said);
		if (file_read(in_dir("said"), 65536, &said, &err) == 0)
			at = strstr(buf_str(&said), "ACCEPT 127.0.0.1:");
	}
	ck_assert_msg(at != NULL, "openssl s_server: %s", buf_str(&said));
	port = (unsigned)strtoul(at + strlen("ACCEPT 127.0.0.1:"), NULL, 10);
	buf_free(&said);
	return port;
}

static void
no_done(void *ctx, void *tag, struct transport_reply *reply)
{
	(void)ctx;
	(void)tag;
	transport_reply_free(reply);
}

/* "sha256//..." of the certificate's key, behind another one: a pin and its successor. */
static void
read_pin(char out[128])
{
	struct buf text = { 0 };

	shell("cd %s && openssl x509 -in c -pubkey -noout | openssl pkey -pubin -outform DER |"
	      " openssl dgst -sha256 -binary | base64 >pin",
	      dir);
	ck_assert_int_eq(file_read(in_dir("pin"), 100, &text, &err), 0);
	snprintf(out, 128, WRONG_PIN ";sha256//%.44s", buf_str(&text));
	buf_free(&text);
}

enum trust { SYSTEM, THIS };
enum pin { NO_PIN, RIGHT, WRONG };

START_TEST(only_the_right_certificate_and_key_are_talked_to)
{
	static const struct {
		const char *make;   /* options of openssl req */
		const char *again;  /* then a command that replaces the certificate, or NULL */
		const char *server; /* options of openssl s_server */
		enum trust trust;
		enum pin pin;
		bool ok;
		const char *words;
	} cases[] = {
		{ EC " " HERE, NULL, "", THIS, NO_PIN, true, "" },
		{ EC " " HERE, NULL, "", THIS, RIGHT, true, "" },
		{ EC " " HERE, NULL, "-tls1_2", THIS, NO_PIN, true, "" },
		/* self-signed */
		{ EC " " HERE, NULL, "", SYSTEM, NO_PIN, false, "self-signed" },
		{ EC " " HERE, NULL, "", SYSTEM, RIGHT, false, "self-signed" },
		/* another key than the pinned one, however well certified */
		{ EC " " HERE, NULL, "", THIS, WRONG, false, "not the pinned one" },
		/* for somebody else */
		{ EC " -addext subjectAltName=DNS:hub.example", NULL, "", THIS, NO_PIN, false,
		  "no trusted TLS" },
		{ EC " " HERE, "openssl x509 -in c -signkey k -days -1 -out e && mv e c", "", THIS,
		  NO_PIN, false, "expired" },
		{ EC " " HERE, NULL, "-tls1_1 -cipher ALL:@SECLEVEL=0", THIS, NO_PIN, false,
		  "no trusted TLS" },
		{ "-newkey rsa:1024 " HERE, NULL, "-cipher ALL:@SECLEVEL=0", THIS, NO_PIN, false,
		  "no trusted TLS" },
	};
	char base[64], pin[128] = WRONG_PIN;
	struct transport_options options = { .connect_ms = 3000, .quiet_s = 2 };
	struct transport_request request = { .method = "GET", .base = base, .path = "/" };
	struct transport_reply *reply;
	struct transport *transport;

	shell("cd %s && openssl req -x509 %s -nodes -keyout k -out c -days 2 -subj /CN=hub 2>log",
	      dir, cases[_i].make);
	if (cases[_i].again != NULL)
		shell("cd %s && { %s; } 2>log", dir, cases[_i].again);
	if (cases[_i].pin == RIGHT)
		read_pin(pin);
	snprintf(base, sizeof base, "https://127.0.0.1:%u", start_server(cases[_i].server));
	options.pin = cases[_i].pin == NO_PIN ? NULL : pin;
	options.ca_file = cases[_i].trust == THIS ? in_dir("c") : NULL;

	ck_assert_int_eq(transport_new(&options, no_done, NULL, &transport, &err), 0);
	ck_assert_int_eq(transport_call(transport, &request, &reply, &err), 0);
	/* A web page means that the handshake was good: we got as far as its words. */
	ck_assert_msg(reply->code == (cases[_i].ok ? TRANSPORT_PORTAL : TRANSPORT_UNTRUSTED),
	              "%s %s: %s", cases[_i].make, cases[_i].server, reply->why);
	ck_assert_msg(strstr(reply->why, cases[_i].words) != NULL, "%s", reply->why);
	if (!cases[_i].ok)
		ck_assert_uint_eq(reply->bytes_out, 0);
	transport_reply_free(reply);
	transport_free(transport);
}
END_TEST

Suite *
suite_sync_transport_tls(void)
{
	Suite *suite = suite_create("sync/transport_http TLS");
	TCase *tcase = tcase_create("tls");

	tcase_set_tags(tcase, "threads");
	tcase_add_checked_fixture(tcase, make_dir, remove_dir);
	tcase_add_loop_test(tcase, only_the_right_certificate_and_key_are_talked_to, 0, 10);
	tcase_set_timeout(tcase, 20);
	suite_add_tcase(suite, tcase);
	return suite;
}
