#include "tests/fuzz/seeds.h"

#include "node/facility/day.h"
#include "node/facility/samples.h"
#include "tests/fuzz/house.h"

#include <string.h>

#define CHILD "\"child\":\"01010101010101010101010101010101\""
#define AT "\"at\":1772410500000"

struct text {
	const char *target, *name, *text;
};

static const struct text texts[] = {
	{ "form", "tap", "token=ab&do=absence&child=0101&reason=1%3A5&name=%E7%AB%99" },
	{ "form", "query", "since=&limit=500&scope=f%2FF1&feed=normal&a+b" },
	{ "cookie", "one", "yz=0123abcd" },
	{ "cookie", "many", "a=b; yz=0123; zyz=01234567; yz=abcdefgh; yz=01234567" },
	{ "cookie", "odd", "yz;yz=; ;;yz =01234567;yz=\"0123456\"" },
	{ "tap", "arrival", "\1do=arrival&child=01010101010101010101010101010101" },
	{ "tap", "absence", "\1do=absence&child=02020202020202020202020202020202&reason=1%3A0" },
	{ "tap", "pickup",
	  "\1do=pickup&child=01010101010101010101010101010101"
	  "&adult=21212121212121212121212121212121" },
	{ "tap", "strike",
	  "\1do=strike&child=01010101010101010101010101010101"
	  "&event=01010101010101010101010101010101" },
	{ "tap", "bare",
	  "0do=arrival&child=01010101010101010101010101010101"
	  "&token=0123456789abcdef0123456789abcdef" },
	{ "guard", "get",
	  "0GET /v1/changes?limit=5 HTTP/1.1\r\nHost: localhost:8700\r\nAuthorization: Bearer x\r\n"
	  "Accept: */*\r\n\r\n" },
	{ "guard", "post",
	  "0POST /v1/sync HTTP/1.1\r\nHost: hub.example\r\nContent-Length: 330\r\n"
	  "Content-Digest: sha-256=:x:\r\n\r\n" },
	{ "guard", "chunked",
	  "0PUT /%E7%AB%99/a HTTP/1.0\r\nhost: [fe80::1]:80\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n" },
	{ "json", "enrol",
	  "{\"code\":\"7F3K\",\"key\":\"00ff\",\"name\":\"\\u5c0f\\ud83d\\ude00\",\"at\":-12}" },
	{ "json", "answer", "{\"state\":{\"zh\":\"月\"},\"x\":[1.5e3,null,true,\"\\n\"]}" },
	{ "batch", "arrival",
	  "{\"do\":\"arrival\",\"key\":\"a\"," CHILD "," AT ",\"temp_dc\":366}\n"
	  "{\"do\":\"care\",\"key\":\"b\"," CHILD ",\"at\":\"2026-03-02T08:16:00+08:00\","
	  "\"kind\":2}\n" },
	{ "batch", "refused",
	  "{\"do\":\"care\",\"key\":\"b\"," CHILD "," AT ",\"kind\":99}\n"
	  "{\"do\":\"erase\",\"key\":\"k\"}\r\n\n[1]\n"
	  "{\"do\":\"arrival\",\"key\":\"a\",\"by\":\"51515151515151515151515151515151\"," CHILD
	  "," AT "}" },
	{ "batch", "meal",
	  "{\"do\":\"arrival\",\"key\":\"a\"," CHILD "," AT "}\n"
	  "{\"do\":\"meal\",\"key\":\"m\",\"at\":1772424100000,\"meal\":3,"
	  "\"exceptions\":[{" CHILD ",\"level\":1}]}\n" },
	{ "csv", "quoted", "a, \"b \"\"c\"\"\",\r\n\"line\nfeed\",\t,d\n\n\"\",x" },
	{ "csv", "marked", "\xef\xbb\xbf类型,姓名\n儿童,\xe3\x80\x80安一 \n" },
	{ "csv", "gb18030", "\xc0\xe0\xd0\xcd,\xd0\xd5\xc3\xfb\n" },
	{ "roster", "quoted", "姓名,出生日期,班级,过敏\n\"安一\",2024-05-01,\"托小,一班\",花生\n" },
	{ "roster", "gb18030",
	  "\xd0\xd5\xc3\xfb,\xb3\xf6\xc9\xfa\xc8\xd5\xc6\xda,\xb0\xe0\xbc\xb6\n"
	  "\xb0\xb2\xd2\xbb,2024-05-01,\xcd\xd0\xd0\xa1\n" },
	{ "conf", "node",
	  "\1sha256//x\n[facility]\n\tid = F1\n\tname = 小星星托育中心\n[sync]\n"
	  "\tinterval = 30 ; seconds\n[http]\n\tlisten = 127.0.0.1:8710\n" },
	{ "conf", "hub",
	  "\4a.example b.example\n[node]\n\trole = hub\n[hub]\n\tpin = \"sha256//x\"\n# c\n"
	  "\tca = /a\\tb\n" },
	{ "changes", "first", "limit=2\nBearer $" },
	{ "changes", "next", "since=$1&scope=f%2FF1&feed=normal\nbearer $" },
	{ "changes", "foreign", "scope=f/F2\nBearer $" },
	{ "changes", "stranger",
	  "since=00112233445566778899aabbccddeeff0011223344556677\nBasic x" },
	{ "offers", "export", "etable=daily&format=csv&scope=f%2FF1\nBearer $" },
	{ "offers", "foreign", "etable=note&scope=f/F2\nBearer $" },
	{ "offers", "fresh", "s\nBearer $\nbytes=5-\n\"#\"\n\"00\"" },
	{ "offers", "named", "sname=#\nbearer $\nbytes=-9" },
	{ "records", "upsert",
	  "{\"key\":\"a\",\"table\":\"daily\",\"op\":\"upsert\",\"row\":{\"child\":\"c9\","
	  "\"day\":1,\"facility_id\":\"F1\",\"text\":\"饭\",\"mood\":null}}\n"
	  "{\"key\":\"b\",\"table\":\"daily\",\"op\":\"upsert\",\"row\":{\"child\":\"c1\","
	  "\"day\":1,\"facility_id\":\"F1\",\"mood\":2}}\n" },
	{ "records", "delete",
	  "{\"key\":\"d\",\"table\":\"daily\",\"op\":\"delete\",\"row\":{\"child\":\"c1\","
	  "\"day\":1,\"facility_id\":\"F1\"}}\n\n"
	  "{\"key\":\"d\",\"table\":\"daily\",\"op\":\"delete\",\"row\":{\"child\":\"c2\","
	  "\"day\":2,\"facility_id\":\"F1\"}}\n" },
	{ "records", "refused",
	  "{\"key\":\"e\",\"table\":\"daily\",\"op\":\"upsert\",\"row\":{\"child\":\"c2\","
	  "\"day\":2,\"facility_id\":\"F2\",\"text\":\"x\"}}\n"
	  "{\"key\":\"f\",\"table\":\"hub_token\",\"op\":\"delete\",\"row\":{\"id\":\"0\"}}\n"
	  "{\"key\":\"g\",\"table\":\"note\",\"op\":\"upsert\",\"row\":{\"id\":\"0g\","
	  "\"facility_id\":\"F1\",\"rank\":1.5}}\n" },
};

/* The first lines of a made-up roster. */
static void
put_roster(void)
{
	struct samples_place place;
	struct buf roster = { 0 };
	size_t lines = 0, at = 0;

	samples_get(0, 1, &place, &roster);
	while (at < roster.len && lines < 4)
		lines += roster.bytes[at++] == '\n';
	roster.len = at;
	seeds_put("roster", "children", &roster);
	buf_free(&roster);
}

/* One record of each kind that a simulated day has, as the lines that a tablet would send. */
static void
put_day(void)
{
	struct facility *f = house();
	bool has[DO_COUNT] = { false };
	struct facility_action *list;
	struct arena a = { 0 };
	struct buf out = { 0 };
	size_t count;
	struct err err;

	HOLDS(facility_day_plan(f, 20260302, 3, &a, &list, &count, &err) == 0);
	for (size_t i = 0; i < count; i++) {
		if (has[list[i].what])
			continue;
		has[list[i].what] = true;
		buf_printf(&out, "{\"key\":\"day/%zu\",", i);
		facility_action_write(&out, &list[i]);
		buf_put(&out, "}\n", 2);
	}
	seeds_put("batch", "day", &out);
	buf_free(&out);
	arena_free(&a);
	house_leave();
}

void
seeds_texts(void)
{
	const char *last = "";

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		seeds_put_text(texts[i].target, texts[i].name, texts[i].text);
		if (strcmp(last, texts[i].target) != 0 && strcmp(texts[i].target, "batch") == 0)
			put_day();
		if (strcmp(last, texts[i].target) != 0 && strcmp(texts[i].target, "roster") == 0)
			put_roster();
		last = texts[i].target;
	}
}
