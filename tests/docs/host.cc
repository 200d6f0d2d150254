// The host of docs/life-of-a-function.md: calls twice(3), shows the call wherever it is suspended,
// and answers number(n) with 10 * n.
//
//   host frames        shows the bytes of its frames
//   host backtrace     shows its back trace
//   host snapshot      saves it when it is first suspended, and resumes what it restores from that
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "fermata/core/abi.h"
#include "fermata/snapshot.h"
#include "sum.h"

namespace {

using fermata::core::Footer;
using guest::Sum;
using Step = fermata::Step<int32_t, Sum>;

// A row of bytes, four by four.
std::string Hex(const uint8_t* begin, const uint8_t* end) {
  std::string text;
  for (const uint8_t* at = begin; at != end; ++at) {
    char byte[5];
    std::snprintf(byte, sizeof byte, "%s%02x", (at - begin) % 4 == 0 ? "  " : " ", *at);
    text += byte;
  }
  return text;
}

// The innermost frame first: a footer is at the end of its frame, and says where that begins.
void ShowFrames(const fermata::core::Activation& activation) {
  std::printf("  %u bytes in %u frames\n", activation.size, activation.depth);
  for (const uint8_t* end = activation.frames + activation.size; end != activation.frames;) {
    const uint8_t* const values_end = end - sizeof(Footer);
    Footer footer;
    std::memcpy(&footer, values_end, sizeof footer);
    const uint8_t* const begin = end - footer.words * fermata::core::kFrameWord;
    std::printf("  %26s  |%s    site %u, %u words, instance %u\n", Hex(begin, values_end).c_str(),
                Hex(values_end, end).c_str(), footer.site, footer.words, footer.instance);
    end = begin;
  }
}

// Replaces the call by one that was restored from a snapshot of it, in a store of its own.
absl::Status SaveAndRestore(Sum& sum, Step& step, fermata::RestoredStore& restored) {
  const absl::StatusOr<std::string> bytes = fermata::Save(*sum.store(), {&step.dynamic()});
  if (!bytes.ok()) return bytes.status();
  const fermata::core::Activation& activation = *step.dynamic().raw_activation();
  const std::string frames(reinterpret_cast<const char*>(activation.frames), activation.size);
  std::printf("  saved in %zu bytes, which %s with the %zu of its frames\n", bytes->size(),
              absl::EndsWith(*bytes, frames) ? "end" : "do not end", frames.size());
  fermata::RestoreHost host;
  host.modules = {&guest::SumModuleInfo()};
  absl::StatusOr<fermata::RestoredStore> store = fermata::Restore(*bytes, host);
  if (!store.ok()) return store.status();
  restored = *std::move(store);
  absl::StatusOr<Step> again = fermata::TypedStep<int32_t, Sum>(std::move(restored.steps[0]));
  if (!again.ok()) return again.status();
  step = *std::move(again);
  return absl::OkStatus();
}

absl::Status Run(std::string_view what) {
  auto sum = Sum::Create();
  if (!sum.ok()) return sum.status();
  fermata::RestoredStore restored;
  auto step = (*sum)->twice(3);
  while (step.suspended()) {
    const auto [which] = std::get<Sum::user_number>(step.op());
    std::printf("number(%d)?\n", which);
    if (what == "frames") ShowFrames(*step.dynamic().raw_activation());
    if (what == "backtrace") std::printf("%s", step.backtrace().ToString().c_str());
    absl::Status status;
    if (what == "snapshot" && restored.store == nullptr) {
      status = SaveAndRestore(**sum, step, restored);
    }
    if (status.ok()) status = step.Resume<Sum::user_number>(10 * which);
    if (!status.ok()) return status;
  }
  if (!step.finished()) return absl::InternalError(step.message());
  std::printf("twice(3) = %d\n", step.value());
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run(argc == 2 ? argv[1] : "");
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
