// SPDX-License-Identifier: MIT
// catapult.mjs [--shows TEXT]... RECORDING TRACE... - catapult, the viewer behind about:tracing, imports what ringside export chrome wrote
// without a warning, and its model has the recording's events. A model only: its views want more of old browsers than the
// polyfill brings.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { check, checked, launch, open } from '../browser.mjs';
import { recording, same, sameSlices, slice, tally, words } from './recording.mjs';

const modules = path.join(process.env.VIEWER_MODULES, 'node_modules');
const ns = (ms) => Math.round(ms * 1e6);

// The whole viewer is one page that wants elements which browsers have dropped since: the polyfill comes first.
function writeViewer() {
	const file = path.resolve('catapult.html'), polyfill = path.join(modules, 'webcomponents.js/webcomponents.min.js');
	const viewer = readFileSync(path.join(modules, 'traceviewer/tracing/bin/trace_viewer_full.html'), 'utf8');

	writeFileSync(file, viewer.replace('<head', `<script>${readFileSync(polyfill, 'utf8')}</script><head`));
	return file;
}

// In the page: imports the text and tells what the model has.
function importInto(text) {
	const options = new tr.importer.ImportOptions(), model = (window.model = new tr.Model());
	const chain = (frame) => (frame ? [frame.title, ...chain(frame.parentFrame)] : []);

	options.shiftWorldToZero = options.pruneEmptyContainers = false;
	new tr.importer.Import(model, options).importTraces([text]);
	const processes = Object.values(model.processes), threads = processes.flatMap((p) => Object.values(p.threads));

	return {
		warnings: model.importWarnings.map((w) => w.type + ': ' + w.message),
		processes: processes.map((p) => [p.pid, p.name]),
		threads: threads.map((t) => [t.tid, t.name]),
		slices: threads.flatMap((t) => t.sliceGroup.slices.map((s) => ({ tid: t.tid, category: s.category, title: s.title,
			start: s.start, duration: s.duration, unfinished: s.didNotFinish || s.args.unfinished, stack: chain(s.startStackFrame) }))),
		tasks: threads.flatMap((t) => t.asyncSliceGroup.slices.map((s) => ({ tid: t.tid, title: s.title, start: s.start,
			duration: s.duration, error: s.error }))),
		marks: processes.flatMap((p) => p.instantEvents.map((e) => [e.start, e.title])),
		counters: processes.flatMap((p) => Object.values(p.counters).map((c) => ({ category: c.category, name: c.name,
			series: c.series.map((s) => s.samples.map((v) => [v.timestamp, v.value])) }))),
		samples: model.samples.map((s) => ({ tid: s.thread.tid, start: s.start, weight: s.args.weight, stack: chain(s.leafStackFrame) })),
		frames: Object.values(model.stackFrames).map((f) => f.title),
		flows: model.flowEvents.length,
	};
}

function compare(file, got, want) {
	const waits = got.slices.filter((s) => !/^(region|log)$/.test(s.category));
	const [heap] = got.counters.filter((c) => c.category === 'heap').map((c) => c.series[0].map(([, value]) => value));

	check(`${file}: no warning`, !got.warnings.length, got.warnings);
	check(`${file}: one process, with its name`, got.processes.length === 1 && got.processes[0][0] === want.pid &&
		got.processes[0][1].length > 0, got.processes);
	same(`${file}: threads`, got.threads.map((t) => t.join(' ')), want.threads);
	sameSlices(`${file}: slices`, got.slices.filter((s) => !s.unfinished && s.category !== 'unfinished')
		.map((s) => slice(s.tid, /^(region|log)$/.test(s.category) ? s.category : 'wait', s.title, ns(s.start), ns(s.duration))), want.slices);
	sameSlices(`${file}: tasks`, got.tasks.map((t) => slice(t.tid, 'task', t.title, ns(t.start), ns(t.duration))), want.tasks);
	check(`${file}: tasks end`, got.tasks.every((t) => !t.error), got.tasks.filter((t) => t.error).slice(0, 3));
	same(`${file}: marks`, got.marks.map(([start, title]) => [ns(start), title].join(' ')), want.marks);
	same(`${file}: counters`, got.counters.filter((c) => c.category === 'counter')
		.flatMap((c) => c.series[0].map(([at, value]) => [ns(at), value, c.name].join(' '))), want.counters);
	check(`${file}: peak of the heap`, Math.max(...heap) === want.report.heap.peak_bytes, [Math.max(...heap), want.report.heap.peak_bytes]);
	check(`${file}: end of the heap`, heap.at(-1) === want.report.heap.live_bytes, [heap.at(-1), want.report.heap.live_bytes]);
	same(`${file}: samples`, got.samples.map((s) => [s.tid, ns(s.start), s.weight].join(' ')), want.samples);
	same(`${file}: stacks of the samples`, tally(got.samples.map((s) => [s.stack.join('\n'), s.weight])), want.stacks);
	same(`${file}: stacks of the waits`, tally(waits.map((s) => [s.title + '\n' + s.stack.join('\n'), 1])), want.waited);
	// We write no flows: a wake-up is not in the recording's format of events.
	check(`${file}: no flows`, got.flows === 0, got.flows);
}

const viewer = writeViewer(), browser = await launch();
const { shows, rest } = words();
let names = '';
for (let i = 0; i + 1 < rest.length; i += 2) {
	const want = recording(rest[i]), file = path.basename(rest[i + 1]);
	const page = await open(browser, viewer);

	check('the viewer is there', (await page.evaluate(() => typeof tr?.Model)) === 'function', page.noise);
	await page.evaluate(() => (window.born = new MutationObserver(() => {})).observe(document, { childList: true, subtree: true }));
	page.noise.length = 0;
	const got = await page.evaluate(importInto, readFileSync(rest[i + 1], 'utf8'));

	compare(file, got, want);
	names += JSON.stringify([got.threads, got.frames, got.processes]);
	check(`${file}: no element out of a name`, await page.evaluate(() => !window.born.takeRecords().length));
	check(`${file}: no request, message or error`, !page.noise.length, page.noise);
	await page.close();
}
await browser.close();
for (const name of shows)
	check('a name is as it was', names.includes(JSON.stringify(name).slice(1, -1)), name.slice(0, 100));
console.log(`${checked()} checks`);
