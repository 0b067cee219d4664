// SPDX-License-Identifier: MIT
// firefox.mjs PAGE - the same page of demos/workflow in Firefox: every view is drawn, and nothing is wrong.
import { check, checked, ink, launchFirefox, open, rows, settle, text } from './browser.mjs';

const file = process.argv[2], browser = await launchFirefox(), page = await open(browser, file);
const press = async (key) => {
	await page.keyboard.press(key);
	await settle(page);
};
const titles = ['Findings', 'Flame graph', 'Callers and callees', 'Functions', 'Timeline', 'Latency', 'Locks and waits', 'Threads', 'Reports'];

console.log(await browser.version());
for (let i = 0; i < titles.length; i++) {
	await press(String(i + 1));
	check(`key ${i + 1} shows ${titles[i]}`, (await text(page, 'main h2')) === titles[i], await text(page, 'main h2'));
}
await press('2');
check('the flame graph is drawn', (await ink(page, '.flame canvas')) > 10000);
await press('/');
await page.keyboard.type('join');
await settle(page);
check('a search tells the share', /^matched [1-9]/.test(await text(page, '#matched')), await text(page, '#matched'));
await press('Escape');
await page.focus('.flame canvas');
await press('ArrowDown');
await press('Enter');
check('Enter zooms', /zoom=\d+/.test(await page.evaluate(() => location.hash)));
await press('Escape');
await press('5');
check('lanes are drawn', (await ink(page, '.detail canvas')) > 10000 && (await ink(page, 'canvas.curve')) > 1000);
const area = await (await page.$('.area')).boundingBox();
await page.mouse.move(area.x + area.width * 0.25, area.y + 60);
await page.mouse.down();
await page.mouse.move(area.x + area.width * 0.5, area.y + 60, { steps: 4 });
await page.mouse.up();
await settle(page);
check('a drag chooses an interval', /from=\d+&to=\d+/.test(await page.evaluate(() => location.hash)));
await press('6');
check('latency is drawn', (await ink(page, '.heat')) > 100 && (await rows(page, 'Histogram')).length > 1);
await page.evaluate(() => (location.hash = '#view=functions&metric=cpu&search=join_locked'));
await settle(page);
await page.click('tbody button.link');
await settle(page);
check('source is shown', (await page.$$('.source tbody tr')).length > 3);
const light = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
await press('D');
check('D switches between light and dark', (await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) !== light);
// Firefox measures with a font of its own, which stands in a data: address. It is nothing that the page asks for.
const noise = page.noise.filter((line) => !line.startsWith('request: data:font/'));
check('no message, no error, no request', noise.length === 0, noise);
await browser.close();
console.log(`${checked()} checks`);
