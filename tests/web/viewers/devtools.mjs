// SPDX-License-Identifier: MIT
// devtools.mjs [--shows TEXT]... RECORDING TRACE... - the engine of DevTools' Performance panel reads what ringside export chrome wrote: the
// same threads and the same events at the same times.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { check, checked } from '../browser.mjs';
import { recording, same, sameSlices, slice, tally, words } from './recording.mjs';

const engine = path.join(process.env.VIEWER_MODULES, 'node_modules/@paulirish/trace_engine');
const { polyfillDOMRect } = await import(path.join(engine, 'analyze-trace.mjs'));
const Trace = await import(path.join(engine, 'models/trace/trace.js'));
const ns = (us) => Math.round(us * 1000);
const said = [];

function lines(thread) {
	return thread.entries.filter((e) => !e.args.unfinished && e.s !== 'p')
		.map((e) => slice(e.tid, /^(region|log)$/.test(e.cat) ? e.cat : 'wait', e.name, ns(e.ts), ns(e.dur ?? 0)));
}

async function readBy(file) {
	const { traceEvents, metadata } = JSON.parse(readFileSync(file, 'utf8'));
	const model = Trace.TraceModel.Model.createWithAllHandlers();

	// What it cannot read it tells on the console, or it throws.
	const { warn, error } = console;

	console.warn = console.error = (...words) => said.push(words.join(' '));
	await model.parse(traceEvents, { metadata });
	Object.assign(console, { warn, error });
	return model.parsedTrace().data;
}

polyfillDOMRect();
const { shows, rest } = words();
let names = '';
for (let i = 0; i + 1 < rest.length; i += 2) {
	const want = recording(rest[i]), file = path.basename(rest[i + 1]);
	const data = await readBy(rest[i + 1]), threads = Trace.Handlers.Threads.threadsInTrace(data);
	const known = data.Meta.threadsInProcess.get(want.pid);

	check(`${file}: nothing to complain about`, !said.length, said.slice(0, 3));
	check(`${file}: one process`, data.Meta.processNames.size === 1 && data.Meta.processNames.has(want.pid));
	check(`${file}: a trace that is no page's`, data.Meta.traceIsGeneric);
	same(`${file}: threads`, [...known].map(([tid, event]) => [tid, event.args.name].join(' ')), want.threads);
	sameSlices(`${file}: events of the threads`, threads.flatMap(lines), want.slices);
	check(`${file}: threads have their names`, threads.length > 1 && threads.every((t) => t.name === known.get(t.tid).args.name));

	const entries = threads.flatMap((t) => t.entries), marks = entries.filter((e) => e.s === 'p');
	const unfinished = entries.filter((e) => e.args.unfinished);
	const first = Math.min(...want.slices.map((s) => s.at[1]), ...unfinished.map((e) => ns(e.ts)));
	const last = Math.max(...want.slices.map((s) => s.end), ...unfinished.map((e) => ns(e.ts) + ns(e.dur)));
	const { min, max } = data.Meta.traceBounds;

	same(`${file}: marks`, marks.map((e) => [ns(e.ts), e.name].join(' ')), want.marks);
	same(`${file}: waits by kind`, tally(entries.filter((e) => e.ph === 'X' && e.cat !== 'region').map((e) => [e.name, 1])), want.kinds);
	check(`${file}: begins with the first event`, Math.abs(ns(min) - first) <= 1, [min, first]);
	check(`${file}: ends with the last one`, Math.abs(ns(max) - last) <= 1, [max, last]);
	names += JSON.stringify(threads.flatMap((t) => t.entries).map((e) => [e.name, e.args]));
	// What is inside another event is its child, so that the time of the outermost is that of all events by themselves.
	for (const thread of threads) {
		const nodes = thread.entries.map((entry) => thread.entryToNode.get(entry));
		const self = nodes.reduce((sum, node) => sum + (node.selfTime ?? 0), 0);
		const roots = [...thread.tree.roots].reduce((sum, node) => sum + (node.entry.dur ?? 0), 0);

		check(`${file}: ${thread.tid} nests`, nodes.every(Boolean) && Math.abs(self - roots) < 0.001 * nodes.length, [self, roots]);
	}
}
for (const name of shows)
	check('a name is as it was', names.includes(JSON.stringify(name).slice(1, -1)), name.slice(0, 100));
console.log(`${checked()} checks`);
