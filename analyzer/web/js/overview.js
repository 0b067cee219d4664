// SPDX-License-Identifier: MIT
// overview.js - what was recorded, and the findings first.

function fact(name, value, hint) {
	return el('div', { class: 'fact', title: hint || null }, el('dt', {}, name), el('dd', {}, value));
}

// The innermost function of a stack that the tree knows.
function stackFrame(stack) {
	for (const frame of stack || []) {
		const found = frameByName(frame.function);

		if (found >= 0)
			return found;
	}
	return -1;
}

// Which number tells most about a finding.
const findingMetrics = {
	leak: 'inuse_space', growth: 'peak_space', temporary: 'temporary', 'cpu-hot': 'cpu', 'one-thread': 'cpu',
	lock: 'lock_holders', wait: 'blocked', stuck: 'blocked', deadlock: 'blocked', idle: 'blocked',
};

function findingActions(finding) {
	const frame = stackFrame(finding.stack), metric = metricByName(findingMetrics[finding.rule]);
	const actions = [];

	if (metric && (frame >= 0 || finding.rule === 'cpu-hot'))
		actions.push(button('Callers and callees', () =>
			stateSet({ view: 'sandwich', func: frame, metric: metric.name }, true)));
	if (metric)
		actions.push(button('Flame graph', () =>
			stateSet({ view: 'flame', metric: metric.name, zoom: 0 }, true)));
	if (finding.rule === 'lock' || finding.rule === 'deadlock')
		actions.push(button('Locks', () => stateSet({ view: 'locks' }, true)));
	return actions;
}

function findingItem(finding) {
	const stack = (finding.stack || []).slice(0, 12);

	return el('li', { class: 'finding ' + finding.severity },
		el('p', {}, el('strong', { class: 'badge' }, finding.severity), ' ', visible(finding.text)),
		stack.length ? el('details', {}, el('summary', {}, 'Stack'), el('ol', { class: 'stack' }, stack.map((f) =>
			el('li', {}, visible(f.function) + (f.file ? ' — ' + visible(f.file) + ':' + f.line : ''))))) : null,
		el('div', { class: 'actions' }, findingActions(finding)));
}

function overviewFacts() {
	const r = model.report, p = r.program;

	return el('dl', { class: 'facts' },
		fact('Duration', nsText(p.duration_ns)), fact('Ended', p.end), fact('Threads', countText(p.threads)),
		fact('CPU time', nsText(r.cpu.cpu_ns), `${countText(r.cpu.samples)} samples`),
		fact('Blocked', nsText(r.block.blocked_ns), 'sum over threads, in recorded waits'),
		fact('Heap peak', bytesText(r.heap.peak_bytes), 'at ' + nsText(r.heap.peak_ns)),
		fact('Allocated', bytesText(r.heap.allocated_bytes), `${countText(r.heap.allocations)} allocations`),
		fact('Live at the end', bytesText(r.heap.live_bytes), `${countText(r.heap.live_blocks)} blocks`),
		fact('Events', countText(r.recording.events)), fact('Lost events', countText(r.recording.lost_events)),
		fact('Heap recorded', r.recording.heap), fact('CPU sampled', r.recording.cpu_hz ? r.recording.cpu_hz + ' Hz' : 'off'),
		fact('Waits from', r.recording.block_ns === null ? 'off' : nsText(r.recording.block_ns)),
		fact('Recorder’s own time', nsText(r.recording.self_ns), 'estimated'));
}

// Of a page that compares: the totals.
function diffPart() {
	if (!model.base)
		return [];
	const whole = [{ name: 'duration', words: 'from the first event to the end', unit: 'ns', total: model.report.program.duration_ns,
		base_total: model.base.duration_ns }, ...model.metrics];

	return [el('h2', {}, 'Compared with an older recording'),
		el('p', { class: 'words' }, `${visible(model.base.path)}: ${visible(baseName(model.base.exe))}, pid ${model.base.pid}. ` +
			'Functions are matched over a rebuild; what was renamed is gone and new. Findings, timeline, locks and threads are those of the ' +
			'newer one, and so are numbers of an interval.'),
		makeTable('Totals', [textColumn('Number', (m) => m.name), textColumn('Means', (m) => m.words),
			{ title: 'Before', unit: 'count', value: (m) => m.base_total, text: (m) => valueText(m.unit, m.base_total) },
			{ title: 'Now', unit: 'count', value: (m) => m.total, text: (m) => valueText(m.unit, m.total) },
			{ title: 'Change', unit: 'count', value: (m) => m.total - m.base_total, text: (m) => changeText(m.unit, m.total - m.base_total) },
			{ title: 'In percent', unit: 'percent', value: (m) => m.base_total ? m.total / m.base_total : 0,
				text: (m) => grownWords(m.total, m.base_total) },
		], whole, null)];
}

// What this page does not hold, in sentences.
function pageNotes() {
	const notes = [...model.report.recording.losses, ...model.report.recording.notices].map(visible);

	notes.push('Numbers of the heap are charged to who called operator new or an allocator of the C++ library, as in ringside heap.');
	notes.push(`A page is at most ${bytesText(model.pageBytesMost)}, whatever the recording.`);
	if (model.leastShare > 0)
		notes.push(`Of ${countText(model.nodesRecorded)} calls in the tree ${countText(model.nodes)} are shown: those with ` +
			`less than ${(model.leastShare * 100).toPrecision(2)} % of every number are merged into “(smaller)” of their caller.`);
	notes.push(...sourceNotes());
	if (model.functions.some((name) => name.length >= model.nameMost))
		notes.push(`Names longer than ${countText(model.nameMost)} bytes are cut.`);
	notes.push(`Time is shown in ${model.time.columns} columns of ${nsText((model.time.to - model.time.from) / model.time.columns)}; ` +
		`stacks of an interval in ${model.time.cell_columns} of ${nsText((model.time.to - model.time.from) / model.time.cell_columns)}.`);
	if (model.time.threads_left_out)
		notes.push(`${countText(model.time.threads_left_out)} further threads are not in the timeline.`);
	return notes;
}

function overviewView(main) {
	const r = model.report;

	main.append(el('h2', {}, 'Findings'));
	main.append(r.findings.length ? el('ol', { class: 'findings' }, r.findings.map(findingItem)) :
		el('p', { class: 'none' }, 'No rule had anything to say.'));
	main.append(...diffPart());
	main.append(el('h2', {}, 'What was recorded'), overviewFacts());
	main.append(el('p', { class: 'command' }, r.program.argv.map(visible).join(' ')));
	main.append(el('h2', {}, 'What is missing or merged'), el('ul', { class: 'notes' }, pageNotes().map((n) => el('li', {}, n))));
}
