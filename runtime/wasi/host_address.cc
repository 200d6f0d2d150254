#include "runtime/wasi/host_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "absl/strings/ascii.h"

namespace fermata::wasi {
namespace {

using Family = NetworkAddress::Family;

constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool IsMapped(const NetworkAddress& address) {
  return address.family == Family::kIpv6 &&
         memcmp(address.bytes.data(), kMapped, sizeof kMapped) == 0;
}

}  // namespace

HostAddress::HostAddress(const NetworkAddress& address) {
  if (address.family == Family::kIpv4) {
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    memcpy(&in.sin_addr, address.bytes.data(), 4);
    memcpy(&storage, &in, sizeof in);
    size = sizeof in;
  } else {
    sockaddr_in6 in = {};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    memcpy(&in.sin6_addr, address.bytes.data(), 16);
    memcpy(&storage, &in, sizeof in);
    size = sizeof in;
  }
}

bool FromHostAddress(const sockaddr* from, socklen_t size, NetworkAddress& address) {
  address = {};
  if (size >= sizeof(sockaddr_in) && from->sa_family == AF_INET) {
    sockaddr_in in;
    memcpy(&in, from, sizeof in);
    address.port = ntohs(in.sin_port);
    memcpy(address.bytes.data(), &in.sin_addr, 4);
    return true;
  }
  if (size >= sizeof(sockaddr_in6) && from->sa_family == AF_INET6) {
    sockaddr_in6 in;
    memcpy(&in, from, sizeof in);
    address.family = Family::kIpv6;
    address.port = ntohs(in.sin6_port);
    memcpy(address.bytes.data(), &in.sin6_addr, 16);
    return true;
  }
  return false;
}

bool ParseAddress(absl::string_view text, NetworkAddress& address) {
  address = {};
  const std::string terminated(text);
  if (text.find('\0') != absl::string_view::npos) return false;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) return true;
  address.family = Family::kIpv6;
  return inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1;
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
