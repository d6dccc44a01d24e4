/*
 * node/facility/roster.h - a list of children and staff as a CSV file becomes
 * rows: classes, children, guardians, enrolments, allergies, staff.
 *
 * A row per child or member of staff, by column 类型/type (儿童/child unless
 * given, 员工/staff).  Columns in any order, by their Chinese or English name;
 * those with * must be filled:
 *
 *   child  姓名 name*  性别 sex  出生日期 birth_date*  班级 class*  班型 class_kind  证件号 id_no
 *          入托日期 start_date  服务 service  监护人1 guardian1  关系1 relation1  电话1 phone1  ...
 * 4 过敏 allergy staff  姓名 name*  岗位 role*  电话 phone  性别 sex  班级 class
 *
 * A child is found again by id_no, else by name and birth date; staff by name
 * and role.  What is written differently is updated, an empty cell changes
 * nothing, and who isn't in the file is left alone.
 */
#ifndef NODE_FACILITY_ROSTER_H
#define NODE_FACILITY_ROSTER_H

#include "node/facility/record.h"

enum { ROSTER_BYTES_MAX = 16 << 20 };

struct roster_counts {
	int64_t children, staff;      /* rows of the file */
	int64_t added, changed, same; /* of them */
	int64_t classes_added;
	int64_t rows; /* rows of the database inserted or updated */
};

struct roster_options {
	int64_t at;   /* ms UTC: start date of who has none */
	bool dry_run; /* count, but change nothing */
};

/*
 * Read, check everything, then write all of it in one transaction of its own - or, if anything is
 * wrong, nothing: ERR_INVALID with line and column, or the offset of the first byte that is no
 * text.
 */
MUST_CHECK int roster_import(struct facility *f, const void *bytes, size_t len,
                             const struct roster_options *opt, struct roster_counts *out,
                             struct err *err);

#endif /* NODE_FACILITY_ROSTER_H */
