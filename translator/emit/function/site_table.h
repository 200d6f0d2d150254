// All suspension points of a module, by number: those of op frames, then those of the functions in
// module order. There may be a hundred thousand, so they are kept small; what their frames hold is
// kept once.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_SITE_TABLE_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_SITE_TABLE_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "translator/emit/module_context.h"

namespace fermata::emit {

class SiteTable {
 public:
  // One import's op, or consecutive resume points of one function, from 0 on.
  struct Group {
    uint32_t function;
    uint32_t first;  // site
    uint32_t count;
    bool op;
    bool shared;  // resumed by core::ResumeShared
  };
  // What a frame holds.
  struct Layout {
    uint32_t words;
    std::string letters;
    std::string types;  // FrameLayout::types
  };

  // All sites of a function, or one of an op.
  void Add(const std::vector<Site>& sites, bool shared = false) {
    if (sites.empty()) return;
    groups_.push_back(
        {sites[0].function, size(), static_cast<uint32_t>(sites.size()), sites[0].op, shared});
    for (const Site& site : sites)
      entries_.push_back({site.offset, LayoutOf(site) << 1 | site.catches, site.callee});
  }

  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }
  const std::vector<Group>& groups() const { return groups_; }
  const std::vector<Layout>& layouts() const { return layouts_; }
  uint32_t offset(uint32_t site) const { return entries_[site].offset; }
  uint16_t callee(uint32_t site) const { return entries_[site].callee; }
  bool catches(uint32_t site) const { return (entries_[site].layout & 1) != 0; }
  uint32_t layout_number(uint32_t site) const { return entries_[site].layout >> 1; }
  const Layout& layout(uint32_t site) const { return layouts_[layout_number(site)]; }

 private:
  struct Entry {
    uint32_t offset;  // byte offset of the call in the module
    uint32_t layout;  // index into layouts_ << 1 | catches
    uint16_t callee;
  };
  uint32_t LayoutOf(const Site& site) {
    const auto [it, fresh] =
        numbers_.try_emplace(Key(site.words, site.letters, site.types), layouts_.size());
    if (fresh) layouts_.push_back({site.words, site.letters, site.types});
    return it->second;
  }

  std::vector<Group> groups_;
  std::vector<Entry> entries_;
  std::vector<Layout> layouts_;
  using Key = std::tuple<uint32_t, std::string, std::string>;
  absl::flat_hash_map<Key, uint32_t> numbers_;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_SITE_TABLE_H_
