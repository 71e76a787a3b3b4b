#include "parkd/presence/lamp_map.h"

#include <algorithm>

namespace callpark::presence {
namespace {

const LampSettings* settings_of(const LampFacts& facts, const std::string& tenant) {
  const auto found = std::find_if(facts.settings.begin(), facts.settings.end(),
                                  [&](const LampSettings& settings) { return settings.tenant == tenant; });
  return found == facts.settings.end() ? nullptr : &*found;
}

// Orbits of one length, with their star, have the same order as text and as numbers.
bool contains(const OrbitRange& range, const std::string& orbit) {
  return range.first.size() == orbit.size() && range.first <= orbit && orbit <= range.last;
}

// A call that was retrieved and is parked again has another id.
std::string dialog_id(const ShownCall& call) {
  return std::string(kDialogIdPrefix) + call.park_id.text() + "-" +
         std::to_string(call.parked_at.time_since_epoch().count());
}

DialogInfo orbit_lamp(const Presentity& presentity, const LampSettings& settings, const ShownCall& call) {
  return {.presentity = presentity,
          .dialog_id = dialog_id(call),
          .state = settings.state == LampState::kEarly ? DialogState::kEarly : DialogState::kConfirmed,
          .display = "Park " + call.orbit,
          .renders_media = false,
          .remote = shown_caller(call)};
}

DialogInfo caller_lamp(const Presentity& presentity, const ShownCall& call) {
  return {.presentity = presentity,
          .dialog_id = std::string(kDialogIdPrefix) + "caller-" + call.park_id.text(),
          .state = DialogState::kConfirmed,
          .display = shown_caller(call).display,
          .renders_media = true,
          .remote = std::nullopt};
}

DialogInfo retriever_lamp(const Presentity& presentity, const ShownCall& call) {
  return {.presentity = presentity,
          .dialog_id = std::string(kDialogIdPrefix) + "retriever-" + call.park_id.text(),
          .state = DialogState::kConfirmed,
          .display = presentity.user,
          .renders_media = true,
          .remote = std::nullopt};
}

// A flow that is switched off again has another id.
DialogInfo flow_lamp(const Presentity& presentity, const LitFlow& flow) {
  return {.presentity = presentity,
          .dialog_id = std::string(kDialogIdPrefix) + "flow-" + flow.number + "-" + std::to_string(flow.since),
          .state = DialogState::kConfirmed,
          .display = flow.label.empty() ? "Call flow " + flow.number : flow.label,
          .renders_media = false,
          .remote = std::nullopt};
}

}  // namespace

std::vector<Presentity> presentities_of(const LitFlow& flow) {
  std::vector<Presentity> presentities{{flow.number, flow.tenant}};
  if (flow.feature_code.empty()) return presentities;
  presentities.push_back({flow.feature_code, flow.tenant});
  presentities.push_back({"flow+" + flow.feature_code, flow.tenant});
  return presentities;
}

std::vector<Presentity> presentities_of(const LampSettings& settings, const std::string& orbit) {
  std::vector<Presentity> presentities;
  if (orbit.empty()) return presentities;
  for (const std::string& code : settings.retrieve_codes) presentities.push_back({code + orbit, settings.tenant});
  const bool is_bare = std::any_of(settings.ranges.begin(), settings.ranges.end(),
                                   [&](const OrbitRange& range) { return contains(range, orbit); });
  if (is_bare) presentities.push_back({orbit, settings.tenant});
  return presentities;
}

std::set<Presentity> presentities_of(const LampFacts& facts, const CallChange& change) {
  std::set<Presentity> presentities;
  if (const LampSettings* settings = settings_of(facts, change.tenant)) {
    const auto of_orbit = presentities_of(*settings, change.orbit);
    presentities.insert(of_orbit.begin(), of_orbit.end());
  }
  for (const auto& party : {change.caller, change.retriever}) {
    if (party) presentities.insert({party->number, party->tenant});
  }
  return presentities;
}

LitLamps lit_lamps(const LampFacts& facts) {
  LitLamps lit;
  for (const LampSettings& settings : facts.settings) {
    for (const LitFlow& flow : settings.flows) {
      for (const Presentity& presentity : presentities_of(flow)) {
        lit.try_emplace(presentity, flow_lamp(presentity, flow));
      }
    }
  }
  for (const ShownCall& call : facts.calls) {
    const LampSettings* settings = settings_of(facts, call.tenant);
    if (settings && call.waits) {
      for (const Presentity& presentity : presentities_of(*settings, call.orbit)) {
        lit.try_emplace(presentity, orbit_lamp(presentity, *settings, call));
      }
    }
    if (!call.caller_extension.empty()) {
      const Presentity own{call.caller_extension, call.tenant};
      lit.try_emplace(own, caller_lamp(own, call));
    }
    if (!call.retriever_extension.empty()) {
      const Presentity own{call.retriever_extension, call.tenant};
      lit.try_emplace(own, retriever_lamp(own, call));
    }
  }
  return lit;
}

std::set<Presentity> out_of_sync_lamps(const LitLamps& lit, const std::vector<PublishedLamp>& published) {
  std::set<Presentity> out_of_sync;
  std::set<Presentity> shown;
  for (const PublishedLamp& lamp : published) {
    if (lamp.state == name_of(DialogState::kTerminated)) continue;
    const auto wanted = lit.find(lamp.presentity);
    const bool is_right = wanted != lit.end() && wanted->second.dialog_id == lamp.dialog_id &&
                          name_of(wanted->second.state) == lamp.state;
    if (!is_right || !shown.insert(lamp.presentity).second) out_of_sync.insert(lamp.presentity);
  }
  for (const auto& [presentity, info] : lit) {
    if (!shown.contains(presentity)) out_of_sync.insert(presentity);
  }
  return out_of_sync;
}

}  // namespace callpark::presence
