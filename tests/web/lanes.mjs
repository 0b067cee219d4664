// SPDX-License-Identifier: MIT
// lanes.mjs PAGE - a page of demos/workflow --parallel: tasks, regions, wake-ups and durations.
import { check, checked, hover, ink, launch, open, rows, settle, text, violations } from './browser.mjs';

const file = process.argv[2], browser = await launch(), page = await open(browser, file, '#view=timeline');
const hash = () => page.evaluate(() => location.hash);

// ---- the timeline's lanes
check('tasks, regions and wake-ups have a part of the timeline', (await text(page, 'main')).includes('Tasks, regions and wake-ups'));
check('they are drawn', (await ink(page, '.detail canvas')) > 20000);
const labels = await page.$$eval('.detail .label', (all) => all.map((e) => e.textContent));
check('with tasks on top and rows of threads', labels[0] === 'Tasks' && labels.length >= 4, labels);
check('the regions of all stages are counted', await rows(page, 'Regions').then((all) =>
	['join', 'load', 'parse', 'transform', 'index', 'store'].every((name) => all.some((row) => row[0] === name && row[1] === '400'))), await rows(page, 'Regions'));
const wakes = await rows(page, 'Who woke whom');
check('who woke whom is told', wakes.length > 0 && wakes.some((row) => row[1] === 'mutex' && row[2].includes('join_locked')), wakes.slice(0, 3));

const arrows = await hover(page, '.detail canvas', 60, 24);
check('an arrow tells both threads and the place', arrows.some((t) => / wakes .*waited in .*woken by /.test(t)), arrows.slice(0, 9));

// Zoom in until names are drawn: what is under the mouse is told.
await page.focus('.detail canvas');
for (let i = 0; i < 7; i++)
	await page.keyboard.press('+');
await settle(page);
check('plus zooms', /from=\d+&to=\d+/.test(await hash()), await hash());
const [from, to] = (await hash()).match(/from=(\d+)&to=(\d+)/).slice(1).map(Number);
check('the graph keeps the focus', await page.evaluate(() => document.activeElement.closest('.detail') !== null));
await page.keyboard.press('ArrowRight');
await settle(page);
const [moved] = (await hash()).match(/from=(\d+)&to=(\d+)/).slice(1).map(Number);
check('arrows move by a quarter', Math.abs(moved - from - (to - from) / 4) <= 2, [from, to, moved]);
const tips = await hover(page, '.detail canvas', 24, 60);
check('a region tells its name and length', tips.some((t) => /^region (join|load|parse|transform|index|store)/.test(t)), tips);
check('a task tells its name and number', tips.some((t) => /^task job \d+/.test(t)), tips);
for (const theme of ['light', 'dark']) {
	await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
	await settle(page);
	const found = await violations(page);

	check(`lanes, ${theme}: accessible`, found.length === 0, found);
}
await page.emulateMediaFeatures([]);
await settle(page);
const area = await (await page.$('.detail canvas')).boundingBox();
await page.mouse.move(area.x + area.width * 0.25, area.y + 10);
await page.mouse.down();
await page.mouse.move(area.x + area.width * 0.5, area.y + 10, { steps: 3 });
await page.mouse.up();
await settle(page);
const [a, b] = (await hash()).match(/from=(\d+)&to=(\d+)/).slice(1).map(Number);
check('a drag in it chooses a part of it', Math.abs((b - a) - (to - from) / 4) < (to - from) / 50 && a > from, [from, to, a, b]);

// ---- durations
await page.evaluate(() => (location.hash = '#view=latency'));
await settle(page);
check('latency is shown', (await text(page, 'main h2')) === 'Latency' && (await ink(page, '.heat')) > 200);
const sorts = await rows(page, 'All sorts'), job = sorts.findIndex((row) => row[0] === 'task job');
check('waits, locks, tasks and regions are there', ['wait mutex', 'lock flow.dictionary.lock', 'region join', 'task job'].every((name) =>
	sorts.some((row) => row[0].startsWith(name))), sorts.map((row) => row[0]));
await page.select('#series', await page.$$eval('#series option', (all) => all.find((o) => o.textContent.startsWith('job')).value));
await settle(page);
check('one is chosen', job >= 0 && /series=\d+|#view=latency/.test(await hash()));
const histogram = await rows(page, 'Histogram');
check('its histogram counts all jobs', histogram.reduce((sum, row) => sum + Number(row[2].replace(/,/g, '')), 0) === 400, histogram);
check('up to all of them', histogram[histogram.length - 1][4] === '100.00%', histogram);
const heat = (await hover(page, '.heatmap .over', 40, 30)).filter((t) => !t.endsWith('0') || /[1-9]0$/.test(t));
check('a cell tells duration, time and number', heat.some((t) => /to .*ended between .*/.test(t)), heat.slice(0, 3));
await page.evaluate((t) => (location.hash = `${location.hash}&from=0&to=${t}`), 300000000);
await settle(page);
const part = await rows(page, 'Histogram');
check('an interval has its own histogram', part.reduce((sum, row) => sum + Number(row[2].replace(/,/g, '')), 0) < 400 &&
	(await text(page, 'main')).includes('Between'), part);
check('no message, no error, no request', page.noise.length === 0, page.noise);
await browser.close();
console.log(`${checked()} checks`);
