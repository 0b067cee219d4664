// SPDX-License-Identifier: MIT
// compile.cpp - food for the compiler: templates of the standard library and little code, as in many files. Never run.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

std::map<std::string, std::vector<int>> index_of(const std::string &text)
{
	std::map<std::string, std::vector<int>> index;
	size_t begin = 0, end;

	while ((end = text.find(' ', begin)) != std::string::npos) {
		index[text.substr(begin, end - begin)].push_back(static_cast<int>(begin));
		begin = end + 1;
	}
	for (auto &entry : index)
		std::sort(entry.second.begin(), entry.second.end());
	return index;
}
