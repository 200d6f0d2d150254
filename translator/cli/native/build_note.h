// Which cache entry some files gave, so that the entry is found again without reading them.
//
// A note names each file with its size, inode and times of change, to the nanosecond. It holds as
// long as all of them are the same; a file that was changed so shortly before the note was written
// that its times might not tell makes a note that never holds. (Git's index works in this way.)
#ifndef FERMATA_TRANSLATOR_CLI_NATIVE_BUILD_NOTE_H_
#define FERMATA_TRANSLATOR_CLI_NATIVE_BUILD_NOTE_H_

#include <string>
#include <vector>

namespace fermata::driver {

class BuildNote {
 public:
  // `subject` is what the note is about: all that the entry depends on but the files' contents.
  BuildNote(const std::string& cache_dir, const std::string& subject);

  // The cache key of an earlier Write, or "" if there is none or a file has changed.
  std::string Find() const;
  // Notes that `files` gave the entry `key`. That it can't be written does not matter.
  void Write(const std::string& key, const std::vector<std::string>& files) const;

 private:
  std::string path_;
};

}  // namespace fermata::driver

#endif  // FERMATA_TRANSLATOR_CLI_NATIVE_BUILD_NOTE_H_
