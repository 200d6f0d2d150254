#include "runtime/wasi/network_address.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/ascii.h"
#include "runtime/os/internet_address.h"

namespace fermata::wasi {
namespace {

using Family = NetworkAddress::Family;

constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsMapped(const NetworkAddress& address) {
  return address.family == Family::kIpv6 &&
         memcmp(address.bytes.data(), kMapped, sizeof kMapped) == 0;
}

}  // namespace

bool ParseAddress(absl::string_view text, NetworkAddress& address) {
  address = {};
  const std::string terminated(text);
  if (text.find('\0') != absl::string_view::npos) return false;
  if (internal::ParseIpv4(terminated.c_str(), address.bytes.data())) return true;
  address.family = Family::kIpv6;
  return internal::ParseIpv6(terminated.c_str(), address.bytes.data());
}

bool Unmap(NetworkAddress& address) {
  if (!IsMapped(address)) return false;
  NetworkAddress ipv4;
  ipv4.port = address.port;
  std::copy_n(address.bytes.begin() + sizeof kMapped, 4, ipv4.bytes.begin());
  address = ipv4;
  return true;
}

bool IsUnspecified(const NetworkAddress& address) {
  NetworkAddress plain = address;
  Unmap(plain);
  return std::all_of(plain.bytes.begin(), plain.bytes.end(), [](uint8_t b) { return b == 0; });
}

NetworkAddress Destination(NetworkAddress address) {
  if (!IsUnspecified(address)) return address;
  if (address.family == Family::kIpv4) {
    address.bytes[0] = 127;
    address.bytes[3] = 1;
    return address;
  }
  if (IsMapped(address)) address.bytes[12] = 127;
  address.bytes[15] = 1;
  return address;
}

bool IsHostName(absl::string_view text) {
  constexpr size_t kLongest = 253;
  return !text.empty() && text.size() <= kLongest &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.';
         });
}

}  // namespace fermata::wasi
