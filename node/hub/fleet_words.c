#include "node/hub/fleet_words.h"

static const char *const words[FW_COUNT][PAGE_LANGS] = {
	[FW_LANG] = { "zh-CN", "en" },
	[FW_TITLE] = { "站点总览", "The fleet" },
	[FW_OTHER_LANG] = { "English", "中文" },
	[FW_OTHER_CODE] = { "en", "zh-CN" },
	[FW_SKIP] = { "跳到列表", "Skip to the list" },
	[FW_AT] = { "#1 UTC", "#1 UTC" },
	[FW_SIGNED_IN] = { "已登录：#1", "Signed in: #1" },
	[FW_LEAVE] = { "退出", "Sign out" },
	[FW_SIGN_IN] = { "登录", "Sign in" },
	[FW_NAME] = { "名称", "Name" },
	[FW_PASSWORD] = { "密码", "Password" },
	[FW_ENTER] = { "登录", "Sign in" },
	[FW_HOW] = { "密码由中心管理员生成：yizhan admin new 名称",
	             "The password is made at the hub: yizhan admin new NAME" },
	[FW_WRONG] = { "没有登录：名称或密码不对，或已失效。",
	               "Not signed in: name or password is wrong, or no longer valid." },
	[FW_MANY] = { "没有登录：尝试次数太多，请在 #1 秒后再试。",
	              "Not signed in: too many tries. Try again in #1 s." },
	[FW_OLD_FORM] = { "没有登录：页面已过期，请再试一次。",
	                  "Not signed in: this page was too old. Try once more." },
	[FW_STATES] = { "各状态的节点数", "Nodes by state" },
	[FW_FILTER] = { "筛选", "Filter" },
	[FW_ALL] = { "全部", "all" },
	[FW_STATE] = { "状态", "State" },
	[FW_STREET] = { "街道", "Subdistrict" },
	[FW_VERSION] = { "版本", "Version" },
	[FW_BACKLOG] = { "未上传的记录", "Backlog" },
	[FW_BACKLOG_MIN] = { "未上传不少于", "Backlog at least" },
	[FW_SHOW] = { "显示", "Show" },
	[FW_MAP] = { "地图", "Map" },
	[FW_MAP_SAYS] = { "#1 个节点有坐标，#2 个没有；同样的内容在下面的列表里。",
	                  "#1 nodes have coordinates, #2 have none; the list below says the "
	                  "same." },
	[FW_NO_PLACES] = { "没有节点填写坐标。", "No node has coordinates." },
	[FW_TABLE] = { "节点，最需要处理的在前", "Nodes, gravest first" },
	[FW_NONE] = { "没有这样的节点。", "There is no such node." },
	[FW_NODE] = { "节点", "Node" },
	[FW_FACILITY] = { "机构", "Facility" },
	[FW_CAME] = { "上次交换（UTC）", "Last exchange (UTC)" },
	[FW_NEVER_CAME] = { "从未", "never" },
	[FW_DIGEST] = { "核对", "Rows" },
	[FW_DISK] = { "磁盘剩余", "Disk room" },
	[FW_CLOCK] = { "时钟偏差", "Clock" },
	[FW_NEEDS] = { "需要处理", "What is the matter" },
	[FW_UNKNOWN] = { "未知", "unknown" },
	[FW_EQUAL] = { "一致", "equal" },
	[FW_UNEQUAL] = { "不一致", "unequal" },
	[FW_PAGES] = { "翻页", "Pages" },
	[FW_PAGE] = { "第 #1 页，共 #2 页", "Page #1 of #2" },
	[FW_EARLIER] = { "上一页", "Previous" },
	[FW_LATER] = { "下一页", "Next" },
	[FW_RESTORED] = { "本周恢复过旧文件", "was restored this week" },
	[FW_CLONED] = { "有两份副本在用", "two copies are in use" },
	[FW_HUB_BACK] = { "发现中心退回旧状态", "saw the hub go back" },
};

const char *
fleet_word(enum page_lang lang, enum fleet_word word)
{
	return words[word][lang];
}

const char *
fleet_word_state(enum page_lang lang, enum fleet_state state)
{
	static const char *const names[FLEET_STATES][PAGE_LANGS] = {
		[FLEET_ALARM] = { "告警", "Alarm" },
		[FLEET_WARNING] = { "注意", "Warning" },
		[FLEET_NEVER] = { "从未连接", "Never" },
		[FLEET_IN_ORDER] = { "正常", "In order" },
		[FLEET_REVOKED] = { "已吊销", "Revoked" },
	};

	return names[state][lang];
}

const char *
fleet_word_cause(enum page_lang lang, size_t i)
{
	/* in the order of enum fleet_cause */
	static const char *const names[FLEET_CAUSES][PAGE_LANGS] = {
		{ "72 小时没有交换", "no exchange for 72 h" },
		{ "与中心核对不一致", "rows differ from the hub's" },
		{ "磁盘已满", "disk full" },
		{ "26 小时没有交换", "no exchange for 26 h" },
		{ "磁盘空间不足", "little disk room" },
		{ "有隔离的更改", "changes in quarantine" },
		{ "有未处理的冲突", "open conflicts" },
		{ "时钟不准", "clock is off" },
		{ "有记录没有上传", "records not sent" },
	};

	return names[i][lang];
}
