#include "node/facility/date.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Days since 1970-01-01 of a civil date, and back: the year is counted from March, so that the leap
 * day is last. */
static int64_t
days_of(int date)
{
	int64_t y = date / 10000, m = date / 100 % 100, d = date % 100;
	int64_t era, year, day;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	year = y - era * 400;
	day = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static int
date_from_days(int64_t days)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, day = z - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t left = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * left + 2) / 153, d = left - (153 * month + 2) / 5 + 1;
	int64_t m = month < 10 ? month + 3 : month - 9;

	return (int)((year + era * 400 + (m <= 2)) * 10000 + m * 100 + d);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool
date_offset(const char *timezone, int *offset_min)
{
	static const struct {
		const char *name;
		int offset_min;
	} zones[] = {
		{ "Asia/Shanghai", DATE_CHINA_MIN },
		{ "Asia/Chongqing", DATE_CHINA_MIN },
		{ "Asia/Harbin", DATE_CHINA_MIN },
		{ "Asia/Hong_Kong", DATE_CHINA_MIN },
		{ "Asia/Macau", DATE_CHINA_MIN },
		{ "Asia/Taipei", DATE_CHINA_MIN },
		{ "Asia/Urumqi", 360 },
		{ "PRC", DATE_CHINA_MIN },
		{ "UTC", 0 },
	};
	unsigned hours, minutes;
	char sign, more;

	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		if (strcmp(zones[i].name, timezone) == 0) {
			*offset_min = zones[i].offset_min;
			return true;
		}
	if (sscanf(timezone, "%c%2u:%2u%c", &sign, &hours, &minutes, &more) != 3 ||
	    (sign != '+' && sign != '-') || hours > 14 || minutes > 59)
		return false;
	*offset_min = (int)(hours * 60 + minutes) * (sign == '-' ? -1 : 1);
	return true;
}

int
date_of(int64_t at_ms, int offset_min)
{
	return date_from_days(floor_div(at_ms + (int64_t)offset_min * DATE_MINUTE_MS, DATE_DAY_MS));
}

int64_t
date_ms(int date, int minute, int offset_min)
{
	return days_of(date) * DATE_DAY_MS + (int64_t)(minute - offset_min) * DATE_MINUTE_MS;
}

int
date_minute(int64_t at_ms, int offset_min)
{
	int64_t local = at_ms + (int64_t)offset_min * DATE_MINUTE_MS;

	return (int)((local - floor_div(local, DATE_DAY_MS) * DATE_DAY_MS) / DATE_MINUTE_MS);
}

bool
date_valid(int date)
{
	return date >= 19000101 && date <= 21991231 && date_from_days(days_of(date)) == date;
}

int
date_add(int date, int days)
{
	return date_from_days(days_of(date) + days);
}

int
date_weekday(int date)
{
	int64_t day = days_of(date) + 3; /* 1970-01-01 was a Thursday */

	return (int)(day - floor_div(day, 7) * 7) + 1;
}

int
date_months(int birth, int date)
{
	int months = (date / 10000 - birth / 10000) * 12 + (date / 100 % 100 - birth / 100 % 100);

	return months - (date % 100 < birth % 100);
}

bool
date_parse(const char *text, int *date)
{
	unsigned y, m, d;
	char a, b, more;

	if (strlen(text) == 8 && strspn(text, "0123456789") == 8) {
		if (sscanf(text, "%4u%2u%2u", &y, &m, &d) != 3)
			return false;
	} else if (sscanf(text, "%4u%c%2u%c%2u%c", &y, &a, &m, &b, &d, &more) != 5 || a != b ||
	           (a != '-' && a != '/')) {
		return false;
	}
	*date = (int)(y * 10000 + m * 100 + d);
	return m < 100 && d < 100 && date_valid(*date);
}
