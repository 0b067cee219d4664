# Title: C++: exceptions, thread cancellation, call_once, condition variables, coroutines, filesystem, g++ and clang++
# Needs: g++ clang++
# Package: g++ clang
# Time: 120
# Normalise: line \d+: +\d+ Aborted => Aborted | bash tells the process number

prepare() {
	cat >program.cpp <<'CC'
#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <pthread.h>
#include <semaphore.h>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/poll.h>
#include <thread>
#include <unistd.h>
#include <vector>

static std::atomic<int> destroyed;
struct Mark { ~Mark() { destroyed++; } };

static int deep(int n)
{
	Mark mark;
	if (!n)
		throw std::runtime_error("deep");
	return deep(n - 1) + 1;
}

static void exceptions()
{
	int caught = 0;
	for (int i = 0; i < 2000; i++)
		try {
			deep(i % 50);
		} catch (const std::exception &e) {
			caught += !strcmp(e.what(), "deep");
		}
	std::cout << "caught " << caught << " destroyed " << destroyed << "\n";
	std::once_flag flag;
	int tries = 0;
	for (int i = 0; i < 3; i++)
		try {
			std::call_once(flag, [&] { if (++tries < 3) throw 7; });
		} catch (int seven) {
			std::cout << "once threw " << seven << "\n";
		}
	try {
		std::vector<std::unique_ptr<std::string>> v(1ull << 60);
	} catch (const std::exception &e) {
		std::cout << "length\n";
	}
	std::cout << (new (std::nothrow) char[1ull << 62 >> 1] == nullptr) << "\n";
	auto failing = std::async(std::launch::async, [] { return deep(3); });
	try {
		failing.get();
	} catch (const std::runtime_error &e) {
		std::cout << "future: " << e.what() << "\n";
	}
}

static int cleaned;
struct Cleaner { ~Cleaner() { cleaned++; } };
enum { READ, POLL, SEM, COND, SLEEP, JOIN, POINTS };
static sem_t never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int fds[2];
static std::atomic<bool> ready;

static void *cancelled(void *arg)
{
	Cleaner cleaner;
	try {
		char c;
		struct pollfd p = { fds[0], POLLIN, 0 };
		ready = true;
		switch ((long)arg) {
		case READ: return (void *)read(fds[0], &c, 1);
		case POLL: return (void *)(long)poll(&p, 1, -1);
		case SEM: return (void *)(long)sem_wait(&never);
		case COND:
			pthread_mutex_lock(&mutex);
			pthread_cleanup_push([](void *m) { pthread_mutex_unlock((pthread_mutex_t *)m); }, &mutex);
			pthread_cond_wait(&cond, &mutex);
			pthread_cleanup_pop(1);
			break;
		case SLEEP: sleep(100); break;
		case JOIN: for (;;) pthread_testcancel(), usleep(100);
		}
	} catch (...) {
		cleaned += 10;
		throw;
	}
	return nullptr;
}

static void cancellation()
{
	if (pipe(fds))
		return;
	sem_init(&never, 0, 0);
	for (int round = 0; round < 20; round++)
		for (long point = 0; point < POINTS; point++) {
			pthread_t thread;
			void *result;
			ready = false;
			pthread_create(&thread, nullptr, cancelled, (void *)point);
			while (!ready)
				usleep(50);
			if (round % 2)
				usleep(500);
			pthread_cancel(thread);
			pthread_join(thread, &result);
			if (result != PTHREAD_CANCELED)
				std::cout << "not cancelled at " << point << "\n";
		}
	std::cout << "cleaned " << cleaned << "\n";
}

struct Generator {
	struct promise_type {
		int value;
		Generator get_return_object() { return { std::coroutine_handle<promise_type>::from_promise(*this) }; }
		std::suspend_always initial_suspend() { return {}; }
		std::suspend_always final_suspend() noexcept { return {}; }
		std::suspend_always yield_value(int v) { value = v; return {}; }
		void return_void() {}
		void unhandled_exception() { throw; }
	};
	std::coroutine_handle<promise_type> handle;
	~Generator() { handle.destroy(); }
};

static Generator numbers(int n)
{
	for (int i = 0; i < n; i++)
		co_yield i;
	throw std::string("end of numbers");
}

static void waiting()
{
	std::mutex m;
	std::condition_variable cv;
	std::shared_mutex sm;
	std::timed_mutex tm;
	int turn = 0;
	std::vector<std::thread> threads;
	for (int i = 0; i < 8; i++)
		threads.emplace_back([&, i] {
			for (int k = 0; k < 50; k++) {
				std::unique_lock lock(m);
				cv.wait(lock, [&] { return turn % 8 == i; });
				turn++;
				cv.notify_all();
				std::shared_lock read(sm);
			}
		});
	for (auto &thread : threads)
		thread.join();
	std::unique_lock lock(m);
	using namespace std::chrono_literals;
	std::cout << turn << " " << (cv.wait_for(lock, 20ms) == std::cv_status::timeout) << "\n";
	tm.lock();
	std::thread([&] { std::cout << tm.try_lock_for(20ms) << "\n"; }).join();
	std::jthread stopping([](std::stop_token token) { while (!token.stop_requested()) std::this_thread::sleep_for(1ms); });
	thread_local std::string local = "local";
	std::vector<std::future<long>> sums;
	for (int i = 0; i < 20; i++)
		sums.push_back(std::async([](int n) { std::map<int, std::string> map; for (int k = 0; k < 2000; k++) map[k * n % 977] += "x"; return (long)map.size(); }, i));
	long total = 0;
	for (auto &sum : sums)
		total += sum.get();
	std::cout << total << " " << local << "\n";
	auto g = numbers(1000);
	long yielded = 0;
	try {
		for (;;) {
			g.handle.resume();
			yielded += g.handle.promise().value;
		}
	} catch (const std::string &end) {
		std::cout << yielded << " " << end << "\n";
	}
	std::ofstream("file") << "text " << 42 << "\n";
	std::cout << std::filesystem::file_size("file") << "\n";
	for (auto &entry : std::filesystem::directory_iterator("."))
		std::cout << entry.path() << "\n";
}

int main(int argc, char **)
{
	exceptions();
	cancellation();
	waiting();
	std::set_terminate([] { std::cout << "terminate\n" << std::flush; _exit(9); });
	if (argc > 1)
		std::thread([] { throw 1; }).join();
	std::atexit([] { std::cout << "at exit\n"; });
	std::thread([] { exit(4); }).join();
}
CC
	g++ -std=c++20 -O1 -g -pthread -w -o gxx program.cpp && g++ -std=c++20 -O2 -pthread -w -static-libgcc -static-libstdc++ \
		-fomit-frame-pointer -D_FORTIFY_SOURCE=2 -o gxx-static program.cpp || return 1
	clang++ -std=c++20 -O2 -pthread -w -o clangxx program.cpp || g++ -std=c++20 -O3 -flto -pthread -w -o clangxx program.cpp
}

run() {
	for program in gxx gxx-static clangxx; do
		"$prepared/$program"
		echo "$program: $?"
		"$prepared/$program" terminate | tail -n 1
		echo "$program: ${PIPESTATUS[0]}"
	done
}
