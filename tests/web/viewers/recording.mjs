// SPDX-License-Identifier: MIT
// recording.mjs - what a recording says, by its dump and its reports, in lines that can be compared with a viewer's.
import { execFileSync } from 'node:child_process';
import { check } from '../browser.mjs';

function ringside(...words) {
	return execFileSync('ringside', words, { maxBuffer: 1 << 30 }).toString();
}

export function json(...words) {
	return JSON.parse(ringside(words[0], '--json', '--top', '0', ...words.slice(1)));
}

// Allocations are most of a dump and no event of their own here.
function rowsOf(file) {
	const rows = {};

	for (const line of ringside('dump', '--json', file).split('\n'))
		if (line && !/^\{"kind": "(alloc|free|realloc|pool|memory|node)/.test(line)) {
			const row = JSON.parse(line);

			(rows[row.kind] ||= []).push(row);
		}
	return (kind) => rows[kind] || [];
}

// With the ends: who began without an end here is not compared.
function pairs(begins, ends) {
	const begun = new Map(begins.map((row) => [row.id, row]));

	return ends.filter((end) => begun.has(end.id)).map((end) => ({ ...begun.get(end.id), dur_ns: end.ns - begun.get(end.id).ns }));
}

export function slice(tid, category, name, begin, dur) {
	return { line: [tid, category, dur, name].join(' '), at: [tid, begin], end: begin + dur };
}

export function nameOf(name) {
	return name || '?';
}

// recording - the events of `file` as lines: slices of threads, tasks, counters and samples.
export function recording(file) {
	const rows = rowsOf(file), report = json('report', file);
	const waits = rows('span').map((s) => slice(s.tid, 'wait', s.wait, s.ns - s.dur_ns, s.dur_ns));
	const regions = pairs(rows('region-begin'), rows('region-end')).map((r) => slice(r.tid, 'region', nameOf(r.name), r.ns, r.dur_ns));
	const logs = rows('log').map((l) => slice(l.tid, 'log', nameOf(l.name), l.ns, 0));

	return {
		report,
		pid: report.program.pid,
		threads: rows('thread-slot').map((t) => [t.tid, t.name].join(' ')),
		slices: [...waits, ...regions, ...logs],
		marks: rows('mark').map((m) => [m.ns, nameOf(m.name)].join(' ')),
		tasks: pairs(rows('task-begin'), rows('task-end')).map((t) => slice(t.tid, 'task', nameOf(t.name), t.ns, t.dur_ns)),
		counters: rows('counter').map((c) => [c.ns, c.value, nameOf(c.name)].join(' ')),
		samples: rows('sample').map((s) => [s.tid, s.ns, s.weight || 1].join(' ')),
		stacks: tally(report.cpu.sites.map((s) => [stackOf(s.stack), s.samples])),
		// Also what has not ended, which the dump has no line for.
		kinds: tally(report.block.sites.map((s) => [s.kind, s.spans])),
		waited: tally(report.block.sites.map((s) => [s.kind + '\n' + stackOf(s.stack), s.spans])),
	};
}

export function stackOf(frames) {
	return frames.map((frame) => frame.function).join('\n');
}

// Lines "sum key", of what has a sum.
export function tally(list) {
	const sums = new Map();

	for (const [key, count] of list)
		sums.set(key, (sums.get(key) || 0) + count);
	return [...sums].filter(([, sum]) => sum).map(([key, sum]) => sum + ' ' + key);
}

// same - the same lines, in any order. Says the first ones that only one side has.
export function same(what, got, want) {
	const left = new Map();

	for (const line of want)
		left.set(line, (left.get(line) || 0) + 1);
	const more = got.filter((line) => {
		left.set(line, (left.get(line) || 0) - 1);
		return left.get(line) < 0;
	});
	const missing = [...left].filter(([, count]) => count > 0).map(([line]) => line);

	check(`${what}: ${got.length}, the recording says ${want.length}`, !more.length && !missing.length,
		{ only_there: more.slice(0, 3), only_in_recording: missing.slice(0, 3) });
}

// The dump tells when a wait ended, a viewer when it began: both rounded to a nanosecond.
export function sameSlices(what, got, want) {
	const begins = (list) => list.map((s) => s.at).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
	const times = begins(got), wanted = begins(want);

	same(what, got.map((s) => s.line), want.map((s) => s.line));
	check(`${what} begin when they began`, times.every(([tid, at], i) => tid === wanted[i][0] && Math.abs(at - wanted[i][1]) <= 1));
}

// words - the arguments: each `--shows TEXT` is a text that must be somewhere, the rest are files.
export function words() {
	const shows = [], rest = [];

	for (let i = 2; i < process.argv.length; i++)
		if (process.argv[i] === '--shows')
			shows.push(process.argv[++i]);
		else
			rest.push(process.argv[i]);
	return { shows, rest };
}
