// SPDX-License-Identifier: MIT
// locks.js - kinds of waits, locks with their holders, descriptors.

function textColumn(title, value, most) {
	return { title, unit: 'text', value: (row) => visible(value(row) ?? ''), hint: (row) => visible(value(row) ?? ''),
		text: (row) => shortText(visible(value(row) ?? ''), most || 80) };
}

function numberColumn(title, unit, value) {
	return { title, unit, value };
}

// What only passes a request on, and who calls main and threads: as in symbols/place.c.
const plumbing = /^(operator new|__gnu_cxx::|(malloc|calloc|realloc)$|([^<(]* )?std::)/, outside = /^(libc\.so|ld-linux)/;

function hasName(frame) {
	return frame.function && !frame.function.includes('+0x') && !frame.function.startsWith('[');
}

function frameText(frame) {
	return frame.function + (frame.file ? ` (${baseName(frame.file)}:${frame.line})` :
		frame.function.includes('+0x') ? '' : ` (${frame.module || '?'})`);
}

// Where in the program a stack is; when that has no name, the nearest caller that has one comes first.
function placeOf(stack) {
	const all = stack || [], at = Math.max(0, all.findIndex((f) => !plumbing.test(f.function))), site = all[at];

	if (!site)
		return '[no stack]';
	const named = hasName(site) ? site : all.slice(at + 1).find((f) => hasName(f) && !outside.test(f.module || '') && f.function !== '_start');

	return (named && named !== site ? frameText(named) + ' through ' : '') + frameText(site);
}

function holderRows() {
	return model.report.block.locks.flatMap((lock) => lock.holders.map((holder) => ({ lock, holder })));
}

function stackButton(title, stackOf, metric) {
	return { title, unit: 'text', value: (row) => visible(placeOf(stackOf(row))), hint: (row) => visible(placeOf(stackOf(row))),
		text: (row) => shortText(visible(placeOf(stackOf(row))), 80),
		canAct: (row) => stackFrame(stackOf(row)) >= 0,
		act: (row) => stateSet({ view: 'sandwich', func: stackFrame(stackOf(row)),
			metric: metricByName(metric) ? metric : state.metric }, true) };
}

function locksView(main) {
	const block = model.report.block;

	main.append(el('h2', {}, 'Locks and waits'));
	main.append(makeTable('Locks, by how long threads waited for them', [
		textColumn('Lock', (l) => l.name), textColumn('Kind', (l) => l.kind), numberColumn('Waits', 'count', (l) => l.contentions),
		numberColumn('Waited', 'ns', (l) => l.wait_ns), numberColumn('Longest', 'ns', (l) => l.max_wait_ns),
		numberColumn('Contended holds', 'count', (l) => l.holds), numberColumn('Held', 'ns', (l) => l.held_ns),
	], block.locks, 3, 'No thread waited for a lock long enough to be recorded.'));
	main.append(makeTable('Who held them while others waited', [
		textColumn('Lock', (r) => r.lock.name), stackButton('Released at', (r) => r.holder.stack, 'lock_holders'),
		numberColumn('Waits caused', 'count', (r) => r.holder.waits), numberColumn('Others waited', 'ns', (r) => r.holder.wait_ns),
	], holderRows(), 3));
	main.append(makeTable('Waits by kind', [
		textColumn('Kind', (k) => k.kind), numberColumn('Calls', 'count', (k) => k.calls), numberColumn('Recorded', 'count', (k) => k.spans),
		numberColumn('Blocked', 'ns', (k) => k.blocked_ns), numberColumn('Median', 'ns', (k) => k.p50_ns),
		numberColumn('99 %', 'ns', (k) => k.p99_ns), numberColumn('Longest', 'ns', (k) => k.max_ns),
	], block.kinds, 3));
	main.append(makeTable('Where threads waited', [
		textColumn('Kind', (s) => s.kind), stackButton('Place', (s) => s.stack, 'blocked'), numberColumn('Waits', 'count', (s) => s.spans),
		numberColumn('Blocked', 'ns', (s) => s.blocked_ns),
	], block.sites, 3));
	main.append(makeTable('Files and sockets', [
		textColumn('What', (f) => f.path), numberColumn('Calls', 'count', (f) => f.calls), numberColumn('Read', 'bytes', (f) => f.bytes_read),
		numberColumn('Written', 'bytes', (f) => f.bytes_written), numberColumn('Blocked', 'ns', (f) => f.blocked_ns),
	], block.fds, 4));
}
