// The builtins of wasm:js-string, and imported string constants (the JS String Builtins proposal),
// for guests whose compilers rely on them: Dart, Kotlin, Java by TeaVM, J2CL, MoonBit, Scheme.
//
//   fermata::Imports imports;
//   fermata::AddJsStrings(imports);
//   absl::Status status = fermata::AddStringConstants(store, GuestModuleInfo(), "'", imports);
//   … store.Instantiate(GuestModuleInfo(), imports) …
//
// Strings are sequences of UTF-16 code units. They lie in the store's heap, are collected with it,
// and are saved in snapshots. To guests they are externrefs that are neither structs nor arrays, nor
// of the type eq. Hosts make and read them with fermata/objects.h.
//
// The builtins trap as JavaScript engines' do: on null, on what is no string, and on an index out of
// bounds. Where there is no room for a new string, objects are collected.
#ifndef FERMATA_JS_STRING_H_
#define FERMATA_JS_STRING_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fermata/dynamic.h"

namespace fermata {

// Adds the functions of "wasm:js-string": cast, test, fromCharCodeArray, intoCharCodeArray,
// fromCharCode, fromCodePoint, charCodeAt, codePointAt, length, concat, substring, equals, compare.
// Their imports should not be IMMEDIATE: such a call can't have objects collected, so the heap grows
// instead. For Restore, add them to RestoreHost::imports, too.
void AddJsStrings(Imports& imports);

// Makes a global of the store for each immutable global of type externref that `module` imports from
// `from`, whose value is the string that the import is named by. Errors: no room; a name that is not
// UTF-8.
absl::Status AddStringConstants(StoreHandle& store, const ModuleInfo& module,
                                absl::string_view from, Imports& imports);

}  // namespace fermata

#endif  // FERMATA_JS_STRING_H_
