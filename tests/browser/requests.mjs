// requests.mjs - what the platform asks of a facility, in a real browser without
// JavaScript: it is on the page, two buttons answer it, in two languages, and the
// answer is in the platform's feed.
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
const token = run(hub, 'token', 'new', '--scope', 'f/F1', '--write', 'leave_request,medication_request,booking', '--personal')
	.split('\n')[0];
const [{ id: enrollment, child, name }] = rows(node,
	'SELECT lower(hex(e.id)) AS id, lower(hex(c.id)) AS child, c.name FROM enrollment e JOIN child c ON c.id = e.child_id LIMIT 1');
const id = (n) => `000000000000000000000000000000${n}`;
const day = (later) => Number(new Date(Date.now() + 8 * 3600000 + later * 86400000).toISOString().slice(0, 10).replaceAll('-', ''));
const asked = [
	['leave_request', { id: id(11), enrollment_id: enrollment, date_from: day(0), date_to: day(1), type: 1, reason: '<b>发热</b>', source: 1 }],
	['leave_request', { id: id(12), enrollment_id: enrollment, date_from: day(-3), date_to: day(-2), type: 2, reason: '过去', source: 1 }],
	['medication_request', { id: id(13), child_id: child, drug: '布洛芬', dose_text: '5 ml', date_from: day(0), date_to: day(0) }],
	['booking', { id: id(14), kind: 1, guardian_name: '张三', note: '下午可以吗' }],
].map(([table, row]) => JSON.stringify({ key: row.id, table, op: 'upsert', row: { facility_id: 'F1', ...row } })).join('\n');
const headers = { Authorization: `Bearer ${token}` };
const stored = await (await fetch(`${center.url}/v1/records`, { method: 'POST', headers, body: `${asked}\n` })).text();
check(stored.split('"state":"stored"').length - 1 === 4, `the hub has stored all four: ${stored}`);
run(node, 'sync');

// ---------------------------------------------------------------- a carer answers

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
	const item = (of) => page.locator(`li:has(input[name=of][value=${of}])`);

	page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
	await page.goto(home.url);
	check(await page.locator('section:has(#requests) li').count() === 3, 'three wait, what is over does not');
	const leave = await item('leave').innerText();
	check(leave.includes(name) && leave.includes('病假') && leave.includes('“<b>发热</b>”'), `who, what and why, as text: ${leave}`);
	check((await item('medicine').innerText()).includes('布洛芬 5 ml'), 'the medicine');
	check((await item('booking').innerText()).includes('张三'), 'the tour');

	await item('medicine').locator('button[value=decline]').click();
	check((await page.locator('p.notice').innerText()).includes('请写明原因'), 'no refusal without a reason');
	check(rows(node, 'SELECT review FROM medication_request')[0].review === null, 'and nothing is written');

	await item('medicine').locator('input[name=note]').fill('没有处方');
	await item('medicine').locator('button[value=decline]').click();
	check(await item('medicine').count() === 0, 'what is answered waits no more');
	check(page.url().endsWith('#requests'), `whoever answers stays with the requests: ${page.url()}`);
	await item('leave').locator('input[name=note]').press('Enter');
	check(await item('leave').count() === 1, 'the return key says neither yes nor no');
	await item('leave').locator('button[value=accept]').click();
	check(await item('leave').count() === 0, 'accepted');
	check(errors.length === 1 && errors[0].includes('400'), `beside the refusal nothing breaks, the policy neither: ${errors.join('; ')}`);
	if (process.env.SHOT)
		await page.screenshot({ path: process.env.SHOT });

	const english = await browser.newContext({ locale: 'en-GB', bypassCSP: true });
	const second = await english.newPage();
	await second.goto(home.url);
	check((await second.locator('section:has(#requests) h2').innerText()).includes('1 to answer'), 'one is left, in English');
	await second.addScriptTag({ path: axe });
	const found = await second.evaluate(() => globalThis.axe.run());
	check(found.violations.length === 0, `axe: ${found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`).join('; ')}`);
	for (const what of ['button[value=accept]', 'input[name=note]'])
		check((await second.locator(what).first().boundingBox()).height >= 44, `${what} is high enough for a finger`);
	await second.getByRole('textbox', { name: 'Answer to 张三' }).fill('at three');
	await second.getByRole('button', { name: 'Accept 张三' }).click();
	check(await second.locator('#requests').count() === 0, 'none is left');

	// ------------------------------------------------------------ the platform hears

	run(node, 'sync');
	const feed = (await (await fetch(`${center.url}/v1/changes?limit=10000`, { headers })).text()).split('\n');
	const last = (table, key) => feed.filter((l) => l.includes(`"table":"${table}"`) && l.includes(key)).pop() ?? '';
	check(/"review":1,"review_note":null/.test(last('leave_request', id(11))), `the leave: ${last('leave_request', id(11))}`);
	check(/"review":2,"review_note":"没有处方"/.test(last('medication_request', id(13))), `the medicine: ${last('medication_request', id(13))}`);
	check(/"state":2,.*"note":"下午可以吗".*"review_note":"at three"/.test(last('booking', id(14))), `the tour: ${last('booking', id(14))}`);
} finally {
	await browser.close();
	for (const { child: daemon } of [home, center]) {
		daemon.removeAllListeners('exit');
		daemon.kill('SIGTERM');
	}
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
