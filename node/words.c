/*
 * node/words.c - the list.  Its order is part of the contract: hub and node may
 * be of different versions and must show the same words, so no line may ever
 * move or change.
 */
#include "node/words.h"

#include "store/base/hash.h"

#include <string.h>

static const char *const list[WORDS_LIST][2] = {
	{ "苹果", "apple" },       { "香蕉", "banana" },     { "西瓜", "melon" },
	{ "葡萄", "grape" },       { "草莓", "strawberry" }, { "樱桃", "cherry" },
	{ "桃子", "peach" },       { "梨子", "pear" },       { "柠檬", "lemon" },
	{ "橙子", "orange" },      { "菠萝", "pineapple" },  { "石榴", "pomegranate" },
	{ "核桃", "walnut" },      { "花生", "peanut" },     { "板栗", "chestnut" },
	{ "番茄", "tomato" },      { "黄瓜", "cucumber" },   { "南瓜", "pumpkin" },
	{ "土豆", "potato" },      { "萝卜", "radish" },     { "白菜", "cabbage" },
	{ "菠菜", "spinach" },     { "玉米", "corn" },       { "蘑菇", "mushroom" },
	{ "大蒜", "garlic" },      { "生姜", "ginger" },     { "洋葱", "onion" },
	{ "豆腐", "tofu" },        { "米饭", "rice" },       { "面条", "noodle" },
	{ "馒头", "bun" },         { "饺子", "dumpling" },   { "面包", "bread" },
	{ "蛋糕", "cake" },        { "饼干", "biscuit" },    { "鸡蛋", "egg" },
	{ "牛奶", "milk" },        { "蜂蜜", "honey" },      { "茶叶", "tea" },
	{ "白糖", "sugar" },       { "海盐", "salt" },       { "胡椒", "pepper" },
	{ "果酱", "jam" },         { "老虎", "tiger" },      { "狮子", "lion" },
	{ "大象", "elephant" },    { "长颈鹿", "giraffe" },  { "斑马", "zebra" },
	{ "熊猫", "panda" },       { "猴子", "monkey" },     { "兔子", "rabbit" },
	{ "狐狸", "fox" },         { "小鹿", "deer" },       { "骆驼", "camel" },
	{ "绵羊", "sheep" },       { "山羊", "goat" },       { "奶牛", "cow" },
	{ "骏马", "horse" },       { "毛驴", "donkey" },     { "花猫", "cat" },
	{ "小狗", "dog" },         { "松鼠", "squirrel" },   { "刺猬", "hedgehog" },
	{ "老鼠", "mouse" },       { "蝙蝠", "bat" },        { "企鹅", "penguin" },
	{ "孔雀", "peacock" },     { "天鹅", "swan" },       { "鸭子", "duck" },
	{ "公鸡", "rooster" },     { "鸽子", "pigeon" },     { "喜鹊", "magpie" },
	{ "老鹰", "eagle" },       { "鹦鹉", "parrot" },     { "鲸鱼", "whale" },
	{ "海豚", "dolphin" },     { "章鱼", "octopus" },    { "螃蟹", "crab" },
	{ "虾米", "shrimp" },      { "乌龟", "turtle" },     { "青蛙", "frog" },
	{ "蜗牛", "snail" },       { "蝴蝶", "butterfly" },  { "蜜蜂", "bee" },
	{ "蚂蚁", "ant" },         { "蜻蜓", "dragonfly" },  { "瓢虫", "ladybird" },
	{ "蟋蟀", "cricket" },     { "贝壳", "shell" },      { "珊瑚", "coral" },
	{ "恐龙", "dinosaur" },    { "龙舟", "dragonboat" }, { "太阳", "sun" },
	{ "月亮", "moon" },        { "星星", "star" },       { "白云", "cloud" },
	{ "彩虹", "rainbow" },     { "雪花", "snowflake" },  { "雨滴", "raindrop" },
	{ "闪电", "lightning" },   { "大风", "wind" },       { "浓雾", "fog" },
	{ "冰块", "ice" },         { "火焰", "flame" },      { "高山", "mountain" },
	{ "河流", "river" },       { "湖泊", "lake" },       { "大海", "ocean" },
	{ "沙滩", "beach" },       { "沙漠", "desert" },     { "森林", "forest" },
	{ "草原", "meadow" },      { "岛屿", "island" },     { "瀑布", "waterfall" },
	{ "山洞", "cave" },        { "小溪", "brook" },      { "田野", "field" },
	{ "石头", "stone" },       { "沙子", "sand" },       { "黄金", "gold" },
	{ "白银", "silver" },      { "铜铃", "bell" },       { "铁锤", "hammer" },
	{ "玻璃", "glass" },       { "竹子", "bamboo" },     { "松树", "pine" },
	{ "柳树", "willow" },      { "枫叶", "maple" },      { "种子", "seed" },
	{ "树根", "root" },        { "嫩芽", "sprout" },     { "玫瑰", "rose" },
	{ "荷花", "lotus" },       { "菊花", "daisy" },      { "梅花", "plum" },
	{ "向日葵", "sunflower" }, { "牡丹", "peony" },      { "兰花", "orchid" },
	{ "郁金香", "tulip" },     { "青草", "grass" },      { "仙人掌", "cactus" },
	{ "苔藓", "moss" },        { "红色", "red" },        { "黄色", "yellow" },
	{ "蓝色", "blue" },        { "绿色", "green" },      { "紫色", "purple" },
	{ "白色", "white" },       { "黑色", "black" },      { "粉色", "pink" },
	{ "棕色", "brown" },       { "房子", "house" },      { "大门", "gate" },
	{ "窗户", "window" },      { "楼梯", "stairs" },     { "屋顶", "roof" },
	{ "花园", "garden" },      { "厨房", "kitchen" },    { "学校", "school" },
	{ "医院", "hospital" },    { "商店", "shop" },       { "车站", "station" },
	{ "机场", "airport" },     { "港口", "harbour" },    { "灯塔", "lighthouse" },
	{ "城堡", "castle" },      { "宝塔", "pagoda" },     { "长城", "wall" },
	{ "隧道", "tunnel" },      { "大桥", "bridge" },     { "街道", "street" },
	{ "广场", "square" },      { "村庄", "village" },    { "工厂", "factory" },
	{ "农场", "farm" },        { "风车", "windmill" },   { "帐篷", "tent" },
	{ "汽车", "car" },         { "火车", "train" },      { "飞机", "plane" },
	{ "轮船", "ship" },        { "小舟", "boat" },       { "单车", "bicycle" },
	{ "卡车", "truck" },       { "电车", "tram" },       { "火箭", "rocket" },
	{ "气球", "balloon" },     { "风筝", "kite" },       { "降落伞", "parachute" },
	{ "车轮", "wheel" },       { "船锚", "anchor" },     { "指南针", "compass" },
	{ "地图", "map" },         { "桌子", "table" },      { "椅子", "chair" },
	{ "床铺", "bed" },         { "枕头", "pillow" },     { "毛毯", "blanket" },
	{ "柜子", "cupboard" },    { "镜子", "mirror" },     { "台灯", "lamp" },
	{ "蜡烛", "candle" },      { "灯笼", "lantern" },    { "钟表", "clock" },
	{ "雨伞", "umbrella" },    { "钥匙", "key" },        { "篮子", "basket" },
	{ "水桶", "bucket" },      { "扫帚", "broom" },      { "肥皂", "soap" },
	{ "毛巾", "towel" },       { "牙刷", "toothbrush" }, { "梳子", "comb" },
	{ "剪刀", "scissors" },    { "针线", "needle" },     { "纽扣", "button" },
	{ "绳子", "rope" },        { "梯子", "ladder" },     { "盘子", "plate" },
	{ "杯子", "cup" },         { "勺子", "spoon" },      { "筷子", "chopsticks" },
	{ "茶壶", "teapot" },      { "瓶子", "bottle" },     { "帽子", "hat" },
	{ "手套", "glove" },       { "围巾", "scarf" },      { "鞋子", "shoe" },
	{ "袜子", "sock" },        { "外套", "coat" },       { "裙子", "skirt" },
	{ "口袋", "pocket" },      { "眼镜", "spectacles" }, { "书本", "book" },
	{ "铅笔", "pencil" },      { "橡皮", "eraser" },     { "尺子", "ruler" },
	{ "纸张", "paper" },       { "信封", "envelope" },   { "粉笔", "chalk" },
	{ "画笔", "brush" },       { "颜料", "paint" },      { "陀螺", "top" },
	{ "皮球", "ball" },        { "秋千", "swing" },      { "滑梯", "slide" },
	{ "拼图", "puzzle" },      { "象棋", "chess" },      { "铜鼓", "drum" },
	{ "笛子", "flute" },       { "钢琴", "piano" },      { "提琴", "violin" },
	{ "喇叭", "trumpet" },     { "吉他", "guitar" },     { "口哨", "whistle" },
	{ "驿站", "relay" },
};

void
words_of(uint8_t words[WORDS], const uint8_t hub_key[CODE_KEY], const uint8_t node_key[CODE_KEY],
         const struct code *code)
{
	char plain[CODE_CHARS + 1];
	uint8_t all[HASH_16];
	struct hash h;

	code_plain(code, plain);
	hash_start(&h, sizeof all);
	hash_add(&h, hub_key, CODE_KEY);
	hash_add(&h, node_key, CODE_KEY);
	hash_add(&h, plain, CODE_CHARS);
	hash_end(&h, all);
	memcpy(words, all, WORDS);
}

const char *
words_word(uint8_t number, enum words_language language)
{
	return list[number][language == WORDS_EN];
}

void
words_write(struct buf *out, const uint8_t words[WORDS], enum words_language language)
{
	for (unsigned i = 0; i < WORDS; i++)
		buf_printf(out, i == 0 ? "%s" : " %s", words_word(words[i], language));
}
