# Title: python3: threads, subprocess, multiprocessing, asyncio, signals, memory debug hooks
# Needs: /usr/bin/python3
# Package: python3
# Time: 120

prepare() {
	cat >program.py <<'PYTHON'
import asyncio, ctypes, faulthandler, gc, hashlib, json, multiprocessing, os, queue, select, signal, socket
import sqlite3, subprocess, sys, tempfile, threading, time, zlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

def square(x):
    return x * x

def threads():
    q, out = queue.Queue(), []
    def work():
        while (item := q.get()) is not None:
            out.append(item * 2)
    pool = [threading.Thread(target=work) for _ in range(8)]
    [t.start() for t in pool]
    [q.put(i) for i in range(5000)]
    [q.put(None) for _ in pool]
    [t.join() for t in pool]
    condition, turns = threading.Condition(), []
    def turn(n):
        with condition:
            condition.wait_for(lambda: len(turns) == n)
            turns.append(n)
            condition.notify_all()
    pool = [threading.Thread(target=turn, args=(n,)) for n in reversed(range(50))]
    [t.start() for t in pool]
    [t.join() for t in pool]
    return sum(out), turns == list(range(50)), threading.active_count()

def processes():
    with multiprocessing.get_context("fork").Pool(4) as pool:
        forked = sum(pool.map(square, range(2000)))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        spawned = sum(pool.map(square, range(200)))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("forkserver")) as pool:
        served = sum(pool.map(square, range(200)))
    value = multiprocessing.Value("i", 0)
    def add():
        for _ in range(500):
            with value.get_lock():
                value.value += 1
    children = [multiprocessing.Process(target=add) for _ in range(4)]
    [c.start() for c in children]
    [c.join() for c in children]
    return forked, spawned, served, value.value, [c.exitcode for c in children]

def commands():
    done = subprocess.run(["sh", "-c", "cat; echo err >&2; exit 3"], input=b"in" * 50000, capture_output=True)
    late = None
    try:
        subprocess.run(["sleep", "5"], timeout=0.2)
    except subprocess.TimeoutExpired:
        late = "timeout"
    session = subprocess.run(["true"], start_new_session=True, close_fds=True, preexec_fn=lambda: os.nice(0))
    group = [subprocess.Popen(["sh", "-c", "exit %d" % i]) for i in range(30)]
    return done.returncode, len(done.stdout), done.stderr, late, session.returncode, sum(p.wait() for p in group)

async def network():
    async def serve(reader, writer):
        while data := await reader.read(1000):
            writer.write(data[::-1])
            await writer.drain()
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async def ask(n):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        total = 0
        for i in range(20):
            writer.write(b"%d" % (n * i))
            total += len(await reader.read(100))
        writer.close()
        return total
    total = sum(await asyncio.gather(*(ask(n) for n in range(20))))
    server.close()
    child = await asyncio.create_subprocess_exec("echo", "async", stdout=-1)
    text = (await child.communicate())[0]
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.1)
    except asyncio.TimeoutError:
        text += b"timeout"
    loop = asyncio.get_running_loop()
    return total, text, await loop.run_in_executor(None, square, 7)

def signals():
    got = []
    for number in (signal.SIGUSR1, signal.SIGALRM, signal.SIGRTMIN, signal.SIGRTMAX, signal.SIGPROF):
        signal.signal(number, lambda n, f: got.append(n))
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGRTMIN)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(0.15)
    os.kill(os.getpid(), signal.SIGRTMAX)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    os.kill(os.getpid(), signal.SIGUSR2)
    waited = signal.sigwait({signal.SIGUSR2})
    none = signal.sigtimedwait(signal.valid_signals() - {signal.SIGCHLD, signal.SIGCONT}, 0.1)
    return got, waited, none, sorted(signal.sigpending()), sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))

def rest():
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    block = libc.malloc(1000)
    libc.free(ctypes.c_void_p(block))
    db = sqlite3.connect(":memory:")
    db.execute("create table t(x)")
    db.executemany("insert into t values(?)", ((i,) for i in range(10000)))
    a, b = socket.socketpair()
    a.send(b"pair")
    with ThreadPoolExecutor(4) as pool:
        packed = sum(len(zlib.compress(b"x" * n)) for n in pool.map(square, range(300)))
    pid = os.fork()
    if not pid:
        os._exit(9)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    r, w = os.pipe()
    os.write(w, b"p")
    poll = select.epoll()
    poll.register(r, select.EPOLLIN)
    def deep(n):
        return deep(n + 1)
    try:
        deep(0)
    except RecursionError:
        depth = "recursion"
    return (db.execute("select sum(x) from t").fetchone(), b.recv(9), packed, status, len(poll.poll()), depth,
            sorted(int(name) for name in os.listdir("/proc/self/fd")), os.path.exists(tempfile.gettempdir()),
            len(json.dumps([{str(i): i} for i in range(20000)])), hashlib.sha256(b"a" * 1000000).hexdigest())

if __name__ == "__main__":
    faulthandler.enable()
    for part in (threads, processes, commands, signals, rest):
        print(part.__name__, part(), flush=True)
    print("network", asyncio.run(network()))
    gc.collect()
PYTHON
}

run() {
	/usr/bin/python3 "$prepared/program.py"
	echo "ended with $?"
	PYTHONMALLOC=malloc /usr/bin/python3 "$prepared/program.py"
	echo "ended with $?"
	PYTHONMALLOC=debug /usr/bin/python3 -c 'import threading; [threading.Thread(target=lambda: [bytes(i) for i in range(3000)]).start() for _ in range(4)]'
	# A fault is reported by the program's own handler.
	/usr/bin/python3 -X faulthandler -c 'import ctypes; ctypes.string_at(0)' 2>&1 | sed 's/0x[0-9a-f]*/ADDRESS/g'
	echo "ended with ${PIPESTATUS[0]}"
	/usr/bin/python3 -c 'raise SystemExit("message")'
	timeout -s INT 2 /usr/bin/python3 -c 'import time
try: time.sleep(15)
except KeyboardInterrupt: print("interrupted")'
	echo "ended with $?"
}
