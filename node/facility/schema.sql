-- 驿站 yizhan: the tables of a childcare facility (托育机构, 驿站), schema 1.
--
-- How to read it:
--   id           16 bytes, unique without asking anybody: yz_id() on our connections, randomblob(16) elsewhere
--   facility_id  the facility whose record it is; it decides who may see the row and never changes
--   at, *_at     ms since 1970, UTC; given by whoever writes, never taken from a clock of the database
--   biz_date     YYYYMMDD in the facility's time zone; NULL means the date of `at`
--   *_date       YYYYMMDD
--   codes        small integers, named in code_set under "table.column" (zh, en)
--   units        are the end of a name: _g, _mm, _dc (tenths of a degree Celsius), _min, _fen, _e6 (millionths)
--   recorded_by  staff.id of who wrote it
-- Tables marked (event) are only added to: a correction is a new row whose replaces_id names the old one.
-- Nothing here needs more than SQLite 3.35; a plain INSERT of the columns you know always works.

-- ---------------------------------------------------------------- 1-6 机构与员工 · facility and staff

-- 1 机构/驿站 · the facility; what the district files about it only the hub writes
CREATE TABLE facility(
  facility_id TEXT NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL DEFAULT 1,
  name TEXT NOT NULL DEFAULT '',
  filing_no TEXT,
  uscc TEXT,
  subdistrict_code TEXT,
  lat_e6 INTEGER,
  lon_e6 INTEGER,
  is_inclusive INTEGER,
  open_min INTEGER,
  close_min INTEGER,
  phone TEXT,
  address TEXT,
  intro TEXT,
  timezone TEXT NOT NULL DEFAULT 'Asia/Shanghai',
  status INTEGER NOT NULL DEFAULT 1,
  recorded_by BLOB
) WITHOUT ROWID;

-- 1 机构公开信息 · what everybody may know of a facility; kept by the hub, sent to all
CREATE TABLE facility_public(
  facility_id TEXT NOT NULL PRIMARY KEY,
  kind INTEGER,
  name TEXT,
  subdistrict_code TEXT,
  lat_e6 INTEGER,
  lon_e6 INTEGER,
  is_inclusive INTEGER,
  open_min INTEGER,
  close_min INTEGER,
  phone TEXT,
  address TEXT,
  intro TEXT,
  status INTEGER,
  recorded_by BLOB
) WITHOUT ROWID;

-- 2 证照 · papers: filing, fire, food, lease, hygiene, insurance
CREATE TABLE facility_doc(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  type INTEGER,
  no TEXT,
  issued_date INTEGER,
  valid_date INTEGER,
  source_dept TEXT,
  media_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;

-- 3 班级 · class
CREATE TABLE class_group(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  kind INTEGER,
  room TEXT,
  cap INTEGER,
  ratio_n INTEGER,
  status INTEGER NOT NULL DEFAULT 1,
  recorded_by BLOB
) WITHOUT ROWID;

-- 4 员工 · staff; PINs stay in local_pin on the node
CREATE TABLE staff(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  sex INTEGER,
  phone TEXT,
  role INTEGER,
  class_id BLOB,
  status INTEGER NOT NULL DEFAULT 1,
  recorded_by BLOB
) WITHOUT ROWID;

-- 5 健康证/资质/培训 · certificates and training of staff (event)
CREATE TABLE staff_cert(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  staff_id BLOB,
  type INTEGER,
  no TEXT,
  issued_date INTEGER,
  valid_to INTEGER,
  result TEXT,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX staff_cert_replaced ON staff_cert(replaces_id) WHERE replaces_id IS NOT NULL;

-- 6 员工考勤 · staff coming and going (event)
CREATE TABLE staff_attendance(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  staff_id BLOB,
  kind INTEGER,
  at INTEGER,
  biz_date INTEGER,
  class_id BLOB,
  method INTEGER,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX staff_attendance_replaced ON staff_attendance(replaces_id) WHERE replaces_id IS NOT NULL;

-- 6 员工晨检 · what staff say of their own health before work (event); symptom_bits as in health_check,
-- fit: 1 may work today, 0 may not
CREATE TABLE staff_check(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  staff_id BLOB,
  at INTEGER,
  biz_date INTEGER,
  temp_dc INTEGER,
  symptom_bits INTEGER,
  fit INTEGER,
  note TEXT,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX staff_check_replaced ON staff_check(replaces_id) WHERE replaces_id IS NOT NULL;

-- ---------------------------------------------------------------- 7-12 婴幼儿 · the child

-- 7 婴幼儿 · child; id_hash is a keyed hash of the number on the identity paper, which is kept nowhere
CREATE TABLE child(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  sex INTEGER,
  birth_date INTEGER,
  id_hash BLOB,
  blood TEXT,
  gest_weeks INTEGER,
  birth_weight_g INTEGER,
  note TEXT,
  recorded_by BLOB
) WITHOUT ROWID;

-- 同一人的重复登记 · two registrations of one person (event): alias_id is child_id, who has the lower id
CREATE TABLE child_alias(
  alias_id BLOB NOT NULL,
  child_id BLOB NOT NULL,
  facility_id TEXT NOT NULL,
  recorded_by BLOB,
  PRIMARY KEY(alias_id, child_id)
) WITHOUT ROWID;
CREATE INDEX child_id_hash ON child(facility_id, id_hash) WHERE id_hash IS NOT NULL;

-- 8 监护人 · guardian
CREATE TABLE guardian(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  name TEXT NOT NULL DEFAULT '',
  relation TEXT,
  phone TEXT,
  id_hash BLOB,
  is_primary INTEGER NOT NULL DEFAULT 0,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX guardian_child ON guardian(child_id);

-- 9 同意书 · consent (event); a withdrawal stands until a grant names it in replaces_id
CREATE TABLE consent(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  guardian_id BLOB,
  purpose INTEGER,
  version TEXT,
  granted INTEGER,
  method INTEGER,
  at INTEGER,
  evidence_id BLOB,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX consent_child ON consent(child_id);

-- 10 入托 · enrolment of a child at a facility
CREATE TABLE enrollment(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  class_id BLOB,
  service_type INTEGER,
  start_date INTEGER,
  end_date INTEGER,
  status INTEGER NOT NULL DEFAULT 3,
  seat_grant_id BLOB,
  seat_no INTEGER,
  checklist TEXT,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX enrollment_child ON enrollment(child_id);
CREATE INDEX enrollment_class ON enrollment(facility_id, class_id);

-- 入托状态的每次变化 · each step of an enrolment: its status before and after.  A step ends those that this file
-- has (ended only ever goes up); of steps that knew nothing of each other the one that is further on wins.
-- Whoever writes enrollment.status takes it so, by the triggers below
CREATE TABLE enrollment_step(
  enrollment_id BLOB NOT NULL,
  said BLOB NOT NULL DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  was INTEGER,
  status INTEGER NOT NULL DEFAULT 3,
  ended INTEGER NOT NULL DEFAULT 0,
  recorded_by BLOB,
  PRIMARY KEY(enrollment_id, said)
) WITHOUT ROWID;
CREATE TRIGGER enrollment_stepped AFTER INSERT ON enrollment WHEN NOT EXISTS (SELECT 1 FROM local_word WHERE thing = '') BEGIN
  UPDATE enrollment_step SET ended = 1 WHERE enrollment_id = NEW.id AND ended = 0;
  INSERT INTO enrollment_step(enrollment_id, facility_id, child_id, was, status, recorded_by)
  VALUES (NEW.id, coalesce((SELECT CAST(value AS TEXT) FROM yz_meta WHERE name = 'facility'), NEW.facility_id), NEW.child_id, NULL, NEW.status, NEW.recorded_by);
END;
CREATE TRIGGER enrollment_stepped_on AFTER UPDATE OF status ON enrollment WHEN NOT EXISTS (SELECT 1 FROM local_word WHERE thing = '') BEGIN
  UPDATE enrollment_step SET ended = 1 WHERE enrollment_id = NEW.id AND ended = 0;
  INSERT INTO enrollment_step(enrollment_id, facility_id, child_id, was, status, recorded_by)
  VALUES (NEW.id, coalesce((SELECT CAST(value AS TEXT) FROM yz_meta WHERE name = 'facility'), NEW.facility_id), NEW.child_id, OLD.status, NEW.status, NEW.recorded_by);
END;

-- 11 分班 · which class from which day on
CREATE TABLE class_assignment(
  enrollment_id BLOB NOT NULL,
  from_date INTEGER NOT NULL,
  facility_id TEXT NOT NULL,
  class_id BLOB,
  recorded_by BLOB,
  PRIMARY KEY(enrollment_id, from_date)
) WITHOUT ROWID;

-- 12 接送授权 · who may take the child home; revoked only ever goes up.  One that the platform writes (asked 1, set
-- by the hub) needs the facility's answer: review, wording and review_of as in leave_request.  asked NULL: the facility's
-- own, which needs none
CREATE TABLE pickup_auth(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  name TEXT NOT NULL DEFAULT '',
  relation TEXT,
  phone TEXT,
  photo_id BLOB,
  valid_from INTEGER,
  valid_to INTEGER,
  kind INTEGER NOT NULL DEFAULT 1,
  code_hash BLOB,
  revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1)),
  recorded_by BLOB,
  asked INTEGER,
  review INTEGER,
  review_note TEXT,
  reviewed_at INTEGER,
  wording TEXT,
  review_of TEXT
) WITHOUT ROWID;
CREATE INDEX pickup_auth_child ON pickup_auth(child_id);
CREATE TRIGGER pickup_auth_reworded AFTER UPDATE OF child_id, name, relation, phone, photo_id, valid_from, valid_to, kind ON pickup_auth
WHEN OLD.child_id IS NOT NEW.child_id OR OLD.name IS NOT NEW.name OR OLD.relation IS NOT NEW.relation OR OLD.phone IS NOT NEW.phone OR OLD.photo_id IS NOT NEW.photo_id OR OLD.valid_from IS NOT NEW.valid_from OR OLD.valid_to IS NOT NEW.valid_to OR OLD.kind IS NOT NEW.kind BEGIN
  UPDATE pickup_auth SET wording = lower(hex(randomblob(8))) WHERE id = NEW.id;
END;

-- ---------------------------------------------------------------- 13-20 出勤与健康观察 · attendance, health

-- 13 出勤事件 · coming and going (event)
CREATE TABLE attendance_event(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  enrollment_id BLOB,
  biz_date INTEGER,
  kind INTEGER,
  at INTEGER,
  by_adult_id BLOB,
  temp_dc INTEGER,
  method INTEGER,
  class_id BLOB,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX attendance_event_replaced ON attendance_event(replaces_id) WHERE replaces_id IS NOT NULL;
CREATE INDEX attendance_event_day ON attendance_event(enrollment_id, biz_date);
CREATE INDEX attendance_event_date ON attendance_event(
  coalesce(biz_date, CAST(strftime('%Y%m%d', at / 1000, 'unixepoch', '+8 hours') AS INTEGER)),
  facility_id, enrollment_id);

-- 14 缺勤追踪 · a time of absence and its reason
CREATE TABLE absence_case(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  enrollment_id BLOB,
  date_from INTEGER,
  date_to INTEGER,
  reason INTEGER,
  disease_code TEXT,
  symptom_bits INTEGER,
  informed_by TEXT,
  hospital TEXT,
  note TEXT,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX absence_case_enrollment ON absence_case(enrollment_id, date_to);

-- 15 追踪记录 · a call after an absent child (event)
CREATE TABLE absence_followup(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  absence_id BLOB,
  at INTEGER,
  method INTEGER,
  result TEXT,
  next_date INTEGER,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX absence_followup_replaced ON absence_followup(replaces_id) WHERE replaces_id IS NOT NULL;

-- 16 请假 · leave asked for by a parent, by app, telephone or at the door; wording: NULL, and another word whenever what is
-- asked is changed (by the trigger below); an answer holds while review_of is "wording@reviewed_at", or wording is NULL
CREATE TABLE leave_request(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  enrollment_id BLOB,
  date_from INTEGER,
  date_to INTEGER,
  type INTEGER,
  reason TEXT,
  source INTEGER,
  at INTEGER,
  review INTEGER,
  review_note TEXT,
  reviewed_at INTEGER,
  recorded_by BLOB,
  wording TEXT,
  review_of TEXT
) WITHOUT ROWID;
CREATE TRIGGER leave_request_reworded AFTER UPDATE OF enrollment_id, date_from, date_to, type, reason ON leave_request
WHEN OLD.enrollment_id IS NOT NEW.enrollment_id OR OLD.date_from IS NOT NEW.date_from OR OLD.date_to IS NOT NEW.date_to OR OLD.type IS NOT NEW.type OR OLD.reason IS NOT NEW.reason BEGIN
  UPDATE leave_request SET wording = lower(hex(randomblob(8))) WHERE id = NEW.id;
END;

-- 17 晨检/午检/全日观察 · health check (event)
CREATE TABLE health_check(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  enrollment_id BLOB,
  biz_date INTEGER,
  slot INTEGER,
  at INTEGER,
  temp_dc INTEGER,
  touch INTEGER,
  look_bits INTEGER,
  ask_bits INTEGER,
  check_bits INTEGER,
  symptom_bits INTEGER,
  card INTEGER,
  action INTEGER,
  note TEXT,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX health_check_replaced ON health_check(replaces_id) WHERE replaces_id IS NOT NULL;
CREATE INDEX health_check_day ON health_check(enrollment_id, biz_date);
CREATE INDEX health_check_date ON health_check(
  coalesce(biz_date, CAST(strftime('%Y%m%d', at / 1000, 'unixepoch', '+8 hours') AS INTEGER)),
  facility_id, enrollment_id);

-- 18 异常/传染病登记 · a sick child, followed until she is back
CREATE TABLE symptom_case(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  class_id BLOB,
  onset_date INTEGER,
  disease_code TEXT,
  symptom_bits INTEGER,
  confirmed INTEGER,
  isolated_at INTEGER,
  guardian_notified_at INTEGER,
  hospital TEXT,
  reported_at INTEGER,
  return_cert_id BLOB,
  closed INTEGER NOT NULL DEFAULT 0,
  note TEXT,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX symptom_case_open ON symptom_case(onset_date, facility_id) WHERE closed = 0;

-- 18 街道疫情通报 · what the facilities of a street are told of each other's open cases: one row a facility, disease
-- and day of onset, nobody in it; kept by the hub, sent to the street. cases: 1 (one or two), 3 (three or four), 5 (five
-- or more); confirmed: the surest of them; facility_id '' stands for the street's home care points (facility.kind 4)
CREATE TABLE symptom_notice(
  subdistrict_code TEXT NOT NULL,
  facility_id TEXT NOT NULL,
  disease_code TEXT NOT NULL,
  onset_date INTEGER NOT NULL,
  cases INTEGER,
  confirmed INTEGER,
  closed INTEGER NOT NULL DEFAULT 0,
  recorded_by BLOB,
  PRIMARY KEY(subdistrict_code, facility_id, disease_code, onset_date)
) WITHOUT ROWID;
CREATE INDEX symptom_notice_open ON symptom_notice(subdistrict_code) WHERE closed = 0;

-- 19 用药委托 · medicine handed over; time_bits has a bit for each quarter hour from 06:00; review is the facility's
-- answer, as leave_request.review; wording and review_of as there
CREATE TABLE medication_request(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  drug TEXT,
  dose_text TEXT,
  time_bits INTEGER,
  date_from INTEGER,
  date_to INTEGER,
  guardian_sign_id BLOB,
  at INTEGER,
  accepted_by BLOB,
  accepted_at INTEGER,
  recorded_by BLOB,
  review INTEGER,
  review_note TEXT,
  reviewed_at INTEGER,
  wording TEXT,
  review_of TEXT
) WITHOUT ROWID;
CREATE TRIGGER medication_request_reworded AFTER UPDATE OF child_id, drug, dose_text, time_bits, date_from, date_to ON medication_request
WHEN OLD.child_id IS NOT NEW.child_id OR OLD.drug IS NOT NEW.drug OR OLD.dose_text IS NOT NEW.dose_text OR OLD.time_bits IS NOT NEW.time_bits OR OLD.date_from IS NOT NEW.date_from OR OLD.date_to IS NOT NEW.date_to BEGIN
  UPDATE medication_request SET wording = lower(hex(randomblob(8))) WHERE id = NEW.id;
END;

-- 20 喂药记录 · medicine given: one dose per request, day and slot, whoever records it
CREATE TABLE medication_given(
  request_id BLOB NOT NULL,
  biz_date INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  facility_id TEXT NOT NULL,
  at INTEGER,
  dose TEXT,
  given_by BLOB,
  witness BLOB,
  reaction TEXT,
  recorded_by BLOB,
  PRIMARY KEY(request_id, biz_date, slot)
) WITHOUT ROWID;

-- ---------------------------------------------------------------- 21-25 健康档案 · health file

-- 21 过敏/体弱 · allergy or frailty
CREATE TABLE allergy(
  child_id BLOB NOT NULL,
  allergen_code TEXT NOT NULL,
  facility_id TEXT NOT NULL,
  reaction TEXT,
  severity INTEGER,
  active INTEGER NOT NULL DEFAULT 1,
  recorded_by BLOB,
  PRIMARY KEY(child_id, allergen_code)
) WITHOUT ROWID;

-- 过敏的每次告知 · each time somebody said that the child has it (active 1), or no more (0).  Whoever says it ends
-- the words that this file has (ended only ever goes up); of words that knew nothing of each other 1 wins.
-- Whoever writes allergy says it so, by the triggers below
CREATE TABLE allergy_word(
  child_id BLOB NOT NULL,
  allergen_code TEXT NOT NULL,
  said BLOB NOT NULL DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  active INTEGER NOT NULL DEFAULT 1,
  ended INTEGER NOT NULL DEFAULT 0,
  reaction TEXT,
  severity INTEGER,
  recorded_by BLOB,
  PRIMARY KEY(child_id, allergen_code, said)
) WITHOUT ROWID;
CREATE TRIGGER allergy_said AFTER INSERT ON allergy WHEN NOT EXISTS (SELECT 1 FROM local_word WHERE thing = '') BEGIN
  UPDATE allergy_word SET ended = 1 WHERE child_id = NEW.child_id AND allergen_code = NEW.allergen_code AND ended = 0;
  INSERT INTO allergy_word(child_id, allergen_code, facility_id, active, reaction, severity, recorded_by)
  VALUES (NEW.child_id, NEW.allergen_code, coalesce((SELECT CAST(value AS TEXT) FROM yz_meta WHERE name = 'facility'), NEW.facility_id), NEW.active <> 0, NEW.reaction, NEW.severity, NEW.recorded_by);
END;
CREATE TRIGGER allergy_said_again AFTER UPDATE OF reaction, severity, active ON allergy WHEN NOT EXISTS (SELECT 1 FROM local_word WHERE thing = '') BEGIN
  UPDATE allergy_word SET ended = 1 WHERE child_id = NEW.child_id AND allergen_code = NEW.allergen_code AND ended = 0;
  INSERT INTO allergy_word(child_id, allergen_code, facility_id, active, reaction, severity, recorded_by)
  VALUES (NEW.child_id, NEW.allergen_code, coalesce((SELECT CAST(value AS TEXT) FROM yz_meta WHERE name = 'facility'), NEW.facility_id), NEW.active <> 0, NEW.reaction, NEW.severity, NEW.recorded_by);
END;
CREATE TRIGGER allergy_said_gone AFTER DELETE ON allergy WHEN NOT EXISTS (SELECT 1 FROM local_word WHERE thing = '') BEGIN
  UPDATE allergy_word SET ended = 1 WHERE child_id = OLD.child_id AND allergen_code = OLD.allergen_code AND ended = 0;
  INSERT INTO allergy_word(child_id, allergen_code, facility_id, active, reaction, severity, recorded_by)
  VALUES (OLD.child_id, OLD.allergen_code, coalesce((SELECT CAST(value AS TEXT) FROM yz_meta WHERE name = 'facility'), OLD.facility_id), 0, OLD.reaction, OLD.severity, OLD.recorded_by);
END;

-- 22 接种记录 · immunisation
CREATE TABLE immunization(
  child_id BLOB NOT NULL,
  vaccine_code TEXT NOT NULL,
  dose_no INTEGER NOT NULL,
  facility_id TEXT NOT NULL,
  given_date INTEGER,
  lot TEXT,
  site TEXT,
  source INTEGER,
  verified_by BLOB,
  recorded_by BLOB,
  PRIMARY KEY(child_id, vaccine_code, dose_no)
) WITHOUT ROWID;

-- 23 体检 · medical examination (event)
CREATE TABLE health_exam(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  type INTEGER,
  exam_date INTEGER,
  provider TEXT,
  result TEXT,
  hb_g_l INTEGER,
  hearing INTEGER,
  teeth INTEGER,
  caries INTEGER,
  note TEXT,
  doc_id BLOB,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX health_exam_replaced ON health_exam(replaces_id) WHERE replaces_id IS NOT NULL;
CREATE INDEX health_exam_child ON health_exam(child_id, exam_date);

-- 24 生长测量 · growth (event); z scores are computed on reading
CREATE TABLE growth_measurement(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  measured_date INTEGER,
  at INTEGER,
  weight_g INTEGER,
  length_mm INTEGER,
  posture INTEGER,
  head_mm INTEGER,
  method INTEGER,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX growth_measurement_child ON growth_measurement(child_id);
CREATE INDEX growth_measurement_replaced ON growth_measurement(replaces_id) WHERE replaces_id IS NOT NULL;

-- 25 养育指导评价 · an expert's comment for a month of age; written at the hub
CREATE TABLE growth_comment(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  child_id BLOB,
  month_age INTEGER,
  text TEXT,
  author TEXT,
  at INTEGER,
  recorded_by BLOB
) WITHOUT ROWID;

-- ---------------------------------------------------------------- 26-31 一日生活 · the day

-- 26 照护事件 · feeding, water, nappy, mood, activity ... (event)
CREATE TABLE care_event(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  enrollment_id BLOB,
  kind INTEGER,
  at INTEGER,
  biz_date INTEGER,
  amount INTEGER,
  code INTEGER,
  note TEXT,
  recorded_by BLOB
) WITHOUT ROWID;

-- 27 午睡 · one nap a child and day
CREATE TABLE nap_session(
  enrollment_id BLOB NOT NULL,
  biz_date INTEGER NOT NULL,
  facility_id TEXT NOT NULL,
  start_at INTEGER,
  end_at INTEGER,
  quality INTEGER,
  note TEXT,
  recorded_by BLOB,
  PRIMARY KEY(enrollment_id, biz_date)
) WITHOUT ROWID;

-- 27 午睡巡视 · a round through a class: enrollment_id NULL; what was seen of one child: hers (event)
CREATE TABLE nap_check(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  class_id BLOB,
  enrollment_id BLOB,
  round_id BLOB,
  at INTEGER,
  biz_date INTEGER,
  checker BLOB,
  code INTEGER,
  note TEXT,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX nap_check_replaced ON nap_check(replaces_id) WHERE replaces_id IS NOT NULL;

-- 28 食谱 · a dish of a meal
CREATE TABLE menu_item(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  biz_date INTEGER,
  meal INTEGER,
  dish TEXT,
  per_child_g INTEGER,
  allergens TEXT,
  recorded_by BLOB
) WITHOUT ROWID;

-- 28 进食 · how much of a meal a child ate
CREATE TABLE meal_intake(
  enrollment_id BLOB NOT NULL,
  biz_date INTEGER NOT NULL,
  meal INTEGER NOT NULL,
  facility_id TEXT NOT NULL,
  level INTEGER,
  at INTEGER,
  note TEXT,
  recorded_by BLOB,
  PRIMARY KEY(enrollment_id, biz_date, meal)
) WITHOUT ROWID;

-- 29 留样 · food kept back (event); its disposal is a second row that names the first
CREATE TABLE food_sample(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  biz_date INTEGER,
  meal INTEGER,
  dish TEXT,
  weight_g INTEGER,
  stored_at INTEGER,
  disposed_at INTEGER,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX food_sample_replaced ON food_sample(replaces_id) WHERE replaces_id IS NOT NULL;

-- 30 消毒/通风 · disinfection and airing (event)
CREATE TABLE disinfection_log(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  biz_date INTEGER,
  class_id BLOB,
  area INTEGER,
  object INTEGER,
  method INTEGER,
  conc_mg_l INTEGER,
  minutes INTEGER,
  at INTEGER,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX disinfection_log_replaced ON disinfection_log(replaces_id) WHERE replaces_id IS NOT NULL;

-- 31 交接班 · handing a class over (event)
CREATE TABLE handover(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  class_id BLOB,
  at INTEGER,
  biz_date INTEGER,
  from_staff BLOB,
  to_staff BLOB,
  enrolled_n INTEGER,
  present_n INTEGER,
  leave_n INTEGER,
  absent_n INTEGER,
  items TEXT,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX handover_replaced ON handover(replaces_id) WHERE replaces_id IS NOT NULL;

-- 31 开园/闭园检查 · a round through the house (event); kind: 1 开园 opening, 2 闭园 closing;
-- result as in inspection
CREATE TABLE house_check(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  kind INTEGER,
  at INTEGER,
  biz_date INTEGER,
  result INTEGER,
  findings TEXT,
  present_n INTEGER,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX house_check_replaced ON house_check(replaces_id) WHERE replaces_id IS NOT NULL;

-- ---------------------------------------------------------------- 32-36

-- 32 伤害/事故/隐患 · incident
CREATE TABLE incident(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  kind INTEGER,
  severity INTEGER,
  at INTEGER,
  biz_date INTEGER,
  place TEXT,
  child_id BLOB,
  class_id BLOB,
  text TEXT,
  guardian_notified_at INTEGER,
  closed INTEGER NOT NULL DEFAULT 0,
  recorded_by BLOB
) WITHOUT ROWID;

-- 33 一周计划 · a class's plan; week is YYYYWW (ISO)
CREATE TABLE week_plan(
  class_id BLOB NOT NULL,
  week INTEGER NOT NULL,
  facility_id TEXT NOT NULL,
  theme TEXT,
  content TEXT,
  published_at INTEGER,
  recorded_by BLOB,
  PRIMARY KEY(class_id, week)
) WITHOUT ROWID;

-- 33 日报 · a child's day for her parents
CREATE TABLE daily_report(
  child_id BLOB NOT NULL,
  biz_date INTEGER NOT NULL,
  facility_id TEXT NOT NULL,
  mood INTEGER,
  meals TEXT,
  nap_min INTEGER,
  activity TEXT,
  note TEXT,
  state INTEGER NOT NULL DEFAULT 0,
  published_at INTEGER,
  recorded_by BLOB,
  PRIMARY KEY(child_id, biz_date)
) WITHOUT ROWID;

-- 33 公告 · announcement
CREATE TABLE announcement(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  title TEXT,
  content TEXT,
  audience INTEGER,
  at INTEGER,
  valid_to INTEGER,
  recorded_by BLOB
) WITHOUT ROWID;

-- 33 区级公告 · announcement to every facility of the district; written at the hub, sent to all
CREATE TABLE district_announcement(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  title TEXT,
  content TEXT,
  audience INTEGER,
  at INTEGER,
  valid_to INTEGER,
  recorded_by BLOB
) WITHOUT ROWID;

-- 33 已读 · who has read it, apart from what is read
CREATE TABLE receipt(
  announcement_id BLOB NOT NULL,
  reader_id BLOB NOT NULL,
  facility_id TEXT NOT NULL,
  at INTEGER,
  recorded_by BLOB,
  PRIMARY KEY(announcement_id, reader_id)
) WITHOUT ROWID;

-- 34 活动 · a session with places: course, parents' group, tour
CREATE TABLE session_event(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  kind INTEGER,
  title TEXT,
  course_code TEXT,
  starts_at INTEGER,
  ends_at INTEGER,
  place TEXT,
  cap INTEGER,
  staff_id BLOB,
  status INTEGER NOT NULL DEFAULT 1,
  recorded_by BLOB
) WITHOUT ROWID;

-- 34 课程订单 · a course that somebody bought: for whom, from when, how many places; written by the platform (state NULL
-- or 1 bought, 2 given back).  review, wording and review_of as in
-- leave_request; done_at: the facility has held it
CREATE TABLE course_order(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  course_code TEXT,
  child_id BLOB,
  buyer_name TEXT,
  phone TEXT,
  places INTEGER,
  from_date INTEGER,
  to_date INTEGER,
  amount_fen INTEGER,
  state INTEGER,
  at INTEGER,
  note TEXT,
  review INTEGER,
  review_note TEXT,
  reviewed_at INTEGER,
  done_at INTEGER,
  recorded_by BLOB,
  wording TEXT,
  review_of TEXT
) WITHOUT ROWID;
CREATE TRIGGER course_order_reworded AFTER UPDATE OF course_code, child_id, buyer_name, phone, places, from_date, to_date, note ON course_order
WHEN OLD.course_code IS NOT NEW.course_code OR OLD.child_id IS NOT NEW.child_id OR OLD.buyer_name IS NOT NEW.buyer_name OR OLD.phone IS NOT NEW.phone OR OLD.places IS NOT NEW.places OR OLD.from_date IS NOT NEW.from_date OR OLD.to_date IS NOT NEW.to_date OR OLD.note IS NOT NEW.note BEGIN
  UPDATE course_order SET wording = lower(hex(randomblob(8))) WHERE id = NEW.id;
END;

-- 34 预约 · booking; it names the seat it uses; review_note is what the facility says with its answer; wording as in
-- leave_request; state 2 (confirmed) holds while review_of is the wording, or that is NULL
CREATE TABLE booking(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  kind INTEGER,
  session_id BLOB,
  child_id BLOB,
  guardian_name TEXT,
  phone TEXT,
  wanted_at INTEGER,
  seat_grant_id BLOB,
  seat_no INTEGER,
  state INTEGER NOT NULL DEFAULT 1,
  at INTEGER,
  note TEXT,
  recorded_by BLOB,
  review_note TEXT,
  wording TEXT,
  review_of TEXT
) WITHOUT ROWID;
CREATE INDEX booking_seat ON booking(seat_grant_id, seat_no);
CREATE TRIGGER booking_reworded AFTER UPDATE OF kind, session_id, child_id, wanted_at ON booking
WHEN OLD.kind IS NOT NEW.kind OR OLD.session_id IS NOT NEW.session_id OR OLD.child_id IS NOT NEW.child_id OR OLD.wanted_at IS NOT NEW.wanted_at BEGIN
  UPDATE booking SET wording = lower(hex(randomblob(8))) WHERE id = NEW.id;
END;

-- 34 到访 · a visit without enrolment: play, drop-in care
CREATE TABLE drop_in_visit(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  kind INTEGER,
  child_id BLOB,
  child_name TEXT,
  month_age INTEGER,
  adult_name TEXT,
  biz_date INTEGER,
  in_at INTEGER,
  out_at INTEGER,
  session_id BLOB,
  note TEXT,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX drop_in_visit_day ON drop_in_visit(facility_id, biz_date);

-- 34 反馈 · what parents say (event)
CREATE TABLE feedback(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  session_id BLOB,
  child_id BLOB,
  rating INTEGER,
  text TEXT,
  at INTEGER,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX feedback_replaced ON feedback(replaces_id) WHERE replaces_id IS NOT NULL;

-- 35 托位额度 · how many places there are, by the hub; id is a hash of facility, resource and period
CREATE TABLE seat_quota(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  resource TEXT,
  period TEXT,
  cap INTEGER,
  recorded_by BLOB
) WITHOUT ROWID;

-- 35 托位单元 · one place, granted by the hub to one holder (node id and epoch); used_by is the booking that takes it,
-- returned 1: the holder has given it back, recall 1: the hub asks for it
CREATE TABLE seat_unit(
  grant_id BLOB NOT NULL,
  no INTEGER NOT NULL,
  facility_id TEXT NOT NULL,
  resource TEXT,
  period TEXT,
  holder BLOB,
  used_by BLOB,
  returned INTEGER,
  recorded_by BLOB,
  recall INTEGER,
  PRIMARY KEY(grant_id, no)
) WITHOUT ROWID;
CREATE INDEX seat_unit_used ON seat_unit(used_by) WHERE used_by IS NOT NULL;
CREATE INDEX seat_unit_moving ON seat_unit(grant_id, no) WHERE returned IS NOT NULL OR recall IS NOT NULL;

-- 35 托位申请 · how many free places a holder wants at hand, and how many the hub leaves it at most
CREATE TABLE seat_ask(
  grant_id BLOB NOT NULL,
  holder BLOB NOT NULL,
  facility_id TEXT NOT NULL,
  wanted INTEGER,
  asked_at INTEGER,
  most INTEGER,
  recorded_by BLOB,
  PRIMARY KEY(grant_id, holder)
) WITHOUT ROWID;
CREATE INDEX seat_ask_holder ON seat_ask(holder);

-- 35 强制收回 · a place taken from its holder without the holder's word, and why (event, by the hub)
CREATE TABLE seat_override(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  grant_id BLOB,
  no INTEGER,
  holder BLOB,
  reason TEXT,
  by_name TEXT,
  at INTEGER,
  recorded_by BLOB
) WITHOUT ROWID;

-- 36 设备 · device
CREATE TABLE device(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  kind INTEGER,
  name TEXT,
  serial TEXT,
  place TEXT,
  status INTEGER NOT NULL DEFAULT 1,
  recorded_by BLOB
) WITHOUT ROWID;

-- 36 设备事件 · what a device reported (event)
CREATE TABLE device_event(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  device_id BLOB,
  kind INTEGER,
  at INTEGER,
  value TEXT,
  replaces_id BLOB,
  recorded_by BLOB
) WITHOUT ROWID;
CREATE INDEX device_event_replaced ON device_event(replaces_id) WHERE replaces_id IS NOT NULL;

-- 36 检查 · an inspection by the district
CREATE TABLE inspection(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  kind INTEGER,
  inspected_date INTEGER,
  inspector TEXT,
  result INTEGER,
  findings TEXT,
  due_date INTEGER,
  closed INTEGER,
  recorded_by BLOB
) WITHOUT ROWID;

-- 36 绩效评价 · the yearly score
CREATE TABLE evaluation(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  year INTEGER,
  standard TEXT,
  score_e1 INTEGER,
  grade TEXT,
  detail TEXT,
  recorded_by BLOB
) WITHOUT ROWID;

-- 36 补助 · subsidy by attendance
CREATE TABLE subsidy_statement(
  id BLOB NOT NULL PRIMARY KEY DEFAULT (randomblob(16)),
  facility_id TEXT NOT NULL,
  period TEXT,
  kind INTEGER,
  child_days INTEGER,
  amount_fen INTEGER,
  state INTEGER,
  recorded_by BLOB
) WITHOUT ROWID;

-- ---------------------------------------------------------------- 目录 · catalogues: versioned, written by the hub

-- 代码表 · what the small integers mean; set_code is "table.column"
CREATE TABLE code_set(
  set_code TEXT NOT NULL,
  code TEXT NOT NULL,
  version INTEGER NOT NULL,
  name_zh TEXT,
  name_en TEXT,
  sort INTEGER,
  source TEXT,
  PRIMARY KEY(set_code, code, version)
) WITHOUT ROWID;

-- 免疫程序 · immunisation schedule
CREATE TABLE vaccine_schedule(
  vaccine_code TEXT NOT NULL,
  dose_no INTEGER NOT NULL,
  version INTEGER NOT NULL,
  name_zh TEXT,
  min_age_days INTEGER,
  before_age_days INTEGER,
  note TEXT,
  source TEXT,
  PRIMARY KEY(vaccine_code, dose_no, version)
) WITHOUT ROWID;

-- 生长标准 · growth standards: x is age in months (or length in mm); L, M, S where known; SD lines in tenths
CREATE TABLE growth_ref(
  standard TEXT NOT NULL,
  sex INTEGER NOT NULL,
  x INTEGER NOT NULL,
  version INTEGER NOT NULL,
  l_e4 INTEGER,
  m_e4 INTEGER,
  s_e5 INTEGER,
  sd3neg_e1 INTEGER,
  sd2neg_e1 INTEGER,
  sd1neg_e1 INTEGER,
  sd0_e1 INTEGER,
  sd1_e1 INTEGER,
  sd2_e1 INTEGER,
  sd3_e1 INTEGER,
  source TEXT,
  PRIMARY KEY(standard, sex, x, version)
) WITHOUT ROWID;

-- 课程 · parenting course
CREATE TABLE course(
  course_code TEXT NOT NULL,
  version INTEGER NOT NULL,
  title TEXT,
  domain INTEGER,
  from_month INTEGER,
  to_month INTEGER,
  content TEXT,
  source TEXT,
  PRIMARY KEY(course_code, version)
) WITHOUT ROWID;

-- 收费项目 · fee
CREATE TABLE fee_item(
  fee_code TEXT NOT NULL,
  version INTEGER NOT NULL,
  name_zh TEXT,
  name_en TEXT,
  unit TEXT,
  amount_fen INTEGER,
  source TEXT,
  PRIMARY KEY(fee_code, version)
) WITHOUT ROWID;

-- 规范参数 · a number that a norm fixes
CREATE TABLE norm_param(
  param TEXT NOT NULL,
  version INTEGER NOT NULL,
  value INTEGER,
  unit TEXT,
  name_zh TEXT,
  name_en TEXT,
  source TEXT,
  PRIMARY KEY(param, version)
) WITHOUT ROWID;

-- 指标 · an indicator and its target
CREATE TABLE indicator_def(
  indicator TEXT NOT NULL,
  version INTEGER NOT NULL,
  name_zh TEXT,
  name_en TEXT,
  unit TEXT,
  target_e2 INTEGER,
  formula TEXT,
  source TEXT,
  PRIMARY KEY(indicator, version)
) WITHOUT ROWID;

-- 人口 · residents of a street (街道) by the district's count; version is the day counted; subdistrict_code has 9 digits
CREATE TABLE population(
  subdistrict_code TEXT NOT NULL,
  version INTEGER NOT NULL,
  name_zh TEXT,
  residents INTEGER,
  under3 INTEGER,
  source TEXT,
  PRIMARY KEY(subdistrict_code, version)
) WITHOUT ROWID;

-- 补助标准 · a rate of subsidy, valid for months that begin on `version` or later, until a later version.  A child who
-- was present on min_days days of the month or more earns per_month_fen, and each of her days per_day_fen; class_kind,
-- service_type NULL: any; inclusive_only 1: only at facilities with is_inclusive
CREATE TABLE subsidy_rate(
  rate_code TEXT NOT NULL,
  version INTEGER NOT NULL,
  name_zh TEXT,
  class_kind INTEGER,
  service_type INTEGER,
  inclusive_only INTEGER NOT NULL DEFAULT 0,
  min_days INTEGER NOT NULL DEFAULT 1,
  per_month_fen INTEGER NOT NULL DEFAULT 0,
  per_day_fen INTEGER NOT NULL DEFAULT 0,
  source TEXT,
  PRIMARY KEY(rate_code, version)
) WITHOUT ROWID;

-- ---------------------------------------------------------------- 本机 · this machine only: never sent

-- 本机口令 · PIN verifiers
CREATE TABLE local_pin(
  staff_id BLOB NOT NULL PRIMARY KEY,
  verifier BLOB NOT NULL
) WITHOUT ROWID;

-- 已答复的提交 · answers already given to POST /api/v1/batch, by the sender's key
CREATE TABLE local_batch_key(
  key TEXT NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  row_id BLOB
) WITHOUT ROWID;

-- 本机按告知改写的行 · rows that were written to fit what was said (node/facility/word.h)
CREATE TABLE local_word(
  thing TEXT NOT NULL,
  k1 BLOB NOT NULL,
  k2 TEXT NOT NULL,
  shown INTEGER,
  said BLOB,
  PRIMARY KEY(thing, k1, k2)
) WITHOUT ROWID;
