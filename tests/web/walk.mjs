// SPDX-License-Identifier: MIT
// walk.mjs PAGE [PROGRAM] - what a reader does with a page of PROGRAM (batch without one): looks, searches, zooms, walks by
// keyboard, chooses an interval, reloads, switches to dark, prints.
import { check, checked, ink, launch, open, rows as rowsOf, settle, text, timed, violations } from './browser.mjs';

const MOST_MS = 100, TIMES = 5;

// What the page of each program has: its title, words of its findings, what to search for (typed; then a function that
// matches), threads; where a function's source is on the page, the function, its number, and words of its lines.
const programs = {
	batch: { title: 'batch', finding: /count_item/, search: 'rank_lat', threads: 6, wait: 'count', waits: /^count_item /,
		source: { name: 'count_item', search: 'rank_latencies|count_item', metric: 'lock_holders',
			words: /pthread_mutex_unlock|book_wait|rank_latencies/ } },
	redis: { title: 'redis-', finding: /never freed/, search: 'processC', threads: 4, wait: 'aeMain', waits: /^aeMain .*through/ },
	clang: { title: 'clang', finding: /never freed/, search: 'clang::Pa', threads: 1, wait: 'llvm', waits: /^llvm::/ },
};
const file = process.argv[2], program = programs[process.argv[3] || 'batch'], browser = await launch();
let page = await open(browser, file);
const hash = () => page.evaluate(() => location.hash);
const press = async (key) => {
	await page.keyboard.press(key);
	await settle(page);
};
const shownMetric = (p) => p.$eval('#metric', (select) => select.value);

// ---- overview
check('findings come first', (await text(page, 'main h2')) === 'Findings');
check('a finding tells what is known of the program', program.finding.test(await text(page, '.findings')), await text(page, '.findings'));
check('what was recorded is told', /Duration/.test(await text(page, '.facts')) && /Lost events/.test(await text(page, '.facts')));
check('the size of the page is told', /at most 10\.00MB/.test(await text(page, '.notes')));
check('the title is the program', (await page.title()).startsWith(program.title), await page.title());

// ---- every view by its number, and what it shows
const titles = ['Findings', 'Flame graph', 'Callers and callees', 'Functions', 'Timeline', 'Latency', 'Locks and waits', 'Threads', 'Reports'];
for (let i = 0; i < titles.length; i++) {
	await press(String(i + 1));
	check(`key ${i + 1} shows ${titles[i]}`, (await text(page, 'main h2')) === titles[i]);
	for (const theme of ['light', 'dark']) {
		await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
		await settle(page);
		const found = await violations(page);

		check(`${titles[i]}, ${theme}: accessible`, found.length === 0, found);
	}
	await page.emulateMediaFeatures([]);
}
await page.goBack();
await settle(page);
check('back shows the view before', (await text(page, 'main h2')) === 'Threads');

// ---- flame graph: search, zoom, keys
await press('2');
check('the flame graph is drawn', (await ink(page, '.flame canvas')) > 10000);
await press('/');
check('the slash goes to the search', await page.evaluate(() => document.activeElement.id === 'search'));
await page.keyboard.type(program.search);
await settle(page);
const matched = await text(page, '#matched');
check('a search tells the share', /^matched \d+\.\d\d% \(/.test(matched) && !matched.startsWith('matched 0.00%'), matched);
check('the search is in the address', decodeURIComponent(await hash()).includes('search=' + program.search), await hash());
await page.keyboard.type('(');
await settle(page);
check('a bad expression is said to be one', (await text(page, '#matched')) === 'not a regular expression');
await press('Escape');
check('Escape clears the search', !(await hash()).includes('search'));
await page.focus('.flame canvas');
await press('ArrowDown');
const first = await text(page, '#live');
await press('ArrowDown');
await press('ArrowDown');
await press('ArrowUp');
await press('ArrowRight');
await press('ArrowLeft');
const walked = await text(page, '#live');
check('arrows tell the box they reach', first && walked && first !== walked && /total .*%/.test(walked), [first, walked]);
await press('Enter');
check('Enter zooms', /zoom=\d+/.test(await hash()));
check('the way is shown', (await page.$$('.crumbs button')).length > 1, [await hash(), await text(page, '.crumbs')]);
check('the graph keeps the focus', await page.evaluate(() => document.activeElement.tagName === 'CANVAS'));
await press('Escape');
check('Escape zooms out', !(await hash()).includes('zoom'));
const box = await (await page.$('.flame canvas')).boundingBox();
await page.mouse.move(box.x + 40, box.y + 3 * 19 + 8);
await settle(page);
check('hovering tells the name and numbers', /self/.test(await text(page, '#tip')) && !(await page.$eval('#tip', (t) => t.hidden)));
await page.mouse.click(box.x + 40, box.y + 3 * 19 + 8);
await settle(page);
check('a click zooms', /zoom=\d+/.test(await hash()));
await page.mouse.click(box.x + 40, box.y + 8, { count: 2 });
await settle(page);
check('a double click resets', !(await hash()).includes('zoom'));
await page.focus('.flame canvas');
await press('ArrowDown');
await press('s');
check('s shows callers and callees', (await text(page, 'main h2')) === 'Callers and callees' && /func=\d+/.test(await hash()));

// ---- the source of a function
async function readSource(source) {
	await page.evaluate((s) => (location.hash = `#view=functions&metric=${s.metric}&search=${s.search}`), source);
	await settle(page);
	await page.evaluate((name) => [...document.querySelectorAll('tbody button.link')].find((b) => b.textContent === name).click(), source.name);
	await settle(page);
	const lines = await page.$$eval('.source tbody tr', (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
	check('its source is shown', lines.some((row) => source.words.test(row[3])), lines.slice(0, 5));
	check('line by line', lines.length > 8 && lines.every((row) => row[0] === '…' || Number(row[0]) > 0));
	check('with numbers at the hot ones', lines.some((row) => /s$/.test(row[2])) && (await page.$$('.source tr.hot')).length > 0, lines);
	const inSource = await violations(page);
	check('source: accessible', inSource.length === 0, inSource);
	await page.evaluate(() => (location.hash = '#view=overview'));
	await settle(page);
	check('how much source is on the page is told', /\d+ lines of \d+ source files are on this page/.test(await text(page, '.notes')));
}
if (program.source)
	await readSource(program.source);

// ---- the table has the graph's numbers
await page.evaluate(() => (location.hash = '#view=functions&metric=alloc_space'));
await settle(page);
const rows = await page.$$eval('tbody tr', (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
check('the table begins with the largest', rows.length > 3 && parseFloat(rows[0][3]) >= parseFloat(rows[1][3]), rows.slice(0, 2));
await page.click('thead th:nth-child(5) button');
await settle(page);
check('a head orders', await page.$eval('thead th:nth-child(5)', (th) => th.getAttribute('aria-sort') === 'descending'));
const cum = await page.$$eval('tbody tr', (all) => all.map((row) => parseFloat(row.cells[5].textContent)));
check('by its column', cum.every((v, i) => !i || v <= cum[i - 1]), cum.slice(0, 5));
const flats = rows.reduce((sum, row) => sum + parseFloat(row[3]), 0);
const more = await page.$$eval('main button', (all) => all.filter((b) => / more rows$/.test(b.textContent)).length);
check('flat shares add up', flats < 101 && (more ? flats > rows.length * parseFloat(rows[rows.length - 1][3]) : flats > 99), [flats, more]);

// ---- timeline: an interval by mouse, by numbers, and from the address
await press('5');
check('a row for each thread', (await page.$$('canvas.strip')).length >= program.threads, program.threads);
check('the heap is drawn', (await ink(page, 'canvas.curve')) > 1000);
const area = await (await page.$('.area')).boundingBox();
await page.mouse.move(area.x + area.width * 0.25, area.y + 100);
await page.mouse.down();
await page.mouse.move(area.x + area.width * 0.5, area.y + 100, { steps: 4 });
await page.mouse.up();
await settle(page);
const chosen = await hash();
check('a drag chooses an interval', /from=\d+&to=\d+/.test(chosen), chosen);
check('whose stacks are shown', /between/.test(await text(page, 'main')) && (await text(page, 'main')).includes('Stacks of the interval'));
const [, from, to] = chosen.match(/from=(\d+)&to=(\d+)/).map(Number);
const last = await page.$eval('.ruler .last', (e) => e.textContent), whole = parseFloat(last) * (last.endsWith('ms') ? 1e6 : 1e9);
check('about a quarter of it', Math.abs(to - from - whole / 4) < whole * 0.02, [from, to, last]);
await press('8');
check('threads tell the interval too', (await text(page, 'main')).includes('Between'));

// ---- threads have their allocations, and waits are at a place of the program
const threads = await rowsOf(page, 'Accounts of the whole recording');
check('the threads allocated', threads.reduce((sum, row) => sum + Number(row[7].replace(/,/g, '')), 0) > 10000, threads);
check('a thread is begun at a place of the program', !threads.some((row) => row[9].includes('__libc_start')), threads);
await press('7');
const waits = await rowsOf(page, 'Where threads waited');
check('a wait is at a place of the program', waits.some((row) => program.waits.test(row[1])) &&
	!waits.some((row) => row[1].includes('__libc_start_call_main')), waits);

// ---- a reload finds everything again
await page.evaluate((wait) => (location.hash = '#view=flame&metric=blocked&search=' + wait), program.wait);
await settle(page);
const before = [await text(page, '#matched'), await shownMetric(page), await text(page, 'main h2')];
await page.reload();
await settle(page);
const after = [await text(page, '#matched'), await shownMetric(page), await text(page, 'main h2')];
check('a reload has something to find', /^matched /.test(before[0]) && !before[0].startsWith('matched 0.00%'), before);
check('a reload shows the same', JSON.stringify(before) === JSON.stringify(after) && before[1] === 'blocked', [before, after]);
const odd = await open(browser, file, '#view=nothing&metric=none&zoom=-1&func=x&from=9&to=1&search=%E0%A4%A&=&&');
await settle(odd);
check('an address of nonsense shows the overview', (await text(odd, 'main h2')) === 'Findings' && odd.noise.length === 0, odd.noise);
await odd.close();

// ---- help, theme, print, narrow
await press('?');
check('the question mark opens the help', await page.$eval('#help', (d) => d.open));
check('help: accessible', (await violations(page)).length === 0);
await press('Escape');
check('Escape closes it', !(await page.$eval('#help', (d) => d.open)));
const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const light = await ground();
await press('D');
check('D switches between light and dark', (await ground()) !== light);
await press('D');
await page.setViewport({ width: 380, height: 700 });
for (let i = 0; i < titles.length; i++) {
	await press(String(i + 1));
	check(`${titles[i]}: nothing is wider than a phone`, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
		await page.evaluate(() => document.documentElement.scrollWidth));
}
await page.emulateMediaType('print');
check('controls are not printed', await page.$eval('#views', (nav) => getComputedStyle(nav).display === 'none'));
await page.emulateMediaType(null);
check('nothing was asked of a network, no message, no error', page.noise.length === 0, page.noise);
await page.close();

// ---- how fast
page = await open(browser, file, '#view=flame');
// The middle one of several: other work on the machine is not the page's.
async function within(what, act) {
	const took = [];

	for (let i = 0; i < TIMES; i++) {
		took.push(Math.round(await timed(page, () => act(i))));
		await settle(page);
	}
	took.sort((a, b) => a - b);
	console.log(`${what}: ${took.join(' ')} ms`);
	check(`${what} within ${MOST_MS} ms`, took[TIMES >> 1] < MOST_MS, took);
}
await page.focus('#search');
await within('search', (i) => page.keyboard.press('alloc'[i]));
await page.keyboard.press('Escape');
await settle(page);
await page.focus('.flame canvas');
await within('arrow', () => page.keyboard.press('ArrowDown'));
await within('zoom', () => page.keyboard.press('Enter').then(() => page.keyboard.press('ArrowDown')));
await page.keyboard.press('Escape');
await within('another view', (i) => page.keyboard.press('34592'[i]));
await press('5');
await within('brush', async (i) => {
	const rows = await (await page.$('.area')).boundingBox(), begin = rows.x + rows.width * 0.1 * (i + 1);

	await page.mouse.move(begin, rows.y + 40);
	await page.mouse.down();
	await page.mouse.move(begin + rows.width * 0.3, rows.y + 40, { steps: 3 });
	await page.mouse.up();
});
await browser.close();
console.log(`${checked()} checks`);
