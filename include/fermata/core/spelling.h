// Short spellings for what generated code has most of. Macros without a prefix: only generated
// sources include this, never a header that users see. Core header.
#ifndef FERMATA_CORE_SPELLING_H_
#define FERMATA_CORE_SPELLING_H_

// At the start of a function.
#define SELF                              \
  Self& self = *static_cast<Self*>(base); \
  (void)self
// After a call: it did not return normally.
#define SUSPENDED FERMATA_UNLIKELY(unwinding(self))
// At a check for pre-emption: the guest is to be paused.
#define INTERRUPTED(word) FERMATA_UNLIKELY(interrupted(word))
#define OUT_OF_FUEL(word) \
  FERMATA_UNLIKELY(--base->store->fuel < 0) || FERMATA_UNLIKELY(interrupted(word))
// Before an allocation: there is no room, and the function is to suspend until there is.
#define NO_ROOM(bytes, site) FERMATA_UNLIKELY(no_room(heap, bytes)) && WantRoom(base, site, bytes)
// An indirect call is `{ INDIRECT(0, 25, element); l0 = CALLEE(T3)(callee.instance, l1); }`:
// through table 0, of the type with the number 25. FIXED: the table always has `size` elements.
#define INDIRECT(number, type, element) \
  const Function& callee = indirect(base, self.table##number, element, type)
#define INDIRECT_FIXED(size, number, type, element) \
  const Function& callee =                          \
      indirect_fixed(base, self.elements##number, size, self.table##number, element, type)
// The table is constant data, `tableN_elements`.
#define INDIRECT_CONSTANT(size, number, type, element) \
  const ConstantFunction& callee =                     \
      indirect_constant(base, table##number##_elements, size, element, type)
#define CALLEE(type) reinterpret_cast<type*>(callee.code)
// Where a call was suspended: a new frame, or that which was resumed, of a site.
#define PUSH(site) frame = PushFrame(base, site)
#define REWRITE(site) frame = RewriteFrame(base, site)

// After a function that is resumed by a call: what the module's table of those finds it by.
#define SHARED(function)                    \
  extern const AnyFunction function##_code; \
  const AnyFunction function##_code = reinterpret_cast<AnyFunction>(function);

// Values of one kind, side by side in `frame` from byte `o` on, into variables and back:
// GET2(32, 8, l0, s1) loads l0 from byte 8 and s1 from byte 12. The kind is 32 or _f32; for those
// of 8 bytes, 64 and _f64, there are WGET2 and so on; of a kind of 16 bytes, 128, one at a time.
// Not defined by each other: expanding them would take as long as compiling them.
#define GET1(kind, o, a) a = frame_get##kind(frame, o)
#define WGET1 GET1
#define PUT1(kind, o, a) frame_put##kind(frame, o, a)
#define WPUT1 PUT1
#define GET2(kind, o, a, b) a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 4)
#define GET3(kind, o, a, b, c)                                      \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 4), \
  c = frame_get##kind(frame, o + 8)
#define GET4(kind, o, a, b, c, d)                                   \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 4), \
  c = frame_get##kind(frame, o + 8), d = frame_get##kind(frame, o + 12)
#define GET5(kind, o, a, b, c, d, e)                                     \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 4),      \
  c = frame_get##kind(frame, o + 8), d = frame_get##kind(frame, o + 12), \
  e = frame_get##kind(frame, o + 16)
#define GET6(kind, o, a, b, c, d, e, f)                                  \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 4),      \
  c = frame_get##kind(frame, o + 8), d = frame_get##kind(frame, o + 12), \
  e = frame_get##kind(frame, o + 16), f = frame_get##kind(frame, o + 20)
#define GET7(kind, o, a, b, c, d, e, f, g)                                \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 4),       \
  c = frame_get##kind(frame, o + 8), d = frame_get##kind(frame, o + 12),  \
  e = frame_get##kind(frame, o + 16), f = frame_get##kind(frame, o + 20), \
  g = frame_get##kind(frame, o + 24)
#define GET8(kind, o, a, b, c, d, e, f, g, h)                             \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 4),       \
  c = frame_get##kind(frame, o + 8), d = frame_get##kind(frame, o + 12),  \
  e = frame_get##kind(frame, o + 16), f = frame_get##kind(frame, o + 20), \
  g = frame_get##kind(frame, o + 24), h = frame_get##kind(frame, o + 28)
#define PUT2(kind, o, a, b) frame_put##kind(frame, o, a), frame_put##kind(frame, o + 4, b)
#define PUT3(kind, o, a, b, c) \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 4, b), frame_put##kind(frame, o + 8, c)
#define PUT4(kind, o, a, b, c, d)                                 \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 4, b), \
      frame_put##kind(frame, o + 8, c), frame_put##kind(frame, o + 12, d)
#define PUT5(kind, o, a, b, c, d, e)                                       \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 4, b),          \
      frame_put##kind(frame, o + 8, c), frame_put##kind(frame, o + 12, d), \
      frame_put##kind(frame, o + 16, e)
#define PUT6(kind, o, a, b, c, d, e, f)                                    \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 4, b),          \
      frame_put##kind(frame, o + 8, c), frame_put##kind(frame, o + 12, d), \
      frame_put##kind(frame, o + 16, e), frame_put##kind(frame, o + 20, f)
#define PUT7(kind, o, a, b, c, d, e, f, g)                                  \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 4, b),           \
      frame_put##kind(frame, o + 8, c), frame_put##kind(frame, o + 12, d),  \
      frame_put##kind(frame, o + 16, e), frame_put##kind(frame, o + 20, f), \
      frame_put##kind(frame, o + 24, g)
#define PUT8(kind, o, a, b, c, d, e, f, g, h)                               \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 4, b),           \
      frame_put##kind(frame, o + 8, c), frame_put##kind(frame, o + 12, d),  \
      frame_put##kind(frame, o + 16, e), frame_put##kind(frame, o + 20, f), \
      frame_put##kind(frame, o + 24, g), frame_put##kind(frame, o + 28, h)
#define WGET2(kind, o, a, b) a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 8)
#define WGET3(kind, o, a, b, c)                                     \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 8), \
  c = frame_get##kind(frame, o + 16)
#define WGET4(kind, o, a, b, c, d)                                  \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 8), \
  c = frame_get##kind(frame, o + 16), d = frame_get##kind(frame, o + 24)
#define WGET5(kind, o, a, b, c, d, e)                                     \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 8),       \
  c = frame_get##kind(frame, o + 16), d = frame_get##kind(frame, o + 24), \
  e = frame_get##kind(frame, o + 32)
#define WGET6(kind, o, a, b, c, d, e, f)                                  \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 8),       \
  c = frame_get##kind(frame, o + 16), d = frame_get##kind(frame, o + 24), \
  e = frame_get##kind(frame, o + 32), f = frame_get##kind(frame, o + 40)
#define WGET7(kind, o, a, b, c, d, e, f, g)                               \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 8),       \
  c = frame_get##kind(frame, o + 16), d = frame_get##kind(frame, o + 24), \
  e = frame_get##kind(frame, o + 32), f = frame_get##kind(frame, o + 40), \
  g = frame_get##kind(frame, o + 48)
#define WGET8(kind, o, a, b, c, d, e, f, g, h)                            \
  a = frame_get##kind(frame, o), b = frame_get##kind(frame, o + 8),       \
  c = frame_get##kind(frame, o + 16), d = frame_get##kind(frame, o + 24), \
  e = frame_get##kind(frame, o + 32), f = frame_get##kind(frame, o + 40), \
  g = frame_get##kind(frame, o + 48), h = frame_get##kind(frame, o + 56)
#define WPUT2(kind, o, a, b) frame_put##kind(frame, o, a), frame_put##kind(frame, o + 8, b)
#define WPUT3(kind, o, a, b, c) \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 8, b), frame_put##kind(frame, o + 16, c)
#define WPUT4(kind, o, a, b, c, d)                                \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 8, b), \
      frame_put##kind(frame, o + 16, c), frame_put##kind(frame, o + 24, d)
#define WPUT5(kind, o, a, b, c, d, e)                                       \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 8, b),           \
      frame_put##kind(frame, o + 16, c), frame_put##kind(frame, o + 24, d), \
      frame_put##kind(frame, o + 32, e)
#define WPUT6(kind, o, a, b, c, d, e, f)                                    \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 8, b),           \
      frame_put##kind(frame, o + 16, c), frame_put##kind(frame, o + 24, d), \
      frame_put##kind(frame, o + 32, e), frame_put##kind(frame, o + 40, f)
#define WPUT7(kind, o, a, b, c, d, e, f, g)                                 \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 8, b),           \
      frame_put##kind(frame, o + 16, c), frame_put##kind(frame, o + 24, d), \
      frame_put##kind(frame, o + 32, e), frame_put##kind(frame, o + 40, f), \
      frame_put##kind(frame, o + 48, g)
#define WPUT8(kind, o, a, b, c, d, e, f, g, h)                              \
  frame_put##kind(frame, o, a), frame_put##kind(frame, o + 8, b),           \
      frame_put##kind(frame, o + 16, c), frame_put##kind(frame, o + 24, d), \
      frame_put##kind(frame, o + 32, e), frame_put##kind(frame, o + 40, f), \
      frame_put##kind(frame, o + 48, g), frame_put##kind(frame, o + 56, h)

#endif  // FERMATA_CORE_SPELLING_H_
