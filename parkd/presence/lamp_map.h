// Which lamps are lit by which calls, and what of Kamailio's publications is not so. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "parkd/presence/dialog_info_writer.h"
#include "parkd/ports/presence_store.h"

namespace callpark::presence {

/// Every way to dial an orbit for retrieving: each retrieve code with it, and an orbit of a range bare.
std::vector<Presentity> presentities_of(const LampSettings& settings, const std::string& orbit);
/// Everything whose lamp a change may have changed.
std::set<Presentity> presentities_of(const LampFacts& facts, const CallChange& change);

using LitLamps = std::map<Presentity, DialogInfo>;
/// The lamps of orbits with a waiting call, which show the oldest of them; and of each extension that is a parked
/// caller or has retrieved one, the extension's own, busy until parkd has its call no more.
LitLamps lit_lamps(const LampFacts& facts);

/// The lamps that Kamailio shows otherwise: dark, in another state, of another park, or lit for nothing.
std::set<Presentity> wrong_lamps(const LitLamps& lit, const std::vector<PublishedLamp>& published);

}  // namespace callpark::presence
