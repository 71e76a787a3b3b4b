// The lamps that calls and call flows light, and the publications of Kamailio that differ from them. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "parkd/ports/presence_store.h"
#include "parkd/presence/dialog_info_writer.h"

namespace callpark::presence {

/// Each number that retrieves from an orbit: a retrieve code with the orbit, and an orbit of a range alone.
std::vector<Presentity> presentities_of(const LampSettings& settings, const std::string& orbit);
/// The presentities with a lamp that this change may have changed.
std::set<Presentity> presentities_of(const LampFacts& facts, const CallChange& change);

/// The main number of a call flow, its code, and "flow+CODE".
std::vector<Presentity> presentities_of(const LitFlow& flow);

using LitLamps = std::map<Presentity, DialogInfo>;
/// Lamps of call flows are lit in the alternate mode. Lamps of orbits show the oldest waiting call. The lamp of an
/// extension that is a parked caller or a retriever is busy until parkd has its call no more.
LitLamps lit_lamps(const LampFacts& facts);

/// The lamps that Kamailio shows dark, in another state, of another park, or lit without a call.
std::set<Presentity> out_of_sync_lamps(const LitLamps& lit, const std::vector<PublishedLamp>& published);

}  // namespace callpark::presence
