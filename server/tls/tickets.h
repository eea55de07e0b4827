// Keys of session tickets (RFC 5077, RFC 8446): made at random, rotated, never written anywhere. Private to server/tls.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <deque>
#include <mutex>

#include "server/tls/context.h"

namespace sgl::server {

struct TlsContext::Tickets {
 public:
  // A key seals tickets for an hour and opens them for two more: a stolen key opens three hours of resumptions at most.
  static constexpr std::chrono::hours kRotate{1};
  static constexpr std::size_t kKept = 3;

  void install(SSL_CTX* ctx);

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
    std::chrono::steady_clock::time_point made;
  };
  static int callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                      int seal);
  // Copies the key to seal with (seal), or the one called `name`. 0: none; 1: the newest; 2: an older one.
  int find(const unsigned char* name, bool seal, Key& out);

  std::mutex mutex_;
  std::deque<Key> keys_;  // newest first
};

}  // namespace sgl::server
