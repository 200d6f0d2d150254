// Snapshots that somebody has changed on the way.
#include <zlib.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/snapshot/bytes.h"
#include "runtime/snapshot/format.h"
#include "tests/moves/session.h"

namespace fermata::moves {
namespace {

using Random = std::mt19937_64;

void Put(std::string& bytes, size_t at, int size, uint64_t value) {
  for (int i = 0; i < size && at + i < bytes.size(); ++i) {
    bytes[at + i] = static_cast<char>(value >> 8 * i);
  }
}

// Sizes and checksums as they should be: of the part in front that WASI programs have, and of the
// store (docs/abi.md).
constexpr absl::string_view kProcessMagic("\x89\x46rmW\r\n\x1a", 8);
constexpr size_t kProcessChecksumAt = 12, kProcessSizeAt = 16, kProcessHeaderBytes = 24;

void Mend(std::string& bytes, bool sizes) {
  size_t store = 0;
  if (absl::string_view(bytes).substr(0, 8) == kProcessMagic &&
      bytes.size() >= kProcessHeaderBytes) {
    const uint64_t size = internal::NumberAt(bytes, kProcessSizeAt, 8);
    if (size > bytes.size() - kProcessHeaderBytes) return;
    store = kProcessHeaderBytes + static_cast<size_t>(size);
    const uLong crc = crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + kProcessHeaderBytes),
                            static_cast<uInt>(size));
    Put(bytes, kProcessChecksumAt, 4, crc);
  }
  std::string part = bytes.substr(store);
  if (part.size() < internal::kHeaderBytes) return;
  if (sizes) Put(part, internal::kSizeAt, 8, part.size() - internal::kHeaderBytes);
  Put(part, internal::kChecksumAt + 4, 4, 0);
  internal::Seal(part);
  bytes.replace(store, std::string::npos, part);
}

// Where to change something. Most of a snapshot is the contents of memories, where anything goes; so
// half of the places are near the beginning or the end, where headers, tables and frames are.
size_t Place(const std::string& bytes, Random& random) {
  const uint64_t size = bytes.size();
  const uint64_t near = std::min<uint64_t>(size, 1024);
  const uint64_t number = random();
  switch (random() % 4) {
    case 0:
      return static_cast<size_t>(number % near);
    case 1:
      return static_cast<size_t>(size - 1 - number % near);
    default:
      return static_cast<size_t>(number % size);
  }
}

std::string Mutate(std::string bytes, Random& random) {
  constexpr uint64_t kNumbers[] = {0,     1,      2,       3,          0x7f,       0xff,
                                   0x100, 0xffff, 0x10000, 0x7fffffff, 0xfffffffe, 0xffffffff};
  const size_t at = Place(bytes, random);
  const uint64_t number = random(), other = random();
  switch (random() % 8) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << number % 8);
      break;
    case 1:
      bytes[at] = static_cast<char>(number);
      break;
    case 2:
      Put(bytes, at, 4, kNumbers[number % std::size(kNumbers)]);
      break;
    case 3:
      Put(bytes, at, 4, number % 300);
      break;
    case 4:  // a number a little larger or smaller
      if (bytes.size() - at >= 4) {
        Put(bytes, at, 4, internal::NumberAt(bytes, at, 4) + number % 9 - 4);
      }
      break;
    case 5:
      bytes.erase(at, static_cast<size_t>(1 + number % 64));
      break;
    case 6:
      bytes.insert(at, bytes.substr(static_cast<size_t>(other % bytes.size()),
                                    static_cast<size_t>(4 * (1 + number % 32))));
      break;
    default:
      bytes.resize(at);
  }
  return bytes;
}

std::string Verdict(absl::string_view guest, const std::string& bytes) {
  const std::unique_ptr<Session> session = MakeSession(guest);
  const absl::Status status = session->Restore(bytes);
  if (!status.ok()) return status.ToString();
  if (!session->always_yields() || !session->held()) return "restored";
  int rounds = 0;
  while (session->held() && rounds < 12) {
    ++rounds;
    if (const absl::Status ran = session->Advance(); !ran.ok()) {
      return absl::StrCat("restored, ran ", rounds, ": ", ran.ToString());
    }
  }
  // Not all that was said: NaNs that were forged may come out with other signs.
  std::string verdict = absl::StrCat("restored, ran ", rounds);
  for (absl::string_view line : absl::StrSplit(session->output(), '\n')) {
    if (absl::StartsWith(line, "finished")) line = "finished";
    if (line == "finished" || absl::StartsWith(line, "trapped"))
      absl::StrAppend(&verdict, ", ", line);
  }
  for (const DynamicStep& step : session->steps()) {
    absl::StrAppend(&verdict, ", held by ", step.paused() ? "a pause" : step.op_name());
  }
  return verdict;
}

}  // namespace

std::string Tamper(absl::string_view guest, const std::string& snapshot, uint64_t seed,
                   uint64_t count) {
  std::string verdicts;
  for (uint64_t i = 0; i < count; ++i) {
    Random random(seed + i);
    std::string bytes = snapshot;
    for (uint64_t n = 1 + random() % 3; n != 0 && !bytes.empty(); --n)
      bytes = Mutate(bytes, random);
    // In most cases so that only a closer look tells.
    const uint64_t care = random() % 8;
    if (care != 0) Mend(bytes, care != 1);
    absl::StrAppend(&verdicts, seed + i, " ", Verdict(guest, bytes), "\n");
  }
  return verdicts;
}

}  // namespace fermata::moves
