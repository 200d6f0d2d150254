// What the core headers ask of the compiler. Core header.
#ifndef FERMATA_CORE_COMPILER_H_
#define FERMATA_CORE_COMPILER_H_

#if defined(__GNUC__)
#if defined(__has_builtin)
#if __has_builtin(__builtin_expect_with_probability)
// Never, as far as the layout of code goes: the code behind it is optimized for size.
#define FERMATA_UNLIKELY(x) __builtin_expect_with_probability(!!(x), 0, 1.0)
#endif
#endif
#ifndef FERMATA_UNLIKELY
#define FERMATA_UNLIKELY(x) __builtin_expect(!!(x), 0)
#endif
#define FERMATA_LIKELY(x) __builtin_expect(!!(x), 1)
#define FERMATA_COLD __attribute__((cold, noinline))
// Without optimization, compilers give the parameters and variables of each inlined copy room of
// their own in the caller's frame: megabytes in an interpreter's loop.
#if defined(__OPTIMIZE__)
#define FERMATA_INLINE inline __attribute__((always_inline))
#else
#define FERMATA_INLINE inline
#endif
#define FERMATA_HIDDEN __attribute__((visibility("hidden")))
#define FERMATA_EXPORT __attribute__((visibility("default")))
#else
#define FERMATA_UNLIKELY(x) (x)
#define FERMATA_LIKELY(x) (x)
#define FERMATA_COLD
#define FERMATA_INLINE inline
#define FERMATA_HIDDEN
#define FERMATA_EXPORT
#endif

// ThreadSanitizer sees atomic accesses only where the compiler makes them.
#if defined(__SANITIZE_THREAD__)
#define FERMATA_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FERMATA_TSAN 1
#endif
#endif

#endif  // FERMATA_CORE_COMPILER_H_
