// SPDX-License-Identifier: MIT
// color.js - a module has the same colour in every page; what threads do has colours that most eyes can tell apart.

function isDark() {
	const chosen = document.documentElement.dataset.theme;

	return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

function hueOf(text) {
	let hash = 2166136261;

	for (let i = 0; i < text.length; i++)
		hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
	return (hash >>> 0) % 360;
}

const frameColors = new Map();

function frameColor(frame) {
	const module = moduleText(frame), dark = isDark(), key = (dark ? 'd' : 'l') + module;
	let color = frameColors.get(key);

	if (!color) {
		const hue = hueOf(module);

		color = !module ? (dark ? '#4a4a4a' : '#d8d8d8') :
			dark ? `hsl(${hue} 38% 30%)` : `hsl(${hue} 62% 80%)`;
		frameColors.set(key, color);
	}
	return color;
}

// Red grew, blue fell; the stronger, the larger the part of it that changed. Changes below a thousandth of all are pale.
function diffColor(now, was, whole) {
	const change = now - was, part = Math.abs(change) / Math.max(now, was, 1e-9);
	const strength = Math.abs(change) < whole / 1000 ? 0 : part, hue = change > 0 ? 8 : 215;

	return isDark() ? `hsl(${hue} ${10 + 60 * strength}% ${26 + 8 * strength}%)` : `hsl(${hue} ${15 + 75 * strength}% ${92 - 18 * strength}%)`;
}

const doingColors = {
	cpu: '#009e73', ready: '#f0e442', lock: '#d55e00', sync: '#cc79a7', io: '#0072b2', sleep: '#56b4e9',
	other: '#8a8a8a', idle: '#c9cdd3', unknown: '#ffffff',
};
const doingWords = {
	cpu: 'on a CPU', ready: 'ready to run, or in short waits', lock: 'waits for a lock',
	sync: 'waits for a condition, semaphore, barrier or join', io: 'waits for I/O', sleep: 'sleeps',
	other: 'other waits', idle: 'waits for work', unknown: 'not known',
};

function themeColors() {
	return isDark() ?
		{ text: '#f2f2f2', back: '#16181c', line: '#16181c', hit: '#a3216f', hitText: '#ffffff', thin: '#6b7078', focus: '#ffd34d', curve: '#4fb4ff', curve2: '#ffb454' } :
		{ text: '#16181c', back: '#ffffff', line: '#ffffff', hit: '#f3a6d6', hitText: '#16181c', thin: '#a9afb8', focus: '#0b4fb3', curve: '#1f6fb5', curve2: '#a34e00' };
}
