#include "server/tls/tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstring>

namespace sgl::server {
namespace {

int tickets_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

void TlsContext::Tickets::install(SSL_CTX* ctx) {
  SSL_CTX_set_ex_data(ctx, tickets_index(), this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, callback);
}

int TlsContext::Tickets::find(const unsigned char* name, bool seal, Key& out) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (keys_.empty() || now - keys_.front().made > kRotate) {
    Key key;
    key.made = now;
    if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
        RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
        RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1) {
      return 0;
    }
    keys_.push_front(key);
    while (keys_.size() > kKept) {
      OPENSSL_cleanse(&keys_.back(), sizeof(Key));
      keys_.pop_back();
    }
  }
  while (!keys_.empty() && now - keys_.back().made > kRotate * kKept) keys_.pop_back();
  if (seal) {
    out = keys_.front();
    return 1;
  }
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (std::memcmp(keys_[i].name.data(), name, keys_[i].name.size()) != 0) continue;
    out = keys_[i];
    return i == 0 ? 1 : 2;
  }
  return 0;
}

// Returns as OpenSSL has it: 1 use it, 2 use it and make a new ticket, 0 no ticket, -1 error.
int TlsContext::Tickets::callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                                  EVP_MAC_CTX* mac, int seal) {
  auto* self = static_cast<Tickets*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tickets_index()));
  Key key;
  const int found = self->find(name, seal != 0, key);
  if (found == 0) return 0;
  if (seal != 0) {
    std::memcpy(name, key.name.data(), key.name.size());
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  }
  OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
                         OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("sha256"), 0),
                         OSSL_PARAM_construct_end()};
  const bool ready = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, seal) == 1 &&
                     EVP_MAC_CTX_set_params(mac, params) == 1;
  OPENSSL_cleanse(&key, sizeof key);
  return ready ? found : -1;
}

}  // namespace sgl::server
