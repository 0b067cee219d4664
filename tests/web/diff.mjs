// SPDX-License-Identifier: MIT
// diff.mjs PAGE - demos/batch with its remedy compared with the one without: what became less is blue and negative.
import { check, checked, hover, launch, open, rows, settle, text, violations } from './browser.mjs';

const file = process.argv[2], browser = await launch(), page = await open(browser, file);
const show = async (hash) => {
	await page.evaluate((h) => (location.hash = h), hash);
	await settle(page);
};
// Pixels of the flame graph that are clearly red, and clearly blue.
const tints = () => page.$eval('.flame canvas', (canvas) => {
	const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data, count = [0, 0];

	for (let i = 0; i < data.length; i += 4)
		if (data[i + 3] > 0 && Math.abs(data[i] - data[i + 2]) > 25)
			count[data[i] > data[i + 2] ? 0 : 1]++;
	return count;
});

const totals = await rows(page, 'Totals');
check('totals are compared', totals.some((row) => row[0] === 'duration') && totals.some((row) => row[0] === 'alloc_objects'), totals);
const objects = totals.find((row) => row[0] === 'alloc_objects');
check('the remedy makes fewer blocks', objects[4].startsWith('-') && /^\(-\d+\.\d%\)$/.test(objects[5]), objects);
check('the head says what with', (await text(page, '#subtitle')).includes('compared with naive.rsd'));

await show('#view=flame&metric=alloc_objects&side=old');
const [red, blue] = await tints();
check('the graph with the widths of the older one is blue where it fell', blue > 10000 && blue > 5 * red, [red, blue]);
const tips = await hover(page, '.flame canvas', 40, 12);
check('a box tells before, now and change', tips.some((t) => /before [\d,]+, now [\d,]+: -[\d,]+ \(-\d+/.test(t)), tips.slice(0, 4));
for (const theme of ['light', 'dark']) {
	await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
	await settle(page);
	const found = await violations(page);

	check(`difference, ${theme}: accessible`, found.length === 0, found);
}
await page.emulateMediaFeatures([]);
await settle(page);
await page.click('.actions button');
await settle(page);
check('a button chooses the newer one', !(await page.evaluate(() => location.hash)).includes('side='));

await show('#view=functions&metric=alloc_objects');
const table = await rows(page, 'Functions'), number = (s) => Number(s.replace(/[,+]/g, ''));
check('every row is now minus before', table.length > 5 && table.every((row) => number(row[2]) - number(row[3]) === number(row[4]) &&
	number(row[5]) - number(row[6]) === number(row[7])), table.slice(0, 3));
check('changes of all functions are the change of the total', table.reduce((sum, row) => sum + number(row[4]), 0) === number(objects[4]),
	[table.reduce((sum, row) => sum + number(row[4]), 0), objects[4]]);
check('what is gone is there too', table.some((row) => row[2] === '0' && number(row[3]) > 0) && table.some((row) => row[3] === '0'));
await page.click('tbody tr button.link');
await settle(page);
check('callers have the difference', (await rows(page, 'Direct callers')).some((row) => row.length === 6 && /^[+-]/.test(row[5])),
	await rows(page, 'Direct callers'));
await show('#view=flame&metric=cpu&from=0&to=100000000');
check('an interval is not compared', (await text(page, 'main')).includes('between') && !(await text(page, 'main')).includes('before'));
check('no message, no error, no request', page.noise.length === 0, page.noise);
await browser.close();
console.log(`${checked()} checks`);
