// A SIP request or response. It owns its text, so it can be copied, moved and kept; views of it are valid until the
// message is changed, moved or destroyed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/message/headers.h"
#include "parkd/message/name_addr.h"
#include "parkd/message/sip_uri.h"
#include "parkd/message/syntax_error.h"
#include "parkd/message/via.h"

namespace callpark::sip {

struct HeaderField {
  HeaderName name;
  std::string_view text;
  std::string_view value;
};

/// No accessor fails: in a message from parse() the headers of every message are present and well formed; in one that
/// is being built, an accessor of something absent returns an empty value. Texts never break the message: CR and LF in
/// them become spaces.
class SipMessage {
 public:
  SipMessage() = default;
  SipMessage(const SipMessage&) = default;
  SipMessage& operator=(const SipMessage&) = default;
  /// A moved-from message is empty, or the one it was assigned to; its accessors are safe too.
  SipMessage(SipMessage&& other) noexcept { swap(other); }
  SipMessage& operator=(SipMessage&& other) noexcept {
    swap(other);
    return *this;
  }
  ~SipMessage() = default;
  void swap(SipMessage& other) noexcept;

  bool is_request() const noexcept { return status_ == 0; }
  bool is_response() const noexcept { return status_ != 0; }
  /// The request line's method; of a response, the one of its CSeq.
  std::string_view method() const noexcept;
  SipUri request_uri() const;
  std::string_view request_uri_text() const noexcept { return view(uri_); }
  void set_request_uri(const SipUri& uri);
  void set_request_uri(std::string_view uri);
  /// 100 to 699; 0 in a request.
  int status() const noexcept { return status_; }
  std::string_view reason() const noexcept { return view(reason_); }

  std::string_view call_id() const noexcept;
  CSeq cseq() const;
  NameAddr from() const;
  NameAddr to() const;
  /// Returns the tag alone; empty if there is none.
  std::string_view from_tag() const noexcept;
  std::string_view to_tag() const noexcept;

  std::vector<Via> vias() const;
  Via top_via() const;
  /// Returns the parameter of the topmost Via alone; empty if there is none.
  std::string_view top_branch() const noexcept;
  void prepend_via(const Via& via);
  void set_top_via(const Via& via);
  void remove_top_via();

  /// Returns the first Contact; none if there is no Contact or it is "*".
  std::optional<NameAddr> contact() const;
  std::vector<NameAddr> contacts() const;
  std::vector<NameAddr> routes() const;
  std::vector<NameAddr> record_routes() const;
  /// Returns none if there is no Refer-To, or not exactly one that can be read.
  std::optional<NameAddr> refer_to() const;
  std::optional<NameAddr> referred_by() const;
  /// Returns the Replaces header, not the one inside a Refer-To URI (for that: parse_replaces(uri.header("Replaces"))).
  std::optional<Replaces> replaces() const;
  std::optional<std::uint32_t> max_forwards() const;
  std::optional<std::uint32_t> expires() const;
  /// As written, with parameters; empty if there is none.
  std::string_view event() const noexcept { return first(HeaderName::kEvent); }
  std::string_view subscription_state() const noexcept { return first(HeaderName::kSubscriptionState); }

  /// Returns the value of the first header of that name; long and compact names match each other.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  std::optional<std::string_view> header(HeaderName name) const noexcept;
  /// Returns all values of that name in order; lists are split if the grammar allows it.
  std::vector<std::string_view> all_headers(std::string_view name) const;
  std::vector<std::string_view> all_headers(HeaderName name) const;
  /// True if the list header (Supported, Require, Allow, ...) has that token, in any case.
  bool has_token(HeaderName name, std::string_view token) const noexcept;
  /// Returns every header as written, in order. Content-Length is no part of a message here: the parser checks it and
  /// the writer writes it.
  std::vector<HeaderField> headers() const;

  /// Replaces all headers of that name by one, at the position of the first; appends if there is none.
  void set_header(std::string_view name, std::string_view value);
  void set_header(HeaderName name, std::string_view value);
  /// Adds a header after all others, or before all others.
  void add_header(std::string_view name, std::string_view value);
  void add_header(HeaderName name, std::string_view value);
  void prepend_header(std::string_view name, std::string_view value);
  void prepend_header(HeaderName name, std::string_view value);
  void remove_header(std::string_view name);
  void remove_header(HeaderName name);
  void set_cseq(std::uint32_t number, std::string_view method);

  std::string_view body() const noexcept { return view(body_); }
  /// As written; empty if there is none.
  std::string_view content_type() const noexcept { return first(HeaderName::kContentType); }
  /// True if Content-Type is `type` ("application/sdp"), whatever its case and parameters.
  bool has_content_type(std::string_view type) const noexcept;
  /// The writer sets the length. An empty type removes the header.
  void set_body(std::string_view content_type, std::string_view text);

  /// Compares start line, headers in their order, and body.
  friend bool operator==(const SipMessage& left, const SipMessage& right);

 private:
  friend class Parser;
  friend void write(const SipMessage& message, std::string& out);
  friend SipMessage make_request(std::string_view method, std::string_view uri);
  friend SipMessage make_response(const SipMessage& request, int status, std::string_view reason,
                                  std::string_view to_tag);

  // Positions in text_, not pointers into it, so that copying and moving are safe.
  struct Span {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  struct Field {
    HeaderName name = HeaderName::kOther;
    Span text;
    Span value;
  };

  std::string_view view(Span span) const noexcept { return {text_.data() + span.offset, span.length}; }
  std::string_view first(HeaderName name) const noexcept;
  const Field* find(HeaderName name, std::string_view text) const noexcept;
  bool matches(const Field& field, HeaderName name, std::string_view text) const noexcept;
  template <class Item, class ParseList>
  std::vector<Item> collect(HeaderName name, ParseList parse_list) const;
  std::optional<NameAddr> only_address(HeaderName name) const;
  Span store(std::string_view text);
  Field make_field(HeaderName name, std::string_view text, std::string_view value);

  std::string text_;
  std::vector<Field> fields_;
  Span method_;
  Span uri_;
  Span reason_;
  Span body_;
  int status_ = 0;
};

/// Makes a request with its start line and Max-Forwards 70; the caller adds everything else.
SipMessage make_request(std::string_view method, const SipUri& uri);
SipMessage make_request(std::string_view method, std::string_view uri);

/// RFC 3261 8.2.6: Via, From, To, Call-ID and CSeq of the request (and Timestamp in a 100). `to_tag` is added to the To
/// unless that has one already; empty adds none. An empty reason means the usual phrase of the status.
SipMessage make_response(const SipMessage& request, int status, std::string_view reason = {},
                         std::string_view to_tag = {});
/// RFC 3261 12.1.1: adds what a response that makes a dialog must carry besides.
void copy_record_route(const SipMessage& request, SipMessage& response);

}  // namespace callpark::sip
