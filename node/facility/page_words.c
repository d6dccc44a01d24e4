#include "node/facility/page_words.h"

#include <assert.h>
#include <stddef.h>

static const char *const words[W_COUNT][PAGE_LANGS] = {
	[W_LANG] = { "zh-CN", "en" },
	[W_TODAY] = { "今日", "Today" },
	[W_SKIP] = { "跳到主要内容", "Skip to the children" },
	[W_OTHER_LANG] = { "English", "中文" },
	[W_OTHER_LANG_CODE] = { "en", "zh-CN" },
	[W_ENROLLED] = { "在册", "Enrolled" },
	[W_EXPECTED] = { "未到", "Expected" },
	[W_PRESENT] = { "在园", "Here" },
	[W_LEFT] = { "已离园", "Gone home" },
	[W_ABSENT] = { "缺勤", "Absent" },
	[W_VISITS] = { "今日到访", "Visits" },
	[W_CLASSES] = { "班级", "Classes" },
	[W_NO_CLASS] = { "未分班", "Without a class" },
	[W_CLASS_COUNT] = { "在园 #1 / 在册 #2", "#1 here of #2" },
	[W_NOBODY] = { "还没有儿童名册。请导入：yizhan import roster 文件",
	               "No children yet. Import a roster: yizhan import roster FILE" },
	[W_ARRIVE] = { "入园 · 晨检正常", "Arrived · check normal" },
	[W_PICKUP] = { "离园", "Picked up" },
	[W_BY_WHOM] = { "接送人", "Picked up by" },
	[W_NOT_SAID] = { "接送人：未登记", "By: not noted" },
	[W_MARK_ABSENT] = { "登记缺勤", "Mark absent" },
	[W_REASON] = { "缺勤原因", "Reason of absence" },
	[W_UNDO] = { "撤销", "Undo" },
	[W_ALLERGY] = { "过敏：", "Allergic to: " },
	[W_IN_AT] = { "入园 ", "Arrived " },
	[W_OUT_AT] = { "离园 ", "Left " },
	[W_CARD_YELLOW] = { "黄牌：观察", "Yellow card: watch" },
	[W_CARD_RED] = { "红牌：服药", "Red card: medicine" },
	[W_ABSENT_TITLE] = { "今日缺勤", "Absent today" },
	[W_NAME] = { "姓名", "Name" },
	[W_CLASS] = { "班级", "Class" },
	[W_NONE_ABSENT] = { "没有登记缺勤的儿童。", "Nobody is marked absent." },
	[W_WEEKDAYS] = { "周一周二周三周四周五周六周日", "MonTueWedThuFriSatSun" },
	[W_SYNC_IN_SYNC] = { "已同步：与中心核对一致", "In sync: checked equal with the hub" },
	[W_SYNC_SYNCING] = { "正在同步", "Syncing now" },
	[W_SYNC_NEVER] = { "从未同步：#1 条更改只在本机",
	                   "Never synced: #1 changes are on this machine only" },
	[W_SYNC_WAITING] = { "#1 条更改等待上传，最早 #2",
	                     "#1 changes wait to be sent, the oldest since #2" },
	[W_SYNC_UNREACHABLE] = { "无法连接中心，没有待上传的更改",
	                         "The hub can't be reached; nothing waits to be sent" },
	[W_SYNC_ATTENTION] = { "需要处理：#1 处冲突，#2 条隔离",
	                       "Needs a person: #1 conflicts, #2 set aside" },
	[W_SYNC_DIFFERS] = { "需要处理：与中心核对不一致",
	                     "Needs a person: the records here and at the hub differ" },
	[W_SYNC_LAST] = { "上次成功 #1", "last good exchange #1" },
	[W_STREET] = { "本街道近期传染病", "Infections in this street" },
	[W_STREET_HOME] = { "家庭托育点", "home care points" },
	[W_STREET_FEW] = { "#1 起，1 至 2 例（#2）", "since #1, one or two children (#2)" },
	[W_STREET_SOME] = { "#1 起，3 至 4 例（#2）", "since #1, three or four children (#2)" },
	[W_STREET_MORE] = { "#1 起，5 例以上（#2）", "since #1, five children or more (#2)" },
	[W_SUSPECTED] = { "疑似", "suspected" },
	[W_CLINICAL] = { "临床诊断", "clinical" },
	[W_CONFIRMED] = { "确诊", "confirmed" },
	[W_COLON] = { "：", ": " },
	[W_SAVED_HERE] = { "记录保存在本机，断网也能用。",
	                   "Records are saved on this machine; it works without a line." },
	[W_BAD_FORM] = { "没有保存：表单不完整，请重新打开页面再试。",
	                 "Not saved: the form was incomplete. Open the page again." },
	[W_BAD_TOKEN] = { "没有保存：页面已过期，请重新打开页面再试。",
	                  "Not saved: this page is too old. Open the page again." },
	[W_UNKNOWN_CHILD] = { "没有保存：本机没有这名儿童在册。",
	                      "Not saved: this child is not enrolled here." },
	[W_NOT_ALLOWED] = { "没有保存：此人今日无权接走该儿童。",
	                    "Not saved: this person may not take the child home today." },
	[W_NOT_HERE] = { "没有保存：#1今天不在园。", "Not saved: #1 is not here today." },
	[W_NOTHING_TO_UNDO] = { "没有保存：本机没有要撤销的这条记录。",
	                        "Not saved: the record to undo is not on this machine." },
	[W_BAD_CLOCK] = { "没有保存：本机时钟不对，请先校准时间。",
	                  "Not saved: this machine's clock is wrong. Set it first." },
	[W_NOT_SAVED] = { "没有保存：这条记录与已有记录不符，请重新打开页面再试。",
	                  "Not saved: it doesn't go with what is recorded. Open the page again." },
	[W_DISK_FULL] = { "磁盘已满，请先腾出空间；之前保存的记录都在",
	                  "the disk is full, make room first; what was saved before is all there" },
	[W_ELSEWHERE] = { "在工作人员能够登录之前，此页面只在运行驿站的这台机器上打开。",
	                  "Until staff can sign in, this page opens only on the machine that "
	                  "yizhan runs on." },
};

/* The first is what a tap that chose nothing says: it must not claim an illness. */
const struct page_reason page_reasons[] = {
	{ "3:0", { "未请假", "no notice" } },
	{ "1:1", { "病假 · 发热", "ill: fever" } },
	{ "1:2", { "病假 · 咳嗽", "ill: cough" } },
	{ "1:16", { "病假 · 呕吐", "ill: vomiting" } },
	{ "1:32", { "病假 · 腹泻", "ill: diarrhoea" } },
	{ "1:64", { "病假 · 皮疹", "ill: rash" } },
	{ "2:0", { "事假", "private" } },
	{ "9:0", { "其他", "other" } },
};

const int page_reason_count = sizeof page_reasons / sizeof page_reasons[0];

const char *
page_word(enum page_lang lang, enum page_word word)
{
	assert(lang < PAGE_LANGS && word < W_COUNT && words[word][lang] != NULL);
	return words[word][lang];
}
