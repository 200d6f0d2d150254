#include "runtime/wasi/posix/errors.h"

namespace fermata::wasi {
namespace {

struct Pair {
  int host;
  Errno guest;
};
constexpr Pair kPairs[] = {
    {E2BIG, Errno::k2Big},
    {EACCES, Errno::kAcces},
    {EADDRINUSE, Errno::kAddrInUse},
    {EADDRNOTAVAIL, Errno::kAddrNotAvail},
    {EAFNOSUPPORT, Errno::kAfNoSupport},
    {EAGAIN, Errno::kAgain},
    {EALREADY, Errno::kAlready},
    {EBADF, Errno::kBadf},
    {EBADMSG, Errno::kBadMsg},
    {EBUSY, Errno::kBusy},
    {ECANCELED, Errno::kCanceled},
    {ECHILD, Errno::kChild},
    {ECONNABORTED, Errno::kConnAborted},
    {ECONNREFUSED, Errno::kConnRefused},
    {ECONNRESET, Errno::kConnReset},
    {EDEADLK, Errno::kDeadlk},
    {EDESTADDRREQ, Errno::kDestAddrReq},
    {EDOM, Errno::kDom},
    {EDQUOT, Errno::kDquot},
    {EEXIST, Errno::kExist},
    {EFAULT, Errno::kFault},
    {EFBIG, Errno::kFbig},
    {EHOSTUNREACH, Errno::kHostUnreach},
    {EIDRM, Errno::kIdrm},
    {EILSEQ, Errno::kIlseq},
    {EINPROGRESS, Errno::kInProgress},
    {EINTR, Errno::kIntr},
    {EINVAL, Errno::kInval},
    {EIO, Errno::kIo},
    {EISCONN, Errno::kIsConn},
    {EISDIR, Errno::kIsDir},
    {ELOOP, Errno::kLoop},
    {EMFILE, Errno::kMfile},
    {EMLINK, Errno::kMlink},
    {EMSGSIZE, Errno::kMsgSize},
    {EMULTIHOP, Errno::kMultihop},
    {ENAMETOOLONG, Errno::kNameTooLong},
    {ENETDOWN, Errno::kNetDown},
    {ENETRESET, Errno::kNetReset},
    {ENETUNREACH, Errno::kNetUnreach},
    {ENFILE, Errno::kNfile},
    {ENOBUFS, Errno::kNoBufs},
    {ENODEV, Errno::kNoDev},
    {ENOENT, Errno::kNoEnt},
    {ENOEXEC, Errno::kNoExec},
    {ENOLCK, Errno::kNoLck},
    {ENOLINK, Errno::kNoLink},
    {ENOMEM, Errno::kNoMem},
    {ENOMSG, Errno::kNoMsg},
    {ENOPROTOOPT, Errno::kNoProtoOpt},
    {ENOSPC, Errno::kNoSpc},
    {ENOSYS, Errno::kNoSys},
    {ENOTCONN, Errno::kNotConn},
    {ENOTDIR, Errno::kNotDir},
    {ENOTEMPTY, Errno::kNotEmpty},
    {ENOTRECOVERABLE, Errno::kNotRecoverable},
    {ENOTSOCK, Errno::kNotSock},
    {EOPNOTSUPP, Errno::kNotSup},
    {ENOTTY, Errno::kNotTty},
    {ENXIO, Errno::kNxio},
    {EOVERFLOW, Errno::kOverflow},
    {EOWNERDEAD, Errno::kOwnerDead},
    {EPERM, Errno::kPerm},
    {EPIPE, Errno::kPipe},
    {EPROTO, Errno::kProto},
    {EPROTONOSUPPORT, Errno::kProtoNoSupport},
    {EPROTOTYPE, Errno::kPrototype},
    {ERANGE, Errno::kRange},
    {EROFS, Errno::kRofs},
    {ESPIPE, Errno::kSpipe},
    {ESRCH, Errno::kSrch},
    {ESTALE, Errno::kStale},
    {ETIMEDOUT, Errno::kTimedOut},
    {ETXTBSY, Errno::kTxtBsy},
    {EXDEV, Errno::kXdev},
};

}  // namespace

Errno FromHost(int code) {
  if (code == 0) return Errno::kSuccess;
  if (code == EWOULDBLOCK) return Errno::kAgain;
  for (const Pair& pair : kPairs) {
    if (pair.host == code) return pair.guest;
  }
  return Errno::kIo;
}

}  // namespace fermata::wasi
