// The rows of a module's tables, in short: there may be a hundred thousand, and compilers read long
// initializers slowly. Included by <stem>_module.cc only, which includes fermata/core/end_rows.h at
// its end; hence no guard, and no prefix. Core header.

#define CODE(function) reinterpret_cast<AnyFunction>(function)
#define TEXT(text) \
  { text, sizeof text - 1 }
// FunctionInfo: type, index, whether it may suspend, may throw.
#define FN(function, type, index, suspends, throws) \
  {CODE(function), type, index, suspends, throws, nullptr},
// FuncType: numbers of parameters and results, their slots, key, supertype.
#define TYPE(t, p, r, ps, rs, key, super) \
  {type_##t, type_##t + p, p, r, ps, rs, key, super, invoke_##t, CODE(host_##t)},
// SiteInfo of resume points of `f` from `p` on: one in a try region; 1, 2, 4… consecutive ones.
#define C1(f, p) {f##_resume, p, true},
#define S1(f, p) {f##_resume, p, false},
#define S2(f, p) S1(f, p) S1(f, p + 1)
#define S4(f, p) S2(f, p) S2(f, p + 2)
#define S8(f, p) S4(f, p) S4(f, p + 4)
#define S16(f, p) S8(f, p) S8(f, p + 8)
#define S32(f, p) S16(f, p) S16(f, p + 16)
#define Shared_resume ResumeShared
// SharedFunction: a function that is resumed by a call, and its type.
#define X(f, t) {&f##_code, invoke_##t},
// SiteDetail: function, offset, number of the layout.
#define D(f, o, l) {f, o, layouts[l]},
