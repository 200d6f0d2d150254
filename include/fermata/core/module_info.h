// The description of a module: constant data of the generated code, read by the runtime. Core
// header.
#ifndef FERMATA_CORE_MODULE_INFO_H_
#define FERMATA_CORE_MODULE_INFO_H_

#include "fermata/core/abi.h"

namespace fermata::core {

struct Text {  // not NUL-terminated; may hold any bytes
  const char* data;
  u32 size;
};

// What objects of a type are.
enum class ObjectKind : u8 { kNone, kStruct, kArray };

// A type of the module, and how functions of that type are called.
struct FuncType {
  const ValType* params;  // references by the top of their hierarchy
  const ValType* results;
  u16 param_count;
  u16 result_count;
  u16 param_slots;  // a v128 takes two
  u16 result_slots;
  // The same for two types of any modules if and only if the types are equal (isorecursively). The
  // host can make the key of a type of numbers and nullable abstract references: params ':'
  // results, the letter of value_types.def each.
  const char* key;
  u32 supertype;  // in ModuleInfo::types, or kNoType
  Invoke invoke;  // null: not a function type
  // The way back: native code of this type, `R host(Instance* base, P...)`, for functions that the
  // runtime implements. `base` is a HostInstance; packs the arguments into slots and runs its
  // `call`.
  AnyFunction host;
  ObjectKind kind = ObjectKind::kNone;  // kNone: a function type
};

// The kinds of imports and exports.
enum class ExternKind : u8 { kFunction = 0, kTable = 1, kMemory = 2, kGlobal = 3, kTag = 4 };

// The size of a table in elements, or of a memory in pages.
struct SizeLimitsInfo {
  u64 min;
  u64 max;  // valid if has_max
  bool has_max;
  bool is64;
  bool shared;
  u8 page_log2 = 16;  // memories only
};

// What a reference may refer to: a heap type by its binary code (specification §5.3.3), or a type
// of the module.
struct RefType {
  u8 heap;  // kConcrete, kExact: `type`
  bool nullable;
  u32 type;  // in ModuleInfo::types
};
// HeapType::kExact as a number.
inline constexpr u8 kExactHeap = static_cast<u8>(HeapType::kExact);
// Whether it is a type of the module, not an abstract one.
constexpr bool IsOfModule(const RefType& ref) { return ref.heap == 0 || ref.heap == kExactHeap; }

// An import of the module.
struct ImportInfo {
  Text module;
  Text name;
  ExternKind kind;
  u32 index;  // in the index space of its kind
  // Functions: the code an instance is bound to when the host provides the import as an op; null
  // for IMMEDIATE imports, which the host must provide as code.
  AnyFunction suspend;
  u32 site;  // functions: the site of its op frames (ModuleInfo::sites), if `suspend` is set
};

// An export of the module.
struct ExportInfo {
  Text name;
  ExternKind kind;
  u32 index;  // in the index space of its kind; functions: in ModuleInfo::functions
};

// A function that can be named from outside its body: exported, in an element segment, ref.func,
// or the start function.
struct FunctionInfo {
  AnyFunction code;  // null: an imported function, taken from import slot `index`
  u32 type;          // in ModuleInfo::types
  u32 index;         // wasm function index
  bool may_suspend;
  bool may_throw;
  // What a loop over tail calls calls instead of `code`: it returns with kTailCall set if it makes
  // a tail call of its own. Null: `code` makes none.
  AnyFunction tail;
};

// Offsets are from the start of the module's instance structure.
struct FunctionImportSlot {
  u32 offset;          // of a core::Function
  u32 type;            // in ModuleInfo::types
  bool exact = false;  // no function of a subtype will do
};
// A table of the module.
struct TableInfo {
  ValType type;  // kFuncRef: elements are Function; else `ref`
  SizeLimitsInfo limits;
  u32 offset;  // of a `Table*` field
  bool imported;
  RefType ref;
  // Tables of functions whose size can't change: of a `Function*` field for the elements; else 0.
  u32 elements_offset = 0;
};
// A memory of the module.
struct MemoryInfo {
  SizeLimitsInfo limits;
  u32 offset;  // of a MemoryField
  bool imported;
  // MemoryPolicy::kFixed: the bytes that can be accessed, at most those of limits.min pages.
  u64 fixed_bytes = 0;
};
// A global of the module.
struct GlobalInfo {
  ValType type;
  bool mut;
  bool imported;  // the field is then a pointer to the other instance's (or the host's) storage
  u32 offset;
  RefType ref;  // references only
};
// An exception tag of the module.
struct TagInfo {
  u32 type;    // in ModuleInfo::types
  u32 offset;  // of a u32: the tag's number within the store
  bool imported;
};

// The part of the instance structure for a data or element segment that instructions name.
struct SegmentInfo {
  u64 size;      // in bytes or elements, until it is dropped; 0: active, dropped from the beginning
  u32 offset;    // of the size that is left, all or nothing: a u64 of data, a u32 of elements
  u32 elements;  // of the elements, an array of ref; 0: a data segment
  // Of the elements.
  ValType type = ValType::kFuncRef;
  RefType ref = {0x70, true, kNoType};
};

// A field of a struct, or the elements of an array.
struct FieldInfo {
  ValType type;    // references by the top of their hierarchy
  u8 packed_bits;  // 8 or 16; 0: of `type`
  bool mut;
  u32 offset;   // in bytes, from the beginning of the object; of an array: of the first element
  RefType ref;  // references only
};
// A struct or array type of the module: what its objects are like (objects.h).
struct ObjectType {
  ObjectKind kind;
  bool is_final;
  u32 depth;  // how many supertypes it has, theirs included
  u32 bytes;  // of an object; of an array: without its elements
  u32 field_count;
  const FieldInfo* fields;  // of an array: one
  // Its objects have a descriptor. What refers to it is the last of `fields`, which is not one of
  // the type's own.
  bool has_descriptor = false;
};

// A function that is resumed by a call of itself, with Instance::resume_point set.
struct SharedFunction {
  const AnyFunction* code;
  Invoke invoke;
};

// A place where calls can be resumed.
struct SiteInfo {
  ResumeFunction resume;  // null for op sites
  u32 point;              // ResumeShared: after the function's place in ModuleInfo::shared
  // The site is in a try region: `resume` is also called with an exception in flight (unwind set to
  // kThrow), and returns with it still set if it does not catch it.
  bool catches;
};

// What a frame of a site holds: enough to check a frame and to print it.
struct SiteDetail {
  // Wasm function index: whose frame it is; op sites: the imported function, or kNoFunction for the
  // site of pauses.
  u32 function;
  u32 offset;         // byte offset of the call instruction in the module
  const char* slots;  // the letter of each value, in frame order; NUL-terminated; op sites: of the
                      // parameters, each in slots of 8 bytes
  // In modules with structs or arrays, what references to objects may refer to follows behind the
  // NUL, NUL-terminated, in frame order (not for op sites): '?' if it may be null, else '!'; a type
  // index, with 'e' before it if it is
  // exact, or '=' and the code of an abstract type; ';'.
};

// How accesses to memories are checked: --memory of the translator.
enum class MemoryPolicy : u8 { kReserved = 0, kChecked = 1, kFixed = 2 };

// A translated module.
struct ModuleInfo {
  u32 abi_version;
  MemoryPolicy memory_policy;
  const char* name;   // the class name
  u8 hash[32];        // SHA-256 of the wasm module
  u32 instance_size;  // bytes of the instance structure
  u32 instance_align;
  u32 types_offset;  // of the u32 array of canonical type numbers, one per type
  u32 max_results;   // most slots of any type's parameters or results
  const FuncType* types;
  u32 type_count;
  const ImportInfo* imports;
  u32 import_count;
  const ExportInfo* exports;
  u32 export_count;
  const FunctionInfo* functions;
  u32 function_count;
  const FunctionImportSlot* function_imports;
  u32 function_import_count;
  const TableInfo* tables;
  u32 table_count;
  const MemoryInfo* memories;
  u32 memory_count;
  const GlobalInfo* globals;
  u32 global_count;
  const TagInfo* tags;
  u32 tag_count;
  bool uses_exceptions;  // calls of IMMEDIATE imports are ready for exceptions
  const SiteInfo* sites;
  const u16* site_words;  // by site: the size of its frames, as in Footer
  const SiteDetail* site_details;
  const u16* site_callees;  // by site: kCallsAny …; null: kCallsAny for all
  u32 site_count;
  // Sets own globals, then copies active element and data segments (specification §4.5.4); may
  // trap, with the writes before the trap kept. Type [] -> []. Never suspends.
  void (*initialize)(Instance* instance);
  u32 start;                   // index into `functions`, or kNoFunction
  const Text* function_names;  // by wasm function index, imports included; may be empty
  u32 function_name_count;
  const SegmentInfo* segments;
  u32 segment_count;
  const SharedFunction* shared;
  // Modules that make objects or look at them; null in others.
  const ObjectType* object_types = nullptr;  // by type index
  // By type index, of function types: what each parameter and then each result may refer to; null if
  // none is a reference.
  const RefType* const* signature_refs = nullptr;
  u32 heap_offset = 0;          // of a `u8*`: the heap of the store
  u32 object_types_offset = 0;  // of the u32 array of the numbers that objects begin with, by type
};
// No index of a function.
inline constexpr u32 kNoFunction = 0xffffffffu;

}  // namespace fermata::core

#endif  // FERMATA_CORE_MODULE_INFO_H_
