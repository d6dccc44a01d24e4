// agreed.mjs - from the platform's request to "it was done", in a real browser without JavaScript, in two
// languages: who may fetch a child is a choice once that was accepted; what was accepted for today has buttons
// that say it was done; announcements and experts' comments stand on the page; the platform's feed tells all.
import { createRequire } from 'node:module';
import { spawn, execFileSync } from 'node:child_process';

const require = createRequire(new URL('../../packaging/npm/x.js', import.meta.url));
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');

const yizhan = process.env.YIZHAN, hub = `${process.env.SCRATCH}/hub`, node = `${process.env.SCRATCH}/f1`;
let passed = 0, failed = 0;

function check(ok, what) {
	if (ok) {
		passed++;
	} else {
		failed++;
		console.log(`FAILED: ${what}`);
	}
}

function run(dir, ...args) {
	return execFileSync(yizhan, ['-C', dir, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

const rows = (dir, sql) => JSON.parse(run(dir, 'sql', '--json', sql));

function serve(dir) {
	const child = spawn(yizhan, ['-C', dir, 'run', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
	return new Promise((done, fail) => {
		child.stdout.on('data', (text) => {
			const at = /http:\/\/\S+/.exec(String(text));
			if (at)
				done({ child, url: at[0] });
		});
		child.on('exit', (code) => fail(new Error(`the daemon ended: ${code}`)));
	});
}

// ---------------------------------------------------------------- the platform asks

run(hub, 'init', '--hub');
const center = await serve(hub);
run(node, 'init', '--facility', 'F1', '--name', '小星星托育中心');
run(node, 'import', 'roster', 'packaging/rosters/centre-2.csv');
run(node, 'enrol', JSON.parse(run(hub, 'enrol', 'new', '--facility', 'F1', '--auto', '--json')).code, center.url);
run(node, 'sync');
const tables = 'medication_request,booking,pickup_auth,course_order,growth_comment,announcement';
const token = (scope, write) => run(hub, 'token', 'new', '--scope', scope, '--write', write, '--personal').split('\n')[0];
const headers = { Authorization: `Bearer ${token('f/F1', tables)}` };
const wide = { Authorization: `Bearer ${token('all', 'course,district_announcement')}` };
const [{ child, name }] = rows(node,
	'SELECT lower(hex(c.id)) AS child, c.name FROM enrollment e JOIN child c ON c.id = e.child_id LIMIT 1');
const id = (n) => `000000000000000000000000000000${n}`;
const day = (later) => Number(new Date(Date.now() + 8 * 3600000 + later * 86400000).toISOString().slice(0, 10).replaceAll('-', ''));
const noon = Date.parse(`${new Date(Date.now() + 8 * 3600000).toISOString().slice(0, 10)}T12:00:00+08:00`);

async function post(as, list) {
	const lines = list.map(([table, row]) => JSON.stringify({ key: `${table}/${row.id ?? row.course_code}`, table, op: 'upsert', row }));
	const answer = await (await fetch(`${center.url}/v1/records`, { method: 'POST', headers: as, body: `${lines.join('\n')}\n` })).text();
	check(answer.split('"state":"stored"').length - 1 === list.length, `the hub has stored all: ${answer}`);
}

await post(headers, [
	['pickup_auth', { id: id(21), child_id: child, name: '<i>姑姑</i>', relation: '姑母', valid_to: day(5) }],
	['medication_request', { id: id(22), child_id: child, drug: '布洛芬', dose_text: '2 ml', time_bits: 2 ** 24 + 2 ** 42,
		date_from: day(0), date_to: day(0) }],
	['booking', { id: id(23), kind: 1, guardian_name: '张三', wanted_at: noon }],
	['booking', { id: id(24), kind: 1, guardian_name: '李四', wanted_at: noon }],
	['course_order', { id: id(25), course_code: 'C1', buyer_name: '赵六', places: 2, from_date: day(0) }],
	['growth_comment', { id: id(26), child_id: child, month_age: 20, text: '多户外', author: '李医生', at: Date.now() }],
	['announcement', { id: id(27), title: '本园停课', valid_to: day(3) }],
].map(([table, row]) => [table, { facility_id: 'F1', ...row }]));
await post(wide, [
	['course', { course_code: 'C1', version: 1, title: '亲子阅读' }],
	['district_announcement', { id: id(28), title: '台风停课', content: '全区', valid_to: day(3) }],
]);
run(node, 'sync');

// ---------------------------------------------------------------- a carer answers, and does it

const home = await serve(node);
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync'],
});

try {
	const plain = await browser.newContext({ javaScriptEnabled: false, locale: 'zh-CN' });
	const page = await plain.newPage();
	const errors = [];
	const asked = (of) => page.locator(`li:has(input[name=of][value=${of}])`);
	const agreed = (n) => page.locator(`li:has(input[name=agreed][value="${id(n)}"])`);
	const kid = page.locator(`li:has(input[name=child][value="${child}"])`);

	page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
	await page.goto(home.url);
	check(await page.locator('section:has(#requests) li').count() === 5, 'five wait');
	check(await page.locator('#agreed').count() === 0, 'nothing is accepted yet');
	const news = await page.locator('section:has(#news)').innerText();
	check(news.includes('台风停课 · 区级') && news.includes('本园停课'), `the announcements: ${news}`);
	const comment = await page.locator('section:has(#comments)').innerText();
	check(comment.includes(`${name} 20 月龄：多户外 — 李医生`), `the comment: ${comment}`);

	await kid.locator('button[value=arrival]').click();
	check(!(await kid.locator('select[name=adult]').innerText()).includes('姑姑'), 'nobody here has accepted her aunt');
	check((await asked('pickup').innerText()).includes('<i>姑姑</i> (姑母)'), 'the aunt is asked for, as text');
	await asked('pickup').locator('button[value=accept]').click();
	check(await asked('pickup').count() === 0, 'accepted');
	check((await kid.locator('select[name=adult]').innerText()).includes('<i>姑姑</i> 姑母'), 'now she may be chosen');

	for (const of of ['medicine', 'order', 'booking', 'booking'])
		await asked(of).first().locator('button[value=accept]').click();
	check(await page.locator('#requests').count() === 0, 'all is answered');
	check(await page.locator('section:has(#agreed) li').count() === 4, 'and for today');
	check((await agreed(22).innerText()).includes('喂药时间 12:00 16:30'), 'when it is due');
	await agreed(22).getByRole('button', { name: `已喂药 12:00 ${name}` }).click();
	check(page.url().endsWith('#agreed'), `whoever says so stays there: ${page.url()}`);
	check((await agreed(22).innerText()).includes('已喂 12:00'), 'what was given is said');
	check(await agreed(22).locator('button').count() === 1, 'and has no button any more');
	await agreed(23).locator('button[value=came]').click();
	check(await agreed(23).count() === 0, 'who came is off the list');
	check(errors.length === 0, `nothing breaks, the policy neither: ${errors.join('; ')}`);
	if (process.env.SHOT)
		await page.screenshot({ path: process.env.SHOT, fullPage: true });

	const english = await browser.newContext({ locale: 'en-GB', bypassCSP: true });
	const second = await english.newPage();
	await second.goto(home.url);
	check((await second.locator('section:has(#agreed) h2').innerText()) === 'Accepted, for today', 'in English');
	await second.addScriptTag({ path: axe });
	const found = await second.evaluate(() => globalThis.axe.run());
	check(found.violations.length === 0, `axe: ${found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`).join('; ')}`);
	for (const what of ['given', 'missed', 'done'])
		check((await second.locator(`button[value=${what}]`).first().boundingBox()).height >= 44, `${what} is high enough for a finger`);
	await second.getByRole('button', { name: `Given: 16:30 ${name}` }).click();
	await second.getByRole('button', { name: 'Did not come 李四' }).click();
	check((await second.locator('section:has(#agreed)').innerText()).includes('亲子阅读 × 2'), 'the course');
	await second.getByRole('button', { name: 'Done 赵六' }).click();
	check((await second.locator('section:has(#agreed)').innerText()).includes('all given today'), 'both doses');
	check(await second.locator('section:has(#agreed) button').count() === 0, 'nothing is left to do');

	// ------------------------------------------------------------ the platform hears

	run(node, 'sync');
	const feed = (await (await fetch(`${center.url}/v1/changes?limit=10000`, { headers })).text()).split('\n');
	const last = (table, key) => feed.filter((l) => l.includes(`"table":"${table}"`) && l.includes(key)).pop() ?? '';
	check(/"asked":1,"review":1,.*"wording":null,"review_of":"@\d+"/.test(last('pickup_auth', id(21))), `the aunt: ${last('pickup_auth', id(21))}`);
	check(feed.filter((l) => l.includes('"table":"medication_given"') && l.includes('"dose":"2 ml"')).length === 2, 'two doses');
	check(/"state":3/.test(last('booking', id(23))), `came: ${last('booking', id(23))}`);
	check(/"state":5/.test(last('booking', id(24))), `did not come: ${last('booking', id(24))}`);
	check(/"review":1,.*"done_at":\d/.test(last('course_order', id(25))), `the course: ${last('course_order', id(25))}`);
} finally {
	await browser.close();
	for (const { child: daemon } of [home, center]) {
		daemon.removeAllListeners('exit');
		daemon.kill('SIGTERM');
	}
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
