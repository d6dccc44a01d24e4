// page.mjs - the facility's first page in a real browser: complete without
// JavaScript, in two languages, without an accessibility fault; what is tapped is
// in the database.
import { createRequire } from 'node:module';
import { spawn, execFileSync } from 'node:child_process';

const require = createRequire(new URL('../../packaging/npm/x.js', import.meta.url));
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');

const yizhan = process.env.YIZHAN, dir = `${process.env.SCRATCH}/f1`;
let passed = 0, failed = 0;

function check(ok, what) {
	if (ok) {
		passed++;
	} else {
		failed++;
		console.log(`FAILED: ${what}`);
	}
}

function run(...args) {
	return execFileSync(yizhan, ['-C', dir, ...args], { encoding: 'utf8' });
}

const rows = (sql) => JSON.parse(run('sql', '--json', sql));

function serve() {
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

run('init', '--facility', 'F1', '--name', '小星星托育中心');
run('import', 'roster', 'packaging/rosters/centre-2.csv');
run('sql', "UPDATE child SET name = '<script>document.title=1</script>' WHERE id = (SELECT min(id) FROM child)");
const children = rows('SELECT count(*) AS n FROM child')[0].n;
const { child, url } = await serve();
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync'],
});

try {
	const plain = await browser.newContext({ javaScriptEnabled: false, locale: 'zh-CN' });
	const page = await plain.newPage();
	const errors = [];

	page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
	await page.goto(url);
	check(await page.locator('li:has(button[value=arrival])').count() === children, 'every child of the roster can arrive');
	check((await page.locator('html').getAttribute('lang')).startsWith('zh'), 'Chinese for a Chinese browser');
	check((await page.content()).includes('&lt;script&gt;document.title=1&lt;/script&gt;'), 'a name is text, not markup');
	check(await page.locator('p.sync').count() === 1, 'one line of sync state');

	await page.locator('button[value=arrival]').first().click();
	check(await page.locator('li.present').count() === 1, 'one tap: she is here');
	check(page.url().endsWith('#class-1'), `whoever taps stays with her class: ${page.url()}`);
	check(rows('SELECT count(*) AS n FROM attendance_event WHERE kind = 1')[0].n === 1, 'her arrival is a row');
	check(rows('SELECT count(*) AS n FROM health_check WHERE card = 1')[0].n === 1, 'and so is her normal morning check');

	await page.locator('button[value=absence]').first().click();
	check(await page.locator('li.absent').count() === 1, 'who is absent is shown');

	await page.locator('li.present button[value=pickup]').first().click();
	check(await page.locator('li.left').count() === 1, 'fetched');
	check(rows('SELECT count(*) AS n FROM attendance_event WHERE kind = 2')[0].n === 1, 'her going is a row');

	const token = await page.locator('input[name=token]').first().getAttribute('value');
	const id = await page.locator('input[name=child]').first().getAttribute('value');
	const post = async (form, headers) => (await plain.request.post(`${url}/tap`, { form, headers, maxRedirects: 0 })).status();
	check(await post({ do: 'arrival', child: id, token: 'wrong' }) === 403, 'a form without our token is refused');
	check(await post({ do: 'arrival', child: id, token }, { 'Sec-Fetch-Site': 'cross-site' }) === 403,
		'a form of another site is refused');
	check((await plain.request.get(url, { headers: { Host: 'evil.example' } })).status() === 421, 'another host name is refused');
	check(errors.length === 0, `nothing breaks the page's own policy: ${errors[0]}`);

	const english = await browser.newContext({ locale: 'en-GB', bypassCSP: true });
	const second = await english.newPage();
	await second.goto(url);
	check((await second.locator('html').getAttribute('lang')) === 'en', 'English for an English browser');
	await second.addScriptTag({ path: axe });
	const found = await second.evaluate(() => globalThis.axe.run());
	check(found.violations.length === 0, `axe: ${found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`).join('; ')}`);
	const tap = await second.locator('button[value=arrival]').first().boundingBox();
	check(tap.height >= 44, `a button is ${tap.height} px high`);
	if (process.env.SHOT)
		await second.screenshot({ path: process.env.SHOT, fullPage: false });
} finally {
	await browser.close();
	child.removeAllListeners('exit');
	child.kill('SIGTERM');
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
