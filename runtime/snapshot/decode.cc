// Bytes as an image. Only form is checked: all counts and sizes fit into the bytes, so that nothing
// is allocated that they don't pay for.
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/snapshot/bytes.h"
#include "runtime/snapshot/format.h"
#include "runtime/snapshot/image.h"

namespace fermata::internal {
namespace {

class Decoder {
 public:
  explicit Decoder(absl::string_view body) : r_(body) {}

  absl::StatusOr<StoreImage> Run() {
    for (uint32_t n = r_.Count(8); n != 0 && r_.ok(); --n) Made();
    for (uint32_t n = r_.Count(8); n != 0 && r_.ok(); --n) {
      ExceptionImage e;
      e.tag = r_.U32();
      for (uint32_t k = r_.Count(8); k != 0; --k) e.values.push_back(r_.U64());
      image_.exceptions.push_back(std::move(e));
    }
    image_.heap.exists = r_.Flag();
    if (image_.heap.exists) {
      for (uint32_t n = r_.Count(12); n != 0; --n) {
        const uint32_t number = r_.U32(), instance = r_.U32();
        image_.heap.types.push_back({number, instance, r_.U32()});
      }
      image_.heap.objects = r_.Span(r_.U32());
      for (uint32_t n = r_.Count(8); n != 0; --n) {
        const char type = static_cast<char>(r_.U32());
        image_.heap.kept.push_back({type, r_.U32()});
      }
    }
    for (uint32_t n = r_.Count(16); n != 0 && r_.ok(); --n) {
      StepImage step;
      step.function = r_.U32();
      step.starting = r_.U32();
      const uint32_t held = r_.U32();
      if (held > StepImage::kInterrupted) r_.Fail();
      step.held = static_cast<StepImage::Held>(held);
      step.restored = true;
      step.frames = r_.Span(r_.U32());
      image_.steps.push_back(std::move(step));
    }
    if (!r_.ok() || !r_.at_end()) return absl::InvalidArgumentError("not a well-formed snapshot");
    return std::move(image_);
  }

 private:
  template <class T>
  void Add(StoreState::Made::Kind kind, std::vector<T>& list, T item) {
    image_.made.push_back({kind, static_cast<uint32_t>(list.size())});
    list.push_back(std::move(item));
  }

  void Made() {
    const uint32_t kind = r_.U32();
    switch (kind) {
      case StoreState::Made::kInstance:
        return Add(StoreState::Made::kInstance, image_.instances, Instance());
      case StoreState::Made::kFunction: {
        FunctionImage f;
        f.name = r_.Text();
        f.type = r_.Text();
        f.suspends = r_.Flag();
        return Add(StoreState::Made::kFunction, image_.functions, std::move(f));
      }
      case StoreState::Made::kMemory: {
        HostMemoryImage m;
        m.limits = Limits();
        m.memory = Memory();
        return Add(StoreState::Made::kMemory, image_.memories, std::move(m));
      }
      case StoreState::Made::kTable: {
        HostTableImage t;
        t.type = Letter();
        t.limits = Limits();
        t.table = {Refs()};
        return Add(StoreState::Made::kTable, image_.tables, std::move(t));
      }
      case StoreState::Made::kGlobal: {
        HostGlobalImage g;
        g.type = Letter();
        g.mut = r_.Flag();
        g.value = Value();
        return Add(StoreState::Made::kGlobal, image_.globals, g);
      }
      case StoreState::Made::kTag:
        return Add(StoreState::Made::kTag, image_.tags, r_.Text());
      default:
        r_.Fail();
    }
  }

  InstanceImage Instance() {
    InstanceImage i;
    i.name = r_.Text();
    const absl::Span<const uint8_t> hash = r_.Span(i.hash.size());
    if (r_.ok()) std::memcpy(i.hash.data(), hash.data(), hash.size());
    i.site_count = r_.U32();
    i.site_hash = r_.U32();
    const uint32_t due = r_.U32();
    if (due > 3) r_.Fail();
    i.due = static_cast<uint8_t>(due);
    for (uint32_t n = r_.Count(8); n != 0; --n) {
      const uint32_t source = r_.U32();
      if (source > static_cast<uint32_t>(ImportSource::kStore)) r_.Fail();
      i.imports.push_back({static_cast<ImportSource>(source), r_.U32()});
    }
    for (uint32_t n = r_.Count(12); n != 0 && r_.ok(); --n) i.memories.push_back(Memory());
    for (uint32_t n = r_.Count(4); n != 0 && r_.ok(); --n) i.tables.push_back({Refs()});
    for (uint32_t n = r_.Count(16); n != 0; --n) i.globals.push_back(Value());
    for (uint32_t n = r_.Count(8); n != 0 && r_.ok(); --n) {
      SegmentImage segment;
      segment.dropped = r_.Flag();
      segment.elements = Refs();
      i.segments.push_back(std::move(segment));
    }
    return i;
  }

  core::SizeLimitsInfo Limits() {
    core::SizeLimitsInfo limits{};
    limits.min = r_.U64();
    limits.max = r_.U64();
    const uint32_t flags = r_.U32();
    if ((flags & ~0xff07u) != 0) r_.Fail();
    limits.has_max = flags & 1;
    limits.is64 = flags & 2;
    limits.shared = flags & 4;
    limits.page_log2 = static_cast<core::u8>(flags >> 8);
    return limits;
  }
  MemoryImage Memory() {
    MemoryImage memory;
    memory.pages = r_.U64();
    uint64_t end = 0;
    for (uint32_t n = r_.Count(16); n != 0 && r_.ok(); --n) {
      const uint64_t address = r_.U64();
      const absl::Span<const uint8_t> bytes = r_.Span(r_.U64());
      if (address < end || bytes.size() > ~uint64_t{0} - address) r_.Fail();
      end = address + bytes.size();
      memory.runs.push_back({address, bytes});
    }
    return memory;
  }
  std::vector<core::ref> Refs() {
    std::vector<core::ref> refs(r_.Count(4));
    for (core::ref& ref : refs) ref = r_.U32();
    return refs;
  }
  Bits Value() {
    const uint64_t low = r_.U64();
    return {low, r_.U64()};
  }
  char Letter() {
    const uint32_t letter = r_.U32();
    if (letter > 127) r_.Fail();
    return static_cast<char>(letter);
  }

  Reader r_;
  StoreImage image_;
};

// Grows as the bytes come, whatever size was promised.
absl::Status Decompress(absl::string_view packed, uint64_t size, std::string& out) {
  z_stream stream = {};
  if (inflateInit(&stream) != Z_OK) return absl::ResourceExhaustedError("no memory for zlib");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  uint64_t fed = 0;
  int result = Z_OK;
  while (result == Z_OK && out.size() < size) {
    const uint64_t input = std::min<uint64_t>(packed.size() - fed, 1u << 30);
    const size_t before = out.size();
    out.resize(std::min<uint64_t>(size, std::max<uint64_t>(2 * before, uint64_t{1} << 16)));
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    const uint64_t room = std::min<uint64_t>(out.size() - before, 1u << 30);
    stream.avail_out = static_cast<uInt>(room);
    result = inflate(&stream, Z_NO_FLUSH);
    fed += input - stream.avail_in;
    out.resize(before + room - stream.avail_out);
    if (result == Z_OK && out.size() == before) break;  // no more input
  }
  // The end of the stream may take one more look.
  if (result == Z_OK && out.size() == size) {
    Bytef none;
    stream.next_out = &none;
    stream.avail_out = 1;
    stream.avail_in = static_cast<uInt>(std::min<uint64_t>(packed.size() - fed, 1u << 30));
    result = inflate(&stream, Z_FINISH);
    fed += 0;
    if (stream.avail_out != 1) result = Z_DATA_ERROR;
  }
  const bool whole = result == Z_STREAM_END && out.size() == size && stream.avail_in == 0;
  inflateEnd(&stream);
  return whole ? absl::OkStatus() : absl::DataLossError("the compressed part is damaged");
}

}  // namespace

absl::StatusOr<StoreImage> Decode(absl::string_view bytes, uint64_t most_bytes,
                                  std::string& storage) {
  if (bytes.size() < kHeaderBytes ||
      bytes.substr(0, sizeof kMagic) != absl::string_view(kMagic, sizeof kMagic)) {
    return absl::InvalidArgumentError("not a snapshot");
  }
  const uint64_t version = NumberAt(bytes, kVersionAt, 4);
  if (version != kFormatVersion) {
    return absl::InvalidArgumentError(absl::StrCat("the snapshot has format ", version,
                                                   ", but only format ", kFormatVersion,
                                                   " is supported"));
  }
  if (NumberAt(bytes, kChecksumAt, 4) != Checksum(bytes) ||
      NumberAt(bytes, kChecksumAt + 4, 4) != 0) {
    return absl::DataLossError("the snapshot is damaged: its checksum does not match");
  }
  const uint64_t flags = NumberAt(bytes, kFlagsAt, 4), size = NumberAt(bytes, kSizeAt, 8);
  absl::string_view body = bytes.substr(kHeaderBytes);
  if ((flags & ~uint64_t{kCompressed}) != 0) {
    return absl::InvalidArgumentError("the snapshot has unknown flags");
  }
  if (flags & kCompressed) {
    if (size > most_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the snapshot has ", size, " bytes, which is above the limit of ", most_bytes));
    }
    absl::Status status = Decompress(body, size, storage);
    if (!status.ok()) return status;
    body = storage;
  }
  if (body.size() != size) return absl::DataLossError("the snapshot is truncated");
  return Decoder(body).Run();
}

}  // namespace fermata::internal
