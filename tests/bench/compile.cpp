// SPDX-License-Identifier: MIT
// compile.cpp - food for the compiler: templates of the standard library and little code. Never run.
#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <vector>

std::map<std::string, std::vector<int>> index_of(const std::string &text)
{
	std::map<std::string, std::vector<int>> index;
	std::regex word("[a-z]+");

	for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end; ++it)
		index[it->str()].push_back(static_cast<int>(it->position()));
	for (auto &entry : index)
		std::sort(entry.second.begin(), entry.second.end());
	return index;
}
