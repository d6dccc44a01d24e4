/*
 * node/facility/date.h - business days: the calendar of a facility, as the
 * integers YYYYMMDD that the tables hold.
 *
 * A facility has one offset from UTC (minutes); China has one time zone and no
 * summer time, so no time zone database is read.
 */
#ifndef NODE_FACILITY_DATE_H
#define NODE_FACILITY_DATE_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { DATE_MINUTE_MS = 60000, DATE_DAY_MS = 86400000, DATE_CHINA_MIN = 480 };

/* "Asia/Shanghai", "UTC" or "+08:00" to minutes east of UTC; false for one that isn't known. */
MUST_CHECK bool date_offset(const char *timezone, int *offset_min);

/* The date of a moment. */
int date_of(int64_t at_ms, int offset_min);

/* The moment at which minute `minute` of a date begins. */
int64_t date_ms(int date, int minute, int offset_min);

/* The minute of its day that a moment lies in. */
int date_minute(int64_t at_ms, int offset_min);

/* Is this a day of the calendar, 1900 to 2199? */
bool date_valid(int date);

/* `days` later (or earlier). */
int date_add(int date, int days);

/* 1 Monday to 7 Sunday. */
int date_weekday(int date);

/* Whole months from `birth` to `date`; negative if it is before. */
int date_months(int birth, int date);

/* 2024-03-01, 2024/3/1 or 20240301 to 20240301; false for anything else. */
MUST_CHECK bool date_parse(const char *text, int *date);

#endif /* NODE_FACILITY_DATE_H */
