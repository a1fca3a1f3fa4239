// Compares the recorded rewrites with the C++ RE2::GlobalReplace, which the Python module does not have.
//
//     g++ -O1 check_replace.cc -lre2 -o check_replace && ./check_replace < re2.tsv
//
// (apt-get install libre2-dev). Prints each difference, then how many rewrites were compared.
// Patterns that the installed RE2 is too old for are left out.

#include <re2/re2.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

static std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (size_t i = 0; i < line.size(); i++) {
    if (line[i] == '\t') {
      fields.emplace_back();
    } else if (line[i] == '%') {
      fields.back() += static_cast<char>(std::stoi(line.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

int main() {
  std::string line;
  std::unique_ptr<RE2> regex;
  int compared = 0, different = 0;
  while (std::getline(std::cin, line)) {
    std::vector<std::string> fields = fields_of(line);
    if (fields[0] == "P") {
      regex = std::make_unique<RE2>(fields[1], RE2::Quiet);
    } else if (fields[0] == "R" && regex->ok()) {
      std::string text = fields[2];
      RE2::GlobalReplace(&text, *regex, fields[1]);
      compared++;
      if (text != fields[3]) {
        different++;
        std::cout << regex->pattern() << "\t" << line << "\n";
      }
    }
  }
  std::cout << compared << " rewrites, " << different << " differences\n";
  return different != 0;
}
