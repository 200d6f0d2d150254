// An image as bytes: docs/abi.md, "Snapshots".
#include <zlib.h>

#include "runtime/snapshot/bytes.h"
#include "runtime/snapshot/format.h"
#include "runtime/snapshot/image.h"

namespace fermata::internal {
namespace {

class Encoder {
 public:
  Encoder(const StoreImage& image, std::string& out) : image_(image), w_(out) {}

  void Run() {
    w_.U32(image_.made.size());
    for (const StoreState::Made& made : image_.made) {
      w_.U32(made.kind);
      switch (made.kind) {
        case StoreState::Made::kInstance:
          Put(image_.instances[made.index]);
          break;
        case StoreState::Made::kFunction:
          Put(image_.functions[made.index]);
          break;
        case StoreState::Made::kMemory:
          Put(image_.memories[made.index].limits);
          Put(image_.memories[made.index].memory);
          break;
        case StoreState::Made::kTable:
          w_.U32(static_cast<uint8_t>(image_.tables[made.index].type));
          Put(image_.tables[made.index].limits);
          Put(image_.tables[made.index].table.elements);
          break;
        case StoreState::Made::kGlobal:
          w_.U32(static_cast<uint8_t>(image_.globals[made.index].type));
          w_.U32(image_.globals[made.index].mut);
          Put(image_.globals[made.index].value);
          break;
        case StoreState::Made::kTag:
          w_.Text(image_.tags[made.index]);
          break;
      }
    }
    w_.U32(image_.exceptions.size());
    for (const ExceptionImage& e : image_.exceptions) {
      w_.U32(e.tag);
      w_.U32(e.values.size());
      for (uint64_t v : e.values) w_.U64(v);
    }
    w_.U32(image_.heap.exists);
    if (image_.heap.exists) {
      w_.U32(image_.heap.types.size());
      for (const HeapImage::Type& type : image_.heap.types) {
        w_.U32(type.number);
        w_.U32(type.instance);
        w_.U32(type.type);
      }
      w_.U32(image_.heap.objects.size());
      w_.Bytes(image_.heap.objects.data(), image_.heap.objects.size());
      w_.U32(image_.heap.kept.size());
      for (const HeapImage::Kept& kept : image_.heap.kept) {
        w_.U32(static_cast<uint8_t>(kept.type));
        w_.U32(kept.reference);
      }
    }
    w_.U32(image_.steps.size());
    for (const StepImage& step : image_.steps) {
      w_.U32(step.function);
      w_.U32(step.starting);
      w_.U32(step.held);
      w_.U32(step.frames.size());
      w_.Bytes(step.frames.data(), step.frames.size());
    }
  }

 private:
  void Put(const InstanceImage& i) {
    w_.Text(i.name);
    w_.Bytes(i.hash.data(), i.hash.size());
    w_.U32(i.site_count);
    w_.U32(i.site_hash);
    w_.U32(i.due);
    w_.U32(i.imports.size());
    for (const ImportImage& import : i.imports) {
      w_.U32(static_cast<uint32_t>(import.source));
      w_.U32(import.number);
    }
    w_.U32(i.memories.size());
    for (const MemoryImage& memory : i.memories) Put(memory);
    w_.U32(i.tables.size());
    for (const TableImage& table : i.tables) Put(table.elements);
    w_.U32(i.globals.size());
    for (const Bits& global : i.globals) Put(global);
    w_.U32(i.segments.size());
    for (const SegmentImage& segment : i.segments) {
      w_.U32(segment.dropped);
      Put(segment.elements);
    }
  }
  void Put(const FunctionImage& f) {
    w_.Text(f.name);
    w_.Text(f.type);
    w_.U32(f.suspends);
  }
  void Put(const core::SizeLimitsInfo& limits) {
    w_.U64(limits.min);
    w_.U64(limits.has_max ? limits.max : 0);
    w_.U32(limits.has_max | limits.is64 << 1 | limits.shared << 2 | limits.page_log2 << 8);
  }
  void Put(const MemoryImage& memory) {
    w_.U64(memory.pages);
    w_.U32(memory.runs.size());
    for (const MemoryRun& run : memory.runs) {
      w_.U64(run.address);
      w_.U64(run.bytes.size());
      w_.Bytes(run.bytes.data(), run.bytes.size());
    }
  }
  void Put(const std::vector<core::ref>& refs) {
    w_.U32(refs.size());
    for (core::ref r : refs) w_.U32(r);
  }
  void Put(const Bits& bits) {
    w_.U64(bits.low);
    w_.U64(bits.high);
  }

  const StoreImage& image_;
  Writer w_;
};

// What the body may take, so that it need not move.
size_t Estimate(const StoreImage& image) {
  size_t size = 4096;
  const auto add = [&](const MemoryImage& memory) {
    for (const MemoryRun& run : memory.runs) size += run.bytes.size() + 16;
  };
  for (const InstanceImage& i : image.instances) {
    for (const MemoryImage& memory : i.memories) add(memory);
    for (const TableImage& table : i.tables) size += 4 * table.elements.size();
  }
  for (const HostMemoryImage& memory : image.memories) add(memory.memory);
  for (const StepImage& step : image.steps) size += step.frames.size() + 16;
  size += image.heap.objects.size() + 12 * image.heap.types.size() + 8 * image.heap.kept.size();
  return size;
}

}  // namespace

uint32_t Checksum(absl::string_view bytes) {
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  // What follows the checksum, then what is before it.
  uLong crc = crc32_z(0, data + kHeaderBytes, bytes.size() - kHeaderBytes);
  return static_cast<uint32_t>(crc32_z(crc, data, kChecksumAt));
}

void Seal(std::string& bytes) {
  const uint32_t sum = Checksum(bytes);
  for (int i = 0; i < 4; ++i) bytes[kChecksumAt + i] = static_cast<char>(sum >> 8 * i);
}

std::string Encode(const StoreImage& image, const SaveOptions& options) {
  std::string out;
  out.reserve(Estimate(image));
  Writer header(out);
  header.Bytes(kMagic, sizeof kMagic);
  header.U32(kFormatVersion);
  header.U32(options.compress ? kCompressed : 0);
  header.U64(0);  // the size of the body
  header.U32(0);  // the checksum
  header.U32(0);
  Encoder(image, out).Run();
  const uint64_t size = out.size() - kHeaderBytes;
  for (int i = 0; i < 8; ++i) out[kSizeAt + i] = static_cast<char>(size >> 8 * i);
  if (options.compress) {
    std::string packed = out.substr(0, kHeaderBytes);
    uLongf room = compressBound(size);
    packed.resize(kHeaderBytes + room);
    compress2(reinterpret_cast<Bytef*>(packed.data() + kHeaderBytes), &room,
              reinterpret_cast<const Bytef*>(out.data() + kHeaderBytes), size, Z_BEST_SPEED);
    packed.resize(kHeaderBytes + room);
    out = std::move(packed);
  }
  Seal(out);
  return out;
}

}  // namespace fermata::internal
