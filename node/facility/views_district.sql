-- The district's views, at the hub and in its snapshots: indicators with their formulas.  Names and columns are the
-- contract (v1).  A rate is NULL where there is nothing to divide by; pct has one decimal.  Streets (街道) are the first
-- nine digits of a subdistrict_code.  Worked examples are their tests (tests/facility_district.c).

-- 节点 · nodes: known_until is the time (ms) up to which the hub has everything that was written at it, NULL: nothing
-- yet.  It is the later of two: its newest record here, because a node seals all that was written before it sends, in a
-- chain without gaps; and the last exchange after which the hub lacked none of its records
CREATE VIEW v1_node AS
  SELECT n.facility AS facility_id, lower(hex(n.node)) AS node, n.label, n.since_ms AS since_at,
         n.revoked_ms AS revoked_at,
         nullif(max(coalesce((
           SELECT max((SELECT g.sealed_ms FROM yz_segment g WHERE g.stream = t.id ORDER BY g.last DESC LIMIT 1))
           FROM yz_site i
           JOIN yz_stream t ON t.site = i.id
           JOIN yz_scope o ON o.id = t.scope AND o.name = 'f/' || n.facility
           WHERE i.node = n.node), 0),
           coalesce((SELECT met_ms FROM hub_seen WHERE node = n.node AND lacking = 0), 0)), 0) AS known_until
  FROM hub_node n;

-- 机构数据截止 · facilities and the time (ms) up to which the hub has everything of all their nodes that aren't revoked;
-- NULL: of some node it has nothing, or no node is enrolled
CREATE VIEW v1_facility_known AS
  SELECT f.facility_id, count(n.node) AS nodes,
         CASE WHEN count(n.node) > 0 AND count(n.known_until) = count(n.node) THEN min(n.known_until) END AS known_until
  FROM facility f
  LEFT JOIN v1_node n ON n.facility_id = f.facility_id AND n.revoked_at IS NULL
  GROUP BY f.facility_id;

-- 外部数据 · deliveries of the departments' tables, each the table external_<name>; replaced_at is NULL while its rows stand
CREATE VIEW v1_external_delivery AS
  SELECT no, name, source, date, sha256, bytes, rows, columns, personal, imported_ms AS imported_at,
         replaced_ms AS replaced_at
  FROM external_delivery;

-- 机构标识 · what others call a facility by: field facility_id (as it is written here, and in capitals), uscc
-- (统一社会信用代码), filing_no (备案编号); without blanks around it, its letters as capitals
CREATE VIEW v1_facility_key AS
  SELECT facility_id, 'facility_id' AS field, facility_id AS key FROM facility
  UNION SELECT facility_id, 'facility_id', upper(facility_id) FROM facility
  UNION SELECT facility_id, 'uscc', upper(trim(uscc)) FROM facility WHERE trim(uscc) <> ''
  UNION SELECT facility_id, 'filing_no', upper(trim(filing_no)) FROM facility WHERE trim(filing_no) <> '';

-- personal: all of it
-- 部门数据对照 · the departments' tables that name facilities, set beside these: a row for each facility and table that
-- stands, with how many of its rows speak of the facility; 0: none does, as of one without a licence in the table of
-- licences.  Only for who reads personal columns, as such tables are until somebody says otherwise
CREATE VIEW v1_facility_external AS
  SELECT f.facility_id, substr(f.subdistrict_code, 1, 9) AS subdistrict_code, d.name, d.source, d.date,
         coalesce(sum(m.rows), 0) AS rows
  FROM facility f
  CROSS JOIN external_delivery d
  LEFT JOIN (SELECT DISTINCT n.facility_id, k.no, k.key, k.rows
             FROM external_delivery_key k
             JOIN v1_facility_key n ON n.key = k.key AND k.field IN ('', n.field)) m
    ON m.facility_id = f.facility_id AND m.no = d.no
  WHERE d.replaced_ms IS NULL AND EXISTS (SELECT 1 FROM external_delivery_key k WHERE k.no = d.no)
  GROUP BY f.facility_id, d.no;

-- 街道 · streets with the newest count of their residents
CREATE VIEW v1_subdistrict AS
  SELECT p.subdistrict_code, p.name_zh, p.version AS counted, p.residents, p.under3, p.source
  FROM population p
  WHERE p.version = (SELECT max(version) FROM population WHERE subdistrict_code = p.subdistrict_code);

-- 机构托位 · places of each open facility: the capacities of its classes in use, and the children in care (在托)
CREATE VIEW v1_facility_seats AS
  SELECT f.facility_id, f.kind, f.is_inclusive, substr(f.subdistrict_code, 1, 9) AS subdistrict_code,
         (SELECT coalesce(sum(g.cap), 0) FROM class_group g WHERE g.facility_id = f.facility_id AND g.status = 1) AS seats,
         (SELECT count(*) FROM enrollment e WHERE e.facility_id = f.facility_id AND e.status = 3) AS enrolled,
         (SELECT count(*) FROM enrollment e WHERE e.facility_id = f.facility_id AND e.status IN (1, 2)) AS applied
  FROM facility f
  WHERE f.status = 1;

-- 每千人口托位数 · places per 1 000 residents, by street: seats / residents * 1000, two decimals.  Source: the 14th
-- five-year plan's indicator (每千人口拥有3岁以下婴幼儿托位数, 4.5 in 2025; the district's target is a row of
-- indicator_def).  Facilities without a street are the row whose subdistrict_code is ''.
CREATE VIEW v1_seats_per_1000 AS
  WITH s AS (SELECT coalesce(subdistrict_code, '') AS code, count(*) AS facilities, sum(seats) AS seats
             FROM v1_facility_seats GROUP BY 1),
       c AS (SELECT subdistrict_code AS code FROM v1_subdistrict UNION SELECT code FROM s)
  SELECT c.code AS subdistrict_code, d.name_zh, coalesce(s.facilities, 0) AS facilities, coalesce(s.seats, 0) AS seats,
         d.residents, d.counted, round(coalesce(s.seats, 0) * 1000.0 / d.residents, 2) AS per_1000,
         t.target_e2 / 100.0 AS target,
         coalesce(s.seats, 0) * 1000.0 / d.residents >= t.target_e2 / 100.0 AS meets_target
  FROM c
  LEFT JOIN v1_subdistrict d ON d.subdistrict_code = c.code
  LEFT JOIN s ON s.code = c.code
  LEFT JOIN indicator_def t ON t.indicator = 'seats_per_1000'
   AND t.version = (SELECT max(version) FROM indicator_def WHERE indicator = 'seats_per_1000');

-- 托位供需 · supply and demand by street: places, children in care, free places, applications not yet in care;
-- occupancy_pct = enrolled / seats * 100, per_100_under3 = seats / children under three * 100.  Source: no norm that we
-- know; counted from classes in use, enrolments and the district's own population
CREATE VIEW v1_supply_demand AS
  WITH s AS (SELECT coalesce(subdistrict_code, '') AS code, count(*) AS facilities, sum(seats) AS seats,
                    sum(CASE WHEN is_inclusive = 1 THEN seats ELSE 0 END) AS inclusive_seats,
                    sum(enrolled) AS enrolled, sum(applied) AS applied
             FROM v1_facility_seats GROUP BY 1),
       c AS (SELECT subdistrict_code AS code FROM v1_subdistrict UNION SELECT code FROM s)
  SELECT c.code AS subdistrict_code, d.name_zh, coalesce(s.facilities, 0) AS facilities, coalesce(s.seats, 0) AS seats,
         coalesce(s.inclusive_seats, 0) AS inclusive_seats, coalesce(s.enrolled, 0) AS enrolled,
         coalesce(s.applied, 0) AS applied, coalesce(s.seats - s.enrolled, 0) AS free,
         round(s.enrolled * 100.0 / nullif(s.seats, 0), 1) AS occupancy_pct,
         d.under3, round(coalesce(s.seats, 0) * 100.0 / nullif(d.under3, 0), 1) AS per_100_under3
  FROM c
  LEFT JOIN v1_subdistrict d ON d.subdistrict_code = c.code
  LEFT JOIN s ON s.code = c.code;

-- 开放日 · days on which a facility was open: somebody arrived
CREATE VIEW v1_open_day AS
  SELECT facility_id, biz_date, count(DISTINCT enrollment_id) AS present
  FROM v1_attendance_event
  WHERE kind = 1
  GROUP BY facility_id, biz_date;

-- 应出勤 · who was due at which facility on which day it was open, and whether she came: children in full- or half-day
-- care (service_type 1, 2 or not told) on the days from start_date to end_date, unless the enrolment is an application
-- (status 1, 2) or paused (4)
CREATE VIEW v1_due_day AS
  SELECT o.facility_id, o.biz_date, e.id AS enrollment_id, e.child_id, e.class_id,
         EXISTS (SELECT 1 FROM v1_attendance_event a
                 WHERE a.facility_id = o.facility_id AND a.enrollment_id = e.id AND a.biz_date = o.biz_date
                 AND a.kind = 1) AS came
  FROM v1_open_day o
  JOIN enrollment e ON e.facility_id = o.facility_id
   AND coalesce(e.service_type, 1) IN (1, 2) AND e.status NOT IN (1, 2, 4)
   AND (e.start_date IS NULL OR e.start_date <= o.biz_date)
   AND (e.end_date IS NULL OR e.end_date >= o.biz_date);

-- 日出勤率 · attendance by facility and day it was open: came / due * 100, of those who were due (v1_due_day).  Source:
-- 卫妇社发〔2012〕35号, Annex 5: 出勤率 = 实际出勤人次 / 应出勤人次 * 100, one decimal
CREATE VIEW v1_attendance_rate_day AS
  SELECT r.facility_id, r.biz_date, r.due, r.came, round(r.came * 100.0 / nullif(r.due, 0), 1) AS attendance_pct
  FROM (SELECT a.facility_id, a.biz_date,
               (SELECT count(*) FROM enrollment d
                WHERE d.facility_id = a.facility_id AND coalesce(d.service_type, 1) IN (1, 2) AND d.status NOT IN (1, 2, 4)
                  AND coalesce(d.start_date, 0) <= a.biz_date AND coalesce(d.end_date, 99999999) >= a.biz_date) AS due,
               count(DISTINCT e.id) AS came
        FROM v1_attendance_event a
        LEFT JOIN enrollment e ON e.id = a.enrollment_id AND e.facility_id = a.facility_id
         AND coalesce(e.service_type, 1) IN (1, 2) AND e.status NOT IN (1, 2, 4)
         AND coalesce(e.start_date, 0) <= a.biz_date AND coalesce(e.end_date, 99999999) >= a.biz_date
        WHERE a.kind = 1
        GROUP BY a.facility_id, a.biz_date) r;

-- 晨检 · children who arrived on a day, and those of them who had a morning check (slot 1), by facility
CREATE VIEW v1_morning_check_day AS
  SELECT a.facility_id, a.biz_date, count(DISTINCT a.enrollment_id) AS present,
         count(DISTINCT CASE WHEN EXISTS (
           SELECT 1 FROM v1_health_check h
           WHERE h.facility_id = a.facility_id AND h.enrollment_id = a.enrollment_id AND h.biz_date = a.biz_date
             AND h.slot = 1) THEN a.enrollment_id END) AS checked
  FROM v1_attendance_event a
  WHERE a.kind = 1
  GROUP BY a.facility_id, a.biz_date;

-- 日历 · today (UTC+8), and the days before it, from the first attendance on, on which anybody in the district arrived.
-- The plus signs take away the numbers' affinity, without which the index of dates isn't used
CREATE VIEW v1_day AS
  WITH RECURSIVE d(day) AS (
    SELECT coalesce((SELECT printf('%04d-%02d-%02d', biz_date / 10000, biz_date / 100 % 100, biz_date % 100)
                     FROM v1_attendance_event WHERE biz_date >= 20000101 ORDER BY biz_date LIMIT 1),
                    date('now', '+8 hours'))
    UNION ALL SELECT date(day, '+1 day') FROM d WHERE day < date('now', '+8 hours'))
  SELECT +CAST(strftime('%Y%m%d', day) AS INTEGER) AS biz_date
  FROM d
  WHERE day = date('now', '+8 hours') OR EXISTS (
    SELECT 1 FROM v1_attendance_event a WHERE a.biz_date = +CAST(strftime('%Y%m%d', day) AS INTEGER) AND a.kind = 1);

-- 月份 · the months (YYYYMM) of v1_day
CREATE VIEW v1_month AS
  SELECT DISTINCT biz_date / 100 AS month FROM v1_day;

-- 月出勤率 · the same by month (YYYYMM): came / due * 100 of all its days; open_days: days on which somebody arrived.
-- Source: 卫妇社发〔2012〕35号, Annex 5
CREATE VIEW v1_attendance_rate_month AS
  WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 31)
  SELECT r.facility_id, r.month, r.open_days, r.due, r.came, round(r.came * 100.0 / nullif(r.due, 0), 1) AS attendance_pct
  FROM (SELECT DISTINCT f.facility_id, m.month,
               (SELECT count(*) FROM n WHERE EXISTS (
                  SELECT 1 FROM v1_attendance_event a
                  WHERE a.biz_date = m.month * 100 + n.n AND a.facility_id = f.facility_id AND a.kind = 1)) AS open_days,
               (SELECT count(*) FROM n
                JOIN enrollment d ON d.facility_id = f.facility_id AND coalesce(d.service_type, 1) IN (1, 2)
                 AND d.status NOT IN (1, 2, 4) AND coalesce(d.start_date, 0) <= m.month * 100 + n.n
                 AND coalesce(d.end_date, 99999999) >= m.month * 100 + n.n
                WHERE EXISTS (
                  SELECT 1 FROM v1_attendance_event a
                  WHERE a.biz_date = m.month * 100 + n.n AND a.facility_id = f.facility_id AND a.kind = 1)) AS due,
               (SELECT count(DISTINCT n.n || hex(e.id)) FROM n
                CROSS JOIN v1_attendance_event a ON a.biz_date = m.month * 100 + n.n AND a.facility_id = f.facility_id
                 AND a.kind = 1
                JOIN enrollment e ON e.id = a.enrollment_id AND e.facility_id = f.facility_id
                 AND coalesce(e.service_type, 1) IN (1, 2) AND e.status NOT IN (1, 2, 4)
                 AND coalesce(e.start_date, 0) <= m.month * 100 + n.n
                 AND coalesce(e.end_date, 99999999) >= m.month * 100 + n.n) AS came
        FROM v1_month m
        CROSS JOIN facility f) r
  WHERE r.open_days > 0;

-- 缺晨检 · is a morning check missing?  One row an open facility and day of v1_day: 'yes', 'no', or 'unknown' where the
-- hub doesn't have everything of the facility's nodes up to the time judged: the minute of the day in norm_param
-- 'morning_check_by_min', if the district has set one, else the day's end.  Of a node that was revoked what it may have
-- written until then counts, too.  morning_check_pct = checked / present * 100.  Source: 卫妇社发〔2012〕35号 (晨检), WS/T 821-2023
CREATE VIEW v1_morning_check_missing AS
  WITH gap AS MATERIALIZED (
    SELECT facility_id, coalesce(known_until, since_at) AS from_at, revoked_at AS until_at FROM v1_node
    WHERE coalesce(known_until, since_at) < revoked_at),
  judged AS MATERIALIZED (
    SELECT coalesce((SELECT value FROM norm_param WHERE param = 'morning_check_by_min'
                     ORDER BY version DESC LIMIT 1), 1440) * 60000 AS ms)
  SELECT r.facility_id, r.subdistrict_code, r.biz_date, r.present, r.checked,
         round(r.checked * 100.0 / nullif(r.present, 0), 1) AS morning_check_pct,
         CASE WHEN r.known_until IS NULL OR r.known_until < r.begins + judged.ms OR EXISTS (
                SELECT 1 FROM gap g WHERE g.facility_id = r.facility_id
                 AND g.from_at < r.begins + judged.ms AND g.until_at > r.begins) THEN 'unknown'
              WHEN r.checked < r.present THEN 'yes' ELSE 'no' END AS missing,
         r.known_until
  FROM (SELECT f.facility_id, f.subdistrict_code, d.biz_date, k.known_until,
               (strftime('%s', printf('%04d-%02d-%02d', d.biz_date / 10000, d.biz_date / 100 % 100, d.biz_date % 100))
                - 8 * 3600) * 1000 AS begins,
               (SELECT count(DISTINCT a.enrollment_id) FROM v1_attendance_event a
                WHERE a.facility_id = f.facility_id AND a.biz_date = d.biz_date AND a.kind = 1) AS present,
               (SELECT count(DISTINCT a.enrollment_id) FROM v1_attendance_event a
                WHERE a.facility_id = f.facility_id AND a.biz_date = d.biz_date AND a.kind = 1 AND EXISTS (
                  SELECT 1 FROM v1_health_check h
                  WHERE h.facility_id = a.facility_id AND h.enrollment_id = a.enrollment_id
                    AND h.biz_date = a.biz_date AND h.slot = 1)) AS checked
        FROM v1_day d
        CROSS JOIN facility f
        LEFT JOIN v1_facility_known k ON k.facility_id = f.facility_id
        WHERE f.status = 1) r
  CROSS JOIN judged;

-- 健康管理 · children in care in a year, by facility, and those of them who were examined in it: an enrolment that isn't
-- an application and whose time touches the year, and one health_exam or more of that child in the year
CREATE VIEW v1_health_managed AS
  WITH y AS (SELECT DISTINCT exam_date / 10000 AS year FROM health_exam WHERE exam_date IS NOT NULL
             UNION SELECT month / 100 FROM v1_month)
  SELECT y.year, e.facility_id, substr(f.subdistrict_code, 1, 9) AS subdistrict_code, e.child_id,
         EXISTS (SELECT 1 FROM v1_health_exam x WHERE x.child_id = e.child_id
                 AND x.exam_date BETWEEN y.year * 10000 AND y.year * 10000 + 9999) AS managed
  FROM y
  JOIN enrollment e ON e.status NOT IN (1, 2) AND e.child_id IS NOT NULL
   AND coalesce(e.start_date, 0) < (y.year + 1) * 10000
   AND coalesce(e.end_date, 99999999) >= y.year * 10000
  LEFT JOIN facility f ON f.facility_id = e.facility_id
  GROUP BY y.year, e.facility_id, e.child_id;

-- 机构健康管理率 · health management by facility and year: managed / in care * 100.  Source: 国家基本公共卫生服务规范（第三版）,
-- 儿童健康管理率 = 年度辖区内接受1次及以上随访的儿童数 / 年度辖区内儿童数 * 100, here of the children in care; the district's
-- target is a row of indicator_def
CREATE VIEW v1_health_managed_facility AS
  SELECT m.facility_id, m.year, count(*) AS in_care, sum(m.managed) AS managed,
         round(sum(m.managed) * 100.0 / count(*), 1) AS health_managed_pct, t.target_e2 / 100.0 AS target_pct,
         sum(m.managed) * 100.0 / count(*) >= t.target_e2 / 100.0 AS meets_target
  FROM v1_health_managed m
  LEFT JOIN indicator_def t ON t.indicator = 'health_managed_pct'
   AND t.version = (SELECT max(version) FROM indicator_def WHERE indicator = 'health_managed_pct')
  GROUP BY m.facility_id, m.year;

-- 街道健康管理率 · the same by street, each child once: managed / in care * 100; of_under3_pct: managed of all under three who
-- live there, a lower bound, because who is in no facility's care is examined elsewhere.  Source: 国家基本公共卫生服务规范（第三版）
CREATE VIEW v1_health_managed_subdistrict AS
  SELECT m.subdistrict_code, d.name_zh, m.year, count(DISTINCT m.child_id) AS in_care,
         count(DISTINCT CASE WHEN m.managed THEN m.child_id END) AS managed,
         round(count(DISTINCT CASE WHEN m.managed THEN m.child_id END) * 100.0 / count(DISTINCT m.child_id), 1)
           AS health_managed_pct,
         t.target_e2 / 100.0 AS target_pct, d.under3,
         round(count(DISTINCT CASE WHEN m.managed THEN m.child_id END) * 100.0 / nullif(d.under3, 0), 1)
           AS of_under3_pct
  FROM v1_health_managed m
  LEFT JOIN v1_subdistrict d ON d.subdistrict_code = m.subdistrict_code
  LEFT JOIN indicator_def t ON t.indicator = 'health_managed_pct'
   AND t.version = (SELECT max(version) FROM indicator_def WHERE indicator = 'health_managed_pct')
  GROUP BY m.subdistrict_code, m.year;

-- 补助测算 · subsidy due by facility, month (YYYYMM) and rate.  heads: children present on min_days days of the month or
-- more; child_days: their days of presence; amount_fen = heads * per_month_fen + child_days * per_day_fen.  The rate is
-- the subsidy_rate of that code with the greatest version that isn't after the month's first day.  Class and service are
-- the enrolment's as it is now.  Beside it what the district has stated (subsidy_statement, kind 1, period YYYYMM), if it has.
-- Source: each rate's own (subsidy_rate.source); the formula is that of rates by head and by day
CREATE VIEW v1_subsidy_due AS
  WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 31)
  SELECT c.facility_id, c.month, c.rate_code, c.name_zh AS rate_zh, c.version AS valid_from, c.heads, c.child_days,
         c.heads * c.per_month_fen + c.child_days * c.per_day_fen AS amount_fen,
         s.child_days AS stated_child_days, s.amount_fen AS stated_fen, s.state AS stated_state
  FROM (SELECT DISTINCT f.facility_id, m.month, r.rate_code, r.name_zh, r.version, r.per_month_fen, r.per_day_fen,
               (SELECT count(*) FROM
                     (SELECT count(DISTINCT a.biz_date) AS days FROM n
                      CROSS JOIN v1_attendance_event a ON a.biz_date = m.month * 100 + n.n
                       AND a.facility_id = f.facility_id AND a.kind = 1
                      JOIN enrollment e ON e.id = a.enrollment_id
                       AND (r.service_type IS NULL OR r.service_type = e.service_type)
                      LEFT JOIN class_group g ON g.id = e.class_id
                      WHERE r.class_kind IS NULL OR r.class_kind = g.kind
                      GROUP BY coalesce(e.child_id, e.id)
                      HAVING count(DISTINCT a.biz_date) >= r.min_days)) AS heads,
               (SELECT sum(days) FROM
                     (SELECT count(DISTINCT a.biz_date) AS days FROM n
                      CROSS JOIN v1_attendance_event a ON a.biz_date = m.month * 100 + n.n
                       AND a.facility_id = f.facility_id AND a.kind = 1
                      JOIN enrollment e ON e.id = a.enrollment_id
                       AND (r.service_type IS NULL OR r.service_type = e.service_type)
                      LEFT JOIN class_group g ON g.id = e.class_id
                      WHERE r.class_kind IS NULL OR r.class_kind = g.kind
                      GROUP BY coalesce(e.child_id, e.id)
                      HAVING count(DISTINCT a.biz_date) >= r.min_days)) AS child_days
        FROM v1_month m
        CROSS JOIN facility f
        CROSS JOIN subsidy_rate r
        WHERE (r.inclusive_only = 0 OR f.is_inclusive = 1)
          AND r.version = (SELECT max(version) FROM subsidy_rate
                           WHERE rate_code = r.rate_code AND version <= m.month * 100 + 1)) c
  LEFT JOIN (SELECT facility_id, period, sum(child_days) AS child_days, sum(amount_fen) AS amount_fen,
                    max(state) AS state
             FROM subsidy_statement WHERE kind = 1 GROUP BY facility_id, period) s
    ON s.facility_id = c.facility_id AND s.period = CAST(c.month AS TEXT)
  WHERE c.heads > 0;

-- 评价依据 · inputs of the yearly evaluation: a row for each facility and year of which there is any of them, attendance or
-- not (several, if several scores were given).  Of the days, cases and rows of that year:
-- attendance_pct = came / due * 100 (v1_attendance_rate_month); morning_check_pct = checked / present * 100
-- (v1_morning_check_day); health_managed_pct as in v1_health_managed_facility; staff = staff with status 1, now;
-- staff_certified = those of them with a health certificate (staff_cert.type 1) whose valid_to isn't before 31 December of
-- the year, or before today if that is earlier; incidents_serious = incidents of severity 3 and more; absences = absence_case
-- that began in it; absences_followed = those of them with an absence_followup or more; inspections_open = inspections that
-- aren't closed; rating = sum of the parents' ratings / their number, one decimal.  Counts are 0 and rates NULL where there is
-- nothing.  Source: WS/T 821-2023: what of its points the records show
CREATE VIEW v1_evaluation_input AS
  WITH o AS (SELECT facility_id, month / 100 AS year, sum(open_days) AS open_days,
                    round(sum(came) * 100.0 / nullif(sum(due), 0), 1) AS attendance_pct
             FROM v1_attendance_rate_month GROUP BY facility_id, month / 100),
       m AS (SELECT facility_id, biz_date / 10000 AS year, round(sum(checked) * 100.0 / sum(present), 1) AS pct
             FROM v1_morning_check_day GROUP BY facility_id, biz_date / 10000),
       i AS (SELECT facility_id, biz_date / 10000 AS year, count(*) AS n, sum(coalesce(severity, 0) >= 3) AS serious
             FROM v1_incident GROUP BY facility_id, biz_date / 10000),
       b AS (SELECT a.facility_id, a.date_from / 10000 AS year, count(*) AS n,
                    sum(EXISTS (SELECT 1 FROM absence_followup w WHERE w.absence_id = a.id)) AS followed
             FROM absence_case a GROUP BY a.facility_id, a.date_from / 10000),
       n AS (SELECT facility_id, inspected_date / 10000 AS year, count(*) AS n, sum(coalesce(closed, 0) = 0) AS open
             FROM inspection GROUP BY facility_id, inspected_date / 10000),
       r AS (SELECT facility_id, CAST(strftime('%Y', at / 1000, 'unixepoch', '+8 hours') AS INTEGER) AS year,
                    round(avg(rating), 1) AS rating
             FROM v1_feedback GROUP BY 1, 2),
       h AS (SELECT facility_id, year, health_managed_pct FROM v1_health_managed_facility),
       y AS (SELECT facility_id, year FROM
              (SELECT facility_id, year FROM o UNION SELECT facility_id, year FROM m
               UNION SELECT facility_id, year FROM i UNION SELECT facility_id, year FROM b
               UNION SELECT facility_id, year FROM n UNION SELECT facility_id, year FROM r
               UNION SELECT facility_id, year FROM h UNION SELECT facility_id, year FROM evaluation)
             WHERE facility_id IS NOT NULL AND year IS NOT NULL)
  SELECT y.facility_id, y.year, coalesce(o.open_days, 0) AS open_days, o.attendance_pct, m.pct AS morning_check_pct, h.health_managed_pct,
         (SELECT count(*) FROM staff s WHERE s.facility_id = y.facility_id AND s.status = 1) AS staff,
         (SELECT count(*) FROM staff s WHERE s.facility_id = y.facility_id AND s.status = 1 AND EXISTS (
            SELECT 1 FROM v1_staff_cert c WHERE c.staff_id = s.id AND c.type = 1 AND c.valid_to >=
              min(y.year * 10000 + 1231, CAST(strftime('%Y%m%d', 'now', '+8 hours') AS INTEGER)))) AS staff_certified,
         coalesce(i.n, 0) AS incidents, coalesce(i.serious, 0) AS incidents_serious, coalesce(b.n, 0) AS absences,
         coalesce(b.followed, 0) AS absences_followed, coalesce(n.n, 0) AS inspections,
         coalesce(n.open, 0) AS inspections_open, r.rating, e.standard, e.score_e1, e.grade
  FROM y
  LEFT JOIN o ON o.facility_id = y.facility_id AND o.year = y.year
  LEFT JOIN m ON m.facility_id = y.facility_id AND m.year = y.year
  LEFT JOIN h ON h.facility_id = y.facility_id AND h.year = y.year
  LEFT JOIN i ON i.facility_id = y.facility_id AND i.year = y.year
  LEFT JOIN b ON b.facility_id = y.facility_id AND b.year = y.year
  LEFT JOIN n ON n.facility_id = y.facility_id AND n.year = y.year
  LEFT JOIN r ON r.facility_id = y.facility_id AND r.year = y.year
  LEFT JOIN evaluation e ON e.facility_id = y.facility_id AND e.year = y.year;
