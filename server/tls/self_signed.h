// Certificates for trying things out, and facts of certificates for `sgl doctor`.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/expected.h"

namespace sgl::server {

struct SelfSigned {
  std::string certificate_pem, key_pem;
};

// An ECDSA P-256 certificate for these DNS names and IP addresses, valid for `days` from now.
// Errors: invalid (no name, or one that is neither).
base::Expected<SelfSigned> make_self_signed(const std::vector<std::string>& names, int days);

struct CertificateFacts {
  std::string subject;
  int days_left = 0;
  int key_bits = 0;
  bool self_signed = false;
  std::vector<std::string> names;  // subject alternative names
};
// Of the first certificate of a PEM file.
base::Expected<CertificateFacts> certificate_facts(const std::string& path);

}  // namespace sgl::server
