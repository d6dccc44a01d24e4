-- Views for whoever reads this database from outside: what several tables come to.  Names and columns are the contract
-- (v1), as in views_rows.sql, which has one view a table; views_district.sql is the hub's.

-- 机构 · facilities
CREATE VIEW v1_facility AS
  SELECT facility_id, kind, name, filing_no, uscc, subdistrict_code, lat_e6, lon_e6, is_inclusive, status,
         open_min, close_min, phone, address, intro, timezone, recorded_by
  FROM facility;

-- 在册婴幼儿 · children with their enrolment and class; no identity numbers
CREATE VIEW v1_child AS
  SELECT e.facility_id, c.id AS child_id, e.id AS enrollment_id,
         c.name,  -- personal
         c.sex,
         c.birth_date,  -- personal
         e.service_type, e.start_date, e.end_date, e.status, g.id AS class_id, g.name AS class_name, g.kind AS class_kind
  FROM enrollment e
  JOIN child c ON c.id = e.child_id
  LEFT JOIN class_group g ON g.id = e.class_id;

-- 婴幼儿档案 · children as they were registered, enrolled or not; no identity numbers
CREATE VIEW v1_child_file AS
  SELECT id, facility_id,
         name,  -- personal
         sex,
         birth_date,  -- personal
         blood, gest_weeks, birth_weight_g,
         note,  -- personal
         recorded_by
  FROM child;

-- 有效出勤事件 · attendance events that no later row corrects; the date is filled in (UTC+8 where none was given)
CREATE VIEW v1_attendance_event AS
  SELECT a.id, a.facility_id, a.enrollment_id,
         coalesce(a.biz_date, CAST(strftime('%Y%m%d', a.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         a.kind, a.at, a.by_adult_id, a.temp_dc, a.method, a.class_id, a.recorded_by
  FROM attendance_event a
  WHERE a.kind IN (1, 2)
    AND NOT EXISTS (SELECT 1 FROM attendance_event r WHERE r.replaces_id = a.id AND r.facility_id = a.facility_id);

-- 每日出勤 · one row a child and day: first in, last out; present while the last event is an arrival
CREATE VIEW v1_attendance_day AS
  SELECT facility_id, enrollment_id, biz_date,
         min(CASE kind WHEN 1 THEN at END) AS in_at,
         max(CASE kind WHEN 2 THEN at END) AS out_at,
         sum(kind = 1) AS arrivals, sum(kind = 2) AS departures,
         max(CASE kind WHEN 1 THEN at END) > coalesce(max(CASE kind WHEN 2 THEN at END), -1) AS present
  FROM v1_attendance_event
  GROUP BY facility_id, enrollment_id, biz_date;

-- 有效健康检查 · health checks that no later row corrects
CREATE VIEW v1_health_check AS
  SELECT h.id, h.facility_id, h.enrollment_id,
         coalesce(h.biz_date, CAST(strftime('%Y%m%d', h.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         h.slot, h.at, h.temp_dc, h.touch, h.look_bits, h.ask_bits, h.check_bits, h.symptom_bits, h.card, h.action,
         h.note,  -- personal
         h.recorded_by
  FROM health_check h
  WHERE NOT EXISTS (SELECT 1 FROM health_check r WHERE r.replaces_id = h.id AND r.facility_id = h.facility_id);

-- 缺勤 · absences with their reason by name
CREATE VIEW v1_absence AS
  SELECT a.id, a.facility_id, a.enrollment_id, a.date_from, a.date_to, a.reason,
         s.name_zh AS reason_zh, s.name_en AS reason_en, a.disease_code, a.symptom_bits,
         a.informed_by,  -- personal
         a.hospital,  -- personal
         a.note,  -- personal
         a.recorded_by
  FROM absence_case a
  LEFT JOIN code_set s ON s.set_code = 'absence_case.reason' AND s.code = CAST(a.reason AS TEXT)
   AND s.version = (SELECT max(version) FROM code_set WHERE set_code = s.set_code AND code = s.code);

-- 同意状态 · a consent holds if it was granted and no withdrawal stands that no grant names
CREATE VIEW v1_consent AS
  SELECT facility_id, child_id, purpose, max(at) AS at,
         max(granted) = 1 AND NOT EXISTS (
           SELECT 1 FROM consent w
           WHERE w.child_id IS c.child_id AND w.purpose IS c.purpose AND w.granted = 0
             AND NOT EXISTS (SELECT 1 FROM consent g WHERE g.granted = 1 AND g.replaces_id = w.id
                               AND g.facility_id = w.facility_id)) AS holds
  FROM consent c
  GROUP BY facility_id, child_id, purpose;

-- 生长 · measurements with sex and birth date, from which v1_growth_z computes
CREATE VIEW v1_growth AS
  SELECT m.id, m.facility_id, m.child_id, c.sex,
         c.birth_date,  -- personal
         m.measured_date, m.weight_g, m.length_mm, m.posture, m.head_mm, m.at, m.method, m.recorded_by
  FROM growth_measurement m
  JOIN child c ON c.id = m.child_id
  WHERE NOT EXISTS (SELECT 1 FROM growth_measurement r WHERE r.replaces_id = m.id AND r.facility_id = m.facility_id);

-- 生长评价 · z scores and percentiles of v1_growth's weight, length and head: a row a measurement, measure and standard.
-- age_months = days / 30.4375; value in kg or cm; length is compared lying under 24 months and standing from then on,
-- with 0.7 cm added or taken away if it was measured the other way (WHO).
-- WHO 2006 (LMS, between two months linear): z = ((y/M)^L - 1) / (L*S), and beyond 3 for weight z = 3 + (y - SD3) /
-- (SD3 - SD2), likewise below -3; WS/T 423-2022 has lines of SD and no LMS: linear between two lines, beyond the last
-- as between the last two.  percentile = 100 * the normal distribution at z (Abramowitz and Stegun 26.2.17).
-- Only plus, minus, times and divided by, because not every SQLite has pow and exp: ln by the series of artanh, the power
-- by that of (e^u - 1) / u.  DISTINCT keeps SQLite from copying each step's terms into the next.
-- personal: all of it
CREATE VIEW v1_growth_z AS
  WITH m AS (
    SELECT g.id, g.facility_id, g.child_id, g.measured_date, g.sex, g.weight_g, g.length_mm, g.head_mm, g.posture,
           (julianday(printf('%04d-%02d-%02d', g.measured_date / 10000, g.measured_date / 100 % 100,
           g.measured_date % 100))
            - julianday(printf('%04d-%02d-%02d', g.birth_date / 10000, g.birth_date / 100 % 100, g.birth_date %
           100)))
           / 30.4375 AS age
    FROM v1_growth g),
  k(measure, who, cn) AS (VALUES ('weight', 'who-wfa', 'cn-wfa'), ('length', 'who-lfa', 'cn-lhfa'),
                          ('length', 'who-hfa', 'cn-lhfa'), ('head', 'who-hcfa', 'cn-hcfa')),
  v AS (
    SELECT DISTINCT m.id, m.facility_id, m.child_id, m.measured_date, m.sex, m.age, k.measure, s.of AS standard_of,
           CASE s.of WHEN 'WHO 2006' THEN k.who ELSE k.cn END AS standard,
           CASE k.measure WHEN 'weight' THEN m.weight_g / 1000.0 WHEN 'head' THEN m.head_mm / 10.0
                ELSE (m.length_mm + CASE WHEN m.age < 24 AND m.posture = 2 THEN 7
                                         WHEN m.age >= 24 AND m.posture = 1 THEN -7 ELSE 0 END) / 10.0 END AS y
    FROM m
    CROSS JOIN k
    CROSS JOIN (SELECT 'WHO 2006' AS of UNION ALL SELECT 'WS/T 423-2022') s
    WHERE m.age >= 0 AND m.sex IN (1, 2) AND (k.who <> 'who-lfa' OR m.age < 24) AND (k.who <> 'who-hfa' OR m.age >=
           24)),
  w AS (
    SELECT DISTINCT v.*, a.version, a.x, coalesce((v.age - a.x) / (b.x - a.x), 0) AS part,
           a.l_e4 / 10000.0 AS l0, a.m_e4 / 10000.0 AS m0, a.s_e5 / 100000.0 AS s0, coalesce(b.l_e4, a.l_e4) /
           10000.0 AS l1,
           coalesce(b.m_e4, a.m_e4) / 10000.0 AS m1, coalesce(b.s_e5, a.s_e5) / 100000.0 AS s1,
           a.sd3neg_e1 AS n3, a.sd2neg_e1 AS n2, a.sd1neg_e1 AS n1, a.sd0_e1 AS o, a.sd1_e1 AS p1, a.sd2_e1 AS p2,
           a.sd3_e1 AS p3, coalesce(b.sd3neg_e1, a.sd3neg_e1) AS bn3, coalesce(b.sd2neg_e1, a.sd2neg_e1) AS bn2,
           coalesce(b.sd1neg_e1, a.sd1neg_e1) AS bn1, coalesce(b.sd0_e1, a.sd0_e1) AS bo, coalesce(b.sd1_e1,
           a.sd1_e1) AS bp1,
           coalesce(b.sd2_e1, a.sd2_e1) AS bp2, coalesce(b.sd3_e1, a.sd3_e1) AS bp3
    FROM v
    JOIN growth_ref a ON a.standard = v.standard AND a.sex = v.sex
     AND a.x = (SELECT max(x) FROM growth_ref WHERE standard = v.standard AND sex = v.sex AND x <= v.age)
     AND a.version = (SELECT max(version) FROM growth_ref WHERE standard = v.standard AND sex = v.sex AND x = a.x)
    LEFT JOIN growth_ref b ON b.standard = v.standard AND b.sex = v.sex
     AND b.x = (SELECT min(x) FROM growth_ref WHERE standard = v.standard AND sex = v.sex AND x > v.age)
     AND b.version = (SELECT max(version) FROM growth_ref WHERE standard = v.standard AND sex = v.sex AND x = b.x)
    WHERE v.y > 0 AND (b.x IS NOT NULL OR v.age = a.x)),
  l AS (
    SELECT DISTINCT w.*, l0 + part * (l1 - l0) AS l, s0 + part * (s1 - s0) AS s, m0 + part * (m1 - m0) AS md,
           (y / (m0 + part * (m1 - m0)) - 1) / (y / (m0 + part * (m1 - m0)) + 1) AS t,
           (n3 + part * (bn3 - n3)) / 10 AS a3, (n2 + part * (bn2 - n2)) / 10 AS a2, (n1 + part * (bn1 - n1)) / 10
           AS a1,
           (o + part * (bo - o)) / 10 AS z0, (p1 + part * (bp1 - p1)) / 10 AS b1, (p2 + part * (bp2 - p2)) / 10 AS
           b2,
           (p3 + part * (bp3 - p3)) / 10 AS b3
    FROM w),
  n AS (
    SELECT DISTINCT l.*, 2 * t * (1 + t * t * (1.0 / 3 + t * t * (1.0 / 5 + t * t * (1.0 / 7 + t * t * (1.0 / 9 + t
           * t * (1.0 / 11 + t * t * (1.0 / 13 + t * t * (1.0 / 15 + t * t * (1.0 / 17 + t * t * 1.0 / 19)))))))))
           AS ln
    FROM l),
  r AS (
    SELECT DISTINCT n.*, ln / s * (1 + l * ln / 2 * (1 + l * ln / 3 * (1 + l * ln / 4 * (1 + l * ln / 5 * (1 + l *
           ln / 6 * (1 + l * ln / 7 * (1 + l * ln / 8 * (1 + l * ln / 9 * (1 + l * ln / 10 * (1 + l * ln / 11 * (1
           + l * ln / 12 * (1 + l * ln / 13)))))))))))) AS raw FROM n),
  q AS (
    SELECT DISTINCT r.*, CASE WHEN raw < 0 THEN -1 ELSE 1 END AS g, 2 * s * CASE WHEN raw < 0 THEN -1 ELSE 1 END AS
           c2,
           3 * s * CASE WHEN raw < 0 THEN -1 ELSE 1 END AS c3
    FROM r),
  e AS (
    SELECT DISTINCT q.*, c2 * (1 - l * c2 * (1.0 / 2 - l * c2 * (1.0 / 3 - l * c2 * (1.0 / 4 - l * c2 * (1.0 / 5 -
           l * c2 * (1.0 / 6 - l * c2 * (1.0 / 7 - l * c2 * (1.0 / 8 - l * c2 * (1.0 / 9 - l * c2 * (1.0 / 10 - l *
           c2 * (1.0 / 11 - l * c2 * (1.0 / 12 - l * c2 * 1.0 / 13)))))))))))) AS e2, c3 * (1 - l * c3 * (1.0 / 2 -
           l * c3 * (1.0 / 3 - l * c3 * (1.0 / 4 - l * c3 * (1.0 / 5 - l * c3 * (1.0 / 6 - l * c3 * (1.0 / 7 - l *
           c3 * (1.0 / 8 - l * c3 * (1.0 / 9 - l * c3 * (1.0 / 10 - l * c3 * (1.0 / 11 - l * c3 * (1.0 / 12 - l *
           c3 * 1.0 / 13)))))))))))) AS e3 FROM q),
  d AS (
    SELECT DISTINCT e.*, md * (1 + e2 / 1 * (1 + e2 / 2 * (1 + e2 / 3 * (1 + e2 / 4 * (1 + e2 / 5 * (1 + e2 / 6 *
           (1 + e2 / 7 * (1 + e2 / 8 * (1 + e2 / 9 * (1 + e2 / 10 * (1 + e2 / 11 * (1 + e2 / 12)))))))))))) AS sd2,
           md * (1 + e3 / 1 * (1 + e3 / 2 * (1 + e3 / 3 * (1 + e3 / 4 * (1 + e3 / 5 * (1 + e3 / 6 * (1 + e3 / 7 *
           (1 + e3 / 8 * (1 + e3 / 9 * (1 + e3 / 10 * (1 + e3 / 11 * (1 + e3 / 12)))))))))))) AS sd3 FROM e),
  z AS (
    SELECT DISTINCT id, facility_id, child_id, measured_date, age, measure, standard_of, y,
           CASE WHEN s IS NOT NULL THEN
                  CASE WHEN measure = 'weight' AND abs(raw) > 3 THEN g * (3 + abs(y - sd3) / abs(sd3 - sd2)) ELSE
           raw END
                WHEN y < a2 THEN -2 - (a2 - y) / (a2 - a3) WHEN y < a1 THEN -1 - (a1 - y) / (a1 - a2)
                WHEN y < z0 THEN -(z0 - y) / (z0 - a1) WHEN y < b1 THEN (y - z0) / (b1 - z0)
                WHEN y < b2 THEN 1 + (y - b1) / (b2 - b1) ELSE 2 + (y - b2) / (b3 - b2) END AS z
    FROM d),
  f AS (
    SELECT DISTINCT z.*, min(abs(z), 6.0) AS a, -min(abs(z), 6.0) * min(abs(z), 6.0) / 64 AS h,
           1 / (1 + 0.2316419 * min(abs(z), 6.0)) AS u
    FROM z),
  x AS (SELECT DISTINCT f.*, (1 + h / 1 * (1 + h / 2 * (1 + h / 3 * (1 + h / 4 * (1 + h / 5 * (1 + h / 6 * (1 + h /
           7 * (1 + h / 8 * (1 + h / 9 * (1 + h / 10 * (1 + h / 11 * (1 + h / 12)))))))))))) AS h1 FROM f),
  x2 AS (SELECT DISTINCT x.*, h1 * h1 * h1 * h1 AS h4 FROM x),
  x3 AS (SELECT DISTINCT x2.*, h4 * h4 * h4 * h4 AS h16 FROM x2),
  p AS (
    SELECT DISTINCT x3.*, 0.3989422804 * h16 * h16 * u * (0.319381530 + u * (-0.356563782 + u * (1.781477937 +
           u * (-1.821255978 + u * 1.330274429)))) AS tail
    FROM x3)
  SELECT id, facility_id, child_id, measured_date, measure, standard_of AS standard, round(age, 2) AS age_months, y
           AS value,
         round(z, 2) AS z, round(CASE WHEN z < 0 THEN tail ELSE 1 - tail END * 100, 1) AS percentile
  FROM p;

-- 接种 · immunisations
CREATE VIEW v1_immunization AS
  SELECT facility_id, child_id, vaccine_code, dose_no, given_date, lot, source, site, verified_by, recorded_by
  FROM immunization;

-- 待接种 · doses that a child in care (awaiting examination, enrolled, paused) has no record of, by the newest edition of
-- vaccine_schedule: due from birth date + min_age_days on, to be given before birth date + before_age_days (NULL: no limit).
-- What day it is nothing here knows: ask for due_date <= today. A dose counts whichever vaccine of that name was given;
-- who has begun an inactivated series (JE-I, HepA-I) needs none of the live one (JE-L, HepA-L)
-- personal: all of it
CREATE VIEW v1_vaccination_due AS
  SELECT e.facility_id, e.child_id, v.vaccine_code, v.dose_no, v.name_zh,
         CAST(strftime('%Y%m%d', e.born, '+' || v.min_age_days || ' days') AS INTEGER) AS due_date,
         CAST(strftime('%Y%m%d', e.born, '+' || v.before_age_days || ' days') AS INTEGER) AS before_date, v.version
  FROM (SELECT DISTINCT n.facility_id, n.child_id,
               printf('%04d-%02d-%02d', c.birth_date / 10000, c.birth_date / 100 % 100, c.birth_date % 100) AS born
        FROM enrollment n
        JOIN child c ON c.id = n.child_id
        WHERE n.status IN (2, 3, 4) AND c.birth_date IS NOT NULL) e
  JOIN vaccine_schedule v ON v.version = (SELECT max(version) FROM vaccine_schedule)
  WHERE NOT EXISTS (SELECT 1 FROM immunization i WHERE i.child_id = e.child_id
                    AND (i.dose_no = v.dose_no AND (i.vaccine_code = v.vaccine_code OR i.vaccine_code IN
                           (SELECT o.vaccine_code FROM vaccine_schedule o WHERE o.name_zh = v.name_zh))
                         OR substr(v.vaccine_code, -2) = '-L'
                            AND i.vaccine_code = substr(v.vaccine_code, 1, length(v.vaccine_code) - 1) || 'I'));

-- 待体检 · the next examination of a child in care, like v1_vaccination_due: kind 1 before entry, if there is none on record
-- (due_date: when care begins; NULL: at once); kind 2 the next one, 12 / exam_per_year months after the last, between the
-- first birthday and the third (norm_param: 卫妇社发〔2012〕35号). Who was away for long is not in it
-- personal: all of it
CREATE VIEW v1_exam_due AS
  SELECT d.facility_id, d.child_id, CASE WHEN d.last_date IS NULL THEN 1 ELSE 2 END AS kind, d.last_date,
         CAST(CASE WHEN d.last_date IS NULL THEN d.start_date ELSE strftime('%Y%m%d', max(d.next, d.one)) END
           AS INTEGER) AS due_date
  FROM (SELECT e.facility_id, e.child_id, e.start_date, x.last_date, date(e.born, '+1 year') AS one,
               date(e.born, '+3 years') AS three,
               date(printf('%04d-%02d-%02d', x.last_date / 10000, x.last_date / 100 % 100, x.last_date % 100),
                    '+' || (12 / p.value) || ' months') AS next
        FROM (SELECT n.facility_id, n.child_id, min(n.start_date) AS start_date,
                     printf('%04d-%02d-%02d', c.birth_date / 10000, c.birth_date / 100 % 100, c.birth_date % 100)
                       AS born
              FROM enrollment n
              JOIN child c ON c.id = n.child_id
              WHERE n.status IN (2, 3, 4) AND c.birth_date IS NOT NULL
              GROUP BY n.facility_id, n.child_id) e
        LEFT JOIN (SELECT h.child_id, max(h.exam_date) AS last_date FROM health_exam h
                   WHERE NOT EXISTS (SELECT 1 FROM health_exam r WHERE r.replaces_id = h.id)
                   GROUP BY h.child_id) x
          ON x.child_id = e.child_id
        LEFT JOIN norm_param p ON p.param = 'exam_per_year'
         AND p.version = (SELECT max(version) FROM norm_param WHERE param = 'exam_per_year')) d
  WHERE d.last_date IS NULL OR max(d.next, d.one) < d.three;
