-- Views for whoever reads this database from outside; their names and columns are the contract (v1).

-- 机构 · facilities
CREATE VIEW v1_facility AS
  SELECT facility_id, kind, name, filing_no, uscc, subdistrict_code, lat_e6, lon_e6, is_inclusive, status
  FROM facility;

-- 在册婴幼儿 · children with their enrolment and class; names but no identity numbers
CREATE VIEW v1_child AS
  SELECT e.facility_id, c.id AS child_id, e.id AS enrollment_id, c.name, c.sex, c.birth_date,
         e.service_type, e.start_date, e.end_date, e.status, g.id AS class_id, g.name AS class_name, g.kind AS class_kind
  FROM enrollment e
  JOIN child c ON c.id = e.child_id
  LEFT JOIN class_group g ON g.id = e.class_id;

-- 有效出勤事件 · attendance events that no later row corrects; the date is filled in (UTC+8 where none was given)
CREATE VIEW v1_attendance_event AS
  SELECT a.id, a.facility_id, a.enrollment_id,
         coalesce(a.biz_date, CAST(strftime('%Y%m%d', a.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         a.kind, a.at, a.by_adult_id, a.temp_dc, a.method, a.class_id, a.recorded_by
  FROM attendance_event a
  WHERE a.kind IN (1, 2)
    AND NOT EXISTS (SELECT 1 FROM attendance_event r WHERE r.replaces_id = a.id);

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
         h.recorded_by
  FROM health_check h
  WHERE NOT EXISTS (SELECT 1 FROM health_check r WHERE r.replaces_id = h.id);

-- 缺勤 · absences with their reason by name
CREATE VIEW v1_absence AS
  SELECT a.id, a.facility_id, a.enrollment_id, a.date_from, a.date_to, a.reason,
         s.name_zh AS reason_zh, s.name_en AS reason_en, a.disease_code, a.symptom_bits
  FROM absence_case a
  LEFT JOIN code_set s ON s.set_code = 'absence_case.reason' AND s.code = CAST(a.reason AS TEXT)
   AND s.version = (SELECT max(version) FROM code_set WHERE set_code = s.set_code AND code = s.code);

-- 同意状态 · a consent holds if it was granted and no withdrawal stands that no grant names
CREATE VIEW v1_consent AS
  SELECT facility_id, child_id, purpose, max(at) AS at,
         max(granted) = 1 AND NOT EXISTS (
           SELECT 1 FROM consent w
           WHERE w.child_id IS c.child_id AND w.purpose IS c.purpose AND w.granted = 0
             AND NOT EXISTS (SELECT 1 FROM consent g WHERE g.granted = 1 AND g.replaces_id = w.id)) AS holds
  FROM consent c
  GROUP BY facility_id, child_id, purpose;

-- 生长 · measurements with sex and age
CREATE VIEW v1_growth AS
  SELECT m.id, m.facility_id, m.child_id, c.sex, c.birth_date, m.measured_date, m.weight_g, m.length_mm, m.posture,
         m.head_mm
  FROM growth_measurement m
  JOIN child c ON c.id = m.child_id
  WHERE NOT EXISTS (SELECT 1 FROM growth_measurement r WHERE r.replaces_id = m.id);

-- 接种 · immunisations
CREATE VIEW v1_immunization AS
  SELECT facility_id, child_id, vaccine_code, dose_no, given_date, lot, source FROM immunization;
