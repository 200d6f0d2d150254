// Directories of files that exist only in the program. Read-only.
#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_split.h"
#include "runtime/wasi/descriptor.h"

namespace fermata::wasi {
namespace {

// A file or a directory. All share the tree, which is never changed.
struct Node {
  bool is_directory = false;
  uint64_t ino = 0;
  std::string contents;
  std::map<std::string, Node> children;
  const Node* parent = nullptr;
};

struct Tree {
  Node root;
  uint64_t nodes = 0;
};

FileStat StatOf(const Node& node) {
  FileStat stat;
  stat.ino = node.ino;
  stat.type = node.is_directory ? FileType::kDirectory : FileType::kRegularFile;
  stat.nlink = 1;
  stat.size = node.contents.size();
  return stat;
}

class VirtualFile : public Descriptor {
 public:
  VirtualFile(std::shared_ptr<const Tree> tree, const Node* node, Rights base, uint16_t flags)
      : Descriptor(base, 0, flags), tree_(std::move(tree)), node_(node) {}
  FileType type() const override { return FileType::kRegularFile; }
  Errno Stat(FileStat& stat) override {
    stat = StatOf(*node_);
    return Errno::kSuccess;
  }
  Errno SetFlags(uint16_t now) override {
    flags = now;
    return Errno::kSuccess;
  }
  IoResult Read(absl::Span<const iovec> buffers) override {
    const IoResult result = ReadAt(buffers, at_);
    at_ += result.bytes;
    return result;
  }
  IoResult ReadAt(absl::Span<const iovec> buffers, uint64_t offset) override {
    uint64_t done = 0;
    for (const iovec& b : buffers) {
      if (offset >= node_->contents.size()) break;
      const size_t n = std::min<uint64_t>(b.iov_len, node_->contents.size() - offset);
      memcpy(b.iov_base, node_->contents.data() + offset, n);
      offset += n;
      done += n;
    }
    return {Errno::kSuccess, done};
  }
  IoResult Write(absl::Span<const iovec>) override { return IoResult::Failed(Errno::kBadf); }
  IoResult WriteAt(absl::Span<const iovec>, uint64_t) override {
    return IoResult::Failed(Errno::kBadf);
  }
  Errno Seek(int64_t offset, Whence whence, uint64_t& position) override {
    const uint64_t from = whence == Whence::kSet   ? 0
                          : whence == Whence::kCur ? at_
                                                   : node_->contents.size();
    // Neither is above 2^63 - 1, so the sum does not wrap, and below zero it has its top bit set.
    const uint64_t to = from + static_cast<uint64_t>(offset);
    if (to > uint64_t{std::numeric_limits<int64_t>::max()}) return Errno::kInval;
    position = at_ = to;
    return Errno::kSuccess;
  }
  Errno SetSize(uint64_t) override { return Errno::kRofs; }
  Errno SetTimes(const Times&) override { return Errno::kRofs; }
  Errno Allocate(uint64_t, uint64_t) override { return Errno::kRofs; }
  Errno Advise(uint64_t, uint64_t, uint8_t) override { return Errno::kSuccess; }
  Errno Sync(bool) override { return Errno::kSuccess; }

 private:
  std::shared_ptr<const Tree> tree_;
  const Node* node_;
  uint64_t at_ = 0;
};

class VirtualDirectory : public Directory {
 public:
  VirtualDirectory(std::shared_ptr<const Tree> tree, const Node* node, Rights base,
                   Rights inheriting)
      : Directory(base, inheriting, 0), tree_(std::move(tree)), node_(node) {}

  Errno Stat(FileStat& stat) override {
    stat = StatOf(*node_);
    return Errno::kSuccess;
  }
  Errno SetTimes(const Times&) override { return Errno::kRofs; }
  Errno Advise(uint64_t, uint64_t, uint8_t) override { return Errno::kSuccess; }
  Errno Sync(bool) override { return Errno::kSuccess; }

  Errno Open(const std::string& path, const OpenRequest& request,
             std::unique_ptr<Descriptor>& opened) override {
    const Node* found = nullptr;
    const Errno error = Find(path, found);
    if (error == Errno::kNoEnt && (request.oflags & oflags::kCreat) != 0) return Errno::kRofs;
    if (error != Errno::kSuccess) return error;
    if ((request.oflags & (oflags::kCreat | oflags::kExcl)) == (oflags::kCreat | oflags::kExcl)) {
      return Errno::kExist;
    }
    if (found->is_directory) {
      const bool written =
          (request.oflags & oflags::kDirectory) != 0 && (request.base & rights::kFdWrite) != 0;
      if (written || (request.oflags & oflags::kTrunc) != 0) return Errno::kIsDir;
      opened = std::make_unique<VirtualDirectory>(tree_, found, request.base & rights::kDirectory,
                                                  request.inheriting);
      return Errno::kSuccess;
    }
    if (request.oflags & oflags::kDirectory) return Errno::kNotDir;
    constexpr Rights kReading = rights::kFile & ~Rights{rights::kWriting};
    constexpr Rights kWritesData =
        rights::kFdWrite | rights::kFdAllocate | rights::kFdFilestatSetSize;
    if ((request.oflags & oflags::kTrunc) || (request.base & kWritesData)) return Errno::kRofs;
    opened = std::make_unique<VirtualFile>(tree_, found, request.base & kReading, request.fdflags);
    return Errno::kSuccess;
  }

  Errno List(uint64_t cookie, uint64_t room, std::vector<DirectoryEntry>& entries) override {
    // Cookies count: ".", "..", then the names in order.
    const uint64_t count = node_->children.size() + 2;
    if (cookie >= count) return Errno::kSuccess;
    auto child = node_->children.begin();
    if (cookie > 2) std::advance(child, cookie - 2);
    for (uint64_t i = cookie, used = 0; i < count && used < room; ++i) {
      DirectoryEntry entry;
      entry.next = i + 1;
      entry.ino = node_->ino;
      entry.type = FileType::kDirectory;
      if (i < 2) {
        entry.name = i == 0 ? "." : "..";
      } else {
        entry.name = child->first;
        entry.ino = child->second.ino;
        if (!child->second.is_directory) entry.type = FileType::kRegularFile;
        ++child;
      }
      used += kDirentBytes + entry.name.size();
      entries.push_back(std::move(entry));
    }
    return Errno::kSuccess;
  }

  Errno StatAt(const std::string& path, bool, FileStat& stat) override {
    const Node* found = nullptr;
    const Errno error = Find(path, found);
    if (error == Errno::kSuccess) stat = StatOf(*found);
    return error;
  }
  Errno ReadLink(const std::string& path, std::string&) override {
    const Node* found = nullptr;
    const Errno error = Find(path, found);
    return error == Errno::kSuccess ? Errno::kInval : error;
  }

 private:
  Errno Find(const std::string& path, const Node*& found) const {
    if (path[0] == '/') return Errno::kNotCapable;
    const Node* at = node_;
    for (absl::string_view name : absl::StrSplit(path, '/')) {
      if (!at->is_directory) return Errno::kNotDir;
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        // Not above the directory that this descriptor is.
        if (at == node_) return Errno::kNotCapable;
        at = at->parent;
        continue;
      }
      const auto child = at->children.find(std::string(name));
      if (child == at->children.end()) return Errno::kNoEnt;
      at = &child->second;
    }
    found = at;
    return Errno::kSuccess;
  }

  std::shared_ptr<const Tree> tree_;
  const Node* node_;
};

}  // namespace

std::unique_ptr<Directory> MakeVirtualDirectory(std::map<std::string, std::string> files) {
  auto tree = std::make_shared<Tree>();
  tree->root.is_directory = true;
  tree->root.ino = ++tree->nodes;
  for (auto& [path, contents] : files) {
    Node* at = &tree->root;
    for (absl::string_view name : absl::StrSplit(path, '/', absl::SkipEmpty())) {
      at->is_directory = true;
      auto [child, fresh] = at->children.try_emplace(std::string(name));
      if (fresh) {
        child->second.ino = ++tree->nodes;
        child->second.parent = at;
      }
      at = &child->second;
    }
    at->contents = std::move(contents);
  }
  const Node* root = &tree->root;
  return std::make_unique<VirtualDirectory>(std::move(tree), root, rights::kDirectory,
                                            rights::kAll);
}

}  // namespace fermata::wasi
