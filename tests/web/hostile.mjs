// SPDX-License-Identifier: MIT
// hostile.mjs PAGE - names made of markup and control characters are shown as text and do nothing.
import { check, checked, launch, open, settle } from './browser.mjs';

const browser = await launch(), page = await open(browser, process.argv[2]);
const views = ['overview', 'flame&metric=alloc_space', 'sandwich&metric=alloc_space', 'functions&metric=alloc_space', 'timeline', 'latency', 'locks', 'threads', 'reports'];
let text = '';

for (const view of views) {
	await page.evaluate((v) => (location.hash = '#view=' + v), view);
	await settle(page);
	check(`${view}: no element out of a name`, await page.evaluate(() => !document.querySelector('img, iframe, object, embed, link, b, i')));
	text += await page.evaluate(() => document.body.innerText + document.title);
}
check('no script out of a name', (await page.evaluate(() => document.scripts.length)) <= 7 && !(await page.title()).includes('owned'));
check('the name is shown', text.includes('</script><script>document.title="owned"</script>'));
// eslint-disable-next-line no-control-regex
check('no control character is shown', !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(text));
check('names cause no request, message or error', page.noise.length === 0, page.noise);
const ran = await page.evaluate(() => {
	const script = document.createElement('script'), image = new Image();

	script.textContent = 'window.owned = true';
	document.body.append(script);
	return new Promise((done) => {
		image.onload = () => done(true);
		image.onerror = () => done(window.owned === true);
		image.src = 'file:///nowhere.png';
	});
});
check('the policy lets no other script run', !ran);
check('and the browser says why', page.noise.filter((line) => /Content Security Policy/.test(line)).length === 2, page.noise);
await browser.close();
console.log(`${checked()} checks`);
