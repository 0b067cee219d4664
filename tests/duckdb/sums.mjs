// SPDX-License-Identifier: MIT
// sums.mjs JSONL CSV DB - what DuckDB reads of three exports of one recording, as JSON: rows and sums by kind, by wait,
// by function. It guesses the types itself, of all rows: kinds that come late have keys of their own. Nothing is fetched.
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.DUCKDB_MODULES, 'package.json'));
const { DuckDBInstance } = require('@duckdb/node-api');
const [jsonl, csv, db] = process.argv.slice(2);
const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false' });
const duck = await instance.connect();
const quoted = (name) => `'${name.replaceAll("'", "''")}'`;
// Sums of 64 bits are wider than a number of JavaScript: as texts.
const ask = async (query) => (await duck.runAndReadAll(query)).getRows().map((row) => row.map((cell) => cell === null ? null : String(cell)));

const sources = { jsonl: `read_json_auto(${quoted(jsonl)}, sample_size=-1)`, csv: `read_csv_auto(${quoted(csv)}, sample_size=-1)` };
const result = {};

for (const [name, source] of Object.entries(sources)) {
	// What is no event (modules, threads, stacks) is in the JSON only; it has no time.
	await duck.run(`create table ${name} as select * from ${source} where ns is not null`);
	result[name] = {
		types: Object.fromEntries((await ask(`describe ${name}`)).map((row) => [row[0], row[1]])),
		kinds: await ask(`select kind, count(*), coalesce(sum(dur_ns), 0), coalesce(sum(size), 0), coalesce(sum(amount), 0)
			from ${name} group by kind order by kind`),
		waits: await ask(`select wait, count(*), sum(dur_ns), count(distinct tid) from ${name} where kind = 'span' group by wait order by wait`),
		total: (await ask(`select count(*) filter (kind in ('alloc', 'realloc-alloc')), sum(size) filter (kind in ('alloc', 'realloc-alloc')),
			count(*) filter (kind in ('free', 'realloc-free')), sum(weight) filter (kind = 'sample'), count(*) filter (kind = 'span') from ${name}`))[0],
	};
}
// A stack's number joins its events with its frames in the one, and is beside its functions in the other.
result.jsonl.allocated_by = await ask(`select s.frames[1].function as f, sum(e.size) from jsonl e join
	(select stack, any_value(frames) as frames from ${sources.jsonl} where kind = 'stack' group by stack) s using (stack)
	where e.kind in ('alloc', 'realloc-alloc') group by f order by f`);
result.csv.allocated_by = await ask(`select string_split(functions, ';')[-1] as f, sum(size) from csv
	where kind in ('alloc', 'realloc-alloc') and functions is not null group by f order by f`);
// What reads databases of SQLite is an extension that DuckDB would have to fetch.
try {
	await duck.run('load sqlite');
	result.sqlite = (await ask(`select sum(allocations), sum(allocated_bytes) from sqlite_scan(${quoted(db)}, 'sites')`))[0];
} catch {
	result.sqlite = null;
}
console.log(JSON.stringify(result));
