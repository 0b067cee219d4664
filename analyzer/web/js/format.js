// SPDX-License-Identifier: MIT
// format.js - numbers as the text reports print them, and foreign text made visible.

function bytesText(value) {
	const units = ['B', 'kB', 'MB', 'GB', 'TB'];
	let unit = 0, v = value;

	while (Math.abs(v) >= 1024 && unit < units.length - 1) {
		v /= 1024;
		unit++;
	}
	return (unit ? v.toFixed(2) : String(v)) + units[unit];
}

function nsText(value) {
	const v = Math.abs(value);

	if (v >= 1e9)
		return (value / 1e9).toFixed(2) + 's';
	if (v >= 1e6)
		return (value / 1e6).toFixed(2) + 'ms';
	if (v >= 1e3)
		return (value / 1e3).toFixed(2) + 'us';
	return Math.round(value) + 'ns';
}

function countText(value) {
	return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

function valueText(unit, value) {
	if (value === null || value === undefined)
		return '';
	return unit === 'bytes' ? bytesText(value) : unit === 'ns' ? nsText(value) : unit === 'count' ? countText(value) :
		String(value);
}

function percentText(part, whole) {
	return (whole ? part * 100 / whole : 0).toFixed(2) + '%';
}

// Control characters, and those that hide or turn text around, as escapes.
const hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function visible(text) {
	return String(text).replace(hidden, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}

// The whole name is in titles and tips; lists show its ends.
function shortText(text, most) {
	return text.length <= most ? text : text.slice(0, Math.ceil(most * 0.6)) + '…' + text.slice(-Math.floor(most * 0.4) + 1);
}

function baseName(path) {
	return path.slice(path.lastIndexOf('/') + 1);
}
