// SPDX-License-Identifier: MIT
// speedscope.mjs [--shows TEXT]... RECORDING WHAT FILE... - speedscope's own page opens what ringside export speedscope
// --profile WHAT wrote. Its selector names the profiles with their sums; what it exports itself has the exact numbers.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { check, checked, launch, listened } from '../browser.mjs';
import { json, same, tally, words } from './recording.mjs';

const page = path.join(process.env.VIEWER_MODULES, 'node_modules/speedscope/dist/release/index.html');

// What is its own doing: files of its folder, and what it and the drawing without a graphics card say.
function noise(lines) {
	const folder = 'request: file://' + path.dirname(page) + '/';

	return lines.filter((line) => !line.startsWith(folder) && !/^request: (blob|data):/.test(line) &&
		!/^console: (speedscope v|WebGL initialized|\[.*\](GL Driver|Automatic fallback)|Importing as speedscope json file$|import: |Saving )/.test(line));
}

// As a page folds white space, and a title drops what is no character.
function plain(text) {
	// eslint-disable-next-line no-control-regex
	return text.replace(/\s+/g, ' ').replace(/[\0-\x1f\x7f]/g, '').trim();
}

// In the page, before its own code: what it would save is kept here.
function keepSaved() {
	const real = URL.createObjectURL;

	window.saved = [];
	URL.createObjectURL = (blob) => {
		window.saved.push(blob);
		return real.call(URL, blob);
	};
	HTMLAnchorElement.prototype.click = () => {};
}

async function press(tab, key) {
	await tab.keyboard.press(key);
	await tab.evaluate(() => new Promise((done) => setTimeout(done, 60)));
}

// The stacks of a profile of events that open and close frames, innermost function first, with their sums.
function stacksOf(profile, frames) {
	const stacks = [], open = [];
	let at = profile.startValue;

	for (const event of profile.events) {
		if (event.at > at)
			stacks.push([open.join('\n'), event.at - at]);
		at = event.at;
		if (event.type === 'O')
			open.unshift(frames[event.frame].name);
		else
			open.shift();
	}
	return tally(stacks);
}

// "8.33 MB" and "1.56s" stand for what rounds to them.
function roundsTo(shown, value) {
	const [, number, , word] = shown.replace(/,/g, '').match(/^([\d.]+)(\s*)(\S*)$/) || [];
	const scale = { '': 1, B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, ns: 1, 'µs': 1e3, ms: 1e6, s: 1e9 }[word];
	const digits = (number?.split('.')[1] || '').length;

	return number !== undefined && scale && Math.abs(number * scale - value) <= 0.5 * scale / 10 ** digits * (1 + 1e-9);
}

async function load(browser, file) {
	const tab = await listened(browser);

	await tab.evaluateOnNewDocument(keepSaved);
	await tab.goto('file://' + page + '#view=sandwich');
	await (await tab.waitForSelector('input[type=file]')).uploadFile(path.resolve(file));
	await tab.waitForFunction(() => document.title.endsWith(' - speedscope'));
	await tab.waitForFunction(() => document.body.innerText.includes('Export'));
	return tab;
}

// The selector's rows: number, name, sum as shown.
async function listed(tab) {
	await press(tab, 't');
	const rows = (await tab.evaluate(() => document.body.innerText)).split('\n').map((line) => line.split('\t'))
		.filter((cells) => cells.length === 3 && /^\d+$/.test(cells[0]));

	await press(tab, 'Escape');
	return rows;
}

async function exported(tab) {
	await tab.evaluate(() => [...document.querySelectorAll('div')].filter((d) => /Export$/.test(d.innerText.trim())).at(-1)
		.dispatchEvent(new MouseEvent('click', { bubbles: true })));
	await tab.waitForFunction(() => window.saved.length === 1);
	return JSON.parse(await tab.evaluate(() => window.saved[0].text()));
}

async function compare(tab, title, recorded, what, samples) {
	const rows = await listed(tab), group = await exported(tab), { frames } = group.shared;
	const want = samples.map((sample) => json(what, recorded, '--traces', '--sample', sample));
	const inReport = (row) => [row.stack.map((frame) => frame.function || '[unknown]').join('\n') || '[no stack]', row.value];

	check(`${title}: as many profiles`, group.profiles.length === samples.length && rows.length === samples.length, rows);
	for (const [i, sample] of samples.entries()) {
		const profile = group.profiles[i];

		check(`${title}: ${sample} by name`, profile.name === sample && rows[i][1] === sample, [profile.name, rows[i]]);
		check(`${title}: ${sample} in its unit`, profile.unit === ({ bytes: 'bytes', ns: 'nanoseconds' }[want[i].sample.unit] ?? 'none'),
			[profile.unit, want[i].sample]);
		check(`${title}: ${sample} in all`, profile.endValue - profile.startValue === want[i].total, [profile.endValue, want[i].total]);
		check(`${title}: ${sample} as shown`, roundsTo(rows[i][2], want[i].total), [rows[i][2], want[i].total]);
		same(`${title}: ${sample} by stack`, stacksOf(profile, frames), tally(want[i].rows.map(inReport)));
	}
}

// The texts of the table of every profile; the keys are the reader's.
async function everything(tab, profiles) {
	let all = '';

	for (let i = 0; i < profiles; i++) {
		all += (await tab.evaluate(() => document.body.textContent)) + '\n';
		await press(tab, 'n');
	}
	return plain(all);
}

const { shows, rest } = words();
const browser = await launch();
let shown = '';
for (let i = 0; i + 2 < rest.length; i += 3) {
	const [recorded, what, file] = rest.slice(i, i + 3), tab = await load(browser, file);
	const ours = JSON.parse(readFileSync(file, 'utf8')), title = path.basename(file);

	check(`${title}: by its name`, plain(await tab.title()) === plain(ours.name + ' - speedscope'), [await tab.title(), ours.name]);
	await compare(tab, title, recorded, what, ours.profiles.map((profile) => profile.name));
	shown += await everything(tab, ours.profiles.length);
	check(`${title}: no element out of a name`, await tab.evaluate(() => !document.querySelector('img, iframe, object, b, i, svg + script')
		&& document.scripts.length <= 1));
	check(`${title}: no request, message or error`, !noise(tab.noise).length, noise(tab.noise));
	await tab.close();
}
for (const name of shows)
	check('a name is shown as it is', shown.includes(plain(name)), name.slice(0, 100));
await browser.close();
console.log(`${checked()} checks`);
