// Result<T, E>: a value or the reason why there is none. Every function that can fail because of a peer's message, a
// row or a file returns one; exceptions are for start-up and for libraries that throw.
#pragma once

#include <tl/expected.hpp>
#include <utility>

namespace callpark {

template <class T, class E>
class [[nodiscard]] Result : public tl::expected<T, E> {
 public:
  using tl::expected<T, E>::expected;
  // NOLINTNEXTLINE(google-explicit-constructor): and_then() and map() return a tl::expected, which becomes a Result
  // again.
  Result(tl::expected<T, E> other) : tl::expected<T, E>(std::move(other)) {}
};

/// Makes the failing side: `return failure(ParseError::kNoColon);`
template <class E>
tl::unexpected<std::decay_t<E>> failure(E&& error) {
  return tl::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

}  // namespace callpark
