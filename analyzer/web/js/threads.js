// SPDX-License-Identifier: MIT
// threads.js - each thread's time, and the timeline as numbers.

// What a thread did in the chosen interval, from the columns of the timeline.
function didIn(thread) {
	const t = model.time, width = (t.to - t.from) / t.columns, sum = t.doings.map(() => 0);

	if (state.from === null)
		return thread.ns;
	for (let i = 0, column = 0; i < thread.runs.length;) {
		const begin = t.from + column * width, end = begin + thread.runs[i] * width, mask = thread.runs[i + 1];
		const ns = Math.max(0, Math.min(end, state.to) - Math.max(begin, state.from));

		column += thread.runs[i];
		i += 2;
		for (let d = 0; d < sum.length; d++)
			if (mask >> d & 1)
				sum[d] += ns * thread.runs[i++] / 100;
	}
	return sum;
}

function threadsView(main) {
	const rows = model.time.threads.map((thread) => ({ name: thread.name, did: didIn(thread) }));
	const words = state.from === null ? 'Whole recording' : `Between ${nsText(state.from)} and ${nsText(state.to)}`;

	main.append(el('h2', {}, 'Threads'), el('p', { class: 'words' }, words));
	main.append(makeTable('What each thread did: the timeline as numbers', [
		textColumn('Thread', (r) => r.name, 32),
		...model.time.doings.map((name, d) => numberColumn(name, 'ns', (r) => r.did[d])),
	], rows, 1));
	main.append(makeTable('Accounts of the whole recording', [
		textColumn('Thread', (r) => `${r.name} ${r.tid}`, 32), numberColumn('Start', 'ns', (r) => r.start_ns), numberColumn('Wall', 'ns', (r) => r.wall_ns),
		numberColumn('CPU', 'ns', (r) => r.cpu_ns), numberColumn('Blocked', 'ns', (r) => r.blocked_ns),
		numberColumn('Runnable', 'ns', (r) => r.runnable_ns), numberColumn('Not known', 'ns', (r) => r.unknown_ns),
		numberColumn('Allocations', 'count', (r) => r.allocations), textColumn('Waiting at the end', (r) => r.waiting),
		textColumn('Created by', (r) => r.created_by.length ? placeOf(r.created_by) : '', 50),
	], model.report.threads, 3));
}
