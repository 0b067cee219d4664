// SPDX-License-Identifier: MIT
// thread_pool.cpp - a pool of workers as C++ programs write it: std::thread, a queue, a condition variable, futures.
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

class Pool {
public:
	explicit Pool(unsigned count)
	{
		for (unsigned i = 0; i < count; i++)
			workers.emplace_back([this] { work(); });
	}

	~Pool()
	{
		{
			std::lock_guard<std::mutex> guard(lock);
			is_closed = true;
		}
		changed.notify_all();
		for (std::thread &worker : workers)
			worker.join();
	}

	std::future<size_t> submit(std::function<size_t()> job)
	{
		std::packaged_task<size_t()> task(std::move(job));
		std::future<size_t> result = task.get_future();

		{
			std::lock_guard<std::mutex> guard(lock);
			jobs.push_back(std::move(task));
		}
		changed.notify_one();
		return result;
	}

private:
	void work()
	{
		for (;;) {
			std::packaged_task<size_t()> job;

			{
				std::unique_lock<std::mutex> guard(lock);
				changed.wait(guard, [this] { return is_closed || !jobs.empty(); });
				if (jobs.empty())
					return;
				job = std::move(jobs.front());
				jobs.pop_front();
			}
			job();
		}
	}

	std::mutex lock;
	std::condition_variable changed;
	std::deque<std::packaged_task<size_t()>> jobs;
	std::vector<std::thread> workers;
	bool is_closed = false;
};

static size_t job(size_t number)
{
	std::vector<std::string> lines;
	size_t sum = 0;

	for (size_t i = 0; i < 2000; i++)
		lines.push_back(std::string(20 + (number * 31 + i) % 60, 'x'));
	for (const std::string &line : lines)
		sum += line.size();
	return sum;
}

int main()
{
	std::vector<std::future<size_t>> results;
	size_t sum = 0;

	Pool pool(4);
	for (size_t i = 0; i < 2000; i++)
		results.push_back(pool.submit([i] { return job(i); }));
	for (std::future<size_t> &result : results)
		sum += result.get();
	std::printf("%zu\n", sum);
	return 0;
}
