// Makes files by commands, those that are out of date only, several at a time.
#ifndef FERMATA_BENCH_REPORT_BUILDER_H_
#define FERMATA_BENCH_REPORT_BUILDER_H_

#include <string>
#include <vector>

#include "bench/report/process.h"

namespace bench {

struct Rule {
  std::string output;  // its folder is made; removed if the command fails
  std::vector<std::string> inputs;
  Command command;
};

// A rule is run again if its command has changed or an input is newer than its output. Goes on
// after a failure, with a message: what has no output is not measured. Rules of one call are
// independent of each other.
void Build(const std::vector<Rule>& rules);

bool Exists(const std::string& path);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_BUILDER_H_
