#include "parkd/presence/publication.h"

#include <utility>

namespace callpark::presence::publication {
namespace {

using Dark = Publication::Dark;
using Lit = Publication::Lit;
using Asking = Publication::Asking;
using Publishing = Publication::Publishing;
using Waiting = Publication::Waiting;
using Removing = Publication::Removing;

Decision ask(Publication state) {
  state.phase = Asking{};
  return {std::move(state), {AskTable{}}};
}

Decision publish(Publication state, std::string etag) {
  state.phase = Publishing{state.wanted, state.is_lit_wanted};
  Publish action{state.wanted, std::move(etag)};
  return {std::move(state), {std::move(action)}};
}

Decision wait(Publication state) {
  state.phase = Waiting{};
  ++state.failures;
  const std::uint32_t failures = state.failures;
  return {std::move(state), {StartRetry{failures}}};
}

Decision remove(Publication state) {
  state.phase = Removing{};
  state.etag.clear();
  return {std::move(state), {Remove{}}};
}

Decision dark(Publication state) {
  state.phase = Dark{};
  state.etag.clear();
  state.published = state.wanted;
  state.failures = 0;
  return {std::move(state), {}};
}

Decision on(Publication state, const Wanted& event) {
  state.wanted = event.serial;
  state.is_lit_wanted = event.is_lit;
  state.is_forgotten = false;
  if (std::holds_alternative<Lit>(state.phase)) {
    Decision decision = publish(state, state.etag);
    decision.actions.insert(decision.actions.begin(), StopRefresh{});
    return decision;
  }
  // Kamailio never changes a publication that has ended (it answers 200 and keeps the old state): the next one is new,
  // unless the table has one.
  if (std::holds_alternative<Dark>(state.phase)) return ask(std::move(state));
  return {std::move(state), {}};
}

Decision on(Publication state, const Doubted&) {
  const bool is_lit = std::holds_alternative<Lit>(state.phase);
  if (!is_lit && !std::holds_alternative<Dark>(state.phase)) return {std::move(state), {}};
  Decision decision = ask(std::move(state));
  if (is_lit) decision.actions.insert(decision.actions.begin(), StopRefresh{});
  return decision;
}

Decision on(Publication state, const Forgotten&) {
  state.is_forgotten = true;
  state.is_lit_wanted = false;
  const bool is_lit = std::holds_alternative<Lit>(state.phase);
  if (!is_lit && !std::holds_alternative<Dark>(state.phase)) return {std::move(state), {}};
  Decision decision = remove(std::move(state));
  if (is_lit) decision.actions.insert(decision.actions.begin(), StopRefresh{});
  return decision;
}

Decision on(Publication state, const Removed&) {
  if (!std::holds_alternative<Removing>(state.phase)) return {std::move(state), {}};
  if (state.is_lit_wanted) return publish(std::move(state), "");
  return dark(std::move(state));
}

Decision on(Publication state, const Found& event) {
  if (!std::holds_alternative<Asking>(state.phase)) return {std::move(state), {}};
  if (state.is_forgotten) return remove(std::move(state));
  if (!event.etag.empty() || state.is_lit_wanted) return publish(std::move(state), event.etag);
  return dark(std::move(state));
}

Decision on(Publication state, const NotAnswered&) {
  const bool is_awaited = std::holds_alternative<Asking>(state.phase) || std::holds_alternative<Removing>(state.phase);
  if (!is_awaited) return {std::move(state), {}};
  return wait(std::move(state));
}

Decision on(Publication state, const Accepted& event) {
  const auto* publishing = std::get_if<Publishing>(&state.phase);
  if (!publishing) return {std::move(state), {}};
  const bool is_lit = publishing->is_lit;
  state.published = publishing->serial;
  state.failures = 0;
  if (state.is_forgotten) return remove(std::move(state));
  if (state.published != state.wanted) return is_lit ? publish(std::move(state), event.etag) : ask(std::move(state));
  if (!is_lit) {
    state.phase = Dark{};
    state.etag.clear();
    return {std::move(state), {}};
  }
  state.phase = Lit{};
  state.etag = event.etag;
  return {std::move(state), {StartRefresh{}}};
}

Decision on(Publication state, const Refused& event) {
  if (!std::holds_alternative<Publishing>(state.phase)) return {std::move(state), {}};
  if (event.why != Refusal::kUnknownEtag || state.failures != 0) return wait(std::move(state));
  ++state.failures;
  return ask(std::move(state));
}

Decision on(Publication state, const RetryDue&) {
  // A lost answer may have been a 200: then only the table has the etag.
  if (!std::holds_alternative<Waiting>(state.phase)) return {std::move(state), {}};
  if (state.is_forgotten) return remove(std::move(state));
  return ask(std::move(state));
}

Decision on(Publication state, const RefreshDue&) {
  if (!std::holds_alternative<Lit>(state.phase)) return {std::move(state), {}};
  return publish(state, state.etag);
}

}  // namespace

Decision decide(Publication state, const Event& event) {
  return std::visit([&](const auto& its) { return on(std::move(state), its); }, event);
}

bool is_over(const Publication& state) {
  return std::holds_alternative<Dark>(state.phase) && !state.is_lit_wanted && state.published == state.wanted;
}

bool is_settled(const Publication& state) {
  const bool is_quiet = std::holds_alternative<Dark>(state.phase) || std::holds_alternative<Lit>(state.phase);
  return is_quiet && state.published == state.wanted;
}

}  // namespace callpark::presence::publication
