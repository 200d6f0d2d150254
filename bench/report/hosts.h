// What whole hosts do (examples/message_queue, examples/coroutine_server): runs them.
#ifndef FERMATA_BENCH_REPORT_HOSTS_H_
#define FERMATA_BENCH_REPORT_HOSTS_H_

#include "bench/report/toolchain.h"
#include "llvm/Support/JSON.h"

namespace bench {

// An object of figures by name, the best of several runs. Empty if the programs are not there.
llvm::json::Object MeasureHosts(const Tools& tools, bool quick);

}  // namespace bench

#endif  // FERMATA_BENCH_REPORT_HOSTS_H_
