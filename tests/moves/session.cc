#include "tests/moves/session.h"

#include "absl/strings/str_cat.h"

#ifdef FERMATA_MOVES_LUA
#include "moves_lua.h"
#endif
#ifdef FERMATA_MOVES_SQLITE
#include "moves_sqlite.h"
#endif

namespace fermata::moves {

std::vector<std::string> GuestNames() {
  std::vector<std::string> names = {"values", "paused", "linked"};
#ifdef FERMATA_MOVES_LUA
  names.push_back("lua");
#endif
#ifdef FERMATA_MOVES_SQLITE
  names.push_back("sqlite");
#endif
  return names;
}

std::unique_ptr<Session> MakeSession(absl::string_view guest) {
  if (guest == "values") return MakeValuesSession(false);
  if (guest == "paused") return MakeValuesSession(true);
  if (guest == "linked") return MakeLinkedSession();
#ifdef FERMATA_MOVES_LUA
  if (guest == "lua") return MakeTypedSession(guest::LuaModuleInfo(), LuaSession());
#endif
#ifdef FERMATA_MOVES_SQLITE
  if (guest == "sqlite") return MakeTypedSession(guest::SqliteModuleInfo(), SqliteSession());
#endif
  return nullptr;
}

std::string HashOf(absl::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad16));
}

}  // namespace fermata::moves
