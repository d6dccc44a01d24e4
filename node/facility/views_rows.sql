-- One view a table, for whoever reads this database from outside; names and columns are the contract (v1): columns are
-- added at the end or in between, never renamed or taken away.  How to read them: schema.sql's top.  Of tables that are
-- only added to, a view shows the rows that no later row corrects; a missing biz_date is filled in (UTC+8).
-- A line that ends with "-- personal" isn't in a snapshot whose token doesn't read personal columns.

-- 机构公开信息 · what everybody may know of a facility; kept by the hub, sent to all
CREATE VIEW v1_facility_public AS
  SELECT facility_id, kind, name, subdistrict_code, lat_e6, lon_e6, is_inclusive,
         open_min, close_min, phone, address, intro, status, recorded_by
  FROM facility_public;

-- 证照 · papers: filing, fire, food, lease, hygiene, insurance
CREATE VIEW v1_facility_doc AS
  SELECT id, facility_id, type, no, issued_date, valid_date, source_dept, media_id,
         recorded_by
  FROM facility_doc;

-- 班级 · class
CREATE VIEW v1_class_group AS
  SELECT id, facility_id, name, kind, room, cap, ratio_n, status, recorded_by
  FROM class_group;

-- 员工 · staff; PINs stay in local_pin on the node
CREATE VIEW v1_staff AS
  SELECT id, facility_id,
         name,  -- personal
         sex,
         phone,  -- personal
         role, class_id, status, recorded_by
  FROM staff;

-- 健康证/资质/培训 · certificates and training of staff
CREATE VIEW v1_staff_cert AS
  SELECT s.id, s.facility_id, s.staff_id, s.type,
         s.no,  -- personal
         s.issued_date, s.valid_to,
         s.result,  -- personal
         s.recorded_by
  FROM staff_cert s
  WHERE NOT EXISTS (SELECT 1 FROM staff_cert y WHERE y.replaces_id = s.id AND y.facility_id = s.facility_id);

-- 员工考勤 · staff coming and going
CREATE VIEW v1_staff_attendance AS
  SELECT s.id, s.facility_id, s.staff_id, s.kind, s.at,
         coalesce(s.biz_date, CAST(strftime('%Y%m%d', s.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         s.class_id, s.method, s.recorded_by
  FROM staff_attendance s
  WHERE NOT EXISTS (SELECT 1 FROM staff_attendance y WHERE y.replaces_id = s.id AND y.facility_id = s.facility_id);

-- 员工晨检 · what staff say of their own health before work; fit: 1 may work today, 0 may not
CREATE VIEW v1_staff_check AS
  SELECT s.id, s.facility_id, s.staff_id, s.at,
         coalesce(s.biz_date, CAST(strftime('%Y%m%d', s.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         s.temp_dc,  -- personal
         s.symptom_bits,  -- personal
         s.fit,
         s.note,  -- personal
         s.recorded_by
  FROM staff_check s
  WHERE NOT EXISTS (SELECT 1 FROM staff_check y WHERE y.replaces_id = s.id AND y.facility_id = s.facility_id);

-- 同一人的重复登记 · registrations of one person: alias_id is whom child_id also is
CREATE VIEW v1_child_alias AS
  SELECT alias_id, child_id, facility_id, recorded_by
  FROM child_alias;

-- 监护人 · guardian
CREATE VIEW v1_guardian AS
  SELECT id, facility_id, child_id,
         name,  -- personal
         relation,
         phone,  -- personal
         is_primary, recorded_by
  FROM guardian;

-- 入托 · enrolment of a child at a facility
CREATE VIEW v1_enrollment AS
  SELECT id, facility_id, child_id, class_id, service_type, start_date, end_date,
         status, seat_grant_id, seat_no,
         checklist,  -- personal
         recorded_by
  FROM enrollment;

-- 入托状态的每次变化 · each step of an enrolment; ended by the next one whose writer knew of it
CREATE VIEW v1_enrollment_step AS
  SELECT enrollment_id, said, facility_id, child_id, was, status, ended, recorded_by
  FROM enrollment_step;

-- 分班 · which class from which day on
CREATE VIEW v1_class_assignment AS
  SELECT enrollment_id, from_date, facility_id, class_id, recorded_by
  FROM class_assignment;

-- 接送授权 · who may take the child home; revoked only ever goes up.  One that the platform asks for (asked 1) counts
-- while review is 1, the facility's answer, as in v1_leave_request
CREATE VIEW v1_pickup_auth AS
  SELECT id, facility_id, child_id,
         name,  -- personal
         relation,
         phone,  -- personal
         photo_id,  -- personal
         valid_from, valid_to, kind, revoked, asked,
         CASE WHEN wording IS NULL OR review_of = wording || '@' || reviewed_at THEN review END AS review,
         review_note,  -- personal
         reviewed_at, recorded_by, wording, review_of
  FROM pickup_auth;

-- 追踪记录 · a call after an absent child
CREATE VIEW v1_absence_followup AS
  SELECT a.id, a.facility_id, a.absence_id, a.at, a.method,
         a.result,  -- personal
         a.next_date, a.recorded_by
  FROM absence_followup a
  WHERE NOT EXISTS (SELECT 1 FROM absence_followup y WHERE y.replaces_id = a.id AND y.facility_id = a.facility_id);

-- 请假 · leave asked for by a parent, by app, telephone or at the door; review is NULL, too, if what was answered has been
-- changed since: then it waits again
CREATE VIEW v1_leave_request AS
  SELECT id, facility_id, enrollment_id, date_from, date_to, type,
         reason,  -- personal
         source, at,
         CASE WHEN wording IS NULL OR review_of = wording || '@' || reviewed_at THEN review END AS review,
         review_note,  -- personal
         reviewed_at, recorded_by, wording, review_of
  FROM leave_request;

-- 异常/传染病登记 · a sick child, followed until she is back
CREATE VIEW v1_symptom_case AS
  SELECT id, facility_id, child_id, class_id, onset_date, disease_code, symptom_bits,
         confirmed, isolated_at, guardian_notified_at,
         hospital,  -- personal
         reported_at, return_cert_id, closed,
         note,  -- personal
         recorded_by
  FROM symptom_case;

-- 街道疫情通报 · what the facilities of a street are told of each other's open cases; cases: 1 (one or two), 3 (three or
-- four), 5 (five or more); facility_id '' stands for the street's home care points; kept by the hub
CREATE VIEW v1_symptom_notice AS
  SELECT subdistrict_code, facility_id, disease_code, onset_date, cases, confirmed, closed, recorded_by
  FROM symptom_notice;

-- 用药委托 · medicine handed over; time_bits has a bit for each quarter hour from 06:00; review is the facility's answer,
-- as in v1_leave_request
CREATE VIEW v1_medication_request AS
  SELECT id, facility_id, child_id,
         drug,  -- personal
         dose_text,  -- personal
         time_bits, date_from, date_to, guardian_sign_id, at, accepted_by,
         CASE WHEN wording IS NULL OR review_of = wording || '@' || reviewed_at THEN accepted_at END AS accepted_at,
         CASE WHEN wording IS NULL OR review_of = wording || '@' || reviewed_at THEN review END AS review,
         review_note,  -- personal
         reviewed_at, recorded_by, wording, review_of
  FROM medication_request;

-- 喂药记录 · medicine given: one dose per request, day and slot, whoever records it
CREATE VIEW v1_medication_given AS
  SELECT request_id,
         coalesce(biz_date, CAST(strftime('%Y%m%d', at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         slot, facility_id, at,
         dose,  -- personal
         given_by, witness,
         reaction,  -- personal
         recorded_by
  FROM medication_given;

-- 过敏/体弱 · allergy or frailty; active, too, while a node hasn't yet put right what two people said of it
CREATE VIEW v1_allergy AS
  SELECT a.child_id, a.allergen_code, a.facility_id,
         a.reaction,  -- personal
         a.severity,
         CASE WHEN a.active = 0 AND 2 = (SELECT count(DISTINCT w.active) FROM allergy_word w
           WHERE w.child_id = a.child_id AND w.allergen_code = a.allergen_code AND w.ended = 0)
           THEN 1 ELSE a.active END AS active,
         a.recorded_by
  FROM allergy a;

-- 过敏的每次告知 · each time somebody said that a child has it, or no more; ended by whoever knew of it
CREATE VIEW v1_allergy_word AS
  SELECT child_id, allergen_code, said, facility_id, active, ended,
         reaction,  -- personal
         severity, recorded_by
  FROM allergy_word;

-- 体检 · medical examination
CREATE VIEW v1_health_exam AS
  SELECT h.id, h.facility_id, h.child_id, h.type, h.exam_date,
         h.provider,  -- personal
         h.result,  -- personal
         h.hb_g_l, h.hearing, h.teeth, h.caries,
         h.note,  -- personal
         h.doc_id, h.recorded_by
  FROM health_exam h
  WHERE NOT EXISTS (SELECT 1 FROM health_exam y WHERE y.replaces_id = h.id AND y.facility_id = h.facility_id);

-- 养育指导评价 · an expert's comment for a month of age; written at the hub
CREATE VIEW v1_growth_comment AS
  SELECT id, facility_id, child_id, month_age,
         text,  -- personal
         author,  -- personal
         at, recorded_by
  FROM growth_comment;

-- 照护事件 · feeding, water, nappy, mood, activity ...
CREATE VIEW v1_care_event AS
  SELECT id, facility_id, enrollment_id, kind, at,
         coalesce(biz_date, CAST(strftime('%Y%m%d', at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         amount, code,
         note,  -- personal
         recorded_by
  FROM care_event;

-- 午睡 · one nap a child and day
CREATE VIEW v1_nap_session AS
  SELECT enrollment_id, biz_date, facility_id, start_at, end_at, quality,
         note,  -- personal
         recorded_by
  FROM nap_session;

-- 午睡巡视 · a round through a class: enrollment_id NULL; what was seen of one child: hers
CREATE VIEW v1_nap_check AS
  SELECT n.id, n.facility_id, n.class_id, n.enrollment_id, n.round_id, n.at,
         coalesce(n.biz_date, CAST(strftime('%Y%m%d', n.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         n.checker, n.code,
         n.note,  -- personal
         n.recorded_by
  FROM nap_check n
  WHERE NOT EXISTS (SELECT 1 FROM nap_check y WHERE y.replaces_id = n.id AND y.facility_id = n.facility_id);

-- 食谱 · a dish of a meal
CREATE VIEW v1_menu_item AS
  SELECT id, facility_id, biz_date, meal, dish, per_child_g, allergens, recorded_by
  FROM menu_item;

-- 进食 · how much of a meal a child ate
CREATE VIEW v1_meal_intake AS
  SELECT enrollment_id,
         coalesce(biz_date, CAST(strftime('%Y%m%d', at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         meal, facility_id, level, at,
         note,  -- personal
         recorded_by
  FROM meal_intake;

-- 留样 · food kept back; its disposal is a second row that names the first
CREATE VIEW v1_food_sample AS
  SELECT f.id, f.facility_id, f.biz_date, f.meal, f.dish, f.weight_g, f.stored_at,
         f.disposed_at, f.recorded_by
  FROM food_sample f
  WHERE NOT EXISTS (SELECT 1 FROM food_sample y WHERE y.replaces_id = f.id AND y.facility_id = f.facility_id);

-- 消毒/通风 · disinfection and airing
CREATE VIEW v1_disinfection_log AS
  SELECT d.id, d.facility_id,
         coalesce(d.biz_date, CAST(strftime('%Y%m%d', d.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         d.class_id, d.area, d.object, d.method, d.conc_mg_l, d.minutes, d.at,
         d.recorded_by
  FROM disinfection_log d
  WHERE NOT EXISTS (SELECT 1 FROM disinfection_log y WHERE y.replaces_id = d.id AND y.facility_id = d.facility_id);

-- 交接班 · handing a class over
CREATE VIEW v1_handover AS
  SELECT h.id, h.facility_id, h.class_id, h.at,
         coalesce(h.biz_date, CAST(strftime('%Y%m%d', h.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         h.from_staff, h.to_staff, h.enrolled_n, h.present_n, h.leave_n, h.absent_n,
         h.items,  -- personal
         h.recorded_by
  FROM handover h
  WHERE NOT EXISTS (SELECT 1 FROM handover y WHERE y.replaces_id = h.id AND y.facility_id = h.facility_id);

-- 开园/闭园检查 · a round through the house; kind: 1 开园 opening, 2 闭园 closing; result as in inspection
CREATE VIEW v1_house_check AS
  SELECT h.id, h.facility_id, h.kind, h.at,
         coalesce(h.biz_date, CAST(strftime('%Y%m%d', h.at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         h.result,
         h.findings,  -- personal
         h.present_n, h.recorded_by
  FROM house_check h
  WHERE NOT EXISTS (SELECT 1 FROM house_check y WHERE y.replaces_id = h.id AND y.facility_id = h.facility_id);

-- 伤害/事故/隐患 · incident
CREATE VIEW v1_incident AS
  SELECT id, facility_id, kind, severity, at,
         coalesce(biz_date, CAST(strftime('%Y%m%d', at / 1000, 'unixepoch', '+8 hours') AS INTEGER)) AS biz_date,
         place,  -- personal
         child_id, class_id,
         text,  -- personal
         guardian_notified_at, closed, recorded_by
  FROM incident;

-- 一周计划 · a class's plan; week is YYYYWW (ISO)
CREATE VIEW v1_week_plan AS
  SELECT class_id, week, facility_id, theme, content, published_at, recorded_by
  FROM week_plan;

-- 日报 · a child's day for her parents
CREATE VIEW v1_daily_report AS
  SELECT child_id, biz_date, facility_id, mood,
         meals,  -- personal
         nap_min,
         activity,  -- personal
         note,  -- personal
         state, published_at, recorded_by
  FROM daily_report;

-- 公告 · announcement
CREATE VIEW v1_announcement AS
  SELECT id, facility_id, title, content, audience, at, valid_to, recorded_by
  FROM announcement;

-- 区级公告 · announcement to every facility of the district
CREATE VIEW v1_district_announcement AS
  SELECT id, title, content, audience, at, valid_to, recorded_by
  FROM district_announcement;

-- 已读 · who has read it, apart from what is read
CREATE VIEW v1_receipt AS
  SELECT announcement_id, reader_id, facility_id, at, recorded_by
  FROM receipt;

-- 活动 · a session with places: course, parents' group, tour
CREATE VIEW v1_session_event AS
  SELECT id, facility_id, kind, title, course_code, starts_at, ends_at, place, cap,
         staff_id, status, recorded_by
  FROM session_event;

-- 课程订单 · a course that somebody bought; state: 1 bought, 2 given back; review is the facility's answer, as in
-- v1_leave_request, done_at when the facility had held it
CREATE VIEW v1_course_order AS
  SELECT id, facility_id, course_code, child_id,
         buyer_name,  -- personal
         phone,  -- personal
         places, from_date, to_date, amount_fen, coalesce(state, 1) AS state, at,
         note,  -- personal
         CASE WHEN wording IS NULL OR review_of = wording || '@' || reviewed_at THEN review END AS review,
         review_note,  -- personal
         reviewed_at, done_at, recorded_by, wording, review_of
  FROM course_order;

-- 预约 · booking; it names the seat it uses; review_note is what the facility says with its answer; one that was changed
-- since it was confirmed waits again (state 1)
CREATE VIEW v1_booking AS
  SELECT id, facility_id, kind, session_id, child_id,
         guardian_name,  -- personal
         phone,  -- personal
         wanted_at, seat_grant_id, seat_no,
         CASE WHEN state = 2 AND review_of IS NOT wording AND wording IS NOT NULL THEN 1 ELSE state END AS state,
         at,
         note,  -- personal
         review_note,  -- personal
         recorded_by, wording, review_of
  FROM booking;

-- 到访 · a visit without enrolment: play, drop-in care
CREATE VIEW v1_drop_in_visit AS
  SELECT id, facility_id, kind, child_id,
         child_name,  -- personal
         month_age,
         adult_name,  -- personal
         biz_date, in_at, out_at, session_id,
         note,  -- personal
         recorded_by
  FROM drop_in_visit;

-- 反馈 · what parents say
CREATE VIEW v1_feedback AS
  SELECT f.id, f.facility_id, f.session_id, f.child_id, f.rating,
         f.text,  -- personal
         f.at, f.recorded_by
  FROM feedback f
  WHERE NOT EXISTS (SELECT 1 FROM feedback y WHERE y.replaces_id = f.id AND y.facility_id = f.facility_id);

-- 托位额度 · how many places there are, by the hub; id is a hash of facility, resource and period
CREATE VIEW v1_seat_quota AS
  SELECT id, facility_id, resource, period, cap, recorded_by
  FROM seat_quota;

-- 托位单元 · one place, granted by the hub to one holder (node id and epoch); used_by is the booking that takes it,
-- returned 1: the holder has given it back, recall 1: the hub asks for it
CREATE VIEW v1_seat_unit AS
  SELECT grant_id, no, facility_id, resource, period, holder, used_by, returned,
         recorded_by, recall
  FROM seat_unit;

-- 托位申请 · how many free places a holder wants at hand, and how many the hub leaves it at most
CREATE VIEW v1_seat_ask AS
  SELECT grant_id, holder, facility_id, wanted, asked_at, most, recorded_by
  FROM seat_ask;

-- 强制收回 · a place taken from its holder without the holder's word, and why (event, by the hub)
CREATE VIEW v1_seat_override AS
  SELECT id, facility_id, grant_id, no, holder, reason, by_name, at, recorded_by
  FROM seat_override;

-- 设备 · device
CREATE VIEW v1_device AS
  SELECT id, facility_id, kind, name, serial, place, status, recorded_by
  FROM device;

-- 设备事件 · what a device reported
CREATE VIEW v1_device_event AS
  SELECT d.id, d.facility_id, d.device_id, d.kind, d.at, d.value, d.recorded_by
  FROM device_event d
  WHERE NOT EXISTS (SELECT 1 FROM device_event y WHERE y.replaces_id = d.id AND y.facility_id = d.facility_id);

-- 检查 · an inspection by the district
CREATE VIEW v1_inspection AS
  SELECT id, facility_id, kind, inspected_date,
         inspector,  -- personal
         result,
         findings,  -- personal
         due_date, closed, recorded_by
  FROM inspection;

-- 绩效评价 · the yearly score
CREATE VIEW v1_evaluation AS
  SELECT id, facility_id, year, standard, score_e1, grade,
         detail,  -- personal
         recorded_by
  FROM evaluation;

-- 补助 · subsidy by attendance
CREATE VIEW v1_subsidy_statement AS
  SELECT id, facility_id, period, kind, child_days, amount_fen, state, recorded_by
  FROM subsidy_statement;

-- 代码表 · what the small integers mean; set_code is "table.column"
CREATE VIEW v1_code_set AS
  SELECT set_code, code, version, name_zh, name_en, sort, source
  FROM code_set;

-- 免疫程序 · immunisation schedule
CREATE VIEW v1_vaccine_schedule AS
  SELECT vaccine_code, dose_no, version, name_zh, min_age_days, before_age_days, note,
         source
  FROM vaccine_schedule;

-- 生长标准 · growth standards: x is age in months (or length in mm); L, M, S where known; SD lines in tenths
CREATE VIEW v1_growth_ref AS
  SELECT standard, sex, x, version, l_e4, m_e4, s_e5, sd3neg_e1, sd2neg_e1, sd1neg_e1,
         sd0_e1, sd1_e1, sd2_e1, sd3_e1, source
  FROM growth_ref;

-- 课程 · parenting course
CREATE VIEW v1_course AS
  SELECT course_code, version, title, domain, from_month, to_month, content, source
  FROM course;

-- 收费项目 · fee
CREATE VIEW v1_fee_item AS
  SELECT fee_code, version, name_zh, name_en, unit, amount_fen, source
  FROM fee_item;

-- 规范参数 · a number that a norm fixes
CREATE VIEW v1_norm_param AS
  SELECT param, version, value, unit, name_zh, name_en, source
  FROM norm_param;

-- 指标 · an indicator and its target
CREATE VIEW v1_indicator_def AS
  SELECT indicator, version, name_zh, name_en, unit, target_e2, formula, source
  FROM indicator_def;

-- 人口 · residents of a street (街道) by the district's count; version is the day counted; subdistrict_code has 9 digits
CREATE VIEW v1_population AS
  SELECT subdistrict_code, version, name_zh, residents, under3, source
  FROM population;

-- 补助标准 · a rate of subsidy, valid for months that begin on `version` or later, until a later version.  A child who
-- was present on min_days days of the month or more earns per_month_fen, and each of her days per_day_fen; class_kind,
-- service_type NULL: any; inclusive_only 1: only at facilities with is_inclusive
CREATE VIEW v1_subsidy_rate AS
  SELECT rate_code, version, name_zh, class_kind, service_type, inclusive_only,
         min_days, per_month_fen, per_day_fen, source
  FROM subsidy_rate;
