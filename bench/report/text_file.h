// Whole files as texts.
#ifndef FERMATA_BENCH_REPORT_TEXT_FILE_H_
#define FERMATA_BENCH_REPORT_TEXT_FILE_H_

#include <string>

namespace bench {

std::string ReadText(const std::string& path);  // "" if there is none
// Makes the folder too; a message and exit if it can't be written.
void WriteText(const std::string& path, const std::string& text);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_TEXT_FILE_H_
