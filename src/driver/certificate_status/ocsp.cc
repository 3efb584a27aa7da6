#include "driver/certificate_status/ocsp.h"

#include "base/regular_file.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include <vector>

namespace sb::driver::certificate_status {

namespace {
template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using IdPtr = std::unique_ptr<OCSP_CERTID, Deleter<OCSP_CERTID_free>>;

/// How far clocks may differ.
constexpr long kSkewS = 300;
constexpr std::size_t kCertificateMax = 1 << 20;

CertificatePtr load_certificate(const std::string& file) {
  const auto text = read_regular_file(file, kCertificateMax);
  if (!text) return nullptr;
  const std::unique_ptr<BIO, Deleter<BIO_free>> in(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  CertificatePtr made(in ? PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr) : nullptr);
  ERR_clear_error();
  return made;
}

std::string base64(const std::vector<unsigned char>& bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

void free_list(STACK_OF(X509) * list) {
  sk_X509_free(list);
}

class Question final : public OcspQuestion {
 public:
  Question(CertificatePtr issuer, IdPtr id) : issuer_(std::move(issuer)), id_(std::move(id)) {}

  std::string url(std::string_view responder_url) const override {
    const std::unique_ptr<OCSP_REQUEST, Deleter<OCSP_REQUEST_free>> request(OCSP_REQUEST_new());
    OCSP_request_add0_id(request.get(), OCSP_CERTID_dup(id_.get()));
    std::vector<unsigned char> der(static_cast<std::size_t>(i2d_OCSP_REQUEST(request.get(), nullptr)));
    unsigned char* at = der.data();
    i2d_OCSP_REQUEST(request.get(), &at);
    std::string out(responder_url);
    if (!out.ends_with('/')) out += '/';
    for (const char c : base64(der)) {
      switch (c) {  // RFC 3986 2.1
        case '+':
          out += "%2B";
          break;
        case '/':
          out += "%2F";
          break;
        case '=':
          out += "%3D";
          break;
        default:
          out += c;
      }
    }
    return out;
  }

  Result<std::int64_t> check(std::string_view bytes) const override {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const std::unique_ptr<OCSP_RESPONSE, Deleter<OCSP_RESPONSE_free>> response(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(bytes.size())));
    const auto bad = [](std::string_view why) {
      ERR_clear_error();
      return fail(Errc::Invalid, fmt::format("OCSP answer: {}", why));
    };
    if (!response) return bad("not an OCSP response");
    if (const int status = OCSP_response_status(response.get()); status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
      return bad(OCSP_response_status_str(status));
    const std::unique_ptr<OCSP_BASICRESP, Deleter<OCSP_BASICRESP_free>> basic(OCSP_response_get1_basic(response.get()));
    if (!basic) return bad("of an unknown kind");
    const std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>> store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), issuer_.get());
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    const std::unique_ptr<STACK_OF(X509), Deleter<free_list>> known(sk_X509_new_null());
    sk_X509_push(known.get(), issuer_.get());
    if (OCSP_basic_verify(basic.get(), known.get(), store.get(), 0) != 1) return bad("not signed by the issuer");
    int status = 0;
    int reason = 0;
    ASN1_GENERALIZEDTIME* revoked = nullptr;
    ASN1_GENERALIZEDTIME* from = nullptr;
    ASN1_GENERALIZEDTIME* until = nullptr;
    if (OCSP_resp_find_status(basic.get(), id_.get(), &status, &reason, &revoked, &from, &until) != 1)
      return bad("about another certificate");
    if (status != V_OCSP_CERTSTATUS_GOOD) return bad(fmt::format("the status is {}", OCSP_cert_status_str(status)));
    if (OCSP_check_validity(from, until, kSkewS, -1) != 1) return bad("not in its time");
    if (!until) return 0;
    tm moment{};
    ASN1_TIME_to_tm(until, &moment);
    return static_cast<std::int64_t>(timegm(&moment));
  }

 private:
  CertificatePtr issuer_;
  IdPtr id_;
};
}  // namespace

Result<std::unique_ptr<OcspQuestion>> OcspQuestion::load(const std::string& certificate_file,
                                                         const std::string& issuer_file) {
  const CertificatePtr certificate = load_certificate(certificate_file);
  if (!certificate) return fail(Errc::Invalid, fmt::format("cannot use certfile {} for OCSP", certificate_file));
  CertificatePtr issuer = load_certificate(issuer_file);
  if (!issuer) return fail(Errc::Invalid, fmt::format("cannot use ocsp.issuer_pem {}", issuer_file));
  IdPtr id(OCSP_cert_to_id(EVP_sha1(), certificate.get(), issuer.get()));
  if (!id) return fail(Errc::Invalid, fmt::format("no OCSP question can be made from {}", certificate_file));
  return std::make_unique<Question>(std::move(issuer), std::move(id));
}

}  // namespace sb::driver::certificate_status
