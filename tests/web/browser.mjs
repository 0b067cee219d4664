// SPDX-License-Identifier: MIT
// browser.mjs - a page in a headless browser, and whatever it should not do: requests, messages, errors.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';

// The modules stand where the script installed them, not beside this file.
const require = createRequire(path.join(process.env.WEB_MODULES, 'package.json'));
const puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export function check(what, isTrue, detail) {
	if (!isTrue) {
		console.error(`FAILED: ${what}`, detail === undefined ? '' : JSON.stringify(detail));
		process.exit(1);
	}
	checks++;
}
let checks = 0;

export function checked() {
	return checks;
}

export async function launch() {
	return puppeteer.launch({ executablePath: process.env.CHROMIUM, headless: true,
		args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}

export async function launchFirefox() {
	return puppeteer.launch({ browser: 'firefox', executablePath: process.env.FIREFOX, headless: true });
}

// listened - a new page; its `noise` is what should stay empty.
export async function listened(browser) {
	const page = await browser.newPage();

	page.noise = [];
	page.setDefaultTimeout(60000);
	page.on('console', (message) => page.noise.push('console: ' + message.text()));
	page.on('pageerror', (error) => page.noise.push('error: ' + (error.stack || error.message)));
	page.on('dialog', (dialog) => {
		page.noise.push('dialog: ' + dialog.message());
		dialog.dismiss();
	});
	page.on('request', (request) => {
		if (!request.isNavigationRequest() || !request.url().startsWith('file:'))
			page.noise.push('request: ' + request.url());
	});
	await page.setViewport({ width: 1280, height: 900 });
	return page;
}

// open - the page at `file` with this hash.
export async function open(browser, file, hash) {
	const page = await listened(browser);

	await page.goto('file://' + file + (hash || ''));
	return page;
}

// settle - until what was asked for is drawn.
export async function settle(page) {
	await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20)))));
}

export async function text(page, selector) {
	return page.$eval(selector, (element) => element.textContent);
}

// Pixels of a canvas that are not the ground: something is drawn.
export async function ink(page, selector) {
	return page.$eval(selector, (canvas) => {
		const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
		let count = 0;

		for (let i = 3; i < data.length; i += 4)
			count += data[i] > 0;
		return count;
	});
}

// The cells of the table with this caption, as texts.
export async function rows(page, caption) {
	return page.evaluate((words) => {
		const table = [...document.querySelectorAll('table')].find((t) => t.caption.textContent.startsWith(words));

		return table ? [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent)) : [];
	}, caption);
}

// What the tip says at points all over an element. As events of the page: a mouse that really moves takes minutes.
export async function hover(page, selector, across, down) {
	return page.$eval(selector, (element, xs, ys) => {
		const box = element.getBoundingClientRect(), said = new Set(), tip = document.getElementById('tip');

		for (let i = 0; i < xs; i++)
			for (let k = 0; k < ys; k++) {
				const at = { clientX: box.x + (i + 0.5) * box.width / xs, clientY: box.y + (k + 0.5) * box.height / ys };

				element.dispatchEvent(new PointerEvent('pointermove', { ...at, bubbles: true }));
				element.dispatchEvent(new MouseEvent('mousemove', { ...at, bubbles: true }));
				said.add(tip.hidden ? '' : [...tip.children].map((line) => line.textContent).join(' '));
			}
		return [...said];
	}, across, down);
}

// The policy of the page forbids other scripts, as it should; the debugger's own are not the page's.
export async function violations(page) {
	await page.evaluate(axe);
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));

	await page.evaluate(() => delete window.axe);
	return found.violations.map((v) => ({ id: v.id, impact: v.impact, at: v.nodes.slice(0, 3).map((n) => n.target.join(' ')) }));
}

// How long from a key, a click or the end of a drag to the next frame that shows what it did.
export async function timed(page, act) {
	await page.evaluate(() => {
		window.took = null;
		const begin = (event) => {
			const at = performance.now();

			removeEventListener('keydown', begin, true);
			removeEventListener('click', begin, true);
			removeEventListener('pointerup', begin, true);
			requestAnimationFrame(() => setTimeout(() => (window.took = performance.now() - at), 0));
		};

		addEventListener('keydown', begin, true);
		addEventListener('click', begin, true);
		addEventListener('pointerup', begin, true);
	});
	await act();
	await page.waitForFunction(() => window.took !== null);
	return page.evaluate(() => window.took);
}
