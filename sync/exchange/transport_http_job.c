/*
 * One request: what curl is told of it, what of the reply is kept, and what became
 * of it in a sentence.
 */
#include "store/base/mutant.h"
#include "sync/exchange/transport_http_priv.h"

#include "store/base/env.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

_Static_assert(LIBCURL_VERSION_NUM >= 0x075500, "CURLOPT_PROTOCOLS_STR came with 7.85");

enum {
	QUIET_BYTES = 30,
	URL_SIZE = 1024,
	NETWORK_LOGIN = 511, /* RFC 6585: said by a captive portal, and by nobody else */
};

/* ---------------------------------------------------------------- replies */

const char *
transport_header(const struct transport_reply *reply, const char *name)
{
	const char *at = (const char *)reply->fields.bytes;
	size_t left = reply->fields.len;

	while (left > 0) {
		const char *value = at + strlen(at) + 1;
		size_t used = (size_t)(value - at) + strlen(value) + 1;

		if (strcasecmp(at, name) == 0)
			return value;
		at += used;
		left -= used;
	}
	return NULL;
}

void
transport_reply_free(struct transport_reply *reply)
{
	if (reply == NULL)
		return;
	buf_free(&reply->fields);
	buf_free(&reply->body);
	free(reply);
}

void
transport_why(struct transport_reply *reply, enum transport_code code, const char *why)
{
	reply->code = code;
	snprintf(reply->why, sizeof reply->why, "%s", why);
}

/* "Connection refused" reads as part of a sentence. */
static void
set_unreachable(struct transport_reply *reply, const char *why)
{
	transport_why(reply, TRANSPORT_UNREACHABLE, "hub unreachable: ");
	snprintf(reply->why + strlen(reply->why), sizeof reply->why - strlen(reply->why), "%c%s",
	         why[0] >= 'A' && why[0] <= 'Z' && !(why[1] >= 'A' && why[1] <= 'Z') ? why[0] + 32
	                                                                             : why[0],
	         why + 1);
}

static void
explain_connect(struct job *job)
{
	long number = 0;

	curl_easy_getinfo(job->easy, CURLINFO_OS_ERRNO, &number);
	set_unreachable(job->reply, number != 0 ? strerror((int)number) : "no connection");
}

static void
explain_timeout(struct job *job)
{
	curl_off_t connected = 0;

	curl_easy_getinfo(job->easy, CURLINFO_CONNECT_TIME_T, &connected);
	transport_why(job->reply, connected > 0 ? TRANSPORT_TIMEOUT : TRANSPORT_UNREACHABLE,
	              "hub unreachable: timeout");
}

/* curl's words may quote the peer's, such as the name in its certificate: no control characters. */
static void
make_plain(char *words)
{
	for (; *words != 0; words++)
		if ((unsigned char)*words < 0x20 || *words == 0x7f)
			*words = '?';
}

void
transport_explain(struct job *job, CURLcode status)
{
	struct transport_reply *reply = job->reply;

	make_plain(job->what);
	if (job->too_large) {
		snprintf(reply->why, sizeof reply->why, "the reply is larger than %zu bytes",
		         job->t->options.max_reply);
		reply->code = TRANSPORT_TOO_LARGE;
	} else if (status == CURLE_COULDNT_RESOLVE_HOST || status == CURLE_COULDNT_RESOLVE_PROXY) {
		set_unreachable(reply, "its name has no address here");
	} else if (status == CURLE_COULDNT_CONNECT) {
		explain_connect(job);
	} else if (status == CURLE_OPERATION_TIMEDOUT) {
		explain_timeout(job);
	} else if (status == CURLE_SSL_PINNEDPUBKEYNOTMATCH) {
		transport_why(reply, TRANSPORT_UNTRUSTED,
		              "the TLS key at the hub's address is not the pinned one");
	} else if (status == CURLE_PEER_FAILED_VERIFICATION || status == CURLE_SSL_CONNECT_ERROR ||
	           status == CURLE_SSL_CACERT_BADFILE || status == CURLE_SSL_INVALIDCERTSTATUS) {
		snprintf(reply->why, sizeof reply->why,
		         "no trusted TLS at the hub's address: %.150s", job->what);
		reply->code = TRANSPORT_UNTRUSTED;
	} else if (status == CURLE_PARTIAL_FILE || reply->status >= 200) {
		if (!MUT(47))
			transport_why(reply, TRANSPORT_CUT, "the reply was cut short");
	} else {
		set_unreachable(reply, job->what[0] != 0 ? job->what : curl_easy_strerror(status));
	}
}

void
transport_judge(struct job *job)
{
	struct transport_reply *reply = job->reply;

	if (reply->fields.bad || reply->body.bad)
		transport_why(reply, TRANSPORT_TOO_LARGE, "no memory for the reply");
	else if (reply->status >= 300 && reply->status < 400 && reply->status != 304)
		transport_why(reply, TRANSPORT_PORTAL,
		              "a redirect instead of the hub (captive portal?)");
	else if ((reply->status < 300 && job->html) || reply->status == NETWORK_LOGIN)
		transport_why(reply, TRANSPORT_PORTAL,
		              "a web page instead of the hub (captive portal?)");
	else if (!job->delimited)
		transport_why(reply, TRANSPORT_CUT, "the reply doesn't say where it ends");
}

/* ---------------------------------------------------------------- one transfer */

static void
free_job(struct job *job)
{
	if (job == NULL)
		return;
	if (job->easy != NULL)
		curl_easy_cleanup(job->easy);
	curl_slist_free_all(job->headers);
	buf_free(&job->body);
	transport_reply_free(job->reply);
	free(job);
}

void
transport_deliver(struct job *job)
{
	struct transport_reply *reply = job->reply;
	struct waiter *waiter = job->waiter;

	reply->took_ms = env_mono_ms(env_real()) - job->begun_ms;
	job->reply = NULL;
	if (waiter != NULL) {
		pthread_mutex_lock(&waiter->lock);
		waiter->reply = reply;
		pthread_cond_signal(&waiter->came);
		pthread_mutex_unlock(&waiter->lock);
	} else {
		job->t->done(job->t->ctx, job->tag, reply);
	}
	free_job(job);
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct job *job = ctx;
	struct buf *body = &job->reply->body;
	size_t len = size * count;

	if (len > job->t->options.max_reply - body->len) {
		job->too_large = true;
		return 0;
	}
	buf_put(body, bytes, len);
	return len;
}

/* Remember what a header line says about the body. */
static void
look_at_header(struct job *job, const char *name, const char *value)
{
	if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
		job->delimited = true;
	if (strcasecmp(name, "Content-Type") == 0)
		job->html = strncasecmp(value, "text/html", 9) == 0 ||
		            strncasecmp(value, "application/xhtml", 17) == 0;
}

static size_t
take_header(char *line, size_t size, size_t count, void *ctx)
{
	struct job *job = ctx;
	struct buf *fields = &job->reply->fields;
	size_t len = size * count, end = len, name_len;
	char *colon = memchr(line, ':', len);
	const char *value;
	size_t at = fields->len;

	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) { /* a new head, after 100 Continue */
		buf_clear(fields);
		job->delimited = job->html = false;
		return len;
	}
	if (fields->len + len > TRANSPORT_HEAD_MAX)
		return 0;
	if (colon == NULL || memchr(line, 0, len) != NULL)
		return len; /* the empty line, or nothing that we would look for */
	while (end > 0 && strchr(" \t\r\n", line[end - 1]) != NULL)
		end--;
	name_len = (size_t)(colon - line);
	value = colon + 1;
	while (value < line + end && (*value == ' ' || *value == '\t'))
		value++;
	buf_put(fields, line, name_len);
	buf_u8(fields, 0);
	buf_put(fields, value, value < line + end ? (size_t)(line + end - value) : 0);
	buf_u8(fields, 0);
	if (!fields->bad)
		look_at_header(job, (char *)fields->bytes + at,
		               (char *)fields->bytes + at + name_len + 1);
	return len;
}

/* curl's debug callback: count the bytes. */
static int
count_bytes(CURL *easy, curl_infotype type, char *bytes, size_t len, void *ctx)
{
	struct transport_reply *reply = ((struct job *)ctx)->reply;

	(void)easy;
	(void)bytes;
	if (type == CURLINFO_HEADER_OUT || type == CURLINFO_DATA_OUT)
		reply->bytes_out += len;
	if (type == CURLINFO_HEADER_IN || type == CURLINFO_DATA_IN)
		reply->bytes_in += len;
	return 0;
}

/* A peer that vanished is noticed by the kernel too. */
static int
set_user_timeout(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	const struct job *job = ctx;
	unsigned ms = (unsigned)job->t->options.quiet_s * 1000;

	(void)purpose;
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms); /* not on a Unix socket */
	return CURL_SOCKOPT_OK;
}

/* ---------------------------------------------------------------- where to */

static bool
is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	       (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
}

/* What is wrong with this base URL?  NULL if nothing; *local is set for one on this machine. */
static const char *
check_base(const char *base, bool *local)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *path = NULL, *user = NULL, *query = NULL;
	const char *wrong = NULL;

	if (url == NULL || curl_url_set(url, CURLUPART_URL, base, CURLU_NON_SUPPORT_SCHEME) != 0 ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != 0 ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != 0 ||
	    curl_url_get(url, CURLUPART_PATH, &path, 0) != 0) {
		wrong = "the hub's address is not a URL";
		goto out;
	}
	*local = is_loopback(host);
	if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		wrong = "the hub's address must begin with https://";
	else if (strcmp(scheme, "http") == 0 && !*local)
		wrong = "http goes to this machine only: the hub's address must begin with "
		        "https://";
	else if (strcmp(path, "/") != 0 || curl_url_get(url, CURLUPART_USER, &user, 0) == 0 ||
	         curl_url_get(url, CURLUPART_QUERY, &query, 0) == 0)
		wrong = "the hub's address must be only https://host[:port]";
out:
	curl_free(query);
	curl_free(user);
	curl_free(path);
	curl_free(host);
	curl_free(scheme);
	curl_url_cleanup(url);
	return wrong;
}

/* Point the transfer at base + path; NULL, or why not. */
static const char *
set_url(struct job *job, const struct transport_request *request)
{
	char url[URL_SIZE];
	const char *base = request->base, *wrong = NULL;
	size_t len = strlen(base);
	bool local = true;

	if (strncmp(base, "unix:", 5) == 0) {
		curl_easy_setopt(job->easy, CURLOPT_UNIX_SOCKET_PATH, base + 5);
		base = "http://localhost";
		len = strlen(base);
	} else {
		wrong = check_base(base, &local);
	}
	if (wrong != NULL)
		return wrong;
	if (base[len - 1] == '/')
		len--;
	if (snprintf(url, sizeof url, "%.*s%s", (int)len, base, request->path) >= (int)sizeof url)
		return "the hub's address is too long";
	curl_easy_setopt(job->easy, CURLOPT_URL, url);
	if (local)
		curl_easy_setopt(job->easy, CURLOPT_PROXY, "");
	return NULL;
}

static bool
add_header(struct job *job, const char *line)
{
	struct curl_slist *list = curl_slist_append(job->headers, line);

	if (list != NULL)
		job->headers = list;
	return list != NULL;
}

/* Header lines of the caller's, and none of those that curl adds by itself. */
static bool
set_headers(struct job *job, const struct transport_request *request)
{
	bool typed = false;

	for (size_t i = 0; i < request->header_count; i++) {
		if (!add_header(job, request->headers[i]))
			return false;
		typed = typed || strncasecmp(request->headers[i], "Content-Type:", 13) == 0;
	}
	if (!add_header(job, "Accept:") || !add_header(job, "Expect:") ||
	    (!typed && !add_header(job, "Content-Type:")))
		return false;
	curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, job->headers);
	return true;
}

static void
set_limits(struct job *job, const struct transport_request *request)
{
	const struct transport_options *o = &job->t->options;
	CURL *easy = job->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "yizhan");
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)QUIET_BYTES);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
	                 (long)(request->quiet_s > 0 ? request->quiet_s : o->quiet_s));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	if (o->pin != NULL)
		curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, o->pin);
	if (o->pin != NULL && o->pin_only) { /* curl compares the pin all the same */
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (o->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file);
}

static void
set_callbacks(struct job *job)
{
	CURL *easy = job->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->what);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, job);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, job);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, count_bytes);
	curl_easy_setopt(easy, CURLOPT_DEBUGDATA, job);
	curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_user_timeout);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, job);
}

struct job *
transport_job(struct transport *t, const struct transport_request *request)
{
	struct job *job = calloc(1, sizeof *job);
	const char *wrong;

	if (job == NULL)
		return NULL;
	job->t = t;
	job->tag = request->tag;
	job->begun_ms = env_mono_ms(env_real());
	job->reply = calloc(1, sizeof *job->reply);
	job->easy = curl_easy_init();
	if (job->reply == NULL || job->easy == NULL || !set_headers(job, request)) {
		free_job(job);
		return NULL;
	}
	set_limits(job, request);
	set_callbacks(job);
	if (strcmp(request->method, "POST") == 0) {
		if (request->body != NULL) {
			job->body = *request->body;
			*request->body = (struct buf){ 0 };
		}
		curl_easy_setopt(job->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(job->easy, CURLOPT_POSTFIELDS,
		                 job->body.bytes == NULL ? "" : (char *)job->body.bytes);
		curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)job->body.len);
	}
	wrong = set_url(job, request);
	if (wrong != NULL)
		transport_why(job->reply, TRANSPORT_REFUSED, wrong);
	return job;
}
