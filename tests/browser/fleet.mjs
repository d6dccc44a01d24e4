// fleet.mjs - the hub's page in a real browser: in with a password and out again,
// complete without JavaScript, in two languages, without an accessibility fault.
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

const run = (dir, ...args) => execFileSync(yizhan, ['-C', dir, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

function serve() {
	const child = spawn(yizhan, ['-C', hub, 'run', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
	return new Promise((done, fail) => {
		child.stdout.on('data', (text) => {
			const at = /http:\/\/\S+/.exec(String(text));
			if (at)
				done({ child, url: at[0] });
		});
		child.on('exit', (code) => fail(new Error(`the daemon ended: ${code}`)));
	});
}

run(hub, 'init', '--hub');
run(node, 'init', '--facility', 'F1', '--name', '<b>小星星</b>托育中心');
run(node, 'sql', 'UPDATE facility SET lat_e6 = 30319000, lon_e6 = 120142000');
const password = run(hub, 'admin', 'new', 'wang').split('\n')[0];
const { child, url } = await serve();
run(node, 'enrol', run(hub, 'enrol', 'new', '--facility', 'F1', '--auto').split('\n')[0], url);
run(node, 'sync');
run(node, 'sync');
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync'],
});

async function enter(page, typed) {
	await page.fill('input[name=name]', 'wang');
	await page.fill('input[name=password]', typed);
	await page.click('main button');
}

async function axeFinds(page, where) {
	await page.addScriptTag({ path: axe });
	const found = await page.evaluate(() => globalThis.axe.run());
	check(found.violations.length === 0,
		`axe, ${where}: ${found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`).join('; ')}`);
}

try {
	const plain = await browser.newContext({ javaScriptEnabled: false, locale: 'zh-CN' });
	const page = await plain.newPage();
	const errors = [];

	page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
	await page.goto(`${url}/fleet`);
	check(new URL(page.url()).pathname === '/fleet/signin', `to the form: ${page.url()}`);
	await enter(page, 'WRONG-WRONG-WRONG-WRONG');
	check(await page.locator('[role=alert]').count() === 1, 'a wrong password is told');
	errors.length = 0; // the browser calls that answer of 403 one
	await enter(page, password.toLowerCase().replaceAll('-', ' '));
	check(new URL(page.url()).pathname === '/fleet', `in: ${page.url()}`);
	const cookie = (await plain.cookies()).find((c) => c.name === 'yz_fleet');
	check(cookie && cookie.httpOnly && cookie.sameSite === 'Strict', `the cookie: ${JSON.stringify(cookie)}`);
	check((await page.locator('html').getAttribute('lang')) === 'zh-CN', 'Chinese for a Chinese browser');
	check(await page.locator('tbody tr').count() === 1, 'a row a node');
	check(await page.locator('svg.map circle').count() === 1, 'a mark on the map');
	check((await page.locator('tbody tr').innerText()).includes('一致'), 'the rows are the same');
	check((await page.content()).includes('&lt;b&gt;小星星&lt;/b&gt;'), 'a name is text, not markup');
	await page.selectOption('select[name=state]', 'alarm');
	await page.click('main form button');
	check(await page.locator('tbody tr').count() === 0, 'no alarm');
	await page.goto(`${url}/fleet?state=in_order&street=nowhere`);
	check(await page.locator('tbody tr').count() === 0, 'nobody there');

	const other = await browser.newContext({ locale: 'en-GB', bypassCSP: true });
	const second = await other.newPage();
	await second.goto(`${url}/fleet`);
	check((await second.locator('html').getAttribute('lang')) === 'en', 'English for an English browser');
	await axeFinds(second, 'the form');
	await enter(second, password);
	await axeFinds(second, 'the page');
	await second.goto(`${url}/snippets`);
	await axeFinds(second, 'the snippets');
	await page.goto(`${url}/snippets`);
	check(await page.locator('pre').count() > 10, 'the snippets');
	check(errors.length === 0, `nothing breaks the page's own policy: ${errors[0]}`);
	if (process.env.SHOT)
		await second.screenshot({ path: process.env.SHOT, fullPage: true });

	await page.goto(`${url}/fleet`);
	await page.click('header form button');
	check(new URL(page.url()).pathname === '/fleet/signin', 'out');
	await page.goto(`${url}/fleet`);
	check(new URL(page.url()).pathname === '/fleet/signin', 'and out it stays');
} finally {
	await browser.close();
	child.removeAllListeners('exit');
	child.kill('SIGTERM');
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
