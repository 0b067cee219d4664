// SPDX-License-Identifier: MIT
// screenshots.mjs PAGES OUT - the pictures of docs/walk-*.md: PAGES/<demo>.html as a reader sees them, into OUT.
import path from 'node:path';
import { check, launch, open, settle } from './browser.mjs';

const [pages, out] = process.argv.slice(2), browser = await launch();

// name, demo, theme, what is asked for, and what is done: a function to select by name, an element to begin with.
const shots = [
	{ name: 'batch-findings', demo: 'batch', hash: '#view=overview', height: 620 },
	{ name: 'batch-locks', demo: 'batch', hash: '#view=locks', height: 460 },
	{ name: 'batch-source', demo: 'batch', theme: 'dark', hash: '#view=functions&metric=cpu&search=count_item', select: 'count_item', top: '.source', height: 560 },
	{ name: 'batch-difference', demo: 'difference', hash: '#view=flame&metric=alloc_objects&side=old', height: 480 },
	{ name: 'service-findings', demo: 'service', theme: 'dark', hash: '#view=overview', height: 560 },
	{ name: 'service-timeline', demo: 'service', hash: '#view=timeline&metric=cpu&from=1000000000&to=1080000000', top: '.legend', above: 8, width: 900, height: 600 },
	{ name: 'service-latency', demo: 'service', hash: '#view=latency', option: /^server\.log\.lock/, height: 620 },
	{ name: 'workflow-findings', demo: 'workflow', hash: '#view=overview', height: 460 },
	{ name: 'workflow-lanes', demo: 'workflow', hash: '#view=timeline&metric=cpu&from=600000000&to=640000000', top: '.detail', height: 560 },
	{ name: 'workflow-lanes-dark', demo: 'workflow', theme: 'dark', hash: '#view=timeline&metric=cpu&from=600000000&to=640000000', top: '.detail', height: 560 },
	{ name: 'workflow-latency', demo: 'workflow', theme: 'dark', hash: '#view=latency', option: /^join: /, height: 560 },
];

async function takeShot(shot) {
	const page = await open(browser, path.join(pages, shot.demo + '.html'), shot.hash);

	await page.setViewport({ width: shot.width || 1100, height: shot.height });
	await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: shot.theme || 'light' }]);
	await settle(page);
	if (shot.select)
		await page.evaluate((name) => [...document.querySelectorAll('tbody button.link')].find((b) => b.textContent === name).click(), shot.select);
	if (shot.option)
		await page.select('#series', await page.$$eval('#series option', (all, re) => all.find((o) => new RegExp(re).test(o.textContent)).value,
			shot.option.source));
	await settle(page);
	if (shot.top)
		await page.$eval(shot.top, (e, above) => scrollTo(0, e.getBoundingClientRect().top + scrollY - above), shot.above || 64);
	else
		await page.evaluate(() => scrollTo(0, 0));
	await settle(page);
	await page.screenshot({ path: path.join(out, shot.name + '.png'), optimizeForSpeed: false });
	check(`${shot.name}: no message`, page.noise.length === 0, page.noise);
	await page.close();
}

for (const shot of shots)
	await takeShot(shot);
await browser.close();
