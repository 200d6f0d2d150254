// What frames and references must be like to be believed.
#include <zlib.h>

#include <cstring>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "runtime/host/references.h"
#include "runtime/snapshot/call_chain.h"
#include "runtime/snapshot/image.h"

namespace fermata::internal {
namespace {

uint64_t LittleEndian(const uint8_t* bytes, uint32_t size) {
  uint64_t value = 0;
  for (uint32_t i = size; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

core::Footer FooterAt(const uint8_t* bytes) {
  const uint64_t bits = LittleEndian(bytes, 8);
  return {static_cast<uint32_t>(bits), static_cast<uint16_t>(bits >> 32),
          static_cast<uint16_t>(bits >> 48)};
}

absl::Status Bad(absl::string_view what, uint32_t site) {
  return absl::InvalidArgumentError(absl::StrCat("a frame of site ", site, ": ", what));
}

}  // namespace

uint32_t SiteHash(const ModuleInfo& info) {
  static std::mutex mutex;
  static auto* known = new absl::flat_hash_map<const ModuleInfo*, uint32_t>;
  std::lock_guard<std::mutex> lock(mutex);
  auto [it, fresh] = known->try_emplace(&info, 0);
  if (!fresh) return it->second;
  uLong crc = crc32(0, nullptr, 0);
  for (uint32_t s = 0; s < info.site_count; ++s) {
    const core::SiteDetail& d = info.site_details[s];
    const core::SiteInfo& site = info.sites[s];
    const std::string text = absl::StrCat(d.function, " ", d.offset, " ", info.site_words[s], " ",
                                          d.slots, " ", site.resume != nullptr, site.catches, "\n");
    crc = crc32(crc, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  }
  return it->second = static_cast<uint32_t>(crc);
}

namespace {

// What follows the letters of a frame: what a reference may refer to, as SiteDetail has it. False:
// it is not there.
bool ReadRefType(const core::Instance& instance, const char*& text, core::RefType& type) {
  if (*text != '?' && *text != '!') return false;
  type.nullable = *text++ == '?';
  const bool abstract = *text == '=';
  text += abstract;
  const bool exact = *text == 'e';
  text += exact;
  uint32_t number = 0;
  while (*text >= '0' && *text <= '9') number = number * 10 + static_cast<uint32_t>(*text++ - '0');
  if (*text++ != ';') return false;
  if (abstract) {
    type.heap = static_cast<uint8_t>(number);
    return true;
  }
  const ModuleInfo& module = *instance.module;
  if (number >= module.type_count) return false;
  type.heap = exact ? core::kExactHeap : 0;
  std::memcpy(
      &type.type,
      reinterpret_cast<const uint8_t*>(&instance) + module.types_offset + number * sizeof(uint32_t),
      sizeof type.type);
  return true;
}

// The values of one frame, which is of a site of `instance`.
absl::Status CheckValues(const StoreState& store, const core::Instance& instance, uint32_t site,
                         absl::Span<const uint8_t> frame) {
  const ModuleInfo& module = *instance.module;
  const bool op = module.sites[site].resume == nullptr;
  const char* const letters = module.site_details[site].slots;
  const char* types =
      op || module.object_types == nullptr ? "" : letters + std::strlen(letters) + 1;
  size_t at = 0;
  for (const char* letter = letters; *letter != '\0'; ++letter) {
    ValType type{};
    if (!core::TypeOfLetter(*letter, type)) return Bad("a value has an unknown type", site);
    const uint32_t size = op ? 8 * core::SlotsOf(type) : core::FrameBytes(type);
    if (at + size + sizeof(core::Footer) > frame.size()) return Bad("it is too small", site);
    const uint64_t value = LittleEndian(frame.data() + at, std::min(size, 8u));
    at += size;
    if (op && core::FrameBytes(type) == 4 && value >> 32 != 0) {
      return Bad("a value is too large", site);
    }
    if (!RefExists(store, type, value)) {
      return Bad("a reference is to something that does not exist", site);
    }
    core::RefType ref{};
    const bool object = type == ValType::kAnyRef || type == ValType::kExternRef;
    if (object && ReadRefType(instance, types, ref) && !RefFits(store, ref, type, value)) {
      return Bad("a reference is to something of another type", site);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<uint32_t> CheckFrames(const StoreState& store, core::ref function,
                                     absl::Span<const uint8_t> frames, bool paused) {
  if (frames.empty() || frames.size() % core::kFrameWord != 0) {
    return absl::InvalidArgumentError("a call has no frames");
  }
  uint32_t depth = 0;
  CallChain chain(store);
  for (size_t end = frames.size(); end != 0; ++depth) {
    const core::Footer footer = FooterAt(frames.data() + end - sizeof(core::Footer));
    if (footer.instance >= store.instances.size()) {
      return Bad(absl::StrCat("there is no instance ", footer.instance), footer.site);
    }
    if (!store.IsUsable(*store.instances[footer.instance])) {
      return Bad("its instance was not initialized", footer.site);
    }
    const ModuleInfo& module = *store.instances[footer.instance]->module;
    if (footer.site >= module.site_count) return Bad("there is no such site", footer.site);
    const core::SiteDetail& detail = module.site_details[footer.site];
    if (footer.words != module.site_words[footer.site] ||
        footer.words * size_t{core::kFrameWord} > end) {
      return Bad("it has the wrong size", footer.site);
    }
    const bool op = module.sites[footer.site].resume == nullptr;
    if (op != (depth == 0)) {
      return Bad(op ? "it is an op, but not the last frame" : "it is the last frame, but not an op",
                 footer.site);
    }
    if (op && paused != (detail.function == core::kNoFunction)) {
      return Bad(paused ? "it is not that of a pause" : "it is that of a pause", footer.site);
    }
    if (!chain.Add(footer))
      return Bad("it did not call the function of the next frame", footer.site);
    const size_t begin = end - footer.words * size_t{core::kFrameWord};
    absl::Status status = CheckValues(store, *store.instances[footer.instance], footer.site,
                                      frames.subspan(begin, end - begin));
    if (!status.ok()) return status;
    end = begin;
  }
  if (!chain.BeganAs(function)) {
    return absl::InvalidArgumentError("the first frame is not of the function that was called");
  }
  return depth;
}

}  // namespace fermata::internal
