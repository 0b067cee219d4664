# Title: node: timers, workers, child processes, streams, crypto threads, net, wasm, heap limits
# Needs: node
# Package: nodejs
# Time: 90

prepare() {
	cat >program.js <<'JS'
const { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
const { execSync, spawn, spawnSync, fork } = require("child_process");
const crypto = require("crypto"), fs = require("fs"), net = require("net"), zlib = require("zlib"), dns = require("dns");
if (process.argv[2] === "child") {
	process.on("message", m => process.send({ twice: m.n * 2 }, () => process.exit(3)));
} else if (!isMainThread) {
	let s = 0;
	for (let i = 0; i < 2e6; i++) s = (s + i * workerData) % 1000003;
	Atomics.add(new Int32Array(parentPort ? workerDataShared() : null), 0, 1);
	parentPort.postMessage(s);
} else main();
function workerDataShared() { return require("worker_threads").getEnvironmentData("shared"); }
async function main() {
	const shared = new SharedArrayBuffer(4);
	require("worker_threads").setEnvironmentData("shared", shared);
	const sums = await Promise.all([1, 2, 3, 4].map(n => new Promise((ok, no) => {
		const w = new Worker(__filename, { workerData: n });
		w.on("message", ok).on("error", no);
	})));
	console.log("workers", sums, new Int32Array(shared)[0]);
	const order = [];
	setTimeout(() => order.push("timeout"), 20);
	setImmediate(() => order.push("immediate"));
	process.nextTick(() => order.push("tick"));
	await new Promise(ok => setTimeout(ok, 80));
	console.log(order.join());
	const keys = await Promise.all([...Array(8).keys()].map(i => new Promise(ok => crypto.pbkdf2("p" + i, "salt", 5000, 32, "sha256", (e, k) => ok(k.toString("hex"))))));
	console.log(crypto.createHash("md5").update(keys.join()).digest("hex"));
	console.log(execSync("echo exec; exit 0").toString().trim(), spawnSync("sh", ["-c", "cat; exit 4"], { input: "in" }).status);
	const killed = spawn("sleep", ["10"]);
	setTimeout(() => killed.kill("SIGTERM"), 50);
	console.log(await new Promise(ok => killed.on("exit", (c, s) => ok([c, s]))));
	const f = fork(__filename, ["child"]);
	f.send({ n: 21 });
	console.log(await new Promise(ok => f.on("message", m => f.on("exit", c => ok([m.twice, c])))));
	const server = net.createServer(s => s.pipe(s)).listen(0, "127.0.0.1");
	await new Promise(ok => server.on("listening", ok));
	const echoed = await Promise.all([...Array(10).keys()].map(i => new Promise(ok => {
		const c = net.connect(server.address().port, "127.0.0.1", () => c.end("x".repeat(10000 * i)));
		let n = 0;
		c.on("data", d => n += d.length).on("close", () => ok(n));
	})));
	server.close();
	console.log(echoed.join());
	const text = zlib.gzipSync("a".repeat(1e6));
	console.log(text.length, (await new Promise(ok => zlib.gunzip(text, (e, d) => ok(d)))).length);
	fs.writeFileSync("file", "text");
	console.log(await fs.promises.readFile("file", "utf8"), fs.readdirSync("/proc/self/fd").length > 0);
	const wasm = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]));
	let t = 0;
	const add = new WebAssembly.Instance(wasm).exports.add;
	for (let i = 0; i < 1e6; i++) t = add(t, i) % 1000003;
	console.log("wasm", t);
	process.on("SIGUSR2", () => console.log("signal"));
	process.kill(process.pid, "SIGUSR2");
	await new Promise(ok => setTimeout(ok, 50));
	function deep() { return 1 + deep(); }
	try { deep(); } catch (e) { console.log(e.constructor.name); }
	let a = [];
	for (let i = 0; i < 3e5; i++) a.push({ i, s: "s" + i });
	console.log(a.filter(x => x.i % 3 === 0).length, JSON.stringify(a).length);
	process.on("exit", c => console.log("exit", c));
	process.exitCode = 6;
}
JS
}

run() {
	node "$prepared/program.js"
	echo "ended with $?"
	node -e 'throw new Error("thrown")' 2>&1 | grep '^Error'
	bash -c "node -e 'process.abort()'; echo abort: \$?" 2>/dev/null
	bash -c "node --max-old-space-size=30 -e 'let a = []; for (;;) a.push(new Array(1000).fill(1.5))' >/dev/null; echo out of memory: \$?" 2>/dev/null
	echo 'console.log(require("fs").readFileSync(0).length)' >in.js
	head -c 300000 /dev/zero | node in.js
}
