#include <utility>

#include "runtime/wasi/system.h"

namespace fermata::wasi {

Errno DescriptorTable::Get(uint32_t fd, Rights needed, Descriptor*& found) const {
  if (fd >= table_.size() || table_[fd] == nullptr) return Errno::kBadf;
  if ((table_[fd]->base & needed) != needed) return Errno::kNotCapable;
  found = table_[fd].get();
  return Errno::kSuccess;
}

Errno DescriptorTable::GetDirectory(uint32_t fd, Rights needed, Directory*& found) const {
  Descriptor* descriptor = nullptr;
  const Errno open = Get(fd, 0, descriptor);
  if (open != Errno::kSuccess) return open;
  if (descriptor->directory() == nullptr) return Errno::kNotDir;
  if ((descriptor->base & needed) != needed) return Errno::kNotCapable;
  found = descriptor->directory();
  return Errno::kSuccess;
}

Errno DescriptorTable::Add(std::unique_ptr<Descriptor> descriptor, uint32_t& fd) {
  if (full()) return Errno::kMfile;
  fd = 0;
  while (fd < table_.size() && table_[fd] != nullptr) ++fd;
  if (fd == table_.size()) table_.emplace_back();
  table_[fd] = std::move(descriptor);
  ++open_;
  return Errno::kSuccess;
}

Errno DescriptorTable::Close(uint32_t fd) {
  if (fd >= table_.size() || table_[fd] == nullptr) return Errno::kBadf;
  table_[fd] = nullptr;
  --open_;
  return Errno::kSuccess;
}

Errno DescriptorTable::Renumber(uint32_t from, uint32_t to) {
  Descriptor* unused;
  if (Get(from, 0, unused) != Errno::kSuccess || Get(to, 0, unused) != Errno::kSuccess) {
    return Errno::kBadf;
  }
  if (from == to) return Errno::kSuccess;
  table_[to] = std::move(table_[from]);
  --open_;
  return Errno::kSuccess;
}

std::vector<std::unique_ptr<Descriptor>> DescriptorTable::TakeAll() {
  open_ = 0;
  return std::exchange(table_, {});
}

Errno DescriptorTable::Put(uint32_t fd, std::unique_ptr<Descriptor> descriptor) {
  // Numbers are not more than are open at once: the lowest free one is given out.
  if (full() || fd >= most_) return Errno::kMfile;
  if (fd >= table_.size()) table_.resize(fd + 1);
  table_[fd] = std::move(descriptor);
  ++open_;
  return Errno::kSuccess;
}

}  // namespace fermata::wasi
