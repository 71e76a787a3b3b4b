// overloaded{...}: a std::visit visitor with one lambda a case, so that a missing case is a compile error.
#pragma once

namespace callpark {

template <class... Cases>
struct overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
overloaded(Cases...) -> overloaded<Cases...>;

}  // namespace callpark
