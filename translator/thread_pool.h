// LLVM's thread pool, by the name that it has in each version.
#ifndef FERMATA_TRANSLATOR_THREAD_POOL_H_
#define FERMATA_TRANSLATOR_THREAD_POOL_H_

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/ThreadPool.h"

namespace fermata {

#if LLVM_VERSION_MAJOR >= 18
using ThreadPool = llvm::DefaultThreadPool;
#else
using ThreadPool = llvm::ThreadPool;
#endif

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_THREAD_POOL_H_
